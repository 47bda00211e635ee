"""How the samples of a flow are divided into the blocks of its jackknife."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsmi.stages.flow.sums import Division, divide


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
