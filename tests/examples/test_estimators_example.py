"""The scripts of data/estimators run small, and its InfoNCE critic bounds what it should."""

import functools
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import module_of

FOLDER = Path(__file__).parents[2] / "data/estimators"
FLIPPED = 0.1  # of the channel with known information


@pytest.fixture
def script(monkeypatch):
    """A script of the folder as a module; they import one another."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(FOLDER))

    yield lambda name: module_of(FOLDER / f"{name}.py")
    for name in set(sys.modules) - before & {"infonce", "estimates", "table"}:
        sys.modules.pop(name, None)


def binary_channel(n, seed):
    """h and five spins of which the first is h, flipped with a probability: I = log 2 - H(.1) =
    .368 nats."""
    generator = np.random.default_rng(seed)
    h, environments = generator.integers(0, 2, n), generator.choice([-1, 1], (n, 5))
    environments[:, 0] = (2 * h - 1) * np.where(generator.random(n) < FLIPPED, -1, 1)
    return h, environments


# ---- the critic ----------------------------------------------------------------------------------


def test_gradient_of_the_critic(script):
    """Against central differences, two units."""
    infonce, generator = script("infonce"), np.random.default_rng(1)
    weights = infonce.initial_weights(2, 5, generator)
    h, environments = generator.integers(0, 4, 30), generator.choice([-1, 1], (30, 5))
    _, slopes = infonce.gradient(weights, h, environments)
    for weight, slope in zip(weights, slopes):
        index = tuple(generator.integers(0, size) for size in weight.shape)
        values = []
        for step in (1e-6, -1e-6):
            weight[index] += step
            values.append(infonce.pointwise(infonce.forward(weights, environments)[0], h).mean())
            weight[index] -= step
        assert slope[index] == pytest.approx((values[0] - values[1]) / 2e-6, abs=1e-7)


def test_the_bound_by_its_definition(script):
    """All B^2 scores of a batch, the pair itself among them."""
    infonce, generator = script("infonce"), np.random.default_rng(2)
    h, environments = generator.integers(0, 8, 20), generator.choice([-1, 1], (20, 4))
    critic = infonce.Critic(infonce.initial_weights(3, 4, generator))
    scores = np.array([[critic.scores(e[None])[state, 0] for e in environments] for state in h])
    expected = np.mean(np.diag(scores) - np.log(np.exp(scores).mean(axis=1)))
    assert infonce.bound(critic, h, environments)[0] == pytest.approx(expected, abs=1e-12)


def test_a_known_channel(script):
    """.3681 nats, within four of its errors (.014 each), and not above; held out, after 1000
    steps."""
    infonce = script("infonce")
    h, environments = binary_channel(12_000, 3)
    critic = infonce.fit(
        h[:8000], environments[:8000], 1, np.random.default_rng(4), most_steps=1000
    )
    value, error = infonce.bound(critic, h[8000:], environments[8000:])
    known = np.log(2) + FLIPPED * np.log(FLIPPED) + (1 - FLIPPED) * np.log(1 - FLIPPED)
    assert 0.005 < error < 0.02
    assert abs(value - known) < 4 * error
    shuffled = infonce.bound(critic, h[8000:], environments[:4000])[0]
    assert shuffled < -0.1  # of pairs that do not belong together the critic is far below zero


def test_no_more_than_the_logarithm_of_the_batch(script):
    """The best critic of 6 log 2 = 4.16 nats, h = e: 250 pairs say nearly all of it, 8 pairs
    exactly up to log 8 = 2.08."""
    infonce = script("infonce")
    states = np.random.default_rng(5).integers(0, 64, 2000)

    class Perfect:
        def scores(self, environments):
            return 50.0 * (infonce.states_of(6) @ environments.T - 6)

    value = {
        batch: infonce.bound(Perfect(), states, infonce.states_of(6)[states], batch)[0]
        for batch in (8, 250)
    }
    assert np.log(8) - 0.1 < value[8] <= np.log(8)
    assert 4.0 < value[250] <= np.log(250)


# ---- the scripts, small --------------------------------------------------------------------------


def test_from_samples_to_the_picture(script, here, workplace, capsys, monkeypatch):
    """Every estimator on three sets of every case; decoders near the exact value; table and
    figure."""
    estimates, optimised, table, picture = (
        script(name) for name in ("estimates", "optimised", "table", "picture")
    )
    assert (
        here(
            "sample", "--size", 6, "--temperature", "Tc", "--samples", 6000, "-q", "-o", "torus.h5"
        ).code
        == 0
    )
    for rule, words in (("majority", ()), ("four.npy", ("--hard",))):
        np.save("four.npy", np.eye(4))
        found = here(
            "exact",
            "--size",
            6,
            "--temperature",
            "Tc",
            "--block",
            "2x2",
            "--rule",
            rule,
            *words,
            "--json",
        )
        assert found.code == 0, found.err
        Path(f"exact-{rule}.json").write_text(found.out)
    for module in (estimates, optimised):  # what decoders bound is bounded all the same
        monkeypatch.setattr(module, "fit_decoder", functools.partial(module.fit_decoder, steps=300))
    capsys.readouterr()
    estimates.main("torus.h5", "exact-majority.json", "--windows", "1000", "2000", "--sets", "3")
    Path("torus-Tc.json").write_text(capsys.readouterr().out)
    known = json.loads(Path("exact-four.npy.json").read_text())
    Path("copies-2x2.json").write_text(
        json.dumps(estimates.estimates("torus.h5", known, [2000], 2))
    )
    optimised.main("torus.h5", "exact-majority.json", "--windows", "1000", "2000", "--sets", "2")
    Path("optimised.json").write_text(capsys.readouterr().out)
    case = json.loads(Path("torus-Tc.json").read_text())
    assert case["mutual_information"] == pytest.approx(0.461045, abs=1e-6)
    decoder = table.values(case, 2000, "decoder", "held_out")
    assert np.abs(decoder - 0.461).max() < 0.12
    assert np.isfinite(table.values(case, 2000, "decoder", "error")).all()
    assert (
        table.values(case, 2000, "decoder, tanh", "fitted").mean() > decoder.mean()
    )  # that much larger a decoder fits noise
    assert all(
        max(row["exact"]) < 0.4675
        for row in json.loads(Path("optimised.json").read_text())["rules"]
    )  # of all boolean rules none has more
    monkeypatch.setattr(
        table,
        "side_by_side",
        lambda cases, windows: table.describe("copies-2x2", cases["copies-2x2"]),
    )
    table.main("torus-Tc.json", "copies-2x2.json", "optimised.json")
    text = capsys.readouterr().out
    assert "I(H:E) = 0.461045; the proxy of the exact P(V|E) is 1.6" in text
    assert text.count("decoder, 16 tanh, fitted") == 4
    assert "best of three" in text
    monkeypatch.setattr(picture, "CASES", {})
    picture.main("torus-Tc.json", "copies-2x2.json", "optimised.json", "picture.png")
    assert Path("picture.png").read_bytes()[:4] == b"\x89PNG"


def test_too_few_configurations(script, here, workplace, capsys):
    """Sets that would share configurations are refused."""
    assert (
        here(
            "sample", "--size", 6, "--temperature", "Tc", "--samples", 1500, "-q", "-o", "torus.h5"
        ).code
        == 0
    )
    known = json.loads(
        here(
            "exact",
            "--size",
            6,
            "--temperature",
            "Tc",
            "--block",
            "2x2",
            "--rule",
            "majority",
            "--json",
        ).out
    )
    with pytest.raises(SystemExit, match="2 sets of 1000 windows need 2000 configurations"):
        script("estimates").estimates("torus.h5", known, [1000], 2)
