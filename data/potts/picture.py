"""I(H:E) against the number of values of the coarse variable, on 6x6 sites with three colours.

    python picture.py FIGURE.png bit.h5 tied.h5 bits.h5 vacancy.h5

Every rule is made hard. The ceilings are the best of all functions with as many values, and what
the whole block knows; all numbers are exact.
"""

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))
from common import exact_information, rsmi, save
from matplotlib.figure import Figure

SYSTEM = ("exact", "--model", "potts", "--states", 3, "--size", 6, "--temperature", "Tc")
TITLES = {"bit": "one bit", "bits": "two bits", "tied": "a colour", "vacancy": "colour or vacancy"}
VALUES = {"bit": 2, "tied": 3, "bits": 4, "vacancy": 4}
NAMED = ("plurality", "decimation")  # of three values
BEST = (2, 3, 4)


def best(values: int) -> float:
    """The most that a function of the block with so many values knows, in nats."""
    answer = rsmi(*SYSTEM, "--best", "--hidden-states", values)
    return exact_information(answer["best"])[0]


def measured(rule: str) -> tuple[float, float]:
    """I(H:E) of a rule and I(V:E), in nats."""
    answer = rsmi(*SYSTEM, "--rule", rule, "--hard")
    own = answer["rules"][0] if "rules" in answer else answer
    return exact_information(own)[0], answer["mutual_information_block"]


def draw(rules: dict[str, float], named: dict[str, float], ceilings: list[float], whole: float):
    """The figure."""
    figure = Figure(figsize=(5, 3.6), layout="constrained")
    axes: Any = figure.subplots()
    axes.axhline(whole, color="0.5", linestyle="--", label="I(V:E), the whole block")
    ends = [[values + side for values in BEST] for side in (-0.18, 0.18)]
    axes.hlines(ceilings, *ends, color="black", label="best of all functions")
    for marker, (name, value) in zip("os^D", rules.items()):
        axes.plot(VALUES[name], value, marker, label=f"learned: {TITLES[name]}")
    for name, value in named.items():
        axes.plot(3, value, "x", color="black", zorder=3)
        axes.text(3.22, value, name, va="center")
    axes.set(xlabel="values of the coarse variable", ylabel="I(H:E) (nats)", xticks=BEST)
    axes.set(xlim=(1.6, 4.5), ylim=(0.4, 0.95))
    axes.legend(loc="lower right", fontsize="small")
    return figure


def main(output: str, *paths: str) -> None:
    found = {Path(path).stem: measured(path) for path in paths}
    whole = next(iter(found.values()))[1]
    rules = {name: value for name, (value, _) in found.items()}
    named = {name: measured(name)[0] for name in NAMED}
    ceilings = [best(values) for values in BEST]
    save(lambda: draw(rules, named, ceilings, whole), output)


if __name__ == "__main__":
    main(*sys.argv[1:])
