"""`rsmi spectrum`: from files and in flight, its numbers, its shards, and what it refuses."""

import json
import math
import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import digest, run_here

from rsmi.lattice.packed import unpack_spins
from rsmi.stages.spectrum.allocation import samples_of
from rsmi.stages.spectrum.storage import read
from rsmi.stages.spectrum.sums import Grouping, merged
from rsmi.store import open_file

SAMPLE = "sample --algorithm swendsen-wang --thermalization 20 --interval 2 --samples 600 -q"
FLIGHT = (
    "spectrum --model ising --sizes 8,12,16 --temperature Tc --samples 6000 --thermalization 60"
    " --interval 6 --threads 1 -q"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Samples of three lattices, one of them hotter, a learned rule, and a run in flight."""
    folder = tmp_path_factory.mktemp("spectrum")
    for name, rest in (
        ("8.h5", "--size 8 --temperature Tc"),
        ("16.h5", "--size 16 --temperature Tc"),
        ("hot-16.h5", "--size 16 --temperature 1.02Tc"),
        ("cube.h5", "--dimension 3 --size 4 --temperature Tc"),
    ):
        assert run_here(*SAMPLE.split(), *rest.split(), "-o", folder / name).code == 0
    assert run_here(*FLIGHT.split(), "-o", folder / "flight.h5").code == 0
    (folder / "biased.csv").write_text("1,1\n1,1\n")
    return folder


@pytest.fixture
def here_with(folder, workplace):
    """Copies of the files in the working directory, and the command line in this process."""
    for path in folder.iterdir():
        shutil.copy(path, workplace)
    return run_here


def numbers(line: str) -> dict:
    result = run_here(*line.split())
    assert result.code == 0, result.err
    return json.loads(result.out)


# ---- numbers -------------------------------------------------------------------------------------


def test_scaling_dimensions_of_a_short_run(here_with):
    """Both headlines are right within four errors. Powers of L that are off by one, or a response
    with the wrong sign, are wrong by far more."""
    found = numbers("info flight.h5 --json")
    assert found["samples"] == [7800, 6000, 6000]
    assert found["exact_energy"] == [True] * 3
    for sector, exact, largest in (("odd", 1 / 8, 0.05), ("even", 1, 1)):
        row = found["headline"][sector]
        assert row["exact"] == exact
        assert abs(row["delta"] - exact) < 4 * math.hypot(row["error"], row["systematic"])
        assert row["error"] < largest
    assert found["headline"]["odd"]["next"] == 17 / 8
    assert found["exponents"]["nu"]["value"] == 1 / (2 - found["headline"]["even"]["delta"])


def test_files_beside_learned_functions(here_with):
    """A plaquette, the majority rule and a filter in a CSV file, sector by sector."""
    line = "spectrum 8.h5 16.h5 --function plaquette --function majority --odd biased.csv"
    found = numbers(f"{line} --json -q -o out.h5")
    assert found["functions"]["odd"] == ["magnetization", "majority 2x2", "biased, soft"]
    assert found["functions"]["even"] == ["energy", "plaquette"]
    assert [row["quantity"] for row in found["sequence"] if row["quoted"]] == [
        *["m2"] * 3,
        *["X12"] * 2,
    ]
    assert any("no extrapolation" in remark for remark in found["remarks"])
    text = run_here("info", "out.h5").out
    assert "exact 1/8 = 0.125 (sigma), next 17/8 = 2.125 (d^2 sigma)" in text
    assert "majority 2x2" in text


def test_a_linear_filter_is_the_magnetization(here_with):
    """Averaged over the lattice, a linear filter is a multiple of the magnetization."""
    found = numbers("spectrum 8.h5 16.h5 --odd biased.csv --readout linear --json -q -o linear.h5")
    naive, linear = ([r for r in found["sequence"] if r["function"].startswith(f)] for f in "mb")
    assert [r["delta"] for r in naive] == pytest.approx([r["delta"] for r in linear], abs=1e-12)


def test_sums_are_those_of_the_configurations(here_with):
    """Counts, moments and products, recomputed from the samples file."""
    assert run_here(*"spectrum 8.h5 16.h5 -q -o out.h5".split()).code == 0
    with open_file("out.h5") as file, h5py.File("8.h5") as samples:
        sums, spins = read(file)[0], unpack_spins(samples["spins"][()], (8, 8)).astype(float)
    m = np.abs(spins.mean(axis=(1, 2)))
    e = (spins * np.roll(spins, 1, 1) + spins * np.roll(spins, 1, 2)).mean(axis=(1, 2)) / 2
    o = sums.arrays["offset"][Grouping(600, 8).of(np.arange(600)), 0]
    assert sums.arrays["count"].sum() == 600
    assert sums.arrays["odd_sums"][:, 0].sum(axis=0) == pytest.approx(
        [np.sum(m**p) for p in (1, 2, 4)]
    )
    assert sums.arrays["cross_sums"][:, 0, 0].sum(axis=0) == pytest.approx(
        [np.sum((e - o) * m**p) for p in (1, 2, 4)]
    )
    halves = merged(sums, np.repeat([0, 1], sums.groups // 2))
    first = Grouping(600, 8).of(np.arange(600)) < sums.groups // 2
    offset = halves.arrays["offset"][0, 0]
    assert halves.arrays["even_sums"][0, 0] == pytest.approx(
        [np.sum(e[first] - offset), np.sum((e[first] - offset) ** 2)]
    )


def test_modes(here_with):
    found = numbers("spectrum 8.h5 16.h5 --modes --json -q -o modes.h5")
    quoted = [row["quantity"] for row in found["sequence"] if row["quoted"]]
    assert quoted == ["A", "X12"]
    assert {row["quantity"] for row in found["sequence"]} == {"m1", "m2", "A", "X12", "X24", "E01"}


def test_off_critical_samples_are_remarked(here_with):
    line = FLIGHT.replace("Tc", "1.01Tc").replace("6000", "3000")
    result = run_here(*line.replace(" -q", "").split(), "-o", "off.h5")
    assert "T = 1.01 T_c: scaling dimensions hold only at the critical temperature" in result.err


def test_every_file_gives_its_functions_a_name_of_their_own(here_with):
    """Two filters of one form, and one of the same file name in another folder. The names of files
    are in no digest."""
    os.mkdir("other")
    for path, numbers_of_filter in (("corner.csv", "2,1\n1,1"), ("other/biased.csv", "1,2\n1,1")):
        Path(path).write_text(numbers_of_filter)
    line = "spectrum 8.h5 16.h5 --odd corner.csv -q"
    found = numbers(f"{line} --odd biased.csv --odd other/biased.csv --json -o three.h5")
    names = found["functions"]["odd"]
    assert names[:2] == ["magnetization", "corner, soft"] and len(set(names)) == 4
    assert all(name.startswith("filter 2x2, soft (") for name in names[2:])
    assert [row["function"] for row in found["sequence"] if row["quoted"]][:-1] == names
    assert run_here(*line.split(), "-o", "one.h5").code == 0
    os.rename("corner.csv", "renamed.csv")
    line = line.replace("corner", "renamed")
    assert run_here(*line.split(), "-o", "two.h5").code == 0
    assert digest("one.h5") == digest("two.h5")
    assert "renamed, soft" in run_here("info", "two.h5").out
    with h5py.File("two.h5", "a") as file:
        file["/provenance/labels"][()] = b"[]"
    damaged = run_here("info", "two.h5")
    assert damaged.code == 65 and "the labels of functions are damaged" in damaged.sentence


# ---- one result, however it is made --------------------------------------------------------------


def test_threads_interruptions_and_shards_change_nothing(here_with, interrupt):
    whole = digest("flight.h5")
    line = FLIGHT.split()
    for count in (0, 30):
        interrupt([*line, "-o", "again.h5"], count)
    assert run_here(*line, "--threads", 2, "-o", "again.h5").code == 0
    assert digest("again.h5") == whole
    shards = [f"{i}.h5-shard" for i in range(3)]
    for number, shard in enumerate(shards):
        assert run_here(*line, "--shard", f"{number}/3", "-o", shard).code == 0
    assert run_here("merge", *shards, "-q", "-o", "merged.h5").code == 0
    assert digest("merged.h5") == whole


def test_shards_of_files(here_with):
    line = "spectrum 8.h5 16.h5 --function corner --odd biased.csv -q".split()
    for number in range(2):
        assert run_here(*line, "--shard", f"{number}/2", "-o", f"{number}.shard").code == 0
    assert "rows  " not in run_here("info", "0.shard").out  # its streams are sums
    assert run_here(*"merge 0.shard 1.shard -q -o merged.h5".split()).code == 0
    assert run_here(*line, "-o", "whole.h5").code == 0
    assert digest("merged.h5") == digest("whole.h5")
    assert "biased, soft" in run_here("info", "merged.h5").out


def test_the_file_is_small(folder):
    assert (folder / "flight.h5").stat().st_size < 1 << 20


# ---- correlation functions -----------------------------------------------------------------------


def test_correlations_are_those_of_the_configurations(here_with):
    """C(r) along the axis and the diagonal, connected for the energy, and the structure factor."""
    found = numbers("spectrum 8.h5 --correlation --json -q -o c.h5")
    (lattice,) = found["lattices"]
    spin, energy = lattice["correlations"]
    with h5py.File("8.h5") as samples:
        spins = unpack_spins(samples["spins"][()], (8, 8)).astype(float)
    bonds = (spins * np.roll(spins, -1, 1) + spins * np.roll(spins, -1, 2)) / 2
    along = [(spins * np.roll(spins, 3, axis)).mean() for axis in (1, 2)]
    assert spin["axis"][3] == pytest.approx(np.mean(along))
    across = [(bonds * np.roll(bonds, (2, sign * 2), (1, 2))).mean() for sign in (1, -1)]
    assert energy["diagonal"][2] == pytest.approx(np.mean(across) - bonds.mean() ** 2)
    assert energy["structure_factor"][0] == pytest.approx(64 * np.var(bonds.mean(axis=(1, 2))))
    assert (spin["connected"], energy["connected"]) == (False, True)
    assert spin["exact_power"] == 0.25
    assert "C(r) = <O(x) O(x + r)> - <O>^2" in run_here("info", "c.h5").out


def test_correlations_of_a_filter(here_with):
    """A linear filter of equal weights w is the block's average: C(0) follows from the spins."""
    line = "spectrum 8.h5 --correlation --odd biased.csv --readout linear"
    found = numbers(f"{line} --json -q -o c.h5")
    filtered = found["lattices"][0]["correlations"][1]
    with h5py.File("8.h5") as samples:
        spins = unpack_spins(samples["spins"][()], (8, 8)).astype(float)
    block = sum(np.roll(spins, (-i, -j), (1, 2)) for i in (0, 1) for j in (0, 1)) / 4
    assert filtered["function"] == "biased, linear"
    assert filtered["axis"][0] == pytest.approx((block**2).mean())


def test_two_point_dimensions_of_scalars(here_with):
    """The spread of two sizes: right for the spin; pulled low for the energy of small lattices."""
    found = numbers("spectrum 8.h5 16.h5 --correlation --json -q -o two.h5")
    spin, energy = found["dimensions"]
    assert (spin["quantity"], energy["quantity"]) == ("spread", "spread")
    assert (spin["wave"], spin["wave_name"]) == (["0", "0"], "uniform")
    assert abs(spin["delta"] - 0.125) < 4 * spin["error"] + 0.02
    assert abs(energy["delta"] - 0.98) < 4 * energy["error"] < 1


def test_units_of_a_rule_are_one_operator_if_their_waves_are(here_with):
    """Two units with a uniform order are measured together and a staggered one by itself. Lattices
    of fewer than four blocks are left out, and if too few remain, this is said."""
    np.save("rule.npy", [[1, 1, 1, 1], [1, -1, -1, 1], [1, 1, 1, 0]])
    found = numbers("spectrum 8.h5 16.h5 --correlation --odd rule.npy --json -q -o three.h5")
    names = [row["function"] for row in found["dimensions"]]
    assert names[1:3] == ["rule units 1 and 3, soft", "rule unit 2, soft"]
    _, spins, unit, _ = found["dimensions"]
    assert (spins["functions"], spins["wave_name"]) == ([1, 3], "uniform")
    assert (unit["functions"], unit["wave_name"]) == ([2], "staggered")
    assert abs(spins["delta"] - 0.125) < 4 * spins["error"] + 0.02
    text = run_here("info", "three.h5").out
    assert "rule units 1 and 3, soft" in text
    np.save("wide.npy", np.ones((1, 64)))
    found = numbers(
        "spectrum 8.h5 16.h5 --correlation --function wide.npy --block 8x8 --json -q -o w.h5"
    )
    assert found["dimensions"][1]["reason"].startswith("two sizes from 32 on are needed")
    assert "no dimension of wide, soft: two sizes" in run_here("info", "w.h5").out


def test_correlations_of_dimers_are_those_of_the_electric_field(here_with, interrupt):
    """The field is a conserved current: its structure factor vanishes along its own axis, so that
    S(1), averaged over both axes, is half of the transverse one, about S(0). The result does not
    depend on how it is made."""
    line = (
        "spectrum --model dimers --sizes 8,12 --samples 300 --chains 8 --correlation --threads 1"
        " --thermalization 20 --interval 2 -q"
    ).split()
    interrupt([*line, "-o", "dimers.h5"], 60)
    assert run_here(*line, "-o", "dimers.h5").code == 0
    for number in range(2):
        shard = run_here(*line, "--shard", f"{number}/2", "-o", f"{number}.shard")
        assert shard.code == 0, shard.err
    assert run_here(*"merge 0.shard 1.shard -q -o merged.h5".split()).code == 0
    assert digest("merged.h5") == digest("dimers.h5")
    found = numbers("info dimers.h5 --json")
    assert found["functions"] == ["x-field", "y-field", "x-columns", "y-columns"]
    assert found["sectors"] == ["any"] * 4
    for row in found["lattices"][0]["correlations"][:2]:
        first, second = row["structure_factor"][:2]
        assert abs(first - 0.30) < 4 * row["structure_factor_error"][0]
        assert second == pytest.approx(0.16, abs=0.03)
    assert [row["functions"] for row in found["dimensions"]] == [[0], [1], [2], [3]]
    for row in found["dimensions"][:2]:
        assert abs(row["delta"] - 1) < 4 * row["error"] < 0.6


# ---- what is sampled -----------------------------------------------------------------------------


def test_more_configurations_of_small_lattices():
    sizes = (8, 12, 16, 24, 32)
    assert [samples_of(size, sizes, 1000, 2) for size in sizes] == [3100, 1900, 1300, 1000, 1000]
    assert [samples_of(size, (4, 8, 16), 1000, 3) for size in (4, 8, 16)] == [16000, 4000, 1000]


@pytest.mark.parametrize(
    ("samples", "chains"), [(1000, 1024), (5000, 1024), (600, 8), (7, 3), (70, 64)]
)
def test_groups_have_whole_chains_or_successive_samples_of_one(samples, chains):
    grouping = Grouping(samples, chains)
    groups = grouping.of(np.arange(samples))
    assert np.array_equal(np.unique(groups), np.arange(grouping.count))
    for group in range(grouping.count):
        own = np.flatnonzero(groups == group)
        if not grouping.whole_chains:
            assert len(set(own % chains)) == 1
            assert np.ptp(own // chains) == len(own) - 1


def test_dry_run_prints_the_allocation(here_with):
    plan = numbers(f"{FLIGHT} --dry-run --json -o no.h5")
    assert plan["samples_of_size"] == "N max(1, 0.9 L_max/L - 0.5)"
    assert plan["samples"] == [7800, 6000, 6000]


def test_another_request_is_told_apart_in_few_words(here_with):
    """Of parameters with many entries only those are named that differ."""
    line = FLIGHT.replace("6000", "8000")
    result = run_here(*line.split(), "-o", "flight.h5")
    assert result.code == 73
    assert "sampled 1: samples = 7800 there, 10400 in this command" in result.sentence
    assert "chains" not in result.sentence and "1 more" in result.sentence
    line = FLIGHT.replace("8,12,16", "8,12")
    assert "3 entries there, 2 entries" in run_here(*line.split(), "-o", "flight.h5").sentence


# ---- what is refused -----------------------------------------------------------------------------

REFUSED = {
    "spectrum 8.h5": "a scaling dimension takes two lattice sizes at least",
    "spectrum 8.h5 hot-16.h5": "hot-16.h5: K 0.432045876, 8.h5 has 0.4406867935",
    "spectrum 8.h5 cube.h5": "cube.h5: dimension 3",
    "spectrum 8.h5 8.h5 16.h5": "holds the same random streams",
    "spectrum 8.h5 16.h5 --function nothing.h5": "--function nothing.h5: no such file",
    "spectrum --model ising --sizes 8,16 --temperature Tc --samples 1": "at least 4 are needed",
    "spectrum --model dimers --sizes 8 --samples 3 --correlation": "at least 4 are needed",
    "spectrum 8.h5 16.h5 --function nothing": "neither a file nor one of magnetization, energy",
    "spectrum 8.h5 16.h5 --even magnetization": "magnetization is odd under a flip",
    "spectrum 8.h5 16.h5 --function majority-ties-up": "is neither odd nor even",
    "spectrum 8.h5 16.h5 --sizes 8,16": "--sizes: the samples are read from files",
    "spectrum --model ising --sizes 8,16 --temperature Tc": "--samples: needed with --model",
    "spectrum --model dimers --sizes 8,16 --coupling 0 --samples 100": "2 components per site",
    "spectrum": "give files of samples, or --model",
    "spectrum 8.h5 16.h5 --omega free": "a free omega needs 5 sizes",
    "spectrum 8.h5 --correlation --omega 2": "--omega: belongs to scaling dimensions",
    "spectrum --model dimers --boundary open --sizes 8 --samples 9 --correlation": "periodic",
    "spectrum cube.h5 --modes": "takes two lattice sizes",
}


@pytest.mark.parametrize("line", REFUSED)
def test_refused(here_with, line):
    result = run_here(*line.split(), "-q", "-o", "no.h5")
    assert result.code == 2, result
    assert REFUSED[line] in result.sentence


def test_dimensions_of_the_named_fields(tmp_path):
    """Each named field of a model has its own exact dimension: 1 for the field of the six-vertex
    model, pi/(2 arccos Delta) for its staggered polarization."""
    line = "sample --model six-vertex --weight 1.8 --size 8 --samples 800 --chains 16 -q -o"
    assert run_here(*line.split(), tmp_path / "s.h5").code == 0
    line = ["spectrum", tmp_path / "s.h5", "--correlation", "-q", "--json", "-o"]
    result = run_here(*line, tmp_path / "c.h5")
    assert result.code == 0, result.err
    (lattice,) = json.loads(result.out)["lattices"]
    powers = {one["function"]: one["exact_power"] for one in lattice["correlations"]}
    expected = {"x-field": 2.0, "y-field": 2.0, "staggered": 1.402785}
    assert powers == pytest.approx(expected, abs=1e-6)
    assert {one["sector"] for one in lattice["correlations"]} == {"odd"}
    assert "weight of c vertices 1.8" in run_here("info", tmp_path / "c.h5").out
