"""What a flow file says: effective couplings along the flow, as JSON values."""

from __future__ import annotations

from typing import Any

from rsmi.renormalization import operators, thermometer
from rsmi.samples.flow_ensembles import FlowEnsemble, ensembles_of, interactions
from rsmi.samples.subject import subject
from rsmi.samples.views import FlowFile
from rsmi.store import File


def summary(file: File) -> dict:
    """The rules, and effective couplings along the flow with one entry for every temperature."""
    flow = FlowFile(file)
    ensembles = ensembles_of(flow)
    return {
        "file": str(flow.path),
        **subject(file),
        **{name: flow.attributes[name] for name in ("rule", "rules") if name in flow.attributes},
        "block": list(flow.block),
        "flows": [_entry(*pair) for pair in zip(ensembles, interactions(flow, ensembles))],
    }


def _entry(ensemble: FlowEnsemble, interactions: list[dict[str, Any]] | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "temperature": ensemble.temperature,
        "coupling": ensemble.coupling,
        "shape": list(ensemble.shapes[0]),
        "blocks": len(ensemble.sums["counts"]),
        "steps": _steps(ensemble),
        "interactions": interactions,
    }
    if ensemble.coupling is None:
        return entry | {"reason": "the temperature of the samples is unknown"}
    if ensemble.known.thermometer is None:
        return entry | {"reason": ensemble.known.no_thermometer}
    return entry


def _steps(ensemble: FlowEnsemble) -> list[dict[str, Any]]:
    rows = thermometer.flow_rows(ensemble.effective(), ensemble.shapes)
    steps = [
        row | {"shape": list(shape), "wraps": operators.wraps(shape)}
        for row, shape in zip(rows, ensemble.shapes)
    ]
    if ensemble.coupling is None:
        return [row | {"coupling_eff": None, "coupling_eff_error": None} for row in steps]
    return steps
