"""What ``rsmi exact`` says of rules, as text."""

from __future__ import annotations

from typing import Any

from rsmi import models
from rsmi.lattice.geometry import shape_text
from rsmi.statistics.notation import fields, table, with_error


def describe(result: dict[str, Any]) -> str:
    """The result of `rsmi.stages.exact.evaluate` as text."""
    model = models.of(result)
    ratio = model.relative_temperature(result)
    whole, answers = result["mutual_information_block"], result.get("rules", [result])
    sampled = (
        f"{result['windows']} windows of {result['configurations']} sampled configurations; P(V|E)"
        " exact"
    )
    rows = [["rule", "", "I(H:E)", "of I(V:E)", "H(H)"]]
    for one in answers:
        information = with_error(one["mutual_information"], one["mutual_information_error"])
        share = f"{one['mutual_information'] / whole:.4f}" if whole > 0 else "-"
        rows.append(
            [
                one["rule"],
                "hard" if one["hard"] else "soft",
                information,
                share,
                f"{one['entropy_h']:.6g}",
            ]
        )
    lines = fields(
        [
            (
                "lattice",
                f"{shape_text(result['shape'])} {model.describe_lattice(result)}, periodic",
            ),
            (
                "temperature",
                f"T = {result['temperature']:.6g} J/k_B, K = {result['coupling']:.6g}"
                + (f", T/T_c = {ratio:.4f}" if ratio else ""),
            ),
            ("block V", f"{shape_text(result['block'])}, buffer of width {result['buffer']}"),
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
    return "\n".join([*lines, "", *table(rows), ""])
