"""``rsmi train-lambda``: the coarse variables H of a block V that know most of the environment
E."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from rsmi import models
from rsmi.engine.keys import stream_key
from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.tasks import State
from rsmi.errors import UsageError
from rsmi.information import gauge
from rsmi.information.decoder import DecoderBound
from rsmi.information.training import default_settings
from rsmi.kernels.decoder import parameter_count
from rsmi.lattice.geometry import Geometry, parse_block, shape_text
from rsmi.samples.files import open_file
from rsmi.samples.windows import (
    WindowSet,
    geometry_attributes,
    lattice_attributes,
    stored_geometry,
    whole_block,
    write_mask,
)
from rsmi.stages.training import measures as rule_measures
from rsmi.stages.training.methods import Ascent, Explanation, Likelihood, Method, Restart
from rsmi.stages.training.theta import default_schedule
from rsmi.store import File

log = logging.getLogger("rsmi")

_WINDOWS_PER_PARAMETER = (
    10  # at least: a decoder of p parameters fitted to n windows loses about p/2n nats
)
_ENUMERABLE = 16  # block sites whose states are summed over
ESTIMATORS = {
    "proxy": ("pairs", "mcmc", "gaussian"),
    "likelihood": ("cd", "pcd"),
    "total-correlation": (),
}


@dataclass(frozen=True)
class LambdaTraining:
    """A checked request and everything needed to run it."""

    windows: WindowSet
    theta: File | None
    method: Method
    restarts: int
    seed: int

    @property
    def request(self) -> Request:
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
        }
        return Request(
            "train-lambda",
            "lambda",
            parameters,
            (self.windows.source, *((self.theta,) if self.theta else ())),
        )

    def key(self, purpose: str, number: int) -> np.ndarray:
        """Stream of one purpose (training, decoder fits) and restart."""
        return stream_key(
            self.seed, "train-lambda", self.windows.physics | {"purpose": purpose}, number
        )

    def tasks(self) -> list[Restart]:
        return self.method.restarts(
            self.windows, [self.key("training", number) for number in range(self.restarts)]
        )


# ---- the request ---------------------------------------------------------------------------------


@contextlib.contextmanager
def prepare(
    samples: Path,
    theta: Path | None,
    *,
    block: str | None,
    buffer: int | None,
    environment: int | None,
    windows: int,
    hidden: int,
    objective: str | None,
    estimator: str | None,
    bias: str,
    restarts: int,
    seed: int,
):
    """Open the inputs and check that everything fits; None stands for what theta or the defaults
    say."""
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_file(samples, "samples"))
        machines = stack.enter_context(open_file(theta, "theta")) if theta else None
        geometry = (
            _geometry_with(machines, block, buffer, environment)
            if machines
            else _geometry(block, buffer, environment)
        )
        objective = objective or _default_objective(machines, estimator)
        chosen = WindowSet(source, geometry, windows, seed)
        _check_objective(objective, estimator, chosen.geometry, machines, source)
        chosen.check()
        machines = machines if _needs_theta(objective, estimator) else None
        method = _method(objective, estimator, hidden, bias, chosen, machines)
        decoder = parameter_count(chosen.geometry.n_environment, 0, hidden)
        chosen.require(
            max(2 * method.batch, _WINDOWS_PER_PARAMETER * decoder),
            f"a decoder of {decoder} parameters",
        )
        yield LambdaTraining(chosen, machines, method, restarts, seed)


def _default_objective(machines: File | None, estimator: str | None) -> str:
    if estimator in ESTIMATORS["likelihood"]:
        return "likelihood"
    return "proxy" if machines or estimator == "gaussian" else "decoder"


def _method(
    objective: str,
    estimator: str | None,
    hidden: int,
    bias: str,
    windows: WindowSet,
    machines: File | None,
) -> Method:
    if objective == "total-correlation":
        return Explanation(hidden, bias)
    if objective == "likelihood":
        schedule = default_schedule(windows)
        return Likelihood(
            replace(
                schedule,
                hidden=hidden,
                persistent=estimator == "pcd" if estimator else schedule.persistent,
            ),
            bias,
        )
    own = windows.model.checked_training("train-lambda", windows.geometry, objective, estimator)
    settings = default_settings(
        objective,
        hidden,
        windows.geometry.n_block,
        **own,
        estimator=estimator or "pairs",
        bias=bias,
    )
    return Ascent(settings, machines)


def _geometry(block: str | None, buffer: int | None, environment: int | None) -> Geometry:
    if block is None:
        raise UsageError(
            "give the geometry by --block (with --buffer and --environment), or by --theta"
        )
    return Geometry(
        parse_block(block),
        1 if buffer is None else buffer,
        1 if environment is None else environment,
    )


def _geometry_with(
    theta: File, block: str | None, buffer: int | None, environment: int | None
) -> Geometry:
    """The geometry theta was trained on; what is given again must agree."""
    stored = {name: theta.attributes[name] for name in ("block", "buffer", "environment")}
    given = {
        "block": parse_block(block) if block else None,
        "buffer": buffer,
        "environment": environment,
    }
    for name, value in given.items():
        if value is not None and value != stored[name]:
            shown = {
                k: shape_text(v[name]) if name == "block" else v[name]
                for k, v in (("given", given), ("stored", stored))
            }
            raise UsageError(
                f"--{name} {shown['given']} contradicts {theta.path}, which was trained with {name}"
                f" {shown['stored']}"
            )
    return stored_geometry(theta.attributes)


def _check_machines(theta: File, geometry: Geometry) -> None:
    if (theta.read("/mask").tolist() if "/mask" in theta else None) != (
        None if geometry.live is None else list(geometry.live)
    ):
        raise UsageError(f"{theta.path}: was trained on blocks of which other sites carry data")
    if (
        theta.shape("/joint/weights")[0] != geometry.n_block + geometry.n_environment
        or theta.shape("/block/weights")[0] != geometry.n_block
    ):
        raise UsageError(f"{theta.path}: its machines do not fit its geometry ({geometry})")


def _needs_theta(objective: str, estimator: str | None) -> bool:
    return objective in ("proxy", "logsum", "enumerate") and not (
        objective == "proxy" and estimator == "gaussian"
    )


def _check_objective(
    objective: str, estimator: str | None, geometry: Geometry, theta: File | None, source: File
) -> None:
    allowed = ESTIMATORS.get(
        objective, ESTIMATORS["proxy"]
    )  # which the other objectives leave alone
    if estimator and estimator not in allowed:
        raise UsageError(
            f"--objective {objective} has no --estimator {estimator}"
            + (f"; its own are {', '.join(allowed)}" if allowed else "")
        )
    if not _needs_theta(objective, estimator):
        return
    if theta is None:
        raise UsageError(
            f"--objective {objective} needs the Boltzmann machines: give --theta (from 'rsmi"
            " train-theta'), or take --objective decoder"
        )
    if objective == "enumerate" and geometry.n_block > _ENUMERABLE:
        raise UsageError(
            f"--objective enumerate sums over 2^{geometry.n_block} block states; {_ENUMERABLE}"
            " sites are the most: take proxy or decoder"
        )
    if theta.attributes.get("components", 1) != geometry.components:
        raise UsageError(
            f"{theta.path} was trained on samples of {theta.attributes.get('components', 1)}"
            f" components per site, {source.path} has {geometry.components}"
        )
    for name in ("model", "coupling", "rg_step"):
        ours, theirs = source.attributes.get(name), theta.attributes.get(name)
        if ours != theirs:
            raise UsageError(
                f"{theta.path} was trained on samples with {name} {theirs}, {source.path} has"
                f" {ours}"
            )
    _check_machines(theta, geometry)


# ---- the run -------------------------------------------------------------------------------------


def run(work: LambdaTraining, output: Path, options: RunOptions) -> None:
    """Train, choose among the restarts and evaluate; or resume."""
    with Session(output, work.request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        for sentence in work.windows.cautions():
            log.warning("%s: %s", output, sentence)
        tasks = work.tasks()
        session.run(tasks, f"training {work.method.objective}", "epoch")
        rules = [_rule(work, task, session.state(task)) for task in tasks]
        bounds = [
            _bound(session, work, f"bound-{number:02d}", rule, hard=False)
            for number, rule in enumerate(rules)
        ]
        best = int(
            np.argmax(
                [session.rows(task).read("objective")[-1] for task in tasks]
                if work.method.block_alone
                else [bound.value for bound in bounds]
            )
        )
        hard = _bound(session, work, "bound-hard", rules[best], hard=True)
        shuffled = _bound(session, work, "bound-shuffled", rules[best], hard=False, shuffle=True)
        for sentence in [
            *rule_measures.cautions(bounds[best], hard, shuffled),
            *rule_measures.idle_units(rules[best][0]),
        ]:
            log.warning("%s: %s", output, sentence)
        _publish(
            session,
            work,
            tasks,
            rules,
            bounds,
            best,
            rule_measures.bound_attributes(bounds[best], hard, shuffled),
        )


def _rule(
    work: LambdaTraining, task: Restart, state: State
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Filters and biases of +-1 in the gauge that is stored, and the signs that made them so."""
    return gauge.positive(*_without_constraints(work, *task.rule(state)))


