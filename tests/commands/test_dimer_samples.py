"""Dimers from the command line: files, their growth, their noise, what they say, and what is
refused."""

import json
import shutil

import h5py
import numpy as np
import pytest
from conftest import digest
from example_files import colours

from rsmi.models.chains import Chain, Group, groups
from rsmi.models.dimers import coverings as dimers
from rsmi.models.dimers.samples import read_coverings
from rsmi.models.schedule import Schedule
from rsmi.stages import sample
from rsmi.store import open_file

SAMPLE = (
    "sample --model dimers --size 6x8 --samples 150 --thermalization 20 --interval 2 -q".split()
)
NOISE = "--noise-probability 0.9 --noise-pairing straddling".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """plain.h5 and noisy.h5: the same links, without and with noise; open.h5."""
    from conftest import run_here

    folder = tmp_path_factory.mktemp("dimers")
    for name, options in {
        "plain.h5": [],
        "noisy.h5": NOISE,
        "open.h5": ["--boundary", "open"],
    }.items():
        result = run_here(*SAMPLE, *options, "-o", folder / name)
        assert result.code == 0, result.err
    return folder


def spins(path):
    with open_file(path, "samples") as file:
        return np.concatenate([chunk for _, chunk in read_coverings(file)])


# ---- the file ------------------------------------------------------------------------------------


def test_attributes(folder):
    with open_file(folder / "noisy.h5", "samples") as file:
        a = file.attributes
        assert (
            a["model"],
            a["shape"],
            a["components"],
            a["boundary"],
            a["chains"],
            a["algorithm"],
        ) == ("dimers", (6, 8), 4, "periodic", 32, "worm")
        assert (a["noise_probability"], a["noise_pairing"], a["coupling"]) == (
            0.9,
            "straddling",
            0.0,
        )
        assert not {"temperature", "interaction"} & a.keys()
        assert file.shape("/spins") == (150, 24)
    with open_file(folder / "open.h5", "samples") as file:
        assert (file.attributes["boundary"], file.attributes["components"]) == ("open", 2)
        assert not {"noise_probability", "noise_pairing"} & file.attributes.keys()
    assert not spins(folder / "open.h5")[:, 0, -1].any()


@pytest.mark.parametrize(
    ("options", "coupling", "interaction"),
    [
        ("--temperature 0.8", 1.25, -1.0),
        ("--temperature 2 --interaction 0.5", -0.25, 0.5),
        ("--coupling -0.5", -0.5, 1.0),
    ],
)
def test_interacting_samples(folder, here, tmp_path, options, coupling, interaction):
    """K = -v/T; aligning dimers have more parallel pairs than free ones, repelling ones fewer."""
    output = tmp_path / "interacting.h5"
    assert here(*SAMPLE, *options.split(), "-o", output).code == 0
    with open_file(output, "samples") as file:
        a = file.attributes
        assert (a["coupling"], a["interaction"], a["algorithm"]) == (coupling, interaction, "loop")
        assert a["temperature"] == pytest.approx(-interaction / coupling)
    free, interacting = (
        dimers.parallel_pairs(dimers.links_of(spins(path)), "periodic")
        for path in (folder / "plain.h5", output)
    )
    z = (interacting.mean() - free.mean()) / np.sqrt((free.var() + interacting.var()) / len(free))
    assert np.sign(z) == np.sign(coupling)
    assert abs(z) > 3


@pytest.mark.parametrize("name", ["plain.h5", "noisy.h5", "open.h5"])
def test_energy_is_that_of_the_links(folder, name):
    with open_file(folder / name, "samples") as file:
        boundary, energy = file.attributes["boundary"], file.read("/energy")
    links = dimers.links_of(spins(folder / name))
    assert (energy == -dimers.parallel_pairs(links, boundary)).all()
    assert len(np.unique(links, axis=0)) > 140


