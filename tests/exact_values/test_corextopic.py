"""Correlation explanation agrees with corextopic 1.1 (Gallagher, Reing, Kale & Ver Steeg, TACL 5,
529 (2017)), up to the names of units.

Its numbers are frozen in tests/data by `corextopic_reference.py`; that the published package still
makes them is a slow test.
"""

import json
from pathlib import Path

import corextopic_reference
import numpy as np
import pytest

from rsmi.information.channel import unit_probabilities
from rsmi.information.correlation_explanation import INITIAL_SHARPNESS, BlockTable, advance
from rsmi.information.total_correlation import rule_marginals, site_informations

FROZEN = json.loads((Path(__file__).parents[1] / "data/corextopic-1.1.json").read_text())
BLOCKS = {"planted": corextopic_reference.planted, "ising": corextopic_reference.ising}


def same_start(start, blocks):
    """Our state where the published fit is after its first iteration: its p(x_i|y), p(y) and alpha
    as filters, bias and <a_0>."""
    (down_0, down_1, up_0, up_1), alpha, log_one = (
        np.array(start["theta"]).transpose(0, 2, 1),
        np.array(start["alpha"]),
        np.array(start["log_p_y"]),
    )
    up, log_zero = (blocks > 0).mean(axis=0), np.log1p(-np.exp(log_one))
    odds_up, odds_down = alpha * (up_1 - up_0), alpha * (down_1 - down_0)
    return {
        "filters": 0.5 * (odds_up - odds_down),
        "bias": log_one - log_zero + 0.5 * (odds_up + odds_down).sum(axis=1),
        "alpha": alpha.copy(),
        "sharpness": np.full(blocks.shape[1], INITIAL_SHARPNESS),
        "base": (
            log_zero
            + (alpha * (up * (up_0 - np.log(up)) + (1 - up) * (down_0 - np.log1p(-up)))).sum(axis=1)
        ),
        "explained": np.zeros(len(alpha)),
        "iteration": np.ones(1, np.int64),
    }


def followed(name, iterations):
    """The blocks, and our state so many iterations after the common start."""
    blocks = BLOCKS[name]()
    state = same_start(FROZEN[name]["start"], blocks)
    advance(state, BlockTable.from_samples(blocks.astype(np.int8)), iterations)
    return blocks, state


@pytest.mark.parametrize("steps", corextopic_reference.STEPS)
@pytest.mark.parametrize("name", BLOCKS)
def test_every_unit_explains_the_same(name, steps):
    """TC of every unit after 1, 2, ... 100 iterations from one start. For one unit the same path to
    rounding. For several the ends agree so; on the way the paths part by 1e-4, because corextopic
    keeps informations in bits and subtracts their bias 1/2n from them as if they were nats, which
    decides what is clipped at zero while the units know almost nothing.
    """
    _, state = followed(name, steps)
    tolerance = 2e-9 if FROZEN[name]["units"] == 1 or steps in (1, 30, 100) else 2e-4
    np.testing.assert_allclose(
        np.sort(state["explained"]),
        np.sort(FROZEN[name]["tcs"][str(steps)]),
        rtol=0,
        atol=tolerance,
    )


@pytest.mark.parametrize("name", BLOCKS)
def test_the_same_fixed_point(name):
    """I(v_i:y_j) of every site and unit, who has which site, and p(y|v) of forty blocks, up to
    names of units and of their states."""
    blocks, state = followed(name, corextopic_reference.STEPS[-1])
    order, bias = np.argsort(-state["explained"]), 0.5 / len(blocks)
    p = unit_probabilities(state["filters"], state["bias"], blocks)[:, order]
    informations = np.array(
        [site_informations(rule_marginals(np.stack([1 - q, q], axis=1), blocks)) for q in p.T]
    )
    np.testing.assert_allclose(
        np.maximum(informations / np.log(2) - bias, 0),
        FROZEN[name]["informations"],
        rtol=0,
        atol=1e-8,
    )
    np.testing.assert_allclose(
        state["alpha"][order], FROZEN[name]["alpha"], rtol=0, atol=1e-6
    )  # what is clipped at zero, as above
    theirs = np.array(FROZEN[name]["p_y"])
    for ours, published in zip(p[: len(theirs)].T, theirs.T):
        assert min(np.abs(renamed - published).max() for renamed in (ours, 1 - ours)) < 1e-6
        assert np.ptp(published) > 0.9


def test_both_find_what_is_known():
    """Planted groups are found, and on the Ising block the maximum over all rules, 1.059604 nats
    (two enumerations)."""
    owners = np.argmax(FROZEN["planted"]["alpha"], axis=0).reshape(3, 4)
    assert (owners == owners[:, :1]).all()
    assert len(set(owners[:, 0])) == 3
    assert sum(FROZEN["ising"]["tcs"]["100"]) == pytest.approx(1.059604, abs=3e-4)


def test_another_fixed_point_would_be_seen():
    """Units that compete too softly for the sites share them, and end elsewhere."""
    blocks = BLOCKS["planted"]()
    state, table = (
        same_start(FROZEN["planted"]["start"], blocks),
        BlockTable.from_samples(blocks.astype(np.int8)),
    )
    for _ in range(100):
        state["sharpness"][...] = 0
        advance(state, table, 1)
    assert (
        np.abs(np.sort(state["explained"]) - np.sort(FROZEN["planted"]["tcs"]["100"])).max() > 0.01
    )


@pytest.mark.slow
def test_the_published_package_makes_these_numbers():
    """corextopic itself, of the `bench` extra: its numbers are the frozen ones."""
    pytest.importorskip("corextopic")
    found = corextopic_reference.reference()
    for name, case in FROZEN.items():
        for part in ("informations", "alpha", "p_y"):
            np.testing.assert_allclose(found[name][part], case[part], rtol=0, atol=1e-9)
        for step, values in case["tcs"].items():
            np.testing.assert_allclose(found[name]["tcs"][step], values, rtol=0, atol=1e-11)
