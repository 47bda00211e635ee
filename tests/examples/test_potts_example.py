"""data/potts: the figure of I(H:E) against the number of values, from rules that have names."""

from pathlib import Path

import pytest
from conftest import module_of

FOLDER = Path(__file__).parents[2] / "data/potts"
WHOLE = 0.902264  # nats, I(V:E) of a 2x2 block on 6x6 sites


def answer(*words):
    """What `rsmi exact --json` says, as far as the script reads it."""
    own = {"mutual_information_exact_hard": 0.5, "mutual_information_exact_hard_error": 0.0}
    kind = {"best": {"hard": True, **own}} if "--best" in words else {"hard": True, **own}
    return {"mutual_information_block": WHOLE, **kind}


def test_figure(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    script = module_of(FOLDER / "picture.py")
    monkeypatch.setattr(script, "rsmi", answer)
    script.main(str(tmp_path / "figure.png"), "bit.h5", "tied.h5", "bits.h5", "vacancy.h5")
    assert (tmp_path / "figure.png").stat().st_size > 10_000
    assert script.measured("bit.h5") == (0.5, WHOLE)
