"""``rsmi train-lambda``: the coarse variables H of a block V that know most about the environment
E."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.keys import stream_key
from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.tasks import State
from rsmi.information import gauge
from rsmi.information.decoder import DecoderBound
from rsmi.samples.checks import cautions
from rsmi.samples.examination.stored import warn
from rsmi.samples.trained import (
    covariance,
    geometry_attributes,
    lattice_attributes,
    metric_parameters,
    on_all_sites,
    write_filters,
    write_mask,
)
from rsmi.samples.views import BLOCK_COVARIANCE, MachinesFile
from rsmi.samples.windows import WindowSet
from rsmi.stages.training import canonical, measures
from rsmi.stages.training.cost import cost
from rsmi.stages.training.hidden import HiddenOptions
from rsmi.stages.training.methods import Method, Restart
from rsmi.stages.training.rule_numbers import still_rising
from rsmi.stages.training.sector import SectorChoice
from rsmi.statistics.rounding import aligned, reported, significant
from rsmi.store import Writer

log = logging.getLogger("rsmi")


@dataclass(frozen=True)
class LambdaTraining:
    """A checked request and everything needed to run it.

    ``optimiser`` has the settings of the optimiser that were given, ``updates`` and
    ``learning_rate``; they are parameters of the file only then. ``choice`` is the sector.
    """

    windows: WindowSet
    machines: MachinesFile | None
    method: Method
    restarts: int
    seed: int
    optimiser: Mapping[str, Any] = field(default_factory=dict)
    choice: SectorChoice = field(default_factory=SectorChoice)
    options: HiddenOptions = field(default_factory=lambda: HiddenOptions(1))

    @property
    def request(self) -> Request:
        """The file that the command makes."""
        geometry, method = self.windows.geometry, self.method
        parameters = {
            "block": list(geometry.block),
            "buffer": geometry.buffer,
            "environment": geometry.environment,
            "windows": self.windows.count,
            "hidden": method.hidden,
            "objective": method.objective,
            "estimator": method.estimator,
            "bias": method.bias,
            "restarts": self.restarts,
            "seed": self.seed,
            **self.optimiser,
            **self.choice.parameters,
            **self.options.parameters,
            **metric_parameters(geometry),
            **self.environment_features,
        }
        machines = () if self.machines is None else (self.machines.file,)
        return Request("train-lambda", "lambda", parameters, (self.windows.source, *machines))

    @property
    def environment_features(self) -> dict[str, str]:
        """The further variables of the environment, as a parameter and an attribute."""
        name = self.windows.environment_features
        return {} if name is None else {"environment_features": name}

    @property
    def is_canonical(self) -> bool:
        """Whether the filters are canonical variables, whose correlations are stored."""
        return self.method.objective == canonical.OBJECTIVE

    def key(self, purpose: str, number: int) -> NDArray[np.uint64]:
        """The key of the random numbers for one purpose (a training, the fit of a decoder) and one
        restart."""
        return stream_key(
            self.seed, "train-lambda", self.windows.physics | {"purpose": purpose}, number
        )

    def tasks(self) -> Sequence[Restart]:
        """One task for every restart."""
        keys = [self.key("training", number) for number in range(self.restarts)]
        return self.method.restarts(self.windows, keys)

    def without_constraints(
        self, filters: NDArray[np.float64], bias: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Filters and biases in the gauge that is stored: orthogonal to the model's constraints,
        which are those of single variables and not of products. Canonical ones, which come from
        linear algebra, are rounded."""
        filters, bias = self._in_gauge(filters, bias)
        if not self.is_canonical:
            return filters, bias
        rounded = aligned(np.concatenate([filters, bias[..., np.newaxis]], axis=-1))
        return rounded[..., :-1], rounded[..., -1]

    def _in_gauge(
        self, filters: NDArray[np.float64], bias: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.windows.products is not None:
            return filters, bias
        if self.windows.units is not None:
            return self.windows.units.canonical(filters, bias)
        samples = self.windows.samples
        constraints = samples.model.constraints(self.windows.geometry, samples.attributes)
        return gauge.without_constraints(filters, bias, constraints)


# ---- the run -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrainedRule:
    """The rule of one restart, in the gauge that is stored.

    Attributes
    ----------
    filters : ndarray of float64, (hidden, n_features)
    bias : ndarray of float64, (hidden,)
    signs : ndarray of float64, (hidden,)
        The sign by which each filter was multiplied.
    order : ndarray of int64, (hidden,), optional
        The filters of the training in the order in which they are stored.
    """

    filters: NDArray[np.float64]
    bias: NDArray[np.float64]
    signs: NDArray[np.float64]
    order: NDArray[np.int64] | None = None

    def stored(self, filters: NDArray[np.float64]) -> NDArray[np.float64]:
        """The filters (..., hidden, n_features) of the course of the training, as those of its end
        are stored."""
        ordered = filters if self.order is None else filters[..., self.order, :]
        return ordered * self.signs[:, None]


@dataclass(frozen=True)
class Outcome:
    """All restarts, and the decoder bounds of the best one."""

    tasks: Sequence[Restart]
    rules: list[TrainedRule]
    bounds: list[DecoderBound]
    best: int
    hard: DecoderBound
    shuffled: DecoderBound

    @property
    def rule(self) -> TrainedRule:
        """The rule of the best restart."""
        return self.rules[self.best]

    @property
    def soft(self) -> DecoderBound:
        """The bound of the best rule."""
        return self.bounds[self.best]


def run(work: LambdaTraining, output: Path, options: RunOptions) -> None:
    """Train, choose among the restarts and evaluate; or resume."""
    with Session(output, work.request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        warn(work.windows.source)
        for sentence in cautions(work.windows):
            log.warning("%s: %s", output, sentence)
        tasks = work.tasks()
        session.run(tasks, f"training {work.method.objective}", "epoch")
        outcome = _evaluated(session, work, tasks)
        _warn(output, work, outcome)
        _warn_of_rise(session, output, work, outcome)
        _publish(session, work, outcome)


def _evaluated(session: Session, work: LambdaTraining, tasks: Sequence[Restart]) -> Outcome:
    rules = [_rule(work, task, session.state(task)) for task in tasks]
    bounds = [
        _bound(session, work, f"bound-{number:02d}", rule, hard=False)
        for number, rule in enumerate(rules)
    ]
    best = _best(session, work, tasks, bounds)
    return Outcome(
        tasks,
        rules,
        bounds,
        best,
        hard=_bound(session, work, "bound-hard", rules[best], hard=True),
        shuffled=_bound(session, work, "bound-shuffled", rules[best], hard=False, shuffle=True),
    )


def _rule(work: LambdaTraining, task: Restart, state: State) -> TrainedRule:
    filters, bias = work.without_constraints(*task.rule(state))
    units = work.windows.units
    if units is None:
        return TrainedRule(*gauge.positive(filters, bias))
    order, signs = units.order(filters), units.signs(filters)
    return TrainedRule(signs[:, None] * filters[order], signs * bias[order], signs, order)


def _best(
    session: Session, work: LambdaTraining, tasks: Sequence[Restart], bounds: list[DecoderBound]
) -> int:
    """The number of the best restart: by its bound, or by its own objective if the method knows
    only the block."""
    if work.method.block_alone:
        return int(np.argmax([session.rows(task).read("objective")[-1] for task in tasks]))
    return int(np.argmax([bound.value for bound in bounds]))


def _bound(
    session: Session,
    work: LambdaTraining,
    name: str,
    rule: TrainedRule,
    *,
    hard: bool,
    shuffle: bool = False,
) -> DecoderBound:
    """A decoder bound, which is kept with the parts."""

    def compute() -> State:
        bound = measures.bound(
            work.windows,
            rule.filters,
            rule.bias,
            work.key(name, 0),
            hard=hard,
            shuffle=shuffle,
            n_units=work.method.decoder_units,
        )
        return {"bound": np.array(bound)}

    return DecoderBound(*map(float, session.once(name, compute)["bound"]))


def _warn(output: Path, work: LambdaTraining, outcome: Outcome) -> None:
    method = work.method
    for sentence in [
        *measures.cost_of_decoder(work.windows, method.decoder_units, outcome.soft, method.hidden),
        *measures.cautions(outcome.soft, outcome.hard, outcome.shuffled),
        *measures.idle_units(outcome.rule.filters, bool(work.windows.hidden(method.hidden).states)),
    ]:
        log.warning("%s: %s", output, sentence)


def _warn_of_rise(session: Session, output: Path, work: LambdaTraining, outcome: Outcome) -> None:
    curve = session.rows(outcome.tasks[outcome.best]).read("objective")
    sentence = still_rising(work.method.objective, curve)
    if sentence:
        log.warning("%s: %s", output, sentence)


# ---- the file ------------------------------------------------------------------------------------


def _publish(session: Session, work: LambdaTraining, outcome: Outcome) -> None:
    windows, rule = work.windows, outcome.rule
    explained, of_units = measures.explained(windows, rule.filters, rule.bias)
    exact = measures.exact_attributes(windows, rule.filters, rule.bias)
    pairs, of_pairs = canonical.measures(windows) if work.is_canonical else ({}, {})
    for sentence in measures.cautions_beside_exact(outcome.soft, outcome.hard, exact):
        log.warning("%s: %s", session.output, sentence)
    attributes = {
        **lattice_attributes(windows.samples),
        **geometry_attributes(windows.geometry),
        "objective": work.method.objective,
        "estimator": work.method.estimator,
        "sector": work.choice.stored,
        **work.environment_features,
        **_units_attributes(windows),
        "windows": windows.count,
        "restart": outcome.best,
        **reported(
            {
                **measures.bound_attributes(outcome.soft, outcome.hard, outcome.shuffled),
                **exact,
                **explained,
                **pairs,
            }
        ),
    }

    def fill(writer: Writer) -> None:
        write_mask(writer, windows.geometry)
        _write_rules(writer, work, outcome)
        _write_curves(writer, session, work, outcome)
        for name, values in reported(of_units | of_pairs).items():
            writer.write(name, values)
        writer.write("/split/held_out", windows.split.held_out)

    session.publish(attributes, fill, 1 << 22)


def _units_attributes(windows: WindowSet) -> dict[str, Any]:
    """A hidden unit with several states as attributes of a file."""
    units = windows.units
    if units is None or not units.states:
        return {}
    return {"hidden_states": units.states, "filter_form": "tied" if units.tied else "free"}


def _write_rules(writer: Writer, work: LambdaTraining, outcome: Outcome) -> None:
    windows, rules = work.windows, outcome.rules
    filters = np.array([rule.filters for rule in rules])
    write_filters(writer, windows, outcome.rule.filters)
    if windows.units is not None and windows.units.features is not None:
        writer.write("/features", windows.units.features)
    elif windows.products is None:
        writer.write(BLOCK_COVARIANCE, covariance(windows.all.blocks))
        for name, values in canonical.rotation(windows, outcome.rule.filters).items():
            writer.write(name, values)
    writer.write("/bias", outcome.rule.bias)
    writer.write("/restarts/filters", on_all_sites(windows, filters))
    writer.write("/restarts/bias", np.array([rule.bias for rule in rules]))
    writer.write("/restarts/bound", significant([bound.value for bound in outcome.bounds]))


def _write_curves(writer: Writer, session: Session, work: LambdaTraining, outcome: Outcome) -> None:
    curves = [session.rows(task) for task in outcome.tasks]
    filters = [
        rule.stored(work.without_constraints(curve.read("filters"), curve.read("bias"))[0])
        for curve, rule in zip(curves, outcome.rules)
    ]
    writer.write("/curve/step", outcome.tasks[0].steps)
    writer.write("/curve/objective", np.array([curve.read("objective") for curve in curves]))
    writer.write("/curve/filters", on_all_sites(work.windows, np.array(filters)))


# ---- what a run would do -------------------------------------------------------------------------


def plan(work: LambdaTraining) -> dict:
    """What a run would do."""
    return {**work.request.parameters, **work.method.plan(work.windows), **cost(work).plan}
