"""Lambda training: the steps against a twin, resuming bit for bit, and the filters it must find on
the Ising chain."""

import copy

import exact
import numpy as np
import objectives_twin
import pytest

from rsmi.information.objectives import LambdaProblem, LambdaSettings, ThetaPair, evaluate_objective
from rsmi.information.training import (
    advance,
    default_settings,
    epochs_left,
    filters_of,
    initial_state,
)

LENGTH, BUFFER, COUPLING = 4, 1, 1.0
KEY = np.array([21, 22, 23, 24], np.uint64)
METHODS = [
    ("proxy", "pairs"),
    ("proxy", "mcmc"),
    ("logsum", "pairs"),
    ("enumerate", "pairs"),
    ("decoder", "pairs"),
]


@pytest.fixture(scope="module")
def problem():
    """20,000 independent windows of the infinite chain and the machines that are exactly the
    chain."""
    joint = exact.chain_block_environment(LENGTH, BUFFER, COUPLING)
    states = np.random.default_rng(1).choice(joint.size, 20_000, p=joint.ravel())
    theta = ThetaPair(*exact.chain_machines(LENGTH, BUFFER, COUPLING))
    return LambdaProblem(
        exact.all_spins(LENGTH)[states // 4], exact.all_spins(2)[states % 4], theta
    )


def short_settings(objective, estimator, **changes):
    chosen = {
        "n_hidden": 2,
        "batch": 24,
        "total_steps": 23,
        "steps_per_epoch": 5,
        "n_chains": 10,
        "n_sweeps": 1,
        "decoder_units": 2,
    }
    return LambdaSettings(objective, estimator, **(chosen | changes))


@pytest.mark.parametrize("bias", ["zero", "free"])
@pytest.mark.parametrize("objective", ["enumerate", "logsum", "proxy", "decoder"])
def test_steps_match_the_twin(problem, objective, bias):
    """Minibatch, gradient, Adam, schedule (past its half) and the fixed bias over all 23 steps."""
    settings = short_settings(objective, "pairs", bias=bias, decoder_learning_rate=0.05)
    state = initial_state(LENGTH, 2, KEY, settings)
    start = copy.deepcopy(state)
    n_filters, own = 2 * LENGTH, 2 * (LENGTH + 1)

    def gradient(parameters, index):
        batch = LambdaProblem(problem.blocks[index], problem.environments[index], problem.theta)
        filters, b = parameters[:n_filters].reshape(2, LENGTH), parameters[n_filters:own]
        _, *parts = evaluate_objective(batch, settings, filters, b, decoder=parameters[own:])
        if bias == "zero":
            parts[1] = np.zeros(2)
        return np.concatenate([part.ravel() for part in parts])

    advance(state, problem, settings)
    expected = objectives_twin.adam_steps(start, gradient, len(problem.blocks), settings, 23)[-1]
    np.testing.assert_allclose(state["parameters"], expected, rtol=1e-7, atol=1e-9)
    assert (bias == "zero") == (not state["parameters"][n_filters:own].any())


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize(("objective", "estimator"), METHODS)
def test_interrupted_training_ends_in_the_same_bits(problem, objective, estimator, optimizer):
    settings = short_settings(objective, estimator, optimizer=optimizer)
    whole, parts = (initial_state(LENGTH, 2, KEY, settings) for _ in range(2))
    rows = advance(whole, problem, settings)
    pieces = []
    for epochs in (1, 3, 1):
        pieces.append(advance(parts, problem, settings, epochs))
        parts = {name: array.copy() for name, array in parts.items()}
    for name in rows:
        np.testing.assert_array_equal(rows[name], np.concatenate([piece[name] for piece in pieces]))
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name])
    assert len(rows["objective"]) == 5
    assert epochs_left(whole, settings) == 0


