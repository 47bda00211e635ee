"""Nanoseconds per term of the pair free energies, beside numpy, and seconds per lambda training."""

import numpy as np
from timing import seconds

from rsmi.information.objectives import LambdaProblem, ThetaPair
from rsmi.information.training import advance, default_settings, initial_state
from rsmi.kernels.objectives import pair_log_cosh

BATCH = 200
KEY = np.array([1, 2, 3, 4], np.uint64)


def numpy_pairs(rows, columns):
    """log 2cosh in float32, |x| + log1p(e^-2|x|): the code one would write without a kernel."""
    x = np.abs(rows.T[:, None, :] + columns.T[None, :, :])
    return (x + np.log1p(np.exp(-2 * x))).sum(axis=-1)


def random_training(n_block, n_environment, n_theta, objective):
    """One restart at the default settings; the cost does not depend on what the windows are."""
    rng = np.random.default_rng(0)
    shapes = [
        (n_block + n_environment, n_theta),
        (n_block + n_environment,),
        (n_theta,),
        (n_block, n_theta // 2),
        (n_block,),
        (n_theta // 2,),
    ]
    spins = [rng.choice(np.array([-1, 1], np.int8), (10_000, n)) for n in (n_block, n_environment)]
    problem = LambdaProblem(*spins, ThetaPair(*(rng.normal(0, 0.2, shape) for shape in shapes)))
    settings = default_settings(objective, 1, n_block)
    return lambda: advance(initial_state(n_block, n_environment, KEY, settings), problem, settings)


def run():
    """Rows (name, value, unit)."""
    results = []
    for n_hidden in (20, 48, 200):
        rng = np.random.default_rng(n_hidden)
        rows, columns = (rng.uniform(-2, 2, (n_hidden, BATCH)) for _ in range(2))
        terms = BATCH * BATCH * n_hidden
        kernel = seconds(lambda: pair_log_cosh(rows, columns, 20)) / 20
        rows32, columns32 = rows.astype(np.float32), columns.astype(np.float32)
        plain = seconds(lambda: numpy_pairs(rows32, columns32))
        results.append(
            (
                f"pair free energies, {n_hidden} hidden, exponentials included",
                1e9 * kernel / terms,
                "ns/term",
            )
        )
        results.append(
            (f"  numpy {np.__version__} float32, {n_hidden} hidden", 1e9 * plain / terms, "ns/term")
        )
    for objective in ("proxy", "logsum", "enumerate", "decoder"):
        results.append(
            (
                f"lambda training 2x2, {objective}, one restart",
                seconds(random_training(4, 20, 20, objective)),
                "s",
            )
        )
    for objective in ("proxy", "decoder"):
        results.append(
            (
                f"lambda training 4x4, {objective}, one restart",
                seconds(random_training(16, 28, 32, objective)),
                "s",
            )
        )
    return results


if __name__ == "__main__":
    for name, value, unit in run():
        print(f"{name:62} {value:12.4g} {unit}")
