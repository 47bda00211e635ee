"""The figure of a learned rule: filters of sites, of states of sites, or of products of spins."""

from __future__ import annotations

from matplotlib.figure import Figure

from rsmi.figures import filters, products, rule_states
from rsmi.samples.views import RuleFile
from rsmi.store import File


def draw(file: File) -> Figure:
    """A learned rule and its training."""
    rule = RuleFile(file)
    if rule.units is not None and not rule.units.tied:
        return rule_states.draw(rule)
    return filters.draw(file) if rule.products is None else products.draw(rule)
