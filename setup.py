"""Build the C core (csrc/, one static library) and the Cython wrappers over it (rsmi/**/*.pyx).

``RSMI_DEBUG=1`` compiles for a debugger (``-O1 -g -Werror``), ``RSMI_PORTABLE=1`` without the
vector paths, as on a machine that has none of their instructions.
"""

import os
import sys
from glob import glob
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = bool(os.environ.get("RSMI_DEBUG"))
# -ffp-contract=off: no fused multiply-adds that the source does not ask for, so that every build
# rounds alike.
# -Wno-psabi: vectors are passed between inlined functions only, so that it does not matter in which
# registers a call would pass them.
# -fvisibility=hidden: the static library is linked into each wrapper and must not export symbols.
FLAGS = [
    "-std=c11",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fvisibility=hidden",
    "-fPIC",
    "-Wall",
    "-Wextra",
    "-Wno-psabi",
]
FLAGS += ["-O1", "-g", "-Werror"] if DEBUG else ["-O3", "-g0"]
WRAPPER_FLAGS = ["-O1", "-g" if DEBUG else "-g0"]  # the wrappers are thin: quick to compile
if os.environ.get("RSMI_PORTABLE"):
    FLAGS.append("-DRSMI_PORTABLE")
    WRAPPER_FLAGS.append("-DRSMI_PORTABLE")  # they ask base/instructions.h which paths there are
HEADERS = sorted(set(glob("csrc/**/*.h", recursive=True)) - set(glob("csrc/tests/*")))
SOURCES = sorted(set(glob("csrc/**/*.c", recursive=True)) - set(glob("csrc/tests/*")))
DECLARATIONS = sorted(glob("rsmi/**/*.pxd", recursive=True))
SHARED = "rsmi.kernels._shared"  # Cython's own code for memoryviews, once for all wrappers


def wrapper(source: str) -> Extension:
    """The extension module of one .pyx file; ``depends`` is also what a source distribution has."""
    return Extension(
        ".".join(Path(source).with_suffix("").parts),
        [source],
        include_dirs=["csrc", numpy.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
        extra_compile_args=WRAPPER_FLAGS,
        libraries=["m"],
        depends=[source, *DECLARATIONS, *HEADERS, *SOURCES],
    )


if sys.byteorder != "little":
    raise SystemExit(
        "rsmi: the C core packs spins into little-endian words; this machine is big-endian"
    )
core = {
    "sources": SOURCES,
    "cflags": FLAGS,
    "include_dirs": ["csrc"],
    "obj_deps": {"": HEADERS},
}
setup(
    libraries=[("rsmi_core", core)],
    ext_modules=cythonize(
        [
            Extension(SHARED, [], extra_compile_args=WRAPPER_FLAGS),
            *map(wrapper, sorted(glob("rsmi/**/*.pyx", recursive=True))),
        ],
        build_dir="build",
        language_level=3,
        compiler_directives={"boundscheck": False, "wraparound": False},
        shared_utility_qualified_name=SHARED,
    ),
    options={"build_ext": {"parallel": os.cpu_count()}},
)
