"""The request of ``rsmi train-lambda``: the options and inputs, checked against one another."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rsmi.errors import UsageError
from rsmi.information.categorical import HiddenUnits
from rsmi.information.objectives import STEPS_PER_EPOCH
from rsmi.information.training import DISTINCT_BLOCKS, default_settings
from rsmi.kernels.decoder import parameter_count
from rsmi.lattice.blocks import block_of
from rsmi.lattice.geometry import Geometry, shape_text
from rsmi.samples.checks import require_windows
from rsmi.samples.views import MachinesFile, SamplesFile, open_machines, open_samples
from rsmi.samples.windows import WindowSet
from rsmi.stages.training.ascent import Ascent
from rsmi.stages.training.block_methods import Explanation, Likelihood
from rsmi.stages.training.canonical import OBJECTIVE, CanonicalModes
from rsmi.stages.training.hidden import HiddenOptions, with_units
from rsmi.stages.training.methods import Method
from rsmi.stages.training.rule_numbers import WITHOUT_OPTIMISER
from rsmi.stages.training.rules import LambdaTraining
from rsmi.stages.training.sector import SectorChoice, choose, with_products
from rsmi.stages.training.theta import default_schedule

# The least number of windows for each parameter of a decoder: a decoder of p parameters that is
# fitted to n windows loses about p/2n nats.
_WINDOWS_PER_PARAMETER = 10
_ENUMERABLE = 16  # the most sites of a block whose states are summed over

PRODUCT_STEPS = 1500  # of a rule of products: its information is small, and the decoder has units
FEATURE_LEARNING_RATE = 0.05  # of filters of features
SAME_STATES_STEPS, OTHER_STATES_STEPS = (
    600,
    1500,
)  # of as many coarse states as a site has, and else
_LEAST_ROWS = 30  # of the curve of a training with --updates, unless it has fewer updates

_OF_SEVERAL_STATES = ("decoder", "proxy", "logsum", "enumerate")
_PROXY_ESTIMATORS = ("pairs", "mcmc", "gaussian")
_LIKELIHOOD_ESTIMATORS = ("cd", "pcd")
# The estimators of an objective; the objectives that are not listed have those of the proxy, and
# do not use them.
_ESTIMATORS: dict[str, tuple[str, ...]] = {
    "likelihood": _LIKELIHOOD_ESTIMATORS,
    "total-correlation": (),
    OBJECTIVE: (),
}


@contextlib.contextmanager
def prepare(
    samples: Path,
    theta: Path | None,
    *,
    block: str | None,
    buffer: int | None,
    environment: int | None,
    metric: str | None,
    windows: int,
    hidden: int,
    hidden_states: int | None,
    filters: str | None,
    objective: str | None,
    estimator: str | None,
    bias: str | None,
    restarts: int,
    updates: int | None,
    learning_rate: float | None,
    sector: str | None,
    pairs_within: float | None,
    decoder_units: int | None,
    environment_features: str | None,
    seed: int,
) -> Iterator[LambdaTraining]:
    """Open the inputs and check that everything fits.

    The parameters are the options of the command. None stands for what theta says, or else for the
    default.

    Raises
    ------
    UsageError, DataError
        If a file cannot be used, or if the options do not fit it or one another.
    """
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_samples(samples))
        machines = stack.enter_context(open_machines(theta)) if theta else None
        geometry = _geometry(machines, block, buffer, environment, metric)
        objective = objective or _default_objective(machines, estimator)
        drawn = WindowSet(source.file, geometry, windows, seed)
        _check_objective(objective, estimator, drawn.geometry)
        options = HiddenOptions(hidden, hidden_states, filters)
        _check_several_states(objective, estimator, theta, source, options)
        if _needs_machines(objective, estimator):
            _check_machines(objective, machines, source, drawn.geometry)
        else:
            machines = None
        drawn.check()
        choice = choose(drawn, sector, pairs_within, decoder_units, objective, bias)
        drawn, options = with_units(with_products(drawn, choice), options, choice.sector)
        _check_features(machines, drawn, choice)
        if environment_features is not None:
            drawn = _with_features(drawn, environment_features, machines)
        bias = _bias(bias, drawn, choice)
        given = {"updates": updates, "learning_rate": learning_rate}
        optimiser = {name: value for name, value in given.items() if value is not None}
        _check_optimiser(objective, optimiser)
        units = choice.decoder_units
        method = _method(objective, estimator, hidden, bias, drawn, machines, optimiser, units)
        _require_enough(drawn, method)
        restarts = 1 if objective == OBJECTIVE else restarts
        yield LambdaTraining(drawn, machines, method, restarts, seed, optimiser, choice, options)


def _with_features(windows: WindowSet, name: str, machines: MachinesFile | None) -> WindowSet:
    """The windows with further variables of the environment."""
    option, own = f"--environment-features {name}", windows.model.environment_features
    if name not in own:
        has = f"has {', '.join(own)}" if own else "has none"
        raise UsageError(f"{option}: the model {windows.samples.model_name} {has}")
    if windows.units is not None:
        raise UsageError(f"{option}: they are for variables and hidden units with two states")
    if machines is not None:
        raise UsageError(f"{option}: the machines of --theta do not know them: leave out --theta")
    if windows.samples.rg_step or windows.samples.has_mask:
        raise UsageError(f"{option}: only samples that are not coarse-grained nor masked have them")
    return replace(windows, environment_features=name)


def _require_enough(windows: WindowSet, method: Method) -> None:
    own = windows.hidden(method.hidden)
    decoder = parameter_count(
        windows.n_environment,
        method.decoder_units,
        method.hidden,
        own.states,
        own.tied,
        own.features,
    )
    require_windows(
        windows,
        max(2 * method.batch, _WINDOWS_PER_PARAMETER * decoder),
        f"a decoder of {decoder} parameters",
    )


def _check_several_states(
    objective: str,
    estimator: str | None,
    theta: Path | None,
    source: SamplesFile,
    options: HiddenOptions,
) -> None:
    """Check that the objective is one for variables or units with several states."""
    if source.states == 2 and options.states is None:
        return
    what = (
        f"{source.path}: its variables have {source.states} states"
        if source.states > 2
        else f"--hidden-states {options.states}: a unit with several states"
    )
    if theta is not None and source.states == 2:
        raise UsageError(f"--theta: {what}, but the machines know variables +-1: leave it out")
    if objective not in _OF_SEVERAL_STATES or (source.states == 2 and objective != "decoder"):
        there = ", ".join(_OF_SEVERAL_STATES) if source.states > 2 else "only decoder"
        raise UsageError(f"--objective {objective}: {what}, for which there is {there}")
    if estimator not in (None, "pairs"):
        raise UsageError(f"--estimator {estimator}: {what}, for which there is pairs")


def _check_features(
    machines: MachinesFile | None, windows: WindowSet, choice: SectorChoice
) -> None:
    """Check that machines of variables with several states know the features of the filters."""
    if machines is None or machines.features is None or windows.units is None:
        return
    ours, theirs = windows.units.features, machines.features
    if ours is None or not np.array_equal(ours, theirs):
        sector = "" if choice.sector is None else f"--sector {choice.sector.name}: "
        raise UsageError(
            f"{sector}the filters act on other features of the states than the machines of"
            f" {machines.path}: take --objective decoder, and leave out --theta"
        )


def _bias(bias: str | None, windows: WindowSet, choice: SectorChoice) -> str:
    """The setting of the bias; by default it is zero where windows are symmetric, and takes up
    their means where they are not. A sector that is not odd has a free bias."""
    if windows.units is not None and (windows.symmetry or windows.units.tied):
        return _bias_of_features(bias, windows.units, choice.decoder_units)
    if bias == "zero" and not windows.symmetric:
        raise UsageError(
            f"--bias zero: {windows.samples.path} is not known to be symmetric under a flip of all"
            " spins, so that the spins are centred by their means, which makes a bias: leave --bias"
            " out, or import the samples with --symmetric flip if the flip is a symmetry"
        )
    free = choice.has_products or (choice.sector is not None and choice.sector.parity != "odd")
    return bias or ("free" if free else "zero")


def _bias_of_features(bias: str | None, units: HiddenUnits, decoder_units: int) -> str:
    """The setting of the bias where the states have a symmetry: zero for as many coarse states as a
    site has, so that none of them is preferred."""
    if units.tied and decoder_units:
        raise UsageError(
            f"--decoder-units {decoder_units}: tied filters have a tied decoder without such units"
        )
    if units.tied and bias == "free":
        raise UsageError("--bias free: tied filters have no bias, which would prefer a state")
    same = units.features is not None and units.states == len(units.features)
    return bias or ("zero" if same else "free")


# ---- geometry ------------------------------------------------------------------------------------


def _geometry(
    machines: MachinesFile | None,
    block: str | None,
    buffer: int | None,
    environment: int | None,
    metric: str | None,
) -> Geometry:
    """The geometry of the machines, or that of the options."""
    if machines is not None:
        return _geometry_of(machines, block, buffer, environment, metric)
    if block is None:
        raise UsageError(
            "give the geometry by --block (with --buffer and --environment), or by --theta"
        )
    return block_of(
        block,
        1 if buffer is None else buffer,
        1 if environment is None else environment,
        metric,
    )


def _geometry_of(
    machines: MachinesFile,
    block: str | None,
    buffer: int | None,
    environment: int | None,
    metric: str | None,
) -> Geometry:
    """The geometry that the machines were trained on; an option that repeats it must agree."""
    window = machines.window
    for name, given, stored in (
        (
            "block",
            None if block is None else _block_text(block_of(block, 0, 1)),
            _block_text(window),
        ),
        ("buffer", buffer, machines.buffer),
        ("environment", environment, machines.environment),
        ("metric", metric, window.metric or "square"),
    ):
        if given is not None and given != stored:
            raise UsageError(
                f"--{name} {given} contradicts {machines.path}, which was trained with {name}"
                f" {stored}"
            )
    return window


def _block_text(geometry: Geometry) -> str:
    """The shape of a block, or the sites of a list."""
    if geometry.live is None:
        return shape_text(geometry.block)
    return " ".join(",".join(map(str, site)) for site in geometry.block_offsets.tolist())


# ---- objective and machines ----------------------------------------------------------------------


def _default_objective(machines: MachinesFile | None, estimator: str | None) -> str:
    if estimator in _LIKELIHOOD_ESTIMATORS:
        return "likelihood"
    return "proxy" if machines or estimator == "gaussian" else "decoder"


def _needs_machines(objective: str, estimator: str | None) -> bool:
    if objective == "proxy":
        return estimator != "gaussian"
    return objective in ("logsum", "enumerate")


def _check_objective(objective: str, estimator: str | None, geometry: Geometry) -> None:
    allowed = _ESTIMATORS.get(objective, _PROXY_ESTIMATORS)
    if estimator and estimator not in allowed:
        raise UsageError(
            f"--objective {objective} has no --estimator {estimator}"
            + (f"; its own are {', '.join(allowed)}" if allowed else "")
        )


def _check_machines(
    objective: str, machines: MachinesFile | None, source: SamplesFile, geometry: Geometry
) -> None:
    """Check that there are machines, and that they were trained on such samples."""
    if machines is None:
        raise UsageError(
            f"--objective {objective} needs the Boltzmann machines: give --theta (from 'rsmi"
            " train-theta'), or take --objective decoder"
        )
    if objective == "enumerate" and source.states**geometry.n_block > 2**_ENUMERABLE:
        most = int(_ENUMERABLE / math.log2(source.states))
        raise UsageError(
            f"--objective enumerate sums over {source.states}^{geometry.n_block} block states;"
            f" {most} sites are the most: take proxy or decoder"
        )
    _check_samples(machines, source)
    _check_units(machines, geometry)


def _check_samples(machines: MachinesFile, source: SamplesFile) -> None:
    if machines.components != source.components:
        raise UsageError(
            f"{machines.path} was trained on samples of {machines.components} components per site,"
            f" {source.path} has {source.components}"
        )
    for name, ours, theirs in (
        ("model", source.model_name, machines.model_name),
        ("states", source.states, machines.attributes.get("states", 2)),
        ("coupling", source.coupling, machines.coupling),
        ("rg_step", source.rg_step, machines.rg_step),
    ):
        if ours != theirs:
            raise UsageError(
                f"{machines.path} was trained on samples with {name} {theirs}, {source.path} has"
                f" {ours}"
            )


def _check_units(machines: MachinesFile, geometry: Geometry) -> None:
    if machines.live_sites != geometry.live:
        raise UsageError(f"{machines.path}: was trained on blocks of which other sites carry data")
    sizes = (geometry.n_block + geometry.n_environment, geometry.n_block)
    if (machines.joint_visible, machines.block_visible) != sizes:
        raise UsageError(f"{machines.path}: its machines do not fit its geometry ({geometry})")


# ---- method --------------------------------------------------------------------------------------


def _method(
    objective: str,
    estimator: str | None,
    hidden: int,
    bias: str,
    windows: WindowSet,
    machines: MachinesFile | None,
    optimiser: Mapping[str, Any],
    decoder_units: int,
) -> Method:
    if objective == "total-correlation":
        return Explanation(hidden, bias)
    if objective == OBJECTIVE:
        return CanonicalModes(hidden, bias)
    if objective == "likelihood":
        return _likelihood(estimator, hidden, bias, windows)
    changes = windows.model.checked_training(
        "train-lambda", windows.geometry, objective, estimator
    ) | _optimiser_settings(optimiser)
    if windows.products is not None:
        changes = {"total_steps": PRODUCT_STEPS} | changes
    if windows.units is not None:
        changes = _settings_of_units(windows.units, windows.geometry.n_block) | changes
    settings = default_settings(
        objective,
        hidden,
        windows.n_features,
        **changes,
        decoder_units=decoder_units,
        estimator=estimator or "pairs",
        bias=bias,
    )
    return Ascent(settings, machines)


def _settings_of_units(units: HiddenUnits, n_block: int) -> dict[str, Any]:
    """The settings of a training on features: more updates unless there are as many coarse states
    as a site has, and no bit."""
    states = 2 if units.features is None else len(units.features)
    same = units.states == states
    return {
        "distinct_blocks": states**n_block <= 2**DISTINCT_BLOCKS,
        "hidden_states": units.states,
        "tied": units.tied,
        "learning_rate": FEATURE_LEARNING_RATE,
        "total_steps": SAME_STATES_STEPS if same else OTHER_STATES_STEPS,
    }


def _check_optimiser(objective: str, optimiser: Mapping[str, Any]) -> None:
    """Check that the objective has an optimiser if its settings are given."""
    if optimiser and objective in WITHOUT_OPTIMISER:
        option = f"--{next(iter(optimiser)).replace('_', '-')}"
        raise UsageError(
            f"{option}: --objective {objective} has no optimiser with updates: it is trained by"
            f" {WITHOUT_OPTIMISER[objective]}"
        )
    rate = optimiser.get("learning_rate", 1.0)
    if not 0 < rate < 10:
        raise UsageError(f"--learning-rate {rate}: must be positive (about 0.02)")


def _optimiser_settings(optimiser: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a training that the options change: a curve of few updates has shorter rows,
    so that its end can be judged."""
    settings = dict(optimiser)
    updates = settings.pop("updates", None)
    if updates is not None:
        settings |= {
            "total_steps": updates,
            "steps_per_epoch": min(STEPS_PER_EPOCH, max(1, updates // _LEAST_ROWS)),
        }
    return settings


def _likelihood(estimator: str | None, hidden: int, bias: str, windows: WindowSet) -> Likelihood:
    schedule = default_schedule(windows)
    persistent = estimator == "pcd" if estimator else schedule.persistent
    return Likelihood(replace(schedule, hidden=hidden, persistent=persistent), bias)
