"""Rules learned on ground states of the triangular antiferromagnet: the two components of the order
at the wave vector K, measured by covariance, and not the block spin.

Coefficients say little there: the magnetization of a block hardly varies, so that a filter may
contain much of it. The overlap of a filter with the order is the share of the variance of
x = filter . v that cos(K.r) . v and sin(K.r) . v predict.
"""

import json

import numpy as np
import pytest
from conftest import run_here

from rsmi.information.decoder import decoder_bound, fit_decoder
from rsmi.lattice.geometry import Geometry
from rsmi.samples.windows import WindowSet
from rsmi.store import open_file

BLOCK, BUFFER = (3, 3), 1
KEY = np.arange(1, 5, dtype=np.uint64)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """20,480 ground states on 24x24 sites."""
    path = tmp_path_factory.mktemp("triangular") / "samples.h5"
    line = "sample --model triangular-ground-states --size 24 --samples 20480"
    assert run_here(*line.split(), "-q", "-o", path).code == 0
    return path


@pytest.fixture(scope="module")
def windows(samples):
    with open_file(samples, "samples") as file:
        chosen = WindowSet(file, Geometry(BLOCK, BUFFER, 1), 100_000, seed=5)
        return chosen.training, chosen.held_out


def train(samples, hidden, seed, folder):
    """What --json prints of a rule."""
    line = f"train-lambda {samples} --block 3x3 --buffer {BUFFER} --hidden {hidden} --seed {seed}"
    result = run_here(*line.split(), "-q", "--force", "--json", "-o", folder / "lambda.h5")
    assert result.code == 0, result.err
    return json.loads(result.out)


def order():
    """cos(K.r) and sin(K.r) on the block, (2, 9)."""
    phases = 2 * np.pi * np.indices(BLOCK).sum(axis=0).ravel() / 3
    return np.stack([np.cos(phases), np.sin(phases)])


def shares(filters, blocks):
    """The share of the variance of every unit that the order predicts."""
    covariance = np.cov(blocks.T.astype(np.float64))
    templates, own = order(), np.reshape(filters, (-1, 9))
    across = own @ covariance @ templates.T
    inside = np.linalg.inv(templates @ covariance @ templates.T)
    variances = np.einsum("ki,ij,kj->k", own, covariance, own)
    return np.einsum("ka,ab,kb->k", across, inside, across) / variances


def information(weights, windows):
    """The held-out bound of a hard rule, and its error, in nats."""
    training, held_out = windows
    rule = (np.reshape(weights, (-1, 9)), np.zeros(len(weights)), True)
    decoder = fit_decoder(*rule, training.blocks, training.environments, KEY)
    bound = decoder_bound(
        decoder, *rule, held_out.blocks, held_out.environments, held_out.configurations
    )
    return bound.value, bound.error


def check(rule, windows):
    """Every unit lies in the span of the order at K."""
    overlaps = shares(rule["filters"], windows[0].blocks)
    assert overlaps.min() >= 0.88
    modes = [mode for (mode,) in rule["modes"]]
    assert all((mode["name"], mode["share_of"]) == ("K", "variance") for mode in modes)
    np.testing.assert_allclose([mode["share"] for mode in modes], overlaps, atol=0.01)
    return rule["mutual_information_soft"], rule["mutual_information_error"]


def test_two_units_are_the_order_at_k(samples, windows, tmp_path):
    value, _ = check(train(samples, 2, 1, tmp_path), windows)
    assert value >= 0.57


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_every_seed(samples, windows, tmp_path, seed):
    """One component of the order, or both with twice the information of one."""
    one, error = check(train(samples, 1, seed, tmp_path), windows)
    two, error_of_two = check(train(samples, 2, seed, tmp_path), windows)
    assert two >= 0.57
    assert abs(two - 2 * one) < 4 * np.hypot(2 * error, error_of_two)


def test_named_rules(samples, windows):
    """The block spin knows next to nothing of the environment; both signs of the order know nearly
    as much as what is learned."""
    spin, _ = information(np.ones((1, 9)), windows)
    both, _ = information(order(), windows)
    assert 0.005 < spin < 0.02
    assert both == pytest.approx(0.545, abs=0.02)


@pytest.mark.slow
def test_scaling_dimension_of_the_order(samples, tmp_path):
    """1/4, from the structure factors of 12, 24 and 48 next to K: of both parts of the order and
    of two learned units, from which the complex wave is taken off."""
    names = [samples]
    for side in (12, 48):
        names.append(tmp_path / f"{side}.h5")
        line = f"sample --model triangular-ground-states --size {side} --samples 20480"
        assert run_here(*line.split(), "-q", "-o", names[-1]).code == 0
    train(samples, 2, 1, tmp_path)
    words = ["--correlation", "--function", tmp_path / "lambda.h5", "--json", "-q"]
    result = run_here("spectrum", *names, *words, "-o", tmp_path / "correlation.h5")
    assert result.code == 0, result.err
    found = {row["function"]: row for row in json.loads(result.out)["dimensions"]}
    for name in ("order-cos", "order-sin"):
        value, error = found[name]["delta"], found[name]["error"]
        assert error < 0.02
        assert abs(value - 0.25) < 4 * error
    units = found["lambda units 1 and 2, soft"]
    assert (units["wave_name"], units["exact"]) == ("K", 0.25)
    assert abs(units["delta"] - 0.25) < 4 * units["error"] < 0.02
