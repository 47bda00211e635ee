"""Ground states of the Ising antiferromagnet on the triangular lattice."""

from rsmi.models.triangular_ground_states.model import TriangularGroundStates

MODEL = TriangularGroundStates()
