"""``--block sites.csv --metric`` of train-theta and train-lambda: windows that are no rectangles in
frames."""

import json

import numpy as np
import pytest
from cases import texts_of_figures
from conftest import run_here

from rsmi.store import open_file

OPTIONS = "--buffer 1 --windows 4000 --restarts 1 --hidden 2"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ground states on 12x12 sites, Ising spins with a mask, machines, and a triangle."""
    folder = tmp_path_factory.mktemp("blocks")
    (folder / "triangle.csv").write_text("0,0\n1,0\n1,1\n")
    np.save(folder / "spins.npy", np.random.default_rng(1).choice([-1, 1], (200, 12, 12)))
    np.save(folder / "mask.npy", np.indices((2, 2)).sum(axis=0) % 2 == 0)
    for line in (
        "sample --model triangular-ground-states --size 12 --samples 1200 --chains 16"
        " --thermalization 20 --interval 4 -o samples.h5",
        "train-theta samples.h5 --block 2x2 --windows 2000 --epochs 1 --hidden 2 -o theta.h5",
        "import spins.npy --mask mask.npy -o masked.h5",
        "sample --model dimers --size 12 --samples 64 --thermalization 4 --interval 1 -o dimers.h5",
    ):
        words = [folder / word if "." in word else word for word in line.split()]
        result = run_here(*words, "-q")
        assert result.code == 0, result.err
    return folder


def train(folder, options, samples="samples.h5", out="lambda.h5"):
    words = [folder / word if word.endswith((".h5", ".csv")) else word for word in options.split()]
    return run_here("train-lambda", folder / samples, *words, "-q", "--json", "-o", folder / out)


def test_a_triangle(folder, monkeypatch):
    """Three sites in a box of four; both units have the wave vector K. Another metric is another
    file, and the rule coarse-grains tiles of the box."""
    result = train(folder, f"--block triangle.csv --metric lattice {OPTIONS}")
    assert result.code == 0, result.err
    rule = json.loads(result.out)
    assert rule["block"] == [2, 2]
    assert np.array(rule["filters"])[:, 0, 1].tolist() == [0, 0]
    assert [mode["name"] for (mode,) in rule["modes"]] == ["K", "K"]
    with open_file(folder / "lambda.h5") as file:
        assert file.attributes["metric"] == "lattice"
        assert file.read("/mask").tolist() == [1, 0, 1, 1]
        assert file.parameters["sites"] == [[0, 0], [1, 0], [1, 1]]
    text = run_here("info", folder / "lambda.h5").out
    assert "2x2: 3 sites" in text and "ring of width 1: 15 sites" in text
    assert "steps to nearest neighbours" in text
    assert train(folder, f"--block triangle.csv --metric square {OPTIONS}").code == 73
    coarse = f"coarse-grain {folder}/samples.h5 --rule {folder}/lambda.h5 -o {folder}/coarse.h5 -q"
    assert run_here(*coarse.split()).code == 0
    drawn = texts_of_figures(monkeypatch)
    assert run_here("plot", folder / "lambda.h5", "-o", folder / "rule.png").code == 0
    weights = [text for text in drawn if text.replace("-", "", 1).replace(".", "", 1).isdigit()]
    assert {f"{weight:.2f}" for weight in np.ravel(rule["filters"]) if weight} <= set(weights)
    assert "0.00" not in weights


def test_a_rectangle_with_the_lattice_metric(folder):
    result = train(folder, f"--block 3x3 --metric lattice {OPTIONS}", out="rhombus.h5")
    assert result.code == 0, result.err
    with open_file(folder / "rhombus.h5") as file:
        assert "/mask" not in file and "sites" not in file.parameters
    assert "ring of width 1: 20 sites" in run_here("info", folder / "rhombus.h5").out


def test_the_square_metric_of_a_rectangle_is_the_default(folder):
    """The same parameters, so that the second command finds the file complete."""
    for metric in ("", "--metric square"):
        assert train(folder, f"--block 2x2 {metric} {OPTIONS}", out="plain.h5").code == 0
    with open_file(folder / "plain.h5") as file:
        assert "metric" not in file.attributes and "metric" not in file.parameters


def test_machines_of_a_triangle(folder):
    """Machines bring the sites of their block and the metric; options that repeat them agree."""
    machines = f"{folder}/triangle-theta.h5"
    line = f"train-theta {folder}/samples.h5 --block {folder}/triangle.csv --metric lattice"
    options = "--windows 2000 --epochs 1 --hidden 2 -q"
    assert run_here(*line.split(), *options.split(), "-o", machines).code == 0
    with open_file(machines) as file:
        assert file.attributes["metric"] == "lattice" and file.read("/mask").tolist() == [
            1,
            0,
            1,
            1,
        ]
        assert file.shape("/joint/weights")[0] == 18 and file.shape("/block/weights")[0] == 3
        assert file.parameters["sites"] == [[0, 0], [1, 0], [1, 1]]
    text = run_here("info", machines).out
    assert "2x2: 3 sites" in text and "ring of width 1: 15 sites" in text
    for repeated in ("", " --block triangle.csv --metric lattice"):
        result = train(
            folder, f"--theta triangle-theta.h5{repeated} --windows 2000 --restarts 1", out="t.h5"
        )
        assert result.code == 0, result.err
    with open_file(folder / "t.h5") as file:
        assert file.attributes["metric"] == "lattice" and len(file.read("/mask")) == 4
    result = train(folder, "--theta triangle-theta.h5 --block 2x2", out="refused.h5")
    assert result.code == 2 and "trained with block 0,0 1,0 1,1" in result.err


def test_cells_of_several_sites(folder, tmp_path):
    """Three cells of the honeycomb lattice: six spins, of both sites of a cell."""
    samples, rule = tmp_path / "samples.h5", tmp_path / "rule.h5"
    line = "sample --model ising-honeycomb --size 8 --temperature Tc --samples 1024 --chains 512"
    schedule = "--thermalization 50 --interval 5 -q"
    assert run_here(*line.split(), *schedule.split(), "-o", samples).code == 0
    options = f"--block {folder}/triangle.csv {OPTIONS} --updates 40 -q --json"
    line = f"train-lambda {samples} {options} -o {rule}"
    result = run_here(*line.split())
    assert result.code == 0, result.err
    filters = np.reshape(json.loads(result.out)["filters"], (2, 2, 2, 2))
    assert not filters[:, :, 0, 1].any() and filters[:, :, 1].all()
    with open_file(rule) as file:
        assert file.read("/provenance/block_covariance").shape == (6, 6)
    assert run_here("info", rule).code == 0
    assert run_here("plot", rule, "-o", tmp_path / "rule.png", "-q").code == 0
    theta = f"train-theta {samples} --block {folder}/triangle.csv --windows 2000 --epochs 1 -q"
    assert run_here(*theta.split(), "-o", tmp_path / "theta.h5").code == 0


@pytest.mark.parametrize(
    ("options", "samples", "message"),
    [
        ("--theta theta.h5 --metric lattice", "samples.h5", "trained with metric square"),
        ("--theta theta.h5 --block triangle.csv", "samples.h5", "trained with block 2x2"),
        ("--block triangle.csv", "dimers.h5", "tied together"),
        ("--block triangle.csv", "masked.h5", "without a mask"),
        ("--block 2x2 --metric lattice", "masked.h5", "without a mask"),
        ("--block missing.csv", "samples.h5", "No such file"),
        ("--block triangle.csv --buffer 8", "samples.h5", "do not fit"),
    ],
)
def test_refusals(folder, options, samples, message):
    result = train(folder, options, samples, "refused.h5")
    assert result.code == 2 and result.err.count("\n") == 1
    assert message in result.err
