"""Restricted Boltzmann machines: the training kernel against its twin, its gradient and its results
against enumeration."""

from concurrent.futures import ThreadPoolExecutor

import exact
import numpy as np
import pytest
import rbm_twin
from hypothesis import given, settings
from hypothesis import strategies as st

from rsmi.information.entropy import kl_block_given_environment
from rsmi.information.rbm import RBM, initial_state, train_epochs
from rsmi.kernels import rbm as kernel
from rsmi.lattice.geometry import Geometry, choose_windows, extract_windows
from rsmi.models.ising.chain import sample_chain
from rsmi.models.ising.oracle import conditional_block_given_ring, markov_ring

KEY = np.array([0x123456789ABCDEF0, 0x0FEDCBA987654321, 5, 7], np.uint64)
CRITICAL_COUPLING = np.log1p(np.sqrt(2)) / 2


def random_spins(seed, n, n_visible):
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (n, n_visible))


def random_machine(n_visible, n_hidden, scale=0.5, seed=3):
    rng = np.random.default_rng(seed)
    return tuple(
        rng.normal(0, scale, shape) for shape in ((n_visible, n_hidden), n_visible, n_hidden)
    )


def copied(state):
    """As a checkpoint returns it."""
    return {name: np.asarray(array[()]).copy() for name, array in state.items()}


def equal(state, other):
    return state.keys() == other.keys() and all(
        np.array_equal(state[name], other[name]) for name in state
    )


# Training


@settings(max_examples=40, deadline=None)
@given(
    n_visible=st.integers(1, 19),
    n_hidden=st.integers(1, 21),
    batch_size=st.sampled_from([1, 3, 15, 16, 17, 40, 130]),
    left_over=st.integers(0, 20),
    n_gibbs=st.integers(1, 2),
    scale=st.sampled_from([1, 30, 3000, 1e5]),
    persistent=st.booleans(),
    symmetric=st.booleans(),
    weight_decay=st.sampled_from([0, 0.01]),
)
def test_kernel_equals_twin(
    n_visible, n_hidden, batch_size, left_over, n_gibbs, scale, persistent, symmetric, weight_decay
):
    """Bit for bit: sums are integers, exp is a polynomial of ours; up to fields beyond its clamp
    and coarse fixed point."""
    visible = random_spins(1, 2 * batch_size + left_over % batch_size, n_visible)
    state = initial_state(n_visible, n_hidden, KEY, persistent=persistent, batch_size=batch_size)
    state["weights"] *= np.float32(scale)
    twin = rbm_twin.Machine(state)
    schedule = {
        "batch_size": batch_size,
        "n_gibbs": n_gibbs,
        "symmetric": symmetric,
        "weight_decay": weight_decay,
    }
    rows = train_epochs(state, visible, epochs_total=3, count=2, persistent=persistent, **schedule)
    differences = [
        twin.train_epoch(visible, 3, learning_rate=0.05, momentum=0.5, **schedule) for _ in range(2)
    ]
    for name in state:
        np.testing.assert_array_equal(state[name], twin.state[name], err_msg=name)
    if persistent:
        assert np.isnan(rows["reconstruction_error"]).all()
    else:
        np.testing.assert_allclose(
            rows["reconstruction_error"], np.array(differences) / (2 * batch_size * n_visible)
        )
    if symmetric:
        assert not state["visible_bias"].any()
        assert not state["hidden_bias"].any()


