"""The numbers of a lambda file, as JSON values: soft and hard rule are told apart by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.waves import Mode
from rsmi.samples.measured import measured
from rsmi.samples.subject import subject
from rsmi.samples.views import RuleFile
from rsmi.stages.training import canonical
from rsmi.statistics.convergence import Rise, rise_at_middle
from rsmi.statistics.notation import with_error
from rsmi.store import File

# How the objectives are trained that no optimiser maximises by updates.
WITHOUT_OPTIMISER = {
    canonical.OBJECTIVE: "one diagonalisation of covariances",
    "total-correlation": "iterations to a fixed point",
    "likelihood": "epochs of contrastive divergence",
}
# The name of a number, and that of the attribute of the file that holds it.
_NUMBERS = {
    "mutual_information_soft": "mutual_information",
    "mutual_information_soft_error": "mutual_information_error",
    "mutual_information_hard": "mutual_information_hard",
    "mutual_information_hard_error": "mutual_information_hard_error",
    "mutual_information_exact_soft": "mutual_information_exact_soft",
    "mutual_information_exact_hard": "mutual_information_exact",
    "mutual_information_exact_hard_error": "mutual_information_exact_error",
    "mutual_information_block": "mutual_information_block",
    "mutual_information_shuffled_soft": "mutual_information_shuffled",
    "entropy_soft": "entropy_h",
    "entropy_hard": "entropy_h_hard",
    "total_correlation_soft": "total_correlation",
    "total_correlation_soft_error": "total_correlation_error",
    "total_correlation_bound_soft": "total_correlation_bound",
    "total_correlation_bound_soft_error": "total_correlation_bound_error",
    "total_correlation_block": "total_correlation_block",
}


def share(attributes: Mapping[str, Any], rule: str) -> float | None:
    """I(H:E)/I(V:E) of a rule, both exact.

    Parameters
    ----------
    attributes : mapping
        The attributes of a lambda file.
    rule : {"soft", "hard"}

    Returns
    -------
    float or None
        None where the exact values are unknown.
    """
    information = attributes.get(_NUMBERS[f"mutual_information_exact_{rule}"])
    whole = attributes.get("mutual_information_block")
    return information / whole if information is not None and whole else None


def rise_of(objective: str, curve: NDArray[np.float64]) -> Rise | None:
    """How much the objective of a restart still rises when the learning rate begins to fall.

    None for too short a training, and for objectives that no optimiser maximises: their curves
    have no independent noise.
    """
    return None if objective in WITHOUT_OPTIMISER else rise_at_middle(curve)


def still_rising(objective: str, curve: NDArray[np.float64]) -> str:
    """A sentence if the objective of a restart is still rising when the learning rate begins to
    fall; else an empty text."""
    rise = rise_of(objective, curve)
    if rise is None or not rise.significant:
        return ""
    return (
        f"the objective was still rising when the learning rate began to fall, by"
        f" {with_error(rise.value, rise.error)} within a tenth of the training: more --updates may"
        " lead to a better rule"
    )


def summary(file: File) -> dict[str, Any]:
    """The learned rule and its numbers.

    Filters are nested lists: hidden unit, component (if there are several), axes of the block.
    Filters of variables with several states have an axis for the states, unless they are tied. A
    filter of products is a list; ``products`` has the sites of each product, ``matrices`` the
    symmetric matrix A of x = v^T A v + bias of every unit, and ``site_weights`` the row sums
    of A.
    """
    rule = RuleFile(file)
    filters, units = rule.filters, rule.explained_by_units
    return {
        "file": str(rule.path),
        **subject(file),
        "block": list(rule.block),
        "buffer": rule.buffer,
        "environment": rule.environment,
        "windows": rule.windows,
        "hidden": len(filters) if rule.units is None else rule.units.count,
        "objective": rule.objective,
        "estimator": rule.estimator,
        "sector": rule.sector,
        "environment_features": rule.attributes.get("environment_features"),
        **{name: rule.attributes.get(stored) for name, stored in _NUMBERS.items()},
        "share_soft": share(rule.attributes, "soft"),
        "share_hard": share(rule.attributes, "hard"),
        **_filters_of(rule),
        "bias": rule.bias.tolist(),
        "restart_number": rule.restart + 1,
        "updates": rule.updates,
        **_rise(rule),
        "total_correlation_units_soft": None if units is None else units.tolist(),
        **canonical.summary(file),
        **measured(rule),
        **_deprecated(rule),
        **(rule.model.rule_summary(file) if rule.products is None else {}),
    }


def _filters_of(rule: RuleFile) -> dict[str, Any]:
    if rule.units is not None:
        return _of_states(rule)
    return _filters(rule) if rule.products is None else _products(rule)


def _of_states(rule: RuleFile) -> dict[str, Any]:
    """Filters of variables or of a hidden unit with several states: a tied one in the shape of the
    block, free ones with an axis for the states of a site before those of the block."""
    units, filters = rule.units, rule.filters
    if units is None or not units.tied:
        filters = rule.state_weights(filters)
    shape = (*filters.shape[:-1], *rule.block)
    return {
        "hidden_states": rule.attributes.get("hidden_states"),
        "filter_form": rule.attributes.get("filter_form", "free"),
        "filters": filters.reshape(shape).tolist(),
    }


def _filters(rule: RuleFile) -> dict[str, Any]:
    """Filters of the sites of the block, and their largest Fourier modes by unit and component."""
    return {
        "filters": _on_the_block(rule, rule.filters),
        "modes": [[_mode(mode) for mode in unit] for unit in rule.modes],
    }


def _mode(mode: Mode) -> dict[str, Any]:
    """The wave vector in fractions of 2 pi, its name, and the share of the variance of a unit, or
    of the square of its filter."""
    wave = [float(fraction) for fraction in mode.wave]
    share = {"share": mode.share, "share_of": mode.measure}
    return {"wave_vector": wave, "name": mode.name or None, **share}


def _products(rule: RuleFile) -> dict[str, Any]:
    """Filters of products, with their matrices if all products are pairs."""
    forms, weights = rule.forms, rule.site_weights
    return {
        "filters": rule.filters.tolist(),
        "products": [list(sites) for sites in rule.products or ()],
        "matrices": None if forms is None else forms.tolist(),
        "site_weights": None if weights is None else _on_the_block(rule, weights),
    }


def _on_the_block(rule: RuleFile, weights: NDArray[np.float64]) -> list[Any]:
    """Weights (hidden, block sites) as nested lists in the shape of the block."""
    components = [rule.components] if rule.components > 1 else []
    return weights.reshape(len(weights), *components, *rule.block).tolist()


def _rise(rule: RuleFile) -> dict[str, Any]:
    """How much the objective of the kept restart rises before the middle of its training, and
    whether that is more than its noise."""
    rise = rise_of(rule.objective, rule.curve)
    return {
        "objective_rise": rise and rise.value,
        "objective_rise_error": rise and rise.error,
        "still_rising": rise and rise.significant,
    }


def _deprecated(rule: RuleFile) -> dict[str, Any]:
    """The entries under their names up to version 0.4.0, which stay for one version."""
    units = rule.explained_by_units
    return {
        **{
            stored: rule.attributes.get(stored)
            for name, stored in _NUMBERS.items()
            if name != stored
        },
        "mutual_information_share": share(rule.attributes, "hard"),
        "restart": rule.restart,
        "total_correlation_units": None if units is None else units.tolist(),
    }
