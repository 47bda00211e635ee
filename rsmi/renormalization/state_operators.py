"""Operators of variables with q states, all of them alike (Potts), on the square lattice.

An even operator is a *singlet*: the number of times that some variables near one another are equal.
An odd operator is a *vector* with one number for each colour a, of which their mean over a is
subtracted: how often some variables are equal, and one of them has the colour a. Both are summed
over all translations and all symmetries of the lattice. With two states a vector is a sum of odd
products of spins, twice, with both signs.

For two and three states some operators are linear combinations of others, and are left out: of four
variables with three colours two are equal, and of three with two colours two are. They are ordered
such that the first k are a sensible truncation, as in `rsmi.renormalization.operators`.

Reference: R. H. Swendsen, PRL 42, 859 (1979), for the method.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.kernels import states as kernel
from rsmi.renormalization import component_operators
from rsmi.renormalization.operators import SECTORS

MOST_STATES = 16
_PAIRS = 3  # statements of a term, at most

Point = tuple[int, int]
# The groups of points whose variables are equal, and the point whose colour counts.
Image = tuple[tuple[tuple[Point, ...], ...], Point | None]


class StateOperator(NamedTuple):
    """A statement about the variables at some points.

    Attributes
    ----------
    name : str
    groups : tuple of tuple of (int, int)
        The variables at the points of one group, (row, column), are equal.
    coloured : (int, int), optional
        The point whose colour an odd operator counts.
    least_states : int
        With fewer states the operator is a combination of others.
    """

    name: str
    groups: tuple[tuple[Point, ...], ...]
    coloured: Point | None = None
    least_states: int = 2

    @property
    def sector(self) -> str:
        """Its sector, even or odd."""
        return SECTORS[self.coloured is not None]


_BOND, _DIAGONAL, _PAIR = ((0, 0), (0, 1)), ((0, 0), (1, 1)), ((0, 0), (0, 2))
_CORNER, _LINE = ((0, 1), (0, 0), (1, 0)), ((0, 0), (0, 1), (0, 2))
_PLAQUETTE, _KNIGHT = ((0, 0), (0, 1), (1, 0), (1, 1)), ((0, 0), (1, 2))

SQUARE = (
    StateOperator("nearest neighbours (1,0)", (_BOND,)),
    StateOperator("next-nearest neighbours (1,1)", (_DIAGONAL,)),
    StateOperator("four equal of a plaquette", (_PLAQUETTE,)),
    StateOperator("three equal at a corner", (_CORNER,), None, 3),
    StateOperator("two parallel equal pairs", (_BOND, ((1, 0), (1, 1))), None, 3),
    StateOperator("two diagonal equal pairs", (_DIAGONAL, ((0, 1), (1, 0))), None, 4),
    StateOperator("pair (2,0)", (_PAIR,)),
    StateOperator("three equal in a line", (_LINE,), None, 3),
    StateOperator("pair (2,1)", (_KNIGHT,)),
    StateOperator("pair (2,2)", (((0, 0), (2, 2)),)),
    StateOperator("magnetization", (), (0, 0)),
    StateOperator("coloured nearest neighbours", (_BOND,), (0, 0), 3),
    StateOperator("coloured next-nearest neighbours", (_DIAGONAL,), (0, 0), 3),
    StateOperator("coloured plaquette", (_PLAQUETTE,), (0, 0), 3),
    StateOperator("coloured corner", (_CORNER,), (0, 0)),
    StateOperator("equal diagonal pair and the colour beside it", (_DIAGONAL,), (0, 1), 3),
    StateOperator("coloured pair (2,0)", (_PAIR,), (0, 0), 3),
    StateOperator("coloured line of three", (_LINE,), (0, 0)),
    StateOperator("equal pair (2,0) and the colour between", (_PAIR,), (0, 1), 3),
    StateOperator("coloured pair (2,1)", (_KNIGHT,), (0, 0), 3),
)


@cache
def state_operators(states: int) -> tuple[StateOperator, ...]:
    """Return the operators that are independent for so many states, the even ones first."""
    return tuple(one for one in SQUARE if states >= one.least_states)


def images(operator: StateOperator) -> list[Image]:
    """Return the distinct images of an operator under permutations and reflections of the axes, up
    to translations. A colour is that of its whole group."""
    found = set()
    for swap, (one, two) in product((False, True), product((1, -1), repeat=2)):

        def moved(point: Point) -> Point:
            y, x = point[::-1] if swap else point
            return one * y, two * x

        groups = [[moved(point) for point in group] for group in operator.groups]
        coloured = None if operator.coloured is None else moved(operator.coloured)
        points = [point for group in groups for point in group]
        points += [] if coloured is None else [coloured]
        low = tuple(min(point[axis] for point in points) for axis in (0, 1))

        def placed(point: Point) -> Point:
            return point[0] - low[0], point[1] - low[1]

        sets = tuple(sorted(tuple(sorted(map(placed, group))) for group in groups))
        colour = None if coloured is None else placed(coloured)
        for group in sets:
            if colour in group:
                colour = group[0]
        found.add((sets, colour))
    return sorted(found, key=repr)


class StateTerms(NamedTuple):
    """The terms of all operators as the kernel takes them, see csrc/blocking/state_operators.h.

    Attributes
    ----------
    pairs : ndarray of int32, (n_terms, 3, 2)
    points, owner : ndarray of int32, (n_terms,)
    counts : tuple of int
        The numbers of even and of odd operators.
    copies : int
        The largest number of terms of one operator.
    """

    pairs: NDArray[np.int32]
    points: NDArray[np.int32]
    owner: NDArray[np.int32]
    counts: tuple[int, int]
    copies: int


@cache
def state_terms(states: int) -> StateTerms:
    """Return the terms of the operators of variables with so many states."""
    pairs, points, owner = [], [], []
    numbers = dict.fromkeys(SECTORS, 0)
    copies = 0
    for operator in state_operators(states):
        terms = images(operator)
        copies = max(copies, len(terms))
        for groups, colour in terms:
            row = np.full((_PAIRS, 2), -1, np.int32)
            equal = [(group[0], point) for group in groups for point in group[1:]]
            for place, ends in zip(row, equal):
                place[:] = [3 * y + x for y, x in ends]
            pairs.append(row)
            points.append(-1 if colour is None else 3 * colour[0] + colour[1])
            owner.append(numbers[operator.sector])
        numbers[operator.sector] += 1
    return StateTerms(
        np.array(pairs, np.int32),
        np.array(points, np.int32),
        np.array(owner, np.int32),
        (numbers["even"], numbers["odd"]),
        copies,
    )


def state_sums(
    rows: NDArray[np.uint8], shape: Sequence[int], states: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the lattice sums of all operators in every configuration.

    Parameters
    ----------
    rows : ndarray of uint8, (n, n_bytes)
        Rows of `rsmi.lattice.packed.pack_states` with one component.
    shape : sequence of int
        Rows and columns of the periodic lattice.
    states : int
        Number q of states, at most 16.

    Returns
    -------
    even : ndarray of int64, (n, n_even)
    odd : ndarray of int64, (n, q, n_odd)
        q times the vectors: q O^a - sum_b O^b, which are whole numbers.

    Raises
    ------
    ValueError
        If the lattice has not two axes, or the bits of a variable are the code of no state.
    """
    if len(shape) != 2:
        raise ValueError(f"operators of q states are known in two dimensions, not in {len(shape)}")
    terms = state_terms(states)
    even, counts = kernel.state_operator_sums(
        np.ascontiguousarray(rows, dtype=np.uint8),
        np.array(shape, np.int64),
        states,
        terms.pairs,
        terms.points,
        terms.owner,
        *terms.counts,
    )
    return even, states * counts - counts.sum(axis=1, keepdims=True)


