"""Two thermometers on one flow: the effective coupling of coarse-grained 128x128 configurations,
from their energy and from what their blocks know of their environments.

    python flows.py information SAMPLES.h5 RULE.h5 > INFORMATION.json
    python flows.py table FLOW.h5 INFORMATION.json...
    python flows.py figure FLOW.h5 INFORMATION.json... FIGURE.png

The first command measures I(H:E) of the hard rule on these samples, the second prints the table.

FLOW.h5 is of `rsmi flow`; the information of direct samples calibrates one thermometer for every
lattice size, that of coarse-grained ones is read off it.
"""

import json
import math
import sys
from itertools import groupby
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import held_out_bound, info, save, stream_key

from rsmi.errors import UsageError
from rsmi.lattice.geometry import Geometry
from rsmi.models.ising.facts import critical_coupling
from rsmi.renormalization.information_thermometer import (
    INTERVAL,
    InformationThermometer,
    information_thermometer,
)
from rsmi.samples.files import open_file
from rsmi.samples.windows import WindowSet
from rsmi.statistics.notation import table, with_error

WINDOWS = 400_000  # a fifth held out: an error of about .0015 nats, .1 % of K_c
K_C = critical_coupling(2)


def information(samples: str, rule: str) -> dict:
    """Held-out bound of I(H:E), in nats, of a rule made hard, with the samples it was measured
    on."""
    with open_file(samples, "samples") as source, open_file(rule, "lambda") as learned:
        a = learned.attributes
        windows = WindowSet(source, Geometry(a["block"], a["buffer"], a["environment"]), WINDOWS, 0)
        windows.check()
        filters, bias = learned.read("/filters"), learned.read("/bias")
        key = stream_key(0, "thermometer", {"digest": source.digest}, 0)
        bound = held_out_bound(windows, filters, bias, key)
        names = ("coupling", "rg_step")
        return {
            "size": source.attributes["shape"][0],
            **{name: source.attributes[name] for name in names},
            "information": bound.value,
            "error": bound.error,
        }


# ---- readings ------------------------------------------------------------------------------------


def calibrated(rows: list[dict]) -> dict[int, InformationThermometer]:
    """A thermometer for every lattice size, from the direct samples within the calibrated
    interval."""
    direct = sorted(
        (row for row in rows if row["rg_step"] == 0 and within(row["coupling"] / K_C)),
        key=lambda row: row["size"],
    )
    return {
        size: information_thermometer(
            *(
                np.array([row[name] for row in group])
                for name in ("coupling", "information", "error")
            )
        )
        for size, group in (
            (size, list(group)) for size, group in groupby(direct, key=lambda row: row["size"])
        )
    }


def within(ratio: float) -> bool:
    """Whether K/K_c is where the information is a line."""
    return INTERVAL[0] - 1e-3 <= ratio <= INTERVAL[1] + 1e-3


def flows(
    path: str, rows: list[dict], thermometers: dict[int, InformationThermometer]
) -> list[dict]:
    """Hottest first: {coupling, correlator: [(K/K_c, error, reason) by step], information: the
    same}."""
    found = []
    for entry in info(path)["flows"]:
        by_energy = [
            (row["coupling_eff"], row["coupling_eff_error"], "undefined") for row in entry["steps"]
        ]
        by_information = [
            reading(rows, thermometers, entry["coupling"], row["step"], row["size"])
            for row in entry["steps"]
        ]
        found.append(
            {
                "coupling": entry["coupling"],
                "correlator": [relative(*one) for one in by_energy],
                "information": [relative(*one) for one in by_information],
            }
        )
    return found


def reading(rows, thermometers, coupling: float, step: int, size: int) -> tuple:
    """What the thermometer of a size reads on the configurations of a step."""
    chosen = [
        row
        for row in rows
        if row["rg_step"] == step
        and row["size"] == size
        and abs(row["coupling"] / coupling - 1) < 1e-9
    ]
    if not chosen:
        return None, None, "not measured"
    found = thermometers[size].read(chosen[0]["information"], chosen[0]["error"])
    side = (
        ""
        if found["value"]
        else (
            ">"
            if chosen[0]["information"] > thermometers[size].fit(thermometers[size].high)
            else "<"
        )
    )
    return found["value"], found["error"], side


def relative(value, error, reason) -> tuple:
    return (None, None, reason) if value is None else (value / K_C, (error or 0.0) / K_C, None)


# ---- what is shown -------------------------------------------------------------------------------


