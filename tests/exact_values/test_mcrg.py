"""The linearised transformation and its exponents, against a lattice small enough to enumerate and
synthetic matrices."""

import blocking_twin as twins
import exact
import numpy as np
import pytest

from rsmi.renormalization import level_sums, mcrg, operators
from rsmi.renormalization.rules import decimation, majority

COUPLING = 0.4
KEYS = np.array([[3, 4]], dtype=np.uint64)


def transfer_probabilities(configurations, rule_name):
    """P(coarse | fine) of blocking 4x4 to 2x2 lattices, (65536, 16), ties averaged."""
    blocks = (
        configurations.reshape(-1, 2, 2, 2, 2).swapaxes(2, 3).reshape(-1, 4, 4)
    )  # sample, block, site
    field = blocks.sum(axis=2) if rule_name == "majority" else blocks[:, :, 0]
    up = 0.5 * (1 + np.sign(field))
    coarse = exact.every_configuration((2, 2)).reshape(16, 4)
    return np.prod(np.where(coarse[None] > 0, up[:, None], 1 - up[:, None]), axis=2)


def operators_of(configurations):
    even, odd = operators.operator_sums(twins.pack(configurations), configurations.shape[1:])
    return {"even": even.astype(float), "odd": odd.astype(float)}


@pytest.fixture(scope="module", params=["decimation", "majority"])
def torus(request):
    """Exact expectation values on the 4x4 torus, in the layout of measured sums, and everything to
    recompute them."""
    fine, coarse = exact.every_configuration((4, 4)), exact.every_configuration((2, 2))
    weights = exact.boltzmann(exact.ising_energies(fine), COUPLING)
    transfer = transfer_probabilities(fine, request.param)
    s_fine, s_coarse = operators_of(fine), operators_of(coarse)
    blocked, sums = weights @ transfer, {"counts": 1.0}
    for sector in ("even", "odd"):
        f, c = s_fine[sector], s_coarse[sector]
        sums[f"{sector}_sums"] = np.array([weights @ f, blocked @ c])
        sums[f"{sector}_products"] = np.array(
            [f.T @ (weights[:, None] * f), c.T @ (blocked[:, None] * c)]
        )
        sums[f"{sector}_cross"] = (c.T @ (transfer.T @ (weights[:, None] * f)))[None]
    return {
        "sums": sums,
        "weights": weights,
        "transfer": transfer,
        "fine": s_fine,
        "coarse": s_coarse,
        "states": coarse,
    }


def coarse_couplings(blocked, coarse_sums, k):
    """Couplings of the 2x2 torus: ln P = const + sum_a K_a S_a, solved for exactly representable
    distributions."""
    design = np.column_stack([np.ones(16), *(coarse_sums[:, :k].T)])
    solution, *_ = np.linalg.lstsq(design, np.log(blocked), rcond=None)
    return solution[1:], np.abs(design @ solution - np.log(blocked)).max()


def test_even_sector_is_the_derivative_of_the_couplings(torus):
    """On the 2x2 torus three even couplings are complete: T_ab must be the numerical derivative
    dK_a'/dK_b.

    The transposed matrix, the inverse order B^-1 A^T and averages per site all differ from it;
    eigenvalues alone would not notice the first.
    """
    matrix = mcrg.transformation(torus["sums"], "even", 1, 3)
    log_weights, step = np.log(torus["weights"]), 1e-5
    derivative = np.empty((3, 3))
    for b in range(3):
        shifted = []
        for sign in (1, -1):
            w = np.exp(log_weights + sign * step * torus["fine"]["even"][:, b])
            couplings, misfit = coarse_couplings(
                w / w.sum() @ torus["transfer"], torus["coarse"]["even"], 3
            )
            assert misfit < 1e-10
            shifted.append(couplings)
        derivative[:, b] = (shifted[0] - shifted[1]) / (2 * step)
    np.testing.assert_allclose(matrix, derivative, rtol=1e-6, atol=1e-8)
    assert np.abs(matrix.T - derivative).max() > 0.1
    right, left = exact.leading_eigenvectors(matrix)
    values, vectors = np.linalg.eig(derivative)
    expected = vectors[:, np.argmax(np.abs(values))].real
    np.testing.assert_allclose(np.abs(right @ expected), 1, rtol=1e-8)
    np.testing.assert_allclose(
        left @ derivative, mcrg.leading_eigenvalue(matrix) * left, rtol=1e-5, atol=1e-7
    )
    assert abs(right @ left) < 0.999  # the two differ, so a transposed matrix would show


