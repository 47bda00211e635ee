"""Model files: what they may say, what identifies them, and what is refused."""

import json
import math
import shutil

import h5py
import numpy as np
import pytest
from conftest import digest, run_here

from rsmi import models
from rsmi.errors import UsageError
from rsmi.models.lattice import critical, measures, model_file
from rsmi.models.lattice.heat_bath import pack, sample_chain, seed, sweep_replicas, unpack
from rsmi.models.lattice.schema import EXAMPLE
from rsmi.models.lattice.system import StatePoint, threshold
from rsmi.store import open_file

SHORT = "--samples 20 --chains 8 --thermalization 2 --interval 1 -q"


def written(folder, text, name="model.toml"):
    (folder / name).write_text(text)
    return folder / name


def refused(*words):
    """The one sentence of a command that must be refused."""
    result = run_here(*map(str, words))
    assert result.code == 2 and result.err.count("\n") == 1, result.err
    return result.err


# ---- files ---------------------------------------------------------------------------------------


def test_the_schema_is_a_model_file(tmp_path):
    """What --model-schema prints can be sampled."""
    printed = run_here("sample", "--model-schema")
    assert printed.code == 0 and printed.out == EXAMPLE
    path, out = written(tmp_path, printed.out), tmp_path / "out.h5"
    line = f"sample --model {path} --size 4 --temperature 2 {SHORT} -o {out}"
    assert run_here(*line.split()).code == 0
    info = json.loads(run_here("info", out, "--json").out)
    assert info["model"] == "honeycomb-with-field"


def test_a_preset_and_a_file_of_the_same_content(tmp_path):
    """The digest is that of the content: comments, order and the title do not count."""
    own = """
        # my lattice
        dimension = 2
        name = "hard-squares"
        exclusions = [[1, 0], [0, 1]]
        variable = "occupation"
        title = "another title"
        fugacity = 2
    """
    out = [tmp_path / "preset.h5", tmp_path / "file.h5"]
    for model, fugacity, path in (
        ("hard-squares", "--fugacity 2", out[0]),
        (written(tmp_path, own), "", out[1]),
    ):
        line = f"sample --model {model} {fugacity} --size 4 {SHORT} -o {path}"
        assert run_here(*line.split()).code == 0
    assert digest(out[0]) == digest(out[1])


def test_a_negative_coupling_is_the_antiferromagnet(tmp_path):
    out = [tmp_path / "coupling.h5", tmp_path / "flag.h5"]
    for options, path in zip(("--coupling -0.5", "--antiferromagnetic --temperature 2"), out):
        line = f"sample --model ising-triangular {options} --size 3 {SHORT} -o {path}"
        assert run_here(*line.split()).code == 0
    assert digest(out[0]) == digest(out[1])
    with open_file(out[0]) as file:
        assert file.attributes["coupling"] == 0.5 and file.attributes["temperature"] == 2.0


def test_definition_survives_json():
    for name in models.presets():
        own = models.get(name).definition
        assert model_file.from_json(json.loads(json.dumps(own.as_json()))) == own


def test_density(tmp_path):
    """The JSON of occupations has the density beside the keys of all models."""
    out = tmp_path / "out.h5"
    line = f"sample --model hard-squares --fugacity 3 --size 6 {SHORT} --json -o {out}"
    numbers = json.loads(run_here(*line.split()).out)
    assert 0 < numbers["density"] < 0.5 and numbers["density_error"] > 0
    assert numbers["energy"] == -numbers["density"] and numbers["temperature"] is None
    assert numbers["coupling"] is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), None),
        ((), 3),
        (("definition",), None),
        (("definition",), []),
        (("definition", "name"), 3),
        (("definition", "sites"), "A"),
        (("definition", "sites"), [3]),
        (("definition", "bonds", "nearest"), [[1, 0, 0]]),
        (("definition", "bonds", "nearest"), {}),
        (("definition", "couplings", "nearest"), "x"),
        (("definition", "couplings"), None),
        (("definition", "basis"), [[0, 0], [0, 0]]),
        (("definition", "dimension"), [2]),
        (("definition", "other"), 1),
    ],
    ids=str,
)
def test_damaged_definitions(path, value, workshop, tmp_path):
    """A file whose definition was changed is refused in one sentence."""
    made = workshop(f"sample --model ising-triangular --size 3 --temperature 4 {SHORT[:-3]}")
    out = shutil.copy(made, tmp_path / "out.h5")
    with h5py.File(out, "r+") as file:
        content = json.loads(file.attrs["model_parameters"])
        place = content
        for name in path[:-1]:
            place = place[name]
        if path:
            place[path[-1]] = value
        else:
            content = value
        file.attrs["model_parameters"] = np.bytes_(json.dumps(content))
    result = run_here("info", out)
    assert result.code == 65 and result.err.count("\n") == 1, result.err


