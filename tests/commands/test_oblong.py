"""Lattices whose sides differ are called by all their sides: in text, in JSON and in figures."""

import contextlib
import json
import re
from pathlib import Path

import pytest
from conftest import run_here
from example_files import figure, short_fits

from rsmi.lattice.geometry import sides_text

POINTS = ("2.2", "2.4")
SIZES = ("16x8", "32x16")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Samples of two oblong sizes and of a square, and what is made from them."""
    folder = tmp_path_factory.mktemp("oblong")
    names = [f"{size}-{point}.h5" for size in SIZES for point in POINTS]
    sample = "sample --algorithm swendsen-wang --thermalization 50 --interval 3 --samples 1200"
    lines = [
        f"{sample} --size {name.split('-')[0]} --temperature {name.split('-')[1][:-3]} -o {name}"
        for name in names
    ]
    lines += [
        f"{sample} --size 16 --temperature 2.3 -o square.h5",
        f"flow {' '.join(names)} square.h5 --rule decimation --steps 2 -o flow.h5",
        "flow 16x8-2.2.h5 --rule majority --steps 1 -o small.h5",
        "exponent small.h5 -o small-exponent.h5",
        "exponent flow.h5 -o exponent.h5",
        f"crossing {' '.join(names)} -o crossing.h5",
        "train-lambda 16x8-2.2.h5 --block 2x2 --windows 2000 --restarts 1 -o lambda.h5",
    ]
    with contextlib.chdir(folder), short_fits():
        for line in lines:
            result = run_here(*line.split())
            assert result.code == 0, result.err
    return folder


def text(path) -> str:
    return run_here("info", path).out


def numbers(path) -> dict:
    return json.loads(run_here("info", path, "--json").out)


def words(path) -> str:
    """The words of a figure."""
    return re.sub(r"\$|\\mathdefault|[{}]", "", " ".join(figure(path)[1]))


def test_flow(files):
    shown = text(files / "flow.h5")
    for size in ("16x8", "8x4", "4x2", "32x16"):
        assert f"L = {size}" in shown
    assert "L = 16 " in shown  # the square
    steps = [row for entry in numbers(files / "flow.h5")["flows"] for row in entry["steps"]]
    assert all(row["size"] == row["shape"][0] for row in steps)
    assert [16, 8] in [row["shape"] for row in steps] and [8, 8] in [row["shape"] for row in steps]
    assert "L = 32x16" in words(files / "flow.h5")


def test_exponent(files):
    assert re.search(r"lattice +16x8\n", text(files / "small-exponent.h5"))
    found = numbers(files / "small-exponent.h5")
    assert (found["size"], found["shape"]) == (16, [16, 8])
    assert "L = 16x8" in words(files / "small-exponent.h5")


def test_exponent_of_a_square(files):
    """The temperature next to T_c is that of the square."""
    assert re.search(r"lattice +16x16\n", text(files / "exponent.h5"))
    assert numbers(files / "exponent.h5")["shape"] == [16, 16]


def test_collapse_keeps_shapes_apart(files):
    """A square and an oblong lattice with the same first side have offsets of their own."""
    points = numbers(files / "exponent.h5")["nu_collapse"].get("points", [])
    assert all(point.get("shape", [point["size"]])[0] == point["size"] for point in points)


def test_crossing(files):
    shown = text(files / "crossing.h5")
    assert "sizes          16x8, 32x16" in shown
    found = numbers(files / "crossing.h5")
    assert (found["sizes"], found["shapes"]) == ([16, 32], [[16, 8], [32, 16]])
    assert {"32x16", "16x8"} <= set(words(files / "crossing.h5").split())


def test_samples_and_rules(files):
    assert "16x8 ising" in text(files / "lambda.h5")
    for name in ("lambda.h5", "16x8-2.2.h5"):
        assert "16x8" in words(files / name)


def test_old_exponents_say_what_they_know(here):
    """Files before format 1.4 have the first side only."""
    (old,) = Path(__file__).parent.parent.glob("data/format-1.3/exponent.h5")
    assert "sites along the first side" in here("info", old).out
    assert json.loads(here("info", old, "--json").out)["shape"] is None


@pytest.mark.parametrize(
    ("shape", "words"), [((8, 8), "8"), ((8, 32), "8x32"), ((4, 4, 6), "4x4x6"), ((9,), "9")]
)
def test_sides(shape, words):
    assert sides_text(shape) == words
