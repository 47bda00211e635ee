"""The kernels give the same bits whether or not the compiler makes clones for newer instruction
sets.

The C core is built twice, as shipped and with -DRSMI_PORTABLE (baseline instructions only), and
each build hashes the results of every kernel (csrc/tests/fingerprint.c). A fused multiply-add, a
sum whose order depends on the vector width or a call of the C library's vectorised exp in one of
the clones would show as a different hash (with -ffp-contract=fast every float kernel fails here on
a machine with such instructions, and no integer kernel). Float kernels call log, exp and pow of the
same C library in both builds: equality of those across machines is not claimed.

By default only the sources that compute with floating point numbers are compiled twice, with -O1
and vectorized, in a third of the time of -O3: no level of optimization may change the bits of a
kernel. The others are compiled once, without optimization: integers have no rounding that a vector
could change, and the paths of the bit-sliced kernels are compared in test_bitsliced.py. With
-m slow everything is compiled twice, with -O3.
"""

import ast
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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
    "lambda-pairs",
    "lambda-chains",
    "lambda-log-sum",
    "lambda-enumerate",
    "lambda-decoder",
    "transfer",
    "explain",
    "low-modes",
}
WITH_FLOATS = sorted(
    source
    for pattern in (
        "learning/*.c",
        "base/dense.c",
        "blocking/low_modes.c",
        "blocking/group_sums.c",
        "models/ising/transfer.c",
    )
    for source in (ROOT / "csrc").glob(pattern)
)
VECTORIZED = ("-O1", "-ftree-vectorize")
PORTABLE = "-DRSMI_PORTABLE"


def compiler() -> str:
    """The system's C compiler; without one rsmi cannot be installed either."""
    name = os.environ.get("CC", "cc").split()[0]
    return shutil.which(name) or pytest.fail(
        f"no C compiler found ({name!r}): install gcc, as the README says, or set CC", pytrace=False
    )


def compile_with(*arguments) -> None:
    """Call the compiler with the flags of setup.py (all but the level of optimization)."""
    flags = ast.literal_eval(
        re.search(r"^FLAGS = (\[.*?\])", (ROOT / "setup.py").read_text(), re.M | re.S)[1]
    )
    command = [compiler(), *flags, f"-I{ROOT / 'csrc'}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"the C core does not compile:\n{done.stderr}"


def compile_sources(folder: Path, sources, *options: str) -> list[Path]:
    """Compile sources of the C core, as many at a time as there are processors; the objects."""
    folder.mkdir()
    objects = [folder / f"{source.stem}.o" for source in sources]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        calls = [
            pool.submit(compile_with, *options, "-c", source, "-o", target)
            for source, target in zip(sources, objects)
        ]
        for call in calls:
            call.result()
    return objects


def fingerprints(program: Path, objects) -> dict[str, list[str]]:
    """Link the driver, run it and return the hashes of every kernel."""
    compile_with(ROOT / "csrc/tests/fingerprint.c", *objects, "-lm", "-o", program)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    result: dict[str, list[str]] = {}
    for kernel, value in map(str.split, done.stdout.splitlines()):
        result.setdefault(kernel, []).append(value)
    return result


def core() -> list[Path]:
    """The sources of the C core, without its tests."""
    return sorted({*ROOT.glob("csrc/**/*.c")} - {*ROOT.glob("csrc/tests/*.c")})


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """Fingerprints (as shipped, portable)."""
    folder = tmp_path_factory.mktemp("portable")
    others = [source for source in core() if source not in WITH_FLOATS]
    common = compile_sources(folder / "common", others, "-O0", PORTABLE)
    shipped = compile_sources(folder / "shipped", WITH_FLOATS, *VECTORIZED)
    portable = compile_sources(folder / "portable", WITH_FLOATS, "-O1", PORTABLE)
    return [
        fingerprints(folder / f"program-{number}", [*common, *objects])
        for number, objects in enumerate((shipped, portable))
    ]


def test_every_kernel_is_compared(builds):
    """A kernel that leaves the driver would pass unseen; distinct hashes show that they depend on
    the results."""
    assert set(builds[0]) == set(builds[1]) == INTEGER | FLOAT
    values = [value for kernel in builds[0].values() for value in kernel]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("kernel", sorted(FLOAT))
def test_clones_do_not_change_results(builds, kernel):
    shipped, portable = builds
    assert shipped[kernel] == portable[kernel]


@pytest.mark.slow
def test_no_build_changes_results(builds, tmp_path):
    """Both builds of every source with -O3, integer kernels too."""
    for name, options in (("shipped", ["-O3"]), ("portable", ["-O3", PORTABLE])):
        objects = compile_sources(tmp_path / name, core(), *options)
        assert fingerprints(tmp_path / f"{name}-program", objects) == builds[0]
