"""`rsmi spectrum` of models with an order of their own: antiferromagnets, hard cores, lattices with
several sites in a cell, and ground states of the triangular antiferromagnet."""

import dataclasses
import json
import math

import numpy as np
import pytest
from conftest import digest, run_here

from rsmi.lattice.packed import unpack_spins
from rsmi.models.lattice.orders import order_of
from rsmi.models.lattice.presets import preset
from rsmi.stages.spectrum.storage import read
from rsmi.store import open_file

SYSTEMS = {
    "squares": "--model hard-squares --fugacity zc",
    "hexagons": "--model hard-hexagons --fugacity zc",
    "ground": "--model triangular-ground-states",
    "honeycomb": "--model ising-honeycomb --temperature Tc",
    "antiferromagnet": "--model ising-square --antiferromagnetic --temperature Tc",
}
CHAINS = "--chains 512 --thermalization 100 --interval 2 -q"


def numbers(line):
    result = run_here(*line.split())
    assert result.code == 0, result.err
    return json.loads(result.out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Samples of 6x6 and 12x12 sites, and rules that were learned on the larger ones."""
    folder = tmp_path_factory.mktemp("orders")
    for name, system in SYSTEMS.items():
        for size in (6, 12):
            line = f"sample {system} --size {size} --samples 512 {CHAINS}"
            assert run_here(*line.split(), "-o", folder / f"{name}-{size}.h5").code == 0
    for name, hidden in (("squares", 1), ("honeycomb", 1), ("hexagons", 2)):
        line = (
            f"train-lambda {folder}/{name}-12.h5 --block 2x2 --hidden {hidden} --windows 2000"
            f" --restarts 1 --updates 10 -q -o {folder}/rule-{name}.h5"
        )
        assert run_here(*line.split()).code == 0
    return folder


def configurations(folder, name):
    """Samples on 12x12 cells, +-1 (n, components, 12, 12)."""
    with open_file(folder / f"{name}-12.h5") as file:
        shape = (file.attributes.get("components", 1), 12, 12)
        return unpack_spins(file.read("/spins"), shape).astype(float)


def moments(folder, name, options=""):
    """The sums of |m|, m^2 and m^4 over all samples on 12x12, (functions, 3), and the sums of the
    fluctuations of the even function about its first value."""
    files = f"{folder}/{name}-6.h5 {folder}/{name}-12.h5"
    found = numbers(f"spectrum {files} {options} --force -q --json -o {folder}/out.h5")
    with open_file(folder / "out.h5") as file:
        sums = read(file)[1]
    mean = sums.with_common_offset()[0] if sums.even else None
    return found, sums.arrays["odd_sums"].sum(axis=0), mean


# ---- which order ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sign", "order", "periods"),
    [
        ("ising-square", 1, "magnetization", (1, 1)),
        ("ising-square", -1, "staggered order", (2, 2)),
        ("ising-triangular", -1, "order at K", (3, 3)),
        ("ising-honeycomb", 1, "magnetization", (1, 1)),
        ("ising-honeycomb", -1, "staggered order", (1, 1)),
        ("ising-kagome", 1, "magnetization", (1, 1)),
        ("ising-j1j2", 1, "striped order", (2, 2)),
        ("hard-squares", 1, "staggered order", (2, 2)),
        ("hard-hexagons", 1, "order at K", (3, 3)),
    ],
)
def test_order_of_presets(name, sign, order, periods):
    own = preset(name)
    found = order_of(own.with_couplings({n: sign * c for n, c in own.couplings.items()}))
    assert (found.name, found.periods) == (order, periods)


def test_no_order():
    """The antiferromagnet of the kagome lattice has no wave vector that is better than all others,
    and a field takes the symmetry of a ferromagnet away, but not that of an antiferromagnet."""
    kagome, square = preset("ising-kagome"), preset("ising-square")
    assert order_of(kagome.with_couplings({"nearest": -1.0})) is None
    (name,) = square.couplings
    for coupling, known in ((1.0, False), (-1.0, True)):
        own = square.with_couplings({name: coupling})
        assert (order_of(dataclasses.replace(own, field=0.1)) is not None) == known


# ---- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SYSTEMS)
def test_moments_are_those_of_the_order(folder, name):
    """Against sums over all sites with phases written out here; and the even function is minus the
    energy per site."""
    found, sums, even = moments(folder, name)
    spins = configurations(folder, name)
    x, y = np.indices((12, 12))
    phases = {
        "squares": (-1.0) ** (x + y),
        "antiferromagnet": (-1.0) ** (x + y),
        "honeycomb": np.ones((12, 12)),
    }.get(name, np.exp(2j * np.pi * (x + y) / 3))
    modulus = np.abs((spins * phases).sum(axis=(1, 2, 3))) / spins[0].size
    expected = [(modulus**power).sum() for power in (1, 2, 4)]
    np.testing.assert_allclose(sums[0], expected, rtol=1e-9)
    assert found["headline"]["odd"]["quantity"] == "m2"
    if name == "ground":
        assert found["functions"]["even"] == []
        return
    with open_file(folder / f"{name}-12.h5") as file:
        energy = file.read("/energy").mean()
    assert even[0] == pytest.approx(-energy / spins[0].size)


@pytest.mark.parametrize(
    ("name", "sector"), [("squares", "odd"), ("hexagons", "odd"), ("squares", "even")]
)
def test_learned_units(folder, name, sector):
    """The part of a unit with the wave vector of the order, or its average over the lattice."""
    rule, spins = folder / f"rule-{name}.h5", configurations(folder, name)[:, 0]
    found, sums, even = moments(folder, name, f"--{sector} {rule} --readout linear")
    with open_file(rule) as file:
        filters, bias = file.read("/filters"), file.read("/bias")
    scale = np.abs(filters[0]).sum()
    values = np.full(spins.shape, bias[0])
    for weight, step in zip(filters[0], np.ndindex(2, 2)):
        values += weight * np.roll(spins, (-step[0], -step[1]), (1, 2))
    if sector == "even":
        assert even[1] == pytest.approx((values / scale).mean())
        return
    x, y = np.indices((12, 12))
    turns = np.exp(2j * np.pi * (x + y) / (3 if name == "hexagons" else 2))
    modulus = np.abs((values * turns).mean(axis=(1, 2))) / scale
    assert sums[1, 1] == pytest.approx((modulus**2).sum())
    assert len(found["functions"]["odd"]) == 1 + len(filters)


def test_a_unit_of_several_components(folder):
    """A unit of both sites of a cell is odd under a flip, as the magnetization is."""
    found, sums, _ = moments(folder, "honeycomb", f"--function {folder}/rule-honeycomb.h5")
    assert len(found["functions"]["odd"]) == 2 and found["functions"]["even"] == ["energy"]
    assert sums[1, 1] > 0


@pytest.mark.parametrize(
    ("name", "factor"),
    [("squares", 4 * 16.773814253), ("hexagons", 4 * 9.8395261531), ("ground", 26.753704661)],
)
def test_exact_structure_factors(folder, name, factor):
    """<m^2> on 12x12 sites, from transfer matrices and Kasteleyn determinants."""
    line = (
        f"spectrum {SYSTEMS[name]} --sizes 6,12 --samples 4096 --thermalization 2000 --interval"
        f" {3 if name == 'ground' else 40} --threads 1 --force -q --json -o {folder}/exact.h5"
    )
    row = numbers(line)["sequence"][1]
    assert row["quantity"] == "m2"
    value = row["values"][1]
    assert abs(value["logarithm"] - math.log(factor / 144)) < 4 * value["error"]


# ---- runs ----------------------------------------------------------------------------------------


def test_shards_and_threads(folder, workplace):
    """Two shards make the file of one process, from samples that are made on the way."""
    schedule = "--samples 2048 --chains 1024 --thermalization 50 --interval 5 -q"
    line = f"spectrum {SYSTEMS['squares']} --sizes 6,8 {schedule}"
    for name, options in (("one.h5", ""), ("a.h5", "--shard 0/2"), ("b.h5", "--shard 1/2")):
        assert run_here(*line.split(), *options.split(), "-o", name).code == 0
    assert run_here("merge", "a.h5", "b.h5", "-o", "both.h5", "-q").code == 0
    assert digest("both.h5") == digest("one.h5")
    text = run_here("info", "both.h5").out
    assert "staggered order" in text and "z/z_c = 1.0000" in text
    assert "which translations of the lattice turn round" in text
    assert run_here("plot", "both.h5", "-o", "both.png", "-q").code == 0


def test_off_the_critical_fugacity(folder, workplace):
    line = "spectrum --model hard-squares --fugacity 0.9zc --sizes 6,8 --samples 1024 -q --json"
    assert "0.9 z_c" in numbers(f"{line} -o cold.h5")["remarks"][0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--model hard-squares --fugacity zc --sizes 7,9", "the staggered order repeats after 2x2"),
        ("--model hard-hexagons --fugacity zc --sizes 6,8", "the order at K repeats after 3x3"),
        ("--model hard-squares --fugacity zc --sizes 6,8 --modes", "leave --modes out"),
        ("--model ising-kagome --antiferromagnetic --temperature 1 --sizes 6,8", "name an order"),
        ("--model ising-square --temperature 2 --field 0.1 --sizes 6,8", "no order at a wave"),
        ("--model hard-squares --fugacity zc --sizes 6,8 --function nothing", "staggered order"),
        ("--model hard-squares --fugacity zc --sizes 6,8 --odd density", "density is even"),
    ],
)
def test_refused(workplace, line, message):
    result = run_here("spectrum", *line.split(), "--samples", "64", "-q", "-o", "out.h5")
    assert result.code == 2 and result.err.count("\n") == 1
    assert message in result.err
