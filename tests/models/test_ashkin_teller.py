"""The contract of the Ashkin-Teller model."""

import numpy as np
from cases import Case, changed, every_spin
from contract import ModelContract


class TestAshkinTeller(ModelContract):
    model = "ashkin-teller"
    cases = (
        Case("wolff", "--size 2x2 --coupling 0.25 --four-spin 0.5 --algorithm wolff", slow=True),
        Case("two Ising models", "--size 2x2 --coupling 0.25", slow=True),
        Case("negative", "--size 2x2 --coupling 0.35 --four-spin=-0.5", slow=True),
        Case(
            "heat bath",
            "--size 2x2 --coupling 0.25 --four-spin 0.5 --algorithm heat-bath",
            slow=True,
        ),
        Case("chain", "--dimension 1 --size 5 --coupling 0.5 --four-spin 0.5", slow=True),
    )
    settings = ("--size 8 --coupling 0.3 --four-spin 0.5 --chains 8",)

    def states(self, attributes):
        """All configurations of sigma and tau."""
        shape = (2, *attributes["shape"])
        configurations = every_spin(shape).reshape(-1, *shape)
        energies = self.answers.energies(configurations, attributes)
        return configurations, np.exp(-attributes["coupling"] * energies)

    def wrong(self, attributes):
        """The four-spin coupling counts."""
        own = attributes["model_parameters"]["couplings"]["four-spin"]
        other = {"couplings": {"four-spin": own + 0.2}}
        return [*super().wrong(attributes), changed(attributes, model_parameters=other)]
