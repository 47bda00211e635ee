"""``rsmi train-lambda``: the coarse variables H of a block V that know most of the environment E."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rsmi.errors import Failure, UsageError
from rsmi.information import exact, gauge
from rsmi.information.decoder import DecoderBound, check_bounds, decoder_bound, fit_decoder
from rsmi.information.gaussian import gaussian_critic
from rsmi.information.objectives import LambdaProblem, LambdaSettings, ThetaPair
from rsmi.information.training import advance, default_settings, filters_of, initial_state
from rsmi.kernels.decoder import parameter_count
from rsmi.lattice.geometry import Geometry, parse_block, shape_text
from rsmi.stages import dimer_info
from rsmi.stages.runner import Request, Rows, RunOptions, Session, State, restoring
from rsmi.stages.streams import stream_key
from rsmi.stages.windows import Windows, WindowSet, geometry_attributes, lattice_attributes, stored_geometry
from rsmi.store import File, open_file

log = logging.getLogger("rsmi")

_WINDOWS_PER_PARAMETER = 10  # at least: a decoder of p parameters fitted to n windows loses about p/2n nats
_BOUND_ENTRIES = 1 << 23  # windows times states h at most of a bound
_ENUMERABLE = 16  # block sites whose states are summed over


@dataclass
class Restart:
    """The task of one training from one random start: a row is one epoch of minibatches."""

    number: int
    problem: LambdaProblem
    settings: LambdaSettings
    key: np.ndarray

    @property
    def name(self) -> str:
        return f"restart-{self.number:02d}"

    @property
    def total(self) -> int:
        return -(-self.settings.total_steps // self.settings.steps_per_epoch)

    @property
    def n_block(self) -> int:
        return self.problem.blocks.shape[1]

    def begin(self):
        return 0, initial_state(self.n_block, self.problem.environments.shape[1], self.key, self.settings)

    def advance(self, state: State, start: int, count: int) -> Rows:
        with restoring(state):
            rows = [self._epoch(state, epoch) for epoch in range(start + 1, start + count + 1)]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    def _epoch(self, state: State, epoch: int) -> Rows:
        try:
            return advance(state, self.problem, self.settings, 1)
        except FloatingPointError as error:
            advice = "the machines' energies are too large: train theta again with a smaller --learning-rate" if self.problem.theta else "change --seed or --windows"
            raise Failure(f"restart {self.number}: the training diverged in epoch {epoch} of {self.total} ({error}): {advice}") from error


@dataclass(frozen=True)
class LambdaTraining:
    """A checked request and everything needed to run it."""

    windows: WindowSet
    theta: File | None
    settings: LambdaSettings
    restarts: int
    seed: int

    @property
    def request(self) -> Request:
        geometry, settings = self.windows.geometry, self.settings
        parameters = {
            "block": list(geometry.block),
            "buffer": geometry.buffer,
            "environment": geometry.environment,
            "windows": self.windows.count,
            "hidden": settings.n_hidden,
            "objective": settings.objective,
            "estimator": settings.estimator if settings.objective == "proxy" else None,
            "bias": settings.bias,
            "restarts": self.restarts,
            "seed": self.seed,
        }
        return Request("train-lambda", "lambda", parameters, (self.windows.source, *((self.theta,) if self.theta else ())))

    def key(self, purpose: str, number: int) -> np.ndarray:
        """Stream of one purpose (training, decoder fits) and restart."""
        return stream_key(self.seed, "train-lambda", {"purpose": purpose}, number)

    def tasks(self) -> list[Restart]:
        training, by_gaussian = self.windows.training, self.settings.method == "gaussian"
        problem = LambdaProblem(
            training.blocks,
            training.environments,
            theta=_machines(self.theta) if self.theta else None,
            means=self.windows.means,
            critic=gaussian_critic(training.blocks, training.environments) if by_gaussian else None,
        )
        return [Restart(number, problem, self.settings, self.key("training", number)) for number in range(self.restarts)]


def _machines(theta: File) -> ThetaPair:
    names = ("joint/weights", "joint/visible_bias", "joint/hidden_bias", "block/weights", "block/visible_bias", "block/hidden_bias")
    return ThetaPair(*(theta.read("/" + name).astype(np.float64) for name in names))


# ---- the request ----------------------------------------------------------------------------------------------------

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
    estimator: str,
    bias: str,
    restarts: int,
    seed: int,
):
    """Open the inputs and check that everything fits; None stands for what theta or the defaults say."""
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_file(samples, "samples"))
        machines = stack.enter_context(open_file(theta, "theta")) if theta else None
        geometry = _geometry_with(machines, block, buffer, environment) if machines else _geometry(block, buffer, environment)
        objective = objective or ("proxy" if machines or estimator == "gaussian" else "decoder")
        chosen = WindowSet(source, geometry, windows, seed)
        _check_objective(objective, estimator, chosen.geometry, machines, source)
        chosen.check()
        geometry = chosen.geometry
        settings = default_settings(objective, hidden, geometry.n_block, source.attributes["model"], estimator=estimator, bias=bias)
        decoder = parameter_count(geometry.n_environment, 0, hidden)
        chosen.require(max(2 * settings.batch, _WINDOWS_PER_PARAMETER * decoder), f"a decoder of {decoder} parameters")
        yield LambdaTraining(chosen, machines if _needs_theta(objective, estimator) else None, settings, restarts, seed)


def _geometry(block: str | None, buffer: int | None, environment: int | None) -> Geometry:
    if block is None:
        raise UsageError("give the geometry by --block (with --buffer and --environment), or by --theta")
    return Geometry(parse_block(block), 1 if buffer is None else buffer, 1 if environment is None else environment)


def _geometry_with(theta: File, block: str | None, buffer: int | None, environment: int | None) -> Geometry:
    """The geometry theta was trained on; what is given again must agree."""
    stored = {name: theta.attributes[name] for name in ("block", "buffer", "environment")}
    given = {"block": parse_block(block) if block else None, "buffer": buffer, "environment": environment}
    for name, value in given.items():
        if value is not None and value != stored[name]:
            shown = {k: shape_text(v[name]) if name == "block" else v[name] for k, v in (("given", given), ("stored", stored))}
            raise UsageError(f"--{name} {shown['given']} contradicts {theta.path}, which was trained with {name} {shown['stored']}")
    geometry = stored_geometry(theta.attributes)
    if theta.shape("/joint/weights")[0] != geometry.n_block + geometry.n_environment or theta.shape("/block/weights")[0] != geometry.n_block:
        raise UsageError(f"{theta.path}: its machines do not fit its geometry ({geometry})")
    return geometry


def _needs_theta(objective: str, estimator: str) -> bool:
    return objective != "decoder" and not (objective == "proxy" and estimator == "gaussian")


def _check_objective(objective: str, estimator: str, geometry: Geometry, theta: File | None, source: File) -> None:
    if not _needs_theta(objective, estimator):
        return
    if theta is None:
        raise UsageError(f"--objective {objective} needs the Boltzmann machines: give --theta (from 'rsmi train-theta'), or take --objective decoder")
    if objective == "enumerate" and geometry.n_block > _ENUMERABLE:
        raise UsageError(f"--objective enumerate sums over 2^{geometry.n_block} block states; {_ENUMERABLE} sites are the most: take proxy or decoder")
    if theta.attributes.get("components", 1) != geometry.components:
        raise UsageError(f"{theta.path} was trained on samples of {theta.attributes.get('components', 1)} components per site, {source.path} has {geometry.components}")
    for name in ("model", "coupling", "rg_step"):
        ours, theirs = source.attributes.get(name), theta.attributes.get(name)
        if ours != theirs:
            raise UsageError(f"{theta.path} was trained on samples with {name} {theirs}, {source.path} has {ours}")


# ---- the run --------------------------------------------------------------------------------------------------------

def run(work: LambdaTraining, output: Path, options: RunOptions) -> None:
    """Train, choose among the restarts and evaluate; or resume."""
    with Session(output, work.request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        for sentence in work.windows.cautions():
            log.warning("%s: %s", output, sentence)
        tasks = work.tasks()
        session.run(tasks, f"training {work.settings.objective}", "epoch")
        rules = [_rule(work, session.state(task)) for task in tasks]
        bounds = [_bound(session, work, f"bound-{task.number:02d}", rule, hard=False) for task, rule in zip(tasks, rules)]
        best = int(np.argmax([bound.value for bound in bounds]))
        hard = _bound(session, work, "bound-hard", rules[best], hard=True)
        shuffled = _bound(session, work, "bound-shuffled", rules[best], hard=False, shuffle=True)
        _warn(output, bounds[best], hard, shuffled)
        _publish(session, work, tasks, rules, bounds, best, hard, shuffled)


def _rule(work: LambdaTraining, state: State) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Filters and biases of +-1 in the gauge that is stored, and the signs that made them so."""
    geometry, means = work.windows.geometry, work.windows.means
    filters, bias = filters_of(state, work.settings, geometry.n_block, means and means[0])
    return gauge.positive(*_without_stars(work, filters, bias))


