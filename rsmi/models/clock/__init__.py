"""The clock model: variables with q states on a circle."""

from rsmi.models.clock.model import Clock

MODEL = Clock()