# ---- what is known -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "temperature"),
    [
        ("ising-square", 2.269185314),
        ("ising-triangular", 3.640956907),
        ("ising-honeycomb", 1.518651435),
        ("ising-kagome", 2.143319440),
        ("ising-anisotropic", 1.641017930),
    ],
)
def test_critical_temperatures(name, temperature):
    """4/ln 3, 2/ln(2 + sqrt 3), 4/ln(3 + 2 sqrt 3) and the root of sinh 2K sinh K = 1."""
    assert 1 / critical.critical_coupling(models.get(name).definition).value == pytest.approx(
        temperature, abs=1e-8
    )


def with_couplings(name, **couplings):
    return models.get(name).definition.with_couplings(couplings)


def test_critical_points_follow_the_couplings():
    """Bipartite antiferromagnets have the T_c of the ferromagnet, frustrated ones and fields have
    none; an anisotropic lattice with equal couplings is the square lattice."""
    square = critical.critical_coupling(models.get("ising-square").definition).value
    known = critical.critical_coupling
    assert known(with_couplings("ising-square", nearest=-1.0)).value == square
    assert known(with_couplings("ising-honeycomb", nearest=-2.0)).value == pytest.approx(
        math.log(2 + math.sqrt(3)) / 4
    )
    assert known(with_couplings("ising-triangular", nearest=-1.0)) is None
    assert known(with_couplings("ising-kagome", nearest=-1.0)) is None
    assert known(with_couplings("ising-anisotropic", Jx=1.0, Jy=-1.0)).value == pytest.approx(
        square
    )
    assert known(with_couplings("ising-j1j2", J2=0.0)).value == pytest.approx(square)
    assert known(with_couplings("ising-j1j2", J1=0.0, J2=0.5)).value == pytest.approx(2 * square)
    assert known(models.get("ising-j1j2").definition) is None
    assert critical.critical_fugacity(models.get("hard-hexagons").definition).value == (
        pytest.approx(((1 + math.sqrt(5)) / 2) ** 5)
    )


