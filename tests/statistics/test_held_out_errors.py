"""The error of the held-out bound of I(H:E) with correlated and with sorted configurations."""

import numpy as np
import pytest
from conftest import run_here
from imports_generator import TC, heat_bath, pool

from rsmi.information.decoder import decoder_bound, fit_decoder
from rsmi.lattice.geometry import Geometry, choose_windows, extract_windows
from rsmi.lattice.packed import pack_spins
from rsmi.samples.examination.stored import of_file
from rsmi.samples.files import open_file
from rsmi.samples.windows import WindowSet

SHAPE, GEOMETRY = (12, 12), Geometry((2, 2), 1, 1)
RULE = np.full((1, 4), 1.0), np.zeros(1), False
WINDOWS = 20_000
KEY = np.arange(1, 5, dtype=np.uint64)


def bound_of(path, seed, population):
    """The held-out bound of a fixed rule, its error, and the bound of the same decoder on windows
    of a large population."""
    with open_file(path, "samples") as file:
        windows = WindowSet(file, GEOMETRY, WINDOWS, seed)
        learned, held = windows.training, windows.held_out
        decoder = fit_decoder(*RULE, learned.blocks, learned.environments, KEY + np.uint64(seed))
        found = decoder_bound(decoder, *RULE, held.blocks, held.environments, held.groups)
        warned = bool(of_file(file).findings)
    expected = decoder_bound(decoder, *RULE, *population, np.arange(len(population[0])))
    return found.value, found.error, expected.value, warned


def windows_of(spins):
    """Blocks and environments of many windows of independent configurations."""
    chosen = choose_windows(len(spins), SHAPE, 60_000, KEY)
    return extract_windows(pack_spins(spins), SHAPE, GEOMETRY, *chosen)


def pulls(make, population, runs):
    """(value - expected) / error of so many sets of samples, and how many of them are warned
    of."""
    found, warned = [], 0
    for seed in range(runs):
        spins, options = make(np.random.default_rng(seed))
        np.save("x.npy", spins)
        line = ("import", "x.npy", "--model", "ising", *options.split(), "--force", "-o", "x.h5")
        assert run_here(*line, "-q").code == 0
        value, error, expected, said = bound_of("x.h5", seed, population)
        found.append((value - expected) / error)
        warned += said
    return np.array(found), warned


def chains(rng, relative=1.15, count=16, steps=300):
    """Sixteen chains that take turns, each of some ten autocorrelation times."""
    spins, rows = pool(SHAPE, relative)[rng.permutation(1024)[:count]], []
    for _ in range(steps):
        spins = heat_bath(spins, rng, relative * TC, 1)
        rows.append(spins)
    return np.concatenate(rows), f"--chains {count}"


def in_order(rng):
    """Independent configurations of three temperatures, one after the other."""
    parts = [pool(SHAPE, one)[rng.permutation(1024)[:400]] for one in (1.0, 1.1, 1.3)]
    return np.concatenate(parts), ""


@pytest.fixture(scope="module")
def equilibrium():
    """Windows of independent configurations at 1.2 T_c."""
    return windows_of(pool(SHAPE, 1.2, count=6144))


RUNS = [pytest.param(10, 3.0, id="few"), pytest.param(100, 1.3, id="many", marks=pytest.mark.slow)]


@pytest.mark.parametrize(("runs", "most"), RUNS)
def test_pulls_of_correlated_chains(runs, most, equilibrium, workplace):
    """Sixteen chains of 60 autocorrelation times: the variance of the pulls is 1.15 in 100 runs.
    With runs of single configurations instead of long pieces, two longer chains have 1.68."""
    found, _ = pulls(lambda rng: chains(rng, 1.2, steps=500), equilibrium, runs)
    assert 2 - most < found.var(ddof=1) < most or runs < 100
    assert found.var(ddof=1) < most
    assert abs(found.mean()) < 4 / runs**0.5


@pytest.mark.parametrize(("runs", "most"), RUNS)
def test_pulls_of_sorted_rows(runs, most, workplace):
    """Rows sorted by temperature: stretches of all temperatures are held out, and the drift is
    named. The last fifth, of the hottest rows, would be some 20 errors off."""
    population = windows_of(np.concatenate([pool(SHAPE, one) for one in (1.0, 1.1, 1.3)]))
    found, warned = pulls(in_order, population, runs)
    assert warned == runs
    assert found.var(ddof=1) < most
    assert abs(found.mean()) < 4 / runs**0.5


@pytest.mark.parametrize("runs", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_short_chains_are_warned_of(runs, equilibrium, workplace):
    """Sixteen chains of a few autocorrelation times give no error that can be trusted (pulls of
    variance 5), so that every one is warned of."""
    _, warned = pulls(lambda rng: chains(rng, steps=50), equilibrium, runs)
    assert warned == runs
