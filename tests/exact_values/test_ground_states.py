"""Ground states of the triangular antiferromagnet against enumeration, and against the spin
correlations that Kasteleyn determinants give."""

import csv
import functools
from pathlib import Path

import numpy as np
import pytest
from cases import chi_squared_score

from rsmi.errors import DataError, UsageError
from rsmi.lattice.packed import unpack_spins
from rsmi.models.triangular_ground_states import ground_states, known
from rsmi.models.triangular_ground_states.worm import sample_chains

REFERENCE = Path(__file__).parents[2] / "data" / "reference" / "triangular_corr12.csv"
CHAINS = 64


def sampled(side, rows, sweeps, seed=1):
    """Packed ground states (CHAINS * rows, bytes) about so many sweeps of N steps apart."""
    bonds = np.stack([ground_states.flat_bonds((side, side), k) for k in range(CHAINS)])
    rng = np.random.default_rng(seed).integers(1, 2**64, size=(CHAINS, 4), dtype=np.uint64)

    def sample(worms, count):
        spins = np.empty((count, (side * side + 7) // 8), dtype=np.uint8)
        steps = np.empty(count, dtype=np.int64)
        sample_chains(bonds, rng, worms, 0, spins, steps)
        return spins, steps

    _, steps = sample(20, 8 * CHAINS)
    worms = max(1, round(sweeps * side * side / (steps.mean() / 20)))
    sample(20 * worms, CHAINS)
    return sample(worms, CHAINS * rows)[0]


@functools.cache
def enumerated(side):
    """All ground states (n, side, side) of +-1, row by row."""
    rows = (2 * (np.arange(1 << side)[:, None] >> np.arange(side) & 1) - 1).astype(np.int8)
    pairs = np.stack(np.broadcast_arrays(rows[:, None], rows[None]), axis=2).reshape(-1, 2, side)
    between = ground_states.frustrated_triangles(pairs)[:, :, 0].any(axis=(1, 2))
    follows = ~between.reshape(len(rows), len(rows))
    paths = np.arange(len(rows))[:, None]
    for _ in range(side - 1):
        last, following = np.nonzero(follows[paths[:, -1]])
        paths = np.column_stack([paths[last], following])
    return rows[paths[follows[paths[:, -1], paths[:, 0]]]]


@pytest.mark.parametrize("side", [3, 6])
def test_numbers_of_states(side):
    """42 and 263,640; every one has the energy -N, nearest neighbours are correlated by -1/3, and
    its structure factor at K averages to the known one."""
    states = enumerated(side)
    assert len(states) == known.GROUND_STATES[side]
    assert (ground_states.energies(states) == -(side**2)).all()
    measured = ground_states.observables(states)["structure_factor"].mean()
    assert measured == pytest.approx(known.structure_factor((side, side)), rel=1e-12)


@pytest.mark.parametrize("side", [3, pytest.param(6, marks=pytest.mark.slow)])
def test_all_states_are_equally_likely(side):
    """Chi-squared of whole configurations. It catches states that no worm reaches, and a preference
    of some winding sectors."""
    states, rows = enumerated(side), {3: 1000, 6: 24_000}[side]
    packed = sampled(side, rows, sweeps=4)
    words = np.zeros((len(packed), 8), dtype=np.uint8)
    words[:, : packed.shape[1]] = packed
    seen, counts = np.unique(words.view(np.uint64), return_counts=True)
    assert len(seen) <= len(states)
    counts = np.concatenate([counts, np.zeros(len(states) - len(seen), dtype=np.int64)])
    assert abs(chi_squared_score(counts, np.full(len(states), len(packed) / len(states)))) < 4
    ground_states.check_ground_states(unpack_spins(packed[-5000:], (side, side)))


def test_correlations():
    """<s(0) s(r)> on 12x12 at every r; the nearest neighbours have exactly -1/3 in every sample."""
    shape, rows = (12, 12), 400
    spins = unpack_spins(sampled(12, rows, sweeps=4), shape)
    assert (ground_states.bond_sums(spins).sum(axis=1) == -(12**2)).all()
    power = np.abs(np.fft.fft2(spins)) ** 2 / 144
    by_chain = np.fft.ifft2(power.reshape(rows, CHAINS, *shape).mean(axis=0)).real
    with REFERENCE.open() as lines:
        table = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    for line in table:
        values = by_chain[:, int(line["dx"]), int(line["dy"])]
        error = values.std(ddof=1) / CHAINS**0.5
        assert abs(values.mean() - float(line["correlation"])) < 5 * error + 1e-12, line
    assert len(table) == 144


@pytest.mark.parametrize("side", [12, 24])
def test_structure_factor(side):
    """S(K), with an error of half a per cent; it catches a chain that forgets too slowly."""
    rows = 200
    packed = sampled(side, rows, sweeps=4)
    spins = unpack_spins(packed, (side, side))
    values = ground_states.observables(spins)["structure_factor"].reshape(rows, CHAINS).mean(axis=0)
    error = values.std(ddof=1) / CHAINS**0.5
    exact = known.structure_factor((side, side))
    assert error < 0.01 * exact
    assert abs(values.mean() - exact) < 4 * error


def test_observables_of_a_stripe():
    """Rows of equal spins: all frustrated bonds have one direction, and there is no order at K."""
    spins = np.ones((1, 6, 6), dtype=np.int8)
    spins[:, :, ::2] = -1
    measured = ground_states.observables(spins)
    assert measured["structure_factor"] == pytest.approx(0, abs=1e-12)
    assert measured["tilt"] == pytest.approx(36 * 2 / 3)
    assert measured["magnetization_squared"] == 0


def test_what_is_no_ground_state_is_refused():
    spins = np.ones((3, 6, 6), dtype=np.int8)
    spins[:, :, ::2] = -1
    ground_states.check_ground_states(spins)
    spins[2, 1, 2] = 1
    with pytest.raises(DataError, match=r"rows: sample 12 is no ground state"):
        ground_states.check_ground_states(spins, "rows", 10)
    with pytest.raises(UsageError, match="multiples of 3"):
        ground_states.check_shape((6, 8))
    with pytest.raises(UsageError, match="two axes"):
        ground_states.check_shape((6,))
