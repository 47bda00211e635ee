"""``rsmi exponent``: y_t and y_h by MCRG, nu and T_c by the thermometer, each with a jackknife
error."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path

import numpy as np

from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.errors import UsageError
from rsmi.renormalization import mcrg, thermometer
from rsmi.renormalization.collapse import collapse
from rsmi.samples.flow_ensembles import Measured, measured
from rsmi.store import File, canonical_json

log = logging.getLogger("rsmi")

SECTOR_OF = {"y_t": "even", "y_h": "odd"}
FAR = 1e-3  # relative distance from the critical temperature that is worth a warning
STEP = mcrg.HEADLINE_STEP  # of y_t, y_h and nu; T_c is the crossing of steps STEP and STEP + 1


def request(flow: File, critical_temperature: float | None) -> Request:
    """The file these parameters define."""
    if critical_temperature is not None and not 0 < critical_temperature < math.inf:
        raise UsageError(
            f"--critical-temperature {critical_temperature}: must be positive and finite"
        )
    return Request("exponent", "exponent", {"critical_temperature": critical_temperature}, (flow,))


def run(flow: File, critical_temperature: float | None, output: Path, options: RunOptions) -> None:
    """Analyse a flow and store the answer."""
    with Session(output, request(flow, critical_temperature), options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        ensembles = measured(flow)
        found = analyse(ensembles, scale_factor(flow), critical_temperature)

        def fill(writer):
            writer.write("/result", np.bytes_(canonical_json(found)))
            for name, _sector in SECTOR_OF.items():
                for key, suffix in (("value", ""), ("error", "_error")):
                    writer.write(f"/sequence/{name}{suffix}", _sequence(found[name], key))
            for name, matrix in found["covariance"].items():
                writer.write(f"/covariance/{name}", np.array(matrix, dtype=np.float64))

        session.publish(_attributes(flow), fill, 1 << 20)
    _warn(output, found)
    for sentence in dict.fromkeys(
        sentence for ensemble in ensembles for sentence in ensemble.short
    ):
        log.warning("%s: %s", flow.path, sentence)


def _attributes(flow: File) -> dict:
    """What an exponent file says of itself: the model is that of the flow."""
    names = ("model", "model_parameters", "block")
    return {name: flow.attributes.get(name) for name in names}


def _warn(output: Path, found: dict) -> None:
    """Exponents hold at the critical point only."""
    measured_at, critical = found["temperature"], found["critical_temperature"]
    if critical is None or abs(measured_at / critical - 1) > FAR:
        shown = "an unknown temperature" if measured_at is None else f"T = {measured_at:.6g}"
        log.warning(
            "%s: exponents are those of %s, the nearest to the critical temperature (%s): they hold"
            " only there",
            output,
            shown,
            found["critical_temperature_from"] if critical is None else f"{critical:.6g}",
        )


def scale_factor(flow: File) -> float:
    """b, the factor by which one step shrinks lengths."""
    block = flow.attributes["block"]
    return float(np.prod(block) ** (1 / len(block)))


def analyse(ensembles: list[Measured], scale: float, critical_temperature: float | None) -> dict:
    """Everything that can be read off a flow.

    Parameters
    ----------
    ensembles : list of Measured
    scale : float
        The scale factor b of one step.
    critical_temperature : float, optional
        Exponents are measured at the temperature nearest to it; default the model's T_c, in one
        dimension 0.

    Returns
    -------
    dict
        JSON values; null where undefined, with a reason beside it.
    """
    known = [ensemble for ensemble in ensembles if ensemble.coupling is not None]
    effective = {id(ensemble): ensemble.effective() for ensemble in known}
    crossings = _crossings(known, effective)
    critical, origin = _critical(known, crossings, critical_temperature)
    ensemble = (
        min(known, key=lambda e: abs(e.temperature - (critical or 0.0))) if known else ensembles[0]
    )
    sequences = {
        name: mcrg.sequence(ensemble.sums, sector, ensemble.shapes)
        for name, sector in SECTOR_OF.items()
    }
    rows = {name: sequence.rows() for name, sequence in sequences.items()}
    by_fluctuations, by_differences = _correlation_length_exponents(
        known, effective, ensemble, scale, critical
    )
    facts = ensemble.known
    missing = facts.no_thermometer if facts.thermometer is None else "the flow needs one step more"
    crossing, nu = (
        _row(crossings, STEP, missing),
        _row(by_fluctuations, STEP, f"the flow has fewer than {STEP} steps"),
    )
    return {
        "temperature": ensemble.temperature,
        "critical_temperature": critical,
        "critical_temperature_from": origin,
        "dimension": ensemble.dimension,
        "size": ensemble.shapes[0][0],
        "blocks": len(ensemble.sums["counts"]),
        **rows,
        "headline": {name: mcrg.headline(rows[name]) for name in SECTOR_OF},
        "changes": {name: sequence.changes() for name, sequence in sequences.items()},
        "covariance": _covariances(sequences, effective.get(id(ensemble)), ensemble),
        "nu": nu["value"],
        "nu_error": nu["error"],
        "nu_reason": nu["reason"],
        "nu_sequence": by_fluctuations,
        "nu_differences": by_differences,
        "nu_remark": _bias(nu, facts.exponent("nu")),
        "nu_collapse": _collapse(known, effective, scale, critical),
        "T_c": crossing["value"],
        "T_c_error": crossing["error"],
        "T_c_reason": crossing["reason"],
        "T_c_remark": _bias(crossing, facts.critical_temperature),
        "T_c_sequence": crossings,
    }


def _collapse(known: list[Measured], effective: dict, scale: float, critical: float | None) -> dict:
    """nu from all temperatures and steps together."""
    reason = (_no_thermometer(known[0]) if known else None) or (
        None if critical else "there is no critical temperature to collapse about"
    )
    if reason:
        return {"value": None, "error": None, "reason": reason}
    found = collapse(
        [e.coupling for e in known],
        [effective[id(e)] for e in known],
        [e.shapes for e in known],
        scale,
        1 / critical,
    )
    return found | {"remark": _bias(found, known[0].known.exponent("nu"))}


def _no_thermometer(ensemble: Measured) -> str | None:
    """Why there is no effective coupling, None where there is one."""
    known = ensemble.known
    return known.no_thermometer if known.thermometer is None else None


def _bias(row: dict, exact: float | None) -> str:
    """What one coupling standing for all has done to a number, measured where the exact one is
    known."""
    if row["value"] is None or exact is None:
        return "one coupling stands for all: biased by an unknown amount"
    off = f"one coupling stands for all: {100 * (row['value'] / exact - 1):+.2g} % off"
    return (
        off if not row["error"] else f"{off}, {abs(row['value'] - exact) / row['error']:.1f} errors"
    )


def _covariances(
    sequences: dict, effective: thermometer.EffectiveCouplings | None, ensemble: Measured
) -> dict:
    """Jackknife covariances between steps, of exponents of all operators and of effective couplings
    (levels 0, 1, ...)."""
    levels, matrices = (
        len(ensemble.shapes),
        {name: sequence.covariance() for name, sequence in sequences.items()},
    )
    known = effective is not None and len(effective.coupling.replicas) > 1
    matrices["coupling_eff"] = (
        effective.coupling.covariance() if known else np.full((levels, levels), np.nan)
    )
    return {
        name: [[float(x) if np.isfinite(x) else None for x in row] for row in matrix]
        for name, matrix in matrices.items()
    }


def _critical(
    known: list[Measured], crossings: list[dict], wanted: float | None
) -> tuple[float | None, str]:
    if wanted is not None:
        return wanted, "given"
    if not known:
        return None, "unknown: no file has a temperature"
    facts = known[0].known
    if facts.critical_coupling is None:
        return None, f"none: {facts.no_critical_point}; the coldest file is taken"
    return facts.critical_temperature, "exact" if facts.critical_coupling.exact else "known"


def _crossings(known: list[Measured], effective: dict) -> list[dict]:
    if not known:
        return []
    steps, reason = range(1, len(known[0].shapes) - 1), _no_thermometer(known[0])
    if reason:
        return [_empty(step, reason) for step in steps]
    flows, couplings = (
        [effective[id(ensemble)] for ensemble in known],
        [ensemble.coupling for ensemble in known],
    )
    return [thermometer.critical_temperature(couplings, flows, step) for step in steps]


def _correlation_length_exponents(known, effective, ensemble, scale, critical):
    steps = range(1, len(ensemble.shapes))
    reason = (
        "the temperature of the samples is unknown"
        if ensemble.coupling is None
        else _no_thermometer(ensemble)
    )
    if critical is None:
        reason = reason or "there is no critical temperature"
    if reason:
        return [_empty(step, reason) for step in steps], [_empty(step, reason) for step in steps]
    here = effective[id(ensemble)]
    fluctuations = [
        (
            thermometer.exponent_by_fluctuations(here, step, scale)
            if ensemble.has_energy
            else _empty(step, "the original energies are unknown")
        )
        for step in steps
    ]
    flows, couplings = [effective[id(e)] for e in known], [e.coupling for e in known]
    return fluctuations, [
        thermometer.exponent_by_differences(couplings, flows, step, scale, 1 / critical)
        for step in steps
    ]


def _empty(step: int, reason: str) -> dict:
    return {"step": step, "value": None, "error": None, "reason": reason}


def _row(rows: list[dict], step: int, reason: str) -> dict:
    return next((row for row in rows if row["step"] == step), _empty(step, reason))


def _sequence(rows: list[dict], key: str) -> np.ndarray:
    """By step and number of operators, nan where undefined."""
    table = np.full(
        (max(row["step"] for row in rows), max(row["operators"] for row in rows)), np.nan
    )
    for row in rows:
        table[row["step"] - 1, row["operators"] - 1] = np.nan if row[key] is None else row[key]
    return table


def summary(file: File) -> dict:
    """The stored answer."""
    return {"file": str(file.path), **json.loads(bytes(file.read("/result")[()]).decode())}
