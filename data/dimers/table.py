"""The filters of Fig. 4: measures of the learned ones over several seeds, and what named filters
know.

    python table.py SAMPLES.h5 LAMBDA.h5...        (any numbers of hidden units, any seeds)

Errors are standard errors over the seeds. Named filters are measured on SAMPLES.h5.
"""

import math
import sys
from collections import defaultdict
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import info
from readouts import information

from rsmi.information.canonical import canonical_correlations
from rsmi.models.dimers.filters import electric_templates, embed_links, window_moments
from rsmi.models.dimers.kasteleyn import link_covariance
from rsmi.samples.files import open_file
from rsmi.samples.windows import WindowSet, stored_geometry
from rsmi.statistics.notation import table, with_error

COMPONENTS = 4


def over_seeds(values: list[float]) -> str:
    """Mean and its standard error."""
    return (
        with_error(float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values)))
        if len(values) > 1
        else f"{values[0]:.4f}"
    )


def units(name: str):
    """A measure of every unit, averaged over the units of a rule."""
    return lambda found: float(np.mean([unit[name] for unit in found["dimers"]["units"]]))


def angle(found: dict) -> float | None:
    """Between the only two filters, by the exact covariance, folded to at most 90 degrees."""
    if len(found["filters"]) != 2:
        return None
    degrees = found["dimers"]["exact"]["angles"][0][1]
    return min(degrees, 180 - degrees)


MEASURES = {
    "R2, mean of the units": units("R2"),
    "R2, least of the units": lambda found: min(unit["R2"] for unit in found["dimers"]["units"]),
    "R2 by covariance": units("R2_covariance"),
    "weight on noise": units("noise"),
    "weight on noise, most": lambda found: max(unit["noise"] for unit in found["dimers"]["units"]),
    "angle of the two, degrees": angle,
    "capture of E_x, E_y: the lesser": lambda found: min(found["dimers"]["capture"]),
    "rho with E, exact": units("correlation"),
    "if Gaussian, all units, nats": lambda found: found["dimers"]["exact"]["information_together"],
    "I(H:E), nats": lambda found: found["mutual_information_soft"],
    "I(H:E) of the hard rule": lambda found: found["mutual_information_hard"],
    "control: shuffled E": lambda found: found["mutual_information_shuffled_soft"],
}


def learned(paths: list[str]) -> None:
    """Measures by the number of hidden units."""
    rules = defaultdict(list)
    for path in paths:
        found = info(path)
        rules[len(found["filters"])].append(found)
    seeds = ", ".join(f"{len(found)} seeds" for found in rules.values())
    print(
        f"Learned filters, {found['objective']} objective, block 4x4, buffer 2, environment 1"
        f" ({seeds})\n"
    )
    rows = [["", *(f"{hidden} unit{'s' * (hidden > 1)}" for hidden in rules)]]
    for name, measure in MEASURES.items():
        columns = [[measure(found) for found in group] for group in rules.values()]
        rows.append([name, *("-" if None in column else over_seeds(column) for column in columns)])
    print("\n".join(table(rows)))


def named(samples: str, rule: str) -> None:
    """What filters that are written down know, as hard rules."""
    with open_file(samples, "samples") as source, open_file(rule, "lambda") as file:
        windows = WindowSet(source, stored_geometry(file.attributes), file.attributes["windows"], 1)
        windows.check()
        moments = window_moments(
            link_covariance(source.attributes["shape"]),
            windows.geometry,
            COMPONENTS,
            2 * source.attributes["noise_probability"] - 1,
        )
        optimum = canonical_correlations(*moments)
        along = embed_links(electric_templates(windows.geometry.block), COMPONENTS)
        turns = np.radians([0, 45, 90, 135])
        choices = {
            "E_x": along[:1],
            "E_x, E_y": along,
            "E at 0, 45, 90, 135 degrees": np.column_stack([np.cos(turns), np.sin(turns)]) @ along,
            "first canonical mode": optimum.block_modes[:1],
            "first two": optimum.block_modes[:2],
            "first four": optimum.block_modes[:4],
        }
        print("\nNamed filters as hard rules: I(H:E) in nats, held out\n")
        print(
            "\n".join(
                table(
                    [
                        ["", "I(H:E)"],
                        *(
                            [name, with_error(*information(windows, filters)[:2])]
                            for name, filters in choices.items()
                        ),
                    ]
                )
            )
        )
        print(
            "\nCanonical correlations of V and E, exact:"
            f" {'  '.join(f'{rho:.4f}' for rho in optimum.correlations[:6])}"
        )


if __name__ == "__main__":
    learned(sys.argv[2:])
    named(sys.argv[1], sys.argv[2])
