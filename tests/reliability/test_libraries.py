"""Other versions of the libraries make files with the same digest."""

import os
import subprocess
import sys

import pytest
from conftest import PIPELINE, digest

# numpy and its linear algebra on a processor of 2010
OLD_PROCESSOR = {
    "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL"
    " AVX512_ICL",
    "OPENBLAS_CORETYPE": "Nehalem",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-FMA,-FMA_Usable",
}


def made_elsewhere(line: str, output, folder) -> str:
    """The digest of what a command makes on the old processor."""
    done = subprocess.run(
        [sys.executable, "-m", "rsmi", *line.split(), "-o", output],
        env=os.environ | OLD_PROCESSOR,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return digest(output)


@pytest.mark.parametrize("output", ["exponent.h5", "crossing.h5", "lambda.h5"])
def test_results_of_another_processor(pipeline, tmp_path, output):
    """Without AVX2, AVX-512 and fused multiply-adds, sums and solutions of linear equations have
    other last digits, which are rounded away before they are stored."""
    made = made_elsewhere(PIPELINE[output], tmp_path / output, pipeline)
    assert made == digest(pipeline / output)


def test_filters_from_linear_algebra(pipeline, tmp_path, here, monkeypatch):
    """Eigenvectors have other last digits too, which canonical filters do not show."""
    line = "train-lambda samples.h5 --canonical --hidden 2 --block 2x4 --windows 2000"
    monkeypatch.chdir(pipeline)
    assert here(*line.split(), "-o", tmp_path / "here.h5").code == 0
    assert made_elsewhere(line, tmp_path / "there.h5", pipeline) == digest(tmp_path / "here.h5")


@pytest.mark.slow
def test_filters_of_several_states(workplace, here):
    """The features of Potts variables are projected by a pseudo-inverse."""
    sample = "sample --model potts --states 3 --size 16 --temperature Tc --samples 400 -o potts.h5"
    assert here(*sample.split(), "--thermalization", "20").code == 0
    line = "train-lambda potts.h5 --block 2x2 --windows 2000 --restarts 1"
    assert here(*line.split(), "-o", "here.h5").code == 0
    assert made_elsewhere(line, "there.h5", ".") == digest("here.h5")
