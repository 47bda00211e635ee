"""Averages of the order parameter of variables with q > 2 states, a vector
(`rsmi.lattice.state_order`).

With q = 2 it is the magnetization. Binder's cumulant of a vector of C components is
U = (C + 2)/2 - C/2 <m^4>/<m^2>^2, which is 0 for a Gaussian vector and 1 in the ordered phase.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.packed import count_states
from rsmi.lattice.state_order import squared
from rsmi.lattice.symbols import DIHEDRAL
from rsmi.models.spins import describe_summary as describe_spins
from rsmi.statistics.notation import with_error
from rsmi.statistics.summary import average_summary, sample_summary

if TYPE_CHECKING:
    from rsmi.store import File

_BYTES_AT_ONCE = 1 << 23  # of configurations read


def components_of(states: int, symmetry: str | None) -> int:
    """Return the number of components of the order parameter."""
    return min(2, states - 1) if symmetry == DIHEDRAL else states - 1


def correlation_sums(
    codes: NDArray[np.integer], states: int, symmetry: str | None, divisor: int
) -> NDArray[np.float64]:
    """Return the sum over sites and axes of the scalar products of the unit vectors at x and at x +
    L/divisor along the axis, (n,), of periodic configurations (n, \\*shape)."""
    own = np.arange(states)
    differences = np.subtract.outer(own, own)
    products = (states * (differences == 0) - 1) / (states - 1)
    if symmetry == DIHEDRAL:
        products = np.cos(2 * np.pi * differences / states)
    sums = np.zeros(len(codes))
    for axis, side in enumerate(codes.shape[1:], 1):
        moved = np.roll(codes, -(side // divisor), axis)
        sums += products[codes, moved].reshape(len(codes), -1).sum(axis=1)
    return sums


def squared_of(file: File, symmetry: str | None) -> NDArray[np.float64]:
    """Return m^2 per site of every stored configuration, (n,), of samples with one component."""
    attributes, (n, width) = file.attributes, file.shape("/spins")
    shape, states = (1, *attributes["shape"]), attributes["states"]
    step = max(1, _BYTES_AT_ONCE // width)
    parts = (file.read("/spins", start, min(n, start + step)) for start in range(0, n, step))
    return np.concatenate(
        [squared(count_states(rows, states, shape)[:, 0], symmetry) for rows in parts]
    )


def summary(file: File, symmetry: str | None) -> dict[str, float | None]:
    """Return energy, order parameter, susceptibility, Binder cumulant and autocorrelation times of
    a samples file with their errors; None for what the file does not contain.

    Raises
    ------
    DataError
        If the bits of a variable are the code of no state.
    """
    attributes, n = file.attributes, file.shape("/spins")[0]
    sites, single = math.prod(attributes["shape"]), attributes["components"] == 1
    square = squared_of(file, symmetry) if single else np.zeros(n)
    scale = sites / math.prod(attributes["original_shape"])
    energy = file.read("/energy") * scale if "/energy" in file else np.zeros(n)
    numbers = sample_summary(
        energy, sites * np.sqrt(square), attributes["chains"], attributes.get("coupling"), sites
    )
    numbers |= _of_vector(numbers, components_of(attributes["states"], symmetry))
    averages = average_summary({"magnetization_squared": square}, attributes["chains"])
    names = ("magnetization_squared", "magnetization_squared_error")
    numbers |= {name: averages[name] for name in names}
    unknown = {"energy", "tau_int"} if "/energy" not in file else set()
    if not single:
        unknown |= {name.removesuffix("_error") for name in numbers} - {"energy", "tau_int"}
    return {
        name: None if name.removesuffix("_error") in unknown else value
        for name, value in numbers.items()
    }


def _of_vector(numbers: Mapping[str, float | None], components: int) -> dict[str, float | None]:
    """Binder's cumulant of a vector from 1 - <m^4> / (3 <m^2>^2)."""
    binder, error = numbers["binder"], numbers["binder_error"]
    factor = 1.5 * components
    return {
        "binder": None if binder is None else 1 + factor * (binder - 2 / 3),
        "binder_error": None if error is None else factor * error,
    }


def describe_summary(
    attributes: Mapping[str, Any], numbers: dict, exact_energy: float | None, symmetry: str | None
) -> list[tuple[str, ...]]:
    """Return a `summary` as rows of a table: name, value with its error, unit or remark."""
    components = components_of(attributes["states"], symmetry)
    rows = describe_spins(attributes, numbers, exact_energy)
    remarks = {
        "|m| per site": f"of a vector of {components} components, 0 to 1",
        "Binder cumulant": "0 without order, 1 with order",
    }
    rows = [(*row, remarks[row[0]]) if row[0] in remarks else row for row in rows]
    square = with_error(numbers["magnetization_squared"], numbers["magnetization_squared_error"])
    return [*rows[:2], ("m^2 per site", square), *rows[2:]]
