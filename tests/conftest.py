"""Running the command line in this process and in one of its own, and one tiny pipeline that the
tests share."""

import contextlib
import fcntl
import gc
import importlib.util
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cpu_seconds
import pytest
from fork_server import STREAMS, ForkedProcess, environment

from rsmi.cli.application import run
from rsmi.engine import session
from rsmi.engine.stop import Stop
from rsmi.engine.tasks import Limits
from rsmi.store import PartsFolder, open_file

# The smallest complete pipeline: output -> the command line that makes it, in order. A new command
# is one line more.
# Every row becomes a part of its own.
FINE = Limits(checkpoint_seconds=0.0, quantum_seconds=0.0)

SAMPLE = (
    "sample --size 16 --algorithm swendsen-wang --temperature Tc --thermalization 4 --interval 2"
)
PIPELINE = {
    "samples.h5": f"{SAMPLE} --samples 400",
    "other.h5": f"{SAMPLE} --samples 100 --seed 7",
    "imported.h5": "import mcising.h5 --temperature 3 --chains 2",
    "theta.h5": (
        "train-theta samples.h5 --block 2x2 --windows 2000 --hidden 4 --cd-steps 1 --epochs 4"
    ),
    "lambda.h5": "train-lambda samples.h5 --theta theta.h5 --windows 2000 --restarts 2",
    "coarse.h5": "coarse-grain samples.h5 --rule lambda.h5",
    "flow.h5": "flow samples.h5 other.h5 --rule majority --steps 2",
    "exponent.h5": "exponent flow.h5",
    "16-hot.h5": (
        "sample --size 16 --algorithm swendsen-wang --temperature 1.1Tc --thermalization 4"
        " --interval 2 --samples 200"
    ),
    "8-cold.h5": (
        "sample --size 8 --algorithm swendsen-wang --temperature 0.9Tc --thermalization 4"
        " --interval 2 --samples 200"
    ),
    "8-hot.h5": (
        "sample --size 8 --algorithm swendsen-wang --temperature 1.1Tc --thermalization 4"
        " --interval 2 --samples 200"
    ),
    "16-cold.h5": (
        "sample --size 16 --algorithm swendsen-wang --temperature 0.95Tc --thermalization 4"
        " --interval 2 --samples 200"
    ),
    "crossing.h5": "crossing samples.h5 16-hot.h5 16-cold.h5 8-hot.h5 8-cold.h5",
    "spectrum-8.h5": (
        "sample --size 8 --algorithm swendsen-wang --temperature Tc --thermalization 4"
        " --interval 2 --samples 200"
    ),
    "spectrum.h5": "spectrum spectrum-8.h5 samples.h5 --function plaquette",
    "correlation.h5": "spectrum spectrum-8.h5 --correlation",
    "dimers.h5": (
        "sample --model dimers --size 8 --noise-probability 0.982 --samples 600 --thermalization 4"
        " --interval 2"
    ),
    "shard-0.h5": f"{SAMPLE} --samples 400 --shard 0/2",
    "shard-1.h5": f"{SAMPLE} --samples 400 --shard 1/2",
    "merged.h5": "merge shard-0.h5 shard-1.h5",
    "flow-shard.h5": "flow samples.h5 other.h5 --rule majority --steps 2 --shard 1/3",
    "dimers-lambda.h5": "train-lambda dimers.h5 --block 2x2 --buffer 1 --windows 2000 --restarts 1",
}
# Samples of another program: tests/test_import.py says how they were made.
MCISING = Path(__file__).parent / "data" / "mcising.h5"
# One output per command.
COMMANDS = {line.split()[0]: name for name, line in reversed(PIPELINE.items())}


def by_default(chosen, cases) -> list:
    """All cases as parameters of a test; those that are not among the ``chosen`` are slow."""
    return [
        pytest.param(case, marks=() if case in chosen else pytest.mark.slow, id=str(case))
        for case in cases
    ]


def arguments_for(output: str) -> list[str]:
    """The command line that makes a file of the pipeline."""
    return [*PIPELINE[output].split(), "-o", output]


