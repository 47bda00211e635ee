"""The rules of repeated coarse-graining: one for all steps, or one for each step."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.renormalization.rules import Rule
from rsmi.stages.rule_option import ChosenRule, choose_rule, require_components
from rsmi.store import File


@dataclass(frozen=True)
class RuleSequence:
    """The rule of every step; where one rule serves all steps, they share one object."""

    of_steps: tuple[ChosenRule, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
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
    def has_bias(self) -> bool:
        """Whether any rule has a bias, which breaks the symmetry under a global flip."""
        return any(rule.bias.any() for rule in self.rules)

    @property
    def keeps_spins(self) -> bool:
        """Whether the coarse spins of every rule are spins again, see
        `rsmi.renormalization.rules.Rule.is_linear_or_odd`."""
        return all(rule.is_linear_or_odd for rule in self.rules)

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
    chosen = {
        text: choose_rule(stack, text, block, hard, dimension, bias)
        for text in dict.fromkeys(texts)
    }
    _require_one_block(chosen)
    texts = [*texts] * (steps if len(texts) == 1 else 1)
    for step, text in enumerate(texts, 1):
        require_components(text, chosen[text].rule, components, f"the lattice before step {step}")
        components = chosen[text].rule.n_hidden
    _refuse_repetition(texts, chosen)
    return RuleSequence(tuple(chosen[text] for text in texts))


def _refuse_repetition(texts: Sequence[str], chosen: dict[str, ChosenRule]) -> None:
    """Refuse to apply a rule of even products to its own coarse spins."""
    for step, (one, following) in enumerate(zip(texts, texts[1:]), 1):
        if one == following and not chosen[one].rule.is_linear_or_odd:
            raise UsageError(
                f"--steps {len(texts)}: {one} acts on products of spins, and its coarse spins are"
                f" variables of another kind, with a mean of their own: take --steps {step}, and"
                " train a second rule on the result"
            )


def _require_one_block(chosen: dict[str, ChosenRule]) -> None:
    blocks = {text: one.rule.block for text, one in chosen.items()}
    if len(set(blocks.values())) > 1:
        described = ", ".join(f"{text} has {shape_text(one)}" for text, one in blocks.items())
        raise UsageError(f"--rule: the rules of one flow need blocks of one shape ({described})")
