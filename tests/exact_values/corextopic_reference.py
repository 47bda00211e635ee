"""What corextopic 1.1, the published correlation explanation, makes of two small sets of blocks:
the frozen numbers of `test_corextopic.py`.

    pip install ".[bench]"      (corextopic, six, and with scikit-learn the scipy and joblib it
    needs) python tests/corextopic_reference.py > tests/data/corextopic-1.1.json

Gallagher, Reing, Kale & Ver Steeg, TACL 5, 529 (2017). It is no dependency of the default tests: it
has not been released since 2020, and scipy, joblib and six would come with it.
"""

import json
import sys
import warnings

import numpy as np

STEPS = (1, 2, 3, 5, 10, 30, 100)
SHOWN = 40  # samples whose p(y|x) is kept


def planted(groups=3, size=4, samples=400, flip=0.15, seed=5):
    """Groups of spins that follow a hidden spin each, flipped with a probability: (samples, groups
    x size) of +-1."""
    generator = np.random.default_rng(seed)
    hidden = generator.choice([-1, 1], (samples, groups))
    return np.repeat(hidden, size, axis=1) * np.where(
        generator.random((samples, groups * size)) < flip, -1, 1
    )


def ising(copies=20_000):
    """2x2 blocks of the 6x6 torus at T_c, each state as often as its probability says."""
    from rsmi.information.channel import spin_states
    from rsmi.models.ising.oracle import torus_joint

    counts = np.rint(copies * torus_joint(np.log(1 + np.sqrt(2)) / 2).sum(axis=1)).astype(int)
    return np.random.default_rng(1).permutation(
        np.repeat(spin_states(4), counts, axis=0).astype(int)
    )


def run(blocks, units, seed, iterations):
    """The published fit after some iterations."""
    from corextopic.corextopic import Corex

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return Corex(n_hidden=units, max_iter=iterations, eps=0, seed=seed).fit(
            (blocks > 0).astype(float)
        )


def record(blocks, units, seed):
    """The state after the first iteration, from which both go on; TC by iteration; where it
    ends."""
    start, end = run(blocks, units, seed, 1), run(blocks, units, seed, STEPS[-1])
    inside = (end.p_y_given_x > 1e-5) & (end.p_y_given_x < 1 - 1e-5)
    assert inside.all(), "its clip at 1e-6 would matter"
    return {
        "units": units,
        "start": {
            "theta": start.theta.tolist(),
            "alpha": start.alpha.tolist(),
            "log_p_y": start.log_p_y.tolist(),
        },
        "tcs": {str(step): run(blocks, units, seed, step).tcs.tolist() for step in STEPS},
        "informations": end.mis.tolist(),
        "alpha": end.alpha.tolist(),
        "p_y": end.p_y_given_x[:SHOWN].tolist(),
    }


def reference():
    """Both cases."""
    return {"planted": record(planted(), 3, 2), "ising": record(ising(), 1, 1)}


def main():
    json.dump(reference(), sys.stdout)
    print()


if __name__ == "__main__":
    main()
