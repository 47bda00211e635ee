"""Files written by earlier versions stay readable: one frozen set for every format version.

A set is the pipeline of conftest.py as the version wrote it, or the part of it that the version
changed, and what its numbers were (summaries.json).
"""

import json
from pathlib import Path

import pytest

from rsmi.reports.files import describe, summary
from rsmi.samples.files import model_of, open_file

SETS = sorted((Path(__file__).parents[1] / "data").glob("format-*"))


@pytest.mark.parametrize("folder", SETS, ids=lambda folder: folder.name)
def test_frozen_files(folder, monkeypatch):
    """Digest intact, structure accepted, and the same numbers as when they were written."""
    monkeypatch.chdir(folder)
    summaries = json.loads(Path("summaries.json").read_text())
    assert len(summaries) >= 3
    for name, expected in summaries.items():
        with open_file(name) as file:
            file.verify()
            found = dict(leaves(json.loads(json.dumps(summary(file)))))
        for place, value in leaves(expected):
            same = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            assert found[place] == same, f"{name}: {place}"


def leaves(value, place=()):
    """(place, value) of every number and text of nested lists and objects."""
    if not isinstance(value, (dict, list)):
        yield place, value
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from leaves(inner, (*place, key))


# ---- what the absence of a model means -----------------------------------------------------------

OF_1_3 = Path(__file__).parents[1] / "data/format-1.3"


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("flow.h5", "ising"),
        ("exponent.h5", "ising"),
        ("exponent-1d.h5", "ising"),
        ("exponent-3d.h5", "ising"),
        ("flow-unknown.h5", "none"),
        ("exponent-unknown.h5", "none"),
    ],
)
def test_flows_and_exponents_that_name_no_model(name, model):
    """Before format 1.4 they were of the Ising model where a coupling is known, and of an unknown
    one else: a wrong rule would show Ising's values beside samples of which nothing is known."""
    with open_file(OF_1_3 / name) as file:
        assert "model" not in file.attributes
        assert model_of(file).name == model


@pytest.mark.parametrize("name", ["flow-unknown.h5", "exponent-unknown.h5"])
def test_no_value_of_ising_for_an_unknown_model(name):
    """T_c = 2.269185 J/k_B, y_h = 15/8 and K_c = 0.440687 belong to the Ising model alone."""
    with open_file(OF_1_3 / name) as file:
        text = describe(file)
    for value in ("2.269", "15/8", "1.875", "0.4407", "0.440687", "T/T_c"):
        assert value not in text