def test_modes_that_order_first():
    """Stripes for J1-J2, the K point for the triangular antiferromagnet, and so on."""

    def phases(name, shape, **couplings):
        own = with_couplings(name, **couplings)
        modes = measures.ordering_modes(StatePoint(own, shape, True, 0.4))
        return [len(mode.sets) // len(own.sites) for mode in modes]

    assert phases("ising-square", (6, 6), nearest=1.0) == [1]
    assert phases("ising-square", (6, 6), nearest=-1.0) == [2]
    assert phases("ising-triangular", (6, 6), nearest=-1.0) == [3]
    assert phases("ising-j1j2", (6, 6), J1=1.0, J2=-1.0) == [2, 2]
    assert phases("hard-hexagons", (6, 6)) == [3]


def test_probabilities_of_a_site():
    """Those that the examination of samples uses follow from the energies of both values."""
    random = np.random.default_rng(3)
    for _ in range(20):
        point = random_point(random_content(random), random)
        up = random.random((5, point.sites)) < 0.3
        p = measures.probabilities(point, up)
        coupling = point.coupling or math.log(point.definition.fugacity)
        for site in range(point.sites):
            others, own = up.copy(), up.copy()
            others[:, site], own[:, site] = False, True
            apart = ~measures.overlaps(point, others)  # else no value is allowed
            cost = measures.energies_of(point, own) - measures.energies_of(point, others)
            expected = np.where(measures.overlaps(point, own), 0, 1 / (1 + np.exp(coupling * cost)))
            np.testing.assert_allclose(p[apart, site], expected[apart], atol=1e-12)


# ---- refusals ------------------------------------------------------------------------------------

HEAD = 'name = "m"\nvariable = "spin"\ndimension = 2\n'
GAS = HEAD.replace("spin", "occupation")
GOOD = "[bonds]\nj = [[1, 0]]\n[couplings]\nj = 1\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "no TOML"),
        (HEAD + "feild = 1\n" + GOOD, "did you mean field"),
        (HEAD.replace('name = "m"\n', "") + GOOD, "has no name"),
        (HEAD.replace('"m"', '"a b"') + GOOD, "a name has"),
        (HEAD.replace('"m"', "3") + GOOD, "a name has"),
        (HEAD.replace("spin", "spins") + GOOD, "spin or occupation"),
        (HEAD.replace("= 2", "= 4") + GOOD, "must be 1, 2 or 3"),
        (HEAD.replace("= 2", "= true") + GOOD, "must be 1, 2 or 3"),
        (HEAD, "neither bonds nor exclusions"),
        (HEAD + "basis = [[1, 0], [2, 0]]\n" + GOOD, "do not tile"),
        (HEAD + "basis = [[1, 0]]\n" + GOOD, "list of 2 vectors"),
        (HEAD + "basis = [[1, 0], [0]]\n" + GOOD, "list of 2 numbers"),
        (HEAD + "field = nan\n" + GOOD, "finite"),
        (HEAD + 'boundary = "closed"\n' + GOOD, "periodic or open"),
        (HEAD + "fugacity = 2\n" + GOOD, "spins have a field"),
        (HEAD + "exclusions = [[1, 1]]\n" + GOOD, "spins have a field"),
        (GAS + "field = 2\nexclusions = [[1, 0]]", "occupations have a fugacity"),
        (GAS + "fugacity = -2\nexclusions = [[1, 0]]", "must be positive"),
        (GAS + "exclusions = [[1, 0], [-1, 0]]", "given twice, in exclusions"),
        (GAS + "exclusions = [[0, 1]]\n" + GOOD.replace("1, 0", "0, -1"), "given twice"),
        (HEAD + GOOD + "k = 1", "class k has no bonds"),
        (HEAD + "[bonds]\nj = [[1, 0]]", "class j has no coupling"),
        (HEAD + "[bonds]\nj = [[1]]\n[couplings]\nj = 1", "write [1, 0]"),
        (HEAD + "[bonds]\nj = 3\n[couplings]\nj = 1", "list of bonds"),
        (HEAD + "bonds = 3\n[couplings]\nj = 1", "must be a table"),
        (HEAD + "[bonds]\nj = [[0, 0]]\n[couplings]\nj = 1", "joins a site to itself"),
        (HEAD + "[bonds]\nj = [[1, 0.5]]\n[couplings]\nj = 1", "whole numbers"),
        (HEAD + "[bonds]\nj = [[1, 10000000]]\n[couplings]\nj = 1", "beyond any lattice"),
        (HEAD + '[bonds]\nj = [["A", "B", 1, 0]]\n[couplings]\nj = 1', "names site 'B'"),
        (HEAD + GOOD + "[[sites]]\nname = 'A'\n[[sites]]\nname = 'A'", "two sites"),
        (HEAD + GOOD + "[[sites]]\nnam = 'A'", "did you mean name"),
        (HEAD + GOOD + "[[sites]]\nname = 'A'\n" * 9, "1 to 8 sites"),
        (HEAD + GOOD.replace("= 1\n", "= true\n"), "finite number"),
    ],
)
def test_wrong_files(text, words, tmp_path):
    path = written(tmp_path, text)
    message = refused(
        *f"sample --model {path} --size 4 --temperature 2 {SHORT} -o".split(), tmp_path / "out.h5"
    )
    assert words in message and str(path) in message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--model none.toml --size 4 --temperature 1", "No such file"),
        (
            "--model ising-triangular --size 4 --temperature 1 --fugacity 2",
            "--fugacity is an option for",
        ),
        ("--model hard-squares --size 4 --fugacity 2 --field 1", "--field is an option for"),
        ("--model hard-squares --size 4", "give --fugacity"),
        ("--model hard-squares --size 4 --fugacity 2 --temperature 1", "no temperature"),
        (
            "--model hard-squares --size 4 --fugacity 2 --antiferromagnetic",
            "--antiferromagnetic is an option",
        ),
        ("--model hard-squares --size 4 --fugacity x", "write a number"),
        ("--model hard-squares --size 4 --fugacity -1", "positive"),
        ("--model hard-squares --size 4 --fugacity 1e7", "frozen"),
        ("--model hard-squares --size 1x4 --fugacity 2", "joins a site to itself"),
        ("--model ising-j1j2 --size 4 --temperature Tc", "not known exactly"),
        ("--model ising-triangular --size 4 --temperature Tc --antiferromagnetic", "not known"),
        ("--model ising-triangular --size 4 --temperature Tc --field 1", "not known"),
        ("--model ising-triangular --size 4", "one of the two"),
        ("--model ising-triangular --size 4 --coupling 0", "positive and finite"),
        ("--model ising-triangular --size 4 --coupling 1e9", "must be below"),
        ("--model ising-triangular --size 4 --temperature 1e-300", "must be below"),
        ("--model ising-triangular --size 4x4x4 --dimension 3 --temperature 1", "has dimension 2"),
        ("--model ising-j1j2 --size 4 --temperature 1 --ratio J3=1", "there are J1, J2"),
        ("--model ising-j1j2 --size 4 --temperature 1 --ratio J2", "NAME=VALUE"),
        ("--model ising-j1j2 --size 4 --temperature 1 --ratio J2=inf", "finite"),
        ("--model hard-squares --size 4 --fugacity 2 --algorithm wolff", "clusters are of spins"),
        ("--model lattice --size 4 --temperature 1", "lattice"),
    ],
)
def test_wrong_requests(options, words, tmp_path):
    result = run_here(*f"sample {options} {SHORT} -o".split(), tmp_path / "out.h5")
    assert result.code == 2 and words in result.err, result.err


