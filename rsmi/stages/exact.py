"""``rsmi exact``: what rules know of their environment, exactly."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rsmi import models
from rsmi.engine.keys import stream_key
from rsmi.errors import UsageError
from rsmi.information.channel import channel_table
from rsmi.information.entropy import ExactInformation, joint_informations
from rsmi.lattice.geometry import (
    Geometry,
    choose_windows,
    extract_windows,
    shape_text,
    split_configurations,
)
from rsmi.models.base import Model, Oracle
from rsmi.models.schedule import pilot, schedule_from
from rsmi.samples.checks import require_full, require_periodic, require_single_component
from rsmi.samples.views import SamplesFile, open_samples
from rsmi.samples.windows import extract_stored
from rsmi.stages.rule_option import ChosenRule, choose_rule
from rsmi.statistics.binning import runs
from rsmi.statistics.notation import fields, table, with_error

log = logging.getLogger("rsmi")

_MOST_HIDDEN = 8
_LARGE_BLOCK = (
    9  # beyond so many sites a window takes up to a millisecond, more than a configuration does
)
_WINDOWS = {False: 100_000, True: 10_000}  # of small and of large blocks
_SITES_PER_WINDOW = {False: 128, True: 1024}  # of the configurations that are sampled for them
_FEWEST_CONFIGURATIONS = 80  # two to a run of `rsmi.statistics.binning.runs`


@dataclass(frozen=True)
class System:
    """The lattice that is asked about; ``source`` are samples of it, if there are any."""

    model: Model
    oracle: Oracle
    shape: tuple[int, ...]
    coupling: float
    source: SamplesFile | None = None


@dataclass(frozen=True)
class Environments:
    """Sampled environments (n, |E|), the run of configurations each is from, and the number of
    configurations."""

    spins: np.ndarray
    runs: np.ndarray
    configurations: int


def evaluate(
    samples: Path | None,
    rules: tuple[str, ...],
    *,
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
) -> dict:
    """I(H:E) of every rule and I(V:E), the environments enumerated where that is possible, else
    sampled.

    Returns
    -------
    dict
        The question and ``mutual_information_block``; ``rule``, ``hard``, ``mutual_information``,
        ``entropy_h`` of one rule, or a list ``rules`` of such objects for several. Values with an
        ``_error``, 0 where all environments are enumerated. Nats.

    Raises
    ------
    UsageError
        For what contradicts itself or is out of reach; the sentence says what is within it.
    """
    with contextlib.ExitStack() as stack:
        system = _system(stack, samples, model, dimension, shape, temperature, coupling)
        chosen = [choose_rule(stack, text, block, hard, len(system.shape), bias) for text in rules]
        geometry = _geometry(chosen, buffer, environment)
        _check(geometry, system, chosen)
        channels = [channel_table(one.rule.filters, one.rule.bias, one.rule.hard) for one in chosen]
        joint = (
            None if system.source else system.oracle.joint(geometry, system.shape, system.coupling)
        )
        environments = (
            _environments(geometry, system, chosen, windows, seed) if joint is None else None
        )
        found = (
            joint_informations(channels, joint)
            if environments is None
            else _averages(channels, geometry, system, environments)
        )
    answers = [
        {
            "rule": text,
            "hard": one.rule.hard,
            "mutual_information": value.information,
            "mutual_information_error": value.error,
            "entropy_h": value.entropy,
        }
        for text, one, value in zip(rules, chosen, found)
    ]
    return {
        "model": system.model.name,
        "shape": list(system.shape),
        "coupling": system.coupling,
        "temperature": 1 / system.coupling,
        **{
            name: value
            for name, value in asdict(geometry).items()
            if name not in ("components", "live")
        },
        "method": "sampled" if environments else "enumerated",
        "windows": len(environments.spins) if environments else None,
        "configurations": environments.configurations if environments else None,
        "mutual_information_block": found[0].block_information,
        "mutual_information_block_error": found[0].block_error,
        **(answers[0] if len(answers) == 1 else {"rules": answers}),
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


def _geometry(chosen: list[ChosenRule], buffer: int | None, environment: int) -> Geometry:
    """Block and buffer that all rules share; a learned rule remembers its buffer."""
    blocks = list(dict.fromkeys(one.rule.block for one in chosen))
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
    hidden = max(one.rule.n_hidden for one in chosen)
    if hidden > _MOST_HIDDEN:
        raise UsageError(
            f"a rule of {hidden} hidden units: at most {_MOST_HIDDEN}, whose joint states are"
            " summed over"
        )


# ---- the environments ----------------------------------------------------------------------------


def _environments(
    geometry: Geometry, system: System, chosen: list[ChosenRule], windows: int | None, seed: int
) -> Environments:
    large = geometry.n_block > _LARGE_BLOCK
    count = windows or _WINDOWS[large]
    key = stream_key(seed, "windows", {"shape": list(system.shape), "coupling": system.coupling}, 0)
    if system.source:
        rows = _rows(system.source, chosen)
        configurations, *places = choose_windows(len(rows), system.shape, count, key)
        spins = extract_stored(system.source.file, geometry, rows[configurations], *places)[1]
    else:
        packed = _sampled(system, count, _SITES_PER_WINDOW[large], seed)
        configurations, *places = choose_windows(len(packed), system.shape, count, key)
        spins = extract_windows(packed, system.shape, geometry, configurations, *places)[1]
    return Environments(spins, runs(configurations), len(np.unique(configurations)))


def _rows(source: SamplesFile, chosen: list[ChosenRule]) -> np.ndarray:
    """Configurations of a file, ascending: those that a learned rule has not seen, all of them
    otherwise."""
    n = source.count
    if n < 5:
        raise UsageError(
            f"{source.path}: {n} configurations are too few for an error: at least 5 are needed"
        )
    return (
        split_configurations(n, source.chains)[1]
        if any(one.file for one in chosen)
        else np.arange(n)
    )


def _sampled(system: System, windows: int, sites_per_window: int, seed: int) -> np.ndarray:
    """Configurations at equilibrium, practically independent, enough for so many windows."""
    simulation = system.model.simulation(
        {
            "shape": system.shape,
            "coupling": system.coupling,
            "algorithm": "auto",
            "seed": seed,
            "chains": 1,
        }
    )
    schedule = schedule_from({"thermalization": "auto", "interval": "auto"}, pilot(simulation))
    count = min(
        windows, max(_FEWEST_CONFIGURATIONS, -(-windows * sites_per_window // simulation.sites))
    )
    log.info(
        "too large to enumerate: sampling %d configurations by %s, one every %d sweeps",
        count,
        simulation.algorithm,
        schedule.interval,
    )
    state = simulation.start("exact")
    simulation.advance(state, schedule.thermalization_updates, 0, 1)
    return simulation.advance(state, schedule.updates, 0, count)["spins"]


def _averages(
    channels: list[np.ndarray], geometry: Geometry, system: System, environments: Environments
) -> list[ExactInformation]:
    return system.oracle.informations(
        channels, geometry, system.coupling, environments.spins, environments.runs
    )


# ---- as text -------------------------------------------------------------------------------------


def describe(found: dict) -> str:
    """What `evaluate` found, as a table."""
    model = models.of(found)
    ratio = model.relative_temperature(found)
    whole, answers = found["mutual_information_block"], found.get("rules", [found])
    sampled = (
        f"{found['windows']} windows of {found['configurations']} sampled configurations; P(V|E)"
        " exact"
    )
    rows = [["rule", "", "I(H:E)", "of I(V:E)", "H(H)"]]
    for one in answers:
        information = with_error(one["mutual_information"], one["mutual_information_error"])
        share = f"{one['mutual_information'] / whole:.4f}" if whole > 0 else "-"
        rows.append(
            [
                one["rule"],
                "hard" if one["hard"] else "soft",
                information,
                share,
                f"{one['entropy_h']:.6g}",
            ]
        )
    lines = fields(
        [
            ("lattice", f"{shape_text(found['shape'])} {model.describe_lattice(found)}, periodic"),
            (
                "temperature",
                f"T = {found['temperature']:.6g} J/k_B, K = {found['coupling']:.6g}"
                + (f", T/T_c = {ratio:.4f}" if ratio else ""),
            ),
            ("block V", f"{shape_text(found['block'])}, buffer of width {found['buffer']}"),
            ("environments", sampled if found["windows"] else "all of them, by enumeration"),
            (
                "I(V:E)",
                (
                    f"{with_error(whole, found['mutual_information_block_error'])} nats, the most"
                    " that any rule could keep"
                ),
            ),
        ]
    )
    return "\n".join([*lines, "", *table(rows), ""])
