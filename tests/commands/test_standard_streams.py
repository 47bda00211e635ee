"""Standard streams that are closed or full: results, remarks and paths that cannot go their way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SAMPLE, Result, by_default

import rsmi
from rsmi.store import open_file

NEW = f"{SAMPLE} --samples 24 --seed 5 -o new.h5"  # without -q, so that there is a progress bar
ONE_OF_EACH = ("a path", "numbers", "info", "help")  # the others print by the same functions
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")

# A command for each way of printing: a path, JSON, a summary, a plan, a help text. The second
# entry is the file that must be complete afterwards.
PRINTING = {
    "a path": (NEW, "new.h5"),
    "numbers": (f"{NEW} --json", "new.h5"),
    "a plan": (f"{NEW} --dry-run", None),
    "info": ("info other.h5", None),
    "info as JSON": ("info flow.h5 --json", None),
    "a figure's path": ("plot flow.h5 -o figure.svg", "figure.svg"),
    "a flow's path": ("flow other.h5 --rule decimation --steps 1 -o new.h5", "new.h5"),
    "help": ("flow -h", None),
}


@pytest.fixture
def shell(pipeline, workplace):
    """Run a command line with redirections in a shell, beside files of the pipeline."""
    for name in ("other.h5", "flow.h5"):
        (workplace / name).symlink_to(pipeline / name)

    def call(line: str, redirections: str) -> Result:
        path = {"PYTHONPATH": str(Path(rsmi.__file__).parent.parent)}
        done = subprocess.run(
            ["sh", "-c", f"exec {sys.executable} -m rsmi {line} {redirections}"],
            capture_output=True,
            text=True,
            env={**os.environ, **path},
            timeout=300,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return call


def assert_complete(name: str | None) -> None:
    if name is not None and name.endswith(".h5"):
        with open_file(Path(name)) as file:
            file.verify()
    elif name is not None:
        assert Path(name).stat().st_size > 0


@pytest.mark.parametrize("what", by_default(ONE_OF_EACH, PRINTING))
def test_closed_output(what, shell):
    """Nobody expects a result from a closed standard output, so nothing fails."""
    line, made = PRINTING[what]
    result = shell(line, ">&-")
    assert (result.code, result.out) == (0, "")
    assert "defect" not in result.err and "cannot be written" not in result.err
    assert_complete(made)


@FULL
@pytest.mark.parametrize("what", by_default(ONE_OF_EACH, PRINTING))
def test_full_output(what, shell):
    """A full disk under standard output is named in one sentence; the file is complete."""
    line, made = PRINTING[what]
    result = shell(line, ">/dev/full")
    assert result.code == 1
    assert "standard output cannot be written (No space left on device)" in result.sentence
    assert "defect" not in result.err and "Exception ignored" not in result.err
    assert_complete(made)


@pytest.mark.parametrize("redirection", ["2>&-", pytest.param("2>/dev/full", marks=FULL)])
@pytest.mark.parametrize(
    "what", by_default(ONE_OF_EACH, ["a path", "a figure's path", "a flow's path", "info"])
)
def test_remarks_that_cannot_be_written(what, redirection, shell):
    """The run goes on without its progress bar and its remarks."""
    line, made = PRINTING[what]
    result = shell(line, redirection)
    assert result.code == 0 and result.out
    assert_complete(made)


@pytest.mark.parametrize("redirection", ["2>&-", pytest.param("2>/dev/full", marks=FULL)])
def test_errors_that_cannot_be_written_keep_their_exit_code(redirection, shell):
    assert shell("info missing.h5", redirection).code == 2
    assert shell("sample --size 8", redirection).code == 2


def test_all_streams_closed(shell):
    """No file of the run gets a descriptor below 3, where a library might write its messages."""
    assert shell(NEW, "<&- >&- 2>&-").code == 0
    assert_complete("new.h5")


def test_closed_input(shell):
    result = shell("exponent - -o e.h5", "<&-")
    assert result.code == 2
    assert result.sentence == (
        "rsmi: no input file: - reads paths from standard input, which is closed"
    )


def test_input_that_is_no_text(shell):
    Path("noise").write_bytes(b"\xff\xfe\x00\n")
    result = shell("exponent - -o e.h5", "<noise")
    assert result.code == 2
    assert "defect" not in result.err
