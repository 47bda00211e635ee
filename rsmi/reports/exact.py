"""What ``rsmi exact`` says of rules, as text."""

from __future__ import annotations

from typing import Any

import numpy as np

from rsmi.lattice.geometry import shape_text
from rsmi.statistics.notation import fields, table, with_error


def describe(result: dict[str, Any]) -> str:
    """The result of `rsmi.stages.exact.evaluate` as text."""
    whole = result["mutual_information_block"]
    sampled = (
        f"{result['windows']} windows of {result['configurations']} sampled configurations; P(V|E)"
        " exact"
    )
    rows = [["rule", "", "I(H:E)", "of I(V:E)", "H(H)"]]
    rows += [_row(one, whole) for one in _answers(result)]
    lines = fields(
        [
            ("lattice", result["lattice"]),
            ("temperature" if result["temperature"] else "state point", result["state_point"]),
            ("block V", _described_block(result)),
            ("environments", sampled if result["windows"] else "all of them, by enumeration"),
            (
                "I(V:E)",
                (
                    f"{with_error(whole, result['mutual_information_block_error'])} nats, the most"
                    " that any rule could keep"
                ),
            ),
        ]
    )
    best = _describe_best(result["best"]) if "best" in result else []
    return "\n".join([*lines, "", *table(rows), *best, ""])


def _described_block(result: dict[str, Any]) -> str:
    """The block and its buffer."""
    sites = f"{len(result['sites'])} sites of " if "sites" in result else ""
    metric = f", distances by the metric {result['metric']}" if "metric" in result else ""
    text = f"{sites}{shape_text(result['block'])}, buffer of width {result['buffer']}"
    return text + metric


def _answers(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The rules, and the best function if it was searched."""
    rules = result.get("rules", [result] if "rule" in result else [])
    return [*rules, *([result["best"]] if "best" in result else [])]


def _row(one: dict[str, Any], whole: float) -> list[str]:
    """A rule, its information, the share of I(V:E), and its entropy."""
    kind = "hard" if one["hard"] else "soft"
    name = f"mutual_information_exact_{kind}"
    return [
        one["rule"],
        kind,
        with_error(one[name], one[f"{name}_error"]),
        f"{one[name] / whole:.4f}" if whole > 0 else "-",
        f"{one[f'entropy_{kind}']:.6g}",
    ]


def _describe_map(best: dict[str, Any]) -> list[str]:
    """How the best function with several values was found, and the blocks of each value."""
    lines = [
        "",
        f"  best: the best of all functions with {best['states']} values that {best['restarts']}"
        f" restarts find; {best['restarts_that_agree']} of them agree within 1 %",
    ]
    if best["blocks"] is not None:
        lines.append("  blocks of every value, with the states of their sites row by row")
        lines += [f"  h = {h}: {blocks}" for h, blocks in enumerate(best["blocks"])]
    return lines


def _describe_best(best: dict[str, Any]) -> list[str]:
    """How the best function was found, and what it is."""
    if "blocks" in best:
        return _describe_map(best)
    which = "" if best["parity"] == "any" else f" {best['parity']}"
    lines = [
        "",
        f"  best{which}: the best of all{which} functions with two values that {best['restarts']}"
        f" restarts find; {best['restarts_that_agree']} of them agree within 1 %",
    ]
    if best["states_up"] is not None:
        lines.append(f"  h = 1 for the blocks {' '.join(best['states_up'])}, else 0")
    of = "pairs" if best["parity"] == "even" else "spin"
    lines.append(f"  coefficients of 2h - 1: of the {of} of every site")
    rows = np.array(best["site_weights"])
    rows = rows.reshape(-1, rows.shape[-1])
    return [*lines, *table([["", *(f"{weight:z.4f}" for weight in row)] for row in rows])]
