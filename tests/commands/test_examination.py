"""What is said of samples before anything is built on them: at the import, by info, and by every
stage that reads them."""

import json
import logging
import re

import h5py
import numpy as np
import pytest
from conftest import run_here
from imports_generator import TC, heat_bath, neighbours, one_chain, pool

from rsmi.models.base import Model
from rsmi.samples.examination.survey import Surveyor
from rsmi.samples.files import open_file

SHAPE = (12, 12)
LABEL = f"--model ising --temperature {1.1 * TC!r}"


def bring(spins, options="", name="x", force=True):
    """Save configurations and import them."""
    np.save(f"{name}.npy", spins)
    line = ["import", f"{name}.npy", *options.split(), "-o", f"{name}.h5"]
    return run_here(*line, *(["--force"] if force else []))


def findings(name="x"):
    """The kinds of findings that info reports."""
    found = json.loads(run_here("info", f"{name}.h5", "--json").out)["examination"]
    return {one["code"]: one for one in found["findings"]}


@pytest.fixture
def good():
    return pool(SHAPE, 1.1)


# ---- what was read -------------------------------------------------------------------------------


def test_one_line_says_what_was_read(good, workplace):
    result = bring(good[:600], f"{LABEL} --chains 6 --chain-order sequential")
    (line,) = result.err.splitlines()
    for words in (
        "600 configurations",
        "12x12",
        "ising, periodic",
        "6 chains, one after the other",
    ):
        assert words in line
    text = run_here("info", "x.h5").out
    assert "largest Fourier mode   uniform" in text


def test_few_configurations_of_a_large_lattice(workplace):
    """Of more than 2^20 sites each, whose largest Fourier mode is not the uniform one."""
    spins = np.ones((3, 1024, 2048), np.int8)
    spins[:, ::2, 1::2] = spins[:, 1::2, ::2] = -1
    spins[1:, :8] = 1
    result = bring(spins, "--axes n,y,x --trust")
    assert result.code == 0, result.err
    assert "largest Fourier mode   staggered" in run_here("info", "x.h5").out


