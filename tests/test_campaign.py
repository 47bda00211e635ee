"""The living examples hold: the claims of data/ising2d and data/ising1d for three seeds of samples, machines and filters."""

import importlib.util
from pathlib import Path

import pytest

DATA = Path(__file__).parent.parent / "data"


def load(example):
    """The campaign of an example as a module."""
    spec = importlib.util.spec_from_file_location(f"campaign_{example}", DATA / example / "campaign.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def source(workplace, monkeypatch):
    """An empty folder in which commands find this package."""
    monkeypatch.setenv("PYTHONPATH", str(DATA.parent))


@pytest.mark.slow
@pytest.mark.parametrize("objective, claims", [("decoder", None), ("proxy", ["block_spin", "four_spins", "boundary_4x4"]), ("logsum", ["block_spin", "four_spins"])])
def test_two_dimensions(source, objective, claims):
    """Every claim for every seed; a random filter of a 2x2 block has a cosine > .95 in one of 75 cases."""
    campaign = load("ising2d")
    chosen = {claim: (objective,) for claim, made_for in campaign.CLAIMS.items() if objective in made_for and (claims is None or claim.__name__ in claims)}
    rows = campaign.campaign(3, chosen)
    assert len(rows) >= 6
    missed = {name: columns for name, columns in rows.items() if not all(met for met, _ in columns[objective])}
    assert not missed


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["decoder", "proxy"])
def test_one_dimension(source, objective):
    """A boundary spin for one unit, never the majority (.1631 nats); both for two, with I(V:E) = .3473 nats."""
    campaign = load("ising1d")
    campaign.FOLDER.mkdir()
    words = campaign.row(1.0, objective, 3).split()
    assert words[1] == words[3] == "3/3"
    assert float(words[2]) > 0.19 and float(words[4]) > 0.33
