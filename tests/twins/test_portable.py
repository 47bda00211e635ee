"""The kernels give the same bits whether or not the compiler makes clones for newer instruction
sets.

The C core is built twice with the flags of setup.py, as shipped and with -DRSMI_PORTABLE (baseline
instructions only), and each build hashes the results of every kernel (csrc/tests/fingerprint.c). A
fused multiply-add, a sum whose order depends on the vector width or a call of the C library's
vectorised exp in one of the clones would show as a different hash (with -ffp-contract=fast every
float kernel fails here on a machine with such instructions, and no integer kernel). Float kernels
call log, exp and pow of the same C library in both builds: equality of those across machines is not
claimed.
"""

import ast
import os
import re
import shutil
import subprocess
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


def compiler() -> str:
    """The system's C compiler; without one rsmi cannot be installed either."""
    name = os.environ.get("CC", "cc").split()[0]
    return shutil.which(name) or pytest.fail(
        f"no C compiler found ({name!r}): install gcc, as the README says, or set CC", pytrace=False
    )


def start_build(program: Path, *options: str) -> subprocess.Popen:
    flags = ast.literal_eval(
        re.search(r"^FLAGS = (\[.*?\])", (ROOT / "setup.py").read_text(), re.M | re.S)[1]
    )
    sources = {*ROOT.glob("csrc/**/*.c")} - {*ROOT.glob("csrc/tests/*.c")}
    sources = [*sorted(sources), ROOT / "csrc/tests/fingerprint.c"]
    command = [
        compiler(),
        *flags,
        "-O3",
        *options,
        f"-I{ROOT / 'csrc'}",
        *map(str, sources),
        "-lm",
        "-o",
        str(program),
    ]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def fingerprints(program: Path) -> dict[str, list[str]]:
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )[:-1]
    result: dict[str, list[str]] = {}
    for line in lines:
        kernel, value = line.split()
        result.setdefault(kernel, []).append(value)
    return result


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """Fingerprints (as shipped, portable)."""
    folder = tmp_path_factory.mktemp("portable")
    running = [start_build(folder / "shipped"), start_build(folder / "portable", "-DRSMI_PORTABLE")]
    for build in running:
        _, messages = build.communicate()
        assert build.returncode == 0, f"the C core does not compile:\n{messages}"
    return [fingerprints(folder / "shipped"), fingerprints(folder / "portable")]


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
