"""What ``--rule`` means: a file of ``rsmi train-lambda``, a filter of the user's in a CSV or NPY
file, or a named rule."""

from __future__ import annotations

import contextlib
import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rsmi.engine.keys import stream_key
from rsmi.errors import DataError, UsageError
from rsmi.lattice.geometry import parse_block, shape_text
from rsmi.renormalization import rules
from rsmi.samples.files import open_file
from rsmi.store import File


@dataclass(frozen=True)
class ChosenRule:
    """A rule, what identifies it in a file's parameters, and the file it came from."""

    rule: rules.Rule
    identity: dict
    file: File | None = None

    @property
    def inputs(self) -> tuple[File, ...]:
        return (self.file,) if self.file else ()


def choose_rule(
    stack: contextlib.ExitStack,
    text: str,
    block: str | None,
    hard: bool,
    dimension: int,
    bias: str | None = None,
) -> ChosenRule:
    """Resolve ``--rule``, ``--block``, ``--hard`` and ``--bias`` for a lattice of ``dimension``
    axes.

    Raises
    ------
    UsageError, DataError
        Unknown name, missing or unreadable file, numbers that do not fit the block, or a block that
        contradicts the file or the lattice.
    """
    wanted = parse_block(block) if block else None
    chosen = _resolve(stack, text, wanted, wanted or (2,) * dimension, hard, bias)
    if len(chosen.rule.block) != dimension:
        raise UsageError(
            f"--block {shape_text(chosen.rule.block)} does not fit a lattice of dimension"
            f" {dimension}"
        )
    return chosen


def _resolve(
    stack: contextlib.ExitStack,
    text: str,
    wanted: tuple[int, ...] | None,
    block: tuple[int, ...],
    hard: bool,
    bias: str | None,
) -> ChosenRule:
    suffix = Path(text).suffix.lower()
    if text not in rules.NAMED and suffix in _READERS:
        return _rule_from_numbers(text, _READERS[suffix], block, hard, bias)
    if bias is not None:
        raise UsageError(f"--bias: for a filter in a CSV or NPY file; {text} has its own")
    return (
        _named_rule(text, block)
        if text in rules.NAMED
        else _rule_from_file(stack, text, wanted, hard)
    )


def _named_rule(name: str, block: tuple[int, ...]) -> ChosenRule:
    try:
        return ChosenRule(
            rules.NAMED[name](block), {"name": name, "block": list(block), "hard": True}
        )
    except ValueError as error:
        raise UsageError(f"--block {shape_text(block)}: {error}") from error


def _rule_from_file(
    stack: contextlib.ExitStack, path: str, wanted: tuple[int, ...] | None, hard: bool
) -> ChosenRule:
    try:
        file = stack.enter_context(open_file(path, "lambda"))
    except UsageError as error:
        raise UsageError(
            f"--rule {path}: neither a file nor one of {', '.join(rules.NAMED)}"
        ) from error
    block, components = file.attributes["block"], file.attributes.get("components", 1)
    if components != 1:
        raise UsageError(
            f"--rule {path}: acts on {components} components per site; blocking is for one"
        )
    if wanted and wanted != block:
        raise UsageError(
            f"--block {shape_text(wanted)} contradicts {path}, whose block is {shape_text(block)}"
        )
    try:
        rule = rules.Rule(file.read("/filters"), file.read("/bias"), hard, block)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
    return ChosenRule(rule, {"digest": file.digest, "block": list(block), "hard": hard}, file)


# ---- a filter of the user's ----------------------------------------------------------------------


def _read_csv(path: str) -> np.ndarray:
    with open(path, encoding="utf-8-sig") as text, warnings.catch_warnings():
        warnings.simplefilter("error")  # of an empty file
        return np.loadtxt(text, delimiter=",", ndmin=2)


def _read_npy(path: str) -> np.ndarray:
    """Mapped, so that neither objects are unpickled nor memory is taken for more numbers than the
    file holds."""
    return np.array(np.lib.format.open_memmap(path, mode="r"))


_READERS = {".csv": _read_csv, ".npy": _read_npy}
_LARGEST_FILE = 1 << 20  # bytes; the largest filter takes a few thousand


def _rule_from_numbers(
    path: str, read, block: tuple[int, ...], hard: bool, bias: str | None
) -> ChosenRule:
    numbers = _numbers(path, read)
    try:
        rule = rules.rule_of(numbers, block, _parse_bias(bias), hard)
    except ValueError as error:
        raise UsageError(f"--rule {path}: {error}") from error
    return ChosenRule(
        rule,
        {
            "name": "filter",
            "filters": rule.filters.tolist(),
            "bias": rule.bias.tolist(),
            "block": list(block),
            "hard": hard,
        },
    )


def _numbers(path: str, read) -> np.ndarray:
    try:
        if Path(path).stat().st_size > _LARGEST_FILE:
            raise DataError(f"{path}: more than {_LARGEST_FILE >> 20} MiB, too large for a filter")
        return read(path)
    except FileNotFoundError as error:
        raise UsageError(f"--rule {path}: no such file") from error
    except OSError as error:
        raise UsageError(f"--rule {path}: cannot be read ({error.strerror or error})") from error
    except DataError:
        raise
    except Exception as error:  # numpy's parsers raise half a dozen kinds
        raise DataError(
            f"{path}: not a plain array of numbers"
            f" ({(str(error) or type(error).__name__).splitlines()[0]})"
        ) from error


def _parse_bias(text: str | None) -> list[float] | None:
    try:
        return None if text is None else [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(
            f"--bias {text!r}: write one number for each hidden unit, with commas between"
        ) from None


# ---- random bits and lattices --------------------------------------------------------------------


def blocking_keys(seed: int, origin: str, first_step: int, steps: int) -> np.ndarray:
    """Keys of the random bits of RG steps ``first_step + 1`` ..., uint64 (steps, 2).

    They depend on the origin of the samples (`rsmi.engine.keys.origin`) and the absolute step,
    so two chained commands draw what ``--steps 2`` draws.
    """
    keys = [
        stream_key(seed, "coarse-grain", {"samples": origin, "rg_step": first_step + step}, 0)[:2]
        for step in range(1, steps + 1)
    ]
    return np.array(keys, dtype=np.uint64).reshape(steps, 2)


def coarse_shapes(shape: tuple[int, ...], rule: rules.Rule, steps: int) -> list[tuple[int, ...]]:
    """Lattices at steps 0 .. ``steps``; a UsageError says how many steps are possible."""
    try:
        return rules.level_shapes(shape, rule.block, steps)
    except ValueError as error:
        possible = _possible_steps(shape, rule.block)
        raise UsageError(
            f"a lattice of {shape_text(shape)} takes {possible} steps with blocks of"
            f" {shape_text(rule.block)}, not {steps} ({error})"
        ) from error


def _possible_steps(shape: tuple[int, ...], block: tuple[int, ...]) -> int:
    steps = 0
    while math.prod(block) > 1 and all(size % sites == 0 for size, sites in zip(shape, block)):
        shape = tuple(size // sites for size, sites in zip(shape, block))
        steps += 1
    return steps
