"""The six-vertex model with the weights a = b = 1 and c, square ice among it."""

from rsmi.models.six_vertex.model import SixVertex

MODEL = SixVertex()
