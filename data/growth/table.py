"""What grows how: fitted powers beside those on paper, threads and shards, and what a flow of 512^3
would cost.

python table.py GROWTH.json > TABLE.txt
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

# What is on paper: the powers of time (per configuration, or of the whole command) and of memory;
# None where it is bounded.
ON_PAPER = {
    "sample metropolis 2D": ("L", 2, 2),
    "sample swendsen-wang 2D": ("L", 2, 2),
    "flow 2D": ("L", 2, 2),
    "in-flight 2D": ("L", 2, 2),
    "coarse-grain 2D": ("L", 2, 2),
    "train-lambda 2D": ("L", 2, 2),
    "sample metropolis 3D": ("L", 3, 3),
    "sample swendsen-wang 3D": ("L", 3, 3),
    "flow 3D": ("L", 3, 3),
    "in-flight 3D": ("L", 3, 3),
    "coarse-grain 3D": ("L", 3, 3),
    "chains: sample 2048": ("c", 1, None),
    "chains: in-flight 2048": ("c", 1, None),
    **{
        f"n: {command} {side}": ("n", 1, None)
        for side in (64, 16)
        for command in ("sample", "flow", "in-flight", "coarse-grain", "train-lambda")
    },
}
FROM = {
    "2D": 256,
    "3D": 64,
    "64": 10**4,
    "16": 10**5,
    "2048": 1,
}  # where the asymptotic part begins
STARTS = {
    "sample": "sample",
    "flow": "flow",
    "in-flight": "in-flight",
    "coarse-grain": "coarse-grain",
    "train-lambda": "train-lambda",
}
NODES, CORES, SIDE, TARGET = 1000, 64, 512, 0.0005
Z_LOCAL, Z_CLUSTER = (
    2.0245,
    0.46,
)  # Hasenbusch, PRE 101, 022126 (2020); Ossola & Sokal, Nucl. Phys. B 691, 259 (2004)
TAUS_THERMALIZING, TAUS_BETWEEN = 20, 0.2  # what rsmi takes where it is left to choose
EVERY = 16  # steps of a chain of which the local energies are counted in flight


# ---- powers --------------------------------------------------------------------------------------


def power(x, y) -> tuple[float, float, float]:
    """The power, its error and log of the prefactor of y = c x^p, by least squares in the
    logarithms."""
    x, y = np.log(x), np.log(y)
    centred = x - x.mean()
    slope = (centred @ y) / (centred @ centred)
    residual = y - y.mean() - slope * centred
    error = (
        math.sqrt(residual @ residual / (len(x) - 2) / (centred @ centred))
        if len(x) > 2
        else math.nan
    )
    return float(slope), error, float(y.mean() - slope * x.mean())


def command_of(series: str) -> str:
    """The command that a series is of, as in `STARTS`."""
    return series.removeprefix("n: ").removeprefix("chains: ").split()[0]


def excess(rows: list[dict], series: str, quantity: str) -> tuple[np.ndarray, np.ndarray]:
    """Where a series takes half as much again as the command that does nothing, and what it takes
    above that; of the L series seconds are those of one configuration."""
    start = next(row for row in rows if row["series"] == f"start {command_of(series)}")[quantity]
    own = [row for row in rows if row["series"] == series and row[quantity] > 1.5 * start]
    per = [
        (
            row["samples"]
            if quantity == "cpu" and ":" not in series and command_of(series) != "train-lambda"
            else 1
        )
        for row in own
    ]
    return np.array([row["x"] for row in own], float), np.array(
        [(row[quantity] - start) / n for row, n in zip(own, per)]
    )


def fitted(rows: list[dict], series: str, quantity: str) -> str:
    """The power of the asymptotic part, with its error, or a dash where there are too few
    points."""
    x, y = excess(rows, series, quantity)
    late = x >= FROM[series.split()[-1]]
    if late.sum() < 3:
        return "-"
    slope, error, _ = power(x[late], y[late])
    slope = round(slope, 2) + 0.0  # no -0.00
    return f"{slope:.2f}({100 * error:.0f})" if error < 0.995 else f"{slope:.1f}({error:.1f})"


def memory_power(rows: list[dict], series: str) -> tuple[str, str]:
    """The power of all memory and, where it is to grow with the sites, the bytes of one. What a
    thread holds of rows is much of it up to the largest lattices: there the power is that of the
    last doubling of L, which comes from below, and the bytes are those of it.
    """
    own = [row for row in rows if row["series"] == series]
    if ON_PAPER[series][2] is None:
        late = [row for row in own if row["x"] >= FROM[series.split()[-1]]]
        slope, error, _ = power([row["x"] for row in late], [row["memory"] for row in late])
        return f"{round(slope, 2) + 0.0:.2f}({100 * error:.0f})", "-"
    half, whole = own[-2:]
    return (
        f"<{math.log2(whole['memory'] / half['memory']):.1f}>",
        f"{(whole['memory'] - half['memory']) / (whole['sites'] - half['sites']):.2f}",
    )


def powers(rows: list[dict]) -> list[str]:
    """A line for every series."""
    lines = [
        "                                time                memory                 at the largest",
        (
            "                          paper   fitted   paper   fitted   bytes/site          x   "
            " CPU s     MB"
        ),
    ]
    for series, (of, time_power, paper) in ON_PAPER.items():
        own = [row for row in rows if row["series"] == series]
        if own:
            last, (slope, each) = own[-1], memory_power(rows, series)
            lines.append(
                f"  {series:24s} {of}^{time_power} {fitted(rows, series, 'cpu'):>9}"
                f" {f'{of}^{paper or 0}':>7} {slope:>8} {each:>12} {last['x']:10d}"
                f" {last['cpu']:8.2f} {last['memory'] / 2**20:6.0f}"
            )
    return lines


# ---- disk, threads, shards -----------------------------------------------------------------------


def disk(rows: list[dict]) -> list[str]:
    """File and peak on the disk of the longest runs."""
    lines = ["                                         file, MB   on paper   peak with parts, MB"]
    for series in (
        "n: sample 64",
        "n: sample 16",
        "n: coarse-grain 64",
        "n: flow 64",
        "n: in-flight 64",
    ):
        own = [row for row in rows if row["series"] == series]
        if own:
            last = own[-1]
            sites = {"n: sample": last["sites"], "n: coarse-grain": last["sites"] // 4}.get(
                series.rsplit(" ", 1)[0]
            )
            paper = f"{last['samples'] * (sites / 8 + 8) / 2**20:10.1f}" if sites else "     const"
            lines.append(
                f"  {series:20s} n = {last['x']:9d} {last['bytes'] / 2**20:12.1f} {paper}"
                f" {last['disk'] / 2**20:21.1f}"
            )
    return lines


def threads(rows: list[dict]) -> list[str]:
    """CPU and wall seconds on one thread and on two."""
    lines = [
        "                           CPU s         wall s      CPU / wall        MB",
        "                         1      2       1      2       1     2       1     2",
    ]
    for series in dict.fromkeys(
        row["series"] for row in rows if row["series"].startswith("threads")
    ):
        one, two = (row for row in rows if row["series"] == series)
        columns = " ".join(
            f"{a:6.2f} {b:6.2f}  "
            for a, b in ((one["cpu"], two["cpu"]), (one["wall"], two["wall"]))
        )
        columns += (
            f"{one['cpu'] / one['wall']:5.2f} {two['cpu'] / two['wall']:5.2f} "
            f" {one['memory'] / 2**20:6.0f}{two['memory'] / 2**20:6.0f}"
        )
        lines.append(f"  {series:20s} {columns}")
    return lines


def shards(rows: list[dict]) -> list[str]:
    """CPU seconds of all shards and of merge, against the whole; a start is the interpreter's."""
    lines = [
        "                         whole    N   shards   merge     all / whole   less starts  "
        " largest MB"
    ]
    for series in dict.fromkeys(
        row["series"] for row in rows if row["series"].startswith("shards")
    ):
        own = [row for row in rows if row["series"] == series]
        start = next(row for row in rows if row["series"] == f"start {series.split()[-1]}")["cpu"]
        whole = next(row for row in own if row["part"] == "whole")["cpu"]
        for count in sorted({row["x"] for row in own} - {0}):
            parts = [row for row in own if row["x"] == count]
            made, merged = (
                sum(row["cpu"] for row in parts if row["part"] == part)
                for part in ("shard", "merge")
            )
            ratio, net = (
                (made + merged) / whole,
                (made + merged - (count + 1) * start) / (whole - start),
            )
            lines.append(
                f"  {series:20s} {whole:7.2f} {count:4d} {made:8.2f} {merged:7.2f} {ratio:15.2f}"
                f" {net:13.2f} {max(row['memory'] for row in parts) / 2**20:12.0f}"
            )
    return lines


