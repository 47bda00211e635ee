"""Crossings of two lattice sizes: against enumeration, and from the command line."""

import json
import os

import blocking_twin
import exact
import numpy as np
import pytest

from rsmi.kernels import correlations as kernel
from rsmi.renormalization import finite_size
from rsmi.statistics.reweighting import Reweighting, histogram

SHAPES = [(7,), (64,), (130,), (4, 4), (6, 10), (3, 64), (9, 70), (4, 4, 4), (2, 3, 5), (1, 8)]
COUPLINGS = [0.3, 0.4, 0.5]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_kernel_against_its_definition(shape):
    """Every axis and distance; a shift by the wrong stride, or one that runs over the end of a row,
    differs."""
    configurations = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (5, *shape))
    rows = blocking_twin.pack(configurations)
    for axis, side in enumerate(shape):
        stride, slabs = int(np.prod(shape[axis + 1 :])), int(np.prod(shape[:axis]))
        for distance in range(side):
            found = kernel.shifted_products(rows, slabs, side * stride, distance * stride)
            np.testing.assert_array_equal(
                found, blocking_twin.shifted_products(configurations, axis, distance)
            )


def test_kernel_refuses():
    rows = np.zeros((2, 2), np.uint8)
    for slabs, length, shift, words in (
        (1, 24, 1, "rows must be"),
        (0, 16, 1, "rows must be"),
        (1, 16, 16, "outside"),
        (1, 16, -1, "outside"),
    ):
        with pytest.raises(ValueError, match=words):
            kernel.shifted_products(rows, slabs, length, shift)
    assert kernel.shifted_products(np.zeros((0, 2), np.uint8), 1, 16, 1).shape == (0,)


def enumerated(side):
    """Energies and observables of all states of a square."""
    states = exact.every_configuration((side, side))
    rows, total = (
        blocking_twin.pack(states),
        states.reshape(len(states), -1).sum(axis=1, dtype=np.int64),
    )
    divisors = (2, 4) if side % 4 == 0 else ()
    half, quarter = [finite_size.correlation_sums(rows, (side, side), d) for d in divisors] or [
        np.zeros(len(states))
    ] * 2
    return exact.ising_energies(states), finite_size.observables(total, half, quarter, (side, side))


TABLES = {side: enumerated(side) for side in (2, 4)}


def exact_cumulant(side, coupling):
    energies, observables = TABLES[side]
    second, fourth = (exact.boltzmann(energies, coupling) @ observables)[:2]
    return 1 - fourth / (3 * second**2)


