"""Steps of coarse-graining whose output is a system of another kind than their input.

The staggered rule makes a ferromagnet of an antiferromagnet. The same rule makes no sense of the
ferromagnet, and the transformation of the couplings between the two has no leading eigenvalue. A
step changes the kind of system if the nearest-neighbour correlation changes its sign in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.renormalization.level_sums import occupied
from rsmi.statistics.jackknife import jackknife

SIGNIFICANT = 4.0  # errors by which a correlation must differ from zero to have a sign
KINDS = {-1: "an antiferromagnet", 1: "a ferromagnet"}
_NEEDED = ("counts", "even_sums")


def signs_of_neighbours(sums: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Return the sign of the nearest-neighbour correlation at every level.

    Parameters
    ----------
    sums : mapping of str to ndarray, (blocks, ...)
        In the layout of `rsmi.renormalization.level_sums.empty_sums`.

    Returns
    -------
    ndarray of int64, (levels,)
        -1 for an antiferromagnet, +1 for a ferromagnet, and 0 where the correlation is smaller than
        `SIGNIFICANT` errors or has no error.
    """
    sums = {name: array for name, array in occupied(sums).items() if name in _NEEDED}
    if not len(sums["counts"]):
        return np.zeros(sums["even_sums"].shape[1], np.int64)
    value, error, _ = jackknife(lambda total: total["even_sums"][:, 0] / total["counts"], sums)
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(value) > SIGNIFICANT * error, np.sign(value), 0).astype(np.int64)


class Withheld(NamedTuple):
    """Why no exponent is quoted: the reason in short, and the sentence that also says the cure."""

    reason: str
    sentence: str


def changes_of_kind(signs: NDArray[np.int64]) -> dict[int, str]:
    """Return a sentence for every step n = 1, 2, ... that changes the sign, from the signs of all
    levels."""
    return {
        step: f"step {step} makes {KINDS[int(new)]} of {KINDS[int(old)]}"
        for step, (old, new) in enumerate(zip(signs, signs[1:]), 1)
        if old * new < 0
    }


def why_withheld(changes: Mapping[int, str], rules: Sequence[object], step: int) -> Withheld | None:
    """Return why the exponents of a step must not be quoted; None if they may.

    Parameters
    ----------
    changes : mapping of int to str
        A sentence for every step whose output is of another kind than its input, by step.
    rules : sequence of object
        What identifies the rule of every step; equal objects are one rule.
    step : int
        n = 1, 2, ...
    """
    applied = range(1, min(step, len(rules)) + 1)
    for change, reason in sorted(changes.items()):
        again = [n for n in applied if n > change and rules[n - 1] == rules[change - 1]]
        if again:
            return Withheld(f"withheld: {reason}", f"{reason}, {_cure(change, again[0])}")
    if step in changes:
        reason = changes[step]
        return Withheld(
            f"withheld: {reason}",
            f"{reason}, so the two have no couplings in common: choose a later step with --step",
        )
    return None


def _cure(change: int, again: int) -> str:
    return (
        f"and step {again} applies the rule of step {change} again, which was made for what was"
        " there before: give a rule for each step. For an antiferromagnet use --rule staggered"
        " --rule majority; otherwise train a second rule on the samples after the first step"
    )
