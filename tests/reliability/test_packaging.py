"""What is distributed: the wheel works where there is no compiler, and the core without its vector
paths gives the same results."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import rsmi

ROOT = Path(__file__).parents[2]
COMPILERS = ("cc", "gcc", "c99", "clang", "g++", "c++")


def run(*command, **options) -> str:
    answer = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def clean_copy(folder: Path) -> Path:
    """The sources as a clone has them: what is built here is left behind."""
    built = shutil.ignore_patterns(
        "*.so",
        "build",
        "dist",
        ".venv*",
        "*.egg-info",
        "__pycache__",
        "check",
        ".git",
        ".hypothesis",
        ".pytest_cache",
    )
    made = shutil.ignore_patterns("*.h5*")  # by the examples; those of tests/data are sources
    return Path(
        shutil.copytree(
            ROOT,
            folder / "rsmi",
            ignore=lambda place, names: (
                made if Path(place).is_relative_to(ROOT / "data") else built
            )(place, names),
        )
    )


def test_make_in_a_folder_with_a_space(tmp_path):
    """`make run` finds its own rsmi and Python whatever the path. Both are stand-ins here."""
    folder = tmp_path / "a folder"
    programs = folder / ".venv/bin"
    programs.mkdir(parents=True)
    (folder / "data/ising2d").mkdir(parents=True)
    (folder / "data/ising2d/Makefile").write_text("all:\n\t$(RSMI) first\n\t$(PYTHON) second\n")
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("pyproject.toml", "setup.py", ".venv/installed"):
        (folder / name).touch()
    for name in ("rsmi", "python"):
        (programs / name).write_text('#!/bin/sh\necho "$0 $1"\n')
        (programs / name).chmod(0o755)
    answer = run("make", "--silent", "run", cwd=folder).splitlines()
    assert answer == [f"{programs}/rsmi first", f"{programs}/python second"]


@pytest.mark.slow
def test_wheel_without_a_compiler(tmp_path):
    """`make dist`: the wheel, made from the source distribution, has the tag of old systems,
    installs where no compiler is found, and makes the bits that this build makes."""
    copy = clean_copy(tmp_path / "a folder")
    run("make", "-C", copy, "dist", f"PYTHON={sys.executable}")
    (wheel,) = copy.glob("dist/*.whl")
    if sys.platform == "linux":
        assert "manylinux" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if name.endswith((".c", ".h", ".pyx"))]
    assert {"rsmi/store/SCHEMA.md", "rsmi/pages/templates/page.html"} <= set(names)

    empty = tmp_path / "bin"
    empty.mkdir()
    environment = {
        "PATH": str(empty),
        "HOME": str(tmp_path),
        "CC": "/nonexistent",
        **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
    }
    assert not [name for name in COMPILERS if shutil.which(name, path=environment["PATH"])]
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv/bin/python"
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--only-binary",
        ":all:",
        wheel,
        env=environment,
        cwd=tmp_path,
    )
    arguments = ("sample", "--size", "16", "--temperature", "Tc", "--samples", "200", "--json")
    there = json.loads(
        run(
            python.with_name("rsmi"),
            *arguments,
            "-o",
            tmp_path / "there.h5",
            env=environment,
            cwd=tmp_path,
        )
    )
    here = json.loads(
        run(
            sys.executable,
            "-m",
            "rsmi",
            *arguments,
            "-o",
            tmp_path / "here.h5",
            env={**os.environ, "PYTHONPATH": str(Path(rsmi.__file__).parents[1])},
        )
    )
    assert {**there, "file": None} == {**here, "file": None}


@pytest.mark.slow
def test_without_the_vector_paths(tmp_path):
    """RSMI_PORTABLE=1 builds plain C only; every test of a kernel, of whole commands and of
    resuming passes on that build too."""
    copy = clean_copy(tmp_path)
    run(
        sys.executable,
        "setup.py",
        "-q",
        "build_clib",
        "build_ext",
        "--inplace",
        cwd=copy,
        env={**os.environ, "RSMI_PORTABLE": "1"},
    )
    paths = run(
        sys.executable,
        "-c",
        "from rsmi.models.ising import bitsliced; print(*bitsliced.paths())",
        cwd=copy,
    )
    assert paths.split() == ["portable"]
    run(
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        *(f"tests/{name}.py" for name in PORTABLE),
        cwd=copy,
    )


PORTABLE = (
    "twins/test_ising_kernels",
    "twins/test_bitsliced",
    "twins/test_heat_bath",
    "twins/test_dimers",
    "twins/test_rbm",
    "twins/test_lambda_training",
    "twins/test_objectives",
    "twins/test_operators",
    "twins/test_blocking",
    "twins/test_total_correlation",
    "twins/test_triangular",
    "commands/test_ising_samples",
    "reliability/test_runner",
    "statistics/test_decoder",
    "statistics/test_pipeline",
)
