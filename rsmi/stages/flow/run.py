"""The run of a flow from any source, and the join of its shards."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from rsmi import models
from rsmi.engine.request import RunOptions
from rsmi.engine.session import Session
from rsmi.engine.tasks import Named
from rsmi.renormalization import kinds, operators, thermometer
from rsmi.renormalization.state_operators import operator_names
from rsmi.samples.flow_ensembles import FlowEnsemble, blocks_of_files, ensembles_of
from rsmi.samples.views import FlowFile, open_flow
from rsmi.stages.flow import from_files, in_flight
from rsmi.stages.flow.source import FlowSource
from rsmi.stages.flow.storage import contents
from rsmi.stages.joined import Contents, JoinedSession
from rsmi.stages.measurement import attributes_of, run_measurement
from rsmi.statistics.notation import with_error
from rsmi.store import File

log = logging.getLogger("rsmi")

_CRITICAL = 1e-3  # relative distance from T_c up to which an ensemble counts as critical
_WRONG = 3.0  # errors by which the effective coupling of samples differs from the stated coupling


def run(source: FlowSource, output: Path, options: RunOptions) -> None:
    """Measure the flow, or resume it."""

    def stored(session: Session, tasks: Sequence[Named]) -> Contents:
        return contents(*source.collect(session, tasks), source.dimension)

    if run_measurement(source, output, options, _attributes(source), stored):
        _warn(output, source)


def join(session: JoinedSession, shard: File) -> Contents:
    """What stores the sums of all streams of the session; ``shard`` is one of its shards."""
    sampled = "sampled" in shard.parameters
    return in_flight.join(session, shard) if sampled else from_files.join(session, shard)


def _attributes(source: FlowSource) -> dict:
    components, states = source.chosen.n_hidden, source.chosen.states
    names = operator_names(source.dimension, components, states)
    return {
        **attributes_of(source),
        **source.chosen.identity,
        "block": source.chosen.block,
        "steps": source.chosen.steps,
        "components": components if components > 1 else None,
        "component_flips": _flips_components(source) or None,
        "states": states if states > 2 else None,
        "even_operators": names["even"],
        "odd_operators": names["odd"],
    }


def _flips_components(source: FlowSource) -> bool:
    """Whether the flip of each component alone is a symmetry, of the samples and of the rules."""
    flips = models.of(source.system).component_flips and source.chosen.n_hidden > 1
    return flips and source.chosen.keeps_components


# ---- warnings ------------------------------------------------------------------------------------


def _warn(path: Path, source: FlowSource) -> None:
    """Log what a reader of the numbers must know."""
    if source.chosen.has_bias:
        log.warning(
            "a rule has a bias, which breaks the symmetry under a global flip: y_h assumes that"
            " odd operators vanish on average"
        )
    elif source.chosen.states == 2 and not models.of(source.system).symmetric(source.system):
        log.warning(
            "the samples are not known to be symmetric under a flip of all spins, and y_h assumes"
            " that odd operators vanish on average: if the flip is a symmetry, import them with"
            " --symmetric flip"
        )
    with open_flow(path) as flow:
        ensembles = ensembles_of(flow)
        _warn_of_short_blocks(flow, source.names)
        _warn_of_small_lattices(path, ensembles)
        _warn_of_drift(flow, ensembles, source.doubts)
        _warn_of_other_kinds(flow, ensembles)


def _warn_of_short_blocks(flow: FlowFile, names: list[str]) -> None:
    for name, (_, short) in zip(names, blocks_of_files(flow)):
        if short:
            log.warning("%s: %s", name, short)


def _warn_of_small_lattices(path: Path, ensembles: list[FlowEnsemble]) -> None:
    if any(operators.wraps(shape) for ensemble in ensembles for shape in ensemble.shapes):
        log.warning(
            "%s: on levels smaller than %d operators wrap around the lattice; they are marked",
            path,
            operators.smallest_size(ensembles[0].dimension),
        )


def _warn_of_drift(flow: FlowFile, ensembles: list[FlowEnsemble], doubts: Sequence[str]) -> None:
    """Warn of a rule without a fixed point, unless it may be the samples that are not critical."""
    for ensemble in filter(_is_critical, ensembles):
        effective = ensemble.effective()
        doubt = next((text for text in (*doubts, _doubt(ensemble, effective)) if text), "")
        sentence = thermometer.drift(
            effective,
            ensemble.shapes,
            flow.hard,
            ensemble.known.thermometer is not None,
            doubt,
        )
        if sentence:
            log.warning("%s: %s", flow.path, sentence)


def _warn_of_other_kinds(flow: FlowFile, ensembles: list[FlowEnsemble]) -> None:
    """Warn of a step that makes another kind of system and whose rule is applied again."""
    for ensemble in ensembles:
        changes = kinds.changes_of_kind(kinds.signs_of_neighbours(ensemble.neighbours))
        for step in range(2, flow.steps + 1):
            earlier = {n: reason for n, reason in changes.items() if n < step}
            withheld = kinds.why_withheld(earlier, flow.rules, step)
            if withheld:
                return log.warning("%s: %s", flow.path, withheld.sentence)


def _doubt(ensemble: FlowEnsemble, effective: thermometer.EffectiveCouplings) -> str:
    """Why samples that are said to be critical may not be so: a clause, or an empty text."""
    if ensemble.short:
        return "the samples are too few autocorrelation times to be trusted"
    value, error = float(effective.coupling.value[0]), float(effective.coupling.error[0])
    stated = ensemble.coupling
    if ensemble.rg_step or stated is None or not abs(value - stated) > _WRONG * error:
        return ""
    return (
        f"the samples are not critical or not in equilibrium: their energy is that of K ="
        f" {with_error(value, error)}, and K = {stated:.6f} is stated"
    )


def _is_critical(ensemble: FlowEnsemble) -> bool:
    """Whether samples at this temperature stay near the fixed point at all steps: a distance from
    T_c grows as the lattice shrinks, to the power y_t."""
    critical, coupling = ensemble.known.critical_temperature, ensemble.coupling
    if critical is None or coupling is None:
        return False
    distance = abs(coupling * critical - 1)
    shrunk = ensemble.shapes[0][0] / ensemble.shapes[-1][0]
    grown = distance * shrunk ** (ensemble.known.exponent("y_t") or 1.0)
    return distance < _CRITICAL and grown < thermometer.DRIFT / 2
