"""Random imports: none that is wrong is accepted in silence, and none that is good is refused."""

import collections

import numpy as np
import pytest
from conftest import run_here
from imports_generator import good_import, wrong_import


def imported(case):
    """Import a case in the current folder; the exit code, and what was said beside what was
    read."""
    name = "x.bits" if case.bits else "x.npy"
    if case.bits:
        case.array.tofile(name)
    else:
        np.save(name, case.array)
    result = run_here("import", name, *case.options.split(), "--force", "-o", "x.h5")
    remarks = [
        line for line in result.err.splitlines() if "configurations of the lattice" not in line
    ]
    return result.code, remarks


@pytest.mark.parametrize("count", [12, pytest.param(200, marks=pytest.mark.slow)])
def test_no_wrong_import_is_accepted_in_silence(count, workplace):
    """A wrong temperature, sign, field, boundary, order of axes, sides or bits, copies, sorted or
    short chains: the import stops, or says what is wrong."""
    silent = collections.Counter()
    for number in range(count):
        case = wrong_import(number)
        code, remarks = imported(case)
        assert code in (0, 65), (case.kind, case.options, remarks)
        silent[case.kind] += code == 0 and not remarks
    assert not +silent


@pytest.mark.parametrize("count", [12, pytest.param(200, marks=pytest.mark.slow)])
def test_good_imports_are_accepted(count, workplace):
    """None is refused, and at most one in fifty is remarked upon."""
    remarked = []
    for number in range(count):
        case = good_import(number)
        code, remarks = imported(case)
        assert code == 0, (case.options, remarks)
        remarked += [(number, case.options, remarks)] if remarks else []
    assert len(remarked) <= count / 50, remarked
