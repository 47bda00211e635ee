"""The only room that touches HDF5."""