def test_a_table_that_is_too_large():
    """Twenty different couplings at a site are refused before anything is allocated."""
    classes = {f"j{i}": [[i, 0]] for i in range(1, 21)}
    content = {
        "name": "long",
        "variable": "spin",
        "dimension": 2,
        "bonds": classes,
        "couplings": {name: 1 + i for i, name in enumerate(classes)},
    }
    point = StatePoint(model_file.of_content(content), (50, 4), True, 0.1)
    with pytest.raises(UsageError, match="tabulated"):
        point.check_tables()


def test_thresholds():
    """Probabilities are exact to 2^-64 at both ends."""
    assert threshold(0.0) == 1 << 63
    assert threshold(-1e3) == 0 and threshold(1e3) == (1 << 64) - 1
    assert threshold(30.0) == (1 << 64) - threshold(-30.0)
    assert threshold(1.0) / 2**64 == pytest.approx(1 / (1 + math.exp(-1)))


# ---- random models -------------------------------------------------------------------------------


def random_content(random):
    """Two to eight bonds in up to three classes, one to three sites in a cell, any couplings."""
    names = "ABC"[: random.integers(1, 4)]
    occupations = random.random() < 0.4
    bonds, classes = set(), {}
    wanted, far = random.integers(2, 9), 1 + (len(names) == 1)
    while len(bonds) < wanted:
        a, b = random.choice(list(names), 2)
        offset = tuple(int(step) for step in random.integers(-far, far + 1, 2))
        if (a, b, offset) == (b, a, (0, 0)):
            continue
        ends = frozenset([(a, b, offset), (b, a, tuple(-step for step in offset))])
        if ends in bonds:
            continue
        bonds.add(ends)
        classes.setdefault(f"c{random.integers(0, 3)}", []).append([str(a), str(b), *offset])
    content = {
        "name": "random",
        "variable": "occupation" if occupations else "spin",
        "dimension": 2,
        "sites": [{"name": name} for name in names],
    }
    if occupations and random.random() < 0.7:
        content["exclusions"] = classes.pop(next(iter(classes)))
    content["bonds"] = classes
    content["couplings"] = {name: float(random.normal(0, 1)) for name in classes}
    own = ("fugacity", random.uniform(0.3, 3)) if occupations else ("field", random.normal(0, 0.5))
    return content | {own[0]: float(own[1])}


