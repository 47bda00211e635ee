"""``rsmi coarse-grain``: apply a rule to samples; the result is a samples file again."""

from __future__ import annotations

import contextlib
import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rsmi.engine.keys import origin
from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.tasks import Rows, State
from rsmi.errors import UsageError
from rsmi.renormalization.rules import Rule, coarse_grain
from rsmi.samples.checks import live_block, require_single_component
from rsmi.samples.files import open_file
from rsmi.stages.rule_option import ChosenRule, blocking_keys, choose_rule, coarse_shapes
from rsmi.stages.sample import summary as summary
from rsmi.store import File

log = logging.getLogger("rsmi")

_TASKS = 8
_ROWS_AT_ONCE = 1 << 24  # bytes


@dataclass
class Stretch:
    """The task of consecutive samples ``first:last``; stateless, since every random bit is keyed by
    sample and site."""

    number: int
    first: int
    last: int
    source: File
    rule: Rule
    shapes: list[tuple[int, ...]]
    keys: np.ndarray

    @property
    def name(self) -> str:
        return f"stretch-{self.number:02d}"

    @property
    def total(self) -> int:
        return self.last - self.first

    def begin(self):
        return 0, {}

    def advance(self, state: State, start: int, count: int) -> Rows:
        first = self.first + start
        rows = self.source.read("/spins", first, first + count)
        for step, key in enumerate(self.keys):
            rows = coarse_grain(rows, self.shapes[step], self.rule, key, first)
        return {"spins": rows}


@dataclass(frozen=True)
class CoarseGraining:
    """A checked request and everything needed to run it."""

    source: File
    chosen: ChosenRule
    steps: int
    seed: int
    shapes: list[tuple[int, ...]]

    @property
    def request(self) -> Request:
        parameters = {"rule": self.chosen.identity, "steps": self.steps, "seed": self.seed}
        return Request("coarse-grain", "samples", parameters, (self.source, *self.chosen.inputs))

    def tasks(self) -> list[Stretch]:
        n = self.source.shape("/spins")[0]
        count = min(_TASKS, n)
        keys = blocking_keys(
            self.seed, origin(self.source), self.source.attributes["rg_step"], self.steps
        )
        edges = [n * i // count for i in range(count + 1)]
        return [
            Stretch(i, edges[i], edges[i + 1], self.source, self.chosen.rule, self.shapes, keys)
            for i in range(count)
        ]

    @property
    def row_bytes(self) -> int:
        return (self.chosen.rule.n_hidden * math.prod(self.shapes[-1]) + 7) // 8

    def attributes(self) -> dict:
        kept = (
            "model",
            "model_parameters",
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
        old = self.source.attributes
        block = math.prod(self.chosen.rule.block) ** (1 / len(self.chosen.rule.block))
        return {name: old.get(name) for name in kept} | {
            "shape": self.shapes[-1],
            "components": self.chosen.rule.n_hidden,
            "rg_step": old["rg_step"] + self.steps,
            "scale_factor": old["scale_factor"] * round(block**self.steps, 12),
        }


@contextlib.contextmanager
def prepare(
    path: Path, rule: str, block: str | None, hard: bool, bias: str | None, steps: int, seed: int
):
    """Open the inputs and check that the steps are possible."""
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_file(path, "samples"))
        require_single_component(source)
        chosen = choose_rule(stack, rule, block, hard, len(source.attributes["shape"]), bias)
        if chosen.rule.n_hidden > 1 and steps > 1:
            raise UsageError(
                f"a rule with {chosen.rule.n_hidden} hidden units makes {chosen.rule.n_hidden}"
                " components per site, which cannot be coarse-grained again: take --steps 1"
            )
        chosen = _on_live_sites(source, chosen, steps)
        yield CoarseGraining(
            source,
            chosen,
            steps,
            seed,
            coarse_shapes(source.attributes["shape"], chosen.rule, steps),
        )


def _on_live_sites(source: File, chosen: ChosenRule, steps: int) -> ChosenRule:
    """The rule with no weight on sites without data; the identity stays that of the rule."""
    live = live_block(source, chosen.rule.block)
    if live is None:
        return chosen
    if steps > 1:
        raise UsageError(
            f"--steps {steps}: {source.path} has sites without data, which the lattice after one"
            " step has not: take --steps 1 and coarse-grain the result"
        )
    rule = replace(chosen.rule, filters=chosen.rule.filters * np.array(live))
    if not rule.filters.any(axis=1).all():
        raise UsageError(f"{source.path}: the rule looks only at sites of the block without data")
    return replace(chosen, rule=rule)


def run(work: CoarseGraining, output: Path, options: RunOptions) -> None:
    """Make the coarse file, or resume it."""
    with Session(output, work.request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        tasks = work.tasks()
        session.run(tasks, "coarse-graining", "sample")
        _publish(session, work, tasks)


def _publish(session: Session, work: CoarseGraining, tasks: list[Stretch]) -> None:
    n, width = work.source.shape("/spins")[0], work.row_bytes

    def fill(writer):
        spins = writer.dataset("/spins", (n, width), "uint8")
        for task in tasks:
            reader, step = session.rows(task), max(1, _ROWS_AT_ONCE // width)
            for low in range(0, task.total, step):
                high = min(task.total, low + step)
                spins[task.first + low : task.first + high] = reader.read("spins", low, high)
        if "/energy" in work.source:
            writer.write("/energy", work.source.read("/energy"))

    session.publish(work.attributes(), fill, n * (width + 8))


def plan(work: CoarseGraining) -> dict:
    """What a run would do."""
    n = work.source.shape("/spins")[0]
    return {
        **work.request.parameters,
        "samples": n,
        "shapes": [list(shape) for shape in work.shapes],
        "bytes": n * (work.row_bytes + 8),
    }
