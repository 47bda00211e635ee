"""Two bits of a block, iterated: does the coarse lattice stay a field?

usage: levels.py [SAMPLES], 40000 by default

Arrows of the six-vertex model, dimers, and ground states of the triangular antiferromagnet are
coarse-grained by hard rules of two units, which are learned anew at every level. For each level the
table has

- the part of the variance of each unit that is linear in the two sums of the coarse field over the
  block (before the first step: of the arrows, of the staggered dimers, of the order at K),
- I(H:E) of the hard rule with a buffer of 2, and what a level keeps of it,
- the stiffness K of the heights that the coarse lattice shows, beside that of the microscopic one.

Makes levels-NAME-N.h5 and rule-NAME-N.h5 in this folder, prints the table and draws levels.png.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import matplotlib

matplotlib.use("Agg")

import numpy as np
from common import info, made
from matplotlib import pyplot

import rsmi
from rsmi.samples.views import BLOCK_COVARIANCE, open_rule, open_samples
from rsmi.statistics.jackknife import jackknife

LEVELS = 3  # rules, and steps of coarse-graining
SEED = 1
ROWS = 2000  # configurations unpacked at once
BLOCKS = 64  # of the jackknife


class System(NamedTuple):
    """A system that is coarse-grained.

    ``pattern`` makes the field of the variables at (x, y): ``uniform``, ``staggered`` with the
    signs (-1)^(x + y), or ``three``, the two phases of three sublattices. ``block`` is the side of
    the block.
    """

    name: str
    title: str
    options: str
    pattern: str = "uniform"
    block: int = 2

    def file(self, level: int) -> Path:
        return Path(f"levels-{self.name}-{level}.h5")

    def rule(self, level: int) -> Path:
        return Path(f"rule-{self.name}-{level}.h5")


SYSTEMS = (
    System("ice", "square ice, c = 1", "--model six-vertex --ice --size 64"),
    System("1.41", "c = 1.4142", "--model six-vertex --weight 1.4142136 --size 64"),
    System("1.7", "c = 1.7", "--model six-vertex --weight 1.7 --size 64"),
    System("4x4", "c = 1.7, 4x4 blocks", "--model six-vertex --weight 1.7 --size 64", block=4),
    System("dimers", "dimers", "--model dimers --size 64", "staggered"),
    System(
        "triangular",
        "triangular ground states",
        "--model triangular-ground-states --size 54",
        "three",
        block=3,
    ),
)


# ---- shares --------------------------------------------------------------------------------------


def weights(pattern: str, side: int) -> np.ndarray:
    """The weights of the sites of a square whose sums are the field, (fields, side^2) for every
    component; two for one component with three sublattices."""
    place = np.add.outer(np.arange(side), np.arange(side)).ravel()
    if pattern == "three":
        phase = 2 * math.pi * place / 3
        return np.stack([np.cos(phase), np.sin(phase)])
    return (-1.0) ** place[None] if pattern == "staggered" else np.ones((1, side * side))


def shares(system: System, level: int) -> list[float]:
    """The part of the variance of each unit that is linear in the sums of the field."""
    with open_rule(system.rule(level)) as rule:
        filters, covariance = rule.filters, rule.file.read(BLOCK_COVARIANCE)
        own = weights(system.pattern if level == 0 else "uniform", system.block)
        sums = np.kron(np.eye(rule.components), own)
    with_variables = sums @ covariance
    with_units = with_variables @ filters.T
    explained = with_units * np.linalg.solve(with_variables @ sums.T, with_units)
    return list(explained.sum(axis=0) / np.einsum("hi,ij,hj->h", filters, covariance, filters))


# ---- stiffness -----------------------------------------------------------------------------------


def modes(system: System, level: int) -> np.ndarray:
    """The Fourier modes of the components along x and y, complex (n, 3, 2): at q = 0 and at the
    smallest q along x and along y, per site of the lattice."""
    spins = rsmi.Samples.of_file(system.file(level)).spins
    side = spins.shape[-1]
    wave = np.exp(-2j * math.pi * np.arange(side) / side)
    signs = weights(system.pattern if level == 0 else "uniform", side).reshape(side, side)
    plane = np.stack([signs, signs * wave[:, None], signs * wave]).reshape(3, -1)
    flat = spins.reshape(len(spins), 2, -1)
    return np.concatenate(
        [
            np.einsum("nas,ws->nwa", flat[first : first + ROWS].astype(np.float32), plane)
            for first in range(0, len(flat), ROWS)
        ]
    ) / (side * side)


def products(own: np.ndarray, fine: np.ndarray, chains: int) -> dict[str, np.ndarray]:
    """Products of modes, summed over each of the `BLOCKS` of the jackknife, which have whole
    chains."""
    block = np.arange(len(own)) % chains * BLOCKS // chains
    flux, fine_flux = own[:, 0].real, fine[:, 0].real
    series = {
        "with_flux": np.einsum("na,nb->nab", flux, fine_flux),
        "flux": np.einsum("na,nb->nab", fine_flux, fine_flux),
        "waves": np.einsum("nwa,nwb->nwab", own[:, 1:], own[:, 1:].conj()).real,
    }
    count = np.bincount(block, minlength=BLOCKS).astype(float)
    sums = {
        name: np.stack([values[block == b].sum(axis=0) for b in range(BLOCKS)])
        for name, values in series.items()
    }
    return sums | {"count": count}


def stiffness(sums: dict[str, Any], side: int, sites: int, scale: int) -> float:
    """K of the heights from the waves of a lattice whose components are X = A E + noise.

    A is the regression of the sums of X on the flux. A field E without sources has waves across q
    only, 1/K for each component, so that the covariances of X at q along y and along x differ by
    A diag(1, -1) A^T / K, whatever the noise is. Blocks of ``scale`` sites average over the wave,
    which is divided out.
    """
    amplitude = sums["with_flux"] @ np.linalg.inv(sums["flux"])
    inverse = np.linalg.inv(amplitude)
    along_x, along_y = (inverse @ wave @ inverse.T for wave in sums["waves"] / sums["count"])
    difference = along_y - along_x
    per_site = sites * (difference[0, 0] - difference[1, 1]) / 2
    q = math.pi / side
    average = math.sin(scale * q) / (scale * math.sin(q))
    return average**2 / per_site


# ---- the table -----------------------------------------------------------------------------------


def level_row(system: System, level: int, fine: np.ndarray | None, before: float | None) -> dict:
    """The numbers of one level."""
    numbers = info(system.rule(level))
    own = numbers["mutual_information_hard"], numbers["mutual_information_hard_error"]
    row: dict[str, Any] = {
        "level": level,
        "shares": shares(system, level),
        "information": own,
        "kept": None if before is None else own[0] / before,
        "stiffness": None,
    }
    if fine is not None:
        with open_samples(system.file(0)) as samples:
            side, chains = samples.shape[0], samples.chains
        sums = products(modes(system, level), fine, chains)
        found = jackknife(
            lambda total: np.array([stiffness(total, side, side * side, system.block**level)]), sums
        )
        row["stiffness"] = float(found.value[0]), float(found.error[0])
    return row


def make(system: System, samples: int) -> None:
    """Make the samples, and the rule and the coarse lattice of every level."""
    made(system.file(0), "sample", *system.options.split(), "--samples", samples, "--seed", SEED)
    block = "x".join([str(system.block)] * 2)
    window = f"--block {block} --buffer 2 --environment 1 --hidden 2 --windows 100000".split()
    for level in range(levels_of(system)):
        lattice, rule = system.file(level), system.rule(level)
        made(rule, "train-lambda", lattice, *window, "--seed", SEED)
        made(system.file(level + 1), "coarse-grain", lattice, "--rule", rule, "--hard")


def levels_of(system: System) -> int:
    """How many rules are learned: two with blocks larger than 2x2."""
    return LEVELS - (system.block > 2)


def with_error(pair: tuple[float, float] | None) -> str:
    return "-" if pair is None else f"{pair[0]:.4f}({1e4 * pair[1]:.0f})"


def print_table(rows: dict[str, list[dict]]) -> None:
    print(
        f"{'system':<26}{'level':>5}{'linear part':>16}{'I(H:E)':>13}{'kept':>7}{'K':>13}"
        f"{'K/K_0':>8}"
    )
    for title, levels in rows.items():
        for row in levels:
            part = " ".join(f"{share:.3f}" for share in row["shares"])
            kept = "" if row["kept"] is None else f"{row['kept']:.2f}"
            first, own = levels[0]["stiffness"], row["stiffness"]
            ratio = "" if own is None else f"{own[0] / first[0]:.3f}"
            print(
                f"{title if row['level'] == 0 else '':<26}{row['level']:>5}{part:>16}"
                f"{with_error(row['information']):>13}{kept:>7}{with_error(own):>13}{ratio:>8}"
            )


def draw(rows: dict[str, list[dict]]) -> None:
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(6.8, 3.3), layout="constrained")
    for title, levels in rows.items():
        steps = [row["level"] for row in levels]
        values, errors = zip(*(row["information"] for row in levels))
        left.errorbar(steps, values, errors, marker="o", capsize=2, label=title)
        if levels[0]["stiffness"] is not None:
            first = levels[0]["stiffness"][0]
            values, errors = zip(*(row["stiffness"] for row in levels))
            right.errorbar(
                steps, np.array(values) / first, np.array(errors) / first, marker="o", capsize=2
            )
        else:
            right.plot([], [])
    left.set(xlabel="level", ylabel="I(H:E) in nats", yscale="log", xticks=range(LEVELS))
    figure.legend(loc="outside lower center", ncols=3, fontsize="small", frameon=False)
    right.axhspan(0.95, 1.05, color="0.9", zorder=0)
    right.set(xlabel="level", ylabel="stiffness K / K of level 0")
    right.set(xticks=range(LEVELS))
    figure.savefig("levels.png", dpi=200)


def main(samples: int) -> None:
    rows = {}
    for system in SYSTEMS:
        make(system, samples)
        fine = None if system.pattern == "three" else modes(system, 0)
        before, levels = None, []
        for level in range(levels_of(system)):
            levels.append(level_row(system, level, fine, before))
            before = levels[-1]["information"][0]
        rows[system.title] = levels
    print_table(rows)
    draw(rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40000)
