"""Machines of variables with several states, and the objectives that use them, against twins in
numpy and sums over all hidden states."""

from itertools import product

import numpy as np
import pytest
from random_twin import xoshiro_next

from rsmi.information.categorical import HiddenUnits, block_codes, one_hot_features
from rsmi.information.objectives import (
    LambdaProblem,
    LambdaSettings,
    ThetaPair,
    enumerate_objective,
    evaluate_objective,
)
from rsmi.information.rbm import RBM
from rsmi.information.tied_rbm import TiedRBM, initial_state, train_epochs

STATES, BLOCK, AROUND, WINDOWS = 3, 2, 3, 12
SITES = BLOCK + AROUND
CLOCK = 2 * np.pi / STATES * np.arange(STATES)
FEATURES = {
    "one-hot": one_hot_features(STATES),
    "clock": np.stack([np.cos(CLOCK), np.sin(CLOCK)], axis=1),
}
KEY = np.arange(1, 5, dtype=np.uint64)
each_table = pytest.mark.parametrize("features", FEATURES.values(), ids=FEATURES)


def codes(sites=SITES, seed=0):
    return np.random.default_rng(seed).integers(0, STATES, (WINDOWS, sites)).astype(np.int8)


def machine(features, sites=SITES, hidden=2, seed=1):
    weights = np.random.default_rng(seed).normal(size=(sites, hidden))
    return TiedRBM(weights, features)


# ---- training ------------------------------------------------------------------------------------


class Twin:
    """Contrastive divergence in the words of csrc/learning/tied_rbm.c: units one after the other,
    the samples of a batch one after the other."""

    def __init__(self, state, features):
        self.features, self.rng = features, [int(word) for word in state["rng"]]
        self.weights, self.steps = state["weights"].copy(), state["weights_momentum"].copy()

    def uniform(self):
        return (xoshiro_next(self.rng) >> 11) * 2.0**-53

    def probabilities(self, layer, weights):
        """P(unit u = b | layer), (samples, units, q), for codes (samples, others)."""
        fields = np.einsum("sia,iu,ba->sub", self.features[layer], weights, self.features)
        odds = np.exp(fields - fields.max(axis=2, keepdims=True))
        return odds / odds.sum(axis=2, keepdims=True)

    def draw(self, probabilities):
        below = probabilities.cumsum(axis=2)[:, :, :-1]
        found = np.empty(probabilities.shape[:2], int)
        for u in range(found.shape[1]):
            for s in range(len(found)):
                found[s, u] = (below[s, u] <= self.uniform()).sum()
        return found

    def statistics(self, visible):
        means = self.probabilities(visible, self.weights) @ self.features
        return np.einsum("sia,sua->iu", self.features[visible], means)

    def train_batch(self, data, rate, momentum, n_gibbs):
        chain = data
        for _ in range(n_gibbs):
            hidden = self.draw(self.probabilities(chain, self.weights))
            chain = self.draw(self.probabilities(hidden, self.weights.T))
        gradient = self.statistics(data) - self.statistics(chain)
        self.steps = momentum * self.steps + rate * gradient / len(data)
        self.weights = self.weights + self.steps
        return (chain != data).sum()

    def train(self, visible, epochs, batch, rate, momentum, n_gibbs):
        changed, batches = [], len(visible) // batch
        for epoch in range(epochs):
            order, count = list(range(len(visible))), 0
            for j in range(len(visible), 1, -1):
                k = int(self.uniform() * j)
                order[k], order[j - 1] = order[j - 1], order[k]
            for b in range(batches):
                done = (epoch * batches + b) / (epochs * batches)
                data = visible[order[b * batch : (b + 1) * batch]].astype(int)
                count += self.train_batch(data, rate * (1 - 0.95 * done), momentum, n_gibbs)
            changed.append(count / (batches * batch * visible.shape[1]))
        return changed


@each_table
def test_contrastive_divergence(features):
    """Weights to rounding errors, and the random stream word by word; 12 windows make two batches
    of five."""
    visible, schedule = codes(), {"learning_rate": 0.7, "momentum": 0.4, "n_gibbs": 2}
    state = initial_state(SITES, 4, KEY)
    state["weights"] *= 50
    twin = Twin(state, features)
    rows = train_epochs(state, visible, features, epochs_total=3, count=3, batch_size=5, **schedule)
    changed = twin.train(visible, 3, 5, 0.7, 0.4, 2)
    assert state["rng"].tolist() == twin.rng
    np.testing.assert_allclose(state["weights"], twin.weights, atol=1e-12)
    assert rows["reconstruction_error"] == pytest.approx(changed)