def _without_stars(work: LambdaTraining, filters: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    geometry = work.windows.geometry
    return gauge.without_stars(filters, bias, geometry.block, geometry.components) if work.windows.dimers else (filters, bias)


def _bound(session: Session, work: LambdaTraining, name: str, rule, *, hard: bool, shuffle: bool = False) -> DecoderBound:
    """Fit a decoder on the training windows and evaluate the bound on the held-out ones; kept with the parts."""
    filters, bias, _ = rule
    training = work.windows.training
    held_out = work.windows.held_out.thinned(_BOUND_ENTRIES >> len(filters))

    def compute() -> State:
        inside, outside = (_environments(windows, shuffle) for windows in (training, held_out))
        means = work.windows.means
        decoder = fit_decoder(filters, bias, hard, training.blocks, inside, work.key(name, 0), environment_mean=means and means[1])
        found = decoder_bound(decoder, filters, bias, hard, held_out.blocks, outside, held_out.configurations)
        return {"bound": np.array(found)}

    return DecoderBound(*map(float, session.once(name, compute)["bound"]))


def _environments(windows: Windows, shuffle: bool) -> np.ndarray:
    """The environments, or those of windows half the data away: of another configuration."""
    return np.ascontiguousarray(np.roll(windows.environments, len(windows) // 2, axis=0)) if shuffle else windows.environments


def _warn(output: Path, soft: DecoderBound, hard: DecoderBound, shuffled: DecoderBound) -> None:
    """Say what a reader of the numbers must know."""
    for bound in (soft, hard):
        sentence = check_bounds(*bound)
        if sentence:
            log.warning("%s: %s", output, sentence)
    if shuffled.value > 0.002 + 3 * shuffled.error:
        log.warning("%s: the control with shuffled environments gives %.4f nats: the configurations are not independent", output, shuffled.value)


def _publish(session: Session, work: LambdaTraining, tasks, rules, bounds, best: int, hard: DecoderBound, shuffled: DecoderBound) -> None:
    filters, bias, _ = rules[best]
    attributes = {
        **lattice_attributes(work.windows.source),
        **geometry_attributes(work.windows.geometry),
        "objective": work.settings.objective,
        "estimator": work.settings.estimator if work.settings.objective == "proxy" else None,
        "windows": work.windows.count,
        "restart": best,
        "mutual_information": bounds[best].value,
        "mutual_information_error": bounds[best].error,
        "mutual_information_hard": hard.value,
        "mutual_information_hard_error": hard.error,
        "mutual_information_shuffled": shuffled.value,
        "entropy_h": bounds[best].entropy,
        "entropy_h_hard": hard.entropy,
        **_exact_attributes(work.windows, filters, bias),
    }

    def fill(writer):
        writer.write("/filters", filters)
        writer.write("/bias", bias)
        writer.write("/restarts/filters", np.array([rule[0] for rule in rules]))
        writer.write("/restarts/bias", np.array([rule[1] for rule in rules]))
        writer.write("/restarts/bound", np.array([bound.value for bound in bounds]))
        writer.write("/curve/step", np.minimum(np.arange(1, tasks[0].total + 1) * work.settings.steps_per_epoch, work.settings.total_steps))
        curves = [session.rows(task) for task in tasks]
        writer.write("/curve/objective", np.array([curve.read("objective") for curve in curves]))
        writer.write("/curve/filters", np.array([_without_stars(work, *(curve.read(name) for name in ("filters", "bias")))[0] * rule[2][:, None] for curve, rule in zip(curves, rules)]))
        writer.write("/split/held_out", work.windows.held_out_configurations)

    session.publish(attributes, fill, 1 << 22)


def _exact_attributes(windows: WindowSet, filters: np.ndarray, bias: np.ndarray) -> dict:
    if not windows.exactly_solvable:
        return {}
    chosen, coupling = windows.exact_windows(), windows.source.attributes["coupling"]
    rules = [exact.channel(filters, bias, hard) for hard in (True, False)]
    hard, soft = exact.exact_informations(rules, windows.geometry, coupling, chosen.environments, groups=chosen.runs)
    return {
        "mutual_information_exact": hard.information,
        "mutual_information_exact_error": hard.error,
        "mutual_information_exact_soft": soft.information,
        "mutual_information_block": hard.block_information,
    }


# ---- what it says ---------------------------------------------------------------------------------------------------

def plan(work: LambdaTraining) -> dict:
    """What a run would do."""
    settings = work.settings
    return {**work.request.parameters, "steps": settings.total_steps, "batch": settings.batch, "learning_rate": settings.learning_rate}


def share(attributes: dict, rule: str = "") -> float | None:
    """I(H:E)/I(V:E) of the hard rule (``rule="_soft"``: of the soft one), both exact; None where they are not known."""
    information, whole = attributes.get(f"mutual_information_exact{rule}"), attributes.get("mutual_information_block")
    return information / whole if information is not None and whole else None


def summary(path: Path) -> dict:
    """The learned rule and what it knows; filters are nested lists, hidden x (components, if several) x block shape."""
    numbers = (
        "mutual_information mutual_information_error mutual_information_hard mutual_information_hard_error mutual_information_exact "
        "mutual_information_exact_error mutual_information_exact_soft mutual_information_block mutual_information_shuffled entropy_h entropy_h_hard"
    ).split()
    with open_file(path, "lambda") as file:
        attributes = file.attributes
        filters = file.read("/filters")
        components = [attributes["components"]] if attributes.get("components", 1) > 1 else []
        return {
            "file": str(path),
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
            **dimer_info.summary(file),
        }
