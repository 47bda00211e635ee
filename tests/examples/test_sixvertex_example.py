"""data/sixvertex: the tables and the figures, from answers that are written out here."""

from pathlib import Path

import pytest
from conftest import module_of

FOLDER = Path(__file__).parents[2] / "data/sixvertex"


def answer(path):
    """What `rsmi info --json` says, as far as the script reads it: the field is known best at the
    first weight, the staggered polarization at the second."""
    staggered = path.endswith("-1.9.h5")
    units = [{"field": 0.9, "staggered": 0.0}, {"field": 0.1, "staggered": 0.8}]
    correlations = (0.5, 0.6) if staggered else (0.6, 0.3)
    return {
        "measured": {
            "units": [units[staggered]],
            "modes": [{**u, "correlation": rho} for u, rho in zip(units, correlations)],
        },
        "mutual_information_hard": 0.12345,
        "mutual_information_hard_error": 0.0021,
        "stiffness": 0.5,
        "stiffness_error": 0.005,
        "stiffness_exact": 0.5236,
        "flux_squared": 1.9,
        "flux_squared_error": 0.01,
    }


def test_tables_and_figures(monkeypatch, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    script = module_of(FOLDER / "table.py")
    monkeypatch.setattr(script, "info", answer)
    monkeypatch.chdir(tmp_path)
    script.main("1.7 1.9", "1.7 1.9", "1 3")
    text = capsys.readouterr().out
    assert "cross at c = 1.85" in text  # 0.3 below at 1.7, 0.1 above at 1.9
    assert "0.900      0.000  0.1235(21)" in text
    assert "1.5708(157)" in text and "1.5000" in text  # pi/(4K), of 0.5 and 0.5236
    for name in ("shares.png", "dimensions.png"):
        assert (tmp_path / name).stat().st_size > 10_000
