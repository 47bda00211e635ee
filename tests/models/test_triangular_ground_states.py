"""The contract of the triangular ground states."""

import numpy as np
from cases import Case, changed, every_spin
from contract import ModelContract

from rsmi.models.triangular_ground_states.ground_states import bond_sums


class TestTriangularGroundStates(ModelContract):
    model = "triangular-ground-states"
    cases = (
        Case("worm", "--size 3", chains=24),
        Case("rectangle", "--size 6x3", chains=24, slow=True),
    )
    settings = ("--size 12 --chains 16",)
    block = "3x3"

    def states(self, attributes):
        """All configurations of the least energy. States in which the three directions have unequal
        numbers of frustrated bonds have the weight that `wrong` says."""
        configurations = every_spin(attributes["shape"])
        energies = self.answers.energies(configurations, attributes)
        states = configurations[energies == energies.min()]
        tilted = np.ptp(bond_sums(states[:, 0]), axis=1) > 0
        return states, np.where(tilted, attributes.get("weight_of_tilted", 1.0), 1.0)

    def wrong(self, attributes):
        """Worms that wind around the torus change the tilt: it catches 10 % too few of them, as
        from worms that are counted wherever they end."""
        return [changed(attributes, weight_of_tilted=0.9)]
