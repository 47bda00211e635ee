"""I(H:E) of models on lattices and of triangular ground states: numbers from another enumeration of
all states of the 6x6 torus, and small tori whose configurations are written down."""

import json
import math
from dataclasses import replace
from pathlib import Path

import exact as brute
import numpy as np
import pytest

from rsmi import models
from rsmi.information.channel import channel_table
from rsmi.information.entropy import joint_informations
from rsmi.lattice.geometry import Geometry
from rsmi.models.lattice import measures, model_file
from rsmi.models.lattice.enumeration import LatticeEnumeration
from rsmi.models.lattice.system import StatePoint
from rsmi.models.triangular_ground_states import enumeration

WINDOW = Geometry((2, 2), 1, 1)
COS = np.array([1, -0.5, -0.5, -0.5])  # of 2 pi (x + y)/3 on the sites of the block
SIN = np.array([0, 1, 1, -1]) * math.sqrt(3) / 2
# Exact: block 2x2, buffer 1, all 20 outer sites of the 6x6 torus; 263,640 ground states.
GROUND_STATES = {
    "I(V:E)": (None, 0.7169311176324435),
    "cos": ([COS], 0.24903530756534575),
    "sin": ([SIN], 0.2923634670568749),
    "cos and sin": ([COS, SIN], 0.5569081003870266),
    "uniform": ([[1, 1, 1, 1]], 0.060044617969079006),
    "one spin": ([[1, 0, 0, 0]], 0.24903530756534575),
    "two spins": ([[1, 0, 0, 0], [0, 1, 0, 0]], 0.49412075663361943),
    "staggered": ([[1, -1, -1, 1]], 0.24178464839673275),
}
# Exact: the same window of hard hexagons at z_c, 162,314 configurations. The density centres cos
# and sin of occupations.
DENSITY = 0.292778972499
HEXAGONS = {
    "I(V:E)": (None, None, 0.9166022295081496),
    "cos": ([COS / 2], [COS.sum() * (0.5 - DENSITY)], 0.44461232791995053),
    "sin": ([SIN / 2], [SIN.sum() * (0.5 - DENSITY)], 0.5005519609705722),
    "cos and sin": (
        [COS / 2, SIN / 2],
        [one.sum() * (0.5 - DENSITY) for one in (COS, SIN)],
        0.8087951225744296,
    ),
    "empty or not": ([[1, 1, 1, 1]], [3], 0.032556046295304064),
    "one site": ([[1, 0, 0, 0]], [0], 0.4252390118161218),
}


def definition(name, **changes):
    return model_file.of_content(models.get(name).definition.as_json() | changes)


@pytest.fixture(scope="module")
def ground_states():
    return enumeration.GroundStateEnumeration().joint(WINDOW, (6, 6), 0.0)


@pytest.fixture(scope="module")
def hexagons():
    own = definition("hard-hexagons", fugacity=(11 + 5 * math.sqrt(5)) / 2)
    return LatticeEnumeration(own).joint(WINDOW, (6, 6), 0.0)


def information(joint, filters, bias=None):
    """I(H:E) of a hard rule; I(V:E) without filters."""
    channel = np.eye(len(joint))
    if filters is not None:
        bias = np.zeros(len(filters)) if bias is None else bias
        channel = channel_table(filters, bias, True)
    return joint_informations([channel], joint)[0].information


@pytest.mark.parametrize("name", GROUND_STATES)
def test_ground_states(name, ground_states):
    filters, expected = GROUND_STATES[name]
    assert ground_states.shape == (16, 4102)
    assert information(ground_states, filters) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", HEXAGONS)
def test_hard_hexagons(name, hexagons):
    filters, bias, expected = HEXAGONS[name]
    assert hexagons.shape == (16, 1697)
    assert information(hexagons, filters, bias) == pytest.approx(expected, abs=1e-9)


def test_four_states_of_hard_hexagons(hexagons):
    """The sublattice of the particle, or none: 0.874283 nats for a variable of four states."""
    sublattice = [3] * 16
    for site, own in enumerate((0, 1, 1, 2)):
        for state in range(16):
            sublattice[state] = own if state >> site & 1 else sublattice[state]
    channel = np.eye(4)[sublattice]
    found = joint_informations([channel], hexagons)[0].information
    assert found == pytest.approx(0.8742832487039789, abs=1e-9)


