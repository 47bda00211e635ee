"""Learned functions of variables with more than two states: what a tied rule says of them.

A tied rule is two functions. Its coarse variable has a unit vector for every state; the average is
odd, and the product of the vectors of two blocks that touch is even.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.state_order import StateOrder
from rsmi.renormalization.spectrum.state_rules import OfStateRule
from rsmi.stages.rule_option import ChosenCategoricalRule, choose_any_rule
from rsmi.stages.spectrum.chosen import SECTORS, Resolved
from rsmi.stages.spectrum.request import Choices

_WORDS = {"odd": "", "even": " neighbours"}


def resolve(
    stack: contextlib.ExitStack,
    text: str,
    required: str | None,
    choices: Choices,
    order: StateOrder,
    dimension: int,
) -> list[Resolved]:
    """The functions of the rule that an option names, in both sectors or in the one required.

    Raises
    ------
    UsageError, DataError
        If there is no such rule, or its coarse variable has not the symmetry of the states.
    """
    if choices.readout == "linear":
        raise UsageError(
            "--readout linear: the coarse variables of a rule with several states are soft or hard"
        )
    hard, block = choices.readout == "hard", choices.block
    chosen = choose_any_rule(stack, text, block, hard, dimension, None, order.states)
    if not isinstance(chosen, ChosenCategoricalRule):
        raise UsageError(f"--function {text}: a rule of variables with two states")
    _require_tied(text, chosen, dimension)
    return [_function(text, chosen, order, one) for one in SECTORS if one == (required or one)]


def _require_tied(text: str, chosen: ChosenCategoricalRule, dimension: int) -> None:
    rule = chosen.rule
    if len(rule.block) != dimension:
        raise UsageError(
            f"--function {text}: its block {shape_text(rule.block)} does not fit a lattice of"
            f" dimension {dimension}"
        )
    if reason := rule.obstacle():
        raise UsageError(f"--function {text}: {reason}")
    try:
        rule.channel()
    except ValueError as error:
        raise UsageError(f"--function {text}: {error}") from error


def _function(text: str, chosen: ChosenCategoricalRule, order: StateOrder, sector: str) -> Resolved:
    """One function, what identifies it, its files, and what people call it."""
    rule, readout = chosen.rule, "hard" if chosen.rule.hard else "soft"
    identity = {key: value for key, value in chosen.identity.items() if key != "hard"}
    identity |= {"readout": readout, "sector": sector}
    if chosen.file is None:
        name = f"{chosen.identity['name']} {shape_text(rule.block)}{_WORDS[sector]}"
        return Resolved(OfStateRule(name, rule, order, sector == "odd"), identity)
    file = chosen.file.file
    name = f"learned {shape_text(rule.block)}{_WORDS[sector]}, {readout} ({file.digest[:8]})"
    label = f"{Path(text).stem}{_WORDS[sector]}, {readout}"
    return Resolved(OfStateRule(name, rule, order, sector == "odd"), identity, (file,), label)
