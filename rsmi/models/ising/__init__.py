"""The nearest-neighbour Ising ferromagnet on hypercubic lattices."""
