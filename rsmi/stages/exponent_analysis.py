"""What is read off a flow: exponents and critical temperatures, as the JSON of an exponent file.

An *estimate* is a dictionary with ``value``, ``error`` and ``reason``: value and error are None
where they are undefined, and the reason then says why. Most estimates also have the ``step`` that
they belong to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.models.base import Known
from rsmi.renormalization import kinds, mcrg, thermometer
from rsmi.renormalization.collapse import collapse
from rsmi.samples.flow_ensembles import FlowEnsemble
from rsmi.stages.exponent_matching import matching
from rsmi.stages.exponent_sectors import by_parity, sequence_of

SECTORS = {"y_t": "even", "y_h": "odd"}
STEP = mcrg.HEADLINE_STEP  # of y_t, y_h and nu; T_c is the crossing with the next step

_NO_TEMPERATURE = "the temperature of the samples is unknown"

Estimate = dict[str, Any]


@dataclass(frozen=True)
class Point:
    """An ensemble of known temperature, with its effective couplings."""

    ensemble: FlowEnsemble
    coupling: float
    effective: thermometer.EffectiveCouplings

    @property
    def temperature(self) -> float:
        """T in J/k_B."""
        return 1 / self.coupling


@dataclass(frozen=True)
class Critical:
    """The critical temperature in J/k_B, None if there is none, and where it comes from."""

    temperature: float | None
    origin: str


@dataclass(frozen=True)
class Subject:
    """The ensemble that the exponents are measured on; ``point`` is None if its temperature is
    unknown."""

    ensemble: FlowEnsemble
    point: Point | None

    @property
    def known(self) -> Known:
        """What is known exactly of the model."""
        return self.ensemble.known


def analyse(
    ensembles: Sequence[FlowEnsemble],
    scale: float,
    critical_temperature: float | None,
    rules: Sequence[object],
    step: int = STEP,
) -> dict[str, Any]:
    """Everything that can be read off a flow.

    Parameters
    ----------
    ensembles : sequence of FlowEnsemble
    scale : float
        The scale factor b of one step.
    critical_temperature : float, optional
        Exponents are measured at the temperature nearest to it, in J/k_B. The default is T_c of
        the model, or 0 where the model has none.
    rules : sequence of object
        What identifies the rule of every step.
    step : int
        The step of the headline, 1, 2, ...

    Returns
    -------
    dict
        JSON values; None where a number is undefined, with a reason beside it.
    """
    points = [
        Point(ensemble, ensemble.coupling, ensemble.effective())
        for ensemble in ensembles
        if ensemble.coupling is not None
    ]
    critical = _critical(points, critical_temperature)
    subject = _subject(ensembles, points, critical)
    result = {
        **_description(subject, critical),
        **_eigenvalue_exponents(subject, scale, step),
        **_correlation_length(subject, points, scale, critical, step),
        **_crossing(subject, points, step),
        **matching(ensembles),
        "nu_collapse": _collapse(points, scale, critical),
    }
    return result | _withheld(result, subject, rules, step)


def _critical(points: Sequence[Point], given: float | None) -> Critical:
    if given is not None:
        return Critical(given, "given")
    if not points:
        return Critical(None, "unknown: no file has a temperature")
    known = points[0].ensemble.known
    if known.critical_coupling is None:
        return Critical(None, f"none: {known.no_critical_point}; the coldest file is taken")
    origin = "exact" if known.critical_coupling.exact else "known"
    return Critical(known.critical_temperature, origin)


def _subject(
    ensembles: Sequence[FlowEnsemble], points: Sequence[Point], critical: Critical
) -> Subject:
    """The ensemble nearest to the critical temperature; of several lattices the largest one."""
    if not points:
        return Subject(ensembles[0], None)
    target = critical.temperature or 0.0

    def preference(point: Point) -> tuple[float, int]:
        return abs(point.temperature - target), -math.prod(point.ensemble.shapes[0])

    nearest = min(points, key=preference)
    return Subject(nearest.ensemble, nearest)


def _description(subject: Subject, critical: Critical) -> dict[str, Any]:
    ensemble = subject.ensemble
    return {
        "temperature": ensemble.temperature,
        "critical_temperature": critical.temperature,
        "critical_temperature_from": critical.origin,
        "dimension": ensemble.dimension,
        "size": ensemble.shapes[0][0],
        **_oblong(ensemble.shapes[0]),
        "blocks": len(ensemble.sums["counts"]),
    }


def _oblong(shape: Sequence[int]) -> dict[str, Any]:
    """The shape of a lattice whose sides differ (see `rsmi.stages.exponent.summary`)."""
    return {"shape": list(shape)} if len(set(shape)) > 1 else {}


# ---- y_t and y_h ---------------------------------------------------------------------------------


def _eigenvalue_exponents(subject: Subject, scale: float, step: int) -> dict[str, Any]:
    """y_t and y_h of every step and number of operators, and what compares them."""
    ensemble = subject.ensemble
    sequences = {name: sequence_of(ensemble, sector) for name, sector in SECTORS.items()}
    rows = {name: sequence.rows() for name, sequence in sequences.items()}
    return {
        **rows,
        "headline": {name: mcrg.headline(rows[name], step) for name in SECTORS},
        "changes": {name: sequence.changes() for name, sequence in sequences.items()},
        "covariance": _covariances(sequences, subject),
        **(_of_states(subject, sequences["y_t"], scale) if ensemble.states > 2 else {}),
        **({"parities": by_parity(ensemble)} if ensemble.parities else {}),
    }


def _of_states(subject: Subject, thermal: mcrg.ExponentSequence, scale: float) -> dict[str, Any]:
    """What is read off a flow of variables with more than two states: the second eigenvalues of all
    operators, and the limit of y_t where the leading correction is known.

    y_h is not extrapolated: its steps do not approach the limit from one side.
    """
    ensemble, correction = subject.ensemble, subject.known.correction
    second = {
        name: mcrg.sequence(ensemble.sums, sector, ensemble.shapes, "second").of_all_operators()
        for name, sector in SECTORS.items()
    }
    if correction is None:
        return {"second": second}
    rows = thermal.extrapolated(scale, correction.value)
    return {"second": second, "extrapolated": {"omega": correction.value, "y_t": rows}}


def _covariances(
    sequences: Mapping[str, mcrg.ExponentSequence], subject: Subject
) -> dict[str, list[list[float | None]]]:
    """Jackknife covariances between steps: of the exponents of all operators, and between levels
    0, 1, ... of the effective couplings."""
    matrices = {name: sequence.covariance() for name, sequence in sequences.items()}
    matrices["coupling_eff"] = _coupling_covariance(subject)
    return {name: _json_matrix(matrix) for name, matrix in matrices.items()}


def _coupling_covariance(subject: Subject) -> NDArray[np.float64]:
    if subject.point is not None and len(subject.point.effective.coupling.replicas) > 1:
        return subject.point.effective.coupling.covariance()
    levels = len(subject.ensemble.shapes)
    return np.full((levels, levels), np.nan)


def _json_matrix(matrix: NDArray[np.float64]) -> list[list[float | None]]:
    return [[float(x) if np.isfinite(x) else None for x in row] for row in matrix]


# ---- nu ------------------------------------------------------------------------------------------


def _correlation_length(
    subject: Subject, points: Sequence[Point], scale: float, critical: Critical, headline_step: int
) -> dict[str, Any]:
    """nu from the slope of the effective coupling, by fluctuations and by differences."""
    steps = range(1, len(subject.ensemble.shapes))
    missing = _why_no_slope(subject, critical)
    if subject.point is None or critical.temperature is None or missing:
        fluctuations = differences = [_undefined(step, missing) for step in steps]
    else:
        fluctuations = [_by_fluctuations(subject.point, step, scale) for step in steps]
        differences = [
            thermometer.exponent_by_differences(
                [point.coupling for point in points],
                [point.effective for point in points],
                step,
                scale,
                1 / critical.temperature,
            )
            for step in steps
        ]
    headline = _at_step(
        fluctuations, headline_step, f"the flow has fewer than {headline_step} steps"
    )
    return {
        **_named("nu", headline),
        "nu_sequence": fluctuations,
        "nu_differences": differences,
        "nu_remark": _remark(headline, subject.known.exponent("nu")),
    }


def _why_no_slope(subject: Subject, critical: Critical) -> str:
    """Why there is no slope of the effective coupling; empty if there is one."""
    if subject.point is None:
        return _NO_TEMPERATURE
    if critical.temperature is None:
        return _why_no_coupling(subject.known) or "there is no critical temperature"
    return _why_no_coupling(subject.known)


def _by_fluctuations(point: Point, step: int, scale: float) -> Estimate:
    if not point.ensemble.has_energy:
        return _undefined(step, "the original energies are unknown")
    return thermometer.exponent_by_fluctuations(point.effective, step, scale)


def _collapse(points: Sequence[Point], scale: float, critical: Critical) -> Estimate:
    """nu from all temperatures and steps at once."""
    reason = _why_no_coupling(points[0].ensemble.known) if points else ""
    if critical.temperature is None:
        reason = reason or "there is no critical temperature to collapse about"
    elif not points:
        reason = _NO_TEMPERATURE
    if critical.temperature is None or reason:
        return {"value": None, "error": None, "reason": reason}
    estimate = collapse(
        [point.coupling for point in points],
        [point.effective for point in points],
        [point.ensemble.shapes for point in points],
        scale,
        1 / critical.temperature,
    )
    return estimate | {"remark": _remark(estimate, points[0].ensemble.known.exponent("nu"))}


# ---- T_c -----------------------------------------------------------------------------------------


def _crossing(subject: Subject, points: Sequence[Point], step: int) -> dict[str, Any]:
    """T_c from the crossing of the effective couplings of successive steps."""
    crossings = _crossings(points)
    missing = _why_no_coupling(subject.known) or "the flow needs one step more"
    headline = _at_step(crossings, step, missing)
    return {
        **_named("T_c", headline),
        "T_c_sequence": crossings,
        "T_c_remark": _remark(headline, subject.known.critical_temperature),
    }


def _crossings(points: Sequence[Point]) -> list[Estimate]:
    if not points:
        return []
    first = points[0].ensemble
    steps, missing = range(1, len(first.shapes) - 1), _why_no_coupling(first.known)
    if missing:
        return [_undefined(step, missing) for step in steps]
    couplings = [point.coupling for point in points]
    effective = [point.effective for point in points]
    return [thermometer.critical_temperature(couplings, effective, step) for step in steps]


# ---- what is withheld ----------------------------------------------------------------------------


def _withheld(
    result: dict[str, Any], subject: Subject, rules: Sequence[object], step: int
) -> dict[str, Any]:
    """The entries that replace a headline which must not be quoted, because a step makes another
    kind of system; none if it may be quoted. ``withheld`` is the sentence that says the cure."""
    changes = kinds.changes_of_kind(kinds.signs_of_neighbours(subject.ensemble.neighbours))
    whole = kinds.why_withheld(changes, rules, step)
    reasons = {name: whole or _without_first(result[name], rules, step) for name in SECTORS}
    why = [reason for reason in reasons.values() if reason]
    if not why:
        return {}
    headline = {
        name: row | {"value": None, "error": None, "reason": reason.reason} if reason else row
        for (name, row), reason in zip(result["headline"].items(), reasons.values())
    }
    thermometers = {} if whole is None else _no_thermometers(result, whole.reason)
    return {"headline": headline, "withheld": why[0].sentence, **thermometers}


def _without_first(
    rows: list[dict[str, Any]], rules: Sequence[object], step: int
) -> kinds.Withheld | None:
    """Why an exponent is withheld whose step 1 has no leading eigenvalue for any number of
    operators."""
    first = [row["reason"] or "" for row in rows if row["step"] == 1]
    if step == 1 or not all("leading eigenvalue" in reason for reason in first):
        return None
    return kinds.why_withheld({1: "step 1 has no leading eigenvalue"}, rules, step)


def _no_thermometers(result: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """The entries that replace nu and T_c of one effective coupling where they have values."""
    estimate = {"value": None, "error": None, "reason": reason}
    measured = [name for name in ("nu", "T_c") if result[name] is not None]
    return {key: value for name in measured for key, value in _named(name, estimate).items()}


# ---- estimates -----------------------------------------------------------------------------------


def _why_no_coupling(known: Known) -> str:
    """Why there is no effective coupling; empty if there is one."""
    return known.no_thermometer if known.thermometer is None else ""


def _undefined(step: int, reason: str) -> Estimate:
    return {"step": step, "value": None, "error": None, "reason": reason}


def _at_step(estimates: Sequence[Estimate], step: int, reason: str) -> Estimate:
    """The estimate of one step; the reason is for a flow that does not have it."""
    return next((one for one in estimates if one["step"] == step), _undefined(step, reason))


def _named(name: str, estimate: Estimate) -> dict[str, Any]:
    return {
        name: estimate["value"],
        f"{name}_error": estimate["error"],
        f"{name}_reason": estimate["reason"],
    }


def _remark(estimate: Estimate, exact: float | None) -> str:
    """How far the approximation of one effective coupling has shifted a number, if the exact one
    is known."""
    value, error = estimate["value"], estimate["error"]
    if value is None or exact is None:
        return "one coupling stands for all: biased by an unknown amount"
    deviation = f"one coupling stands for all: {100 * (value / exact - 1):+.2g} % off"
    return f"{deviation}, {abs(value - exact) / error:.1f} errors" if error else deviation
