"""RSMI objectives: values against slow twins and enumeration, gradients against finite
differences."""

from dataclasses import replace

import exact
import numpy as np
import objectives_twin as twins
import pytest

from rsmi.information.channel import state_probabilities, unit_probabilities
from rsmi.information.gaussian import gaussian_critic, generalized_inverse
from rsmi.information.objectives import (
    LambdaProblem,
    LambdaSettings,
    ThetaPair,
    enumerate_objective,
    evaluate_objective,
)
from rsmi.kernels.decoder import parameter_count
from rsmi.kernels.objectives import pair_log_cosh

N_BLOCK, N_ENVIRONMENT, N_WINDOWS = 4, 5, 37


def random_problem(seed, strength=0.4):
    """Random windows and machines with all biases nonzero."""
    rng = np.random.default_rng(seed)
    spins = [
        rng.choice(np.array([-1, 1], np.int8), (N_WINDOWS, n)) for n in (N_BLOCK, N_ENVIRONMENT)
    ]
    shapes = [
        (N_BLOCK + N_ENVIRONMENT, 6),
        (N_BLOCK + N_ENVIRONMENT,),
        (6,),
        (N_BLOCK, 3),
        (N_BLOCK,),
        (3,),
    ]
    return LambdaProblem(*spins, ThetaPair(*(rng.normal(0, strength, shape) for shape in shapes)))


def centred_problem(seed, strength=0.4):
    """The same with means to subtract, and a critic."""
    rng = np.random.default_rng(seed + 100)
    means = tuple(rng.uniform(-0.8, 0.8, n) for n in (N_BLOCK, N_ENVIRONMENT))
    return replace(
        random_problem(seed, strength),
        means=means,
        critic=rng.normal(0, strength, (N_BLOCK, N_ENVIRONMENT)),
    )


def random_channel(seed, n_hidden):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.7, (n_hidden, N_BLOCK)), rng.normal(0, 0.4, n_hidden)


def random_decoder(seed, n_hidden, n_units):
    return np.random.default_rng(seed).normal(
        0, 0.5, parameter_count(N_ENVIRONMENT, n_units, n_hidden)
    )


@pytest.mark.parametrize("spread", [0.4, 2.5, 5.0, 10.0, 30.0, 100.0])
@pytest.mark.parametrize("n_hidden", [1, 21, 200])
def test_pair_energies_match_extended_precision(spread, n_hidden):
    """Every range of the exponent peeling, and the double-precision path beyond: 5e-6 absolute,
    1e-11 relative."""
    rng = np.random.default_rng(n_hidden)
    rows, columns = (rng.uniform(-1, 1, (n_hidden, n)) * spread for n in (7, 45))
    rows -= 0.3 * spread
    x = np.abs(rows[:, :, None].astype(np.longdouble) + columns[:, None, :])
    expected = (x + np.log1p(np.exp(-2 * x))).sum(axis=0)
    assert np.max(np.abs(pair_log_cosh(rows, columns) - expected) - 1e-11 * np.abs(expected)) < 5e-6


def test_pair_energies_of_lopsided_fields():
    """Rows at +60 and columns at -60: the two exponentials must not overflow apart while their
    product is harmless."""
    rows, columns = np.full((3, 4), 60.0), np.linspace(-62, -58, 21).reshape(3, 7)
    expected = np.log(2 * np.cosh(rows[:, :, None] + columns[:, None, :])).sum(axis=0)
    np.testing.assert_allclose(pair_log_cosh(rows, columns), expected, atol=5e-6)


@pytest.mark.parametrize("n_hidden", [1, 2, 4])
@pytest.mark.parametrize(
    ("objective", "twin"),
    [("proxy", twins.proxy_by_pairs), ("logsum", twins.log_sum_by_pairs)],
)
@pytest.mark.parametrize("distinct", [False, True])
def test_pairs_match_the_twin(objective, twin, n_hidden, distinct):
    """37 windows of 16 possible blocks: a distinct block that counted once, not as often as it
    occurs, would be seen."""
    problem, (filters, bias) = random_problem(n_hidden), random_channel(n_hidden, n_hidden)
    value = evaluate_objective(
        problem,
        LambdaSettings(objective, n_hidden=n_hidden, distinct_blocks=distinct),
        filters,
        bias,
    ).value
    energies = twins.pair_energies(problem.theta, problem.blocks, problem.environments)
    assert value == pytest.approx(
        twin(
            energies,
            twins.channel_states(filters, bias, problem.blocks),
            with_own=distinct,
        ),
        abs=3e-6,
    )


