"""The kernels give the same bits whether or not the compiler makes clones for newer instruction
sets.

The C core is built twice, as shipped and with -DRSMI_PORTABLE (baseline instructions only), and
each build hashes the results of every kernel (csrc/tests/fingerprint.c). A fused multiply-add, a
sum whose order depends on the vector width or a call of the C library's vectorised exp in one of
the clones would show as a different hash (with -ffp-contract=fast every float kernel fails here on
a machine with such instructions, and no integer kernel).

By default only the sources that compute with floating point numbers are compiled, with -O1 and
vectorized, in a third of the time of -O3: no level of optimization may change the bits of a kernel.
Integers have no rounding that a vector could change, and the paths of the bit-sliced kernels are
compared in test_bitsliced.py. With -m slow everything is compiled twice, with -O3.
"""

import re

import pytest
from c_core import FLOAT, INTEGER, ROOT, compile_sources, core, fingerprints

DRIVER = ROOT / "csrc/tests/fingerprint.c"
WITH_FLOATS = sorted(
    source
    for pattern in (
        "learning/*.c",
        "base/dense.c",
        "blocking/low_modes.c",
        "blocking/group_sums.c",
        "blocking/local_functions.c",
        "models/ising/transfer.c",
    )
    for source in (ROOT / "csrc").glob(pattern)
)
VECTORIZED = ("-O1", "-ftree-vectorize")
PORTABLE = "-DRSMI_PORTABLE"
# At this level of optimization a compiler leaves out what is not called.
ONLY_FLOATS = ("-DONLY_FLOATS", "-O1")


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """Fingerprints of the kernels with floating point numbers (as shipped, portable)."""
    folder = tmp_path_factory.mktemp("portable")
    found = []
    for name, options in (("shipped", VECTORIZED), ("portable", ("-O1", PORTABLE))):
        objects = compile_sources(folder / name, WITH_FLOATS, *options)
        found.append(fingerprints(folder / f"{name}-program", objects, *ONLY_FLOATS))
    return found


def test_every_kernel_is_compared(builds):
    """A kernel that leaves the driver would pass unseen; distinct hashes show that they depend on
    the results."""
    assert set(builds[0]) == set(builds[1]) == FLOAT
    check_distinct(builds[0])
    _, main = DRIVER.read_text().split("int main(void)")
    assert set(re.findall(r'"([^"]+)"', main)) == INTEGER | FLOAT


def check_distinct(fingerprints):
    values = [value for kernel in fingerprints.values() for value in kernel]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("kernel", sorted(FLOAT))
def test_clones_do_not_change_results(builds, kernel):
    shipped, portable = builds
    assert shipped[kernel] == portable[kernel]


@pytest.mark.slow
def test_no_build_changes_results(builds, tmp_path):
    """Both builds of every source with -O3, integer kernels too."""
    found = []
    for name, options in (("shipped", ["-O3"]), ("portable", ["-O3", PORTABLE])):
        objects = compile_sources(tmp_path / name, core(), *options)
        found.append(fingerprints(tmp_path / f"{name}-program", objects))
    assert found[0] == found[1]
    assert found[0].keys() == INTEGER | FLOAT
    check_distinct(found[0])
    assert {kernel: found[0][kernel] for kernel in FLOAT} == builds[0]
