"""The kernels give the same bits whether or not the compiler makes clones for newer instruction
sets.

The C core is built twice, as shipped and with -DRSMI_PORTABLE (baseline instructions only), and
each build hashes the results of every kernel (csrc/tests/fingerprint.c). A fused multiply-add, a
sum whose order depends on the vector width or a call of the C library's vectorised exp in one of
the clones would show as a different hash (with -ffp-contract=fast every float kernel fails here on
a machine with such instructions, and no integer kernel). Float kernels call log, exp and pow of the
same C library in both builds: equality of those across machines is not claimed.

By default the float kernels as shipped are compiled with -O3, which makes the vectors of the
clones, and everything else with -O1: the two paths of an integer kernel differ by their source, and
no level of optimization may change the bits of a float kernel either. With -m slow both builds are
compiled with -O3 throughout.
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
    "dimers",
    "loops",
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
}
FLOAT_SOURCES = ("csrc/learning/*.c", "csrc/base/dense.c", "csrc/models/ising/transfer.c")


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


def fingerprints(folder: Path, options: list[str], vectorized: set[Path]) -> dict[str, list[str]]:
    """Kernel -> hashes of a build whose ``vectorized`` sources are compiled with -O3."""
    folder.mkdir()
    sources = {*ROOT.glob("csrc/**/*.c")} - {*ROOT.glob("csrc/tests/*.c")}
    sources |= {ROOT / "csrc/tests/fingerprint.c"}

    def compiled(source: Path) -> Path:
        target = folder / f"{source.stem}.o"
        level = "-O3" if source in vectorized else "-O1"
        compile_with(level, *options, "-c", source, "-o", target)
        return target

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        objects = list(pool.map(compiled, sources))
    compile_with(*objects, "-lm", "-o", folder / "program")
    lines = subprocess.run(
        [folder / "program"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    result: dict[str, list[str]] = {}
    for kernel, value in map(str.split, lines):
        result.setdefault(kernel, []).append(value)
    return result


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """Fingerprints (as shipped, portable)."""
    folder = tmp_path_factory.mktemp("portable")
    floats = {source for pattern in FLOAT_SOURCES for source in ROOT.glob(pattern)}
    return [
        fingerprints(folder / "shipped", [], floats),
        fingerprints(folder / "portable", ["-DRSMI_PORTABLE"], set()),
    ]


def test_every_kernel_is_compared(builds):
    """A kernel that leaves the driver would pass unseen; distinct hashes show that they depend on
    the results."""
    assert set(builds[0]) == set(builds[1]) == INTEGER | FLOAT
    values = [value for kernel in builds[0].values() for value in kernel]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("kernel", sorted(INTEGER | FLOAT))
def test_clones_do_not_change_results(builds, kernel):
    shipped, portable = builds
    assert shipped[kernel] == portable[kernel]


@pytest.mark.slow
def test_optimization_does_not_change_results(builds, tmp_path):
    """Both builds once more, with -O3 for every source."""
    sources = {*ROOT.glob("csrc/**/*.c")}
    for name, options in (("shipped", []), ("portable", ["-DRSMI_PORTABLE"])):
        assert fingerprints(tmp_path / name, options, sources) == builds[0]
