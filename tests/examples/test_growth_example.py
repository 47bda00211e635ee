"""The scripts of data/growth: what a child process takes, powers that are known, and the arithmetic
of the large flow."""

import json
import sys
from pathlib import Path

import pytest
from conftest import module_of

import rsmi

FOLDER = Path(__file__).parents[2] / "data/growth"
MB = 1 << 20


@pytest.fixture
def script():
    """A script of the folder as a module."""
    return lambda name: module_of(FOLDER / f"{name}.py")


@pytest.fixture
def rows():
    """As growth.py writes them, of commands that cost 2 ns and 3 bytes a site and nothing else;
    half a second and 60 MB to start."""
    start = {
        "cpu": 0.5,
        "memory": 60 * MB,
        "wall": 0.6,
        "bytes": 1000,
        "disk": 2000,
        "samples": 1,
        "sites": 1,
    }
    found = [
        start | {"series": f"start {name}", "x": 0}
        for name in ("sample", "flow", "in-flight", "coarse-grain", "train-lambda")
    ]

    def add(series, x, samples, sites, sweeps=1, **facts):
        cost = {"cpu": 0.5 + 2e-9 * samples * sites * sweeps, "memory": 60 * MB + 3 * sites}
        found.append(
            start | cost | {"series": series, "x": x, "samples": samples, "sites": sites} | facts
        )

    for dimension, sides in (
        (2, (16, 256, 512, 1024, 2048, 4096, 8192)),
        (3, (16, 64, 128, 256, 512)),
    ):
        for side in sides:
            sites = side**dimension
            samples = max(8, 10**9 // sites)
            add(f"sample metropolis {dimension}D", side, samples, sites, 100, interval=100)
            add(f"sample swendsen-wang {dimension}D", side, samples, sites, 2, interval=2)
            for name in ("flow", "in-flight", "coarse-grain", "train-lambda"):
                add(f"{name} {dimension}D", side, samples, sites, 2 if name == "in-flight" else 1)
    for name in ("sample", "flow", "in-flight", "coarse-grain", "train-lambda"):
        for side, most in ((64, 6), (16, 7)):
            for n in (10**power for power in range(3, most + 1)):
                add(f"n: {name} {side}", n, 10 * n, side**2)
    for name in ("sample", "in-flight"):
        for number in (1, 4, 16):
            add(f"chains: {name} 2048", number, 100 * number, 2048**2)
        found.append(start | {"series": f"shards: {name}", "x": 0, "part": "whole", "cpu": 8.5})
        found.extend(
            start | {"series": f"shards: {name}", "x": 2, "part": part, "cpu": cpu}
            for part, cpu in (("shard", 4.5), ("shard", 4.5), ("merge", 0.5))
        )
        found.extend(
            start | {"series": f"threads: {name}", "x": number, "cpu": 4.0, "wall": 4.0 / number}
            for number in (1, 2)
        )
    for side in (16, 32, 64):
        found.append(
            start
            | {
                "series": "statistics 3D",
                "x": side,
                "samples": 1000,
                "errors": {"y_t": [0.01, 0.02], "y_h": [0.001, 0.002]},
                "tau": [side / 3.2, 0.1],
            }
        )
        found.append({"series": "tau metropolis", "x": side // 2, "tau": side**2 / 40})
    return found


def test_powers_are_found(script, rows):
    """Costs per site give the power of the dimension, and three bytes a site; costs per
    configuration a linear command of constant memory."""
    table = script("table")
    assert table.power([1, 2, 4], [3, 12, 48])[:2] == pytest.approx((2, 0), abs=1e-9)
    lines = {line[2:26].strip(): line[26:].split() for line in table.powers(rows)[2:]}
    assert lines["sample metropolis 2D"][:5] == ["L^2", "2.00(0)", "L^2", "<1.2>", "3.00"]
    assert lines["flow 3D"][:5] == ["L^3", "3.00(0)", "L^3", "<2.0>", "3.00"]
    assert lines["n: sample 64"][:4] == ["n^1", "1.00(0)", "n^0", "0.00(0)"]
    assert lines["chains: in-flight 2048"][:4] == ["c^1", "1.00(0)", "c^0", "0.00(0)"]
    (shard,) = [line.split()[2:] for line in table.shards(rows) if "sample" in line]
    assert shard == ["8.50", "2", "9.00", "0.50", "1.12", "1.00", "60"]


def test_the_large_flow(script, rows):
    """Every number of the estimate by hand: 2 ns a site of everything, tau proportional to L and to
    L^2, z as published from the largest on."""
    table = script("table")
    found, sites = table.estimate(rows), 512**3
    assert [found[name] for name in ("local", "cluster", "measuring")] == pytest.approx(
        [2e-9 * sites] * 3
    )
    assert found["z_cluster"] == pytest.approx((1, 0), abs=1e-9)
    assert found["z_local"] == pytest.approx((2, 0), abs=1e-9)
    tau = 20 * 8**0.46
    assert (found["tau_cluster"], found["tau_local"]) == pytest.approx(
        (tau, 64**2 / 40 * 16**2.0245)
    )
    assert found["best"] == "cluster"
    assert (found["interval"], found["sample"]) == (11, pytest.approx(12 * 2e-9 * sites))
    unit = 0.02 * (1000 / 10) ** 0.5  # of the smallest lattice, the largest
    assert found["needed"] == pytest.approx(2 * tau / 11 * (unit / table.TARGET) ** 2, rel=1e-4)
    assert found["hours"] == pytest.approx(
        (64000 * 20 * tau * 2e-9 * sites + found["needed"] * found["sample"]) / 3600
    )


def test_tables_and_figure(script, rows, tmp_path, capsys):
    (tmp_path / "growth.json").write_text(json.dumps(rows))
    script("table").main(str(tmp_path / "growth.json"))
    text = capsys.readouterr().out
    assert "take Swendsen-Wang" in text
    assert "nan" not in text
    script("picture").main(str(tmp_path / "growth.json"), str(tmp_path / "growth.png"))
    assert (tmp_path / "growth.png").read_bytes()[:4] == b"\x89PNG"


def test_what_a_command_takes(script, tmp_path, monkeypatch):
    """A child's CPU seconds and peak, the file and at least as much on the disk; a command that
    fails ends it all."""
    growth = script("growth")
    monkeypatch.setattr(growth, "PROGRAM", [sys.executable, "-m", "rsmi"])
    monkeypatch.setenv("PYTHONPATH", str(Path(rsmi.__file__).parents[1]))
    found = growth.run(
        tmp_path, "samples.h5", "sample " + growth.ising(2, 8, "swendsen-wang", 100, 1, 4)
    )
    assert found["cpu"] > 0.01
    assert found["memory"] > 10 * MB
    assert found["disk"] >= found["bytes"] == (tmp_path / "samples.h5").stat().st_size
    with pytest.raises(SystemExit, match="exit code 2"):
        growth.run(tmp_path, "samples.h5", "sample --size 8")
