"""The objective of the decoder for variables and coarse variables with several states, against a
twin in numpy: values and gradients to 1e-12."""

from dataclasses import replace

import numpy as np
import pytest

from rsmi.information.categorical import HiddenUnits, one_hot_features, tied_filters
from rsmi.information.entropy import entropy
from rsmi.information.objectives import (
    LambdaProblem,
    LambdaSettings,
    enumerate_objective,
    evaluate_objective,
)
from rsmi.information.training import advance, default_settings, filters_of, initial_state

STATES, SITES, AROUND, WINDOWS = 3, 4, 7, 50
CLOCK = 2 * np.pi / STATES * np.arange(STATES)
FEATURES = {
    "one-hot": one_hot_features(STATES),
    "clock": np.stack([np.cos(CLOCK), np.sin(CLOCK)], axis=1),
}


def windows(seed=0):
    generator = np.random.default_rng(seed)
    shape = (WINDOWS, SITES + AROUND)
    codes = generator.integers(0, STATES, shape).astype(np.int8)
    codes[:, 4:] = np.where(generator.random((WINDOWS, AROUND)) < 0.5, codes[:, :1], codes[:, 4:])
    return codes[:, :SITES].copy(), codes[:, SITES:].copy()


def log_softmax(x):
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def twin(blocks, environments, features, filters, bias, field, offset):
    """The value of A = < sum_h q(h|v) log [r(h|e) / mean r(h)] >, and its gradients by the chain
    rule; the decoder's are those of < sum_h q log r >."""
    v, e = (features[codes].reshape(WINDOWS, -1) for codes in (blocks, environments))
    q = np.exp(log_softmax(v @ filters.T + bias))
    log_r = log_softmax(e @ field.T + offset)
    ratio = (log_r - np.log(np.exp(log_r).mean(axis=0))) / WINDOWS
    of_fields = q * (ratio - (q * ratio).sum(axis=1, keepdims=True))
    of_decoder = (q - np.exp(log_r)) / WINDOWS
    return (
        (q * ratio).sum(),
        of_fields.T @ v,
        of_fields.sum(axis=0),
        of_decoder.T @ e,
        of_decoder.sum(axis=0),
    )


@pytest.mark.parametrize("features", FEATURES.values(), ids=FEATURES)
@pytest.mark.parametrize("hidden_states", [2, 3, 5])
def test_free_softmax(features, hidden_states):
    generator, (blocks, environments) = np.random.default_rng(1), windows()
    width = features.shape[1]
    filters = generator.normal(size=(hidden_states, SITES * width))
    field = generator.normal(size=(hidden_states, AROUND * width))
    bias, offset = generator.normal(size=(2, hidden_states))
    settings = LambdaSettings(objective="decoder", hidden_states=hidden_states, bias="free")
    problem = LambdaProblem(blocks, environments, features=features)
    decoder = np.concatenate([field.ravel(), offset])
    found = evaluate_objective(problem, settings, filters, bias, decoder=decoder)
    value, *gradients = twin(blocks, environments, features, filters, bias, field, offset)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.filters_gradient == pytest.approx(gradients[0], abs=1e-12)
    assert found.bias_gradient == pytest.approx(gradients[1], abs=1e-12)
    expected = np.concatenate([gradients[2].ravel(), gradients[3]])
    assert found.decoder_gradient == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("features", FEATURES.values(), ids=FEATURES)
def test_tied_softmax(features):
    """A tied filter and a tied decoder are free ones of that form; their gradients are the
    projections of free gradients."""
    generator, (blocks, environments) = np.random.default_rng(2), windows()
    weights, around = generator.normal(size=SITES), generator.normal(size=AROUND)
    zero = np.zeros(STATES)
    settings = LambdaSettings(objective="decoder", hidden_states=STATES, tied=True)
    problem = LambdaProblem(blocks, environments, features=features)
    found = evaluate_objective(problem, settings, weights[None], np.zeros(1), decoder=around)
    free = (tied_filters(one, features) for one in (weights, around))
    filters, field = free
    value, of_filters, _, of_field, _ = twin(
        blocks, environments, features, filters, zero, field, zero
    )

    def projected(gradient):
        return np.einsum("hia,ha->i", gradient.reshape(STATES, -1, features.shape[1]), features)

    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.filters_gradient[0] == pytest.approx(projected(of_filters), abs=1e-12)
    assert found.decoder_gradient == pytest.approx(projected(of_field), abs=1e-12)
    assert found.bias_gradient == 0


