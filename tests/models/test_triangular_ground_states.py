"""The contract of the triangular ground states."""

import numpy as np
from cases import Case, changed, configurations_of, every_spin
from conftest import run_here
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


def test_imported_ground_states(workshop, tmp_path):
    """Arrays of ground states are imported under the model's name. With other neighbours the energy
    is wrong; one wrong spin is found by the commands that learn, which name its triangle."""
    _, states, _ = configurations_of(
        workshop("sample --model triangular-ground-states --size 12 --chains 16 --samples 320")
    )
    model = "--model triangular-ground-states --chains 16 --quiet"
    train = "--block 3x3 --windows 2000 --restarts 1 --quiet"
    for name, spins in {"good": states, "turned": states[:, :, ::-1], "wrong": states}.items():
        spins = spins[:, 0].copy()
        if name == "wrong":
            spins[7, :, 3] *= -1
        np.save(tmp_path / f"{name}.npy", spins)
        array, samples = (tmp_path / f"{name}.{suffix}" for suffix in ("npy", "h5"))
        result = run_here("import", array, *model.split(), "-o", samples)
        assert result.code == (65 if name == "turned" else 0), result.err
        if name == "turned":
            assert "exact energy" in result.err
            continue
        result = run_here("train-lambda", samples, *train.split(), "-o", tmp_path / "rule.h5")
        assert result.code == (65 if name == "wrong" else 0)
        assert ("sample 7 is no ground state" in result.err) == (name == "wrong")
