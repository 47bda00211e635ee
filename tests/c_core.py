"""The C core compiled apart from the package, and the fingerprints of its kernels."""

import ast
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
INTEGER = {
    "metropolis",
    "heat-bath",
    "swendsen-wang",
    "wolff",
    "strip",
    "replicas",
    "lattice-replicas",
    "lattice-chain",
    "lattice-clusters",
    "dimers",
    "loops",
    "triangular",
    "block-hard",
    "block-soft",
    "block-64",
    "operators",
    "levels",
    "neighbourhood",
    "correlations",
    "windows",
}
FLOAT = {
    "rbm-cd",
    "rbm-persistent",
    "rbm-tied",
    "lambda-pairs",
    "lambda-chains",
    "lambda-log-sum",
    "lambda-enumerate",
    "lambda-decoder",
    "transfer",
    "explain",
    "low-modes",
    "functions",
}


def system_compiler() -> str:
    """The system's C compiler; without one rsmi cannot be installed either."""
    name = os.environ.get("CC", "cc").split()[0]
    return shutil.which(name) or pytest.fail(
        f"no C compiler found ({name!r}): install gcc, as the README says, or set CC", pytrace=False
    )


def core() -> list[Path]:
    """The sources of the C core, without its tests."""
    return sorted({*ROOT.glob("csrc/**/*.c")} - {*ROOT.glob("csrc/tests/*.c")})


def compile_with(*arguments, compiler: str | None = None) -> None:
    """Call the compiler with the flags of setup.py (all but the level of optimization)."""
    flags = ast.literal_eval(
        re.search(r"^FLAGS = (\[.*?\])", (ROOT / "setup.py").read_text(), re.M | re.S)[1]
    )
    program = compiler or system_compiler()
    command = [program, *flags, f"-I{ROOT / 'csrc'}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"the C core does not compile with {program}:\n{done.stderr}"


def compile_sources(
    folder: Path, sources, *options: str, compiler: str | None = None
) -> list[Path]:
    """Compile sources of the C core, as many at a time as there are processors; the objects."""
    folder.mkdir()
    objects = [folder / f"{source.stem}.o" for source in sources]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        calls = [
            pool.submit(compile_with, *options, "-c", source, "-o", target, compiler=compiler)
            for source, target in zip(sources, objects)
        ]
        for call in calls:
            call.result()
    return objects


def fingerprints(
    program: Path, objects, *options: str, compiler: str | None = None, emulator=()
) -> dict[str, list[str]]:
    """Link the driver, run it and return the hashes of every kernel."""
    driver = ROOT / "csrc/tests/fingerprint.c"
    compile_with(*options, driver, *objects, "-lm", "-o", program, compiler=compiler)
    done = subprocess.run([*emulator, program], capture_output=True, text=True, check=True)
    result: dict[str, list[str]] = {}
    for kernel, value in map(str.split, done.stdout.splitlines()):
        result.setdefault(kernel, []).append(value)
    return result
