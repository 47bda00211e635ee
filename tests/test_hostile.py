"""Hostile files: whatever the bytes, a reader answers with its one sentence (exit 65) or with what the file really held.

Never with another exception, a crash of HDF5, or much memory or time. See `hostile` for the mutants; the ones in this file are
repeatable by their number.
"""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from conftest import PIPELINE, digest
from hostile import damaged, forge, fresh, in_pen, lookup3

from rsmi.errors import DataError, RsmiError
from rsmi.store import open_file


def read_everything(path, kind=None):
    """What the stages do with a file."""
    with open_file(path, kind) as file:
        for name in file.datasets():
            file.read(name)
        file.ancestors(), file.run_facts(), file.verify()
        return file.digest


def outcome_of(path, kind: str, expected: str | None) -> str:
    """Refused, or harmless: then what is read is what was written. Anything else escapes."""
    try:
        found = read_everything(path)
    except RsmiError as error:
        assert error.exit_code == 65 and "\n" not in str(error), repr(error)
        return f"{kind}: refused"
    assert expected is None or found == expected, f"{kind}: accepted with other content"
    return f"{kind}: accepted"


def test_the_checksum_of_metadata(pipeline):
    """The repair of checksums is what HDF5 computes: Jenkins' own test value, and the superblock of a file."""
    assert lookup3(b"Four score and seven years ago") == 0x17770551
    content = (pipeline / "samples.h5").read_bytes()
    assert lookup3(content[:44]) == int.from_bytes(content[44:48], "little")


def readers(pipeline, name: str, numbers):
    """Two of three mutants damaged, one forged."""
    content, expected = (pipeline / name).read_bytes(), digest(pipeline / name)

    def work(number):
        rng = np.random.default_rng([number, sum(name.encode())])
        if number % 3:
            kind, mutant = damaged(content, rng)
            Path("mutant.h5").write_bytes(mutant)
            return outcome_of("mutant.h5", kind, expected)
        kind = forge(fresh(pipeline / name), rng)
        return outcome_of("mutant.h5", f"forged {kind}", None)

    return in_pen(numbers, work)


def test_no_mutant_escapes_the_reader(pipeline, workplace):
    for name in ("samples.h5", "flow.h5"):
        outcomes, escapes = readers(pipeline, name, range(150))
        assert not escapes, "\n".join(escapes)
        assert sum(outcomes.values()) == 150


@pytest.mark.slow
@pytest.mark.parametrize("name", PIPELINE)
def test_no_mutant_of_any_kind_escapes(name, pipeline, workplace):
    """100,000 over all kinds of files."""
    outcomes, escapes = readers(pipeline, name, range(-(-100_000 // len(PIPELINE))))
    for outcome, count in sorted(outcomes.items()):
        print(f"{name:20} {outcome:30} {count}")
    assert not escapes, "\n".join(escapes)
