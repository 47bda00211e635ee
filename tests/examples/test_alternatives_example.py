"""The scripts of data/alternatives run, and what its README says that can be computed at once is
what it should be."""

import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import module_of

from rsmi.information import decoder
from rsmi.information.channel import channel_table
from rsmi.information.entropy import joint_informations
from rsmi.models.ising import oracle as exact
from rsmi.models.ising.theory.migdal_kadanoff import exponents
from rsmi.renormalization.rules import NAMED
from rsmi.stages.training import measures as rule_measures

FOLDER = Path(__file__).parents[2] / "data/alternatives"
OBJECTIVES = ("decoder", "total-correlation", "likelihood")
TITLES = ["mutual information", "total correlation", "likelihood"]
SYSTEMS = {
    "ising-2x2": ("sample --size 16 --temperature Tc --samples 2000", "--block 2x2"),
    "chain": ("sample --dimension 1 --size 64 --coupling 1 --samples 1000", "--block 4"),
    "dimers": (
        "sample --model dimers --size 8 --noise-probability 0.982 --samples 3000",
        "--block 2x2 --buffer 1 --hidden 2",
    ),
}


@pytest.fixture
def script(forked):
    """A script of the folder as a module."""
    return lambda name: module_of(FOLDER / f"{name}.py")


@pytest.fixture(scope="module", autouse=True)
def short_fits():
    """Decoders fitted in fewer steps: what they bound is bounded all the same."""
    short = functools.partial(decoder.fit_decoder, steps=100)
    with pytest.MonkeyPatch.context() as patch:
        for module in (rule_measures, decoder):
            patch.setattr(module, "fit_decoder", short)
        yield


@pytest.fixture(scope="module")
def systems(tmp_path_factory):
    """A folder with samples of three systems, and a rule of every objective on each."""
    from conftest import run_here

    folder = tmp_path_factory.mktemp("alternatives")
    for name, (sample, train) in SYSTEMS.items():
        assert run_here(*sample.split(), "-q", "-o", folder / f"{name}.h5").code == 0
        for objective in OBJECTIVES:
            line = (
                f"train-lambda {folder / name}.h5 {train} --objective {objective} --windows 5000"
                f" --restarts 1 -q -o {folder / name}-{objective}.h5"
            )
            result = run_here(*line.split())
            assert result.code == 0, result.err
    return folder


def rules_of(folder, name):
    return [str(folder / f"{name}-{objective}.h5") for objective in OBJECTIVES]


@pytest.fixture
def measured(script, systems, here, monkeypatch):
    """The measures of a system, with what is exactly known of Ising; as in the Makefile."""
    measures = script("measures")
    monkeypatch.setattr(measures, "WINDOWS", 5000)

    def call(name):
        if name == "dimers":
            return measures.measure(str(systems / "dimers.h5"), rules_of(systems, name))
        source = (
            [systems / f"{name}.h5"]
            if name != "chain"
            else "--dimension 1 --size 64 --coupling 1".split()
        )
        chosen = [word for rule in (*rules_of(systems, name), *NAMED) for word in ("--rule", rule)]
        found = here("exact", *source, *chosen, *SYSTEMS[name][1].split(), "--hard", "--json")
        assert found.code == 0, found.err
        return measures.measure(
            str(systems / f"{name}.h5"), rules_of(systems, name), json.loads(found.out)
        )

    return call


# ---- the scripts, small --------------------------------------------------------------------------


