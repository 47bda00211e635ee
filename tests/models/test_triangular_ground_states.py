"""The contract of the triangular ground states."""

import numpy as np
from cases import Case, changed, every_spin
from contract import ModelContract

from rsmi.models.triangular_ground_states.ground_states import order


class TestTriangularGroundStates(ModelContract):
    model = "triangular-ground-states"
    cases = (
        Case("worm", "--size 3", chains=24),
        Case("rectangle", "--size 6x3", chains=24, slow=True),
    )
    settings = ("--size 12 --chains 16",)
    block = "3x3"

    def states(self, attributes):
        """All configurations of the least energy, equally likely; `wrong` says another weight of
        those with more order."""
        configurations = every_spin(attributes["shape"])
        energies = self.answers.energies(configurations, attributes)
        states = configurations[energies == energies.min()]
        squares = np.abs(order(states[:, 0])) ** 2
        ordered = squares > squares.mean()
        return states, np.where(ordered, attributes.get("weight_of_order", 1.0), 1.0)

    def wrong(self, attributes):
        """It catches worms that prefer states with many free spins, or with few."""
        return [changed(attributes, weight_of_order=0.75)]
