"""The columns of a window array: what every variable of a block or an environment is.

A window array has one row for each window and one column for each variable. A column with two
states holds +-1. A column with q > 2 states is *categorical* and holds a code 0, ..., q - 1.
Whatever learns from windows needs real numbers: a binary column is one feature, its value +-1; a
categorical column becomes q *one-hot* features, of which feature k is 1 - 1/q where the code is k
and -1/q elsewhere. The features of one column sum to zero, so that none of the states is
distinguished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.packed import MOST_STATES


@dataclass(frozen=True)
class Component:
    """One variable of every site of a lattice.

    Attributes
    ----------
    name : str
        For example ``x-links``.
    states : int
        The number of states; 2 means values +-1.

    Raises
    ------
    ValueError
        If the number of states is not from 2 to 256.
    """

    name: str
    states: int = 2

    def __post_init__(self) -> None:
        if not 2 <= self.states <= MOST_STATES:
            raise ValueError(f"{self.name} needs 2 to {MOST_STATES} states, not {self.states}")


@dataclass(frozen=True, eq=False)
class Columns:
    """Description of the columns of a window array.

    Attributes
    ----------
    component : ndarray of int64, (n_columns,)
        The component of the site to which each column belongs.
    offset : ndarray of int64, (n_columns, d)
        The site of each column relative to the first site of the block.
    states : ndarray of int64, (n_columns,)
        The number of states of each column; 2 means values +-1.

    Raises
    ------
    ValueError
        If the three arrays do not fit each other, or a number of states is not from 2 to 256.
    """

    component: NDArray[np.int64]
    offset: NDArray[np.int64]
    states: NDArray[np.int64]

    def __post_init__(self) -> None:
        n = len(self.states)
        if self.component.shape != (n,) or self.offset.ndim != 2 or len(self.offset) != n:
            raise ValueError("component, offset and states need one entry for each column")
        if n and not (self.states.min() >= 2 and self.states.max() <= MOST_STATES):
            raise ValueError(f"every column needs 2 to {MOST_STATES} states")

    @classmethod
    def of_sites(cls, offsets: NDArray[np.int64], states: Sequence[int] = (2,)) -> Columns:
        """Describe a window of the given sites, in the order of `extract_windows`: first all sites
        of the first component, then all sites of the second.

        Parameters
        ----------
        offsets : ndarray of int64, (n_sites, d)
            For example ``geometry.block_offsets``.
        states : sequence of int
            The number of states of each component.
        """
        components, sites = len(states), len(offsets)
        return cls(
            np.repeat(np.arange(components, dtype=np.int64), sites),
            np.tile(offsets, (components, 1)),
            np.repeat(np.asarray(states, dtype=np.int64), sites),
        )

    @classmethod
    def of_components(cls, offsets: NDArray[np.int64], components: Sequence[Component]) -> Columns:
        """Describe a window of the given sites by the components of its lattice; see `of_sites`."""
        return cls.of_sites(offsets, [component.states for component in components])

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.states)

    @property
    def widths(self) -> NDArray[np.int64]:
        """Number of features of each column, int64 (n_columns,): 1 if it is binary, else q."""
        return np.where(self.states == 2, 1, self.states)

    @property
    def n_features(self) -> int:
        """Number of features of all columns together."""
        return int(self.widths.sum())

    def feature_sums(self) -> NDArray[np.float64]:
        """Return the linear combinations of the features that are zero in every window.

        Returns
        -------
        ndarray of float64, (n_categorical, n_features)
            For each categorical column, 1 at its features and 0 elsewhere.
        """
        of_feature = np.repeat(np.arange(len(self)), self.widths)
        categorical = np.flatnonzero(self.states > 2)
        return (of_feature == categorical[:, np.newaxis]).astype(np.float64)

    def one_hot(self, windows: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the features of windows.

        Parameters
        ----------
        windows : ndarray of int, (n, n_columns)
            Values +-1 in binary columns, codes 0, ..., q - 1 in categorical ones.

        Returns
        -------
        ndarray of float64, (n, n_features)
            The features of one column stand side by side, in the order of the columns.

        Raises
        ------
        ValueError
            If the number of columns differs, or a value belongs to no state of its column.
        """
        if windows.ndim != 2 or windows.shape[1] != len(self):
            raise ValueError(f"windows of shape {windows.shape} do not have {len(self)} columns")
        self._check(windows)
        of_feature = np.repeat(np.arange(len(self)), self.widths)
        first = np.cumsum(self.widths) - self.widths
        state = np.arange(self.n_features) - first[of_feature]
        values, states = windows[:, of_feature], self.states[of_feature]
        return np.where(states == 2, values, (values == state) - 1 / states)

    def _check(self, windows: NDArray[np.integer]) -> None:
        known = (windows >= 0) & (windows < self.states)
        known = np.where(self.states == 2, np.abs(windows) == 1, known)
        if not known.all():
            row, column = np.argwhere(~known)[0]
            raise ValueError(
                f"window {row} holds {windows[row, column]} in column {column}, which has"
                f" {self.states[column]} states"
            )
