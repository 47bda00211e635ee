"""T_c by matching two lattices, on correlations that are made to match where they should."""

import numpy as np
import pytest

from rsmi.renormalization.matching import matched_coupling


def sums_of(energies, correlations):
    """Sums with one even operator at two levels, of 64 blocks of one sample."""
    values = np.stack([correlations, correlations], axis=1)[:, :, np.newaxis]
    return {
        "counts": np.ones(len(energies), np.int64),
        "energy_sum": energies,
        "even_sums": values,
        "even_energy": values * energies[:, np.newaxis, np.newaxis],
    }


def test_linear_correlations():
    """If S = c - a (E - <E>) per site, the correlation grows with K as a Var(E); the lattices match
    where the lines cross."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 64))
    first, second = (x - x.mean() for x in (first, second))
    large, small = (
        sums_of(first, 64 * (0.5 - 0.3 * first)),
        sums_of(second, 64 * (0.4 - 0.1 * second)),
    )
    shapes = [(16, 16), (8, 8)], [(8, 8), (4, 4)]
    row = matched_coupling(large, small, shapes, 0.7, 1)
    slope = 0.3 * first.var() - 0.1 * second.var()
    assert row["value"] == pytest.approx(0.7 - 0.1 / slope)
    spread = np.hypot(0.3 * first.std(), 0.1 * second.std()) / 8 / slope
    assert 0.5 * spread < row["error"] < 3 * spread
    reverse = matched_coupling(small, large, shapes, 0.7, 1)
    assert reverse["value"] is None and "larger lattice" in reverse["reason"]
    with pytest.raises(ValueError, match="one shape"):
        matched_coupling(large, small, (shapes[0], shapes[0]), 0.7, 1)
