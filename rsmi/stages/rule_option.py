"""The rule that ``--rule`` names: a file of ``rsmi train-lambda``, a filter of the user in a CSV or
NPY file, or a rule with a name."""

from __future__ import annotations

import contextlib
import errno
import io
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rsmi.engine.keys import stream_key
from rsmi.errors import DataError, UsageError
from rsmi.foreign_text import read_small_file
from rsmi.lattice.geometry import parse_block, shape_text
from rsmi.renormalization import categorical_rules, rules
from rsmi.renormalization.categorical_rules import CategoricalRule
from rsmi.renormalization.state_blocking import AnyRule
from rsmi.samples.views import RuleFile, open_rule
from rsmi.store import File


@dataclass(frozen=True)
class ChosenRule:
    """A rule, what identifies it among the parameters of a file, and its file, if it has one."""

    rule: rules.Rule
    identity: dict
    file: RuleFile | None = None

    @property
    def inputs(self) -> tuple[File, ...]:
        """The file of the rule as an input of a request; none where the rule has no file."""
        return (self.file.file,) if self.file else ()


@dataclass(frozen=True)
class Sites:
    """The variables of a block to which the weights of a filter belong.

    Attributes
    ----------
    block : tuple of int
    components : int
    live : tuple of bool, optional
        Of the sites of the block, row-major; by default all.
    separate : bool
        Whether every component is a field of its own, to which a rule with a name may be applied.
    """

    block: tuple[int, ...]
    components: int = 1
    live: tuple[bool, ...] | None = None
    separate: bool = False

    def rule(self, numbers: np.ndarray, bias: list[float] | None, hard: bool) -> rules.Rule:
        """The rule of a filter.

        Raises
        ------
        ValueError
            If the numbers do not fit the variables.
        """
        if self.components == 1 and self.live is None:
            return rules.rule_of(numbers, self.block, bias, hard)
        live = np.tile(self.live or (True,) * math.prod(self.block), self.components)
        own = rules.rule_of(numbers, (int(np.count_nonzero(live)),), bias, hard)
        filters = np.zeros((own.n_hidden, len(live)))
        filters[:, live] = own.filters
        return rules.Rule(filters, own.bias, hard, self.block, self.components)


def choose_rule(
    stack: contextlib.ExitStack,
    text: str,
    block: str | None,
    hard: bool,
    dimension: int,
    bias: str | None = None,
    components: int = 1,
    live: tuple[bool, ...] | None = None,
    separate: bool = False,
) -> ChosenRule:
    """The rule that ``--rule``, ``--block``, ``--hard`` and ``--bias`` describe.

    Parameters
    ----------
    stack : contextlib.ExitStack
        Closes the file of the rule.
    text, block, hard, bias
        The values of the options; None where an option was not given.
    dimension : int
        The number of axes of the lattice.
    components : int
        The number of variables of a site, for a filter.
    live : tuple of bool, optional
        The sites of the block to which the weights of a filter belong; by default all.
    separate : bool
        Whether a rule with a name is applied to each component.

    Raises
    ------
    UsageError, DataError
        If the name is unknown, if a file is missing or cannot be read, if the numbers do not fit
        the block, or if the block contradicts the file or the lattice.
    """
    given = parse_block(block) if block else None
    sites = Sites(given or (2,) * dimension, components, live, separate)
    chosen = _resolve(stack, text, given, sites, hard, bias)
    if len(chosen.rule.block) != dimension:
        raise UsageError(
            f"--block {shape_text(chosen.rule.block)} does not fit a lattice of dimension"
            f" {dimension}"
        )
    return chosen


@dataclass(frozen=True)
class ChosenCategoricalRule:
    """A rule of variables, or with a hidden unit, of several states; see `ChosenRule`."""

    rule: CategoricalRule
    identity: dict
    file: RuleFile | None = None

    @property
    def inputs(self) -> tuple[File, ...]:
        """The file of the rule as an input of a request; none where the rule has no file."""
        return (self.file.file,) if self.file else ()