@pytest.mark.parametrize("n_hidden", [1, 3])
def test_enumeration_matches_the_definition(n_hidden):
    """P_Theta(V|e) of the machine, then the mutual information of the table P(h, e) by its
    definition."""
    problem, (filters, bias) = random_problem(5), random_channel(5, n_hidden)
    value = evaluate_objective(
        problem, LambdaSettings("enumerate", n_hidden=n_hidden), filters, bias
    ).value
    blocks, marginal_free = (
        exact.all_spins(N_BLOCK),
        problem.theta._replace(block_weights=np.zeros((N_BLOCK, 1)), block_hidden_bias=np.zeros(1)),
    )
    marginal_free = marginal_free._replace(block_visible_bias=np.zeros(N_BLOCK))
    weight = np.exp(twins.pair_energies(marginal_free, blocks, problem.environments))
    given_e = (
        weight / weight.sum(axis=1, keepdims=True) @ exact.channel_table(filters, bias, blocks)
    )
    assert value == pytest.approx(exact.information(given_e / N_WINDOWS), abs=3e-6)


@pytest.mark.parametrize("n_hidden", [1, 2])
@pytest.mark.parametrize("n_units", [0, 3])
def test_decoder_objective_matches_the_twin(n_units, n_hidden):
    problem, (filters, bias) = random_problem(6), random_channel(6, n_hidden)
    decoder = random_decoder(6, n_hidden, n_units)
    settings = LambdaSettings("decoder", n_hidden=n_hidden, decoder_units=n_units)
    q = twins.channel_states(filters, bias, problem.blocks)
    log_r = twins.decoder_log_probabilities(decoder, problem.environments, n_units, n_hidden)
    value = evaluate_objective(problem, settings, filters, bias, decoder=decoder).value
    assert value == pytest.approx(twins.variational_bound(q, log_r), rel=1e-12)


@pytest.mark.parametrize("n_hidden", [1, 2, 4])
def test_gaussian_proxy_matches_the_twin(n_hidden):
    """F of all pairs by its definition, without the pairs of a block and its own environment."""
    problem, (filters, bias) = centred_problem(n_hidden), random_channel(n_hidden, n_hidden)
    v, e = (
        spins - mean for spins, mean in zip((problem.blocks, problem.environments), problem.means)
    )
    q = twins.channel_states(filters, bias, v)
    value = evaluate_objective(
        problem, LambdaSettings("proxy", "gaussian", n_hidden=n_hidden), filters, bias
    ).value
    assert value == pytest.approx(twins.gaussian_proxy(e @ problem.critic.T @ v.T, q), rel=1e-12)


@pytest.mark.parametrize(
    ("objective", "estimator"),
    [("proxy", "pairs"), ("proxy", "mcmc"), ("logsum", "pairs"), ("enumerate", "pairs")],
)
def test_means_are_absorbed_by_the_bias(objective, estimator):
    """Filters on v - <v> with bias b say what the same filters on v say with b - filters . <v>; the
    machines see v itself."""
    problem, (filters, bias) = centred_problem(3), random_channel(3, 2)
    settings = LambdaSettings(objective, estimator, n_hidden=2, n_chains=5)
    values = []
    for means, moved in ((problem.means, bias), (None, bias - filters @ problem.means[0])):
        chains = np.random.default_rng(8).choice(np.array([-1, 1], np.int8), (4, N_BLOCK, 5))
        values.append(
            evaluate_objective(
                replace(problem, means=means),
                settings,
                filters,
                moved,
                chains=chains,
                rng=np.arange(1, 5, dtype=np.uint64),
            )
        )
    assert values[0].value == pytest.approx(values[1].value, rel=1e-12)
    np.testing.assert_allclose(values[0].bias_gradient, values[1].bias_gradient, rtol=1e-10)
    np.testing.assert_allclose(
        values[0].filters_gradient,
        values[1].filters_gradient - np.multiply.outer(values[1].bias_gradient, problem.means[0]),
        atol=1e-12,
    )