def test_noise_leaves_the_links_alone(folder, here, tmp_path):
    """Whatever the noise, the dimers are the same; with other noise every spin of it is drawn anew
    only where it must be."""
    links = spins(folder / "plain.h5")
    noisy = spins(folder / "noisy.h5")
    assert (noisy[:, dimers.LINKS] == links).all()
    assert here(*SAMPLE, "--noise-probability", 1, "-o", tmp_path / "cell.h5").code == 0
    cell = spins(tmp_path / "cell.h5")
    assert (cell[:, dimers.LINKS] == links).all()
    assert (cell[:, 0] == cell[:, 3]).all()
    assert (cell[:, 0] == noisy[:, 0]).all()
    assert len(np.unique(cell[:, 0], axis=0)) == 150


def test_growth_and_threads(here, tmp_path):
    """Grown in any steps, by any number of threads: the file of one run. The steps cut groups of
    four chains at every place."""
    line = [*SAMPLE, *NOISE, "--chains", 6, "-o"]
    for samples in (1, 2, 5, 6, 7, 33, 150):
        assert here(*line, tmp_path / "grown.h5", "--samples", samples).code == 0
    assert here(*line, tmp_path / "whole.h5", "--threads", 1).code == 0
    assert digest(tmp_path / "grown.h5") == digest(tmp_path / "whole.h5")
    assert (spins(tmp_path / "grown.h5") == spins(tmp_path / "whole.h5")).all()


@pytest.mark.parametrize("cuts", [(0, 30), (0, 1, 30), (0, 3, 4, 17, 29, 30)])
def test_rows_do_not_depend_on_where_a_run_is_cut(cuts):
    parameters = sample.request(
        model="dimers",
        shape=(4, 6),
        temperature=None,
        coupling=None,
        interaction=None,
        boundary="periodic",
        noise_probability=0.5,
        noise_pairing="cell",
        algorithm="auto",
        samples=60,
        chains=6,
        thermalization=0,
        interval=1,
        seed=3,
    ).parameters
    simulation, group = sample.simulation_of(parameters), Group(4, 2, 6)
    found = []
    for pieces in (cuts, (0, 30)):
        chain = Chain(simulation, Schedule(0, 1, 3), group, 30, 0, lambda: simulation.start(4, 5))
        _, state = chain.begin()
        rows = [chain.advance(state, a, b - a) for a, b in zip(pieces, pieces[1:])]
        found.append(
            {name: np.concatenate([part[name] for part in rows]) for name in ("spins", "energy")}
        )
    assert all((found[0][name] == found[1][name]).all() for name in found[0])


@pytest.mark.parametrize("chains", [1, 3, 4, 7, 32])
@pytest.mark.parametrize("samples", [1, 5, 31, 100])
def test_groups(chains, samples):
    """Every sample is made by one group, in order, as chain i mod chains makes sample i."""
    found = np.full(samples, -1)
    for group in groups(chains, 4, samples):
        made = group.samples(0, group.rows(samples))
        assert (np.diff(made) > 0).all()
        assert (found[made] == -1).all()
        assert ((made % chains >= group.first) & (made % chains < group.first + group.count)).all()
        found[made] = group.first
    assert (found >= 0).all()


# ---- what it says --------------------------------------------------------------------------------


def test_summary(folder, here):
    found = json.loads(here("info", folder / "noisy.h5", "--json").out)
    links = dimers.links_of(spins(folder / "noisy.h5"))
    assert found["energy"] == pytest.approx(-dimers.parallel_pairs(links).mean() / 48)
    assert found["winding_squared"] == pytest.approx((dimers.windings(links) ** 2).mean())
    assert found["columnar_order"] == pytest.approx(
        np.hypot(*dimers.columnar_order(links).T).mean()
    )
    assert abs(found["noise_agreement"] - 0.9) < 4 * 0.3 / np.sqrt(150 * 48)
    assert {
        "tau_int_energy",
        "tau_int_winding_squared",
        "tau_int_columnar_order_error",
    } < found.keys()
    assert "winding_squared" not in json.loads(here("info", folder / "open.h5", "--json").out)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "noisy.h5",
            [
                "6x8 dimers, periodic, with noise paired straddling",
                "free",
                "<W^2>",
                "columnar order",
                "noise pairs equal",
                "probability 0.9",
                "worm, 32 chains",
            ],
        ),
        ("open.h5", ["6x8 dimers, open\n", "columnar order"]),
    ],
)
def test_info(folder, here, name, words):
    text = here("info", folder / name).out
    assert all(word in text for word in words)
    assert ("<W^2>" in text) == (name != "open.h5")
    assert "nan" not in text


