"""One step of blocking by a rule of any kind, of variables with two states or with more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.kernels import states as kernel
from rsmi.renormalization import rules
from rsmi.renormalization.categorical_rules import CategoricalRule
from rsmi.renormalization.rules import Rule, sample_numbers, three_axes

AnyRule = Rule | CategoricalRule


def coarse_grain(
    rows: NDArray[np.uint8],
    shape: Sequence[int],
    rule: AnyRule,
    key: ArrayLike,
    samples: ArrayLike = 0,
) -> NDArray[np.uint8]:
    """Coarse-grain configurations by one step of blocking.

    Parameters
    ----------
    rows : ndarray of uint8, (n, n_bytes)
        Packed configurations of variables with the states and components of the rule; see
        `rsmi.lattice.packed`.
    shape, key, samples
        As in `rsmi.renormalization.rules.coarse_grain`.
    rule : Rule or CategoricalRule

    Returns
    -------
    ndarray of uint8, (n, coarse_bytes)
        Packed configurations of the coarse variables. Hidden units of two states are components.

    Raises
    ------
    ValueError
        If blocks do not tile the lattice, a block has too many states for a table, or the bits of a
        variable are the code of no state.
    """
    if isinstance(rule, Rule):
        return rules.coarse_grain(rows, shape, rule, key, samples)
    rules.level_shapes(shape, rule.block, 1)
    return kernel.coarse_grain_states(
        np.ascontiguousarray(rows, dtype=np.uint8),
        three_axes(shape),
        three_axes(rule.block),
        rule.states,
        np.ascontiguousarray(rule.thresholds),
        np.ascontiguousarray(key, dtype=np.uint64),
        sample_numbers(samples, len(rows)),
    )