def test_critic_of_dependent_variables():
    """Four links of which one is always a dimer: the generalised inverse predicts what least
    squares on centred data do."""
    rng = np.random.default_rng(2)
    dimers, noise = rng.integers(0, 4, 500), rng.choice(np.array([-1, 1], np.int8), (500, 3))
    blocks = np.where(np.arange(4) == dimers[:, None], 1, -1).astype(np.int8)
    noise[:, 0] = np.where(rng.random(500) < 0.6, blocks[:, 1], noise[:, 0])
    environments = np.ascontiguousarray(np.concatenate([noise, noise[:, :1]], axis=1))
    v, e = (x - x.mean(axis=0) for x in (blocks, environments))
    expected = (
        v @ np.linalg.pinv(v.T @ v / 500) @ (v.T @ e / 500) @ np.linalg.pinv(e.T @ e / 500) @ e.T
    )
    np.testing.assert_allclose(
        v @ gaussian_critic(blocks, environments) @ e.T, expected, atol=1e-12
    )
    covariance = v.T @ v
    np.testing.assert_allclose(
        covariance @ generalized_inverse(covariance) @ covariance, covariance, atol=1e-10
    )
    assert np.linalg.matrix_rank(generalized_inverse(covariance)) == 3


def finite_differences(function, x, step=1e-4):
    """Central differences of fourth order, so that the error is set by rounding."""
    gradient = np.empty(len(x))
    for i in range(len(x)):
        at = []
        for shift in (1, -1, 2, -2):
            moved = x.copy()
            moved[i] += shift * step
            at.append(function(moved))
        gradient[i] = (8 * (at[0] - at[1]) - (at[2] - at[3])) / (12 * step)
    return gradient


@pytest.mark.parametrize("n_hidden", [1, 2, 3, 8])
@pytest.mark.parametrize("problem_of", [random_problem, centred_problem])
@pytest.mark.parametrize(
    ("objective", "distinct"),
    [
        ("proxy", False),
        ("proxy", True),
        ("logsum", False),
        ("logsum", True),
        ("enumerate", False),
        ("decoder", False),
        ("gaussian", False),
    ],
)
def test_gradients_match_finite_differences(objective, distinct, n_hidden, problem_of):
    """In filters and biases, to 1e-6 of the largest component."""
    problem, (filters, bias) = problem_of(7, strength=0.8), random_channel(7, n_hidden)
    problem = replace(problem, critic=centred_problem(7, 0.8).critic)
    by = (
        {"objective": "proxy", "estimator": "gaussian"}
        if objective == "gaussian"
        else {"objective": objective}
    )
    settings = LambdaSettings(**by, n_hidden=n_hidden, decoder_units=2, distinct_blocks=distinct)
    decoder = random_decoder(7, n_hidden, 2) if objective == "decoder" else None

    def evaluate(x):
        f, b = np.split(x, [filters.size])
        return evaluate_objective(problem, settings, f.reshape(filters.shape), b, decoder=decoder)

    x = np.concatenate([filters.ravel(), bias])
    found = evaluate(x)
    gradient = np.concatenate([found.filters_gradient.ravel(), found.bias_gradient])
    numeric = finite_differences(lambda moved: evaluate(moved).value, x)
    assert np.abs(gradient - numeric).max() < 1e-6 * np.abs(numeric).max()


@pytest.mark.parametrize("problem_of", [random_problem, centred_problem])
@pytest.mark.parametrize("n_hidden", [1, 3])
def test_decoder_climbs_its_likelihood(n_hidden, problem_of):
    """Fields, offsets and tanh units; the gradient of the bound itself would differ in the
    offsets."""
    problem, (filters, bias) = problem_of(8), random_channel(8, n_hidden)
    v, e = (
        spins - mean
        for spins, mean in zip((problem.blocks, problem.environments), problem.means or (0, 0))
    )
    settings, decoder = (
        LambdaSettings("decoder", n_hidden=n_hidden, decoder_units=2),
        random_decoder(8, n_hidden, 2),
    )
    q = twins.channel_states(filters, bias, v)
    gradient = evaluate_objective(
        problem, settings, filters, bias, decoder=decoder
    ).decoder_gradient
    numeric = finite_differences(
        lambda x: (q * twins.decoder_log_probabilities(x, e, 2, n_hidden)).sum(axis=1).mean(),
        decoder,
    )
    assert np.abs(gradient - numeric).max() < 1e-6 * np.abs(numeric).max()


