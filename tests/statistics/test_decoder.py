"""The decoder bound: never above the exact information, close to it, with an honest error, zero for
a shuffled environment."""

import exact
import numpy as np
import objectives_twin
import pytest

from rsmi.information.decoder import (
    check_bounds,
    decoder_bound,
    fit_decoder,
    initial_decoder,
    keyed_generator,
)
from rsmi.information.objectives import LambdaProblem, LambdaSettings, evaluate_objective
from rsmi.kernels import decoder as kernel

KEY = np.array([11, 12, 13, 14], np.uint64)
COUPLING = 1.0


def draw_chain_windows(n, seed, length=3, buffer=1):
    """Independent windows of the infinite chain: blocks, environments, and the exact P(V, E)."""
    joint = exact.chain_block_environment(length, buffer, COUPLING)
    states = np.random.default_rng(seed).choice(joint.size, n, p=joint.ravel())
    return exact.all_spins(length)[states // 4], exact.all_spins(2)[states % 4], joint


def exact_information(joint, filters, bias):
    blocks = exact.all_spins(filters.shape[1])
    return exact.information(exact.channel_table(filters, bias, blocks).T @ joint)


def fitted_bound(filters, bias, n=20_000, seed=1, hard=False, shuffle=False, **options):
    """The bound on 20,000 windows of 100 groups, of a decoder fitted to as many others, and the
    exact value."""
    blocks, environments, _ = draw_chain_windows(n, seed)
    held_out_blocks, held_out, joint = draw_chain_windows(n, seed + 1000)
    if shuffle:
        environments, held_out = np.roll(environments, 1, axis=0), np.roll(held_out, 1, axis=0)
    decoder = fit_decoder(
        filters, bias, hard, blocks, environments, KEY, steps=400, batch=200, **options
    )
    groups = np.arange(n) // (n // 100)
    strong = 60 * filters if hard else filters
    return decoder_bound(
        decoder, filters, bias, hard, held_out_blocks, held_out, groups
    ), exact_information(joint, strong, bias)


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize(
    "filters", [[[1.5, 0, 0]], [[1.0, 0.6, 1.0]], [[2.0, 0.1, 0], [0, 0.2, 2.0]]]
)
def test_bound_is_tight_on_the_chain(filters, hard):
    """Both signs of error: a decoder evaluated on its own windows overshoots, one that is badly
    fitted falls short."""
    filters = np.array(filters)
    bound, expected = fitted_bound(filters, np.zeros(len(filters)), hard=hard)
    assert abs(bound.value - expected) < 4 * bound.error
    assert bound.error < 0.006


@pytest.mark.parametrize("n_units", [0, 3])
def test_mean_is_absorbed(n_units):
    """The decoder of e that is returned says of e what the fitted parameters say of e - mean."""
    filters, mean = np.array([[1.5, 0, 0], [0.3, 1.0, -0.5]]), np.array([-0.5, 0.3])
    blocks, environments, _ = draw_chain_windows(2000, 5)
    decoder = fit_decoder(
        filters,
        np.zeros(2),
        False,
        blocks,
        environments,
        KEY,
        environment_mean=mean,
        n_units=n_units,
        steps=20,
        batch=50,
    )
    rng = KEY.copy()
    fitted = initial_decoder(2, n_units, 2, keyed_generator(rng))
    kernel.fit(
        fitted,
        environments,
        objectives_twin.channel_states(filters, np.zeros(2), blocks),
        n_units,
        20,
        50,
        0.02,
        rng,
        mean,
    )
    expected = objectives_twin.decoder_log_probabilities(fitted, environments - mean, n_units, 2)
    np.testing.assert_allclose(decoder.log_probabilities(environments), expected, atol=1e-9)


def test_fair_ties_keep_the_bound():
    """Two opposite spins tie under the uniform rule: h is then a coin, and the information less
    than any one-sided rule's."""
    filters = np.ones((1, 2))
    blocks, environments, joint = draw_chain_windows(20_000, 3, length=2)
    decoder = fit_decoder(
        filters, np.zeros(1), True, blocks, environments, KEY, steps=400, batch=200
    )
    held_out_blocks, held_out, _ = draw_chain_windows(20_000, 4, length=2)
    bound = decoder_bound(
        decoder, filters, np.zeros(1), True, held_out_blocks, held_out, np.arange(20_000) // 200
    )
    assert abs(bound.value - exact_information(joint, 60 * filters, np.zeros(1))) < 4 * bound.error


def test_units_learn_what_a_linear_decoder_cannot():
    """The product of two environment spins: a certain answer with tanh units, ln 2 of surprise for
    any linear function."""
    environments = np.random.default_rng(5).choice(np.array([-1, 1], np.int8), (2000, 3))
    up = environments[:, 0] * environments[:, 1] > 0
    surprise = {}
    for n_units in (0, 8):
        parameters = initial_decoder(3, n_units, 1, keyed_generator(KEY))
        kernel.fit(
            parameters,
            environments,
            np.column_stack([~up, up]).astype(float),
            n_units,
            1000,
            200,
            0.02,
            KEY.copy(),
        )
        surprise[n_units] = -kernel.log_probabilities(parameters, environments, n_units, 1)[
            np.arange(2000), up.astype(int)
        ].mean()
    assert surprise[8] < 0.02
    assert surprise[0] > 0.68


def test_error_is_the_scatter_of_independent_repetitions():
    """The jackknife error against the standard deviation over 40 held-out sets: within the 11 %
    either is known to (|z| < 4)."""
    filters, bias = np.array([[1.5, 0.3, 0]]), np.zeros(1)
    blocks, environments, _ = draw_chain_windows(5000, 7)
    decoder = fit_decoder(filters, bias, False, blocks, environments, KEY, steps=300, batch=200)
    bounds = []
    for seed in range(40):
        windows = draw_chain_windows(4000, 100 + seed)[:2]
        bounds.append(decoder_bound(decoder, filters, bias, False, *windows, np.arange(4000) // 50))
    values, errors = np.array([b.value for b in bounds]), np.array([b.error for b in bounds])
    assert 0.64 < values.std(ddof=1) / np.sqrt((errors**2).mean()) < 1.5


def test_error_sees_correlated_windows():
    """Every window ten times: by configuration the error is that of the distinct windows; taking
    all windows for independent would make it sqrt(10) smaller."""
    filters, bias = np.array([[1.5, 0.3, 0]]), np.zeros(1)
    blocks, environments, _ = draw_chain_windows(2000, 8)
    decoder = fit_decoder(filters, bias, False, blocks, environments, KEY, steps=100, batch=200)
    once = decoder_bound(decoder, filters, bias, False, blocks, environments, np.arange(2000))
    again = [np.repeat(x, 10, axis=0) for x in (blocks, environments)]
    repeated = decoder_bound(decoder, filters, bias, False, *again, np.arange(20_000) // 10)
    shuffled = decoder_bound(
        decoder, filters, bias, False, *again, np.random.default_rng(0).permutation(20_000)
    )
    assert repeated.error == pytest.approx(once.error, rel=1e-9)
    assert shuffled.error < 0.6 * once.error


def test_shuffled_environment_carries_no_information():
    """Fit and held-out windows both shuffled: zero to .002, far from the value of the true
    pairs."""
    filters = np.array([[2.0, 0.2, 0]])
    bound, true = fitted_bound(filters, np.zeros(1), shuffle=True)
    assert abs(bound.value) < 0.002
    assert true > 0.1


@pytest.mark.parametrize("n_units", [0, 3])
def test_log_probabilities_match_the_twin(n_units):
    """More windows than one chunk of the kernel; eight states."""
    rng = np.random.default_rng(1)
    environments = rng.choice(np.array([-1, 1], np.int8), (1100, 7))
    parameters = rng.normal(0, 0.6, kernel.parameter_count(7, n_units, 3))
    expected = objectives_twin.decoder_log_probabilities(parameters, environments, n_units, 3)
    np.testing.assert_allclose(
        kernel.log_probabilities(parameters, environments, n_units, 3), expected, rtol=1e-11
    )


def test_fit_matches_the_twin():
    """Same stream, same minibatches, Adam and schedule: the parameters' average over the last 6 of
    12 steps; the gradient is the objective's."""
    rng = np.random.default_rng(2)
    blocks, environments = (rng.choice(np.array([-1, 1], np.int8), (60, n)) for n in (3, 4))
    filters, bias = rng.normal(0, 1, (1, 3)), np.zeros(1)
    settings = LambdaSettings(
        "decoder", batch=8, total_steps=12, learning_rate=0.02, decoder_units=2
    )
    fitted = fit_decoder(
        filters, bias, False, blocks, environments, KEY, n_units=2, steps=12, batch=8
    )
    start = fit_decoder(
        filters, bias, False, blocks, environments, KEY, n_units=2, steps=0, batch=8
    ).parameters

    def gradient(parameters, index):
        problem = LambdaProblem(blocks[index], environments[index])
        return evaluate_objective(
            problem, settings, filters, bias, decoder=parameters
        ).decoder_gradient

    state = {"parameters": start, "moments": np.zeros((2, len(start))), "rng": KEY}
    np.testing.assert_allclose(
        fitted.parameters,
        objectives_twin.adam_steps(state, gradient, 60, settings, 12)[6:].mean(axis=0),
        rtol=1e-9,
        atol=1e-12,
    )


def test_values_outside_the_possible_range_are_reported():
    assert check_bounds(0.3, 0.01, 0.69) is None
    assert check_bounds(-0.02, 0.01, 0.69) is None
    assert "below zero" in check_bounds(-0.04, 0.01, 0.69)
    assert "exceeds the entropy" in check_bounds(0.75, 0.01, 0.69)


def test_bad_input_is_refused():
    blocks, environments, _ = draw_chain_windows(50, 9)
    filters, bias = np.ones((1, 3)), np.zeros(1)
    decoder = fit_decoder(filters, bias, False, blocks, environments, KEY, steps=2, batch=10)
    with pytest.raises(ValueError, match="two configurations"):
        decoder_bound(decoder, filters, bias, False, blocks, environments, np.zeros(50, int))
    with pytest.raises(ValueError, match="not all zero"):
        fit_decoder(filters, bias, False, blocks, environments, np.zeros(4, np.uint64))
    with pytest.raises(ValueError, match="same number of windows"):
        fit_decoder(filters, bias, False, blocks[1:], environments, KEY)
    with pytest.raises(ValueError, match="parameters for these environments"):
        decoder.log_probabilities(np.ones((5, 3), np.int8))
