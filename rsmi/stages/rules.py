"""What ``--rule`` means: a file of ``rsmi train-lambda``, or a named rule."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass

import numpy as np

from rsmi.errors import DataError, UsageError
from rsmi.lattice.geometry import parse_block, shape_text
from rsmi.renormalization import rules
from rsmi.stages.streams import stream_key
from rsmi.store import File, open_file

NAMED = {"majority": rules.majority, "decimation": rules.decimation}


@dataclass(frozen=True)
class ChosenRule:
    """A rule, what identifies it in a file's parameters, and the file it came from."""

    rule: rules.Rule
    identity: dict
    file: File | None = None

    @property
    def inputs(self) -> tuple[File, ...]:
        return (self.file,) if self.file else ()


def choose_rule(stack: contextlib.ExitStack, text: str, block: str | None, hard: bool, dimension: int) -> ChosenRule:
    """Resolve ``--rule``, ``--block`` and ``--hard`` for a lattice of ``dimension`` axes.

    Raises
    ------
    UsageError, DataError
        Unknown name, missing file, or a block that contradicts the file or the lattice.
    """
    wanted = parse_block(block) if block else None
    chosen = _named_rule(text, wanted or (2,) * dimension) if text in NAMED else _rule_from_file(stack, text, wanted, hard)
    if len(chosen.rule.block) != dimension:
        raise UsageError(f"--block {shape_text(chosen.rule.block)} does not fit a lattice of dimension {dimension}")
    return chosen


def _named_rule(name: str, block: tuple[int, ...]) -> ChosenRule:
    try:
        return ChosenRule(NAMED[name](block), {"name": name, "block": list(block), "hard": True})
    except ValueError as error:
        raise UsageError(f"--block {shape_text(block)}: {error}") from error


def _rule_from_file(stack: contextlib.ExitStack, path: str, wanted: tuple[int, ...] | None, hard: bool) -> ChosenRule:
    try:
        file = stack.enter_context(open_file(path, "lambda"))
    except UsageError as error:
        raise UsageError(f"--rule {path}: neither a file nor one of {', '.join(NAMED)}") from error
    block, components = file.attributes["block"], file.attributes.get("components", 1)
    if components != 1:
        raise UsageError(f"--rule {path}: acts on {components} components per site; blocking is for one")
    if wanted and wanted != block:
        raise UsageError(f"--block {shape_text(wanted)} contradicts {path}, whose block is {shape_text(block)}")
    try:
        rule = rules.Rule(file.read("/filters"), file.read("/bias"), hard, block)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
    return ChosenRule(rule, {"digest": file.digest, "block": list(block), "hard": hard}, file)


def blocking_keys(seed: int, first_step: int, steps: int) -> np.ndarray:
    """Keys of the random bits of RG steps ``first_step + 1`` ..., uint64 (steps, 2).

    They depend on the absolute step, so two chained commands draw what ``--steps 2`` draws.
    """
    keys = [stream_key(seed, "coarse-grain", {"rg_step": first_step + step}, 0)[:2] for step in range(1, steps + 1)]
    return np.array(keys, dtype=np.uint64).reshape(steps, 2)


def coarse_shapes(shape: tuple[int, ...], rule: rules.Rule, steps: int) -> list[tuple[int, ...]]:
    """Lattices at steps 0 .. ``steps``; a UsageError says how many steps are possible."""
    try:
        return rules.level_shapes(shape, rule.block, steps)
    except ValueError as error:
        possible = _possible_steps(shape, rule.block)
        raise UsageError(f"a lattice of {shape_text(shape)} takes {possible} steps with blocks of {shape_text(rule.block)}, not {steps} ({error})") from error


def _possible_steps(shape: tuple[int, ...], block: tuple[int, ...]) -> int:
    steps = 0
    while math.prod(block) > 1 and all(size % sites == 0 for size, sites in zip(shape, block)):
        shape = tuple(size // sites for size, sites in zip(shape, block))
        steps += 1
    return steps


def require_single_component(file: File) -> None:
    """Refuse samples with several components per site."""
    if file.attributes["components"] != 1:
        raise UsageError(f"{file.path}: has {file.attributes['components']} components per site; this command needs one")