def test_odd_sector_is_the_derivative_of_the_fields(torus):
    """With fields on the first two odd operators the 2x2 torus needs two odd couplings beside the
    three even ones."""
    matrix = mcrg.transformation(torus["sums"], "odd", 1, 2)
    complete = np.column_stack([torus["coarse"]["odd"][:, :2], torus["coarse"]["even"][:, :3]])
    log_weights, step = np.log(torus["weights"]), 1e-5
    derivative = np.empty((2, 2))
    for b in range(2):
        w = np.exp(log_weights + step * torus["fine"]["odd"][:, b])
        couplings, misfit = coarse_couplings(w / w.sum() @ torus["transfer"], complete, 5)
        assert misfit < 1e-10
        derivative[:, b] = couplings[:2] / step
    np.testing.assert_allclose(matrix, derivative, rtol=1e-5, atol=1e-7)
    assert np.abs(matrix.T - derivative).max() > 1e-2


@pytest.mark.parametrize("rule_name", ["decimation", "majority"])
def test_measured_sums_give_the_exact_transformation(rule_name):
    """All 65,536 configurations measured by the package, weighted by blocks of equal energy, give
    the exact sums.

    Catches wrong levels in the products and a flow that mixes sectors. Majority ties are drawn: 2 %
    of the largest entry.
    """
    fine = exact.every_configuration((4, 4))
    energies = exact.ising_energies(fine)
    classes, block = np.unique(energies, return_inverse=True)
    rule = {"decimation": decimation, "majority": majority}[rule_name]((2, 2))
    measured = level_sums.measure_levels(
        twins.pack(fine), (4, 4), rule, 1, KEYS, energies, blocks=block
    )
    weight = np.exp(-COUPLING * (classes - classes.min()))
    sums = {name: np.tensordot(weight, array, 1) for name, array in measured.items()}
    tolerance = 1e-9 if rule_name == "decimation" else 0.02
    weights = exact.boltzmann(energies, COUPLING)
    transfer, f, c = (
        transfer_probabilities(fine, rule_name),
        operators_of(fine),
        operators_of(exact.every_configuration((2, 2))),
    )
    blocked = weights @ transfer
    for sector, k in (("even", 3), ("odd", 2)):
        s, t = f[sector][:, :k], c[sector][:, :k]
        a, b = t.T @ transfer.T @ (weights[:, None] * s), t.T @ (blocked[:, None] * t)
        if sector == "even":
            a, b = a - np.outer(blocked @ t, weights @ s), b - np.outer(blocked @ t, blocked @ t)
        expected = np.linalg.solve(b, a)
        got = mcrg.transformation(sums, sector, 1, k)
        assert np.abs(got - expected).max() < tolerance * np.abs(expected).max()


def synthetic_sums(matrix, k, blocks=40, samples=200, seed=0):
    """Block sums of Gaussian 'operators' with S' = M S + noise chosen such that B^-1 A = `matrix`
    on average (odd sector)."""
    rng = np.random.default_rng(seed)
    new = rng.normal(size=(blocks, samples, k))
    old = new @ matrix + rng.normal(size=(blocks, samples, k))  # <new old> = <new new> matrix
    pair = lambda x, y: np.einsum("bsi,bsj->bij", x, y)  # noqa: E731
    return {
        "counts": np.full(blocks, samples),
        "odd_sums": np.stack([old.sum(axis=1), new.sum(axis=1)], axis=1),
        "odd_products": np.stack([pair(old, old), pair(new, new)], axis=1),
        "odd_cross": pair(new, old)[:, None],
    }


