"""Samples per second in contrastive divergence of a machine of +-1 units, beside plain numpy in
float32."""

from time import process_time

import numpy as np
from timing import Row

from rsmi.information.rbm import initial_state
from rsmi.kernels.rbm import PATHS, train_epoch

SIZES = [(44, 48, 100), (64, 64, 100), (144, 128, 256), (784, 500, 100)]
PATHS_SHOWN = [path for path in PATHS if path != "avx512"]  # there it is what auto takes
ROUNDS = 7
KEY = np.array([1, 2, 3, 4], np.uint64)


class NumpyMachine:
    """Textbook CD-k in float32: matrix products, tanh, one uniform per unit; momentum as in the
    kernel."""

    def __init__(self, n_visible, n_hidden, seed=0):
        self.rng = np.random.default_rng(seed)
        self.weights = self.rng.normal(0, 0.01, (n_visible, n_hidden)).astype(np.float32)
        self.visible_bias, self.hidden_bias = (
            np.zeros(n_visible, np.float32),
            np.zeros(n_hidden, np.float32),
        )
        self.steps = [np.zeros_like(p) for p in (self.weights, self.visible_bias, self.hidden_bias)]

    def draw(self, means):
        return np.where(
            2 * self.rng.random(means.shape, dtype=np.float32) - 1 < means,
            np.float32(1),
            np.float32(-1),
        )

    def train_epoch(self, visible, batch_size, n_gibbs, rate, momentum):
        order = self.rng.permutation(len(visible))
        for start in range(0, len(visible) - batch_size + 1, batch_size):
            x = visible[order[start : start + batch_size]].astype(np.float32)
            data_means = means = np.tanh(x @ self.weights + self.hidden_bias)
            for _ in range(n_gibbs):
                chain = self.draw(np.tanh(self.draw(means) @ self.weights.T + self.visible_bias))
                means = np.tanh(chain @ self.weights + self.hidden_bias)
            gradients = (
                (x.T @ data_means - chain.T @ means) / batch_size,
                (x - chain).mean(0),
                (data_means - means).mean(0),
            )
            for parameter, step, gradient in zip(
                (self.weights, self.visible_bias, self.hidden_bias), self.steps, gradients
            ):
                step *= np.float32(momentum)
                step += np.float32(rate) * gradient
                parameter += step


def seconds(call, *args, **options):
    start = process_time()
    call(*args, **options)
    return process_time() - start


def samples_per_second(n_visible, n_hidden, batch_size, n_gibbs):
    """Of numpy and of the kernel, as it runs and on lesser instruction sets: medians over
    alternating rounds."""
    n_batches = max(8, int(3e8 / (n_visible * n_hidden * (2 * n_gibbs + 3) * batch_size)))
    visible = np.random.default_rng(0).choice(
        np.array([-1, 1], np.int8), (n_batches * batch_size, n_visible)
    )
    machine = NumpyMachine(n_visible, n_hidden)
    states = {path: initial_state(n_visible, n_hidden, KEY) for path in PATHS_SHOWN}
    options = {
        "batch_size": batch_size,
        "n_gibbs": n_gibbs,
        "learning_rate": 0.01,
        "momentum": 0.5,
        "weight_decay": 0.0,
    }
    options |= {"symmetric": False, "first_batch": 0, "total_batches": n_batches}
    times = []
    for _ in range(ROUNDS):
        plain = seconds(machine.train_epoch, visible, batch_size, n_gibbs, 0.01, 0.5)
        times.append(
            [
                plain,
                *(
                    seconds(train_epoch, states[path], visible, path=path, **options)
                    for path in PATHS_SHOWN
                ),
            ]
        )
    return dict(zip(("numpy", *PATHS_SHOWN), len(visible) / np.median(times, axis=0)))


def run() -> list[Row]:
    """Every measurement."""
    rows = []
    for n_visible, n_hidden, batch_size in SIZES:
        for n_gibbs in (1, 5):
            what = f"CD-{n_gibbs} {n_visible} x {n_hidden}, batch {batch_size}"
            rates = samples_per_second(n_visible, n_hidden, batch_size, n_gibbs)
            plain = rates.pop("numpy")
            rows.append(Row(f"baseline: numpy {what}", plain, "samples/s"))
            rows += [
                Row(f"{what}, {path}", rate, "samples/s", {"numpy": rate / plain})
                for path, rate in rates.items()
            ]
    return rows