def random_point(content, random):
    """A model on 3x3 cells, or 2x2 of several sites, where a site feels its neighbours but does not
    keep its value for thousands of sweeps."""
    shape = (3, 3) if len(content["sites"]) == 1 else (2, 2)
    own = model_file.of_content(content)
    strength = sum(abs(own.couplings[name]) * len(bonds) for name, bonds in own.bonds.items())
    strength += abs(own.field) * len(own.sites)
    coupling = float(random.uniform(0.2, 0.8)) * len(own.sites) / max(strength, 0.1)
    return StatePoint(own, shape, bool(random.random() < 0.7), coupling if own.thermal else 0.0)


def chain_rows(point, key, first):
    """Packed samples of one chain, 100 in a bin."""
    rows, spins = np.empty((40_100, (point.sites + 7) // 8), np.uint8), first.astype(np.uint8)
    sample_chain(point.system, spins, key, 10, rows)
    return rows[100:]


def replica_rows(point, key, first):
    """Packed samples of 400 replicas, 100 of each."""
    start = np.tile(np.packbits(first, bitorder="little"), (512, 1))
    spins, generator = unpack(start, point.sites), seed(key)
    rows = np.empty((100, 512, start.shape[1]), dtype=np.uint8)
    sweep_replicas(point.system, spins, generator, 1000)
    for row in rows:
        sweep_replicas(point.system, spins, generator, 10)
        pack(spins, row)
    return rows[:, :400].swapaxes(0, 1).reshape(40_000, -1)


def pulls(content, random):
    """How far averages of samples of a model lie from their exact values, in errors."""
    point = random_point(content, random)
    states = (np.arange(1 << point.sites)[:, np.newaxis] >> np.arange(point.sites) & 1) > 0
    states = states[~measures.overlaps(point, states)]
    energies = measures.energies_of(point, states)
    coupling = point.coupling or math.log(point.definition.fugacity)  # of E = -N
    weights = np.exp(-coupling * (energies - energies[0]))
    weights /= weights.sum()
    key = random.integers(1, 2**63, 4, dtype=np.uint64)
    by_replicas = point.system.fits_replicas and random.random() < 0.5
    rows = (replica_rows if by_replicas else chain_rows)(point, key, states[0])
    sampled = np.unpackbits(rows, axis=1, bitorder="little", count=point.sites) > 0
    for of in (
        lambda up: up.sum(axis=1).astype(float),
        lambda up: measures.energies_of(point, up),
        lambda up: measures.energies_of(point, up) ** 2,
        lambda up: (up @ (1.0 + np.arange(point.sites))) ** 2,
    ):
        exact, bins = weights @ of(states), of(sampled).reshape(-1, 100)
        means = bins.mean(axis=1)
        yield (means.mean() - exact) / (means.std(ddof=1) / math.sqrt(len(means)))


@pytest.mark.slow
def test_random_models():
    """100 model files against enumeration, each |z| < 4 and all together as wide as they should
    be. It catches a bond that is counted once or three times, a missing field, a table that is
    read in the wrong order of groups."""
    random = np.random.default_rng(11)
    every = [pull for _ in range(100) for pull in pulls(random_content(random), random)]
    every = np.array(every)
    assert np.abs(every).max() < 4 and 0.85 < np.sqrt(np.mean(every**2)) < 1.15


def test_energies_of_cells_with_several_sites(workshop):
    """The examination divides the energy of the kagome lattice by its sites, of which a cell has
    three: the exact energy contradicts no good sample."""
    path = workshop("sample --model ising-kagome --temperature 3 --size 4 --samples 2048")
    findings = json.loads(run_here("info", path, "--json").out)["examination"]["findings"]
    assert "energy" not in [finding["code"] for finding in findings]
    assert "exact" in run_here("info", path).out
