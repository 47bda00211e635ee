"""Fully packed dimers on the square lattice, free and interacting, with and without noise."""

from rsmi.models.dimers.model import Dimers

MODEL = Dimers()
