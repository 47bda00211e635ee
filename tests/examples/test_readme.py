"""What the READMEs say works: commands and Python examples are executed as they stand, and the
output that it shows is compared with theirs. So are those of data/dimers/README.md."""

from __future__ import annotations

import contextlib
import doctest
import math
import re
import shlex
import subprocess
import sys
from pathlib import Path

import fork_client
import pytest
from conftest import module_of

from rsmi.store import open_file

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "README.md", ROOT / "data/dimers/README.md")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def blocks(language: str, document: Path = DOCUMENTS[0]) -> list[str]:
    """The fenced code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)


def agree(shown: str, printed: str) -> bool:
    """Whether two lines have equal words and nearly equal numbers. Training depends on the last
    digits of the C library's functions, so that the numbers of another machine may differ."""
    words, others = (NUMBER.sub("#", line).split() for line in (shown, printed))
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(printed))
    return words == others and all(
        math.isclose(float(a), float(b), rel_tol=0.05, abs_tol=2e-3) for a, b in pairs
    )


# The page of the dimers trains for long; what it says of the fields is found in
# tests/commands/test_dimer_training.py by default.
PAGES = [DOCUMENTS[0], pytest.param(DOCUMENTS[1], marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """The folder in which the shell blocks of the README are executed, and what they print."""
    return executed(DOCUMENTS[0], tmp_path_factory.mktemp("readme"))


def executed(document: Path, folder: Path) -> tuple[Path, list[str]]:
    """Execute every shell block of a page in order; the folder, and what they printed."""
    program = shlex.join([*fork_client.PROGRAM, "processes"])
    functions = f'rsmi() {{ {program} "$@"; }}\npython() {{ "$PYTHON" "$@"; }}\n'
    environment = {"PATH": "/usr/bin:/bin", "PYTHON": sys.executable, "HOME": str(folder)}
    commands = "\n".join(blocks("sh", document))
    with contextlib.chdir(folder), fork_client.serving("processes"):
        done = subprocess.run(
            ["bash", "-c", f"{functions}set -eo pipefail\n{commands}"],
            env=environment,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout.splitlines()


def test_shell_commands(session):
    """Figures are drawn, and the merged shards are the samples of a single process."""
    folder, _ = session
    assert (folder / "exponent.png").stat().st_size > 10_000
    with open_file(folder / "cold.h5") as whole, open_file(folder / "merged.h5") as merged:
        assert whole.digest == merged.digest


@pytest.mark.parametrize("document", PAGES, ids=lambda path: path.parent.name)
def test_output_that_is_shown(session, document, tmp_path):
    """Every line of a text block is a line that a command printed."""
    _, printed = session if document == DOCUMENTS[0] else executed(document, tmp_path)
    shown = [line for block in blocks("text", document) for line in block.splitlines()]
    missing = [
        line for line in shown if line.strip() and not any(agree(line, other) for other in printed)
    ]
    assert shown
    assert not missing


def test_python_example(session, monkeypatch, capsys):
    """The example learns the filter of samples.h5 and prints its bound, 0.40 nats."""
    folder, _ = session
    (example,) = blocks("python")
    monkeypatch.chdir(folder)
    names: dict = {}
    exec(compile(example, "README.md", "exec"), names)
    assert capsys.readouterr().out.startswith("I(H:E) = 0.")
    assert names["rule"].information == pytest.approx(0.40, abs=0.03)


def test_python_session():
    """The pipeline on arrays of rsmi/README.md, output by output."""
    page = "rsmi/README.md"
    session = "\n".join(blocks("python", ROOT / page))
    test = doctest.DocTestParser().get_doctest(session, {}, page, page, 0)
    results = doctest.DocTestRunner().run(test)
    assert results.attempted > 30
    assert not results.failed


def test_speed_is_the_head_of_the_results():
    """The README shows the table of headlines that `make bench` wrote."""
    results = (ROOT / "tests/benchmarks/RESULTS.md").read_text()
    (table,) = re.findall(r"## Headlines\n\n((?:\|.*\n)+)", results)
    assert table in DOCUMENTS[0].read_text()


def test_picture(tmp_path):
    """The script draws the picture that is committed."""
    window = module_of(ROOT / "data/window.py")
    assert window.picture() == (ROOT / "data/figures/window.svg").read_text()


def test_links():
    """Every file that a page of the repository points to exists."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "data").rglob("*.md"), ROOT / "rsmi/README.md"]
    for page in pages:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert "://" in link or (page.parent / link).exists(), f"{page}: {link}"