# ---- a flow of 512^3 -----------------------------------------------------------------------------


def row_of(rows: list[dict], series: str, x: int) -> dict:
    """The row of a series, with ``net``: CPU seconds above the start, of one configuration."""
    row = next(row for row in rows if (row["series"], row["x"]) == (series, x))
    start = next(other for other in rows if other["series"] == f"start {command_of(series)}")
    return row | {
        "net": (row["cpu"] - start["cpu"]) / row["samples"],
        "grown": row["memory"] - start["memory"],
    }


def estimate(rows: list[dict]) -> dict:
    """All numbers of the estimate: seconds of one core, bytes, autocorrelation times in sweeps."""
    sites = SIDE**3
    local, cluster, stored, flight = (
        row_of(rows, f"{name} 3D", SIDE)
        for name in ("sample metropolis", "sample swendsen-wang", "flow", "in-flight")
    )
    found = {
        "local": local["net"] / local["interval"],
        "cluster": cluster["net"] / cluster["interval"],
    }
    share = (
        math.ceil(flight["samples"] / EVERY) / flight["samples"]
    )  # of the configurations whose local energies were counted
    operators = flight["net"] - found["local"]
    energies = max(0.0, stored["net"] - operators) / (1 - share)
    found["measuring"] = operators - share * energies + energies / EVERY
    small = [row for row in rows if row["series"] == "statistics 3D"]
    found["taus_cluster"] = {row["x"]: row["tau"][0] * 1.0 for row in small}
    found["taus_local"] = {
        row["x"]: row["tau"] for row in rows if row["series"] == "tau metropolis"
    }
    for name, z in (("local", Z_LOCAL), ("cluster", Z_CLUSTER)):
        taus = found[f"taus_{name}"]
        found[f"z_{name}"] = power(list(taus), list(taus.values()))[:2]
        found[f"tau_{name}"] = taus[max(taus)] * (SIDE / max(taus)) ** z
        found[f"independent_{name}"] = 2 * found[f"tau_{name}"] * found[name]
    best = min(("local", "cluster"), key=lambda name: found[f"independent_{name}"])
    tau, sweep = found[f"tau_{best}"], found[best]
    interval = math.ceil(TAUS_BETWEEN * tau)
    found |= {
        "best": best,
        "interval": interval,
        "thermalizing": TAUS_THERMALIZING * tau * sweep,
        "sample": interval * sweep + found["measuring"],
    }
    found["memory"] = (flight if best == "local" else cluster)["grown"]
    found["state"] = sites if best == "cluster" else sites // 8
    # an error of independent samples, from each small run: error * sqrt(samples / 2 tau); only
    # steps whose lattice is not too small
    found["unit"] = {
        name: {
            row["x"]: (
                row["errors"][name][1] * math.sqrt(row["samples"] / max(1.0, 2 * row["tau"][0]))
            )
            for row in small
        }
        for name in ("y_t", "y_h")
    }
    effective = 2 * tau / interval  # samples that are one independent
    unit = {name: max(values.values()) for name, values in found["unit"].items()}
    found["needed"] = math.ceil(effective * (unit["y_t"] / TARGET) ** 2)
    found["hours"] = (
        NODES * CORES * found["thermalizing"] + found["needed"] * found["sample"]
    ) / 3600
    found["per_hour"] = NODES * CORES * 3600 / found["sample"]
    found["error_after_an_hour"] = {
        name: (
            value
            * math.sqrt(
                effective
                / (NODES * CORES * max(1.0, (3600 - found["thermalizing"]) / found["sample"]))
            )
        )
        for name, value in unit.items()
    }
    return found


