"""The C kernels under the address and undefined-behaviour sanitizers."""

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.mark.slow
def test_kernels_under_the_sanitizers(tmp_path):
    """`make -C csrc check` compiles and passes from a clean copy, so that no stale object can hide
    a program that no longer builds. The path of the copy has a space, which an unquoted path in
    the Makefile would not survive."""
    copy = tmp_path / "a folder" / "csrc"
    shutil.copytree(
        Path(__file__).parents[2] / "csrc", copy, ignore=shutil.ignore_patterns("check")
    )
    answer = subprocess.run(["make", "-C", copy, "check"], capture_output=True, text=True)
    assert answer.returncode == 0 and "FAILED" not in answer.stdout, answer.stdout + answer.stderr
    passed, programs = (
        answer.stdout.splitlines(),
        [file.stem for file in copy.glob("tests/check_*.c")],
    )
    assert {f"passed {name}" for name in programs} <= set(passed)
    assert shutil.which("valgrind") is None or {
        f"passed {name} under valgrind" for name in programs
    } <= set(passed)