@pytest.mark.parametrize("n_hidden", [1, 2])
def test_chains_and_their_gradient_match_the_twin(n_hidden):
    """Same stream: the same chains; value and both terms of the gradient from the definition
    (covariances over the chains)."""
    problem, (filters, bias) = random_problem(8), random_channel(8, n_hidden)
    settings = LambdaSettings("proxy", "mcmc", n_hidden=n_hidden, n_chains=11, n_sweeps=2)
    start = np.random.default_rng(8).choice(np.array([-1, 1], np.int8), (2**n_hidden, N_BLOCK, 11))
    chains, expected_chains = start.copy(), start.copy()
    rng = np.array([3, 1, 4, 1], np.uint64)
    result = evaluate_objective(problem, settings, filters, bias, chains=chains, rng=rng)
    twins.gibbs_chains(problem.theta, filters, bias, expected_chains, [3, 1, 4, 1], 2)
    np.testing.assert_array_equal(chains, expected_chains)

    q, up = (
        state_probabilities(filters, bias, problem.blocks),
        unit_probabilities(filters, bias, problem.blocks),
    )
    gradient, value = np.zeros((n_hidden, N_BLOCK)), 0.0
    for h, v in enumerate(np.swapaxes(chains, 1, 2)):
        bits = h >> np.arange(n_hidden) & 1
        energies = twins.pair_energies(problem.theta, v, problem.environments)
        score = v[:, None, :] * (bits - unit_probabilities(filters, bias, v))[:, :, None]
        own = problem.blocks[:, None, :] * (bits - up)[:, :, None]
        for s in range(N_WINDOWS):
            value += (q[s, h] - q[:, h].mean()) * energies[s].mean() / N_WINDOWS
            covariance = np.einsum("m,mji->ji", energies[s] - energies[s].mean(), score) / 10
            gradient += q[s, h] * (energies[s].mean() * own[s] + covariance) / N_WINDOWS
    assert result.value == pytest.approx(value, abs=1e-5)
    np.testing.assert_allclose(result.filters_gradient, gradient, atol=1e-5)


def chain_estimates(problem, filters, bias, settings, calls=600):
    """Mean and binned standard error of the Monte Carlo gradient at fixed parameters."""
    chains = np.random.default_rng(1).choice(
        np.array([-1, 1], np.int8), (2 ** len(filters), N_BLOCK, settings.n_chains)
    )
    rng = np.arange(1, 5, dtype=np.uint64)
    rows = []
    for _ in range(calls):
        result = evaluate_objective(problem, settings, filters, bias, chains=chains, rng=rng)
        rows.append(np.concatenate([result.filters_gradient.ravel(), result.bias_gradient]))
    bins = np.array(rows)[40:].reshape(28, -1, len(rows[0])).mean(axis=1)
    return bins.mean(axis=0), bins.std(axis=0, ddof=1) / np.sqrt(len(bins))


def exact_gradient(problem, filters, bias, q_of_blocks=exact.channel_table):
    """Finite differences of eq. 14 with V enumerated."""
    theta, blocks = problem.theta, exact.all_spins(N_BLOCK)
    weight = np.exp(
        twins.minus_free_energy(
            theta.block_weights, theta.block_visible_bias, theta.block_hidden_bias, blocks
        )
    )
    energies = twins.pair_energies(theta, blocks, problem.environments)

    def value(x):
        f, b = x[: filters.size].reshape(filters.shape), x[filters.size :]
        return exact.first_cumulant(
            weight, energies, q_of_blocks(f, b, blocks), exact.channel_table(f, b, problem.blocks)
        )

    return finite_differences(value, np.concatenate([filters.ravel(), bias]))


def test_monte_carlo_gradient_is_that_of_the_first_cumulant():
    """KR eq. 15 against enumeration. A missing covariance term, a chain that ignores q(h|V), or a
    baseline that includes the sample itself would each show: the companion below is the second."""
    problem, (filters, bias) = random_problem(9), random_channel(9, 2)
    settings = LambdaSettings("proxy", "mcmc", n_hidden=2, n_chains=40, n_sweeps=3)
    mean, error = chain_estimates(problem, filters, bias, settings)
    assert np.abs((mean - exact_gradient(problem, filters, bias)) / error).max() < 4


def test_monte_carlo_gradient_would_show_chains_that_ignore_the_channel():
    problem, (filters, bias) = random_problem(9), random_channel(9, 2)
    settings = LambdaSettings("proxy", "mcmc", n_hidden=2, n_chains=40, n_sweeps=3)
    mean, error = chain_estimates(problem, filters, bias, settings, calls=600)
    wrong = exact_gradient(
        problem, filters, bias, q_of_blocks=lambda f, b, v: np.full((len(v), 2 ** len(f)), 0.25)
    )
    assert np.abs((mean - wrong) / error).max() > 20


