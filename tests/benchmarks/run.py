"""Every benchmark of this folder in one run: a table on stdout and, if asked for, a JSON file. Each
compares with a baseline named beside it, measured in the same run.

    make bench            or            python tests/benchmarks/run.py [--json FILE] [NAME ...]

CPU time, medians over repeats. OpenBLAS is given one thread and its own choice of kernels, for a
fair baseline.
"""

import argparse
import importlib.util
import json
import os
import platform
from pathlib import Path

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


def processor() -> str:
    """What the system calls it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )


def line(row) -> str:
    ratios = ", ".join(f"{ratio:.3g} x {other}" for other, ratio in row.ratios.items())
    return f"  {row.name:76} {row.value:12.4g} {row.unit}{f'  ({ratios})' * bool(ratios)}"


def main(names: list[str], file: str | None) -> None:
    """Run the benchmarks named (all by default)."""
    from timing import Row

    results = {}
    for name in names or NAMES:
        print(name, flush=True)
        results[name] = []
        for row in load(name).run():
            results[name].append(Row(*row)._asdict())
            print(line(Row(*row)), flush=True)
    if file:
        machine = {
            "processor": processor(),
            "system": platform.platform(),
            "python": platform.python_version(),
        }
        Path(file).write_text(
            json.dumps({"machine": machine, "benchmarks": results}, indent=1) + "\n"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the numbers there too")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"some of {', '.join(NAMES)}; all by default"
    )
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(NAMES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}: there are {', '.join(NAMES)}")
    main(asked.names, asked.json)