def module_of(script: Path):
    """A script of data/ as a module; nothing is left beside it."""
    spec = importlib.util.spec_from_file_location(f"{script.parent.name}_{script.stem}", script)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The last line on stderr: the message of an error."""
        return self.err.strip().splitlines()[-1] if self.err.strip() else ""


def pytest_addoption(parser):
    """The option of `cpu_seconds.py`, which is registered too late to add it."""
    parser.addoption("--cpu-seconds", metavar="FILE", help="write the CPU seconds of all files")


def pytest_configure(config):
    """The end of the run says what it has cost."""
    config.pluginmanager.register(cpu_seconds, "cpu_seconds")


def pytest_collection_finish(session):
    """The thousands of tests live to the end: the garbage collector need not look at them again."""
    gc.collect()
    gc.freeze()
    cpu_seconds.start()


@pytest.fixture(scope="session", autouse=True)
def without_sync():
    """No command in this process waits for the disk. What a test sees survives the end of a process
    without that, and `test_synced.py` holds when a file is forced to the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """No setting of this machine or job reaches a command."""
    for name in list(os.environ):
        if name.startswith(("RSMI_", "SLURM_")):
            monkeypatch.delenv(name)


def run_here(*arguments, stdin: str = "", stop: Stop | None = None) -> Result:
    """One command line in this process: quick, and patchable."""
    out, err, before = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.StringIO(stdin)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([str(argument) for argument in arguments], stop or Stop())
    finally:
        sys.stdin = before
    return Result(code, out.getvalue(), err.getvalue())


@pytest.fixture
def here():
    """:func:`run_here`."""
    return run_here


def process(arguments, prelude: str = "", fresh: bool = False, **settings):
    """A command line in a process of its own; ``prelude`` is Python that runs first.

    The process is forked (`fork_server.py`), or it is ``fresh``: a new interpreter, for what that
    does before the command.
    """
    variables = environment() | settings.pop("env", {})
    words = [*map(str, arguments)]
    if not fresh:
        return ForkedProcess(words, prelude, variables, **settings)
    program = ["-c", f"{prelude}\nfrom rsmi.cli import main; main()"] if prelude else ["-m", "rsmi"]
    pipes = {name: subprocess.PIPE for name in STREAMS if name not in settings}
    command = [sys.executable, *program, *words]
    return subprocess.Popen(command, text=True, env=variables, **pipes, **settings)


@pytest.fixture
def cli():
    """Run a command line in a process of its own and wait for it."""

    def call(*arguments, stdin="", **settings) -> Result:
        child = process(arguments, **settings)
        out, err = child.communicate(stdin, timeout=300)
        return Result(child.returncode, out, err)

    return call


@pytest.fixture
def interrupt(here, monkeypatch):
    """Run a command in this process, every row a part, until so many parts are committed; it exits
    75."""

    def call(arguments, parts: int = 60):
        stop, commit, committed = Stop(), PartsFolder.commit, []
        stop.reason = None if parts else "stopped by the test"

        def counting(*rest):
            committed.append(commit(*rest))
            if len(committed) == parts:
                stop.reason = "stopped by the test"
            return committed[-1]

        with monkeypatch.context() as patch:
            patch.setattr(session, "LIMITS", FINE)
            patch.setattr(PartsFolder, "commit", counting)
            result = here(*arguments, stop=stop)
        assert result.code == 75, result.err
        return result

    return call


@pytest.fixture(scope="session")
def of_the_run(tmp_path_factory):
    """Make a folder once in a run, whichever of its processes asks first: name, function that fills
    the working directory -> folder. Read only: copy what you change."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def folder_of(name: str, fill: Callable[[], None]) -> Path:
        folder = base / name
        with open(base / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                filling = base / f"{name}.filling"
                filling.mkdir()
                with contextlib.chdir(filling):
                    fill()
                filling.rename(folder)
        return folder

    return folder_of


@pytest.fixture(scope="session")
def pipeline(of_the_run) -> Path:
    """A folder with every file of the pipeline, made without interruption. Read only: copy what you
    change."""

    def fill():
        shutil.copy(MCISING, ".")
        for output in PIPELINE:
            result = run_here(*arguments_for(output))
            assert result.code == 0, result.err

    return of_the_run("pipeline", fill)


@pytest.fixture
def workplace(tmp_path, monkeypatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def inputs(workplace, pipeline):
    """Copy what an output of the pipeline is made from into the working directory."""

    def copy(output: str) -> None:
        for word in PIPELINE[output].split():
            if word.endswith(".h5"):
                shutil.copy(pipeline / word, workplace)

    return copy


def digest(path) -> str:
    """The stored digest of a file."""
    with open_file(path) as file:
        return file.digest