@pytest.mark.slow
def test_cold_antiferromagnet_is_in_its_ground_states(ground_states):
    """At K = 12 excited states have weights of 1e-21. This is not the program of ground states."""
    own = definition("ising-triangular", couplings={"nearest": -1.0})
    joint = LatticeEnumeration(own).joint(WINDOW, (6, 6), 12.0)
    for name in ("I(V:E)", "cos"):
        filters, expected = GROUND_STATES[name]
        assert information(joint, filters) == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
def test_square_lattice():
    """The 6x6 torus at T_c, which the oracle of the Ising model has too: 0.461045 nats."""
    joint = LatticeEnumeration(definition("ising-square")).joint(WINDOW, (6, 6), 0.44068679350977)
    assert information(joint, [[1, 1, 1, 1]]) == pytest.approx(0.461044648403564, abs=1e-9)


# ---- small tori ----------------------------------------------------------------------------------


def written_down(point, geometry):
    """P(V, E) from all configurations of a torus."""
    up = (np.arange(1 << point.sites)[:, np.newaxis] >> np.arange(point.sites) & 1) > 0
    up = up[~measures.overlaps(point, up)]
    factor = point.coupling if point.definition.thermal else math.log(point.definition.fugacity)
    weights = np.exp(-factor * measures.energies_of(point, up))
    numbers = []
    for offsets in (geometry.block_offsets, geometry.environment_offsets):
        cells = np.ravel_multi_index(tuple(np.mod(offsets, point.shape).T), point.shape)
        parts = up.reshape(len(up), -1, point.cells)[:, :, cells]
        variables = parts.reshape(len(up), -1)
        numbers.append(variables @ (1 << np.arange(variables.shape[1])))
    joint = np.zeros((1 << geometry.n_block, 1 << geometry.n_environment))
    np.add.at(joint, tuple(numbers), weights / weights.sum())
    return joint


CELL = Geometry((1, 1), 0, 1, 3, metric="lattice", neighbours=((0, 1), (1, 0)))
TRIANGLE = Geometry((2, 2), 0, 1, live=(True, False, True, True), metric="square")
SMALL = [
    ("ising-triangular", (4, 4), 0.4, Geometry((2, 2), 0, 1), {"field": 0.3}),
    ("ising-j1j2", (4, 4), 0.5, Geometry((1, 2), 0, 1), {"couplings": {"J1": 1.0, "J2": -0.7}}),
    ("ising-kagome", (2, 2), 0.6, CELL, {"field": -0.1}),
    ("ising-honeycomb", (3, 2), 0.7, replace(CELL, components=2), {}),
    ("hard-squares", (4, 4), 0.0, Geometry((2, 2), 0, 1), {"fugacity": 3.0}),
    ("hard-hexagons", (4, 4), 0.0, TRIANGLE, {"fugacity": 8.0}),
]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case[0])
def test_small_tori(case):
    """Blocks and environments are of all sorts: several sites in a cell, a list of sites, a field,
    sites that are in neither."""
    name, shape, coupling, geometry, changes = case
    own = definition(name, **changes)
    point = StatePoint(own, shape, True, coupling)
    found = LatticeEnumeration(own).joint(geometry, shape, coupling)
    expected = written_down(point, geometry)
    assert brute.information(found) == pytest.approx(brute.information(expected), abs=1e-11)
    assert found.sum(axis=1) == pytest.approx(expected.sum(axis=1), abs=1e-12)
    generator = np.random.default_rng(1)
    filters = generator.normal(size=(2, geometry.n_block))
    assert information(found, filters) == pytest.approx(information(expected, filters), abs=1e-11)


def test_cold_antiferromagnet():
    """Two ground states: V and E know each other's sublattice, ln 2. Weights span 1e+-3000."""
    own = definition("ising-square", couplings={"nearest": -1.0})
    joint = LatticeEnumeration(own).joint(Geometry((2, 2), 0, 1), (4, 4), 400.0)
    assert information(joint, None) == pytest.approx(math.log(2), abs=1e-12)


# ---- the command ---------------------------------------------------------------------------------


