"""Fully packed dimers on the square lattice, free and interacting, with and without noise."""
