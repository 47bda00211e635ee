"""data/common.py, which the examples share."""

from pathlib import Path

import numpy as np
import pytest
from conftest import module_of

import rsmi
from rsmi.engine.keys import stream_key

COMMON = module_of(Path(__file__).parents[2] / "data/common.py")


def test_keys_are_those_of_the_program():
    """The numbers that the READMEs show were drawn with them."""
    words = (3, "readouts", {"digest": "ab", "buffer": 2}, 1)
    assert np.array_equal(COMMON.stream_key(*words), stream_key(*words))


def test_commands(workplace, monkeypatch):
    """A file is made once; an answer and ``info`` have the same numbers."""
    monkeypatch.setenv("PYTHONPATH", str(Path(rsmi.__file__).parents[1]))
    words = ("sample", "--size", 8, "--coupling", 0.3, "--samples", 16, "--chains", 4)
    answer = COMMON.rsmi(*words, "-o", "a.h5")
    assert COMMON.info("a.h5") == answer | {"kind": "samples"}
    made = COMMON.made(Path("b.h5"), *words)
    before = made.stat().st_mtime_ns
    assert COMMON.made(made, "sample", "--size", 4, "--samples", 1).stat().st_mtime_ns == before
    with pytest.raises(Exception, match="non-zero exit status 2"):
        COMMON.rsmi("sample", "--size", -1)
