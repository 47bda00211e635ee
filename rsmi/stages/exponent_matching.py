"""T_c from pairs of lattices in one flow file, for ``rsmi exponent``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rsmi.renormalization.matching import matched_coupling
from rsmi.samples.flow_ensembles import FlowEnsemble


def matching(ensembles: Sequence[FlowEnsemble]) -> dict[str, Any]:
    """T_c by matching every pair of lattices at one temperature whose sides differ by one step.

    Returns
    -------
    dict
        ``T_c_matching``, a list with an entry for every pair and step: ``shapes``, ``step``,
        ``value`` in J/k_B, ``error``, and ``reason``, why they are None. Nothing if there is no
        pair.
    """
    rows = [
        _matched(large, small, step)
        for large in ensembles
        for small in ensembles
        if _are_a_pair(large, small)
        for step in range(1, len(large.shapes))
    ]
    return {"T_c_matching": rows} if rows else {}


def _are_a_pair(large: FlowEnsemble, small: FlowEnsemble) -> bool:
    if large.coupling is None or small.coupling is None:
        return False
    return (
        large.shapes[1] == small.shapes[0]
        and large.shapes[0] != small.shapes[0]
        and large.rg_step == small.rg_step
        and bool(np.isclose(large.coupling, small.coupling, rtol=1e-9, atol=0))
    )


def _matched(large: FlowEnsemble, small: FlowEnsemble, step: int) -> dict[str, Any]:
    shapes = {"shapes": [list(one.shapes[0]) for one in (large, small)]}
    if not (large.has_energy and small.has_energy):
        reason = "the original energies are unknown"
        return {"step": step, "value": None, "error": None, "reason": reason} | shapes
    row = matched_coupling(
        large.neighbours, small.neighbours, (large.shapes, small.shapes), large.coupling or 0, step
    )
    if row["value"] is not None:
        row |= {"value": 1 / row["value"], "error": row["error"] / row["value"] ** 2}
    return row | shapes
