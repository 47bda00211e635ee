"""The README says what works: its commands and its Python example are executed as they stand."""

import doctest
import json
import re
import subprocess
import sys
from pathlib import Path

import rsmi
from rsmi.store import open_file

README = (Path(__file__).parents[2] / "README.md").read_text()


def blocks(language):
    """Fenced code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_shell_session(tmp_path):
    """Every shell block, in order, in one empty folder, stopping at the first command that
    fails."""
    script = (
        'rsmi() { "$PYTHON" -m rsmi "$@"; }\npython() { "$PYTHON" "$@"; }\nset -eo pipefail\n'
        + "\n".join(blocks("sh"))
    )
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHON": sys.executable,
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path(rsmi.__file__).parents[1]),
    }
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "15/8" in done.stdout
    assert (tmp_path / "exponent.png").stat().st_size > 10_000
    (flips,) = [
        json.loads(line)
        for line in done.stdout.split("\n")
        if line.startswith('{"file": "flips-lambda.h5"')
    ]
    assert -2e-3 < flips["mutual_information_hard"] < 1e-3
    with open_file(tmp_path / "samples.h5") as whole, open_file(tmp_path / "merged.h5") as merged:
        assert whole.digest == merged.digest


def test_python_example():
    """The session with arrays, output by output."""
    (session,) = blocks("python")
    found = doctest.DocTestRunner().run(
        doctest.DocTestParser().get_doctest(session, {}, "README.md", "README.md", 0)
    )
    assert found.attempted > 30
    assert not found.failed
