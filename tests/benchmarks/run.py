"""Run the benchmarks of this folder: a table on stdout, and JSON and Markdown files on request.

    make bench
    python tests/benchmarks/run.py [--json FILE] [--markdown FILE] [NAME ...]

Every benchmark measures its baselines in the same run. Times are CPU times, medians over repeats.
OpenBLAS runs with one thread and chooses its kernels itself, so that the baselines are fair.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
from pathlib import Path

from results import document, line, machine
from timing import Row

# numpy, which the benchmarks import, reads these when it is imported.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def load(name: str):
    """Import one benchmark file."""
    spec = importlib.util.spec_from_file_location(f"bench_{name}", FOLDER / f"bench_{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure(name: str) -> list[Row]:
    """Run one benchmark and print its rows."""
    print(name, flush=True)
    rows = [Row(*row) for row in load(name).run()]
    for row in rows:
        print(line(row), flush=True)
    return rows


def main(names: list[str], json_file: str | None, markdown_file: str | None) -> None:
    """Run the named benchmarks, or all of them if none is named, and write the files."""
    facts = machine()
    results = {name: measure(name) for name in names or NAMES}
    if json_file:
        rows = {name: [row._asdict() for row in rows] for name, rows in results.items()}
        text = json.dumps({"machine": facts, "benchmarks": rows}, indent=1)
        Path(json_file).write_text(text + "\n")
    if markdown_file:
        meanings = {name: load(name).__doc__.split("\n\n")[0] for name in results}
        Path(markdown_file).write_text(document(facts, results, meanings))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the numbers to this file too")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables to this file too")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"some of {', '.join(NAMES)}; default: all"
    )
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}: there are {', '.join(NAMES)}")
    main(options.names, options.json, options.markdown)
