"""The Ashkin-Teller model: two Ising spins at a site, coupled by their energies."""

from rsmi.models.ashkin_teller.model import AshkinTeller

MODEL = AshkinTeller()
