"""What ``rsmi exact`` is asked: the lattice and its state point, the rules and the window."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi import models
from rsmi.errors import UsageError
from rsmi.information.channel import spin_states, state_probabilities
from rsmi.lattice.blocks import block_of, with_neighbours
from rsmi.lattice.geometry import Geometry, shape_text
from rsmi.models.base import CodedOracle, Enumeration, Model, Oracle
from rsmi.renormalization.rules import NAMED
from rsmi.samples.attributes import stored_attributes
from rsmi.samples.checks import (
    require_full,
    require_periodic,
)
from rsmi.samples.views import SamplesFile, open_samples
from rsmi.stages.rule_option import ChosenCategoricalRule, ChosenRule, choose_any_rule, choose_rule

AnyRule = ChosenRule | ChosenCategoricalRule

_MOST_HIDDEN = 8  # hidden units of a rule, whose joint states are summed over


@dataclass(frozen=True)
class System:
    """The lattice in question.

    Attributes
    ----------
    model : Model
    enumeration : Enumeration
        What knows P(V, E) of small lattices.
    attributes : mapping
        The lattice and its state point as the attributes of a samples file.
    oracle : Oracle, optional
        What knows P(V|E) of environments that are sampled.
    source : SamplesFile, optional
        Samples of it, if there are any.
    """

    model: Model
    enumeration: Enumeration
    attributes: Mapping[str, Any]
    oracle: Oracle | None = None
    source: SamplesFile | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along each axis."""
        return tuple(self.attributes["shape"])

    @property
    def coupling(self) -> float:
        """K; 0 of a model that has none."""
        return self.attributes.get("coupling", 0.0)

    @property
    def conditional(self) -> Oracle:
        """What knows P(V|E) of environments that are sampled.

        Raises
        ------
        UsageError
            If nothing does.
        """
        if self.oracle is None:
            raise UsageError(f"{shape_text(self.shape)}: too many states to enumerate")
        return self.oracle

    @property
    def coded(self) -> CodedOracle | None:
        """What knows P(V|E) of variables that are codes; None of variables +-1."""
        return self.oracle if isinstance(self.oracle, CodedOracle) else None

    @property
    def components(self) -> int:
        """Variables of each cell."""
        return self.attributes.get("components", 1)


# ---- the lattice ---------------------------------------------------------------------------------


def system_of(
    stack: contextlib.ExitStack, samples: Path | None, model: str, request: Mapping[str, Any]
) -> System:
    """The system of samples, or of a request for a model.

    Parameters
    ----------
    stack : contextlib.ExitStack
        Closes the samples.
    samples : Path or None
    model : str
    request : mapping
        ``shape``, ``temperature``, ``coupling`` and the options of the model; None for what is not
        given.

    Raises
    ------
    UsageError
        If the lattice is not defined, or nothing exact is known of it.
    """
    if samples is not None:
        return _of_samples(stack, samples, request)
    if request["shape"] is None:
        raise UsageError(
            "give the lattice by --size (with --temperature or --coupling), or samples of it"
        )
    sampled, dimension = models.get(model), len(request["shape"])
    sampled.check_shape(request["shape"])
    _enumeration(sampled, dimension, {"model": model})
    given = {**request, "algorithm": "auto", "boundary": "periodic"}
    parameters = {**sampled.parameters(given), "seed": 0, "chains": 1}
    if parameters.get("boundary", "periodic") != "periodic":
        raise UsageError(f"--model {model}: has open sides; exact information is of a torus")
    own = stored_attributes(sampled.simulation(parameters).attributes())
    attributes = {**own, "shape": request["shape"]}
    enumeration = _enumeration(sampled, dimension, attributes)
    return System(sampled, enumeration, attributes, sampled.known(dimension, attributes).oracle)


def _of_samples(stack: contextlib.ExitStack, samples: Path, request: Mapping[str, Any]) -> System:
    for name, value in request.items():
        if value not in (None, (), False):
            option = "size" if name == "shape" else name.replace("_", "-")
            raise UsageError(f"--{option}: {samples} brings its own lattice and temperature")
    source = stack.enter_context(open_samples(samples))
    enumeration = _enumeration(source.model, source.dimension, source.attributes, f"{samples}: ")
    oracle = source.model.known(source.dimension, source.attributes).oracle
    if oracle is None:
        raise UsageError(
            f"{samples}: exact information of {source.model.describe_lattice(source.attributes)}"
            " is a sum over all states of a small torus: give --model and --size, no samples"
        )
    require_periodic(source, "exact information is of")
    require_full(source, "exact information needs")
    if source.rg_step:
        raise UsageError(
            f"{samples}: coarse-grained {source.rg_step} times: its couplings, and with them"
            " P(V|E), are not known exactly"
        )
    if source.coupling is None:
        raise UsageError(f"{samples}: the temperature of the samples is unknown")
    return System(source.model, enumeration, source.attributes, oracle, source)


def _enumeration(
    model: Model, dimension: int, attributes: Mapping[str, Any], where: str = ""
) -> Enumeration:
    enumeration = model.known(dimension, attributes).joint
    if enumeration is None:
        raise UsageError(
            f"{where}exact information is not known of {model.describe_lattice(attributes)}"
        )
    return enumeration