def test_bits_of_features():
    """Units with two states that act on features do what they do on spins with the same values."""
    generator = np.random.default_rng(3)
    codes = generator.integers(0, 2, (WINDOWS, SITES + AROUND)).astype(np.int8)
    spins, signs = 2 * codes - 1, np.array([[-1.0], [1.0]])
    settings = LambdaSettings(objective="decoder", n_hidden=2)
    filters, decoder = generator.normal(size=(2, SITES)), generator.normal(size=2 * AROUND + 4)
    found, expected = (
        evaluate_objective(
            LambdaProblem(one[:, :SITES].copy(), one[:, SITES:].copy(), features=features),
            settings,
            filters,
            np.zeros(2),
            decoder=decoder,
        )
        for one, features in ((codes, signs), (spins, None))
    )
    assert found.value == expected.value
    assert (found.filters_gradient == expected.filters_gradient).all()
    assert (found.decoder_gradient == expected.decoder_gradient).all()


@pytest.mark.parametrize("features", FEATURES.values(), ids=FEATURES)
@pytest.mark.parametrize("hidden", [HiddenUnits(1, 4), HiddenUnits(2), HiddenUnits(1, 3, True)])
def test_the_sum_over_all_blocks(features, hidden):
    """I(H:E) from a table P(V|e) is that of the table of the channel; gradients are those of
    differences."""
    units = replace(hidden, features=features)
    generator = np.random.default_rng(6)
    posterior = generator.dirichlet(np.full(STATES**2, 0.3), 30)
    shape = (units.n_filters, units.filter_length(2))
    filters, bias = generator.normal(size=shape), generator.normal(size=shape[0])
    bias *= not units.tied

    def value(filters, bias):
        hidden = posterior @ units.channel(filters, bias, 2, False)
        return entropy(hidden.mean(axis=0)) - entropy(hidden).mean()

    found = enumerate_objective(posterior, filters, bias, units)
    assert found.value == pytest.approx(value(filters, bias), abs=1e-12)
    step = 1e-6 * generator.normal(size=filters.shape)
    change = value(filters + step, bias) - value(filters - step, bias)
    assert 2 * (found.filters_gradient * step).sum() == pytest.approx(change, abs=1e-11)
    step = 1e-6 * generator.normal(size=bias.shape) * (not units.tied)
    change = value(filters, bias + step) - value(filters, bias - step)
    assert 2 * (found.bias_gradient * step).sum() == pytest.approx(change, abs=1e-11)


def test_two_states_are_one_binary_unit():
    """With q = 2 a tied filter is the filter of a unit: x_1 - x_0 = sum_i filters[i] s_i."""
    generator = np.random.default_rng(4)
    codes, filters = generator.integers(0, 2, (20, SITES)), generator.normal(size=(1, SITES))
    tied = HiddenUnits(1, 2, True, one_hot_features(2))
    for hard in (False, True):
        expected = HiddenUnits(1).probabilities(filters, np.zeros(1), 2 * codes - 1, hard)
        found = tied.probabilities(filters, np.zeros(1), codes, hard)
        assert found == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize(("hidden_states", "tied"), [(3, True), (4, False)])
def test_training_goes_on(hidden_states, tied):
    """Epochs in two parts give the bits of all epochs at once; the bound rises."""
    blocks, environments = windows()
    problem = LambdaProblem(blocks, environments, features=FEATURES["one-hot"])
    settings = default_settings(
        "decoder", 1, SITES, hidden_states=hidden_states, tied=tied, total_steps=120, batch=50
    )
    sizes = (SITES, AROUND) if tied else (SITES * STATES, AROUND * STATES)
    key = np.arange(1, 5, dtype=np.uint64)
    once, twice = (initial_state(*sizes, key, settings) for _ in range(2))
    rows = advance(once, problem, settings)
    for epochs in (2, 4):
        advance(twice, problem, settings, epochs)
    assert all((once[name] == twice[name]).all() for name in once)
    assert rows["objective"][-1] > rows["objective"][0] + 0.02
    filters, bias = filters_of(once, settings, sizes[0])
    assert filters.shape == rows["filters"][-1].shape and bias.shape == rows["bias"][-1].shape


def test_what_does_not_fit():
    blocks, environments = windows()
    settings = LambdaSettings(objective="decoder", hidden_states=4, tied=True)
    with pytest.raises(ValueError, match="as many coarse states"):
        evaluate_objective(
            LambdaProblem(blocks, environments, features=FEATURES["one-hot"]),
            settings,
            np.zeros((1, SITES)),
            np.zeros(1),
            decoder=np.zeros(AROUND),
        )
    with pytest.raises(ValueError, match="codes of 2 states"):
        LambdaProblem(blocks, environments, features=np.eye(2)).kernel_windows()
    with pytest.raises(ValueError, match="gaussian is not for"):
        LambdaSettings(objective="proxy", estimator="gaussian", hidden_states=3)
