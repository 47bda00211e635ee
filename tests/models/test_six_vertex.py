"""The contract of the six-vertex model."""

import numpy as np
from cases import Case, changed, configurations_of
from conftest import run_here
from contract import ModelContract
from exact import all_arrows


class TestSixVertex(ModelContract):
    model = "six-vertex"
    cases = (
        Case("few c vertices", "--size 3 --weight 0.5", chains=24, slow=True),
        Case("square ice", "--size 3x2 --ice", chains=24),
        Case("free fermions", "--size 3 --delta 0", chains=24, slow=True),
        Case("order", "--size 2x4 --weight 2", chains=24, slow=True),
    )
    settings = ("--size 12 --weight 1.2 --chains 16",)
    block = "2x2"

    def states(self, attributes):
        """All configurations that obey the ice rule, with the weight c of every c vertex."""
        configurations = all_arrows(tuple(attributes["shape"]))
        numbers = -self.answers.energies(configurations, attributes)
        return configurations, attributes["model_parameters"]["weight"] ** numbers.astype(float)

    def wrong(self, attributes):
        weight = attributes["model_parameters"]["weight"]
        return [changed(attributes, model_parameters={"weight": 1.1 * weight})]

    def corrupted(self, configuration):
        configuration[1, 2, 1] *= -1
        return configuration


def test_imported_arrows(workshop, tmp_path):
    """Arrays of arrows are imported under the model's name; one wrong arrow is found by the
    commands that learn, which name its vertex."""
    line = "sample --model six-vertex --ice --size 12 --chains 16 --samples 320"
    _, states, _ = configurations_of(workshop(line))
    train = "--block 2x2 --windows 2000 --restarts 1 --quiet"
    for name in ("good", "wrong"):
        arrows = states.copy()
        if name == "wrong":
            arrows[7, 0, 4, 3] *= -1
        np.save(tmp_path / f"{name}.npy", arrows)
        array, samples = (tmp_path / f"{name}.{suffix}" for suffix in ("npy", "h5"))
        options = "--model six-vertex --components 2 --chains 16 --quiet".split()
        result = run_here("import", array, *options, "-o", samples)
        assert result.code == 0, result.err
        result = run_here("train-lambda", samples, *train.split(), "-o", tmp_path / "rule.h5")
        assert result.code == (65 if name == "wrong" else 0), result.err
        assert ("sample 7 violates the ice rule" in result.err) == (name == "wrong")