# ---- rules and window ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    """The options that describe the window; None for what is not given."""

    block: str | None
    buffer: int | None
    environment: int
    metric: str | None


def rules_of(
    stack: contextlib.ExitStack,
    texts: Sequence[str],
    system: System,
    window: Window,
    hard: bool,
    bias: str | None,
) -> list[AnyRule]:
    """The rules that the options name.

    Raises
    ------
    UsageError
        If a rule does not fit the cells of the lattice, or has too many hidden units.
    """
    dimension, components = len(system.shape), system.components
    if system.coded is not None:
        states = system.coded.states
        return [
            choose_any_rule(stack, text, window.block, hard, dimension, bias, states)
            for text in texts
        ]
    given = None if window.block is None else block_of(window.block, 0, 1, window.metric)
    chosen: list[ChosenRule] = [
        choose_rule(
            stack,
            text,
            None if given is None else shape_text(given.block),
            hard,
            dimension,
            bias,
            components,
            None if given is None else given.live,
        )
        for text in texts
    ]
    for text, one in zip(texts, chosen):
        _check_components(text, one, components, system)
        if one.rule.n_hidden > _MOST_HIDDEN:
            raise UsageError(
                f"a rule of {one.rule.n_hidden} hidden units: at most {_MOST_HIDDEN}, whose joint"
                " states are summed over"
            )
    return [*chosen]


def _check_components(text: str, chosen: ChosenRule, components: int, system: System) -> None:
    if chosen.rule.components == components:
        return
    lattice = system.model.describe_lattice(system.attributes)
    if text in NAMED:
        weights = ",".join(["1"] * components)
        raise UsageError(
            f"--rule {text}: a named rule is for one site in a cell, and {lattice} has"
            f" {components}: write a filter to a CSV file, such as {weights} for --block"
            f" {shape_text((1,) * len(system.shape))}"
        )
    raise UsageError(
        f"--rule {text}: acts on {chosen.rule.components} components per site, but {lattice} has"
        f" {components}: train a rule on it"
    )


def geometry_of(chosen: Sequence[AnyRule], system: System, window: Window) -> Geometry:
    """The window that all rules share. A learned rule remembers its block, its buffer and how
    distances are measured. Without rules the block is the given one.

    Raises
    ------
    UsageError
        If the rules contradict one another, or the window does not fit the lattice.
    """
    learned = sorted({one.file.buffer for one in chosen if one.file})
    if window.buffer is None and len(learned) > 1:
        raise UsageError(
            f"the rules were learned with buffers {', '.join(map(str, learned))}: give --buffer"
        )
    buffer = (learned or [1])[0] if window.buffer is None else window.buffer
    blocks = list(dict.fromkeys(one.rule.block for one in chosen))
    if len(blocks) > 1:
        raise UsageError(
            f"the rules have blocks of {' and '.join(map(shape_text, blocks))}: one table is for"
            " one block"
        )
    text = window.block or shape_text(blocks[0] if blocks else (2,) * len(system.shape))
    geometry = block_of(text, buffer, window.environment, window.metric)
    geometry = _as_learned(geometry, chosen, window)
    cell = system.model.unit_cell(system.attributes)
    geometry = replace(geometry, components=system.components)
    geometry = with_neighbours(geometry, None if cell is None else cell.steps)
    system.enumeration.check(geometry)
    geometry.check(system.shape)
    return geometry


def _as_learned(geometry: Geometry, chosen: Sequence[AnyRule], window: Window) -> Geometry:
    """The geometry with the sites and the metric of learned rules, where none are given."""
    files = [one.file for one in chosen if one.file]
    if not files:
        return geometry
    lists = {file.live_sites if "metric" in file.attributes else None for file in files}
    metrics = {file.attributes.get("metric") for file in files}
    if len(lists) > 1 or (window.block is not None and lists != {geometry.live}):
        raise UsageError(
            f"{files[0].path}: the block of a learned rule is not the block of the other rules, or"
            " not that of --block: one table is for one block"
        )
    if window.metric is None and len(metrics) > 1:
        raise UsageError("the rules were learned with different metrics: give --metric")
    metric = geometry.metric if window.metric is not None else metrics.pop()
    return replace(geometry, live=lists.pop(), metric=metric)


def channel_of(chosen: AnyRule, geometry: Geometry) -> NDArray[np.float64]:
    """The channel q(h|v) of a rule on the sites of the block, (states of the block, 2^n_hidden).

    Raises
    ------
    UsageError
        If the rule does not act on the sites of a block that is a list of sites.
    """
    if isinstance(chosen, ChosenCategoricalRule):
        return chosen.rule.channel()
    rule = chosen.rule
    if geometry.live is None:
        return rule.channel()
    if rule.products is not None:
        raise UsageError("a rule of products is measured on a rectangular block only")
    live = np.tile(geometry.live, geometry.components)
    name = chosen.identity.get("name")
    if not rule.filters[:, live].any() or (name not in NAMED and rule.filters[:, ~live].any()):
        raise UsageError(
            f"the rule {name or 'of a file'} has its weights on other sites than those of the"
            " block: give one weight for each of the sites, by --block"
        )
    states = spin_states(geometry.n_block)
    return state_probabilities(rule.filters[:, live], rule.bias, states, rule.hard)
