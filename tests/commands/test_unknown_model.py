"""Samples of a model that the program does not know: no number of another model beside them.

The samples are of the Ising model on the triangular lattice, whose critical temperature is 3.641
J/k_B; they are imported without a model. Shown beside them, T_c = 2.269 or y_h = 15/8 "exact" would
be values of another system.
"""

import json
import math
import re

import h5py
import numpy as np
import pytest
from example_files import command, numbers_of, text_of
from matplotlib.lines import Line2D
from matplotlib.text import Text

from rsmi.figures.files import figure_of
from rsmi.models.ising.facts import critical_coupling
from rsmi.samples.files import open_file
from rsmi.store.digest import content_digest

K_C = critical_coupling(2)
OF_ISING = (K_C, 1 / K_C, 1.875)
WORDS = re.compile(
    r"T/T_c|2\.26919|2\.269185|0\.44068|0\.440687|15/8|\bexact\b(?! energy)|(?<!not )\bknown\b"
)
NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, -1), (-1, 1))


def triangular(count, size, coupling, sweeps):
    """Configurations (count, size, size) of the triangular lattice after heat-bath sweeps; sites
    with equal parity of row and column are never neighbours."""
    rng = np.random.default_rng(1)
    spins = rng.choice(np.array([-1, 1], np.int8), (count, size, size))
    for _ in range(sweeps):
        for part in (np.s_[:, a::2, b::2] for a in (0, 1) for b in (0, 1)):
            field = sum(np.roll(spins, shift, axis=(1, 2)) for shift in NEIGHBOURS)[part]
            up = rng.random(field.shape) < 1 / (1 + np.exp(-2 * coupling * field))
            spins[part] = np.where(up, 1, -1)
    return spins


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unknown")
    paths = {name: folder / f"{name}.h5" for name in "samples theta lambda flow exponent".split()}
    np.save(folder / "spins.npy", triangular(300, 16, math.log(3) / 4, 60))
    lines = {
        "samples": ("import", folder / "spins.npy", "--chains", 300),
        "theta": ("train-theta", paths["samples"], "--block", "2x2"),
        "lambda": ("train-lambda", paths["samples"], "--block", "2x2"),
        "flow": ("flow", paths["samples"], "--rule", "majority", "--steps", 2),
        "exponent": ("exponent", paths["flow"]),
    }
    for name, line in lines.items():
        assert command(*line, "-q", "-o", paths[name]) == 0
    return paths


def leaves(value):
    """All numbers and texts of nested lists and objects."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    else:
        yield value


@pytest.mark.parametrize("name", ["samples", "theta", "lambda", "flow", "exponent"])
def test_no_value_of_the_ising_model_in_text_and_json(files, name):
    """The first line says what kind of file it is, of any model."""
    text = text_of(files[name]).split("\n", 1)[1]
    assert not WORDS.search(text)
    numbers = [leaf for leaf in leaves(numbers_of(files[name])) if isinstance(leaf, float)]
    assert not [x for x in numbers for value in OF_ISING if math.isclose(x, value, rel_tol=1e-6)]


def test_what_is_unknown_is_null_in_json(files):
    rule, exponent = numbers_of(files["lambda"]), numbers_of(files["exponent"])
    for name in ("exact", "exact_error", "exact_soft", "block", "share"):
        assert rule[f"mutual_information_{name}"] is None
    for name in ("temperature", "critical_temperature", "nu", "T_c"):
        assert exponent[name] is None
    assert all(row["value"] is None for row in exponent["T_c_sequence"] + exponent["nu_sequence"])
    (flow,) = numbers_of(files["flow"])["flows"]
    assert all(row["coupling_eff"] is None for row in flow["steps"])
    assert json.dumps(exponent)  # no nan


@pytest.mark.parametrize("name", ["samples", "lambda", "flow", "exponent"])
def test_no_value_of_the_ising_model_in_a_figure(files, name):
    assert_shows_nothing_of_ising(files[name])


def assert_shows_nothing_of_ising(path):
    """Neither in a text nor as a dashed line; the numbers at ticks belong to the axes."""
    with open_file(path) as file:
        figure = figure_of([file])
    ticks = {
        label for axes in figure.axes for label in axes.get_xticklabels() + axes.get_yticklabels()
    }
    texts = [text.get_text() for text in figure.findobj(Text) if text not in ticks]
    assert any(texts)
    assert not [text for text in texts if WORDS.search(text) or "T_c" in text or "K_c" in text]
    assert not [line for line in figure.findobj(Line2D) if line.get_linestyle() == "--"]


def test_the_same_samples_named_ising_have_such_lines(files, tmp_path):
    """The tests above can fail: with a model and a temperature the values are there."""
    samples, flow, exponent = (tmp_path / f"{name}.h5" for name in ("s", "f", "e"))
    spins = files["samples"].with_name("spins.npy")
    named = ("--model", "ising", "--temperature", "Tc", "--trust")
    assert command("import", spins, *named, "-q", "-o", samples) == 0
    assert command("flow", samples, "--rule", "majority", "--steps", 2, "-q", "-o", flow) == 0
    assert command("exponent", flow, "-q", "-o", exponent) == 0
    assert WORDS.search(text_of(exponent))
    with open_file(exponent) as file:
        figure = figure_of([file])
    assert [line for line in figure.findobj(Line2D) if line.get_linestyle() == "--"]


@pytest.mark.parametrize("name", ["samples", "flow"])
def test_no_value_of_the_ising_model_beside_a_model_of_another_package(files, tmp_path, name):
    """A file of a model that is not installed here has a coupling, but nothing is known of it."""
    paths = {name: tmp_path / f"{name}.h5" for name in ("samples", "flow")}
    spins = files["samples"].with_name("spins.npy")
    named = ("--model", "ising", "--temperature", 2.3, "--trust")
    assert command("import", spins, *named, "-q", "-o", paths["samples"]) == 0
    line = ("flow", paths["samples"], "--rule", "majority", "--steps", 2, "-q", "-o", paths["flow"])
    assert command(*line) == 0
    with h5py.File(paths[name], "r+") as handle:
        handle.attrs["model"] = np.bytes_("triangular")
        handle.attrs["digest"] = np.bytes_(content_digest(handle))  # flow files are verified
    text = text_of(paths[name])
    assert "triangular" in text
    assert not WORDS.search(text.split("\n", 1)[1])
    assert_shows_nothing_of_ising(paths[name])
