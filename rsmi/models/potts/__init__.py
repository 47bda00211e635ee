"""The Potts model: variables with q states of which only equal ones interact."""

from rsmi.models.potts.model import Potts

MODEL = Potts()
