"""The rules that are learned anew at every level of the flow, and the information that every step
keeps.

python levels.py FIGURE.png        (reads rule-N.h5 and block-N.h5, N = 0, 1, ...; RSMI in the
environment may name the rsmi command)
"""

import sys
from itertools import count, takewhile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import info, save


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Of the angle between two filters."""
    return float(abs(np.vdot(a, b)) / np.linalg.norm(a) / np.linalg.norm(b))


def level(number: int) -> dict:
    """Filter and information of one level; the error of the share takes the two estimates as
    independent (an upper bound: they share their held-out configurations)."""
    rule, block = info(f"rule-{number}.h5"), info(f"block-{number}.h5")
    kept, kept_error = rule["mutual_information_hard"], rule["mutual_information_hard_error"]
    known, known_error = block["mutual_information_hard"], block["mutual_information_hard_error"]
    share = kept / known
    return {
        "step": number,
        "size": info(f"rule-{number}.h5", "--tree")["attributes"]["shape"][0],
        "filter": np.array(rule["filters"][0]),
        "kept": (kept, kept_error),
        "known": (known, known_error),
        "share": (share, share * np.hypot(kept_error / kept, known_error / known)),
        "exact": (rule.get("mutual_information_exact_hard"), rule.get("mutual_information_block")),
    }


def report(levels: list[dict]) -> None:
    """The table."""
    print(
        "Two-dimensional Ising model at T_c, a rule learned anew at every level; nats, held-out"
        " bounds of hard rules\n"
    )
    print(
        "step    L   filter / largest weight, rows       cosine to uniform   to the first      "
        " I(H:E)       I(V:E)       I(H:E)/I(V:E)"
    )
    for entry in levels:
        weights = entry["filter"]
        rows = " ".join(
            "[" + " ".join(f"{w:5.2f}" for w in row) + "]"
            for row in weights / np.abs(weights).max()
        )
        numbers = "   ".join(
            f"{entry[name][0]:.4f}({round(1e4 * entry[name][1]):d})"
            for name in ("kept", "known", "share")
        )
        print(
            f"{entry['step']:4d} {entry['size']:4d}   {rows:34}"
            f" {cosine(weights, np.ones_like(weights)):11.4f}"
            f" {cosine(weights, levels[0]['filter']):18.4f}        {numbers}"
        )
    kept, known = levels[0]["exact"]
    if kept is not None:
        print(
            f"\nexact at step 0: I(H:E) = {kept:.4f}, I(V:E) = {known:.4f}, share"
            f" {kept / known:.4f}"
        )


def draw(levels: list[dict]):
    """Filters above, share of the information below."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.8 * len(levels), 4.6), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.4))
    for entry, axes in zip(levels, above.subplots(1, len(levels))):
        weights = entry["filter"] / np.abs(entry["filter"]).max()
        axes.imshow(weights, cmap="RdBu_r", vmin=-1, vmax=1)
        for (y, x), weight in np.ndenumerate(weights):
            axes.text(x, y, f"{weight:.2f}", ha="center", va="center", color="white", fontsize=8)
        axes.set(xticks=[], yticks=[], title=f"step {entry['step']}, L = {entry['size']}")
    axes = below.subplots()
    steps = [entry["step"] for entry in levels]
    for name, label, marker in (
        ("known", "$I(V:E)$", "s"),
        ("kept", "$I(H:E)$", "o"),
        ("share", "$I(H:E)/I(V:E)$", "^"),
    ):
        values, errors = zip(*(entry[name] for entry in levels))
        axes.errorbar(steps, values, errors, marker=marker, label=label)
    axes.set(xlabel="coarse-graining step $n$", ylabel="nats; ratio", xticks=steps, ylim=(0, 1))
    axes.legend()
    return figure


def main() -> None:
    """Print the table and draw the figure."""
    levels = [
        level(number) for number in takewhile(lambda n: Path(f"rule-{n}.h5").exists(), count())
    ]
    report(levels)
    save(lambda: draw(levels), sys.argv[1])


if __name__ == "__main__":
    main()
