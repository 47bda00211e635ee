"""The parameters of the six-vertex model, from the options of the command line."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from rsmi.errors import UsageError
from rsmi.models.six_vertex import arrows, known, loop

log = logging.getLogger("rsmi")


def parameters(request: Mapping[str, Any]) -> dict:
    """Return the checked parameters of the physics.

    Raises
    ------
    UsageError
        For a lattice that cannot be sampled, or a state point that is missing, said twice or
        outside its range.
    """
    if request["temperature"] is not None or request["coupling"] is not None:
        raise UsageError(
            "--temperature and --coupling: the state point of the six-vertex model is its weight;"
            " give --weight, --delta or --ice instead"
        )
    arrows.check_shape(request["shape"])
    weight = resolve_weight(request["weight"], request["delta"], request["ice"])
    if weight > known.LOGARITHMS_ABOVE:
        log.warning(
            "--weight %g: close to c = 2 corrections fall off as the logarithm of the size only;"
            " finite lattices have other dimensions and another stiffness than infinite ones",
            weight,
        )
    return {
        "model": "six-vertex",
        "shape": list(request["shape"]),
        "weight": weight,
        "algorithm": "loop",
    }


def resolve_weight(weight: float | None, delta: float | None, ice: bool) -> float:
    """Return the weight c of ``--weight``, of ``--delta`` or of ``--ice``.

    Raises
    ------
    UsageError
    """
    given = [
        name for name, value in (("--weight", weight), ("--delta", delta)) if value is not None
    ]
    given += ["--ice"] * bool(ice)
    if len(given) != 1:
        raise UsageError(
            "the six-vertex model needs one of --weight C, --delta DELTA = 1 - C^2/2 and --ice (C ="
            f" 1){', not ' + ' and '.join(given) if given else ''}"
        )
    if delta is not None:
        if not -1 <= delta < 1:
            raise UsageError(f"--delta {delta:g}: Delta lies from -1 to below 1")
        return _checked(math.sqrt(2 - 2 * delta), f"--delta {delta:g}")
    return 1.0 if weight is None else _checked(weight, f"--weight {weight:g}")


def _checked(weight: float, option: str) -> float:
    least, largest = loop.WEIGHTS
    if weight > largest:
        raise UsageError(
            f"{option}: for c > {largest:g} the loops would turn back, and the arrows order in c"
            f" vertices; the largest weight is {largest:g}"
        )
    if not weight >= least:
        raise UsageError(
            f"{option}: the loops would hardly ever turn; the least weight of a c vertex is"
            f" {least:g}"
        )
    return weight
