"""The even variable that ``train-lambda --sector even`` learns, against the best of all even
functions of the block, on the critical square lattice with a buffer of one site."""

import json

import numpy as np
import pytest
from conftest import run_here

from rsmi.samples.views import open_rule

SEEDS = range(10)


def call(*words):
    result = run_here(*words)
    assert result.code == 0, result.err
    return result


@pytest.mark.slow
def test_all_four_spins_are_equal_in_every_seed(tmp_path):
    """Samples, windows and restarts of ten seeds on the 6x6 torus, where the best of the 128 even
    functions of a 2x2 block is known: 10 of 10 find it. Any other even function keeps at most
    0.015464 of its 0.015989 nats."""
    for seed in SEEDS:
        samples, rule = tmp_path / "samples.h5", tmp_path / "even.h5"
        sample = "sample --size 6 --temperature Tc --samples 20000 --force -q --seed"
        call(*sample.split(), seed, "-o", samples)
        train = "--block 2x2 --windows 50000 --sector even --force -q --seed"
        call("train-lambda", samples, *train.split(), seed, "-o", rule)
        with open_rule(rule) as learned:
            up = learned.rule(hard=True).channel()[:, 1]
        np.testing.assert_array_equal(np.flatnonzero(up), [0, 15])


@pytest.fixture(scope="module")
def critical(tmp_path_factory):
    path = tmp_path_factory.mktemp("even") / "samples.h5"
    call(*"sample --size 64 --temperature Tc --samples 5000 -q --seed 1 -o".split(), path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("block", "share", "windows"), [("3x3", 0.93, 40000), ("4x4", 0.85, 6000)])
def test_share_of_the_best_even_function(critical, tmp_path, block, share, windows):
    """100,000 windows of the 64x64 torus: of ten seeds at least nine keep so much of what the best
    even function keeps that alternating maximisation finds over sampled rings, on other rings
    (measured: 0.97 and 0.95 to 1.00). The square of the magnetization keeps 0.93 and 0.84."""
    rules = [tmp_path / f"even-{seed}.h5" for seed in SEEDS]
    for seed, rule in zip(SEEDS, rules):
        train = f"--block {block} --sector even -q --seed {seed} -o"
        call("train-lambda", critical, *train.split(), rule)
    words = f"--hard --best --sector even --windows {windows} --json"
    rules = [word for rule in rules for word in ("--rule", rule)]
    numbers = json.loads(call("exact", critical, *words.split(), *rules).out)
    best = numbers["best"]["mutual_information_exact_hard"]
    shares = [one["mutual_information_exact_hard"] / best for one in numbers["rules"]]
    assert sum(one >= share for one in shares) >= 9, np.round(shares, 3)
    assert max(shares) < 1.03  # the search found at least what the training finds
