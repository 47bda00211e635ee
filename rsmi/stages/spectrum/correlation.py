"""What a correlation file says: C(r), structure factors and correlation lengths, as JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.order import Order
from rsmi.lattice.waves import Wave
from rsmi.models.known import Known, KnownOperator
from rsmi.models.spins import component_fields
from rsmi.renormalization.spectrum.correlations import Correlations, CorrelationSums, correlations
from rsmi.samples.files import model_of
from rsmi.samples.subject import subject
from rsmi.stages.spectrum import correlation_sums, two_point
from rsmi.stages.spectrum.groups import sums_by_size
from rsmi.stages.spectrum.labels import labelled
from rsmi.statistics.jackknife import jackknife_error
from rsmi.store import File

# The distances along an axis over which a power of r is fitted: beyond the range of the function,
# and before the lattice ends, up to a quarter of its side.
FIRST_DISTANCE = 2
LAST_PART = 4
_SIGNIFICANT = 4.0  # errors by which C(r) must differ from zero to be fitted
Json = dict[str, Any]


def summary(file: File) -> Json:
    """The correlation functions of every lattice."""
    by_size, short = sums_by_size(
        file,
        correlation_sums.read(file),
        correlation_sums.merged,
        correlation_sums.concatenated,
    )
    coupling = float(file.read("/files/coupling")[0])
    operators = correlation_sums.operators(file)
    known = model_of(file).known(file.shape("/files/shape")[1], _attributes(file))
    waves = {number: one.wave for one in operators.values() for number in one.functions}
    theory = _operators_of_functions(file, waves, known)
    return {
        "file": str(file.path),
        **subject(file),
        "temperature": 1 / coupling if coupling and not math.isnan(coupling) else None,
        "coupling": None if math.isnan(coupling) else coupling,
        "functions": list(labelled(file, file.attributes["functions"])),
        "sectors": list(file.attributes["sectors"]),
        "lattices": [_lattice(file, sums, theory, waves) for sums in by_size.values()],
        "dimensions": two_point.dimensions(
            by_size, file.attributes["sectors"], operators, theory, known.omega
        ),
        "remarks": short,
    }


def _attributes(file: File) -> Mapping[str, Any]:
    return {**file.attributes, "coupling": float(file.read("/files/coupling")[0])}


def _operators_of_functions(
    file: File, waves: Mapping[int, Wave], known: Known
) -> list[KnownOperator | None]:
    """The scaling operator that theory knows of every function: its own, or the leading one of its
    sector with its wave vector."""
    own = _of_fields(file, known)
    names, sectors = file.attributes["functions"], file.attributes["sectors"]
    return [
        own[name] if name in own else known.operator_at(sector, waves.get(number, ()))
        for number, (name, sector) in enumerate(zip(names, sectors))
    ]


def _of_fields(file: File, known: Known) -> dict[str, KnownOperator | None]:
    """The same of the fields that the model names beside its variables. The waves of an order are
    taken off its parts already."""
    model, attributes = model_of(file), _attributes(file)
    spins, order = component_fields(model.components(attributes)), model.order(attributes)
    wave = order.waves[0] if isinstance(order, Order) else ()
    leading = known.operator_at("odd", wave) if any(wave) else None
    others = {name: leading for name in model.fields(attributes) if name not in spins}
    return others | dict(model.known_fields(attributes))


def _lattice(
    file: File,
    sums: CorrelationSums,
    theory: Sequence[KnownOperator | None],
    waves: Mapping[int, Wave],
) -> Json:
    sectors = file.attributes["sectors"]
    return {
        "shape": list(sums.shape),
        "samples": int(sums.arrays["count"].sum()),
        "groups": int((sums.arrays["count"] > 0).sum()),
        "correlations": [
            _entry(sums, number, sector, waves.get(number, ())) | _power_of(operator)
            for number, (sector, operator) in enumerate(zip(sectors, theory))
        ],
    }


def _power_of(operator: KnownOperator | None) -> Json:
    """The power of r that theory knows, and how well it does."""
    if operator is None:
        return {"exact_power": None, "quality": None}
    dimension = operator.dimension
    return {"exact_power": 2 * dimension.value, "quality": dimension.quality}


def _entry(sums: CorrelationSums, number: int, sector: str, wave: Wave) -> Json:
    """The correlation function of one function. The average of an odd function vanishes, and is
    not subtracted. A wave of more than two sites leaves a ripple of the opposite wave in C(r), to
    which no power is fitted."""
    smooth = all(q.denominator <= 2 for q in wave)
    connected = sector != "odd"
    one = correlations(sums, number, connected)
    steps, diagonal = one.steps.tolist(), math.sqrt(len(sums.shape))
    return {
        "function": sums.functions[number],
        "sector": sector,
        "connected": connected,
        "distance": steps,
        "axis": one.axis.tolist(),
        "axis_error": _list(one.axis_error),
        "diagonal_distance": [diagonal * step for step in steps],
        "diagonal": one.diagonal.tolist(),
        "diagonal_error": _list(one.diagonal_error),
        "mode": steps,
        "structure_factor": one.factor.tolist(),
        "structure_factor_error": _list(one.factor_error),
        "correlation_length": _finite(one.length),
        "correlation_length_error": _finite(one.length_error),
        "power": _power(sums, number, connected, one) if smooth else None,
    }


def _list(values: NDArray[np.float64]) -> list[float | None]:
    return [_finite(value) for value in values.tolist()]


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


# ---- the power of r ------------------------------------------------------------------------------


def _power(sums: CorrelationSums, number: int, connected: bool, one: Correlations) -> Json | None:
    """The power p of |C(r)| = A r^-p along an axis, with its jackknife error; None if fewer than
    three distances differ clearly from zero."""
    distances = _fitted_distances(one, min(sums.shape))
    if len(distances) < 3:
        return None
    errors = one.axis_error[distances] / np.abs(one.axis[distances])
    full = _fit(distances, one.axis, errors)
    replicas = [
        _fit(distances, correlations(_without(sums, group), number, connected).axis, errors)
        for group in np.flatnonzero(sums.arrays["count"]).tolist()
    ]
    spread = jackknife_error(replicas)
    return {
        "value": _finite(full[1]),
        "error": _finite(spread[1]),
        "logarithm": _finite(full[0]),
        "from": int(distances[0]),
        "to": int(distances[-1]),
    }


def _fitted_distances(one: Correlations, side: int) -> NDArray[np.int64]:
    """Successive distances of the range at which C(r) is clear and keeps its sign."""
    distances = np.arange(FIRST_DISTANCE, side // LAST_PART + 1)
    clear = np.abs(one.axis[distances]) > _SIGNIFICANT * one.axis_error[distances]
    clear &= one.axis[distances] * one.axis[FIRST_DISTANCE] > 0
    return distances[: len(distances) if clear.all() else int(np.argmin(clear))]


def _fit(
    distances: NDArray[np.int64], values: NDArray[np.float64], errors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """ln A and p of |C(r)| = A r^-p, by weighted least squares of logarithms."""
    design = np.column_stack([np.ones(len(distances)), -np.log(distances)])
    logs = np.log(np.abs(values[distances]))
    solution = np.linalg.lstsq(design / errors[:, np.newaxis], logs / errors, rcond=None)[0]
    return np.asarray(solution, dtype=np.float64)


def _without(sums: CorrelationSums, group: int) -> CorrelationSums:
    arrays = {name: np.delete(array, group, axis=0) for name, array in sums.arrays.items()}
    return replace(sums, arrays=arrays)