def _without_constraints(
    work: LambdaTraining, filters: np.ndarray, bias: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    windows = work.windows
    constraints = windows.model.constraints(windows.geometry, windows.source.attributes)
    return gauge.without_constraints(filters, bias, constraints)


def _bound(
    session: Session, work: LambdaTraining, name: str, rule, *, hard: bool, shuffle: bool = False
) -> DecoderBound:
    """A bound, kept with the parts."""
    filters, bias, _ = rule

    def compute() -> State:
        return {
            "bound": np.array(
                rule_measures.bound(
                    work.windows, filters, bias, work.key(name, 0), hard=hard, shuffle=shuffle
                )
            )
        }

    return DecoderBound(*map(float, session.once(name, compute)["bound"]))


def _publish(
    session: Session,
    work: LambdaTraining,
    tasks: list[Restart],
    rules,
    bounds,
    best: int,
    measured: dict,
) -> None:
    filters, bias, _ = rules[best]
    explained, of_units = rule_measures.explained(work.windows, filters, bias)
    attributes = {
        **lattice_attributes(work.windows.source),
        **geometry_attributes(work.windows.geometry),
        "objective": work.method.objective,
        "estimator": work.method.estimator,
        "windows": work.windows.count,
        "restart": best,
        **measured,
        **rule_measures.exact_attributes(work.windows, filters, bias),
        **explained,
    }

    whole = partial(whole_block, work.windows.geometry)

    def fill(writer):
        write_mask(writer, work.windows.geometry)
        writer.write("/filters", whole(filters))
        writer.write("/bias", bias)
        writer.write("/restarts/filters", whole(np.array([rule[0] for rule in rules])))
        writer.write("/restarts/bias", np.array([rule[1] for rule in rules]))
        writer.write("/restarts/bound", np.array([bound.value for bound in bounds]))
        writer.write("/curve/step", tasks[0].steps)
        curves = [session.rows(task) for task in tasks]
        writer.write("/curve/objective", np.array([curve.read("objective") for curve in curves]))
        writer.write(
            "/curve/filters",
            whole(
                np.array(
                    [
                        _without_constraints(
                            work, *(curve.read(name) for name in ("filters", "bias"))
                        )[0]
                        * rule[2][:, None]
                        for curve, rule in zip(curves, rules)
                    ]
                )
            ),
        )
        for name, values in of_units.items():
            writer.write(name, values)
        writer.write("/split/held_out", work.windows.held_out_configurations)

    session.publish(attributes, fill, 1 << 22)


# ---- what it says --------------------------------------------------------------------------------


def plan(work: LambdaTraining) -> dict:
    """What a run would do."""
    return {**work.request.parameters, **work.method.plan(work.windows)}


def share(attributes: dict, rule: str = "") -> float | None:
    """I(H:E)/I(V:E) of the hard rule (``rule="_soft"``: of the soft one), both exact; None where
    they are not known."""
    information, whole = (
        attributes.get(f"mutual_information_exact{rule}"),
        attributes.get("mutual_information_block"),
    )
    return information / whole if information is not None and whole else None


def summary(file: File) -> dict:
    """The learned rule and what it knows; filters are nested lists, hidden x (components, if
    several) x block shape."""
    numbers = (
        "mutual_information mutual_information_error mutual_information_hard"
        " mutual_information_hard_error mutual_information_exact mutual_information_exact_error"
        " mutual_information_exact_soft mutual_information_block mutual_information_shuffled"
        " entropy_h entropy_h_hard total_correlation total_correlation_error"
        " total_correlation_bound total_correlation_bound_error total_correlation_block"
    ).split()
    attributes = file.attributes
    filters = file.read("/filters")
    components = [attributes["components"]] if attributes.get("components", 1) > 1 else []
    return {
        "file": str(file.path),
        "block": list(attributes["block"]),
        "buffer": attributes["buffer"],
        "environment": attributes["environment"],
        "objective": attributes["objective"],
        "estimator": attributes.get("estimator"),
        **{name: attributes.get(name) for name in numbers},
        "mutual_information_share": share(attributes),
        "filters": filters.reshape(len(filters), *components, *attributes["block"]).tolist(),
        "bias": file.read("/bias").tolist(),
        "restart": attributes["restart"],
        "total_correlation_units": (
            file.read("/total_correlation/units").tolist()
            if "total_correlation" in attributes
            else None
        ),
        **models.of(attributes).rule_summary(file),
    }
