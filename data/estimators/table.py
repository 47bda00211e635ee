"""Bias and spread of every estimator, as text.

    python table.py CASE.json... optimised.json LAMBDA.h5...        (of estimates.py, optimised.py
    and ``rsmi train-lambda``)

A bias is the mean over independent sets of windows less the exact value, a spread the standard
deviation of one set, both in nats with the error of the last digits. "fitted" are the windows that
machine, decoder or critic were fitted to, "held out" the others.
"""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import info
from estimates import rule_of

from rsmi.information.channel import channel_table
from rsmi.models.ising.oracle import torus_joint
from rsmi.statistics.notation import table, with_error

HEADLINES = {  # title, estimator, part
    "proxy": ("proxy", "fitted"),
    "proxy, gaussian": ("proxy, gaussian", "fitted"),
    "logsum": ("logsum", "fitted"),
    "enumerate": ("enumerate", "fitted"),
    "decoder, fitted": ("decoder", "fitted"),
    "decoder": ("decoder", "held_out"),
    "decoder, 16 tanh, fitted": ("decoder, tanh", "fitted"),
    "decoder, 16 tanh": ("decoder, tanh", "held_out"),
    "InfoNCE, fitted": ("InfoNCE", "fitted"),
    "InfoNCE": ("InfoNCE", "held_out"),
}
SHORT = ("logsum", "enumerate", "decoder", "decoder, 16 tanh", "InfoNCE", "proxy")
WITH_ERRORS = ("decoder", "decoder, tanh", "InfoNCE")


# ---- numbers -------------------------------------------------------------------------------------


def values(case: dict, windows: int, estimator: str, part: str) -> np.ndarray:
    """Of all sets; nan where there is none."""
    (row,) = (
        row
        for row in case["estimates"]
        if row["windows"] == windows and row["estimator"] == estimator
    )
    return np.array(row[part], float)


def bias(
    sample: np.ndarray, exact: float | np.ndarray, exact_error: float = 0.0
) -> tuple[float, float]:
    """Mean difference and its error."""
    difference = sample - exact
    return float(difference.mean()), float(
        np.hypot(difference.std(ddof=1) / np.sqrt(len(difference)), exact_error)
    )


def spread(sample: np.ndarray) -> tuple[float, float]:
    """Standard deviation and its error, of normal values."""
    deviation = float(sample.std(ddof=1))
    return deviation, deviation / np.sqrt(2 * (len(sample) - 1))


def sizes(case: dict) -> list[int]:
    return list(dict.fromkeys(row["windows"] for row in case["estimates"]))


def bias_of(case: dict, windows: int, title: str) -> tuple[float, float]:
    """Bias of a headline and its error."""
    return bias(
        values(case, windows, *HEADLINES[title]),
        case["mutual_information"],
        case["mutual_information_error"],
    )


def spread_over_error(
    cases: list[dict], windows: int, estimator: str
) -> tuple[float, float] | None:
    """Spread of the held-out values over the root mean square of their own errors, all cases
    together, and its error."""
    variance, degrees = [], 0
    for case in cases:
        if windows not in sizes(case):
            continue
        sample, errors = (values(case, windows, estimator, part) for part in ("held_out", "error"))
        if np.isfinite(errors).all():
            variance.append(sample.var(ddof=1) / (errors**2).mean())
            degrees += len(sample) - 1
    if not degrees:
        return None
    ratio = float(np.sqrt(np.mean(variance)))
    return ratio, ratio / np.sqrt(2 * degrees)


def exact_proxy(case: dict) -> float:
    """What the proxy would be with P(V|E) itself: sum P(E,h) <log P(V|E)/P(V)>_{V|h} - the same
    with V independent of E."""
    joint = torus_joint(case["coupling"], case["block"], case["buffer"], case["shape"])
    rule, block, environment = (
        rule_of(case["rule"], tuple(case["block"]), case["hard"]),
        joint.sum(axis=1),
        joint.sum(axis=0),
    )
    q = channel_table(rule.filters, rule.bias, rule.hard)
    logarithm = np.log(joint / np.multiply.outer(block, environment))
    given_h = q * block[:, None] / (block @ q)
    return float(((q.T @ joint) * (given_h.T @ logarithm)).sum() - block @ logarithm @ environment)


# ---- tables --------------------------------------------------------------------------------------


