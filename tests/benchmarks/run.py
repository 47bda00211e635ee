"""Every benchmark of this folder in one run: a table on stdout. Each compares with a baseline named beside it.

    make bench            or            python tests/benchmarks/run.py [NAME ...]

CPU time, medians over repeats. OpenBLAS is given one thread and its own choice of kernels, for a fair baseline.
"""

import importlib.util
import os
import sys
from pathlib import Path

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"


def load(path: Path):
    """Import one benchmark file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(names: list[str]) -> None:
    """Run the benchmarks named (all by default)."""
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        if names and path.stem.removeprefix("bench_") not in names:
            continue
        print(f"\n{path.stem.removeprefix('bench_')}", flush=True)
        for name, value, unit in load(path).run():
            print(f"  {name:62} {value:12.4g} {unit}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
