"""Parallel tempering: exact averages at every temperature of a ladder, exchanges, files that do not
depend on interruptions, threads, shards or extensions, and what is refused."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from cases import configurations_of, killed
from conftest import FINE, digest

from rsmi import models
from rsmi.engine import session
from rsmi.models import ladder
from rsmi.models.lattice import exact, measures, samples
from rsmi.statistics.autocorrelation import integrated_autocorrelation_time
from rsmi.store import open_file

SMALL = "sample --model ising-triangular --antiferromagnetic --size 3 --thermalization 3"
PLAIN = f"{SMALL} --temper 0.5,1,2 --interval 3 --chains 2"


def made(here, line, *more):
    """The names of the files that a command makes."""
    result = here(*line.split(), *more)
    assert result.code == 0, result.err
    return result.out.split()


def pulls(path):
    """(average - exact)/error of the energy, of its square and of the number of sites up; the
    average of a chain counts as one number."""
    attributes, configurations, energies = configurations_of(path)
    point = samples.point_of(attributes, tuple(attributes["shape"]))
    up = configurations.reshape(len(configurations), -1) > 0
    np.testing.assert_allclose(energies, measures.energies_of(point, up), rtol=1e-12)
    known, step = exact.averages(point), 1e-4
    colder, hotter = (
        exact.averages(_at(point, point.coupling + shift)).energy for shift in (step, -step)
    )
    squared = (hotter - colder) / (2 * step) + known.energy**2
    chains = attributes["chains"]
    pairs = [(energies, known.energy), (up.sum(axis=1), known.up)]
    if point.definition.spins:
        pairs.append((energies**2, squared))
    scores = []
    for values, expected in pairs:
        of_chains = values.reshape(-1, chains).mean(axis=0)
        error = of_chains.std(ddof=1) / np.sqrt(chains)
        scores.append((of_chains.mean() - expected) / error)
    return scores


def _at(point, coupling):
    return type(point)(point.definition, point.shape, point.periodic, coupling)


GAS = """name = "gas"
variable = "occupation"
dimension = 2
exclusions = [[1, 0], [0, 1]]
fugacity = 1.5
[bonds]
diagonal = [[1, 1], [1, -1]]
[couplings]
diagonal = 0.7
"""
SYSTEMS = {
    "triangular": f"{SMALL} --temper 0.6,1.2,2.5 --chains 512 --interval 4 --samples 10240",
    "field": "sample --model ising-j1j2 --field 0.4 --size 4 --temper 1,1.6,2.2,3 --chains 512"
    " --thermalization 100 --interval 10 --samples 51200",
    "plain": f"{SMALL} --temper 0.6,1,1.6,2.5 --chains 100 --interval 4 --samples 20000",
    "kagome": "sample --model ising-kagome --antiferromagnetic --size 2 --temper 0.5,1,2 --chains"
    " 512 --thermalization 50 --interval 6 --samples 51200",
    "gas": "sample --model gas.toml --size 4 --temper 0.3,0.6,1.2 --chains 512 --thermalization 50"
    " --interval 5 --samples 51200",
}


@pytest.mark.parametrize(
    "name",
    [
        "triangular",
        *(pytest.param(name, marks=pytest.mark.slow) for name in SYSTEMS if name != "triangular"),
    ],
)
def test_exact_averages_at_every_temperature(name, workplace, here):
    """|z| < 4; without the factor of the exchange, or with the energies of the other temperature
    exchanged too often, the averages of the middle temperatures are off by tens of errors. The gas
    has a chemical potential in its stored energies, which must not count twice."""
    Path("gas.toml").write_text(GAS)
    line = SYSTEMS[name].replace("--thermalization 3 ", "--thermalization 40 ")
    for path in made(here, line, "-o", "ladder-{T}.h5"):
        assert np.abs(pulls(path)).max() < 4, path


# ---- exchanges -----------------------------------------------------------------------------------


def test_detailed_balance_of_exchanges():
    """P(x, y) = min(1, exp(dK dE)): the weight of (x, y) times the probability to exchange is that
    of (y, x) times the probability to exchange back, and pairs alternate."""
    couplings = np.array([2.0, 1.1, 0.4])
    energies = np.random.default_rng(0).normal(size=(3, 100))
    for pair in (0, 1):
        pairs = np.array([pair])
        there = ladder.acceptance(couplings, energies, pairs)[0]
        exchanged = energies.copy()
        exchanged[[pair, pair + 1]] = energies[[pair + 1, pair]]
        back = ladder.acceptance(couplings, exchanged, pairs)[0]
        weight, other = (np.exp(-couplings @ own) for own in (energies, exchanged))
        np.testing.assert_allclose(weight * there, other * back, rtol=1e-12)
        assert ((there == 1) | (back == 1)).all()
    assert [ladder.pairs_of(number, 5).tolist() for number in (0, 1, 2)] == [[0, 2], [1, 3], [0, 2]]
    assert [ladder.pairs_of(number, 2).tolist() for number in (0, 1)] == [[0], [0]]


def test_round_trips():
    """Two configurations that change places at every attempt make a round trip in two attempts."""
    state = {
        "label": np.zeros((2, 1), dtype=np.uint8),
        "attempted": np.zeros((1, 1), dtype=np.int64),
        "accepted": np.zeros((1, 1), dtype=np.int64),
        "round_trips": np.zeros(1, dtype=np.int64),
    }
    pair = np.array([0])
    for attempt in range(1, 12):
        ladder.count_exchanges(state, pair, np.array([[True]]))
        assert state["accepted"][0, 0] == state["attempted"][0, 0] == attempt
        assert state["round_trips"][0] == max(0, attempt - 2)
    ladder.count_exchanges(state, pair, np.array([[False]]))
    assert (state["accepted"][0, 0], state["attempted"][0, 0]) == (11, 12)
    assert state["round_trips"][0] == 9


def test_calls_do_not_matter():
    """However rows are grouped into calls, and sweeps between rows into updates."""
    model = models.get("ising-triangular")
    request = {"shape": (3, 3), "algorithm": "auto", "boundary": "periodic", "coupling": None}
    own = [model.parameters({**request, "temperature": text}) for text in ("1", "2", "3")]
    couplings = [one["coupling"] for one in own]
    for chains, groupings in ((1, ((2, 3), (5,))), (512, ((700, 836), (1536,)))):
        parameters = {**own[0], "ladder": couplings, "seed": 3, "chains": chains}
        results = []
        for counts in groupings:
            simulation = model.simulation(parameters)
            state, parts, first = simulation.start(0), [], 0
            for count in counts:
                parts.append(simulation.advance(state, 3, first, count))
                first += count
            rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
            results.append({**rows, **state})
        assert results[0].keys() == results[1].keys()
        for name, array in results[0].items():
            np.testing.assert_array_equal(array, results[1][name])


# ---- files ---------------------------------------------------------------------------------------


def digests(paths):
    return [digest(path) for path in paths]


KILLS = [(present, renames) for present in (3, 0) for renames in (None, *range(1, 24))]


@pytest.mark.parametrize(
    ("present", "renames"),
    [KILLS[0], *(pytest.param(*kill, marks=pytest.mark.slow) for kill in KILLS[1:])],
)
def test_killed_anywhere_and_resumed(present, renames, workplace, here):
    """A new ladder, or one that is extended, is killed before a rename and resumed: the same bits.
    By default it is killed between the files of two temperatures, of which one is longer then."""
    line, output = f"{PLAIN} --samples 5", ["-o", "l-{T}.h5"]
    if present:
        made(here, f"{PLAIN} --samples {present}", *output)
    expected = digests(made(here, line, "-o", "whole-{T}.h5"))
    if renames is None:
        renames = _renames(here, line, present) - 1
    arguments = [*line.split(), *output]
    if _killed(arguments, renames):
        assert Path("l-0.5.h5.parts").is_dir()
    assert digests(made(here, line, *output)) == expected
    assert not list(Path().glob("*.parts"))


def _renames(here, line, present):
    """The number of renames of a command that is left in peace."""
    if present:
        made(here, f"{PLAIN} --samples {present}", "-o", "counted-{T}.h5")
    with pytest.MonkeyPatch.context() as patch:
        names, replace = [], os.replace
        patch.setattr(session, "LIMITS", FINE)
        patch.setattr(os, "replace", lambda *n, **more: (names.append(n), replace(*n, **more)))
        made(here, line, "-o", "counted-{T}.h5")
    return len(names)


def _killed(arguments, renames):
    """Whether the command was killed before it was complete."""
    try:
        killed(arguments, renames)
    except AssertionError:
        return False
    return True


def test_replicas_threads_shards_and_extensions(workplace, here):
    """Two groups of 512 ladders: one thread or two, two shards that are merged for each
    temperature, shards and files that are extended."""
    line = f"{SMALL} --temper 0.7,1.1,1.9 --interval 3"
    whole = digests(made(here, f"{line} --samples 1500 --threads 2", "-o", "a-{T}.h5"))
    assert digests(made(here, f"{line} --samples 1500 --threads 1", "-o", "b-{T}.h5")) == whole
    made(here, f"{line} --samples 1030", "-o", "c-{T}.h5")
    assert digests(made(here, f"{line} --samples 1500", "-o", "c-{T}.h5")) == whole
    for shard, count in ((0, 1500), (1, 1030), (1, 1500)):
        made(here, f"{line} --samples {count} --shard {shard}/2", "-o", f"s{shard}-{{T}}.h5")
    merged = [
        made(here, f"merge s0-{text}.h5 s1-{text}.h5 -o m-{text}.h5")[0]
        for text in ("0.7", "1.1", "1.9")
    ]
    assert digests(merged) == whole
    longer = digests(made(here, f"{line} --samples 2100", "-o", "a-{T}.h5"))
    assert digests(made(here, f"{line} --samples 2100", "-o", "m-{T}.h5")) == longer
    result = here("merge", "s0-0.7.h5", "s1-1.1.h5", "-o", "wrong.h5")
    assert result.code == 65 and "is of another run: coupling" in result.sentence


def test_ladders_have_random_numbers_of_their_own(workplace, here):
    """The rungs of a ladder differ from samples at one temperature, and from other ladders."""
    options = f"{SMALL} --interval 3 --chains 2 --samples 20"
    single = made(here, f"{options} --temperature 1", "-o", "single.h5")
    first = made(here, f"{options} --temper 1,2", "-o", "a-{T}.h5")
    second = made(here, f"{options} --temper 1,3", "-o", "b-{T}.h5")
    rows = [configurations_of(path)[1] for path in (*single, first[0], second[0])]
    assert not any(np.array_equal(rows[i], rows[j]) for i, j in ((0, 1), (0, 2), (1, 2)))


def test_what_files_and_reports_say(workplace, here):
    line = f"{SMALL} --temper 0.5,1,2 --interval 4 --chains 512 --samples 2048"
    plan = json.loads(here(*line.split(), "-o", "l-{T}.h5", "--dry-run", "--json").out)
    assert plan["temperatures"] == [0.5, 1.0, 2.0]
    assert plan["files"] == ["l-0.5.h5", "l-1.h5", "l-2.h5"]
    assert not list(Path().iterdir())
    result = json.loads(here(*line.split(), "-o", "l-{T}.h5", "--json").out)
    rates = result["exchange_rates"]
    assert [one["temperatures"] for one in rates] == [[0.5, 1.0], [1.0, 2.0]]
    assert all(0 < one["rate"] < 1 and 0 < one["rate_error"] < 0.05 for one in rates)
    assert [one["temperature"] for one in result["files"]] == [0.5, 1.0, 2.0]
    assert all(one["exchange_rates"] == rates for one in result["files"])
    assert 0 < result["round_trips_error"] < result["round_trips"]
    info = here("info", "l-1.h5").out
    assert "parallel tempering   T = 0.5, 1, 2 J/k_B" in info
    assert "1 - 2" in info
    with open_file("l-1.h5") as file:
        assert file.parameters["ladder"] == [2.0, 1.0, 0.5]
        assert file.attributes["coupling"] == 1.0
        assert file.shape("/ladder/accepted") == (512, 2)
    again = here(*line.split(), "-o", "l-{T}.h5")
    assert "all 3 files of the ladder are complete already" in again.err
    assert again.out.split() == plan["files"]


def test_files_that_do_not_belong_together(workplace, here):
    """A file that is missing, or shorter or longer than the others, is named."""
    line = f"{PLAIN} --samples"
    made(here, f"{line} 3", "-o", "l-{T}.h5")
    Path("l-1.h5").rename("kept.h5")
    for count in (3, 5):
        result = here(*line.split(), count, "-o", "l-{T}.h5")
        assert result.code == 73
        assert "l-1.h5: is missing, and l-0.5.h5 is there" in result.sentence
    Path("kept.h5").rename("l-1.h5")
    made(here, f"{line} 5", "-o", "m-{T}.h5")
    Path("m-2.h5").rename("l-2.h5")
    result = here(*line.split(), 5, "-o", "l-{T}.h5")
    assert result.code == 73
    assert "l-2.h5: has more samples than l-0.5.h5" in result.sentence
    Path("l-0.5.h5").unlink()  # then all are made again
    whole = digests(made(here, f"{line} 5", "-o", "l-{T}.h5"))
    assert whole == digests(made(here, f"{line} 5", "-o", "n-{T}.h5"))
    result = here(*f"{line} 5 --seed 1".split(), "-o", "l-{T}.h5")
    assert result.code == 73 and "seed = 0 there, 1 in this command" in result.sentence
    made(here, f"{line} 5 --seed 1 --force", "-o", "l-{T}.h5")


REFUSED = {
    "--model ising-j1j2 --temper 1": "write 2 to 64 temperatures with commas between",
    "--model ising-j1j2 --temper 1,2,1.5": "1.5 is not above the temperature before it",
    "--model ising-j1j2 --temper 1,1.0": "1.0 is not above the temperature before it",
    "--model ising-j1j2 --temper 0,1": "--temperature 0: must be positive and finite",
    "--model ising-j1j2 --temper -1,1": "--temperature -1: must be positive and finite",
    "--model ising-j1j2 --temper 1,Tc": "is not known exactly",
    "--model ising-j1j2 --temper 1,x": "write a number in J/k_B, Tc, or a multiple",
    "--model ising-j1j2 --temper 1,2 --temperature 2": "--temper has all temperatures",
    "--model ising-j1j2 --temper 1,2 --coupling 2": "--temper has all temperatures",
    "--model ising-j1j2 --temper 1,2 --algorithm wolff": "are updated by heat bath",
    "--model hard-squares --temper 1,2 --fugacity 1": "give --fugacity alone",
    "--temper 1,2": "--model ising is sampled at one temperature at a time; the models that",
    "--model dimers --temper 1,2": "--model dimers is sampled at one temperature at a time",
}


@pytest.mark.parametrize("line", REFUSED)
def test_refused(line, workplace, here):
    result = here(*f"sample --size 4 --samples 10 {line}".split(), "-o", "l-{T}.h5")
    assert (result.code, result.out) == (2, "")
    assert REFUSED[line] in result.sentence
    assert not list(Path().iterdir())


def test_names_without_a_place(workplace, here):
    line = "sample --size 4 --samples 10 --model ising-square --temper 0.9Tc,Tc"
    result = here(*line.split(), "-o", "l.h5")
    assert result.code == 2
    assert "write {T} for the temperature in the name, such as ladder-{T}.h5" in result.sentence
    assert made(here, line, "--chains", 512, "-o", "l-{T}.h5") == ["l-0.9Tc.h5", "l-Tc.h5"]


# ---- what it is for ------------------------------------------------------------------------------


@pytest.mark.slow
def test_stripes_turn_round(workplace, here):
    """J1-J2 with J2 = -J1 on 12x12 sites at T = 1.4, in its striped phase. By heat bath alone the
    stripes of a lattice hardly turn in 8000 sweeps; with a ladder to T = 2.3 they forget their
    direction in a few hundred sweeps, at every temperature together."""
    common = "sample --model ising-j1j2 --size 12 --thermalization 4000 --interval 40 --chains 512"
    alone = made(here, f"{common} --temperature 1.4 --samples 102400", "-o", "alone.h5")
    temperatures = "1.4,1.55,1.7,1.85,2,2.15,2.3"
    together = made(here, f"{common} --temper {temperatures} --samples 102400", "-o", "l-{T}.h5")
    times = []
    for path in (alone[0], together[0]):
        _, configurations, _ = configurations_of(path)
        spins = configurations[:, 0].astype(float)
        across, along = ((spins * (np.roll(spins, 1, axis))).mean(axis=(1, 2)) for axis in (1, 2))
        direction = (across - along).reshape(-1, 512).T
        times.append(40 * integrated_autocorrelation_time(direction)[0])
    assert times[0] > 10 * times[1], times
    with open_file(together[0]) as file:
        assert file.read("/ladder/round_trips").mean() > 20
