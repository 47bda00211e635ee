"""``rsmi exact``: what rules know about their environment, exactly."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi import models
from rsmi.errors import UsageError
from rsmi.information.entropy import ExactInformation, joint_informations
from rsmi.lattice.geometry import Geometry, parse_block, shape_text
from rsmi.models.base import Model, Oracle
from rsmi.samples.checks import (
    require_binary,
    require_full,
    require_periodic,
    require_single_component,
)
from rsmi.samples.views import open_samples
from rsmi.stages.exact_best import Found, Search
from rsmi.stages.exact_environments import Environments, System, draw_environments, halves
from rsmi.stages.rule_option import ChosenRule, choose_rule, require_components

_MOST_HIDDEN = 8  # hidden units of a rule, whose joint states are summed over


def evaluate(
    samples: Path | None,
    rules: tuple[str, ...],
    *,
    best: bool = False,
    sector: str | None = None,
    model: str,
    block: str | None,
    hard: bool,
    bias: str | None,
    dimension: int | None,
    shape: tuple[int, ...] | None,
    temperature: str | None,
    coupling: float | None,
    buffer: int | None,
    environment: int,
    windows: int | None,
    seed: int,
) -> dict[str, Any]:
    """I(H:E) of every rule, and I(V:E).

    The environments are enumerated where that is possible, else sampled. The parameters are the
    arguments and options of the command.

    Returns
    -------
    dict
        The question, and ``mutual_information_block``. One rule adds ``rule``, ``hard``,
        ``mutual_information_exact_hard`` and ``entropy_hard`` (``soft`` for a soft rule); several
        rules add a list ``rules`` of such objects, and ``best`` adds an object ``best``. Values are
        in nats and have an ``_error``, which is 0 where all environments are enumerated.

    Raises
    ------
    UsageError
        If the options contradict one another or ask for too much; the message says what is
        possible.
    """
    _check_question(rules, best, sector)
    with contextlib.ExitStack() as stack:
        system = _system(stack, samples, model, dimension, shape, temperature, coupling)
        chosen = [choose_rule(stack, text, block, hard, len(system.shape), bias) for text in rules]
        for text, one in zip(rules, chosen):
            require_components(text, one.rule, 1, "the lattice")
        geometry = _geometry(chosen, block, len(system.shape), buffer, environment)
        _check(geometry, system, chosen)
        search = Search(geometry, system, sector, seed) if best else None
        informations, environments, found = _informations(
            geometry, system, chosen, windows, seed, search
        )
    answers = [_answer(*one) for one in zip(rules, chosen, informations)]
    return {
        **_question(system, geometry),
        **_method(environments),
        "mutual_information_block": informations[0].block_information,
        "mutual_information_block_error": informations[0].block_error,
        **(answers[0] if len(answers) == 1 else {"rules": answers} if answers else {}),
        **({"best": search.answer(found, informations[-1])} if search and found else {}),
    }


def _check_question(rules: tuple[str, ...], best: bool, sector: str | None) -> None:
    if not rules and not best:
        raise UsageError("give a rule by --rule, or ask for the best of all functions by --best")
    if sector is not None and not best:
        raise UsageError(f"--sector {sector}: chooses among the functions of --best; add --best")


def _informations(
    geometry: Geometry,
    system: System,
    chosen: Sequence[ChosenRule],
    windows: int | None,
    seed: int,
    search: Search | None,
) -> tuple[Sequence[ExactInformation], Environments | None, Found | None]:
    """The informations of all rules and of the best function, if it is searched; the environments,
    None if all are enumerated; and the best function."""
    channels = [one.rule.channel() for one in chosen]
    joint = _joint(geometry, system)
    if joint is not None:
        found = search.of_joint(joint) if search else None
        channels += [found.channel] if found else []
        return joint_informations(channels, joint), None, found
    learned = any(one.file for one in chosen)
    drawn = draw_environments(geometry, system, learned, windows, seed)
    found = None
    if search:
        sample, drawn = halves(drawn)
        found = search.of_environments(sample)
        channels.append(found.channel)
    informations = system.oracle.informations(
        channels, geometry, system.coupling, drawn.spins, drawn.runs
    )
    return informations, drawn, found


def _joint(geometry: Geometry, system: System) -> NDArray[np.float64] | None:
    """P(V, E) of all states; None where samples are given or the states are too many."""
    if system.source is not None:
        return None
    return system.oracle.joint(geometry, system.shape, system.coupling)


def _question(system: System, geometry: Geometry) -> dict[str, Any]:
    window = asdict(geometry)
    return {
        "model": system.model.name,
        "shape": list(system.shape),
        "coupling": system.coupling,
        "temperature": 1 / system.coupling,
        **{name: window[name] for name in ("block", "buffer", "environment")},
    }


def _method(environments: Environments | None) -> dict[str, Any]:
    return {
        "method": "sampled" if environments else "enumerated",
        "windows": len(environments.spins) if environments else None,
        "configurations": environments.configurations if environments else None,
    }


def _answer(text: str, chosen: ChosenRule, information: ExactInformation) -> dict[str, Any]:
    kind = "hard" if chosen.rule.hard else "soft"
    return {
        "rule": text,
        "hard": chosen.rule.hard,
        f"mutual_information_exact_{kind}": information.information,
        f"mutual_information_exact_{kind}_error": information.error,
        f"entropy_{kind}": information.entropy,
        # The names up to version 0.4.0, which stay for one version.
        "mutual_information": information.information,
        "mutual_information_error": information.error,
        "entropy_h": information.entropy,
    }


# ---- the question --------------------------------------------------------------------------------


def _system(
    stack: contextlib.ExitStack,
    samples: Path | None,
    model: str,
    dimension: int | None,
    shape: tuple[int, ...] | None,
    temperature: str | None,
    coupling: float | None,
) -> System:
    if samples is None:
        if shape is None:
            raise UsageError(
                "give the lattice by --size (with --temperature or --coupling), or samples of it"
            )
        sampled = models.get(model)
        coupling = sampled.coupling(temperature, coupling, len(shape))
        return System(sampled, _oracle(sampled, len(shape), {}), shape, coupling)
    given = {
        "--dimension": dimension,
        "--size": shape,
        "--temperature": temperature,
        "--coupling": coupling,
    }
    for option, value in given.items():
        if value is not None:
            raise UsageError(f"{option}: {samples} brings its own lattice and temperature")
    source = stack.enter_context(open_samples(samples))
    oracle = _oracle(source.model, source.dimension, source.attributes, f"{samples}: ")
    require_single_component(source)
    require_binary(source, "rsmi exact")
    require_periodic(source, "exact information is of")
    require_full(source, "exact information needs")
    if source.rg_step:
        raise UsageError(
            f"{samples}: coarse-grained {source.rg_step} times: its couplings, and with them"
            " P(V|E), are not known exactly"
        )
    if source.coupling is None:
        raise UsageError(f"{samples}: the temperature of the samples is unknown")
    return System(source.model, oracle, source.shape, source.coupling, source)


def _oracle(model: Model, dimension: int, attributes: Mapping[str, Any], where: str = "") -> Oracle:
    oracle = model.known(dimension, attributes).oracle
    if oracle is None:
        raise UsageError(
            f"{where}exact information is not known of {model.describe_lattice(attributes)}"
        )
    return oracle


def _geometry(
    chosen: list[ChosenRule],
    block: str | None,
    dimension: int,
    buffer: int | None,
    environment: int,
) -> Geometry:
    """Block and buffer that all rules share; a learned rule remembers its buffer. Without rules the
    block is the given one."""
    blocks = list(dict.fromkeys(one.rule.block for one in chosen))
    if not blocks:
        blocks = [parse_block(block) if block else (2,) * dimension]
    if len(blocks) > 1:
        raise UsageError(
            f"the rules have blocks of {' and '.join(map(shape_text, blocks))}: one table is for"
            " one block"
        )
    learned = sorted({one.file.buffer for one in chosen if one.file})
    if buffer is None and len(learned) > 1:
        raise UsageError(
            f"the rules were learned with buffers {', '.join(map(str, learned))}: give --buffer"
        )
    return Geometry(blocks[0], (learned or [1])[0] if buffer is None else buffer, environment)


def _check(geometry: Geometry, system: System, chosen: list[ChosenRule]) -> None:
    """Refuse what does not fit or is out of reach."""
    system.oracle.check(geometry)
    geometry.check(system.shape)
    hidden = max((one.rule.n_hidden for one in chosen), default=1)
    if hidden > _MOST_HIDDEN:
        raise UsageError(
            f"a rule of {hidden} hidden units: at most {_MOST_HIDDEN}, whose joint states are"
            " summed over"
        )
