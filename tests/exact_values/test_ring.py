"""The exact ring as a thermometer."""

import exact
import numpy as np
import pytest

from rsmi.models.ising import ring


@pytest.mark.parametrize("length", [2, 3, 8])
def test_energy_and_variance_of_the_enumerated_ring(length):
    """A ring without its closing bond, or a variance per lattice, is off by a factor."""
    energies = exact.ising_energies(exact.every_configuration((length,)))
    for coupling in (0.1, 0.9):
        weights = exact.boltzmann(energies, coupling)
        mean = weights @ energies
        assert ring.energy((length,), coupling) == pytest.approx(mean / length, rel=1e-12)
        assert ring.energy_variance((length,), coupling) == pytest.approx(
            (weights @ energies**2 - mean**2) / length, rel=1e-9
        )


@pytest.mark.parametrize("length", [2, 5, 64, 10_000])
def test_coupling_from_energy_is_the_inverse(length):
    for coupling in (1e-3, 0.1, 1.0, 5.0):
        assert ring.coupling_from_energy(
            ring.energy((length,), coupling), (length,)
        ) == pytest.approx(coupling, rel=1e-9)


@pytest.mark.parametrize(
    ("energy", "shape", "words"),
    [
        (0.1, (8,), "outside the range"),
        (-1.0, (8,), "outside the range"),
        (np.nan, (8,), "outside the range"),
        (-0.5, (1,), "at least 2"),
        (-0.5, (4, 4), "one size"),
    ],
)
def test_no_such_ring(energy, shape, words):
    with pytest.raises(ValueError, match=words):
        ring.coupling_from_energy(energy, shape)