def describe(name: str, case: dict) -> str:
    """Bias and spread against the number of windows."""
    counts = sizes(case)
    heads = [f"{count:,}" for count in counts]
    rows = [["bias", *heads]] + [
        [title, *(with_error(*bias_of(case, count, title)) for count in counts)]
        for title in HEADLINES
    ]
    rows += [[""] * (len(heads) + 1), ["spread", *heads]]
    rows += [
        [title, *(with_error(*spread(values(case, count, *HEADLINES[title]))) for count in counts)]
        for title in HEADLINES
    ]
    known = (
        f"I(H:E) = {with_error(case['mutual_information'], case['mutual_information_error'])}; the"
        f" proxy of the exact P(V|E) is {exact_proxy(case):.4f}"
    )
    return "\n".join([f"{name}, by number of windows: {known}", "", *table(rows)])


def side_by_side(cases: dict[str, dict], windows: int) -> str:
    """All cases at one number of windows."""
    rows = [["bias", "exact", *SHORT]]
    chosen = {name: case for name, case in cases.items() if windows in sizes(case)}
    for name, case in chosen.items():
        exact = with_error(case["mutual_information"], case["mutual_information_error"])
        rows.append([name, exact, *(with_error(*bias_of(case, windows, title)) for title in SHORT)])
    rows += [[""] * len(rows[0]), ["spread", "", *SHORT]]
    rows += [
        [
            name,
            "",
            *(with_error(*spread(values(case, windows, *HEADLINES[title]))) for title in SHORT),
        ]
        for name, case in chosen.items()
    ]
    return "\n".join([f"All cases, {windows:,} windows", "", *table(rows)])


def honesty(cases: list[dict]) -> str:
    """Whether the errors that estimators give themselves are the spread."""
    counts = sorted({count for case in cases for count in sizes(case)})
    rows = [["", *(f"{count:,}" for count in counts)]]
    for estimator in WITH_ERRORS:
        found = [spread_over_error(cases, count, estimator) for count in counts]
        rows.append([estimator, *(with_error(*one) if one else "-" for one in found)])
    return "\n".join(
        [
            (
                "Spread over the estimator's own error, held out, all cases: 1 is right, more is"
                " overconfident"
            ),
            "",
            *table(rows),
        ]
    )


def curse(optimised: dict) -> str:
    """What is said of learned rules, less what they know."""
    rows = [
        ["learned by", "windows", "exact I(H:E)", "its curve", "bound, fitted", "bound, held out"]
    ]
    for row in optimised["rules"]:
        exact, said = (
            np.array(row["exact"]),
            (
                bias(np.array(row[part]), np.array(row["exact"]))
                for part in ("curve", "fitted", "held_out")
            ),
        )
        rows.append(
            [
                row["objective"],
                f"{row['windows']:,}",
                with_error(*bias(exact, 0.0)),
                *(with_error(*one) for one in said),
            ]
        )
    return "\n".join(
        [
            (
                "Rules learned from the same windows, 2x2, T_c: exact I(H:E), and what is said of"
                " it less that"
            ),
            "",
            *table(rows),
        ]
    )


def eight_units(paths: list[Path]) -> str:
    """Learned rules of eight units: what is lost of I(V:E), and of what the decoder's rule
    keeps."""
    rows = [["block", "objective", "I(V:E)", "I(H:E), hard", "lost"]]
    for path in paths:
        found = info(path)
        whole, kept = found["mutual_information_block"], found["mutual_information_exact_hard"]
        rows.append(
            [
                "x".join(map(str, found["block"])),
                found["objective"],
                f"{whole:.4f}",
                f"{kept:.4f}",
                f"{whole - kept:z.4f}",
            ]
        )
    return "\n".join(["Rules of eight units, 64x64, T_c, buffer 0, exact", "", *table(rows)])


def main(*words: str) -> None:
    """Print all tables."""
    paths = [Path(word) for word in words]
    cases = {path.stem: json.loads(path.read_text()) for path in paths if path.suffix == ".json"}
    optimised = cases.pop("optimised")
    scans = [describe(name, case) for name, case in cases.items() if len(sizes(case)) > 1]
    parts = [*scans, side_by_side(cases, 10_000), honesty(list(cases.values())), curse(optimised)]
    print(
        "\n\n".join(
            [
                *parts,
                *(
                    [eight_units(learned)]
                    if (learned := [path for path in paths if path.suffix == ".h5"])
                    else []
                ),
            ]
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