def chain_problem(length=3, buffer=1, multiplicity=1):
    """The infinite Ising chain with <e_left e_right> = 1/2: its four environments 3 : 1 : 1 : 3,
    and its exact machines."""
    coupling = np.arctanh(0.5 ** (1 / (length - 1 + 2 * (buffer + 1))))
    environments = np.repeat(exact.all_spins(2), np.array([3, 1, 1, 3]) * multiplicity, axis=0)
    blocks = np.ones((len(environments), length), np.int8)
    theta = ThetaPair(*exact.chain_machines(length, buffer, coupling))
    return LambdaProblem(blocks, environments, theta), exact.chain_block_environment(
        length, buffer, coupling
    )


@pytest.mark.parametrize("n_hidden", [1, 2])
def test_enumeration_is_the_exact_information_of_the_chain(n_hidden):
    """Through the machines that are exactly the chain, and fed with the exact table P(V|E)."""
    problem, joint = chain_problem()
    rng = np.random.default_rng(2)
    filters, bias = rng.normal(0, 1.5, (n_hidden, 3)), rng.normal(0, 0.5, n_hidden)
    expected = exact.information(exact.channel_table(filters, bias, exact.all_spins(3)).T @ joint)
    posterior = (joint / joint.sum(axis=0)).T[[0, 0, 0, 1, 2, 3, 3, 3]]
    by_machine = evaluate_objective(
        problem, LambdaSettings("enumerate", n_hidden=n_hidden), filters, bias
    )
    by_table = enumerate_objective(posterior, filters, bias)
    assert by_machine.value == pytest.approx(expected, abs=2e-6)
    assert by_table.value == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(by_machine.filters_gradient, by_table.filters_gradient, atol=2e-6)


def test_large_environment_batches_are_enumerated_in_slices():
    """A 16-site block needs several slices of environments; the sum over them must not depend on
    where they are cut."""
    rng = np.random.default_rng(3)
    shapes = [(18, 2), (18,), (2,), (16, 1), (16,), (1,)]
    theta = ThetaPair(*(rng.normal(0, 0.3, shape) for shape in shapes))
    environments = rng.choice(np.array([-1, 1], np.int8), (70, 2))
    problem = LambdaProblem(np.ones((70, 16), np.int8), environments, theta)
    filters, bias = rng.normal(0, 0.5, (1, 16)), np.array([0.2])
    value = evaluate_objective(problem, LambdaSettings("enumerate"), filters, bias).value
    blocks = exact.all_spins(16).astype(float)
    given_e = []
    for e in exact.all_spins(2):
        field = blocks @ theta.weights[:16] + e @ theta.weights[16:] + theta.hidden_bias
        weight = np.exp(blocks @ theta.visible_bias[:16] + np.log(np.cosh(field)).sum(axis=1))
        given_e.append(weight / weight.sum() @ exact.channel_table(filters, bias, blocks))
    table = np.array(given_e)[(environments > 0) @ np.array([1, 2])]
    assert value == pytest.approx(exact.information(table / 70), abs=3e-6)


def test_hard_rule_tosses_a_fair_coin_at_ties():
    blocks = exact.all_spins(4)
    up = unit_probabilities(np.full((1, 4), 0.1), np.zeros(1), blocks, hard=True)[:, 0]
    np.testing.assert_array_equal(up, (np.sign(blocks.sum(axis=1)) + 1) / 2)


def test_wrong_shapes_are_refused():
    problem, (filters, bias) = random_problem(1), random_channel(1, 2)
    with pytest.raises(ValueError, match="parameters must have"):
        evaluate_objective(problem, LambdaSettings(n_hidden=1), filters, bias)
    with pytest.raises(ValueError, match="9 visible units"):
        evaluate_objective(
            LambdaProblem(
                problem.blocks,
                problem.environments,
                problem.theta._replace(weights=np.zeros((3, 6))),
            ),
            LambdaSettings(n_hidden=2),
            filters,
            bias,
        )
    with pytest.raises(ValueError, match="same number of windows"):
        LambdaProblem(problem.blocks[1:], problem.environments).kernel_windows()
    with pytest.raises(ValueError, match="objective must be one of"):
        LambdaSettings("infomax")
