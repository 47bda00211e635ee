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


@pytest.mark.parametrize("output", ["exponent.h5", "crossing.h5", "lambda.h5"])
def test_results_of_another_processor(pipeline, tmp_path, output):
    """Without AVX2, AVX-512 and fused multiply-adds, sums and solutions of linear equations have
    other last digits, which are rounded away before they are stored."""
    done = subprocess.run(
        [sys.executable, "-m", "rsmi", *PIPELINE[output].split(), "-o", tmp_path / output],
        env=os.environ | OLD_PROCESSOR,
        cwd=pipeline,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert digest(tmp_path / output) == digest(pipeline / output)
