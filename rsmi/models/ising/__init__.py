"""The nearest-neighbour Ising ferromagnet on periodic hypercubic lattices."""

from rsmi.models.ising.model import Ising

MODEL = Ising()