def choose_any_rule(
    stack: contextlib.ExitStack,
    text: str,
    block: str | None,
    hard: bool,
    dimension: int,
    bias: str | None,
    states: int | None,
    components: int = 1,
    separate: bool = False,
) -> ChosenRule | ChosenCategoricalRule:
    """The rule that the options describe, for variables with so many states.

    The parameters are those of `choose_rule`; ``states`` is None for variables +-1. A rule with one
    hidden unit of two states acts on variables with two states in any case.

    Raises
    ------
    UsageError, DataError
        As `choose_rule`, or if the rule is one of variables with another number of states.
    """
    shape = parse_block(block) if block else (2,) * dimension
    if states is not None and text in categorical_rules.NAMED:
        named = categorical_rules.NAMED[text](shape, states)
        return ChosenCategoricalRule(named, {"name": text, "block": list(shape), "hard": True})
    if Path(text).suffix.lower() not in _READERS and text not in rules.NAMED:
        learned = _opened(stack, text)
        if learned.units is not None:
            return _categorical_rule(text, learned, block, hard, states)
    if states is not None and states > 2:
        names = ", ".join(categorical_rules.NAMED)
        raise UsageError(
            f"--rule {text}: a variable of this model has {states} states; there are the rules"
            f" {names} and those of rsmi train-lambda"
        )
    return choose_rule(stack, text, block, hard, dimension, bias, components, separate=separate)


def _categorical_rule(
    text: str, learned: RuleFile, block: str | None, hard: bool, states: int | None
) -> ChosenCategoricalRule:
    _require_block(text, learned, parse_block(block) if block else None)
    try:
        rule = learned.rule(hard)
    except ValueError as error:
        raise DataError(f"{text}: {error}") from error
    if not isinstance(rule, CategoricalRule) or rule.states != (states or 2):
        raise UsageError(
            f"--rule {text}: was learned on variables with {learned.attributes.get('states', 2)}"
            f" states; those of this lattice have {states or 2}"
        )
    identity = {"digest": learned.file.digest, "block": list(learned.block), "hard": hard}
    return ChosenCategoricalRule(rule, identity, learned)


def require_components(text: str, rule: AnyRule, components: int, lattice: str) -> None:
    """Raise UsageError unless a rule acts on as many components as the sites of a lattice have."""
    if rule.components != components:
        raise UsageError(
            f"--rule {text}: acts on {_components(rule.components)}, but {lattice} has"
            f" {_components(components)}: train a rule on it"
        )


def _components(count: int) -> str:
    return f"{count} component{'s' if count > 1 else ''} per site"


def _resolve(
    stack: contextlib.ExitStack,
    text: str,
    given: tuple[int, ...] | None,
    sites: Sites,
    hard: bool,
    bias: str | None,
) -> ChosenRule:
    suffix = Path(text).suffix.lower()
    if text not in rules.NAMED and suffix in _READERS:
        return _rule_from_numbers(text, _READERS[suffix], sites, hard, bias)
    if bias is not None:
        raise UsageError(f"--bias: for a filter in a CSV or NPY file; {text} has its own")
    if text in rules.NAMED:
        return _named_rule(text, sites)
    return _rule_from_file(stack, text, given, hard)


def _named_rule(name: str, sites: Sites) -> ChosenRule:
    """A rule with a name, which acts on each component if they are separate fields."""
    block = sites.block
    try:
        rule = rules.NAMED[name](block)
        if sites.separate:
            rule = rules.of_each_component(rule, sites.components)
    except ValueError as error:
        raise UsageError(f"--block {shape_text(block)}: {error}") from error
    return ChosenRule(rule, {"name": name, "block": list(block), "hard": True})


def _rule_from_file(
    stack: contextlib.ExitStack, path: str, given: tuple[int, ...] | None, hard: bool
) -> ChosenRule:
    learned = _opened(stack, path)
    block = learned.block
    _require_block(path, learned, given)
    try:
        rule = learned.rule(hard)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
    if isinstance(rule, CategoricalRule):
        raise UsageError(f"--rule {path}: {_why_not_applied(rule)}")
    identity = {"digest": learned.file.digest, "block": list(block), "hard": hard}
    return ChosenRule(rule, identity, learned)


