"""The kernels give the same bits whether or not the compiler makes clones for newer instruction
sets.

The C core is built twice, as shipped and with -DRSMI_PORTABLE (baseline instructions only), and
each build hashes the results of every kernel (csrc/tests/fingerprint.c). A fused multiply-add, a
sum whose order depends on the vector width or a call of the C library's vectorised exp in one of
the clones would show as a different hash (with -ffp-contract=fast every float kernel fails here on
a machine with such instructions, and no integer kernel).

By default only the sources that compute with floating point numbers are compiled twice, with -O1
and vectorized, in a third of the time of -O3: no level of optimization may change the bits of a
kernel. The others are compiled once, without optimization: integers have no rounding that a vector
could change, and the paths of the bit-sliced kernels are compared in test_bitsliced.py. With
-m slow everything is compiled twice, with -O3.
"""

import pytest
from c_core import FLOAT, INTEGER, ROOT, compile_sources, core, fingerprints

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