def test_exponents_and_errors_of_synthetic_data():
    """Known T, 60 data sets: y is unbiased within 4 sigma and scatters by its jackknife error; a
    scale factor of 3 counts."""
    matrix = np.diag([5.0, 2.0, 1.0, 0.7, 0.5, 0.3]) + np.triu(np.full((6, 6), 0.3), 1)
    results = [
        mcrg.exponents(synthetic_sums(matrix, 6, seed=seed), "odd", [(9, 9), (3, 3)])
        for seed in range(60)
    ]
    for k in (1, 6):
        rows = [result[k - 1] for result in results]
        values, errors = np.array([(row["value"], row["error"]) for row in rows]).T
        assert rows[0]["operators"] == k
        assert rows[0]["step"] == 1
        assert rows[0]["reason"] is None
        assert abs(values.mean() - np.log(5) / np.log(3)) < 4 * values.std() / np.sqrt(60)
        assert 0.7 < errors.mean() / values.std() < 1.3
    assert results[0][0]["wraps"] is True  # 3x3


def test_undefined_exponents_have_reasons():
    rotation = np.eye(6)
    rotation[:2, :2] = [[0, -3], [3, 0]]
    rows = mcrg.exponents(synthetic_sums(rotation, 6), "odd", [(8, 8), (4, 4)])
    assert rows[1]["value"] is None
    assert rows[1]["error"] is None
    assert "complex" in rows[1]["reason"]
    rows = mcrg.exponents(synthetic_sums(-2 * np.eye(6), 6), "odd", [(8, 8), (4, 4)])
    assert rows[0]["value"] is None
    assert "not positive" in rows[0]["reason"]
    rows = mcrg.exponents(synthetic_sums(np.eye(6), 6, blocks=1), "odd", [(8, 8), (4, 4)])
    assert rows[0]["value"] is not None
    assert rows[0]["error"] is None
    assert "two blocks" in rows[0]["reason"]
    rows = mcrg.exponents(level_sums.empty_sums(3, 1), "odd", [(8, 8), (4, 4)])
    assert rows[0]["value"] is None
    assert "no samples" in rows[0]["reason"]
    rows = mcrg.exponents(synthetic_sums(np.eye(6), 6), "odd", [(8, 8), (8, 8)])
    assert "does not change the scale" in rows[0]["reason"]


def test_wrapped_levels_are_marked_and_singular_ones_null():
    """4x4 to 2x2: all ten even operators cannot be independent of one another there."""
    spins = np.random.default_rng(0).choice([-1, 1], size=(400, 8, 8))
    rows, energies, blocks = (
        twins.pack(spins),
        exact.ising_energies(spins),
        np.arange(400) % 10,
    )
    keys = np.arange(6, dtype=np.uint64).reshape(3, 2)
    sums = level_sums.measure_levels(
        rows, (8, 8), majority((2, 2)), 3, keys, energies, blocks=blocks
    )
    result = mcrg.exponents(sums, "even", [(8, 8), (4, 4), (2, 2), (1, 1)])
    assert len(result) == 30
    assert [row["wraps"] for row in result[::10]] == [False, True, True]
    assert result[0]["value"] is not None
    assert result[0]["error"] > 0
    assert result[19]["value"] is None
    assert "fluctuate" in result[19]["reason"]
    assert result[29]["value"] is None
    assert "fluctuate" in result[29]["reason"]
    assert mcrg.headline(result)["operators"] == 10
    assert "fewer than 2 steps" in mcrg.headline(result[:10])["reason"]


# ---- one and three dimensions --------------------------------------------------------------------

COTH = 1 / np.tanh(2 * COUPLING)


