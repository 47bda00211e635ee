"""``rsmi coarse-grain``: rules are applied to samples; the result is a samples file again."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.tasks import Rows, State
from rsmi.errors import UsageError
from rsmi.lattice.packed import row_bytes
from rsmi.models.base import Model
from rsmi.renormalization.state_blocking import AnyRule, coarse_grain
from rsmi.samples.examination.stored import pass_on, warn
from rsmi.samples.reading import live_block
from rsmi.samples.views import SamplesFile, open_samples
from rsmi.stages.cost import file_cost, samples_bytes, seconds_of_alike
from rsmi.stages.rule_option import ChosenRule, blocking_keys, coarse_shapes
from rsmi.stages.rule_sequence import RuleSequence, choose_rules
from rsmi.stages.sample import summary as summary
from rsmi.store import Writer

log = logging.getLogger("rsmi")

_TASKS = 8
_BYTES_AT_ONCE = 1 << 24  # of configurations copied

# The attributes that the result takes over from its source.
_KEPT = (
    "model",
    "model_parameters",
    "contradictions",
    "original_shape",
    "boundary",
    "coupling",
    "temperature",
    "chains",
    "algorithm",
    "thermalization",
    "interval",
    "clusters_per_sweep",
)


@dataclass
class BlockingTask:
    """The task of successive samples ``first:last``.

    It has no state, because every random bit has the key of its sample and site.
    """

    number: int
    first: int
    last: int
    source: SamplesFile
    rules: tuple[AnyRule, ...]
    shapes: list[tuple[int, ...]]
    keys: np.ndarray

    @property
    def name(self) -> str:
        """The name of the task."""
        return f"stretch-{self.number:02d}"

    @property
    def total(self) -> int:
        """The number of samples."""
        return self.last - self.first

    def begin(self) -> tuple[int, State]:
        """No state."""
        return 0, {}

    def advance(self, state: State, start: int, count: int) -> Rows:
        """Coarse-grain ``count`` samples."""
        first = self.first + start
        rows = self.source.spins(first, first + count)
        for shape, rule, key in zip(self.shapes, self.rules, self.keys):
            rows = coarse_grain(rows, shape, rule, key, first)
        return {"spins": rows}


@dataclass(frozen=True)
class CoarseGraining:
    """A checked request and everything needed to run it."""

    source: SamplesFile
    chosen: RuleSequence
    seed: int
    shapes: list[tuple[int, ...]]

    @property
    def request(self) -> Request:
        """The file that the command makes."""
        parameters = {**self.chosen.identity, "steps": self.chosen.steps, "seed": self.seed}
        inputs = (self.source.file, *self.chosen.inputs)
        return Request("coarse-grain", "samples", parameters, inputs)

    def tasks(self) -> list[BlockingTask]:
        """The tasks of successive samples."""
        n = self.source.count
        count = min(_TASKS, n)
        keys = blocking_keys(self.seed, self.source.origin, self.source.rg_step, self.chosen.steps)
        edges = [n * i // count for i in range(count + 1)]
        return [
            BlockingTask(
                i, edges[i], edges[i + 1], self.source, self.chosen.rules, self.shapes, keys
            )
            for i in range(count)
        ]

    @property
    def row_bytes(self) -> int:
        """The number of bytes of a coarse configuration."""
        return row_bytes((self.chosen.n_hidden, *self.shapes[-1]), self.chosen.states)

    @property
    def _model(self) -> str:
        """The name of the model. The coarse spins of a model whose sites have several variables,
        such as links, are no such variables, unless each comes from one component whose flip is a
        symmetry; nor are products of spins. Nothing is known of them."""
        source, chosen = self.source, self.chosen
        one_by_one = source.model.component_flips and chosen.keeps_components
        same = (source.components == 1 or one_by_one) and chosen.keeps_variables
        return source.model_name if same else Model.name

    @property
    def _symmetry(self) -> str | None:
        """The symmetry of the samples, if the rules keep it: a bias, or a product of spins, breaks
        that under a flip."""
        kept = self.chosen.keeps_variables and not self.chosen.has_bias
        return self.source.attributes.get("symmetry") if kept else None

    def attributes(self) -> dict:
        """The attributes of the coarse file."""
        source = self.source
        block = math.prod(self.chosen.block) ** (1 / len(self.chosen.block))
        return {name: source.attributes.get(name) for name in _KEPT} | {
            "model": self._model,
            "symmetry": self._symmetry,
            "shape": self.shapes[-1],
            "components": self.chosen.n_hidden,
            "states": self.chosen.states if self.chosen.states > 2 else None,
            "rg_step": source.rg_step + self.chosen.steps,
            "scale_factor": source.scale_factor * round(block**self.chosen.steps, 12),
        }


@contextlib.contextmanager
def prepare(
    path: Path,
    rules: Sequence[str],
    block: str | None,
    hard: bool,
    bias: str | None,
    steps: int,
    seed: int,
) -> Iterator[CoarseGraining]:
    """Open the inputs and check that the steps are possible.

    Raises
    ------
    UsageError, DataError
        If a file or the rule cannot be used, or if so many steps are not possible.
    """
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_samples(path))
        chosen = choose_rules(
            stack,
            rules,
            block,
            hard,
            source.dimension,
            bias,
            steps,
            source.components,
            source.states,
            source.model.component_flips,
        )
        chosen = _on_live_sites(source, chosen)
        shapes = coarse_shapes(source.shape, chosen.block, steps)
        yield CoarseGraining(source, chosen, seed, shapes)


def _on_live_sites(source: SamplesFile, chosen: RuleSequence) -> RuleSequence:
    """The rule with no weight on sites without data; the identity stays that of the rule."""
    live = live_block(source, chosen.block)
    if live is None:
        return chosen
    if chosen.steps > 1:
        raise UsageError(
            f"--steps {chosen.steps}: {source.path} has sites without data, which the lattice after"
            " one step has not: take --steps 1 and coarse-grain the result"
        )
    (one,) = chosen.of_steps
    if not isinstance(one, ChosenRule):
        raise UsageError(
            f"{source.path}: has sites without data, and rules of variables with {source.states}"
            " states need all of them"
        )
    products = one.rule.products or [(site,) for site in range(one.rule.n_block)]
    counts = np.array([all(live[site] for site in sites) for sites in products])
    rule = replace(one.rule, filters=one.rule.filters * counts)
    if not rule.filters.any(axis=1).all():
        raise UsageError(f"{source.path}: the rule looks only at sites of the block without data")
    return RuleSequence((replace(one, rule=rule),))


def run(work: CoarseGraining, output: Path, options: RunOptions) -> None:
    """Make the coarse file, or resume it."""
    with Session(output, work.request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        warn(work.source.file)
        tasks = work.tasks()
        session.run(tasks, "coarse-graining", "sample")
        _publish(session, work, tasks)


def _publish(session: Session, work: CoarseGraining, tasks: list[BlockingTask]) -> None:
    n, width = work.source.count, work.row_bytes

    def fill(writer: Writer) -> None:
        spins = writer.dataset("/spins", (n, width), "uint8")
        for task in tasks:
            reader, step = session.rows(task), max(1, _BYTES_AT_ONCE // width)
            for low in range(0, task.total, step):
                high = min(task.total, low + step)
                spins[task.first + low : task.first + high] = reader.read("spins", low, high)
        if work.source.has_energy:
            writer.write("/energy", work.source.energies())
        pass_on(writer, work.source.file)

    session.publish(work.attributes(), fill, n * (width + 8))


def plan(work: CoarseGraining) -> dict:
    """What a run would do."""
    n = work.source.count
    return {
        **work.request.parameters,
        "samples": n,
        "shapes": [list(shape) for shape in work.shapes],
        **file_cost(seconds_of_alike(work.tasks()), samples_bytes(n, work.row_bytes)).plan,
    }
