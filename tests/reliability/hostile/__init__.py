"""Hostile files: damaged bytes, forged HDF5, and a pen of processes to open them in."""