@pytest.mark.parametrize(("side", "probed"), [(16, 64), (512, 64), (1024, 16), (8192, 1)])
def test_bounded_memory(side, probed):
    """At most 2^24 variables are kept site by site, but at least one configuration."""
    attributes = {"shape": (side, side), "chains": 1}
    survey = Surveyor((64, side**2 // 8), attributes, Model(), None, has_energy=False).survey()
    assert survey.rows.shape == (probed, side**2 // 8)


def test_findings_are_stored_outside_of_the_digest(good, workplace):
    """The digest is that of the same file without its examination."""
    bring(good[:600], LABEL)
    with h5py.File("x.h5", "r+") as file:
        assert 1 <= len(file["provenance/fingerprints"]) <= 4096
        del file["provenance/examination"], file["provenance/fingerprints"]
    with open_file("x.h5") as file:
        file.verify()
    assert findings() == {}  # examined again


def test_a_damaged_examination_is_refused(good, workplace):
    bring(good[:600], LABEL)
    with h5py.File("x.h5", "r+") as file:
        del file["provenance/examination"]
        file["provenance/examination"] = np.bytes_(b'{"findings": 3}')
    result = run_here("info", "x.h5")
    assert result.code == 65
    assert "examination" in result.err


# ---- contradictions ------------------------------------------------------------------------------


def test_a_contradiction_stops_the_import(good, workplace):
    """With the numbers, and nothing left behind."""
    result = bring(good[:600], "--model ising --temperature Tc", force=False)
    assert result.code == 65
    assert "energy per site" in result.err
    assert "exact" in result.err
    temperature = float(re.search(r"it would be that of T = ([\d.]+) J/k_B", result.err)[1])
    assert abs(temperature - 1.1 * TC) < 0.03  # four errors
    assert "--trust" in result.err
    assert {path.name for path in workplace.iterdir()} == {"x.npy"}


def test_trusted_samples_carry_the_contradiction(good, workplace):
    """So does everything that is made from them, and every stage repeats it."""
    assert bring(good, "--model ising --temperature Tc --trust").code == 0
    lines = {
        "c": "coarse-grain x.h5 --rule majority",
        "l": "train-lambda x.h5 --block 2x2 --windows 5000 --restarts 1",
        "t": "train-theta x.h5 --block 2x2 --windows 2000 --epochs 1",
        "f": "flow x.h5 --rule majority --steps 1",
        "e": "exponent f.h5",
    }
    for name, line in lines.items():
        result = run_here(*line.split(), "-o", f"{name}.h5")
        assert result.code == 0, result.err
        assert "exact energy" in result.err
        with open_file(f"{name}.h5") as file:
            assert len(file.attributes["contradictions"]) == 1
            assert tuple(file.attributes["format_version"]) == (1, 4)
        assert json.loads(run_here("info", f"{name}.h5", "--json").out)["contradictions"]
    assert "exact energy" in run_here(*"exact x.h5 --rule majority --windows 400".split()).err


def test_trust_changes_nothing_of_good_samples(good, workplace):
    bring(good[:600], f"{LABEL} --trust")
    with open_file("x.h5") as file:
        assert "contradictions" not in file.attributes


def test_a_small_field(workplace):
    """A field of 0.02 J at 1.3 T_c is found by the local balance of up and down: Callen's identity
    holds at every temperature."""
    spins = heat_bath(pool((16, 16), 1.3), np.random.default_rng(5), 1.3 * TC, 100, 0.02)
    result = bring(spins, f"--model ising --temperature {1.3 * TC!r}")
    assert result.code == 65
    assert "magnetic field" in result.err


def test_a_field_without_a_temperature_is_a_warning(workplace):
    spins = pool((16, 16), 1.3, field=0.1)
    assert bring(spins, "--model ising").code == 0
    assert findings()["asymmetry"]["level"] == "warning"


def test_three_dimensions_have_no_exact_energy(workplace):
    """There the conditional averages tell a wrong temperature."""
    rng = np.random.default_rng(2)
    start = rng.choice(np.array([-1, 1], np.int8), (700, 6, 6, 8))
    spins = heat_bath(start, rng, 5.5, 60)
    assert bring(spins, "--axes n,z,y,x --model ising --temperature 5.5").code == 0
    result = bring(spins, "--axes n,z,y,x --model ising --temperature 4.9")
    assert result.code == 65
    assert "equilibrium with their neighbours" in result.err


def test_conditional_averages_vanish(good):
    """Within four errors, for the temperature of the samples; at another one they do not."""
    from rsmi.models.ising.simulation import null_averages

    for values in null_averages(good, 1 / (1.1 * TC)).values():
        assert abs(values.mean()) < 4 * values.std() / len(values) ** 0.5
    values = null_averages(good, 1 / (1.3 * TC))["conditional"]
    assert abs(values.mean()) > 8 * values.std() / len(values) ** 0.5
    first = good[0].astype(float)
    field = neighbours(good[:1], True)[0]
    expected = (first - np.tanh(field / (1.1 * TC))).mean()
    assert np.isclose(null_averages(good[:1], 1 / (1.1 * TC))["field"][0], expected, atol=1e-6)


# ---- order, copies, chains -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("again", "code"),
    [
        (lambda s: s, "copies"),
        (lambda s: -s[::-1], "copies"),
        (lambda s: np.roll(s, (1, 4), (1, 2)), "symmetric-copies"),
        (lambda s: s[:, ::-1], "symmetric-copies"),
    ],
)
def test_copies_within_a_file(again, code, good, workplace):
    spins = np.concatenate([good[:500], again(good[:300])])
    assert bring(spins, LABEL).code == 65
    assert bring(spins, f"{LABEL} --trust").code == 0
    assert code in findings()


def test_repeated_states_of_a_small_cold_lattice_are_no_copies(workplace):
    """By chance the most ordered states occur again and again."""
    rng = np.random.default_rng(3)
    spins = heat_bath(np.ones((2000, 6, 6), np.int8), rng, 1.5, 60)
    assert bring(spins, "--model ising --temperature 1.5").code == 0


def test_copies_between_files(good, workplace):
    """In whatever format they come; a flow and a crossing refuse them."""
    assert bring(good[:600], LABEL, "a").code == 0
    np.savetxt("b.csv", (good[:600].reshape(600, -1) + 1) // 2, fmt="%d", delimiter=",")
    line = f"import b.csv --shape 12x12 {LABEL} -o b.h5"
    assert run_here(*line.split()).code == 0
    for command in ("flow --rule majority --steps 1", "crossing"):
        result = run_here(*command.split(), "a.h5", "b.h5", "-o", "f.h5")
        assert result.code == 2
        assert "100 % of the configurations are also in a.h5" in result.err
    assert bring(good[600:], LABEL, "c").code == 0
    assert run_here(*"flow a.h5 c.h5 --rule majority --steps 1 -o f.h5".split()).code == 0


def test_open_edges(workplace):
    result = bring(pool((16, 16), 1.1, periodic=False))
    assert result.code == 65
    assert "--boundary open" in result.err
    assert bring(pool((16, 16), 1.1, periodic=False), "--boundary open").code == 0


def test_one_chain_for_many_and_many_for_one(good, workplace):
    chain = one_chain(np.random.default_rng(4), 1.05, 1600)
    assert "said to be independent" in bring(chain, "--chains 100").err
    several = np.stack([one_chain(np.random.default_rng(k), 1.05, 200) for k in range(8)], axis=1)
    result = bring(several.reshape(-1, *SHAPE))
    assert "8 chains seem to take turns" in result.err


# ---- drift and autocorrelation -------------------------------------------------------------------


def test_a_beginning_that_is_out_of_equilibrium(workplace):
    """It is named, and --discard auto leaves it out; what is left is good."""
    rng = np.random.default_rng(6)
    spins, rows = np.ones((40, 16, 16), np.int8), []
    for _ in range(100):
        spins = heat_bath(spins, rng, 1.3 * TC, 1)
        rows.append(spins)
    chains = np.concatenate(rows)
    options = "--chains 40"
    assert bring(chains, options).code == 0
    assert "drift" in findings()
    result = bring(chains, f"{options} --discard auto")
    assert "--discard auto" in result.err
    assert "drift" not in findings()
    with open_file("x.h5") as file:
        discarded = file.attributes["discarded"]
        assert file.shape("/spins")[0] == 40 * (100 - discarded)
        assert 3 <= discarded <= 60


@pytest.mark.parametrize(("order", "first"), [("turns", slice(30, None)), ("sequential", None)])
def test_discard_a_number_of_steps(order, first, good, workplace):
    """Of every chain, in whatever order they are; nothing else changes."""
    assert bring(good[:600], f"--chains 10 --chain-order {order} --discard 3").code == 0
    kept = good[:600].reshape(10, 60, *SHAPE)[:, 3:].swapaxes(0, 1).reshape(-1, *SHAPE)
    kept = good[:600][first] if first else kept
    with open_file("x.h5") as file:
        bits = np.unpackbits(file.read("/spins"), axis=1, bitorder="little")
        assert np.array_equal(2 * bits.reshape(-1, *SHAPE).astype(int) - 1, kept)
        assert file.attributes["discarded"] == 3


@pytest.mark.parametrize(("text", "words"), [("60", "nothing"), ("soon", "auto"), ("-1", "auto")])
def test_discard_is_checked(text, words, good, workplace):
    result = bring(good[:600], f"--chains 10 --discard {text}")
    assert result.code == 2
    assert words in result.err


def test_a_short_chain_is_never_taken_for_independent(workplace, caplog):
    """Every one of ten chains of about two autocorrelation times is warned of, by info and by
    flow."""
    for seed in range(10):
        bring(one_chain(np.random.default_rng(seed), 1.0, 60), "--model ising", f"s{seed}")
        assert findings(f"s{seed}").keys() & {"short-chains", "few-independent"}
        caplog.clear()
        with caplog.at_level(logging.WARNING, "rsmi"):
            run_here("flow", f"s{seed}.h5", *"--rule majority --steps 1 -o f.h5 --force".split())
        assert "too small" in caplog.text or "independent ones" in caplog.text


def test_own_samples_are_examined(workplace):
    line = "sample --size 8 --temperature Tc --algorithm metropolis --chains 1 --samples 60"
    result = run_here(*line.split(), *"--thermalization 500 --interval 1 -o s.h5".split())
    assert result.code == 0
    assert "too small" in result.err
    assert findings("s")


def test_sorted_temperatures_hold_out_stretches(workplace):
    """The held-out configurations are of all temperatures, not of the last one, and the bound is
    that of shuffled rows."""
    spins = np.concatenate([pool((16, 16), relative) for relative in (1.0, 1.1, 1.3)])
    shuffled = spins[np.random.default_rng(1).permutation(len(spins))]
    bounds = []
    for name, rows in (("a", spins), ("b", shuffled)):
        bring(rows, "--model ising", name)
        train = f"train-lambda {name}.h5 --block 2x2 --windows 20000 --restarts 1 -q -o l.h5"
        assert run_here(*train.split(), "--force").code == 0
        bounds.append(json.loads(run_here("info", "l.h5", "--json").out))
    assert "drift" in findings("a")
    difference = bounds[0]["mutual_information"] - bounds[1]["mutual_information"]
    errors = [one["mutual_information_error"] for one in bounds]
    assert abs(difference) < 4 * np.hypot(*errors)


def test_a_bound_above_the_exact_value(workplace):
    """A lower bound that is above the exact value names what that means."""
    spins = pool((16, 16), 1.0)
    bring(spins, f"--model ising --temperature {1.3 * TC!r} --trust")
    result = run_here(*"train-lambda x.h5 --block 2x2 --windows 20000 -o l.h5".split())
    assert "errors above the exact value" in result.err
    assert "a lower bound is not" in result.err


# ---- constants and temperatures in the wrong order -----------------------------------------------


def test_constant_samples_beside_the_exact_energy(workplace):
    assert bring(np.ones((50, 6, 8), np.int8), "--model ising --temperature Tc").code == 0
    assert "constant" in findings()
    assert "off without an error" in run_here("info", "x.h5").out
    assert json.loads(run_here("info", "x.h5", "--json").out)["tau_int"] is None


def test_energies_that_rise_with_the_coupling(workplace):
    for shape in ((8, 32), (16, 64)):
        for relative, said in ((1.0, 1.1), (1.1, 1.0)):
            spins = pool(shape, relative, count=300)
            options = f"--model ising --temperature {said * TC!r} --trust"
            bring(spins, options, f"{shape[0]}-{relative}")
    files = [f"{side}-{relative}.h5" for side in (8, 16) for relative in (1.0, 1.1)]
    result = run_here("crossing", *files, "-o", "c.h5")
    assert result.code == 65
    assert "energy rises with K" in result.err