def text(found: list[dict], thermometers: dict[int, InformationThermometer]) -> str:
    """Both flows as a table, and how good the lines are."""
    steps = range(len(found[0]["correlator"]))
    sizes = sorted(thermometers, reverse=True)
    head = [
        ["T/T_c", "", *(f"step {step}" for step in steps)],
        ["", "", *(f"L = {size}" for size in sizes)],
    ]
    body = [
        [
            f"{K_C / one['coupling']:.4f}" if name == "correlator" else "",
            name,
            *(cell(*row) for row in one[name]),
        ]
        for one in found
        for name in ("correlator", "information")
    ]
    lines = [
        [
            f"{size}",
            f"{one.fit(K_C):.4f}",
            with_error(K_C * one.fit.coefficients[1], K_C * one.fit.errors[1]),
            f"{one.chi2:.1f} / {one.fit.degrees_of_freedom}",
            f"{one.scatter:.4f}",
        ]
        for size, one in ((size, thermometers[size]) for size in sizes)
    ]
    return "\n".join(
        [
            (
                "Effective coupling K_n/K_c along the flow of 128x128 configurations, by the energy"
                " (correlator) and by I(H:E)"
            ),
            f"(< and >: beyond the calibrated interval, K/K_c from {INTERVAL[0]} to {INTERVAL[1]})",
            "",
            *table(head + body),
            "",
            (
                "The information of direct samples as a line in K/K_c; how far it is from one is in"
                " the errors above"
            ),
            "",
            *table(
                [
                    ["L", "I at K_c (nats)", "dI/d(K/K_c)", "chi^2 / d.o.f.", "scatter (nats)"],
                    *lines,
                ]
            ),
        ]
    )


def cell(value, error, reason) -> str:
    """A reading, or on which side of the interval it is."""
    if value is not None:
        return with_error(value, error)
    return {"<": f"< {INTERVAL[0]}", ">": f"> {INTERVAL[1]}"}.get(reason, "-")


def temperature_colour(ratio: float):
    """The colour of T/T_c: black at T_c, blue below and red above, darker the farther away."""
    from matplotlib import colormaps

    distance = math.log(ratio)
    if abs(distance) < 1e-3:
        return "black"
    return colormaps["RdBu"](0.5 + math.copysign(0.22 + min(0.28, 4 * abs(distance)), -distance))


def draw(found: list[dict], sizes: list[int]):
    """Both flows side by side; arrows leave the calibrated interval."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 3.8), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, name, title in zip(
        panels, ("correlator", "information"), ("from the energy", "from $I(H:E)$")
    ):
        axes.axhline(1, color="0.45", linewidth=0.8, linestyle="--", zorder=1)
        axes.axhspan(*INTERVAL, color="0.93", linewidth=0, zorder=0)
        for one in found:
            ratio = K_C / one["coupling"]
            line(axes, one[name], temperature_colour(ratio), f"{ratio:.4g}")
        axes.set(
            title=title,
            xlabel="coarse-graining step $n$",
            xticks=range(len(sizes)),
            ylim=(0.86, 1.14),
        )
        top = axes.secondary_xaxis("top")
        top.set_xticks(
            range(len(sizes)),
            [f"$L$ = {size}" if step == 0 else str(size) for step, size in enumerate(sizes)],
            fontsize=8,
        )
        top.tick_params(length=0)
        top.spines[:].set_visible(False)
    panels[0].set(ylabel="effective coupling $K_n / K_c$")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, title="$T/T_c$", loc="outside right center")
    return figure


def line(axes, readings: list[tuple], colour, label: str) -> None:
    """One temperature; the first reading beyond the interval is an arrow out of it."""
    known = [
        (step, value, error) for step, (value, error, _) in enumerate(readings) if value is not None
    ]
    if known:
        axes.errorbar(
            *zip(*known),
            color=colour,
            marker="o",
            label=label,
            zorder=3,
        )
    for step, (_value, _, reason) in enumerate(readings):
        if reason in ("<", ">"):
            edge, sign = (INTERVAL[0], -1) if reason == "<" else (INTERVAL[1], 1)
            axes.annotate(
                "",
                (step, edge + 0.02 * sign),
                (step, edge),
                arrowprops={"arrowstyle": "->", "color": colour},
            )
            break


def main() -> None:
    """One of the three uses above."""
    use, *words = sys.argv[1:]
    if use == "information":
        print(json.dumps(information(*words)))
        return
    rows = [json.loads(Path(word).read_text()) for word in words if word.endswith(".json")]
    try:
        thermometers = calibrated(rows)
    except UsageError as error:
        sys.exit(f"flows.py: {error}")
    found = flows(words[0], rows, thermometers)
    if use == "table":
        print(text(found, thermometers))
    else:
        save(lambda: draw(found, sorted(thermometers, reverse=True)), words[-1])


if __name__ == "__main__":
    main()
