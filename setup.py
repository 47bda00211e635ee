"""Build the C core (csrc/*.c, one static library) and the Cython wrappers over it
(rsmi/kernels/*.pyx)."""

import os
import sys
from glob import glob
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

# -ffp-contract=off: no fused multiply-adds the source does not ask for, so that every build rounds
# alike. -fvisibility=hidden: the static library is linked into each wrapper and must not export its
# symbols.
FLAGS = [
    "-O3",
    "-std=c11",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fvisibility=hidden",
    "-fPIC",
    "-Wall",
    "-Wextra",
    "-g0",
]
if os.environ.get(
    "RSMI_PORTABLE"
):  # baseline instructions and plain C only, as on a machine without the vector paths
    FLAGS.append("-DRSMI_PORTABLE")
HEADERS = sorted(glob("csrc/*.h"))
SOURCES = sorted(glob("csrc/*.c"))
SHARED = (  # Cython's own code for memoryviews, once instead of in every wrapper
    "rsmi.kernels._shared"
)

extensions = [Extension(SHARED, [], extra_compile_args=["-O1", "-g0"])] + [
    Extension(
        f"rsmi.kernels.{Path(source).stem}",
        [source],
        include_dirs=["csrc", numpy.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
        extra_compile_args=["-O1", "-g0"],  # thin wrappers: quick to compile
        libraries=["m"],
        depends=[
            source,
            *sorted(glob("rsmi/kernels/*.pxd")),
            *HEADERS,
            *SOURCES,
        ],  # also what a source distribution takes along
    )
    for source in sorted(glob("rsmi/kernels/*.pyx"))
]
core = (
    "rsmi_core",
    {"sources": SOURCES, "cflags": FLAGS, "include_dirs": ["csrc"], "obj_deps": {"": HEADERS}},
)

if sys.byteorder != "little":
    raise SystemExit(
        "rsmi: the C core packs spins into little-endian words; this machine is big-endian"
    )
setup(
    libraries=[core],
    ext_modules=cythonize(
        extensions,
        build_dir="build",
        language_level=3,
        compiler_directives={"boundscheck": False, "wraparound": False},
        shared_utility_qualified_name=SHARED,
    ),
    options={"build_ext": {"parallel": os.cpu_count()}},
)