def enumerated(shape, block, rule_name):
    """Exact sums of one step on a small lattice, fine and coarse lattice sums, weights (fine) and
    P(coarse | fine), ties averaged."""
    fine, coarse_shape = (
        exact.every_configuration(shape),
        tuple(size // sites for size, sites in zip(shape, block)),
    )
    coarse = exact.every_configuration(coarse_shape)
    split = fine.reshape(-1, *(extent for pair in zip(coarse_shape, block) for extent in pair))
    d = len(shape)
    split = split.transpose(0, *range(1, 2 * d, 2), *range(2, 2 * d + 1, 2)).reshape(
        len(fine), len(coarse[0].ravel()), -1
    )
    field = split.sum(axis=2, dtype=int) if rule_name == "majority" else split[:, :, 0]
    up = 0.5 * (1 + np.sign(field))
    transfer = np.prod(
        np.where(coarse.reshape(1, len(coarse), -1) > 0, up[:, None], 1 - up[:, None]), axis=2
    )
    f, c = operators_of(fine), operators_of(coarse)
    weights = exact.boltzmann(-f["even"][:, 0], COUPLING)
    blocked, sums = weights @ transfer, {"counts": 1.0}
    for sector in ("even", "odd"):
        sums[f"{sector}_sums"] = np.array([weights @ f[sector], blocked @ c[sector]])
        sums[f"{sector}_products"] = np.array(
            [
                f[sector].T @ (weights[:, None] * f[sector]),
                c[sector].T @ (blocked[:, None] * c[sector]),
            ]
        )
        sums[f"{sector}_cross"] = (c[sector].T @ (transfer.T @ (weights[:, None] * f[sector])))[
            None
        ]
    return sums, f, c, weights, transfer


@pytest.mark.parametrize("length", [8, 12])
def test_decimation_of_the_chain_is_exact(length):
    """K' = (1/2) ln cosh 2K and h' = h + (1/2) ln [cosh(2K + h) / cosh(2K - h)]: the
    nearest-neighbour coupling makes nothing else, so the first column of T is (tanh 2K, 0, ...),
    that of the field (1 + tanh 2K, 0, ...). A transposed T has them as its first row.
    """
    sums, *_ = enumerated((length,), (2,), "decimation")
    for sector, k, slope in (
        ("even", 3 if length == 12 else 2, 1 / COTH),
        ("odd", 2, 1 + 1 / COTH),
    ):
        matrix = mcrg.transformation(sums, sector, 1, k)
        np.testing.assert_allclose(matrix[:, 0], [slope] + [0] * (k - 1), atol=1e-10)
        assert np.abs(matrix[0, 1:]).max() > 0.1
        assert mcrg.transformation(sums, sector, 1, 1) == pytest.approx(slope, rel=1e-10)


def sampled_chain(rng, n, length, coupling):
    """Independent configurations of the ring: independent bonds, of which an even number is
    broken."""
    bonds = np.where(rng.random((2 * n + 200, length)) < 1 / (1 + np.exp(-2 * coupling)), 1, -1)
    bonds = bonds[bonds.prod(axis=1) > 0][:n]
    return rng.choice([-1, 1], size=(n, 1)) * np.cumprod(bonds, axis=1)


def test_decimation_of_sampled_long_chains():
    """b = 2 and 3, two steps: y_t of one operator is log(dK'/dK) / log b, tanh K' = tanh^b K (for b
    = 2 the slope is tanh 2K), within 4 errors. The wrong scale factor is off by a third of it."""
    rng, coupling = np.random.default_rng(5), 1.2
    t = np.tanh(coupling)
    for length, b in ((128, 2), (81, 3)):
        spins = sampled_chain(rng, 4000, length, coupling)
        sums = level_sums.measure_levels(
            twins.pack(spins),
            (length,),
            decimation((b,)),
            2,
            KEYS.repeat(2, 0),
            np.zeros(4000),
            blocks=np.arange(4000) // 100,
        )
        rows = mcrg.exponents(sums, "even", [(length,), (length // b,), (length // b**2,)])
        for step in (1, 2):
            old = t ** (b ** (step - 1))
            slope = b * old ** (b - 1) * (1 - old**2) / (1 - old ** (2 * b))  # tanh K' = tanh^b K
            row = next(row for row in rows if (row["step"], row["operators"]) == (step, 1))
            assert abs(row["value"] - np.log(slope) / np.log(b)) < 4 * row["error"] < 0.2


def test_three_dimensions_are_the_derivative_of_the_couplings():
    """4x2x2 to two blocks, which have one even and (in a field) one odd coupling: their derivatives
    by all ten even and six odd fine couplings are the first row of T. Catches a wrong operator, a
    sum over the wrong axis and averages per site.
    """
    sums, f, c, weights, transfer = enumerated((4, 2, 2), (2, 2, 2), "majority")
    columns = {sector: c[sector][:, :1] for sector in ("even", "odd")}
    design = np.column_stack([np.ones(4), columns["even"], columns["odd"]])
    for sector, place in (("even", 1), ("odd", 2)):
        cross, products = mcrg.covariances(sums, sector, 1)
        derivative = []
        for b in range(f[sector].shape[1]):
            logs = [np.log(weights) + sign * 1e-5 * f[sector][:, b] for sign in (1, -1)]
            ends = [
                np.linalg.lstsq(
                    design, np.log(np.exp(log) / np.exp(log).sum() @ transfer), rcond=None
                )[0][place]
                for log in logs
            ]
            derivative.append((ends[0] - ends[1]) / 2e-5)
        np.testing.assert_allclose(cross[0] / products[0, 0], derivative, rtol=1e-6, atol=1e-8)


def test_eigenvectors_of_a_matrix_made_by_hand():
    """[[3, 2], [0, 1]]: 3 with the right vector (1, 0) and the left one (1, 1)/sqrt 2; transposed
    they change places. Measured sums give them too."""
    right, left = exact.leading_eigenvectors(np.array([[3.0, 2.0], [0.0, 1.0]]))
    np.testing.assert_allclose(right, [1, 0], atol=1e-12)
    np.testing.assert_allclose(left, np.sqrt([0.5, 0.5]), atol=1e-12)
    sums = {
        name: array.sum(axis=0)
        for name, array in synthetic_sums(
            np.array([[3.0, 2.0], [0.0, 1.0]]), 2, samples=4000
        ).items()
    }
    right, left = exact.leading_eigenvectors(mcrg.transformation(sums, "odd", 1, 2))
    assert np.abs(right - [1, 0]).max() < 0.02
    assert np.abs(left - np.sqrt([0.5, 0.5])).max() < 0.02


# ---- steps together ------------------------------------------------------------------------------


def two_steps(seed, blocks=30, samples=100):
    """Block sums of one 'operator' at three levels: S1 = 2 S2 + g sgn S2, S0 = 3 S1 + g sgn S1 with
    common noise g, so that T is 3 and 2 and the errors of the two go together."""
    rng = np.random.default_rng(seed)
    levels, noise = [rng.normal(size=(blocks, samples))], rng.normal(size=(blocks, samples))
    for slope in (2, 3):
        levels.insert(0, slope * levels[0] + noise * np.sign(levels[0]))
    pairs = np.array([[(x * y).sum(axis=1) for y in levels] for x in levels])
    return {
        "counts": np.full(blocks, samples),
        "odd_sums": np.array([level.sum(axis=1) for level in levels]).T[:, :, None],
        "odd_products": pairs[range(3), range(3)].T[:, :, None, None],
        "odd_cross": np.array([pairs[1, 0], pairs[2, 1]]).T[:, :, None, None],
    }


def test_covariance_between_steps_and_error_of_their_difference():
    """200 data sets: the jackknife covariance of y(1) and y(2) is their scatter's, and so is the
    error of y(2) - y(1). Errors added in quadrature would be 30 % too large for the difference."""
    shapes = [(16, 16), (8, 8), (4, 4)]
    found = [mcrg.sequence(two_steps(seed), "odd", shapes) for seed in range(200)]
    values = np.array([sequence.estimate.value[:, 0] for sequence in found])
    scatter, mean = np.cov(values.T), np.mean([sequence.covariance() for sequence in found], axis=0)
    sigma = np.sqrt(np.diag(scatter))
    assert scatter[0, 1] > 0.5 * sigma[0] * sigma[1]
    np.testing.assert_allclose(
        mean / np.outer(sigma, sigma), scatter / np.outer(sigma, sigma), atol=0.25
    )
    (change,), matrix = found[0].changes(), found[0].covariance()
    assert change["step"] == 2
    assert change["value"] == pytest.approx(values[0, 1] - values[0, 0])
    assert change["error"] == pytest.approx(np.sqrt(matrix[0, 0] + matrix[1, 1] - 2 * matrix[0, 1]))
    errors = np.array([sequence.changes()[0]["error"] for sequence in found])
    spread = (values[:, 1] - values[:, 0]).std()
    assert 0.85 < errors.mean() / spread < 1.15
    assert np.hypot(*sigma) > 1.2 * spread