def answer(here, line):
    result = here("exact", *line.split(), "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_options_of_the_model(workplace, here):
    """A preset and a file of the same content, in a field, with another fugacity."""
    text = (
        'name = "mine"\nvariable = "spin"\ndimension = 2\n[bonds]\na = [[1, 0], [0, 1]]\n'
        "[couplings]\na = 1.0\n"
    )
    Path("mine.toml").write_text(text)
    options = "--size 4 --buffer 0 --temperature 2 --field 0.2 --rule majority"
    mine = answer(here, f"--model mine.toml {options}")
    square = answer(here, f"--model ising-square {options}")
    name = "mutual_information_exact_hard"
    assert (mine["model"], square["model"]) == ("mine", "ising-square")
    assert mine[name] == square[name]
    reversed_ = f"--model ising-square {options} --antiferromagnetic"
    assert abs(answer(here, reversed_)[name] - square[name]) > 0.01
    one, two = (
        answer(here, f"--model hard-squares --size 4 --buffer 0 --fugacity {z} --rule decimation")
        for z in ("zc", 1)
    )
    assert one[name] > two[name] > 0
    assert one["temperature"] is None
    assert "z/z_c = 1.0000" in one["state_point"]


def test_lists_of_sites_and_the_best_function(workplace, here):
    """Three sites in a triangle; no rule is better than the best function, and no function than
    V."""
    Path("sites.csv").write_text("0,0\n1,0\n1,1\n")
    Path("filter.csv").write_text("1,-0.3,0.7\n")
    found = answer(
        here,
        "--model ising-triangular --antiferromagnetic --size 4 --temperature 1 --block sites.csv"
        " --buffer 0 --metric lattice --rule filter.csv --hard --best --sector odd",
    )
    name = "mutual_information_exact_hard"
    assert found["sites"] == [[0, 0], [1, 0], [1, 1]]
    assert found["metric"] == "lattice"
    assert 0 < found[name] <= found["best"][name] < found["mutual_information_block"]


def test_learned_rules_of_lists_of_sites(workplace, here):
    """A learned rule remembers its sites and its metric; a named one is measured on them beside
    it, and a filter for all four sites of the box is refused."""
    Path("sites.csv").write_text("0,0\n1,0\n1,1\n")
    Path("box.csv").write_text("1,2\n3,4\n")
    for line in (
        "sample --model hard-hexagons --size 6 --fugacity 3 --chains 64 --samples 2048 --interval 9"
        " -o samples.h5",
        "train-lambda samples.h5 --block sites.csv --metric lattice --windows 2000 --restarts 1"
        " -o lambda.h5",
    ):
        assert here(*line.split()).code == 0
    lattice = "--model hard-hexagons --size 6 --fugacity 3 --hard --rule lambda.h5"
    found = answer(here, f"{lattice} --rule decimation")
    assert found["sites"] == [[0, 0], [1, 0], [1, 1]]
    assert found["metric"] == "lattice"
    learned, first = (one["mutual_information_exact_hard"] for one in found["rules"])
    assert 0 < first < found["mutual_information_block"]
    given = answer(here, f"{lattice} --block sites.csv")
    assert given["mutual_information_exact_hard"] == learned
    for more, words in {
        "--rule box.csv": "has its weights on other sites than those of the block",
        "--block 2x2": "or not that of --block: one table is for one block",
    }.items():
        result = here("exact", *f"{lattice} {more}".split())
        assert result.code == 2 and words in result.sentence


REFUSED = {
    "--model ising-kagome --size 3 --temperature 2 --buffer 0 --block 1x1 --rule majority": (
        "a named rule is for one site in a cell, and ising-kagome has 3: write a filter"
    ),
    "--model ising-triangular --size 12 --temperature 2 --rule majority": "or a smaller block",
    "--model ising-triangular --size 8 --temperature 2 --block 3x3 --rule majority": (
        "9 + 24 variables, whose states are all enumerated: at most 24 together"
    ),
    "--model hard-squares --size 6 --rule majority": "give --fugacity",
    "--model ising-j1j2 --size 6 --temperature Tc --rule majority": "is not known exactly",
    "--model ising-square --size 6 --coupling 0.4 --ratio J2=3 --rule majority": "--ratio",
    "--model triangular-ground-states --size 9 --rule majority": "too many ground states",
    "--model triangular-ground-states --size 6 --temperature 1 --rule majority": "those of T = 0",
    "--size 6 --temperature 2 --fugacity 3 --rule majority": "is an option for --model hard-hex",
    "--model nothing.toml --size 6 --rule majority": "nothing.toml",
    "samples.h5 --rule majority": "give --model and --size, no samples",
}


@pytest.mark.parametrize("line", REFUSED)
def test_refused(line, workplace, here):
    if "samples.h5" in line:
        made = "sample --model hard-squares --size 6 --fugacity 2 --chains 1 --samples 9"
        assert here(*made.split(), "-o", "samples.h5").code == 0
    result = here("exact", *line.split())
    assert (result.code, result.out) == (2, "")
    assert REFUSED[line] in result.sentence


def test_the_help_lists_what_can_be_done(here):
    text = here("exact", "--help").out
    listed = text[text.index("Models (") :]
    assert "ising-kagome" in listed
    assert "triangular-ground-states" in listed
    assert "dimers" not in listed
