"""Directed loops draw every configuration of the six-vertex model with its weight: small lattices
state by state, larger ones by fluxes and correlations."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from exact import all_arrows

from rsmi.lattice.packed import unpack_spins
from rsmi.models.six_vertex import arrows, known, transfer
from rsmi.models.six_vertex.simulation import LoopSimulation

CHAINS = 64
FREE_FERMIONS = 2**0.5
# <W^2> of 12 x 12 at c = 1 and at free fermions, by an independent transfer matrix.
FLUX_12 = {1.0: 1.89932541326, FREE_FERMIONS: 1.21670802333}
CORRELATIONS = Path(__file__).parents[2] / "data/reference/sixvertex_corr16_freefermion.csv"


@cache
def sample(side, weight, count, sweeps=2.5, seed=1):
    """Arrows (count, 2, L, L) of chains in turn, so many sweeps apart, after 30 sweeps."""
    simulation = LoopSimulation((side, side), weight, seed)
    state = simulation.start(*range(CHAINS))
    loops = round(sweeps * simulation.clusters_per_sweep() + 0.5)
    simulation.advance(state, 12 * loops, 0, CHAINS)
    packed = simulation.advance(state, loops, 0, count)["spins"]
    return unpack_spins(packed, (2, side, side))


def z_score(values, exact):
    """The average of chains in turn in units of its error, which the chains tell."""
    chains = values[: len(values) // CHAINS * CHAINS].reshape(-1, CHAINS).mean(axis=0)
    return (chains.mean() - exact) / (chains.std(ddof=1) / np.sqrt(CHAINS))


@pytest.mark.parametrize("weight", [0.5, FREE_FERMIONS, 2.0])
def test_flux_and_vertices(weight):
    """On 6 x 6 vertices 20,000 samples see an error of 2 % of <W^2> and of 0.7 % of the c vertices
    (with c = 1/2 of 2 %) at four standard errors."""
    measured = arrows.observables(sample(6, weight, 20_000))
    exact = transfer.torus((6, 6), weight)
    for name in ("flux_squared", "c_vertices"):
        assert abs(z_score(measured[name], exact[name])) < 4


@pytest.mark.slow
@pytest.mark.parametrize("weight", [0.5, 1.0, FREE_FERMIONS, 1.8, 2.0])
def test_all_states(weight):
    """All 2970 states of 4 x 4 by 200,000 samples."""
    states = all_arrows((4, 4))
    place = {state.tobytes(): number for number, state in enumerate(states)}
    found = np.bincount(
        [place[state.tobytes()] for state in sample(4, weight, 200_000, 6.0)], minlength=len(states)
    )
    weights = weight ** arrows.c_vertices(states).sum(axis=(1, 2))
    expected = weights / weights.sum() * found.sum()
    freedom = len(states) - 1
    chi_squared = ((found - expected) ** 2 / expected).sum()
    assert abs(chi_squared - freedom) < 4 * np.sqrt(2 * freedom)


@pytest.mark.slow
@pytest.mark.parametrize("side", [4, 6, 8])
@pytest.mark.parametrize("weight", [0.5, 1.0, FREE_FERMIONS, 1.8, 2.0])
def test_fluxes(side, weight):
    measured = arrows.observables(sample(side, weight, 200_000))
    exact = transfer.torus((side, side), weight)
    for name in ("flux_squared", "c_vertices"):
        assert abs(z_score(measured[name], exact[name])) < 4


@pytest.mark.slow
@pytest.mark.parametrize("weight", FLUX_12)
def test_fluxes_of_twelve(weight):
    measured = arrows.observables(sample(12, weight, 200_000))
    assert abs(z_score(measured["flux_squared"], FLUX_12[weight])) < 4


@pytest.mark.slow
def test_correlations():
    """All correlations of two links on 16 x 16 at the free-fermion point, against determinants."""
    waves = np.fft.rfft2(sample(16, FREE_FERMIONS, 64_000))
    powers = (np.conj(waves[:, :1]) * waves).reshape(-1, CHAINS, 2, 16, 9).mean(axis=0)
    measured = np.fft.irfft2(powers, (16, 16)) / 256  # (chains, 2, 16, 16)
    exact = np.loadtxt(CORRELATIONS, delimiter=",", skiprows=2)[:, -1].reshape(2, 16, 16)
    errors = measured.std(axis=0, ddof=1) / np.sqrt(CHAINS)
    errors[0, 0, 0] = 1.0  # an arrow and itself: 1 without an error
    z = (measured.mean(axis=0) - exact) / errors
    assert np.abs(z).max() < 5
    assert np.mean(z**2) < 1.3


@pytest.mark.slow
@pytest.mark.parametrize("weight", [0.5, 1.0, FREE_FERMIONS, 1.6, 1.7, 1.8])
def test_stiffness(weight):
    """On 32 x 32 the stiffness is that of the infinite lattice, within three errors or 0.3 %."""
    measured = arrows.observables(sample(32, weight, 64_000))["flux_squared"]
    mean = measured.mean()
    error = measured.reshape(-1, CHAINS).mean(axis=0).std(ddof=1) / np.sqrt(CHAINS)
    found, uncertain = known.measured_stiffness(mean, error, (32, 32))
    exact = known.stiffness_of(weight)
    assert uncertain < 0.006 * exact
    assert abs(found - exact) < max(3 * uncertain, 0.003 * exact)
