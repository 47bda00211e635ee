"""What 'rsmi spectrum' does not offer, and why: the point-to-point estimator of the energy, and the
generalized eigenproblem between the sizes L and 2L.

usage: failures.py SMALL.h5 LARGE.h5 SPECTRUM.h5
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.packed import unpack_spins
from rsmi.renormalization.spectrum.functions import bond_energy, magnetization, named_functions
from rsmi.renormalization.spectrum.readings import Function, fields_of
from rsmi.samples.views import open_samples
from rsmi.statistics.jackknife import Jackknife, jackknife

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import info

GROUPS = 64
ROWS = 5000  # configurations that are transformed at once


def antipodal(path: str, functions: list[Function]) -> dict[str, NDArray[np.float64]]:
    """Sums over groups of chains of the products O_k(x) O_l(x + L/2) and of the averages O_k.

    Returns
    -------
    dict of ndarray
        ``count`` (groups,), ``product`` (groups, k, k), ``mean`` (groups, k).
    """
    k = len(functions)
    sums = {
        "count": np.zeros(GROUPS),
        "product": np.zeros((GROUPS, k, k)),
        "mean": np.zeros((GROUPS, k)),
    }
    with open_samples(path) as samples:
        half = tuple(side // 2 for side in samples.shape)
        for first in range(0, samples.count, ROWS):
            last = min(first + ROWS, samples.count)
            spins = unpack_spins(samples.spins(first, last), samples.shape)
            fields = np.stack([fields_of(one, spins) for one in functions], axis=1)
            opposite = np.roll(fields, half, axis=(2, 3))
            sites = math.prod(samples.shape)
            groups = np.arange(first, last) % samples.chains * GROUPS // samples.chains
            products = np.einsum("nkxy,nlxy->nkl", fields, opposite) / sites
            np.add.at(sums["count"], groups, 1.0)
            np.add.at(sums["product"], groups, products)
            np.add.at(sums["mean"], groups, fields.mean(axis=(2, 3)))
    return sums


def connected(totals: dict[str, NDArray[np.float64]], even: bool) -> NDArray[np.float64]:
    """The symmetric matrix <O_k O_l> at opposite points, without <O_k> <O_l> if it is even."""
    matrix = totals["product"] / totals["count"]
    mean = totals["mean"] / totals["count"] * even
    matrix = matrix - np.outer(mean, mean)
    return (matrix + matrix.T) / 2


def log_of_energy(totals: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """ln C of the energy at opposite points."""
    return np.log(np.abs(connected(totals, even=True)[0, 0]))


def noise(result: Jackknife, count: float) -> float:
    """The error of a logarithm from one configuration."""
    return float(result.error) * math.sqrt(count)


def dimensions(
    small: dict[str, NDArray[np.float64]], large: dict[str, NDArray[np.float64]], use: int
) -> tuple[float, float]:
    """Delta of the first ``use`` odd functions, with its error: from the largest eigenvalue of the
    generalized problem D(2L) v = 2^(-2 Delta) D(L) v."""

    def delta(totals: dict[str, NDArray[np.float64]]) -> float:
        matrices = [
            connected({n: totals[f"{size}-{n}"] for n in small}, even=False)[:use, :use]
            for size in ("small", "large")
        ]
        values = np.linalg.eigvals(np.linalg.solve(*matrices)).real
        return -float(np.log2(values.max())) / 2

    sums = {f"small-{name}": array for name, array in small.items()}
    sums |= {f"large-{name}": array for name, array in large.items()}
    result = jackknife(delta, sums)
    return float(result.value), float(result.error)


def main(small: str, large: str, spectrum: str) -> None:
    """Print both failures."""
    corner = named_functions(2)["corner"]
    numbers = info(spectrum)
    response = next(
        row
        for row in numbers["sequence"]
        if (row["function"], row["quantity"]) == ("energy", "X24")
    )
    print("The energy at opposite points: error of ln C from one configuration, and that of X24\n")
    for path in (small, large):
        sums = antipodal(path, [bond_energy(2)])
        result, count = jackknife(log_of_energy, sums), sums["count"].sum()
        with open_samples(path) as samples:
            size = samples.shape[0]
        place = numbers["sizes"].index(size)
        other = response["values"][place]["error"] * math.sqrt(numbers["samples"][place])
        print(f"  L = {size:<4d} C {noise(result, count):6.1f}   X24 {other:6.1f}")
    odd = [magnetization(2), corner]
    of_sizes = [antipodal(path, odd) for path in (small, large)]
    print("\nGeneralized eigenvalues between the two sizes, odd functions, exact 0.125\n")
    for use, names in ((1, "magnetization"), (2, "magnetization and corner")):
        value, error = dimensions(of_sizes[0], of_sizes[1], use)
        print(f"  {names:28s} Delta = {value:.4f} +- {error:.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
