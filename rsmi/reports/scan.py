"""What ``rsmi scan`` prints: the information of every rule, what each further unit and each wider
buffer changes, and how many units are worth their place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rsmi.lattice.geometry import shape_text, sides_text
from rsmi.reports.results import state_point
from rsmi.samples.views import RuleFile, open_rule
from rsmi.statistics.notation import table, with_error

SIGNIFICANT = 2.0  # errors that the gain of a further unit must exceed
PRECISE = 0.05  # of I(H:E): the largest error at which it counts as known well
_CORRELATIONS = 6  # that are printed


class Point(NamedTuple):
    """One rule of a scan: its samples, its window, and its information in nats."""

    samples: str
    size: str
    block: str
    buffer: int
    environment: int
    hidden: int
    value: float
    error: float
    whole: float | None

    @property
    def window(self) -> tuple:
        """All but the number of units."""
        return self.samples, self.size, self.block, self.environment, self.buffer

    @property
    def rule(self) -> tuple:
        """All but the buffer."""
        return self.samples, self.size, self.block, self.environment, self.hidden


def point_of(rule: RuleFile) -> Point:
    """The numbers of a rule that a scan compares."""
    a = rule.attributes
    return Point(
        state_point(a),
        sides_text(a["shape"]),
        shape_text(a["block"]),
        a["buffer"],
        a["environment"],
        len(rule.bias),
        a["mutual_information_hard"],
        a["mutual_information_hard_error"],
        a.get("mutual_information_block"),
    )


def read(paths: Sequence[Path]) -> tuple[list[Point], list[list[str]]]:
    """The rules, and the canonical correlations as rows of a table, in the order of the files."""
    points, correlations = [], []
    for path in paths:
        with open_rule(path) as rule:
            if rule.objective == "canonical":
                correlations.append(_correlations(rule))
            else:
                points.append(point_of(rule))
    return points, correlations


def describe(paths: Sequence[Path]) -> str:
    """A table of rules, sentences on the number of units and on the buffer where several were
    tried, and the canonical correlations."""
    points, correlations = read(paths)
    lines = [*table(_rows(points)), *_sentences(points)]
    if correlations:
        title = (
            "canonical correlations of V and E on held-out windows, and of shuffled environments"
        )
        lines += [
            "",
            title,
            "",
            *table([["samples", "size", "block", "buffer", ""], *correlations]),
        ]
    return "\n".join(lines) + "\n"


def summary(paths: Sequence[Path]) -> dict[str, Any]:
    """The same for ``--json``."""
    points, _ = read(paths)
    return {
        "rules": [one._asdict() for one in points],
        "units": [
            {**_named(own[0]), "units": recommended(own)[0]}
            for own in _groups(points, "window")
            if len(own) > 1
        ],
    }


def _named(point: Point) -> dict[str, Any]:
    names = ("samples", "size", "block", "environment", "buffer")
    return {name: getattr(point, name) for name in names}


def _groups(points: Sequence[Point], name: str) -> list[list[Point]]:
    """The points that agree in a property, in the order of the scan."""
    groups: dict[tuple, list[Point]] = {}
    for one in points:
        groups.setdefault(getattr(one, name), []).append(one)
    return list(groups.values())


def _rows(points: Sequence[Point]) -> list[list[str]]:
    titles = ["samples", "size", "block", "environment", "buffer", "units", "I(H:E)", "of I(V:E)"]
    rows = [[*titles, "gain"]]
    fewer: dict[tuple, Point] = {}
    for one in points:
        before = fewer.get(one.window)
        rows.append(
            [
                *(one.samples, one.size, one.block),
                *map(str, (one.environment, one.buffer, one.hidden)),
                with_error(one.value, one.error),
                f"{one.value / one.whole:.3f}" if one.whole else "-",
                with_error(*_gain(before, one)) if before else "",
            ]
        )
        fewer[one.window] = one
    return rows


def _gain(before: Point, after: Point) -> tuple[float, float]:
    """What the further units add, and its error as if both estimates were independent. They are of
    the same windows, so that the error is smaller in truth."""
    return after.value - before.value, math.hypot(before.error, after.error)


def _sentences(points: Sequence[Point]) -> list[str]:
    """How many units are worth their place in every window, and which buffers are known well."""
    lines = []
    for own in _groups(points, "window"):
        if len(own) > 1:
            chosen, reason = recommended(own)
            where = f"{own[0].samples}, {own[0].size}, block {own[0].block}, buffer {own[0].buffer}"
            lines.append(f"  {where}: take {_units(chosen)}, {reason}")
    for own in _groups(points, "rule"):
        if len(own) > 1:
            where = (
                f"{own[0].samples}, {own[0].size}, block {own[0].block}, {_units(own[0].hidden)}"
            )
            lines.append(f"  {where}: {_decay(own)}")
    return ["", *lines] if lines else []


def _units(count: int) -> str:
    return f"{count} unit{'s' * (count > 1)}"


def _decay(points: Sequence[Point]) -> str:
    """How the information falls with the buffer, and the widest one at which it is known well."""
    first, last = points[0], points[-1]
    falls = (
        f"from buffer {first.buffer} to {last.buffer} I(H:E) goes from"
        f" {with_error(first.value, first.error)} to {with_error(last.value, last.error)}"
    )
    known = [one.buffer for one in points if one.error < PRECISE * one.value]
    if not known:
        return f"{falls}; at no buffer is it known to {100 * PRECISE:.0f} %: take more samples"
    return (
        f"{falls}; buffer {max(known)} is the widest at which it is known to {100 * PRECISE:.0f} %"
    )


def recommended(points: Sequence[Point]) -> tuple[int, str]:
    """The number of units, and the reason: units are added as long as each gains more than
    `SIGNIFICANT` times its error.

    Parameters
    ----------
    points : sequence of Point
        Of one window, from the smallest to the largest number of units.
    """
    for before, after in zip(points, points[1:]):
        gain, error = _gain(before, after)
        if gain <= SIGNIFICANT * error:
            more = after.hidden - before.hidden
            further = "a further unit gains" if more == 1 else f"{more} further units gain"
            return before.hidden, f"since {further} {with_error(gain, error)} nats only"
    return points[-1].hidden, "or more: each of these gains more than twice its error"


def _correlations(rule: RuleFile) -> list[str]:
    a = rule.attributes
    values, errors = (rule.file.read(f"/canonical/{name}") for name in ("correlations", "errors"))
    shuffled = rule.file.read("/canonical/shuffled")
    text = " ".join(map(with_error, values[:_CORRELATIONS], errors[:_CORRELATIONS]))
    return [
        state_point(a),
        sides_text(a["shape"]),
        shape_text(a["block"]),
        str(a["buffer"]),
        f"{text}; shuffled {abs(shuffled).max():.4f}",
    ]
