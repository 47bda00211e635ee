"""Other compilers and other machines make the same bits.

The whole C core is compiled with the flags of a release and with those of RSMI_DEBUG=1, both with
-Werror, and the results of every kernel are hashed (csrc/tests/fingerprint.c). Programs for other
processors run in an emulator. What the test would catch: syntax and attributes that a compiler does
not know, results that depend on the order in which arguments are evaluated, on the sign of char, on
fused multiply-adds and on the C library.
"""

import re
import shutil
from pathlib import Path

import pytest
from c_core import compile_sources, core, fingerprints

RELEASE = ("-O3", "-Werror")
DEBUG = ("-O1", "-g", "-Werror")
# name: (compiler, what runs its programs, the packages of Debian that have both)
MACHINES = {
    "aarch64": ("aarch64-linux-gnu-gcc", "qemu-aarch64", "gcc-aarch64-linux-gnu qemu-user"),
    "riscv64": ("riscv64-linux-gnu-gcc", "qemu-riscv64", "gcc-riscv64-linux-gnu qemu-user"),
}


def installed(name: str, packages: str) -> str:
    return shutil.which(name) or pytest.skip(
        f"{name} is not installed; on Debian: apt-get install --no-install-recommends {packages}"
    )


def newest(family: str) -> str:
    """The program of the highest version, such as gcc-14, or the one without a number."""
    found = {
        int(version[1]): program.name
        for folder in map(Path, ("/usr/bin", "/usr/local/bin"))
        for program in folder.glob(f"{family}-*")
        if (version := re.fullmatch(rf"{family}-(\d+)", program.name))
    }
    return found[max(found)] if found else family


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The fingerprints of the compiler that builds rsmi here."""
    folder = tmp_path_factory.mktemp("reference")
    return fingerprints(folder / "program", compile_sources(folder / "core", core(), "-O3"))


def compare(folder, compiler, reference, *, options=(), emulator=()) -> None:
    for name, flags in (("release", RELEASE), ("debug", DEBUG)):
        objects = compile_sources(folder / name, core(), *flags, compiler=compiler)
        program = folder / f"{name}-program"
        assert reference == fingerprints(
            program, objects, *flags, *options, compiler=compiler, emulator=emulator
        )


@pytest.mark.compilers
@pytest.mark.parametrize("name", ["gcc-11", "gcc", "clang-14", "clang"])
def test_compilers(tmp_path, reference, name):
    """The oldest compilers that are supported, and the newest ones that are installed."""
    program = name if name[-1].isdigit() else newest(name)
    compare(tmp_path, installed(program, program), reference)


@pytest.mark.compilers
@pytest.mark.parametrize("machine", MACHINES)
def test_machines(tmp_path, reference, machine):
    compiler, emulator, packages = MACHINES[machine]
    program, emulator = installed(compiler, packages), installed(emulator, packages)
    compare(tmp_path, program, reference, options=("-static",), emulator=(emulator,))
