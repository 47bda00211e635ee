"""Every rule on every system, and the exponents of the Ising model under the 2x2 rules.

python table.py SYSTEM.json... EXPONENT.h5...        (of measures.py and ``rsmi exponent``; beside
EXPONENT.h5 its flow)
"""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import info

from rsmi.models.ising.facts import critical_coupling
from rsmi.models.ising.theory.migdal_kadanoff import exponents as migdal_kadanoff
from rsmi.statistics.notation import table, with_error

TITLES = {
    "ising-2x2": "Ising model, 64x64, T_c, 2x2 blocks, buffer 1",
    "ising-4x4": "Ising model, 64x64, T_c, 4x4 blocks, buffer 1",
    "chain": "Ising chain, 64 spins, K = 1, blocks of 4, buffer 1",
    "dimers": "Dimers in noise, 16x16, blocks of 4x4 cells, buffer 2, two units",
    "dimers-8": "The same, eight units",
}
COSINES = ("uniform", "boundary", "spin", "staggered")
RULES = {"decoder": "mutual information", "total-correlation": "total correlation"}


def spins(system: dict) -> list[list[str]]:
    """Rows of an Ising system."""
    rows = [["", "I(H:E)", "exact", "I(V:E|H)", "TC(V:H)", "H(H)", *COSINES]]
    for name, rule in system["rules"].items():
        cosines = [f"{rule[f'cosine_{pattern}']:.3f}" for pattern in COSINES]
        rows.append(
            [
                name,
                *held_out(rule),
                f"{rule['loss']:.4f}",
                explained(rule),
                f"{rule['entropy']:.4f}",
                *cosines,
            ]
        )
        rows[-1].insert(2, with_error(rule["exact"], rule["exact_error"]))
    return rows


def dimers(system: dict) -> list[list[str]]:
    """Rows of a dimer system."""
    rows = [
        [
            "",
            "units",
            "I(H:E)",
            "control",
            "TC(V:H)",
            "H(H)",
            "R2",
            "most R2",
            "noise",
            "capture of E_x",
            "E_y",
        ]
    ]
    for name, rule in system["rules"].items():
        shape = [
            np.mean(rule["electric"]),
            max(rule["electric"]),
            np.mean(rule["noise"]),
            *rule["capture"],
        ]
        cells = [
            *held_out(rule),
            f"{rule['control']:z.4f}",
            explained(rule),
            f"{rule['entropy']:.4f}",
            *(f"{value:z.3f}" for value in shape),
        ]
        rows.append([name, str(len(rule["filters"])), *cells])
    return rows


def held_out(rule: dict) -> list[str]:
    return [with_error(rule["information"], rule["information_error"])]


def explained(rule: dict) -> str:
    return with_error(rule["total_correlation"], rule["total_correlation_error"])


def describe(path: Path) -> str:
    """The table of one system."""
    system = json.loads(path.read_text())
    known = []
    if system["whole"] is not None:
        known.append(f"I(V:E) = {with_error(system['whole'], system['whole_error'])}")
    if system["total_correlation"] is not None:
        known.append(f"TC(V) = {system['total_correlation']:.4f}")
    rows = dimers(system) if system["model"] == "dimers" else spins(system)
    return "\n".join(
        [": ".join([TITLES[path.stem], *([", ".join(known)] if known else [])]), "", *table(rows)]
    )


def flows(paths: list[Path]) -> str:
    """Exponents and effective couplings by rule, and what is known."""
    rows = []
    for path in paths:
        found, name = info(path), path.stem.removeprefix("exponent-")
        headline = [
            with_error(found["headline"][quantity]["value"], found["headline"][quantity]["error"])
            for quantity in ("y_t", "y_h")
        ]
        biased = found["effective_coupling"]
        steps = info(path.with_name(f"flow-{name}.h5"))["flows"][0]["steps"][1:]
        effective = [with_error(step["coupling_eff"], step["coupling_eff_error"]) for step in steps]
        rows.append(
            [
                RULES.get(name, name),
                *headline,
                with_error(biased["nu"], biased["nu_error"]),
                *effective,
            ]
        )
    rows = [
        [
            "",
            "y_t",
            "y_h",
            "nu",
            "K_eff step 1",
            *(f"step {step}" for step in range(2, len(effective) + 1)),
        ],
        *rows,
        *references(len(effective)),
    ]
    return "\n".join(
        [
            (
                "Exponents of the Ising model under the 2x2 rules, 64x64: y_t, y_h at step 2 with"
                " all operators, nu of one coupling"
            ),
            "",
            *table(rows),
        ]
    )


def references(steps: int) -> list[list[str]]:
    """The recursion in one line, and Onsager."""
    moved = migdal_kadanoff()
    return [
        [
            "Migdal-Kadanoff",
            f"{moved['y_t']:.4f}",
            "-",
            f"{moved['nu']:.4f}",
            *[f"{moved['K']:.4f}"] * steps,
        ],
        ["exact", "1", "1.875", "1", *[f"{critical_coupling(2):.4f}"] * steps],
    ]


def main(*words: str) -> None:
    """Print all tables."""
    paths = [Path(word) for word in words]
    print(
        "\n\n".join(
            [
                *(describe(path) for path in paths if path.suffix == ".json"),
                flows([path for path in paths if path.suffix == ".h5"]),
            ]
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
