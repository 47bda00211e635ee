"""The model file: its keys, an example that explains them, and the checks of single values."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from rsmi.errors import UsageError

VARIABLES = ("spin", "occupation")
BOUNDARIES = ("periodic", "open")
MOST_SITES = 8  # of a cell
KEYS = (
    "name",
    "title",
    "variable",
    "dimension",
    "basis",
    "sites",
    "bonds",
    "couplings",
    "exclusions",
    "field",
    "fugacity",
    "boundary",
)
SITE_KEYS = ("name", "position")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

EXAMPLE = """\
# A model file of rsmi: binary variables on a lattice. The first three keys are required.
#
# Spins s = +-1 have the energy  E/J = - sum over bonds of coupling s s' - field sum of s.
# Occupations n = 0, 1 have the weight  fugacity^(sum of n) exp(K sum over bonds of coupling n n'),
# with K = J/(k_B T), and two sites of an exclusion are never both occupied.

name = "honeycomb-with-field"
variable = "spin"                       # or "occupation"
dimension = 2                           # 1, 2 or 3: the axes of --size

title = "Ising model on the honeycomb lattice in a field"      # for people; no part of the identity
basis = [[1.7320508, 0.0], [0.8660254, 1.5]]    # one vector for each axis; unit vectors by default
boundary = "periodic"                   # or "open", as --boundary
field = 0.1                             # of spins, in J; 0 by default
# fugacity = 2.5                        # of occupations; or --fugacity

# Each bond is given once: first site, second site, and the cell of the second site relative to that
# of the first along each axis. With one site in a cell the names are left out: [1, 0].
[bonds]
nearest = [["A", "B", 0, 0], ["A", "B", -1, 0], ["A", "B", 0, -1]]
across = [["A", "A", 1, 0], ["A", "A", 0, 1], ["A", "A", 1, -1]]

[couplings]                             # one for each class of bonds, in J
nearest = 1.0                           # positive: ferromagnetic, or attraction
across = -0.1

# exclusions = [["A", "B", 0, 0]]       # of occupations: bonds on which one site stays empty

[[sites]]                               # up to 8 in a cell; one by default
name = "A"
position = [0.0, 0.0]                   # in fractions of the basis

[[sites]]
name = "B"
position = [0.3333333, 0.3333333]
"""


def check_keys(given: Iterable[str], known: Iterable[str], where: str) -> None:
    """Raise UsageError for a key that is unknown, and suggest the one that was meant."""
    known = tuple(known)
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise UsageError(f"{where}: {key} is no key; {meant}")


def name_of(value: Any, what: str) -> str:
    """Return a name, after a check.

    Raises
    ------
    UsageError
        If it is no short word.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise UsageError(
            f"{what} = {value!r}: a name has 1 to 64 letters, digits, dots, dashes or underscores"
        )
    return value


def number_of(value: Any, what: str) -> float:
    """Return a finite number, after a check.

    Raises
    ------
    UsageError
        If it is anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{what} = {value!r}: must be a finite number")
    return float(value)


def word_of(value: Any, words: tuple[str, ...], what: str) -> str:
    """Return one of several words, after a check.

    Raises
    ------
    UsageError
        If it is none of them.
    """
    if value not in words:
        raise UsageError(f"{what} = {value!r}: must be {' or '.join(words)}")
    return value


def vector_of(value: Any, length: int, what: str) -> list[float]:
    """Return a list of so many finite numbers, after a check.

    Raises
    ------
    UsageError
        If it is anything else.
    """
    if not isinstance(value, list) or len(value) != length:
        raise UsageError(f"{what} = {value!r}: must be a list of {length} numbers")
    return [number_of(one, what) for one in value]


def table_of(value: Any, what: str) -> Mapping[str, Any]:
    """Return a table, after a check.

    Raises
    ------
    UsageError
        If it is anything else.
    """
    if not isinstance(value, Mapping):
        raise UsageError(f"{what}: must be a table, [{what}]")
    return value
