"""How often which objective finds the electric field: measures of the filters of several seeds.

python seeds.py LAMBDA.h5...        (of dimers, one number of units)
"""

import sys
from collections import defaultdict
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import info

from rsmi.statistics.notation import table

TITLES = {"decoder": "mutual information", "total-correlation": "total correlation"}
FIELD = 0.85  # least R2 of a unit that is the field


def units(name: str):
    """The mean over the units of a rule."""
    return lambda found: float(np.mean([unit[name] or 0.0 for unit in found["dimers"]["units"]]))


MEASURES = {
    "R2": units("R2"),
    "noise": units("noise"),
    "I(H:E), hard": lambda found: found["mutual_information_hard"],
    "TC(V:H), soft": lambda found: found["total_correlation_soft"],
}


def main(*paths: str) -> None:
    """One row an objective: mean (least to most) over its seeds."""
    found = defaultdict(list)
    for path in paths:
        rule = info(path)
        found[rule["objective"]].append(rule)
    rows = [["", "units at the field", *MEASURES]]
    for objective, rules in found.items():
        fields = [
            (unit["R2"] or 0.0) >= FIELD for rule in rules for unit in rule["dimers"]["units"]
        ]
        values = ([measure(rule) for rule in rules] for measure in MEASURES.values())
        rows.append(
            [
                TITLES.get(objective, objective),
                f"{sum(fields)} of {len(fields)}",
                *(f"{np.mean(row):z.3f} ({min(row):z.3f} to {max(row):z.3f})" for row in values),
            ]
        )
    print(
        f"Dimers in noise, two units: units with R2 >= {FIELD}, and the mean (least to most) of the"
        " seeds\n"
    )
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main(*sys.argv[1:])