def test_from_rules_to_the_picture(script, measured, systems, here, workplace, capsys):
    """All rules in every table; held out bounds do not exceed what is exact; a figure."""
    found = {name: measured(name) for name in SYSTEMS}
    for name in ("ising-2x2", "chain"):
        assert list(found[name]["rules"]) == [*TITLES, *NAMED]
        for rule in found[name]["rules"].values():
            assert rule["information"] - rule["exact"] < 4 * np.hypot(
                rule["information_error"], rule["exact_error"]
            )
            assert rule["loss"] == pytest.approx(found[name]["whole"] - rule["exact"])
        assert [
            found[name]["rules"][rule]["cosine_" + pattern]
            for rule, pattern in (
                ("majority", "uniform"),
                ("staggered", "staggered"),
                ("decimation", "spin"),
            )
        ] == pytest.approx([1, 1, 1])
    assert list(found["dimers"]["rules"]) == [*TITLES, *NAMED, "E_x and E_y"]
    assert found["dimers"]["rules"]["E_x and E_y"]["electric"] == pytest.approx([1, 1])
    for name, values in found.items():
        Path(f"{name}.json").write_text(json.dumps(values))
    assert (
        here(
            "flow",
            systems / "ising-2x2.h5",
            "--rule",
            "majority",
            "--block",
            "2x2",
            "--steps",
            2,
            "-q",
            "-o",
            "flow-majority.h5",
        ).code
        == 0
    )
    assert here("exponent", "flow-majority.h5", "-q", "-o", "exponent-majority.h5").code == 0
    capsys.readouterr()
    script("table").main(*(f"{name}.json" for name in SYSTEMS), "exponent-majority.h5")
    text = capsys.readouterr().out
    assert all(text.count(f"\n  {name} ") == 3 for name in TITLES)
    assert text.count("\n  majority ") == 4
    script("picture").main(
        "ising-2x2.json", "ising-2x2.json", "chain.json", "dimers.json", "picture.png"
    )
    assert Path("picture.png").read_bytes()[:4] == b"\x89PNG"


def test_measures_as_a_command(script, systems, capsys, monkeypatch):
    measures = script("measures")
    monkeypatch.setattr(measures, "WINDOWS", 5000)
    measures.main("--learned", str(systems / "chain.h5"), *rules_of(systems, "chain"))
    found = json.loads(capsys.readouterr().out)
    assert list(found["rules"]) == TITLES
    assert "exact" not in found["rules"]["likelihood"]
    assert found["whole"] is None


def test_seeds(script, systems, capsys):
    script("seeds").main(*rules_of(systems, "dimers"))
    rows = [line.split("   ")[0].strip() for line in capsys.readouterr().out.splitlines()]
    assert rows[3:] == TITLES


def test_names_on_dimers(script):
    """On the picture of a cell, vertex and face are of one colour of the checkerboard and links of
    the other; thresholds at the mean."""
    found = script("measures").on_dimers((4, 4))
    staggered = found["staggered"].filters.reshape(4, 16)
    assert (staggered == np.array([1, -1, -1, 1])[:, None]).all()
    assert np.flatnonzero(found["decimation"].filters).tolist() == [0]
    assert [
        found[name].bias[0] for name in ("majority", "staggered", "decimation", "majority-ties-up")
    ] == [16, -16, 0, 16.5]
    assert not found["E_x and E_y"].bias.any()


# ---- what the README says ------------------------------------------------------------------------


def row_of(title, name):
    """Cells of a row of the README's table under a title."""
    text = (FOLDER / "README.md").read_text()
    (row,) = re.findall(rf"    {title}.*\n\n(?:    .*\n)*?      {name}   +(.*)\n", text)
    return row.split()


@pytest.mark.parametrize("name", ["majority", "majority-ties-up", "decimation", "staggered"])
def test_the_chain_in_the_readme(name):
    """Exact I(H:E) and I(V:E|H) of rules with names."""
    joint = exact.chain_joint(4, 1, 1.0, 64)
    rule = NAMED[name]((4,))
    (found,) = joint_informations([channel_table(rule.filters, rule.bias, rule.hard)], joint)
    shown = row_of("Ising chain, 64 spins", name)
    assert shown[1] == f"{found.information:.6g}"
    assert shown[2] == f"{found.block_information - found.information:.4f}"


def test_migdal_kadanoff_in_the_readme():
    found = exponents()
    assert row_of("Exponents of the Ising model", "Migdal-Kadanoff")[:4] == [
        f"{found['y_t']:.4f}",
        "-",
        f"{found['nu']:.4f}",
        f"{found['K']:.4f}",
    ]
