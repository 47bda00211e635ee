"""``rsmi exponent``: y_t and y_h by MCRG, nu and T_c by the thermometer, each with a jackknife
error."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.errors import UsageError
from rsmi.renormalization.critical_exponents import quoted_exponents
from rsmi.samples.flow_ensembles import FlowEnsemble, ensembles_of
from rsmi.samples.subject import subject
from rsmi.samples.views import FlowFile, ResultFile
from rsmi.stages.cost import file_cost, timed
from rsmi.stages.exponent_analysis import SECTORS, STEP, analyse
from rsmi.statistics.rounding import reported
from rsmi.store import File, Writer, canonical_json

__all__ = ["STEP", "request", "run", "summary"]

log = logging.getLogger("rsmi")

_BIASED = ("nu", "T_c")  # how the names of the entries from one effective coupling begin
_FAR = 1e-3  # relative distance from the critical temperature that is worth a warning


def request(flow: File, critical_temperature: float | None, step: int | None = None) -> Request:
    """The file that these parameters define.

    Raises
    ------
    UsageError
        If the critical temperature is not positive and finite, or if the flow has no such step.
    """
    if critical_temperature is not None and not 0 < critical_temperature < math.inf:
        raise UsageError(
            f"--critical-temperature {critical_temperature}: must be positive and finite"
        )
    if step is not None and not 1 <= step <= FlowFile(flow).steps:
        raise UsageError(f"--step {step}: {flow.path} has steps 1 to {FlowFile(flow).steps}")
    parameters: dict[str, Any] = {"critical_temperature": critical_temperature}
    if step is not None:
        parameters["step"] = step
    return Request("exponent", "exponent", parameters, (flow,))


def run(
    file: File,
    critical_temperature: float | None,
    step: int | None,
    output: Path,
    options: RunOptions,
) -> None:
    """Analyse a flow file and store the answer."""
    with Session(output, request(file, critical_temperature, step), options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        flow = FlowFile(file)
        ensembles = ensembles_of(flow)
        result = _analysed(flow, ensembles, critical_temperature, step)
        _publish(session, flow, result)
    if "withheld" in result:
        log.warning("%s: the exponents are withheld: %s", output, result["withheld"])
    _warn_of_distance(output, result)
    _warn_of_short_blocks(flow, ensembles)
    for sentence in flow.attributes.get("contradictions", ()):
        log.warning("%s: %s", flow.path, sentence)


def _analysed(
    flow: FlowFile,
    ensembles: Sequence[FlowEnsemble],
    critical_temperature: float | None,
    step: int | None,
) -> dict[str, Any]:
    return reported(
        analyse(ensembles, scale_factor(flow), critical_temperature, flow.rules, step or STEP)
    )


def plan(file: File, critical_temperature: float | None, step: int | None) -> dict[str, Any]:
    """What a run would do and cost; the flow is analysed, and nothing is written."""
    flow = FlowFile(file)
    result, seconds = timed(lambda: _analysed(flow, ensembles_of(flow), critical_temperature, step))
    parameters = request(file, critical_temperature, step).parameters
    data = len(canonical_json(result))
    return {**parameters, "flow": str(file.path), **file_cost(seconds, data).plan}


def scale_factor(flow: FlowFile) -> float:
    """b, the factor by which one step shrinks lengths."""
    return float(np.prod(flow.block) ** (1 / len(flow.block)))


def _publish(session: Session, flow: FlowFile, result: dict[str, Any]) -> None:
    def fill(writer: Writer) -> None:
        writer.write("/result", np.bytes_(canonical_json(result)))
        for name in SECTORS:
            writer.write(f"/sequence/{name}", _sequence(result[name], "value"))
            writer.write(f"/sequence/{name}_error", _sequence(result[name], "error"))
        for name, matrix in result["covariance"].items():
            writer.write(f"/covariance/{name}", np.array(matrix, dtype=np.float64))

    session.publish(_attributes(flow), fill, 1 << 20)


def _attributes(flow: FlowFile) -> dict[str, Any]:
    """The attributes of the exponent file, which are those of the flow."""
    names = ("model", "model_parameters", "contradictions", "block", "components", "states")
    return {name: flow.attributes.get(name) for name in names}


def _sequence(rows: list[dict[str, Any]], key: str) -> NDArray[np.float64]:
    """One entry of the rows by step and number of operators, NaN where it is undefined."""
    steps, operators = (max(row[name] for row in rows) for name in ("step", "operators"))
    table = np.full((steps, operators), np.nan)
    for row in rows:
        if row[key] is not None:
            table[row["step"] - 1, row["operators"] - 1] = row[key]
    return table


# ---- warnings ------------------------------------------------------------------------------------


def _warn_of_distance(output: Path, result: dict[str, Any]) -> None:
    """Exponents hold only at the critical point."""
    temperature, critical = result["temperature"], result["critical_temperature"]
    if None not in (temperature, critical) and abs(temperature / critical - 1) <= _FAR:
        return
    if temperature is None:
        sentence = (
            "the temperature of the samples is unknown: the exponents hold only if it is the"
            " critical temperature"
        )
    else:
        known = "unknown" if critical is None else f"{critical:.6g}"
        sentence = (
            f"the exponents were measured at T = {temperature:.6g}, but exponents hold only at the"
            f" critical temperature ({known})"
        )
    log.warning("%s: %s", output, sentence)


def _warn_of_short_blocks(flow: FlowFile, ensembles: Sequence[FlowEnsemble]) -> None:
    sentences = [sentence for ensemble in ensembles for sentence in ensemble.short]
    for sentence in dict.fromkeys(sentences):
        log.warning("%s: %s", flow.path, sentence)


# ---- what the file says --------------------------------------------------------------------------


def summary(file: File) -> dict[str, Any]:
    """The stored answer, with the ``shape`` of the lattice, the rules of the flow, nu = 1/y_t, the
    exponents that follow from y_t and y_h, and an object of nu and T_c from one effective coupling.

    The shape is stored since format 1.4 if the sides differ. Older files have only ``size``, the
    first side, and a shape of None. The entries of the object also stand outside of it, where they
    have been up to version 0.4.0; they stay there for one version.
    """
    result = ResultFile(file).result
    new = tuple(file.attributes["format_version"]) >= (1, 4)
    headline, temperature = result["headline"], result["temperature"]
    return {
        "file": str(file.path),
        **subject(file),
        "shape": [result["size"]] * result["dimension"] if new else None,
        **rules_of(file),
        "block": list(file.attributes["block"]),
        "coupling": None if temperature is None else 1 / temperature,
        **result,
        "headline": {**headline, "nu": inverse(headline["y_t"])},
        "exponents": quoted(len(file.attributes["block"]), headline),
        "effective_coupling": {name: result[name] for name in result if name.startswith(_BIASED)},
    }


def inverse(row: dict[str, Any]) -> dict[str, Any]:
    """nu = 1/y_t with the error of y_t carried over, as a row of the headline."""
    value, error = row["value"], row["error"]
    if value is None:
        return row
    if value <= 0:
        return row | {"value": None, "error": None, "reason": "y_t is not positive"}
    return row | {"value": 1 / value, "error": error and error / value**2}


def quoted(dimension: int, headline: dict[str, Any]) -> dict[str, Any]:
    """The exponents that follow from y_t and y_h, with their errors carried over, as if these were
    independent."""
    rows = [headline[name] for name in ("y_t", "y_h")]
    found = quoted_exponents(
        dimension,
        rows[0]["value"],
        rows[1]["value"],
        (rows[0]["error"] or 0.0, rows[1]["error"] or 0.0),
    )
    return {name: {"value": value, "error": error} for name, (value, error) in found.items()}


def rules_of(file: File) -> dict[str, Any]:
    """``rule``, or ``rules`` of each step, of the flow behind an exponent file."""
    flows = [one["parameters"] for one in file.ancestors() if one["command"] == "flow"]
    return {name: flows[-1][name] for name in ("rule", "rules") if flows and name in flows[-1]}
