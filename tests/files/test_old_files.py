"""Files written by earlier versions stay readable: one frozen set for every format version.

A set is the pipeline of conftest.py as the version wrote it, or the part of it that the version
changed, and what its numbers were (summaries.json).
"""

import json
from pathlib import Path

import pytest

from rsmi.reports import files as info

SETS = sorted((Path(__file__).parents[1] / "data").glob("format-*"))


@pytest.mark.parametrize("folder", SETS, ids=lambda folder: folder.name)
def test_frozen_files(folder, monkeypatch):
    """Digest intact, structure accepted, and the same numbers as when they were written."""
    monkeypatch.chdir(folder)
    summaries = json.loads(Path("summaries.json").read_text())
    assert len(summaries) >= 3
    for name, expected in summaries.items():
        assert info.verify(Path(name))
        found = dict(leaves(json.loads(json.dumps(info.summary(Path(name))))))
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
