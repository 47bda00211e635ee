"""Binary variables on lattices that a model file describes: spins with any bonds, hard cores."""

from rsmi.models.lattice.model import LatticeModel

MODEL = LatticeModel()
