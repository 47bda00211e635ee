"""``rsmi exact``: what rules know about their environment, exactly."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.information.entropy import ExactInformation, joint_informations
from rsmi.lattice.geometry import Geometry, shape_text
from rsmi.stages.exact_best import Found, Search
from rsmi.stages.exact_best_map import FoundMap, MapSearch
from rsmi.stages.exact_environments import Environments, draw_environments, halves
from rsmi.stages.exact_question import (
    AnyRule,
    System,
    Window,
    channel_of,
    geometry_of,
    rules_of,
    system_of,
)


def evaluate(
    samples: Path | None,
    rules: tuple[str, ...],
    *,
    best: bool = False,
    sector: str | None = None,
    hidden_states: int | None = None,
    model: str,
    block: str | None,
    hard: bool,
    bias: str | None,
    buffer: int | None,
    environment: int,
    metric: str | None,
    windows: int | None,
    seed: int,
    **request: Any,
) -> dict[str, Any]:
    """I(H:E) of every rule, and I(V:E).

    The environments are enumerated where that is possible, else sampled. The parameters are the
    arguments and options of the command; ``request`` has ``shape``, ``dimension``,
    ``temperature``, ``coupling`` and the options of the model.

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
    _check_question(rules, best, sector, hidden_states)
    window = Window(block, buffer, environment, metric)
    with contextlib.ExitStack() as stack:
        system = system_of(stack, samples, model, request)
        chosen = rules_of(stack, rules, system, window, hard, bias)
        geometry = geometry_of(chosen, system, window)
        search = _search(geometry, system, sector, hidden_states, seed) if best else None
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
        **_best(search, found, informations[-1]),
    }


def _check_question(
    rules: tuple[str, ...], best: bool, sector: str | None, hidden_states: int | None
) -> None:
    if not rules and not best:
        raise UsageError("give a rule by --rule, or ask for the best of all functions by --best")
    if sector is not None and not best:
        raise UsageError(f"--sector {sector}: chooses among the functions of --best; add --best")
    if hidden_states is not None and not best:
        raise UsageError(f"--hidden-states {hidden_states}: is a question of --best; add --best")


def _search(
    geometry: Geometry, system: System, sector: str | None, hidden_states: int | None, seed: int
) -> Search | MapSearch:
    """The search for the best function: of one parity with two values for variables +-1, else for
    the best of all functions with so many values."""
    if system.coded is None:
        if hidden_states is not None:
            raise UsageError(
                f"--hidden-states {hidden_states}: is for models whose variables have several"
                " states; functions of variables +-1 have two values"
            )
        return Search(geometry, system, sector, seed)
    if sector is not None:
        raise UsageError(
            f"--sector {sector}: is for functions of variables +-1 with two values; leave it out"
        )
    states = hidden_states or system.coded.states
    return MapSearch(geometry, system, system.coded, states, seed)


def _best(
    search: Search | MapSearch | None, found: Found | FoundMap | None, last: ExactInformation
) -> dict[str, Any]:
    """The best function, if it was searched; its information is the last one."""
    if isinstance(search, Search) and isinstance(found, Found):
        return {"best": search.answer(found, last)}
    if isinstance(search, MapSearch) and isinstance(found, FoundMap):
        return {"best": search.answer(found, last)}
    return {}


def _informations(
    geometry: Geometry,
    system: System,
    chosen: Sequence[AnyRule],
    windows: int | None,
    seed: int,
    search: Search | MapSearch | None,
) -> tuple[Sequence[ExactInformation], Environments | None, Found | FoundMap | None]:
    """The informations of all rules and of the best function, if it is searched; the environments,
    None if all are enumerated; and the best function."""
    channels = [channel_of(one, geometry) for one in chosen]
    enumerated = _enumerated(geometry, system, channels, search)
    if enumerated is not None:
        return enumerated
    learned = any(one.file for one in chosen)
    drawn = draw_environments(geometry, system, learned, windows, seed)
    found: Found | FoundMap | None = None
    if search:
        sample, drawn = halves(drawn)
        found = search.of_environments(sample)
        channels.append(found.channel)
    informations = system.conditional.informations(
        channels, geometry, system.coupling, drawn.spins, drawn.runs
    )
    return informations, drawn, found


def _enumerated(
    geometry: Geometry,
    system: System,
    channels: list[NDArray[np.float64]],
    search: Search | MapSearch | None,
) -> tuple[Sequence[ExactInformation], None, Found | FoundMap | None] | None:
    """The informations and the best function where all environments are enumerated; None where
    samples are given or the environments are too many."""
    if system.source is not None:
        return None
    if system.coded is not None:
        best = search.enumerated() if isinstance(search, MapSearch) else None
        if search and best is None:
            return None
        channels = channels + ([best.channel] if best else [])
        summed = system.coded.enumerated(channels, geometry, system.shape, system.coupling)
        return None if summed is None else (summed, None, best)
    joint = system.enumeration.joint(geometry, system.shape, system.coupling)
    if joint is None:
        return None
    found = search.of_joint(joint) if isinstance(search, Search) else None
    channels = channels + ([found.channel] if found else [])
    return joint_informations(channels, joint), None, found


def _question(system: System, geometry: Geometry) -> dict[str, Any]:
    window, attributes, model = asdict(geometry), system.attributes, system.model
    lattice = f"{shape_text(system.shape)} {model.describe_lattice(attributes)}, periodic"
    listed = geometry.block_offsets.tolist() if geometry.live is not None else None
    measured = {"metric": geometry.metric, "sites": listed}
    return {
        "model": model.label(attributes),
        "shape": list(system.shape),
        **({"states": system.coded.states} if system.coded else {}),
        "coupling": attributes.get("coupling"),
        "temperature": attributes.get("temperature"),
        "lattice": lattice,
        "state_point": model.describe_temperature(attributes),
        **{name: window[name] for name in ("block", "buffer", "environment")},
        **{name: value for name, value in measured.items() if value is not None},
    }


def _method(environments: Environments | None) -> dict[str, Any]:
    return {
        "method": "sampled" if environments else "enumerated",
        "windows": len(environments.spins) if environments else None,
        "configurations": environments.configurations if environments else None,
    }


def _answer(text: str, chosen: AnyRule, information: ExactInformation) -> dict[str, Any]:
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