def told(found: dict) -> list[str]:
    """The estimate, line by line."""
    sites = SIDE**3
    nanoseconds = {name: found[name] / sites * 1e9 for name in ("local", "cluster", "measuring")}
    taus = {
        name: ", ".join(f"{tau:.3g} (L = {side})" for side, tau in found[f"taus_{name}"].items())
        for name in ("local", "cluster")
    }
    name = {"local": "Metropolis", "cluster": "Swendsen-Wang"}[found["best"]]
    wall = found["hours"] / (NODES * CORES)
    units = {
        what: ", ".join(f"{value:.2g} (L = {side})" for side, value in values.items())
        for what, values in found["unit"].items()
    }
    return [
        (
            f"  a sweep, Metropolis, strip       {nanoseconds['local']:8.3f} ns/spin   "
            f" {found['local']:8.3f} s"
        ),
        (
            f"  a sweep, Swendsen-Wang           {nanoseconds['cluster']:8.3f} ns/spin   "
            f" {found['cluster']:8.3f} s"
        ),
        (
            f"  measuring, all steps             {nanoseconds['measuring']:8.3f} ns/spin   "
            f" {found['measuring']:8.3f} s"
        ),
        (
            f"  tau_int, Metropolis              {taus['local']}: z ="
            f" {found['z_local'][0]:.2f}({100 * found['z_local'][1]:.0f}); with z = {Z_LOCAL}:"
            f" {found['tau_local']:.3g} sweeps"
        ),
        (
            f"  tau_int, Swendsen-Wang           {taus['cluster']}: z ="
            f" {found['z_cluster'][0]:.2f}({100 * found['z_cluster'][1]:.0f}); with z ="
            f" {Z_CLUSTER}: {found['tau_cluster']:.3g} sweeps"
        ),
        (
            f"  an independent configuration     Metropolis {found['independent_local']:.3g} core"
            f" s, Swendsen-Wang {found['independent_cluster']:.3g} core s: take {name}"
        ),
        (
            f"  memory of a stream               {found['memory'] / 2**20:.0f} MB above the start,"
            f" {CORES * found['memory'] / 2**30:.0f} GB a node of {CORES}; its checkpoint"
            f" {found['state'] / 2**20:.0f} MB"
        ),
        (
            f"  thermalization, {TAUS_THERMALIZING} tau_int       {found['thermalizing'] / 60:.1f}"
            " minutes of every core"
        ),
        (
            f"  a configuration measured         {found['interval']} sweeps and measuring,"
            f" {found['sample']:.3g} core s: {100 * found['measuring'] / found['sample']:.1f} % of"
            f" it measuring; {found['per_hour']:.3g} an hour on {NODES} nodes of {CORES} cores"
        ),
        f"  error of an independent one      y_t, step 2: {units['y_t']}; y_h: {units['y_h']}",
        (
            f"  after one hour                   y_t to {found['error_after_an_hour']['y_t']:.2g},"
            f" y_h to {found['error_after_an_hour']['y_h']:.2g} (step 2, statistical)"
        ),
        (
            f"  y_t to {TARGET:g}                 {found['needed']:.3g} configurations:"
            f" {found['hours']:.3g} core hours, {60 * wall:.0f} minutes of {NODES} nodes;"
            " thermalization is"
            f" {100 * NODES * CORES * found['thermalizing'] / 3600 / found['hours']:.0f} % of it"
        ),
    ]


def main(name: str) -> None:
    """Print all tables."""
    rows = json.loads(Path(name).read_text())
    for title, lines in (
        ("Powers of L and of the number n of configurations", powers(rows)),
        ("Disk", disk(rows)),
        ("Threads", threads(rows)),
        ("Shards", shards(rows)),
        (f"A flow of {SIDE}^3 at T_c", told(estimate(rows))),
    ):
        print(title, "", *lines, "", sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
