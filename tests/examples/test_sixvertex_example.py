"""The stiffness of a coarse field in data/sixvertex/levels.py, of sums whose answer is known."""

from pathlib import Path

import numpy as np
import pytest
from conftest import module_of

pytest.importorskip("matplotlib")
LEVELS = Path(__file__).parents[2] / "data/sixvertex/levels.py"


@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_stiffness_of_a_mixed_field_with_noise(noise):
    """X = A E + noise has the stiffness of E, whatever A and the noise are; averages over blocks of
    4 sites make the waves smaller, and are divided out."""
    levels, side, stiffness, block = module_of(LEVELS), 64, 0.7, 4
    mixture = np.array([[0.3, -0.2], [0.1, 0.5]])
    q = np.pi / side
    wave = (np.sin(block * q) / (block * np.sin(q))) ** 2 / (stiffness * side**2)
    flux = np.array([[1.1, 0.1], [0.1, 0.9]])
    waves = [
        mixture @ np.diag(transverse) @ mixture.T + noise * np.array([[1, 0.4], [0.4, 2]])
        for transverse in ([0, wave], [wave, 0])  # at q along x and along y
    ]
    sums = {
        "with_flux": 9 * mixture @ flux,
        "flux": 9 * flux,
        "waves": 9 * np.array(waves),
        "count": 9.0,
    }
    assert levels.stiffness(sums, side, side**2, block) == pytest.approx(stiffness)


def test_patterns():
    """The sums of the field: uniform, staggered, and the phases of three sublattices."""
    levels = module_of(LEVELS)
    assert levels.weights("staggered", 2).tolist() == [[1, -1, -1, 1]]
    phases = levels.weights("three", 3)
    assert phases @ phases.T == pytest.approx(np.eye(2) * 4.5)