def test_auto_finds_a_schedule(here, tmp_path):
    """The pilot: an interval at which samples are nearly independent, and a sweep of about N/2
    steps."""
    result = here(
        "sample",
        "--model",
        "dimers",
        "--size",
        16,
        "--samples",
        4000,
        "--json",
        "-o",
        tmp_path / "a.h5",
    )
    found = json.loads(result.out)
    assert "worm: tau_int" in result.err
    assert all(
        0.4 < found[f"tau_int_{name}"] < 0.9
        for name in ("energy", "winding_squared", "columnar_order")
    )
    assert abs(found["winding_squared"] - 0.3026203838) < 4 * found["winding_squared_error"]
    assert abs(found["energy"] + 0.247816) < 4 * found["energy_error"]
    with open_file(tmp_path / "a.h5") as file:
        assert file.attributes["clusters_per_sweep"] == 2
        assert 1 <= file.attributes["interval"] <= 5


def test_plan(here, workplace):
    plan = json.loads(
        here(
            "sample",
            "--model",
            "dimers",
            "--size",
            8,
            "--samples",
            100,
            "--chains",
            5,
            "--noise-probability",
            0.5,
            "--dry-run",
            "--json",
            "-o",
            "x.h5",
        ).out
    )
    assert plan["bytes"] > 100 * (32 + 8)
    assert plan["sweeps"] == 5 * plan["thermalization"] + 100 * plan["interval"]
    assert not list(workplace.iterdir())


def test_figure(folder, here, tmp_path):
    """Four colours of dimers, one in a columnar state, and the black of the noise."""
    output = tmp_path / "figure.png"
    assert here("plot", folder / "noisy.h5", folder / "open.h5", "-o", output).code == 0
    black, *coloured, _ = colours(output)
    assert sum(count > 500 for count in coloured) >= 4
    assert black > 500


def test_figure_of_a_covering():
    """Half a dimer for every vertex, in one colour where the covering is columnar; at most 64
    vertices along a side."""
    from matplotlib.figure import Figure

    from rsmi.models.dimers.figure import draw_configuration

    for shape, drawn in (((6, 8), 48), ((128, 4), 256)):
        axes = Figure().subplots()
        directions = np.roll(dimers.columns(shape), 1, axis=0)
        draw_configuration(axes, np.stack([np.where(directions == a, 1, -1) for a in (0, 1)]), 3.0)
        lines = [
            (segment, tuple(colour))
            for collection in axes.collections
            for segment, colour in zip(collection.get_segments(), collection.get_colors())
        ]
        assert len(lines) == drawn
        assert len({colour for _, colour in lines}) == 1
        assert (
            min(segment[:, 0].min() for segment, _ in lines) == -0.5
        )  # the dimers around the edge


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--model dimers --size 7", "sides must be even"),
        ("--model dimers --size 6x5", "5 vertices along a side"),
        ("--model dimers --size 8 --dimension 3", "two axes"),
        ("--model dimers --size 0", "from 2 to"),
        ("--model dimers --size 8 --noise-probability 1.5", "between 0 and 1"),
        ("--model dimers --size 8 --noise-probability nan", "between 0 and 1"),
        ("--model dimers --size 8 --noise-pairing cell", "only with a --noise-probability"),
        ("--model dimers --size 8 --algorithm wolff", "sampled by worm"),
        ("--model dimers --size 8 --temperature Tc", "write a number"),
        ("--model dimers --size 8 --temperature 0", "must be positive"),
        ("--model dimers --size 8 --temperature 1 --coupling 1", "not both"),
        ("--model dimers --size 8 --interaction -2", "needs a --temperature"),
        ("--model dimers --size 8 --coupling inf", "must be finite"),
        (
            "--model ising --temperature Tc --size 8 --noise-probability 0.5",
            "is an option for --model dimers only",
        ),
        ("--model ising --temperature Tc --size 8 --boundary open", "of --model ising is periodic"),
        (
            "--model ising --temperature Tc --size 8 --interaction -1",
            "is an option for --model dimers only",
        ),
        ("--model ising --temperature Tc --size 8 --algorithm worm", "ising is sampled by"),
    ],
)
def test_impossible_requests(here, workplace, options, words):
    result = here("sample", *options.split(), "--samples", 10, "-o", "x.h5")
    assert result.code == 2
    assert words in result.sentence
    assert not list(workplace.iterdir())