@settings(max_examples=25, deadline=None)
@given(
    n_visible=st.sampled_from([1, 16, 29, 30, 31, 60, 64, 130]),
    n_hidden=st.sampled_from([1, 7, 12, 13, 30, 61]),
    batch_size=st.sampled_from([1, 16, 31, 90, 100, 113, 128, 150]),
    persistent=st.booleans(),
    scale=st.sampled_from([1, 100]),
)
def test_every_instruction_set_gives_the_same_bits(
    n_visible, n_hidden, batch_size, persistent, scale
):
    """All that this machine has; would catch a sum in another order, a fused multiply-add or a
    padding that leaks."""
    visible = random_spins(1, 2 * batch_size, n_visible)
    start = initial_state(n_visible, n_hidden, KEY, persistent=persistent, batch_size=batch_size)
    start["weights"] *= np.float32(scale)
    schedule = {"learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.01, "symmetric": False}
    schedule |= {"batch_size": batch_size, "n_gibbs": 2, "first_batch": 0, "total_batches": 2}
    results = []
    for path in kernel.PATHS:
        results.append(copied(start))
        kernel.train_epoch(results[-1], visible, path=path, **schedule)
    assert not equal(start, results[0])
    assert all(equal(results[0], other) for other in results[1:])


def test_unknown_instruction_set():
    state = initial_state(4, 3, KEY)
    schedule = {"learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.0, "symmetric": False}
    schedule |= {"batch_size": 10, "n_gibbs": 1, "first_batch": 0, "total_batches": 2}
    with pytest.raises(ValueError, match="there are auto"):
        kernel.train_epoch(state, random_spins(0, 20, 4), path="abacus", **schedule)


def test_initial_state():
    key = KEY.copy()
    state = initial_state(100, 90, key, persistent=True, batch_size=50)
    assert np.array_equal(key, KEY)
    assert abs(state["weights"].mean()) < 4 * 0.01 / np.sqrt(9000)
    assert abs(state["weights"].std() / 0.01 - 1) < 4 / np.sqrt(2 * 9000)
    assert set(np.unique(state["chains"])) == {-1, 1}
    assert abs(state["chains"].mean()) < 4 / np.sqrt(5000)
    assert len(np.unique(state["lanes"])) == state["lanes"].size
    assert not equal(
        state, initial_state(100, 90, KEY + np.uint64(1), persistent=True, batch_size=50)
    )


@pytest.mark.parametrize("persistent", [False, True])
def test_resumed_training_is_the_same(persistent):
    visible = random_spins(2, 333, 7)
    whole = initial_state(7, 5, KEY, persistent=persistent, batch_size=32)
    rows = train_epochs(
        whole, visible, epochs_total=10, count=10, batch_size=32, persistent=persistent
    )
    parts = initial_state(7, 5, KEY, persistent=persistent, batch_size=32)
    first = train_epochs(
        parts, visible, epochs_total=10, count=3, batch_size=32, persistent=persistent
    )
    parts = copied(parts)
    second = train_epochs(
        parts, visible, epochs_total=10, count=99, batch_size=32, persistent=persistent
    )
    assert equal(whole, parts)
    for name in rows:
        np.testing.assert_array_equal(rows[name], np.concatenate([first[name], second[name]]))
    assert rows["epoch"].tolist() == list(range(1, 11))
    assert (
        len(
            train_epochs(
                parts, visible, epochs_total=10, count=1, batch_size=32, persistent=persistent
            )["epoch"]
        )
        == 0
    )


def test_threads_do_not_change_a_training():
    visible = random_spins(3, 4000, 12)

    def train(n_hidden):
        state = initial_state(12, n_hidden, KEY)
        train_epochs(state, visible, epochs_total=3, count=3)
        return state

    sizes = [3, 20, 17, 20]
    with ThreadPoolExecutor(4) as pool:
        assert all(map(equal, pool.map(train, sizes), map(train, sizes)))


def gradient_z_scores(n_gibbs, burn_in=None):
    """z of positive minus negative phase, one batch per repeat, against the exact gradient of the
    likelihood; with burn_in the chains are persistent and first run that many steps at rate 0."""
    n, repeats = 2048, 64
    keys = np.random.default_rng(6).integers(0, 2**64, (repeats, 4), dtype=np.uint64)
    parameters = random_machine(4, 3)
    visible = np.where(
        np.random.default_rng(5).random((n, 4)) < [0.9, 0.2, 0.7, 0.5], 1, -1
    ).astype(np.int8)
    steps = []
    for key in keys:
        state = initial_state(4, 3, key, persistent=burn_in is not None, batch_size=n)
        names = ("weights", "visible_bias", "hidden_bias")
        for name, values in zip(names, parameters, strict=True):
            state[name][...] = values
        options = {
            "epochs_total": 1,
            "count": 1,
            "batch_size": n,
            "momentum": 0,
            "persistent": burn_in is not None,
        }
        if burn_in is not None:
            train_epochs(state, visible, n_gibbs=burn_in, learning_rate=0, **options)
            state["epoch"][...] = 0
        train_epochs(state, visible, n_gibbs=n_gibbs, learning_rate=1, **options)
        steps.append(
            np.concatenate(
                [
                    (state[name] - values).ravel()
                    for name, values in zip(names, parameters, strict=True)
                ]
            )
        )
    weights, _, hidden_bias = parameters
    means = np.tanh(visible @ weights + hidden_bias)
    data = (visible.T @ means / n, visible.mean(0), means.mean(0))
    expected = np.concatenate(
        [(d - m).ravel() for d, m in zip(data, exact.machine_moments(*parameters), strict=True)]
    )
    steps = np.array(steps)
    return (steps.mean(0) - expected) / (steps.std(0, ddof=1) / np.sqrt(repeats))


def test_long_chains_give_the_exact_gradient():
    """Would catch an error of .01 in any of the 19 moments, such as a hidden bias left out of one
    phase."""
    assert np.abs(gradient_z_scores(n_gibbs=300)).max() < 4
    assert np.abs(gradient_z_scores(n_gibbs=1)).max() > 10  # CD-1 is biased, and the test sees it


def test_persistent_chains_give_the_exact_gradient():
    """One step per update is enough for chains already in equilibrium; would catch chains restarted
    at the data."""
    assert np.abs(gradient_z_scores(n_gibbs=1, burn_in=300)).max() < 4


def trained_divergence(samples, probabilities, **options):
    state = initial_state(samples.shape[1], 8, KEY, persistent=options.get("persistent", False))
    train_epochs(state, samples, epochs_total=10, count=10, **options)
    log_table = RBM.from_state(state).log_block_table(np.empty((1, 0)))[0]
    model = np.exp(log_table - log_table.max())
    return np.sum(probabilities * np.log(probabilities / model * model.sum()))


@pytest.mark.parametrize("options", [{}, {"symmetric": True}, {"persistent": True}])
def test_learns_a_small_ising_model(options):
    """The periodic 3x2 Ising model from 30,000 exact samples; without its correlations the
    divergence is hundreds of times larger."""
    configurations = exact.every_configuration((2, 3))
    probabilities = exact.boltzmann(exact.ising_energies(configurations), 0.3)
    rng = np.random.default_rng(8)
    samples = configurations.reshape(-1, 6)[rng.choice(64, 30_000, p=probabilities)]
    assert trained_divergence(samples, probabilities, **options) < 0.005
    assert trained_divergence(rng.permuted(samples, axis=0), probabilities, **options) > 0.5


def critical_windows(rng, count, n_configurations, key):
    """Windows of a 2x2 block, buffer 1, environment 1 of the critical 64x64 lattice."""
    shape, geometry = (64, 64), Geometry((2, 2), 1, 1)
    packed = np.empty((n_configurations, 512), np.uint8)
    totals = np.empty(n_configurations, np.int64), np.empty(n_configurations, np.int64)
    spins = np.ones(shape, np.int8)
    sample_chain(
        spins, CRITICAL_COUPLING, rng, "swendsen-wang", 6, n_configurations, 1, packed, *totals
    )
    return extract_windows(
        packed, shape, geometry, *choose_windows(n_configurations, shape, count, key)
    )


def test_theta_machine_of_the_critical_ising_model():
    """KL(P(V|E) || machine) with the default recipe; measured .003 to .005 nats over seeds (0/1
    units: .13)."""
    geometry, rng = Geometry((2, 2), 1, 1), KEY.copy()
    critical_windows(rng, 1, 50, KEY[:2])  # thermalization
    visible = np.hstack(critical_windows(rng, 50_000, 1200, KEY[:2]))
    environments = critical_windows(rng, 1000, 200, KEY[2:])[1]
    state = initial_state(24, 20, KEY)
    before = RBM.from_state(state).conditional_block(environments)
    train_epochs(state, visible, epochs_total=10, count=10, symmetric=True)
    after = RBM.from_state(state).conditional_block(environments)
    truth = conditional_block_given_ring(
        markov_ring(environments, geometry), (2, 2), 1, CRITICAL_COUPLING
    )
    assert np.mean(kl_block_given_environment(truth, after)) < 0.01
    assert np.mean(kl_block_given_environment(truth, before)) > 0.5


# Bad input


def test_divergence_names_the_epoch():
    state = initial_state(4, 3, KEY)
    with pytest.raises(FloatingPointError, match="epoch 2 of 5"):
        train_epochs(
            state,
            random_spins(4, 120, 4),
            epochs_total=5,
            count=5,
            batch_size=10,
            learning_rate=1.0,
            weight_decay=6.5,
        )
    assert state["epoch"] == 1


@pytest.mark.parametrize(
    ("n", "width", "options", "sentence"),
    [
        (50, 4, {}, "a batch of 100 windows cannot be drawn from 50"),
        (200, 5, {}, "windows have 5 sites, the machine has 4"),
        (200, 4, {"persistent": True}, "needs a state with chains"),
        (200, 4, {"n_gibbs": 0}, "at least one"),
        (200, 4, {"batch_size": 0}, "at least one"),
    ],
)
def test_impossible_training(n, width, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        train_epochs(
            initial_state(4, 3, KEY), random_spins(0, n, width), epochs_total=1, count=1, **options
        )


def test_impossible_state():
    with pytest.raises(ValueError, match="not all zero"):
        initial_state(4, 3, np.zeros(4, np.uint64))
    with pytest.raises(ValueError, match="at least one"):
        initial_state(4, 0, KEY)
    state = initial_state(4, 3, KEY, persistent=True, batch_size=50)
    with pytest.raises(ValueError, match="one per window of a batch"):
        train_epochs(state, random_spins(0, 200, 4), epochs_total=1, count=1, persistent=True)
    state = initial_state(4, 3, KEY) | {"hidden_bias": np.zeros(4, np.float32)}
    with pytest.raises(ValueError, match="shape"):
        train_epochs(state, random_spins(0, 200, 4), epochs_total=1, count=1)


# The trained machine


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_free_energy_and_pseudo_likelihood(scale):
    parameters = random_machine(6, 4, scale)
    machine, visible = RBM(*parameters), exact.all_spins(6)
    probabilities = exact.machine_joint(*parameters).sum(axis=1)
    log_ratio = np.log(probabilities) + machine.free_energy(visible)
    np.testing.assert_allclose(log_ratio, log_ratio[0], atol=1e-10)
    index, expected = np.arange(64), np.zeros(64)
    for i in range(6):
        expected += np.log(probabilities / (probabilities + probabilities[index ^ (1 << i)]))
    np.testing.assert_allclose(
        machine.pseudo_log_likelihood(visible), expected, rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_block_tables(scale):
    parameters = random_machine(7, 5, scale)
    machine, environments = RBM(*parameters), exact.all_spins(4)
    joint = (
        exact.machine_joint(*parameters).sum(axis=1).reshape(16, 8)
    )  # environment, block: site 0 is the lowest bit
    np.testing.assert_allclose(
        machine.conditional_block(environments), joint / joint.sum(axis=1, keepdims=True), rtol=1e-5
    )
    table = machine.log_block_table(environments)
    assert np.ptp(table - np.log(joint)) < 1e-5
    fields = machine.environment_fields(environments)[:, None] + machine.block_fields(
        exact.all_spins(3)
    )
    weights, _, hidden_bias = parameters
    windows = exact.all_spins(7).reshape(16, 8, 7)
    np.testing.assert_allclose(fields, windows @ weights + hidden_bias, atol=1e-12)


def test_block_table_of_enormous_fields():
    """Products of factors would overflow; the table must not."""
    parameters = random_machine(7, 30, scale=400)
    machine, windows = RBM(*parameters), exact.all_spins(7)
    table = machine.log_block_table(exact.all_spins(4))
    np.testing.assert_allclose(table.ravel(), -machine.free_energy(windows), rtol=1e-12)


def test_block_table_refuses_impossible_blocks():
    machine = RBM(*random_machine(20, 2))
    for n_environment in (3, 20):
        with pytest.raises(ValueError, match="1 to 16 block sites"):
            machine.log_block_table(random_spins(0, 2, n_environment))
    with pytest.raises(ValueError, match="one bias for each unit"):
        RBM(np.zeros((3, 2)), np.zeros(2), np.zeros(3))
