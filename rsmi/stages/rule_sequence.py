"""The rules of repeated coarse-graining: one for all steps, or one for each step."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.renormalization.categorical_rules import MOST_BLOCK_STATES, CategoricalRule
from rsmi.renormalization.rules import Rule
from rsmi.renormalization.state_blocking import AnyRule
from rsmi.stages.rule_option import (
    ChosenCategoricalRule,
    ChosenRule,
    choose_any_rule,
    require_components,
)
from rsmi.store import File

AnyChosenRule = ChosenRule | ChosenCategoricalRule


@dataclass(frozen=True)
class RuleSequence:
    """The rule of every step; where one rule serves all steps, they share one object."""

    of_steps: tuple[AnyChosenRule, ...]

    @property
    def rules(self) -> tuple[AnyRule, ...]:
        """The rule of every step."""
        return tuple(one.rule for one in self.of_steps)

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(self.of_steps)

    @property
    def block(self) -> tuple[int, ...]:
        """The shape of the block, which all rules share."""
        return self.of_steps[0].rule.block

    @property
    def n_hidden(self) -> int:
        """The number of coarse spins of a block after the last step."""
        return self.of_steps[-1].rule.n_hidden

    @property
    def states(self) -> int:
        """The number of states of a coarse variable after the last step."""
        return self.of_steps[-1].rule.coarse_states

    @property
    def has_bias(self) -> bool:
        """Whether any rule has a bias, which breaks the symmetry under a global flip."""
        return any(rule.bias.any() for rule in self.rules)

    @property
    def keeps_variables(self) -> bool:
        """Whether the coarse variables of every rule are of the kind of those before the step."""
        return all(rule.keeps_variables for rule in self.rules)

    @property
    def keeps_components(self) -> bool:
        """Whether every coarse spin of every rule comes from the component of its number alone."""
        return all(isinstance(rule, Rule) and rule.keeps_components for rule in self.rules)

    @property
    def identity(self) -> dict:
        """What identifies the rules among the parameters and attributes of a file: ``rule`` if one
        rule serves all steps, else the list ``rules``, one entry for each step."""
        identities = [one.identity for one in self.of_steps]
        if all(identity == identities[0] for identity in identities):
            return {"rule": identities[0]}
        return {"rules": identities}

    @property
    def inputs(self) -> tuple[File, ...]:
        """The files of the rules as inputs of a request, each file once."""
        files = [file for one in self.of_steps for file in one.inputs]
        return tuple({file.digest: file for file in files}.values())


def choose_rules(
    stack: contextlib.ExitStack,
    texts: Sequence[str],
    block: str | None,
    hard: bool,
    dimension: int,
    bias: str | None,
    steps: int,
    components: int = 1,
    states: int = 2,
    separate: bool = False,
) -> RuleSequence:
    """The rules that ``--rule``, which may be repeated, describes for so many steps.

    Parameters
    ----------
    stack, block, hard, dimension, bias
        See `rsmi.stages.rule_option.choose_rule`.
    texts : sequence of str
        One rule for all steps, or one rule for each step.
    steps : int
    components : int
        The number of components per site before the first step.
    states : int
        The number of states of a variable before the first step.
    separate : bool
        Whether every component is a field of its own, to which a rule with a name may be applied.

    Raises
    ------
    UsageError, DataError
        If the number of rules is neither one nor that of the steps, if the blocks differ, or if a
        rule cannot be used.
    """
    if len(texts) not in (1, steps):
        raise UsageError(
            f"--rule: there are {len(texts)} rules for --steps {steps}: give one rule for all"
            " steps, or one rule for each step"
        )
    chosen: dict[tuple[str, int, int], AnyChosenRule] = {}
    texts = [*texts] * (steps if len(texts) == 1 else 1)
    of_steps: list[AnyChosenRule] = []
    for step, text in enumerate(texts, 1):
        if step > 1 and text == texts[step - 2]:
            _refuse_repetition(text, of_steps[-1].rule, step - 1, steps)
        kind = (text, components, states)
        if kind not in chosen:
            given = None if states == 2 else states
            chosen[kind] = choose_any_rule(
                stack, text, block, hard, dimension, bias, given, components, separate
            )
        one = chosen[kind]
        require_components(text, one.rule, components, f"the lattice before step {step}")
        _require_table(text, one.rule)
        components, states = one.rule.n_hidden, one.rule.coarse_states
        of_steps.append(one)
    _require_one_block({text: one for (text, *_), one in chosen.items()})
    return RuleSequence(tuple(of_steps))


def _require_table(text: str, rule: AnyRule) -> None:
    """Refuse a block with too many states for the table by which a rule is applied."""
    if isinstance(rule, CategoricalRule) and rule.states**rule.n_block > MOST_BLOCK_STATES:
        most = int(math.log(MOST_BLOCK_STATES, rule.states) + 1e-9)
        raise UsageError(
            f"--rule {text}: a block of {shape_text(rule.block)} has {rule.states}^{rule.n_block}"
            f" states; rules are applied to blocks of at most {MOST_BLOCK_STATES}: take a block of"
            f" at most {most} sites"
        )


def _refuse_repetition(text: str, rule: AnyRule, step: int, steps: int) -> None:
    """Refuse to apply a rule to its own coarse variables if they are of another kind."""
    if rule.keeps_variables:
        return
    if isinstance(rule, CategoricalRule):
        raise UsageError(
            f"--steps {steps}: {text} cannot be applied again: {rule.obstacle()}; take --steps"
            f" {step}, and train a second rule on the result"
        )
    raise UsageError(
        f"--steps {steps}: {text} acts on products of spins, and its coarse spins are"
        f" variables of another kind, with a mean of their own: take --steps {step}, and"
        " train a second rule on the result"
    )


def _require_one_block(chosen: dict[str, AnyChosenRule]) -> None:
    blocks = {text: one.rule.block for text, one in chosen.items()}
    if len(set(blocks.values())) > 1:
        described = ", ".join(f"{text} has {shape_text(one)}" for text, one in blocks.items())
        raise UsageError(f"--rule: the rules of one flow need blocks of one shape ({described})")
