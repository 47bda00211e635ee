"""How the samples of a flow are divided into the blocks of its jackknife."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsmi.errors import DataError
from rsmi.renormalization.operators import operator_sums
from rsmi.renormalization.rules import majority
from rsmi.stages.flow.sums import Accumulator, Division, divide, joined


@given(st.integers(1, 5000), st.integers(1, 300), st.integers(1, 80))
def test_every_sample_has_a_block(samples, chains, blocks):
    """Blocks and groups are numbered without gaps; with enough chains, a block holds whole chains,
    nearly as many as any other."""
    division = Division(samples, chains, min(samples, blocks))
    found = division.of(np.arange(samples))
    assert set(found) == set(range(division.blocks))
    assert division.spanned(np.arange(samples)) == (
        0,
        division.blocks,
    )
    assert (np.diff(division.groups) >= 0).all()
    assert len(set(division.groups)) == min(32, division.blocks)
    if division.by_chains:
        assert all(len(set(found[chain::chains])) == 1 for chain in range(chains))
        assert np.ptp(np.bincount(found[:chains])) <= 1
    else:
        assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize(("chains", "honest"), [(1024, True), (8, False)])
def test_blocks_of_whole_chains_are_independent(chains, honest):
    """Samples that remember 16 steps: the variance of the mean from blocks of whole chains is
    right; blocks of 32 successive steps of few chains correlate, and give too little before they
    are merged."""
    rng, n, memory = np.random.default_rng(1), 1024 * 16, np.exp(-1 / 16)
    estimates, means = [], []
    for _ in range(200):
        series = np.empty((n // chains, chains))
        series[0] = rng.normal(size=chains)
        for step in range(1, len(series)):
            series[step] = memory * series[step - 1] + np.sqrt(1 - memory**2) * rng.normal(
                size=chains
            )
        division = divide(n, chains, (8, 8), (8, 8))
        block = np.bincount(division.of(np.arange(n)), series.ravel()) / np.bincount(
            division.of(np.arange(n))
        )
        estimates.append(block.var(ddof=1) / len(block))
        means.append(series.mean())
    ratio = np.mean(estimates) / np.var(means)
    assert abs(ratio - 1) < 0.3 if honest else ratio < 0.8


@pytest.mark.parametrize(
    ("shape", "samples", "wide"),
    [
        ((64, 64), 10**6, False),
        ((512, 512), 10**6, False),
        ((8192, 8192), 10**6, True),
        ((512, 512, 512), 64, True),
        ((1024, 1024, 1024), 1, True),
    ],
)
def test_blocks_do_not_grow_with_the_samples(shape, samples, wide):
    """Sums that one word cannot be sure to hold get a second one, not more blocks; no lattice is
    too large."""
    division = divide(samples, 8, shape, shape)
    assert division.blocks == min(samples, 64)
    assert division.wide == wide


# ---- energies that are no integers ---------------------------------------------------------------

SHAPE, SAMPLES = (4, 4), 200


def accumulated(energies, pieces=1):
    """Sums over random configurations with these energies, added in so many pieces."""
    division = divide(SAMPLES, 8, SHAPE, SHAPE, energies.dtype.name)
    keys = np.arange(2, dtype=np.uint64).reshape(1, 2)
    accumulator = Accumulator(division, SHAPE, (majority((2, 2)),), keys, 0, division.blocks)
    state, numbers = accumulator.begin(), np.arange(SAMPLES)
    for part in np.array_split(numbers, pieces):
        accumulator.add(state, configurations()[part], energies[part], part)
    return division, joined([[state]]).blocks


def configurations():
    return np.random.default_rng(3).integers(0, 256, (SAMPLES, 2), dtype=np.uint8)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 255.0])
def test_float_energies_are_summed_in_fixed_point(scale):
    """Sums of float64 energies are those of numpy to the rounding of 24 bits behind the point,
    half a unit for each sample; up to 255 J a site nothing overflows, which would be wrong by
    2^63."""
    energies = scale * 16 * np.random.default_rng(4).uniform(-1, 1, SAMPLES)
    division, sums = accumulated(energies)
    block, even = division.of(np.arange(SAMPLES)), operator_sums(configurations(), SHAPE)[0]
    assert division.fraction_bits == 24
    error = SAMPLES * 2.0**-25
    for name, values, largest in (
        ("energy_sum", energies, 1),
        ("energy_squared", energies**2, 2 * np.abs(energies).max() + 1),
        ("even_energy", even * energies[:, np.newaxis], np.abs(even).max()),
    ):
        expected = np.zeros((division.blocks, *values.shape[1:]))
        np.add.at(expected, block, values)
        found = sums[name][:, 0] if name == "even_energy" else sums[name]
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=error * largest)


def test_float_energies_are_summed_in_any_pieces():
    """The sums are exact, so that their bits do not depend on how samples come."""
    energies = np.random.default_rng(5).normal(0, 10, SAMPLES)
    for name, array in accumulated(energies)[1].items():
        for pieces in (3, 50):
            np.testing.assert_array_equal(accumulated(energies, pieces)[1][name], array)


def test_whole_energies_are_summed_alike():
    """Energies that happen to be integers have the same sums as int64 and as float64."""
    energies = np.random.default_rng(6).integers(-32, 33, SAMPLES)
    whole, floats = accumulated(energies)[1], accumulated(energies.astype(np.float64))[1]
    for name, array in whole.items():
        np.testing.assert_array_equal(floats[name], array)


@pytest.mark.parametrize("energy", [np.nan, np.inf, 257.0 * 16])
def test_energies_out_of_range_are_refused(energy):
    with pytest.raises(DataError, match="256 J a site"):
        accumulated(np.full(SAMPLES, energy))