@pytest.mark.parametrize(
    "command",
    [
        "info broken.h5",
        "train-lambda broken.h5 --block 4x4 --buffer 0 --windows 1000 -o x.h5",
        "train-theta broken.h5 --block 4x4 --buffer 0 --windows 1000 -o x.h5",
    ],
)
def test_samples_that_are_no_coverings(folder, here, workplace, command):
    """A dimer taken away from sample 77: sample and vertex are named by every command that reads
    coverings."""
    shutil.copy(folder / "plain.h5", "broken.h5")
    link = tuple(int(x) for x in np.argwhere(spins("broken.h5")[77, 1])[0])
    bit = 48 + 8 * link[0] + link[1]
    with h5py.File("broken.h5", "r+") as file:
        file["spins"][77, bit // 8] ^= 1 << bit % 8
    result = here(*command.split())
    assert result.code == 65
    assert f"sample 77 has 0 dimers at the vertex ({link[0]}, {link[1]})" in result.sentence


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("components", 3, "/spins has"),
        ("boundary", np.bytes_("twisted"), "boundary 'twisted'"),
        ("coupling", 1.0, "contradict"),
        ("noise_pairing", np.bytes_("diagonal"), "cell or straddling"),
        ("shape", [3, 16], "two even sides"),
    ],
)
def test_files_from_elsewhere(folder, here, workplace, name, value, words):
    shutil.copy(folder / "noisy.h5", "odd.h5")
    with h5py.File("odd.h5", "r+") as file:
        file.attrs[name] = value
    result = here("info", "odd.h5")
    assert result.code == 65
    assert words in result.sentence


@pytest.mark.parametrize(
    "command",
    [
        "coarse-grain noisy.h5 --rule majority",
        "flow noisy.h5 --rule majority --steps 1",
        "crossing noisy.h5 plain.h5",
    ],
)
def test_commands_for_one_spin_a_site(folder, here, workplace, command):
    for name in ("plain.h5", "noisy.h5"):
        shutil.copy(folder / name, name)
    result = here(*command.split(), "-o", "x.h5")
    assert result.code == 2
    assert "components per site" in result.sentence


@pytest.mark.parametrize("more", ["", "--temperature 1"], ids=["worm", "loop"])
def test_thermalization_may_be_cut_anywhere(more, workplace, here, interrupt):
    """What is left of a random number is dropped at the end of a row: a row of several sweeps would
    depend on where a run was cut."""
    line = f"sample --model dimers --size 8 {more} --samples 64 --thermalization 40".split()
    line += ["--interval", "1"]
    assert here(*line, "-o", "once.h5").code == 0
    for parts in (5, 9):
        interrupt([*line, "-o", "cut.h5"], parts)
    assert here(*line, "-o", "cut.h5").code == 0
    assert digest("cut.h5") == digest("once.h5")
