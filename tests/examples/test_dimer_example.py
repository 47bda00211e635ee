"""The scripts of data/dimers run, and what its README says of them holds."""

import functools
import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import module_of

from rsmi.lattice.geometry import Geometry
from rsmi.models.dimers.filters import columnar_templates, electric_templates
from rsmi.samples.windows import WindowSet
from rsmi.stages.training import measures
from rsmi.store import open_file

FOLDER = Path(__file__).parents[2] / "data/dimers"
NOISE = ("--noise-probability", 0.982)


@pytest.fixture
def script(forked, monkeypatch):
    """A script of the folder as a module."""
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def load(name, steps=None, **constants):
        if steps:
            monkeypatch.setattr(importlib.import_module("readouts"), "STEPS", steps)
        module = module_of(FOLDER / f"{name}.py")
        for constant, value in constants.items():
            assert hasattr(module, constant)
            monkeypatch.setattr(module, constant, value)
        return module

    yield load
    sys.modules.pop("readouts", None)  # the name is that of this folder's only while a test runs


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Coverings of 16x16: in noise, and without."""
    from conftest import run_here

    folder = tmp_path_factory.mktemp("dimers")
    for name, more in (
        ("noisy", NOISE),
        ("interacting-inf", ()),
        ("interacting-0.5", ("--temperature", 0.5)),
    ):
        result = run_here(
            "sample",
            "--model",
            "dimers",
            "--size",
            16,
            "--samples",
            4000,
            *more,
            "-q",
            "-o",
            folder / f"{name}.h5",
        )
        assert result.code == 0, result.err
    return folder


@pytest.fixture(scope="module", autouse=True)
def short_fits():
    """Fit the decoders that measure a rule in fewer steps: no test reads their bounds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "fit_decoder", functools.partial(measures.fit_decoder, steps=100))
        yield


def is_figure(path):
    return path.read_bytes()[:4] == b"\x89PNG"


def rows_of(text):
    """The cells of a table's rows, by two spaces or more."""
    return [
        [cell.strip() for cell in line.split("   ") if cell.strip()]
        for line in text.splitlines()
        if line.startswith("  ")
    ]


# ---- the scripts, small --------------------------------------------------------------------------


def test_the_table_of_filters(script, samples, here, workplace, capsys):
    for hidden in (1, 2):
        words = (
            "--block",
            "4x4",
            "--buffer",
            2,
            "--environment",
            1,
            "--windows",
            4000,
            "--restarts",
            1,
            "--objective",
            "proxy",
            "--estimator",
            "gaussian",
        )
        assert (
            here(
                "train-lambda",
                samples / "noisy.h5",
                *words,
                "--hidden",
                hidden,
                "-q",
                "-o",
                f"lambda-{hidden}.h5",
            ).code
            == 0
        )
    module = script("table", steps=50)
    module.learned(["lambda-1.h5", "lambda-2.h5"])
    module.named(samples / "noisy.h5", "lambda-1.h5")
    text = capsys.readouterr().out
    assert text.startswith("Learned filters, proxy objective")
    assert "E at 0, 45, 90, 135 degrees" in text
    assert len(rows_of(text)) == 1 + len(module.MEASURES) + 1 + 6
    assert "Canonical correlations of V and E, exact: 0.5840  0.5604  0.3152" in text


def test_machines(script, samples, workplace, capsys):
    module = script(
        "boltzmann",
        WINDOWS=4000,
        SEEDS=1,
        UNITS=(2, 16),
        SCHEDULES={"brief": (0.003, 1, 1), "to the end": (0.05, 2, 1)},
        RANDOM=5,
    )
    module.main(samples / "noisy.h5", "machines.png")
    assert is_figure(workplace / "machines.png")
    assert [row[:2] for row in rows_of(capsys.readouterr().out)[1:]] == [
        [schedule, units] for schedule in ("brief", "to the end") for units in ("2", "16")
    ]


def test_buffers(script, samples, workplace, capsys):
    module = script("buffers", steps=50, WINDOWS=4000, BUFFERS=(1, 3))
    module.main(samples / "noisy.h5", "buffers.png")
    assert is_figure(workplace / "buffers.png")
    rows = rows_of(capsys.readouterr().out)
    assert [row[:2] for row in rows[1:]] == [
        [name, buffer] for name in ("E", "columnar", "noise", "control") for buffer in ("1", "3")
    ]
    assert [row[-1] for row in rows[1:3]] == ["0.4519", "0.2015"]
    assert [row[-1] for row in rows[5:7]] == ["0.0000", "0.0000"]


def test_temperatures(script, samples, here, workplace, capsys):
    for temperature in ("0.5", "inf"):
        words = (
            "--block",
            "4x4",
            "--buffer",
            2,
            "--hidden",
            2,
            "--windows",
            4000,
            "--restarts",
            1,
            "--estimator",
            "gaussian",
        )
        assert (
            here(
                "train-lambda",
                samples / f"interacting-{temperature}.h5",
                *words,
                "-q",
                "-o",
                samples / f"rule-{temperature}-2.h5",
            ).code
            == 0
        )
    module = script("temperature", STEPS=200)
    module.main(
        "temperature.png",
        *(str(samples / f"rule-{temperature}-2.h5") for temperature in ("0.5", "inf")),
    )
    assert is_figure(workplace / "temperature.png")
    assert [row[0] for row in rows_of(capsys.readouterr().out)[1:]] == ["0.5", "inf"]


