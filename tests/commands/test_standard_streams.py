"""Standard streams that are closed or full: results, remarks and paths that cannot go their way."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import SAMPLE, Result, by_default, environment, process
from fork_server import CLOSED

from rsmi.store import open_file

NEW = f"{SAMPLE} --samples 24 --seed 5 -o new.h5"  # without -q, so that there is a progress bar
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
QUICK = [what for what in PRINTING if what != "a figure's path"]  # figures print paths as others do


# Redirections of a shell: the stream, and the file that it reads or writes, None if it is closed.
REDIRECTIONS = {
    "<&-": ("stdin", None),
    ">&-": ("stdout", None),
    "2>&-": ("stderr", None),
    "<noise": ("stdin", "noise"),
    ">/dev/full": ("stdout", "/dev/full"),
    "2>/dev/full": ("stderr", "/dev/full"),
}


@pytest.fixture
def shell(pipeline, workplace):
    """Run a command line with redirections, beside files of the pipeline.

    A new interpreter makes its standard streams itself, those of a fork are made for it; therefore
    one command for each kind of stream is given to a shell, ``fresh``.
    """
    for name in ("other.h5", "flow.h5"):
        (workplace / name).symlink_to(pipeline / name)

    def call(line: str, redirections: str, fresh: bool = False) -> Result:
        if fresh:
            words = ["sh", "-c", f"exec {sys.executable} -m rsmi {line} {redirections}"]
            done = subprocess.run(words, capture_output=True, text=True, env=environment())
            return Result(done.returncode, done.stdout, done.stderr)
        with contextlib.ExitStack() as stack:
            child = process(line.split(), **dict(streams(redirections, stack)))
            out, err = child.communicate(timeout=300)
        return Result(child.returncode, out or "", err or "")

    return call


def streams(redirections: str, stack: contextlib.ExitStack) -> Iterator[tuple]:
    for word in redirections.split():
        name, path = REDIRECTIONS[word]
        mode = "r" if name == "stdin" else "w"
        yield name, CLOSED if path is None else stack.enter_context(open(path, mode))


def assert_complete(name: str | None) -> None:
    if name is not None and name.endswith(".h5"):
        with open_file(Path(name)) as file:
            file.verify()
    elif name is not None:
        assert Path(name).stat().st_size > 0


@pytest.mark.parametrize("what", by_default(QUICK, PRINTING))
def test_closed_output(what, shell):
    """Nobody expects a result from a closed standard output, so nothing fails."""
    line, made = PRINTING[what]
    result = shell(line, ">&-", fresh=what == "info")
    assert (result.code, result.out) == (0, "")
    assert "defect" not in result.err and "cannot be written" not in result.err
    assert_complete(made)


@FULL
@pytest.mark.parametrize("what", by_default(QUICK, PRINTING))
def test_full_output(what, shell):
    """A full disk under standard output is named in one sentence; the file is complete."""
    line, made = PRINTING[what]
    result = shell(line, ">/dev/full", fresh=what == "info")
    assert result.code == 1
    assert "standard output cannot be written (No space left on device)" in result.sentence
    assert "defect" not in result.err and "Exception ignored" not in result.err
    assert_complete(made)


@pytest.mark.parametrize("redirection", ["2>&-", pytest.param("2>/dev/full", marks=FULL)])
@pytest.mark.parametrize(
    "what", by_default(QUICK, ["a path", "a figure's path", "a flow's path", "info"])
)
def test_remarks_that_cannot_be_written(what, redirection, shell):
    """The run goes on without its progress bar and its remarks."""
    line, made = PRINTING[what]
    result = shell(line, redirection, fresh=what == "info")
    assert result.code == 0 and result.out
    assert_complete(made)


@pytest.mark.parametrize("redirection", ["2>&-", pytest.param("2>/dev/full", marks=FULL)])
def test_errors_that_cannot_be_written_keep_their_exit_code(redirection, shell):
    assert shell("info missing.h5", redirection).code == 2
    assert shell("sample --size 8", redirection).code == 2


def test_all_streams_closed(shell):
    """No file of the run gets a descriptor below 3, where a library might write its messages."""
    assert shell(NEW, "<&- >&- 2>&-", fresh=True).code == 0
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
