"""What the examples share: running commands and reading the numbers of files.

The scripts use the command line and the public Python interface only: `rsmi.lattice`,
`rsmi.information`, `rsmi.renormalization`, `rsmi.statistics`, `rsmi.models` and `rsmi.samples`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def rsmi(*words: object) -> dict:
    """Run a command of ``rsmi`` and return its answer as JSON."""
    line = [sys.executable, "-m", "rsmi", *map(str, words), "--json", "--quiet"]
    return json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)


def info(path: str | Path) -> dict:
    """The numbers of a file, from ``rsmi info``."""
    return rsmi("info", path)


def made(output: Path, *words: object) -> Path:
    """Run the command that makes a file, unless the file exists already."""
    if not output.exists():
        rsmi(*words, "--force", "-o", output)
    return output
