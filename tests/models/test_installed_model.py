"""A model that is installed by pip beside rsmi, in a virtual environment of its own: every command
works from the shell, with no edit of rsmi."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from conftest import digest, run_here
from plugin import visible
from test_packaging import clean_copy, run
from test_runner import fine_grained

PACKAGE = Path(__file__).parent / "field_ising"
# Without an index where the tools that compile rsmi are installed here.
OFFLINE = (
    ("--no-index", "--no-build-isolation")
    if all(map(importlib.util.find_spec, ("Cython", "setuptools")))
    else ()
)
PHYSICS = (
    "--model field-ising --size 8 --temperature 4 --ratio 0.3 --field 0.2"
    " --thermalization 20 --interval 5"
)
SAMPLE = f"sample {PHYSICS} --samples 4000"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A function that runs a command line of the new environment's rsmi in a folder."""
    folder = tmp_path_factory.mktemp("installed")
    python = folder / "venv/bin/python"
    run(sys.executable, "-m", "venv", folder / "venv")
    # The dependencies are those that are installed here.
    (site,) = (folder / "venv/lib").glob("*/site-packages")
    (site / "here.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    wheel = (sys.executable, *pip, "wheel", *OFFLINE)
    run(*wheel, "--no-deps", "-w", folder / "wheels", clean_copy(folder), PACKAGE)
    wheels = (folder / "wheels").glob("*.whl")
    run(python, *pip, "install", "--no-index", "--no-deps", "--ignore-installed", *wheels)
    return python.with_name("rsmi"), folder


@pytest.fixture
def rsmi(installed):
    """Run a command line that must succeed; its standard output."""
    program, folder = installed

    def call(line: str) -> str:
        return run(program, *line.split(), cwd=folder, env=environment())

    return call


def environment() -> dict:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def killed(program: Path, line: str, folder: Path, out: str) -> None:
    """Run a command line that kills itself just before it commits its 60th row."""
    prelude = fine_grained(60, "os.kill(os.getpid(), signal.SIGKILL)")
    command = [program.with_name("python"), "-c", f"{prelude}\nfrom rsmi.cli import main; main()"]
    child = subprocess.run([*command, *line.split(), "-o", out], cwd=folder, env=environment())
    assert child.returncode == -signal.SIGKILL
    assert list((folder / f"{out}.parts").glob("*.h5")) and not (folder / out).exists()


@pytest.mark.slow
def test_the_package_of_the_wheel(rsmi, installed):
    """What runs is the wheel and not this clone."""
    program, folder = installed
    place = run(
        program.with_name("python"),
        "-c",
        "import rsmi; print(rsmi.__file__)",
        cwd=folder,
        env=environment(),
    )
    assert place.startswith(str(folder / "venv"))
    help_page = rsmi("sample --model field-ising --help")
    assert "--ratio" in help_page and "next-nearest" in help_page


@pytest.mark.slow
def test_every_command(rsmi, installed, tmp_path_factory):
    """Killed and resumed, extended, in shards, and every command that reads samples; the file is
    the one that is made here."""
    program, folder = installed
    killed(program, SAMPLE, folder, "samples.h5")
    rsmi(f"{SAMPLE} -o samples.h5")
    for number in range(3):
        rsmi(f"{SAMPLE} --shard {number}/3 -o {number}.h5")
    rsmi("merge 0.h5 1.h5 2.h5 -o merged.h5")
    for samples in (1500, 4000):
        rsmi(f"sample {PHYSICS} --samples {samples} -o grown.h5")
    with visible(PACKAGE, tmp_path_factory.mktemp("site")):
        here = folder / "here.h5"
        assert run_here(*SAMPLE.split(), "-o", here).code == 0
    assert {digest(folder / f"{name}.h5") for name in ("samples", "merged", "grown")} == {
        digest(here)
    }
    rsmi("train-theta samples.h5 --block 2x2 --windows 2000 --hidden 4 --epochs 2 -o theta.h5")
    rsmi("train-lambda samples.h5 --block 2x2 --windows 4000 --restarts 1 -o lambda.h5")
    rsmi("coarse-grain samples.h5 --rule lambda.h5 -o coarse.h5")
    rsmi("flow samples.h5 --rule majority --steps 2 -o flow.h5")
    rsmi(f"flow {PHYSICS} --samples 4000 --rule majority --steps 2 -o in-flight.h5")
    rsmi("exponent flow.h5 -o exponent.h5")
    for name in ("samples", "theta", "lambda", "coarse", "flow", "in-flight", "exponent"):
        attributes = json.loads(rsmi(f"info {name}.h5 --tree --json"))["attributes"]
        assert attributes["model"] == "field-ising"
        assert name == "exponent" or attributes["model_parameters"]["couplings"]["ratio"] == 0.3
