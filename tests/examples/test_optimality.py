"""What data/optimality prints is what its README shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rsmi

FOLDER = Path(__file__).parents[2] / "data/optimality"


@pytest.mark.parametrize(
    ("script", "first"),
    [
        ("plane.py", "The Ising chain"),
        ("flow.py", "Decimation of every second spin of the infinite"),
    ],
)
def test_tables_and_figures(tmp_path, script, first):
    """Every line of the README's table comes out of the script, so that no number there can be
    older than the code."""
    environment = dict(
        os.environ, PYTHONPATH=str(Path(rsmi.__file__).parents[1]), PYTHONDONTWRITEBYTECODE="1"
    )
    done = subprocess.run(
        [sys.executable, FOLDER / script, "figure.png"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "figure.png").read_bytes()[:4] == b"\x89PNG"
    (shown,) = re.findall(
        rf"\n\n((?:    {first}.*\n)(?:    .*\n|\n)*)", (FOLDER / "README.md").read_text()
    )
    shown = [line.strip() for line in shown.splitlines() if line.strip()]
    assert shown == [line.strip() for line in done.stdout.splitlines() if line.strip()]