# ---- rows for sums of products -------------------------------------------------------------------


def rows_of_sample(states: int) -> int:
    """Return the number of rows of operators of one sample: one for each component of a vector, and
    one for operators of variables with two states."""
    return states if states > 2 else 1


def in_first_row(numbers: NDArray[np.int64], n_rows: int) -> NDArray[np.int64]:
    """Return numbers (n, ...) in the first row of every sample, and 0 in its others, (n * n_rows,
    ...)."""
    if n_rows == 1:
        return numbers
    rows = np.zeros((len(numbers), n_rows, *numbers.shape[1:]), numbers.dtype)
    rows[:, 0] = numbers
    return rows.reshape(-1, *numbers.shape[1:])


def vector_rows(even: NDArray[np.int64], odd: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return even operators (n, n_even) and vectors (n, q, n_odd) as rows (n * q, operators), whose
    products add up to products and to scalar products."""
    return np.concatenate([in_first_row(even, odd.shape[1]), odd.reshape(-1, odd.shape[2])], axis=1)


# ---- names ---------------------------------------------------------------------------------------


def operator_names(dimension: int, components: int, states: int = 2) -> dict[str, list[str]]:
    """Return the names of all operators by sector, for variables of two states or of more.

    Raises
    ------
    ValueError
        If the operators are not known.
    """
    if states == 2:
        return component_operators.operator_names(dimension, components)
    require_known(dimension, components, states)
    operators = state_operators(states)
    return {sector: [one.name for one in operators if one.sector == sector] for sector in SECTORS}


def require_known(dimension: int, components: int, states: int) -> None:
    """Raise ValueError unless the operators of variables with so many states are known."""
    if states == 2 and components > 1:
        component_operators.component_operators(dimension, components)
    if states > 2 and (dimension != 2 or components != 1 or states > MOST_STATES):
        raise ValueError(
            f"the operators of variables with {states} states are known on the square lattice for"
            f" one component and at most {MOST_STATES} states; these samples have {dimension}"
            f" dimension{'s' if dimension > 1 else ''} and {components}"
            f" component{'s' if components > 1 else ''}: take rsmi coarse-grain, which needs no"
            " operators"
        )