def test_a_finished_training_stays_as_it_is(problem):
    settings = short_settings("decoder", "pairs")
    state = initial_state(LENGTH, 2, KEY, settings)
    advance(state, problem, settings)
    before = copy.deepcopy(state)
    assert len(advance(state, problem, settings, 3)["objective"]) == 0
    assert all(np.array_equal(before[name], state[name]) for name in state)


def test_restarts_with_other_keys_differ(problem):
    settings = short_settings("proxy", "pairs")
    states = [initial_state(LENGTH, 2, KEY + np.uint64(k), settings) for k in range(2)]
    for state in states:
        advance(state, problem, settings)
    assert not np.allclose(states[0]["parameters"], states[1]["parameters"])


def test_plain_gradient_ascent_step(problem):
    """SGD: the first step is rate times the gradient, uphill (the paper prints the update with the
    opposite sign)."""
    settings = short_settings(
        "enumerate",
        "pairs",
        optimizer="sgd",
        total_steps=1,
        steps_per_epoch=1,
        batch=200,
        learning_rate=0.5,
    )
    state = initial_state(LENGTH, 2, KEY, settings)
    filters, bias = filters_of(state, settings, LENGTH)
    before = evaluate_objective(problem, settings, filters, bias)
    advance(state, problem, settings)
    moved, _ = filters_of(state, settings, LENGTH)
    assert ((moved - filters) * before.filters_gradient).sum() > 0
    assert evaluate_objective(problem, settings, moved, bias).value > before.value


def test_a_diverging_run_is_an_error(problem):
    broken = problem.theta._replace(hidden_bias=np.full(len(problem.theta.hidden_bias), np.nan))
    settings = short_settings("proxy", "pairs")
    with pytest.raises(FloatingPointError):
        advance(
            initial_state(LENGTH, 2, KEY, settings),
            LambdaProblem(problem.blocks, problem.environments, broken),
            settings,
        )


def test_missing_machines_and_foreign_states_are_refused(problem):
    settings = short_settings("proxy", "pairs")
    state = initial_state(LENGTH, 2, KEY, settings)
    with pytest.raises(ValueError, match="needs the machines of Theta"):
        advance(state, LambdaProblem(problem.blocks, problem.environments), settings)
    with pytest.raises(ValueError, match="parameters must have"):
        advance(state, problem, short_settings("decoder", "pairs"))


def exact_hard_information(filters):
    table = exact.channel_table(
        60 * filters / np.abs(filters).max(), np.zeros(len(filters)), exact.all_spins(LENGTH)
    )
    return exact.information(table.T @ exact.chain_block_environment(LENGTH, BUFFER, COUPLING))


@pytest.mark.parametrize(("objective", "estimator"), METHODS)
def test_one_unit_finds_one_boundary_spin(problem, objective, estimator):
    """In one dimension decimation is optimal and the majority is not: a rule that weights all
    spins, or an inner one, fails."""
    settings = default_settings(objective, 1, estimator=estimator)
    state = initial_state(LENGTH, 2, KEY, settings)
    advance(state, problem, settings)
    weight = np.abs(filters_of(state, settings, LENGTH)[0][0])
    assert weight.argmax() in (0, LENGTH - 1)
    assert np.sort(weight)[-2] < 0.5 * weight.max()
    edge = np.eye(1, LENGTH)
    assert (
        exact_hard_information(filters_of(state, settings, LENGTH)[0])
        > exact_hard_information(edge) - 1e-6
    )
    assert exact_hard_information(np.ones((1, LENGTH))) < exact_hard_information(edge) - 0.005


@pytest.mark.parametrize("objective", ["proxy", "decoder"])
def test_two_units_find_both_boundary_spins(problem, objective):
    """Two edge spins carry all of I(V:E)."""
    settings = default_settings(objective, 2)
    state = initial_state(LENGTH, 2, KEY, settings)
    advance(state, problem, settings)
    filters = filters_of(state, settings, LENGTH)[0]
    block_information = exact.information(exact.chain_block_environment(LENGTH, BUFFER, COUPLING))
    assert exact_hard_information(filters) > block_information - 1e-6