def drawn(side, count, rng, couplings=COUPLINGS, blocks=16):
    energies, observables = TABLES[side]
    chosen = [rng.choice(len(energies), count, p=exact.boltzmann(energies, k)) for k in couplings]
    return finite_size.Lattice(
        side,
        np.array(couplings),
        [energies[c] for c in chosen],
        [observables[c] for c in chosen],
        [np.arange(count) * blocks // count] * len(couplings),
    )


def test_observables_of_the_enumerated_torus():
    """R on 4x4 by the definition, site by site; slopes by a difference quotient."""
    energies, observables = TABLES[4]
    everything = Reweighting(histogram([0.0], [energies], [observables]))
    states = exact.every_configuration((4, 4)).astype(float)
    weights = exact.boltzmann(energies, 0.4)
    pairs = [weights @ (states * np.roll(states, -r, 2)).mean(axis=(1, 2)) for r in (2, 1)]
    value, slope = finite_size.quantities(everything, 0.4)
    np.testing.assert_allclose(value, [exact_cumulant(4, 0.4), pairs[0] / pairs[1]], rtol=1e-9)
    above, below = (finite_size.quantities(everything, k)[0] for k in (0.4001, 0.3999))
    np.testing.assert_allclose(slope, (above - below) / 2e-4, rtol=1e-5)


def test_crossing_of_two_enumerated_sizes():
    """40 sets of draws of 2x2 and 4x4: T, U and nu at the crossing are unbiased within 4 sigma and
    scatter by their errors."""
    rng, root = (
        np.random.default_rng(2),
        finite_size.bracketed_root(lambda k: exact_cumulant(4, k) - exact_cumulant(2, k), 0.3, 0.5),
    )
    slopes = [
        (exact_cumulant(side, root + 1e-5) - exact_cumulant(side, root - 1e-5)) / 2e-5
        for side in (2, 4)
    ]
    truth = [1 / root, exact_cumulant(4, root), np.log(2) / np.log(slopes[1] / slopes[0])]
    found = []
    for _ in range(40):
        curves, rows = finite_size.analyse([drawn(4, 6000, rng), drawn(2, 6000, rng)], 16)
        assert [(row["quantity"], row["sizes"]) for row in rows] == [
            ("binder", [2, 4]),
            ("correlation_ratio", [2, 4]),
        ]
        assert rows[1]["T_c"] is None
        assert "not a distance" in rows[1]["reason"]
        found.append(
            [
                rows[0][name]
                for name in ("T_c", "T_c_error", "value", "value_error", "nu", "nu_error")
            ]
        )
    found = np.array(found)
    values, errors = found[:, 0::2], found[:, 1::2]
    spread = values.std(axis=0, ddof=1)
    assert np.all(np.abs(values.mean(axis=0) - truth) < 4 * spread / np.sqrt(40))
    assert np.all((0.7 < errors.mean(axis=0) / spread) & (errors.mean(axis=0) / spread < 1.4))
    assert curves.value.shape == curves.error.shape == (2, finite_size.POINTS, 2)
    assert abs(curves.value[1, 0, 0] - exact_cumulant(4, 0.3)) < 4 * curves.error[1, 0, 0]


def test_curves_end_where_the_samples_do():
    rng = np.random.default_rng(3)
    curves, rows = finite_size.analyse([drawn(2, 500, rng), drawn(4, 500, rng, [0.38, 0.46])], 16)
    assert np.isfinite(curves.value[0, :, 0]).all()
    assert np.isnan(curves.value[1, [0, -1], 0]).all()
    _, rows = finite_size.analyse(
        [drawn(2, 500, rng, [0.2, 0.3]), drawn(4, 500, rng, [0.4, 0.5])], 16
    )
    assert rows[0]["reason"] == "the sizes have no sampled temperatures in common"


def test_no_crossing_has_a_reason():
    rng = np.random.default_rng(4)
    _, rows = finite_size.analyse(
        [drawn(2, 2000, rng, [0.1, 0.2]), drawn(4, 2000, rng, [0.1, 0.2])], 16
    )
    assert rows[0]["T_c"] is rows[0]["nu"] is None
    assert "no crossing between T = 5 and 10" in rows[0]["reason"]


def test_bracketed_root():
    """Steep, flat and touching functions to the last digits."""
    for function, root in (
        (lambda x: x**3 - 2, 2 ** (1 / 3)),
        (lambda x: np.tanh(50 * (x - 0.7)), 0.7),
        (lambda x: (x - 1) ** 9, 1.0),
    ):
        assert finite_size.bracketed_root(function, 0.0, 3.0) == pytest.approx(
            root, abs=1e-12 if root != 1 else 1e-3
        )


# ---- from the command line -----------------------------------------------------------------------


@pytest.fixture
def sample(workplace, here):
    """Make samples files of sizes and temperatures, small and quick."""

    def make(name, size, temperature, more="--samples 400 --thermalization 20 --interval 3"):
        assert (
            here(
                *f"sample --size {size} --temperature {temperature} {more} -q -o {name}.h5".split()
            ).code
            == 0
        )
        return f"{name}.h5"

    return make


def test_refusals(sample, here):
    """One sentence each, exit code 2, and nothing is left behind."""
    a, b = sample("a", 8, "1.0Tc"), sample("b", 8, "1.1Tc")
    c, d, far = sample("c", 16, "1.0Tc"), sample("d", 16, "1.1Tc"), sample("far", 16, "3Tc")
    hot, hotter = sample("hot", 16, "1.6Tc"), sample("hotter", 16, "1.7Tc")
    small = [sample("s1", 8, "1.6Tc"), sample("s2", 8, "1.7Tc")]
    frozen = [
        sample(f"frozen{t}", 16, t, "--samples 32 --thermalization 0 --interval 1")
        for t in ("0.1", "0.11")
    ]
    oblong, coarse, few = (
        sample("oblong", "8x16", "1.0Tc"),
        "coarse.h5",
        sample("few", 16, "1.05Tc", "--samples 5 --thermalization 5 --interval 1"),
    )
    assert here("coarse-grain", c, "--rule", "majority", "-o", coarse).code == 0
    for files, words in (
        ((a, b), "all samples are of 8x8: a crossing takes two lattice sizes at least"),
        ((a, b, c), "16x16: has one temperature only"),
        ((a, b, c, far), "16x16: the energies at T = 2.26919 and T = 6.80756 overlap by"),
        ((a, b, oblong), "8x8 and 8x16 are not of one form"),
        ((a, b, coarse), "rg_step 1, a.h5 has 0"),
        ((a, b, c, few), "5 samples are too few"),
        (
            (a, b, *frozen),
            "16x16: all samples have one energy; there is nothing to reweight in constant samples",
        ),
        ((a, a, c, d), "the same random streams"),
        ((hot, hotter, *small), "no crossing between T ="),
    ):
        result = here("crossing", *files, "-o", "out.h5")
        assert (result.code, result.out, result.err.count("\n")) == (
            2,
            "",
            1,
        )
        assert words in result.err
        assert not [path for path in os.listdir() if path.startswith("out")]


def test_order_of_the_files_does_not_matter(sample, here):
    files = [
        sample(f"{size}-{t}", size, f"{t}Tc") for size in (8, 16) for t in ("0.93", "1.0", "1.07")
    ]
    first, second = (
        json.loads(here("crossing", *order, "--json", "-q", "-o", f"{n}.h5").out)
        for n, order in enumerate((files, files[::-1]))
    )
    for one, other in zip(first["crossings"], second["crossings"]):
        for name in ("T_c", "T_c_error", "value", "nu", "nu_error"):
            assert one[name] == pytest.approx(other[name], rel=1e-6)
    assert abs(first["T_c"] - 2.269185) < 5 * first["T_c_error"]
    assert first["sizes"] == [8, 16]
    assert "exact 2.269185, not used" in here("info", "0.h5").out


def test_correlated_samples_are_warned_of(sample, here):
    files = [
        sample(
            f"{size}-{t}",
            size,
            f"{t}Tc",
            "--algorithm metropolis --chains 8 --samples 480 --thermalization 200 --interval 1",
        )
        for size in (8, 16)
        for t in ("0.95", "1.05")
    ]
    assert "the errors are too small" in here("crossing", *files, "-o", "out.h5").err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dimension", "sizes", "samples", "exact_tc", "tolerance"),
    [(2, (16, 32, 64), 12000, 2.269185314213022, 1e-3), (3, (8, 16), 12000, 1 / 0.221654626, 2e-3)],
)
def test_targets(sample, here, dimension, sizes, samples, exact_tc, tolerance):
    """About half a minute of sampling: T_c to .1 % in two dimensions, and to the drift of small
    sizes in three."""
    factors = ("0.98", "0.99", "1.0", "1.01", "1.02")
    files = [
        sample(f"{size}-{f}", size, f"{f}Tc", f"--dimension {dimension} --samples {samples}")
        for size in sizes
        for f in factors
    ]
    found = json.loads(here("crossing", *files, "--json", "-q", "-o", "out.h5").out)
    assert abs(found["T_c"] / exact_tc - 1) < tolerance
    assert found["T_c_error"] < tolerance * exact_tc
    assert abs(found["nu"] - {2: 1.0, 3: 0.63}[dimension]) < 0.06