@pytest.mark.parametrize("chains", [0, 5])
def test_epochs_in_two_parts(chains):
    once, twice = (initial_state(SITES, 4, KEY, chains=chains, states=STATES) for _ in range(2))
    for state, counts in ((once, [4]), (twice, [1, 3])):
        for count in counts:
            train_epochs(
                state, codes(), FEATURES["one-hot"], epochs_total=4, count=count, batch_size=5
            )
    assert all((once[name] == twice[name]).all() for name in once)
    if chains:
        start = initial_state(SITES, 4, KEY, chains=chains, states=STATES)["chains"]
        assert (once["chains"] != start).any() and once["chains"].max() < STATES


def test_a_machine_learns_a_pair():
    """Two equal neighbours and a third variable of its own."""
    generator = np.random.default_rng(5)
    visible = generator.integers(0, STATES, (2000, 3)).astype(np.int8)
    visible[:, 1] = np.where(generator.random(2000) < 0.7, visible[:, 0], visible[:, 1])
    state = initial_state(3, 4, KEY)
    train_epochs(state, visible, FEATURES["one-hot"], epochs_total=20, count=20)
    trained = TiedRBM(state["weights"], FEATURES["one-hot"])
    states = block_codes(STATES, 3)
    weights = np.exp(-trained.free_energy(states))
    weights /= weights.sum()
    assert weights[states[:, 0] == states[:, 1]].sum() == pytest.approx(0.8, abs=0.03)
    assert weights[states[:, 0] == states[:, 2]].sum() == pytest.approx(1 / 3, abs=0.03)


# ---- distributions -------------------------------------------------------------------------------


@each_table
def test_sums_over_hidden_states(features):
    one, overlaps = machine(features), features @ features.T
    visible = block_codes(STATES, SITES)
    weights = np.zeros(len(visible))
    for hidden in product(range(STATES), repeat=2):
        weights += np.exp(np.einsum("ij,nij->n", one.weights, overlaps[visible][:, :, hidden]))
    assert one.free_energy(visible) == pytest.approx(-np.log(weights), abs=1e-12)

    table = weights.reshape(STATES**AROUND, STATES**BLOCK)
    conditional = one.conditional_block(block_codes(STATES, AROUND))
    assert conditional == pytest.approx(table / table.sum(axis=1, keepdims=True), abs=1e-12)

    powers, windows = STATES ** np.arange(SITES), codes().astype(int)
    likelihood = np.zeros(WINDOWS)
    for i in range(SITES):
        others = windows.copy()
        others[:, i] = 0
        every = weights[(others @ powers)[:, np.newaxis] + powers[i] * np.arange(STATES)]
        likelihood += np.log(weights[windows @ powers] / every.sum(axis=1))
    assert one.pseudo_log_likelihood(windows) == pytest.approx(likelihood, abs=1e-12)


def test_relabelled_states():
    """No relabelling of the states changes a probability."""
    one, windows = machine(FEATURES["one-hot"]), codes()
    for order in ([1, 2, 0], [1, 0, 2]):
        relabelled = np.array(order)[windows]
        assert one.free_energy(relabelled) == pytest.approx(one.free_energy(windows), abs=1e-12)


def test_two_states_are_a_machine_without_biases():
    weights = np.random.default_rng(7).normal(size=(SITES, 2))
    tied = TiedRBM(weights, [[-1.0], [1.0]])
    binary = RBM(weights, np.zeros(SITES), np.zeros(2))
    bits = block_codes(2, SITES)
    assert tied.free_energy(bits) == pytest.approx(binary.free_energy(2 * bits - 1), abs=1e-12)
    assert tied.pseudo_log_likelihood(bits) == pytest.approx(
        binary.pseudo_log_likelihood(2 * bits - 1), abs=1e-12
    )


def test_strong_weights():
    """A pair of row and column whose fields point to different states, hundreds of nats apart."""
    strong = TiedRBM(np.full((2, 1), 300.0), FEATURES["one-hot"])
    conditional = strong.conditional_block(np.array([[0], [2]]))
    assert conditional == pytest.approx(np.eye(STATES)[[0, 2]], abs=1e-12)


# ---- objectives ----------------------------------------------------------------------------------

UNITS = {"tied": HiddenUnits(1, STATES, True), "free": HiddenUnits(1, 4), "bits": HiddenUnits(2)}


