"""What ``rsmi info`` says of filters of variables, or of a hidden unit, with several states."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsmi.reports.products import layers
from rsmi.samples.views import RuleFile
from rsmi.statistics.notation import table

_TIED = (
    "  filter: x(h) = sum of the weights of the sites of V in the state h; P(h) = exp(x(h)) / sum"
    " of exp(x)"
)
_TIED_FEATURES = (
    "  filter: x(h) = sum over V of weight times f(v) . f(h), with the features f of the states;"
    " P(h) = exp(x(h)) / sum of exp(x)"
)
_FREE = (
    "  filters: x(h) = sum over V of the weight of the state of the site, plus bias; P(h) ="
    " exp(x(h)) / sum of exp(x)"
)
_BITS = (
    "  filters: x = sum over V of the weight of the state of the site, plus bias; P(h = 1) = 1/(1 +"
    " exp(-x))"
)


def describe_states(rule: RuleFile) -> list[str]:
    """The filters in block shape: one that is tied, or one for every coarse state or unit and every
    state of a site."""
    units = rule.units
    if units is None or units.features is None:
        return []
    if units.tied:
        states, width = units.features.shape
        meaning = _TIED if states == width else _TIED_FEATURES
        return [meaning, "", *_grid(rule, rule.filters[0])]
    weights = rule.state_weights(rule.filters)
    name = "coarse state" if units.states else "unit"
    lines = [_FREE if units.states else _BITS, ""]
    for number, (of_states, bias) in enumerate(zip(weights, rule.bias), 0 if units.states else 1):
        lines.append(f"  {name} {number}   bias {bias:z.4f}")
        for state, row in enumerate(of_states):
            lines += [f"  sites in state {state}", *_grid(rule, row)]
    return lines


def _grid(rule: RuleFile, weights: NDArray[np.float64]) -> list[str]:
    lines: list[str] = []
    for layer in layers(weights, rule.block):
        lines += [*table([["", *(f"{weight:z.4f}" for weight in row)] for row in layer]), ""]
    return lines
