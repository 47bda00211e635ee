"""What data/optimality prints is what its README shows."""

import re
import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "data/optimality"


@pytest.mark.parametrize(
    ("script", "first"),
    [
        ("plane.py", "The Ising chain"),
        ("flow.py", "Decimation of every second spin of the infinite"),
    ],
)
def test_tables_and_figures(workplace, monkeypatch, capsys, script, first):
    """Every line of the README's table comes out of the script, so that no number there can be
    older than the code."""
    monkeypatch.setattr(sys, "argv", [script, "figure.png"])
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    runpy.run_path(str(FOLDER / script), run_name="__main__")
    assert Path("figure.png").read_bytes()[:4] == b"\x89PNG"
    (shown,) = re.findall(
        rf"\n\n((?:    {first}.*\n)(?:    .*\n|\n)*)", (FOLDER / "README.md").read_text()
    )
    shown = [line.strip() for line in shown.splitlines() if line.strip()]
    assert shown == [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