def test_a_miss_is_reported(script):
    """A filter of one column of links and noise meets no claim."""
    module = script("campaign")
    found = {
        "dimers": {
            "units": [{"R2": 0.4, "noise": 0.3}, {"R2": 0.9, "noise": 0.0}],
            "angles": [[0, 130], [130, 0]],
        },
        "mutual_information_hard": 0.2,
    }
    claims = module.claims(found)
    assert len(claims) == 4
    assert not any(met for met, _ in claims.values())
    assert claims["2 units: least angle of 60 to 120 degrees"] == (False, 50)


# ---- the numbers they compute themselves ---------------------------------------------------------


@pytest.mark.parametrize(
    ("rho", "known"), [(0.01, 1e-4 / math.pi), (0.05, 0.0025 / math.pi), (0.9999, math.log(2))]
)
def test_information_of_a_sign(script, rho, known):
    """rho^2/pi for weak correlation (of the Gaussian itself rho^2/2), ln 2 for a perfect one."""
    assert script("buffers").sign_information(rho) == pytest.approx(known, rel=0.02)


def test_readouts_know_and_the_control_does_not(script, samples):
    """E_x and E_y of free dimers: .186(4) nats at full statistics; shuffled environments: nothing,
    less the cost of the fit."""
    with open_file(samples / "noisy.h5", "samples") as source:
        windows = WindowSet(source, Geometry((4, 4), 2, 1), 50_000, 0)
        filters = script("buffers").embed_links(electric_templates((4, 4)), 4)
        information = script("readouts").information
        known, nothing = (
            information(windows, filters, steps=1000),
            information(windows, filters, shuffled=True, steps=1000),
        )
    assert known.value == pytest.approx(0.186, abs=4 * math.hypot(known.error, 0.004) + 0.006)
    assert -0.01 < nothing.value < 4 * nothing.error


def test_plaquettes_tell_the_columns_apart(script):
    """The four columnar states have four different pairs of signs; of E_x and E_y they have
    none."""
    plaquettes = script("temperature").plaquette_templates((4, 4))
    states = []
    for axis in (0, 1):
        for odd in (0, 1):
            links = -np.ones((2, 4, 4))
            links[axis] = np.where(np.indices((4, 4))[axis] % 2 == odd, 1, -1)
            states.append(links.ravel())
    signs = np.sign(np.array(states) @ plaquettes.T)
    assert {tuple(row) for row in signs} == {(1, 1), (-1, -1), (1, -1), (-1, 1)}
    assert not (np.array(states) @ electric_templates((4, 4)).T).any()
    assert (np.array(states) @ columnar_templates((4, 4)).T).any()


# ---- what the README says ------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("route", "claims"), [("decoder", 10), ("gaussian", 10), ("machines", 7)])
def test_the_field_is_found(script, workplace, route, claims):
    """Every claim of the campaign, three seeds of samples and filters."""
    rows = script("campaign").campaign(3, [route])
    assert len(rows) == claims
    assert all(len(columns[route]) == 3 for columns in rows.values())
    assert not [
        (claim, columns)
        for claim, columns in rows.items()
        if not all(met for met, _ in columns[route])
    ]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """100,000 coverings of 16x16 in noise."""
    from conftest import run_here

    path = tmp_path_factory.mktemp("many") / "samples.h5"
    assert (
        run_here(
            "sample",
            "--model",
            "dimers",
            "--size",
            16,
            "--samples",
            100_000,
            *NOISE,
            "-q",
            "-o",
            path,
        ).code
        == 0
    )
    return path


@pytest.mark.slow
def test_machines_of_the_block_learn_noise(script, many):
    """16 units: four fifths of the weight on noise when training is brief, of the units at its end;
    no unit is the field at any size: the share of a learned filter is .9 or more, that of the best
    of as many random ones .09 to .32.
    """
    module = script("boltzmann", SEEDS=2)
    with open_file(many, "samples") as source:
        windows = WindowSet(source, Geometry((4, 4), 2, 1), module.WINDOWS, 0)
        found = {
            (schedule, units): [module.trained(windows, units, schedule, seed) for seed in range(2)]
            for schedule in module.SCHEDULES
            for units in module.UNITS
        }
    assert all(machine.noise >= 0.8 for machine in found["brief", 16])
    assert all(machine.noisy_units >= 0.75 for machine in found["to the end", 16])
    for (schedule, units), machines in found.items():
        assert all(machine.electric <= (0.15 if units <= 16 else 0.35) for machine in machines), (
            schedule,
            units,
        )


@pytest.mark.slow
def test_information_against_the_buffer(script, many):
    """E at every buffer close to what Gaussian variables of its exact rho know, the columnar order
    below a fifth of it, noise nothing."""
    module = script("buffers", BUFFERS=(1, 2, 3, 4))
    found, known, _ = module.scan(many)
    for k, buffer in enumerate(module.BUFFERS):
        electric, columnar, noise, control = (
            found[name][k] for name in ("E", "columnar", "noise", "control")
        )
        assert abs(noise.value - control.value) < 4 * math.hypot(noise.error, control.error)
        assert electric.value == pytest.approx(
            module.sign_information(math.sqrt(known[buffer]["E"])), rel=0.2
        )
        assert columnar.value < electric.value / 5
        assert electric.value > 20 * electric.error
