"""What can be measured on variables +-1 of any model, and how it is written. These are the neutral
answers of a model."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import DataError
from rsmi.lattice.columns import Component
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.packed import count_ones
from rsmi.statistics.notation import with_error
from rsmi.statistics.summary import sample_summary

if TYPE_CHECKING:
    from rsmi.store import File

_BYTES_AT_ONCE = 1 << 25  # of configurations read
_TAU_UNIT = "stored intervals; 0.5 if independent"
# The numbers of a summary that need the energies, and those that need one component per site.
_NEEDS = {
    "energy": ("energy", "tau_int"),
    "magnetization": ("magnetization_abs", "tau_int_magnetization", "susceptibility", "binder"),
}


# ---- numbers -------------------------------------------------------------------------------------


def live_sites(file: File) -> int:
    """Return the number of sites of a samples file that carry data."""
    if "/mask" in file:
        return int(count_ones(file.read("/mask")))
    return math.prod(file.attributes["shape"])


def magnetizations_of(rows: NDArray[np.uint8], sites: int) -> NDArray[np.int64]:
    """Return the sums of the spins (n,) of packed rows (n, bytes) with so many sites."""
    return 2 * count_ones(rows) - sites


def magnetizations(file: File) -> NDArray[np.int64]:
    """Return the sum of the spins of every stored configuration, (n,)."""
    (n, width), sites = file.shape("/spins"), live_sites(file)
    step = max(1, _BYTES_AT_ONCE // width)
    parts = (file.read("/spins", start, min(n, start + step)) for start in range(0, n, step))
    return np.concatenate([magnetizations_of(rows, sites) for rows in parts])


def summary(file: File) -> dict[str, float | None]:
    """Return energy, magnetization, susceptibility, Binder cumulant and autocorrelation times of a
    samples file with their errors; None for what the file does not contain."""
    attributes, n, sites = file.attributes, file.shape("/spins")[0], live_sites(file)
    known = {"energy": "/energy" in file, "magnetization": attributes["components"] == 1}
    scale = sites / math.prod(attributes["original_shape"])  # the energy is the original lattice's
    energy = file.read("/energy") * scale if known["energy"] else np.zeros(n)
    magnetization = magnetizations(file) if known["magnetization"] else np.zeros(n)
    numbers = sample_summary(
        energy, magnetization, attributes["chains"], attributes.get("coupling"), sites
    )
    unknown = {name for source, names in _NEEDS.items() if not known[source] for name in names}
    return {
        name: None if name.removesuffix("_error") in unknown else value
        for name, value in numbers.items()
    }


def component_fields(
    components: Sequence[Component],
) -> dict[str, Callable[[NDArray[np.int8]], NDArray[np.float64]]]:
    """Return the values of every component of a site as local functions, by name."""
    return {
        one.name: functools.partial(_component, number) for number, one in enumerate(components)
    }


def _component(number: int, configurations: NDArray[np.int8]) -> NDArray[np.float64]:
    return configurations[:, number].astype(np.float64)


# ---- text ----------------------------------------------------------------------------------------


def describe_summary(
    attributes: Mapping[str, Any], numbers: dict, exact_energy: float | None
) -> list[tuple[str, ...]]:
    """Return a `summary` as rows of a table: name, value with its error, unit or remark."""
    titles = {
        "energy": ("energy per site", _energy_remark(attributes, numbers, exact_energy)),
        "magnetization_abs": ("|m| per site",),
        "susceptibility": ("susceptibility", "K N (<m^2> - <|m|>^2)"),
        "binder": ("Binder cumulant",),
        "tau_int": ("tau_int of E", _TAU_UNIT),
        "tau_int_magnetization": ("tau_int of |m|", _TAU_UNIT),
    }
    return [
        (title, with_error(numbers[name], numbers[f"{name}_error"]), *remark)
        for name, (title, *remark) in titles.items()
    ]


def _energy_remark(attributes: Mapping[str, Any], numbers: dict, exact_energy: float | None) -> str:
    """Return the unit and, if it is known, the exact value and the distance to it in errors."""
    if exact_energy is None or numbers["energy"] is None:
        return "J"
    shape = shape_text(attributes["original_shape"])
    remark = f"J; exact {exact_energy:.6f} on {shape}"
    if not numbers["energy_error"]:
        difference = numbers["energy"] - exact_energy
        return f"{remark}, {difference:+.4g} J off without an error: the samples are constant"
    return (
        f"{remark}, {(numbers['energy'] - exact_energy) / numbers['energy_error']:+.1f} errors off"
    )


def describe_temperature(attributes: Mapping[str, Any], ratio: float | None) -> str:
    """Return T in J/k_B, K and, if it is known, T/T_c (``ratio``)."""
    if "coupling" not in attributes:
        return "unknown"
    text = f"K = {attributes['coupling']:.6g}"
    if "temperature" in attributes:
        text = f"T = {attributes['temperature']:.6g} J/k_B, {text}"
    return text + (f", T/T_c = {ratio:.4f}" if ratio else "")


def temperature_label(attributes: Mapping[str, Any], ratio: float | None) -> str:
    """Return ``T = 0.98 T_c``, or T in J/k_B if no T_c is known, for a figure (TeX)."""
    if ratio is not None:
        return "$T$ = $T_c$" if abs(ratio - 1) < 5e-7 else f"$T$ = {ratio:.5g} $T_c$"
    coupling = attributes.get("coupling")
    if coupling is None:
        return "$T$ unknown"
    return f"$T$ = {1 / coupling:.5g} $J/k_B$" if coupling else "$K$ = 0"


# ---- checks --------------------------------------------------------------------------------------


def check_temperature(file: File, strength: float) -> None:
    """Refuse a coupling and a temperature that contradict each other.

    Parameters
    ----------
    file : File
        A file of any kind with the attributes of a lattice.
    strength : float
        K T in units of 1/k_B: 1 for energies in J; 0 where no temperature belongs to a coupling.

    Raises
    ------
    DataError
    """
    attributes, path = file.attributes, file.path
    coupling, temperature = (attributes.get(name) for name in ("coupling", "temperature"))
    if (coupling is not None and strength != 0) != (temperature is not None):
        raise DataError(f"{path}: coupling and temperature must be given together")
    if coupling is None:
        return
    product = coupling * (1.0 if temperature is None else temperature)
    if abs(product - strength) > 1e-9 * max(1.0, abs(strength)):
        raise DataError(
            f"{path}: coupling {coupling} and temperature {temperature} contradict each other"
        )


def check_energies(file: File, least: float, most: float) -> None:
    """Refuse energies of a samples file outside the range of the model.

    Raises
    ------
    DataError
    """
    n, step = file.shape("/energy")[0] if "/energy" in file else 0, 1 << 20
    for start in range(0, n, step):
        energies = file.read("/energy", start, min(start + step, n))
        if energies.min() < least or energies.max() > most:
            raise DataError(
                f"{file.path}: /energy holds energies outside the range of the lattice, {least:g}"
                f" to {most:g}"
            )
