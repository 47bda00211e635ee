"""What learned filters measure, as text."""

from __future__ import annotations

from rsmi.samples.measured import measured
from rsmi.samples.views import RuleFile
from rsmi.statistics.notation import table


def describe(rule: RuleFile) -> list[str]:
    """Return a table of the shares of variance that named functions explain in every unit, and in
    every canonical mixture of several units; nothing if the model names no functions."""
    found = measured(rule).get("measured")
    if not found:
        return []
    names = list(found["units"][0])
    rows = [["share of the variance", *names, "correlation with E"]]
    for i, unit in enumerate(found["units"], 1):
        rows.append([f"unit {i}", *(_three(unit[name]) for name in names), ""])
    for i, mode in enumerate(found["modes"], 1):
        shares = (_three(mode[name]) for name in names)
        rows.append([f"canonical mixture {i}", *shares, _three(mode["correlation"])])
    return [*table(rows), ""]


def _three(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