def _opened(stack: contextlib.ExitStack, path: str) -> RuleFile:
    try:
        return stack.enter_context(open_rule(path))
    except UsageError as error:
        raise UsageError(
            f"--rule {path}: neither a file nor one of {', '.join(rules.NAMED)}"
        ) from error


def _require_block(path: str, learned: RuleFile, given: tuple[int, ...] | None) -> None:
    if given and given != learned.block:
        raise UsageError(
            f"--block {shape_text(given)} contradicts {path}, whose block is"
            f" {shape_text(learned.block)}"
        )


def _why_not_applied(rule: CategoricalRule) -> str:
    """Why a rule of variables with several states is not applied to configurations."""
    return (
        "is a rule of variables with several states, which this command does not apply to"
        f" configurations; {rule.obstacle() or 'its filters are tied'}"
    )


# ---- a filter of the user ------------------------------------------------------------------------


def _read_csv(content: bytes) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # numpy warns of an empty file
        return np.loadtxt(io.StringIO(content.decode("utf-8-sig")), delimiter=",", ndmin=2)


def _read_npy(content: bytes) -> np.ndarray:
    """The array of an NPY file: no objects are unpickled, and no memory is taken for more numbers
    than the file holds."""
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) == (1, 0):
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, by_columns, dtype = np.lib.format.read_array_header_2_0(stream)
    numbers = np.frombuffer(content, dtype, math.prod(shape), stream.tell())
    return numbers.reshape(shape, order="F" if by_columns else "C")


_Reader = Callable[[bytes], np.ndarray]
_READERS: dict[str, _Reader] = {".csv": _read_csv, ".npy": _read_npy}


def _rule_from_numbers(
    path: str, read: _Reader, sites: Sites, hard: bool, bias: str | None
) -> ChosenRule:
    numbers = _numbers(path, read)
    try:
        rule = sites.rule(numbers, _parse_bias(bias), hard)
    except ValueError as error:
        raise UsageError(f"--rule {path}: {error}") from error
    identity = {
        "name": "filter",
        "filters": rule.filters.tolist(),
        "bias": rule.bias.tolist(),
        "block": list(sites.block),
        "hard": hard,
    }
    return ChosenRule(rule, identity)


def _numbers(path: str, read: _Reader) -> np.ndarray:
    try:
        return read(read_small_file(path))
    except FileNotFoundError as error:
        raise UsageError(f"--rule {path}: no such file") from error
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise DataError(f"{path}: {error.strerror}") from error
        raise UsageError(f"--rule {path}: cannot be read ({error.strerror or error})") from error
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
    """The keys of the random bits of the steps after ``first_step``, uint64 (steps, 2).

    They depend on the origin of the samples (`rsmi.engine.keys.origin`) and on the number of steps
    since the original lattice. So two commands of one step draw what one command with
    ``--steps 2`` draws.
    """
    keys = [
        stream_key(seed, "coarse-grain", {"samples": origin, "rg_step": first_step + step}, 0)[:2]
        for step in range(1, steps + 1)
    ]
    return np.array(keys, dtype=np.uint64).reshape(steps, 2)


def coarse_shapes(
    shape: tuple[int, ...], block: tuple[int, ...], steps: int
) -> list[tuple[int, ...]]:
    """The shapes of the lattice at steps 0, ..., ``steps``.

    Raises
    ------
    UsageError
        If fewer steps are possible; the message says how many.
    """
    try:
        return rules.level_shapes(shape, block, steps)
    except ValueError as error:
        possible = _possible_steps(shape, block)
        raise UsageError(
            f"a lattice of {shape_text(shape)} takes {possible} steps with blocks of"
            f" {shape_text(block)}, not {steps} ({error})"
        ) from error


def _possible_steps(shape: tuple[int, ...], block: tuple[int, ...]) -> int:
    steps = 0
    while math.prod(block) > 1 and all(size % sites == 0 for size, sites in zip(shape, block)):
        shape = tuple(size // sites for size, sites in zip(shape, block))
        steps += 1
    return steps