def problem(features):
    """Windows, and machines of (V, E) and of V in the form that the kernel takes."""
    joint, block = machine(features), machine(features, BLOCK, 3, 2)
    parts = []
    for one in (joint, block):
        weights = one.feature_weights()
        parts += [weights, *(np.zeros(units) for units in weights.shape)]
    windows = codes()
    windows = LambdaProblem(
        windows[:, :BLOCK].copy(), windows[:, BLOCK:].copy(), ThetaPair(*parts), features=features
    )
    return windows, joint, block


def direct_value(method, windows, joint, block, q, distinct):
    """Eqs. 12 and 14 by pairs, from free energies and q(h|v) as a function of blocks."""
    own = windows.blocks
    columns, weight = own, np.full(WINDOWS, 1 / WINDOWS)
    if distinct:
        columns, count = np.unique(own, axis=0, return_counts=True)
        weight = count / WINDOWS
    pairs = np.stack(
        [
            block.free_energy(columns)
            - joint.free_energy(np.hstack([columns, np.tile(e, (len(columns), 1))]))
            for e in windows.environments
        ]
    )
    keep = np.ones(pairs.shape) if distinct else 1 - np.eye(WINDOWS)
    scale = 1 if distinct else WINDOWS / (WINDOWS - 1)
    of_columns = q(columns)
    w = weight[:, np.newaxis] * of_columns
    w /= w.sum(axis=0)
    if method == "pairs":
        centred = (pairs - scale * ((pairs * keep) @ weight)[:, np.newaxis]) * keep
        return scale * (q(own) * (centred @ w)).sum(axis=1).mean()
    ratios = np.exp(pairs) * keep
    ratios /= scale * (ratios @ weight)[:, np.newaxis]
    return (q(own) * np.log(ratios @ w)).sum(axis=1).mean()


@each_table
@pytest.mark.parametrize("hidden", UNITS.values(), ids=UNITS)
@pytest.mark.parametrize("distinct", [True, False], ids=["blocks", "minibatch"])
@pytest.mark.parametrize("objective", ["proxy", "logsum", "enumerate"])
def test_objectives(features, hidden, distinct, objective):
    """Values by their formulas, and gradients by differences."""
    windows, joint, block = problem(features)
    units = HiddenUnits(hidden.count, hidden.states, hidden.tied, features)
    generator = np.random.default_rng(3)
    shape = (units.n_filters, units.filter_length(BLOCK))
    filters, bias = generator.normal(size=shape), generator.normal(size=shape[0])
    bias *= not hidden.tied
    settings = LambdaSettings(
        objective=objective,
        n_hidden=hidden.count,
        hidden_states=hidden.states,
        tied=hidden.tied,
        bias="zero" if hidden.tied else "free",
        distinct_blocks=distinct,
    )
    found = evaluate_objective(windows, settings, filters, bias)
    if objective == "enumerate":
        table = joint.conditional_block(windows.environments)
        expected = enumerate_objective(table, filters, bias, units).value
    else:
        expected = direct_value(
            settings.method,
            windows,
            joint,
            block,
            lambda blocks: units.probabilities(filters, bias, blocks),
            distinct,
        )
    assert found.value == pytest.approx(expected, abs=1e-11)
    step = 1e-5 * generator.normal(size=shape)
    ahead, behind = (
        evaluate_objective(windows, settings, filters + sign * step, bias).value for sign in (1, -1)
    )
    assert 2 * (found.filters_gradient * step).sum() == pytest.approx(ahead - behind, abs=1e-12)


def test_what_does_not_fit():
    windows, _, _ = problem(FEATURES["one-hot"])
    for changes, message in (
        ({"theta": windows.theta._replace(hidden_bias=np.zeros(5))}, "do not match"),
        ({"features": np.eye(4)}, "visible units"),
    ):
        other = LambdaProblem(
            **{"blocks": windows.blocks, "environments": windows.environments}
            | {"theta": windows.theta, "features": windows.features}
            | changes
        )
        with pytest.raises(ValueError, match=message):
            other.kernel_windows()
    settings = LambdaSettings(objective="proxy", estimator="mcmc")
    with pytest.raises(ValueError, match="not for mcmc"):
        evaluate_objective(windows, settings, np.zeros((1, BLOCK * STATES)), [0.0])
    with pytest.raises(ValueError, match="codes of 2 states"):
        train_epochs(
            initial_state(SITES, 2, KEY), codes(), np.eye(2), epochs_total=1, count=1, batch_size=5
        )
