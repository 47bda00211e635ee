"""data/universality: the table and the figure, from answers that are written out here."""

from pathlib import Path

import pytest
from conftest import module_of

FOLDER = Path(__file__).parents[2] / "data/universality"


def answer(exact, function="order at K"):
    """What `rsmi info --json` says of a spectrum, as far as the scripts read it."""
    fit = {"delta": exact + 0.001, "error": 0.002, "omega": 1.75, "correction": 0.1}
    odd = {
        "function": function,
        "sector": "odd",
        "quantity": "m2",
        "quoted": True,
        "delta": fit["delta"],
        "error": fit["error"],
        "systematic": 0.0005,
        "power": {"constant": 0, "slope": -2},
        "pairs": [{"sizes": [8, 16], "delta": 0.12, "error": 0.003}],
        "fits": [{**fit, "sizes": [8, 16, 32], "chi2": 1.5, "freedom": 1}],
    }
    return {"headline": {"odd": {"exact": exact}, "even": {"exact": None}}, "sequence": [odd]}


@pytest.fixture
def answers(monkeypatch):
    def use(script):
        known = {"squares.h5": answer(0.125), "learned-ground.h5": answer(0.25)}
        monkeypatch.setattr(script, "info", lambda path: known[path])
        return script

    return use


def test_table(answers, capsys):
    answers(module_of(FOLDER / "table.py")).main("squares.h5", "learned-ground.h5")
    text = capsys.readouterr().out
    assert "0.1260(20)      0.0005   0.1250  +0.5" in text
    assert "8/16 0.1200(30)" in text and "from 8 0.1260(20) chi^2 1.5/1" in text
    assert "ground            order at K" in text


def test_figure(answers, tmp_path):
    pytest.importorskip("matplotlib")
    answers(module_of(FOLDER / "figure.py")).main("squares.h5", str(tmp_path / "figure.png"))
    assert (tmp_path / "figure.png").stat().st_size > 10_000
