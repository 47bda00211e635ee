"""The hidden units of a training: with two states each, or one unit with several states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.information.categorical import HiddenUnits, one_hot_features
from rsmi.models.sectors import Sector
from rsmi.samples.windows import WindowSet

MOST_HIDDEN_STATES = 16


@dataclass(frozen=True)
class HiddenOptions:
    """The options that describe the hidden units.

    Attributes
    ----------
    count : int
        ``--hidden``.
    states : int, optional
        ``--hidden-states``.
    filters : {"tied", "free"}, optional
        ``--filters``.
    """

    count: int
    states: int | None = None
    filters: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """What a file says of units with several states in its parameters."""
        if self.states is None:
            return {}
        return {"hidden_states": self.states, "filters": self.filters}


def with_units(
    windows: WindowSet, options: HiddenOptions, sector: Sector | None
) -> tuple[WindowSet, HiddenOptions]:
    """Return the windows with the hidden units that the options describe, and the options with
    their defaults; both unchanged for units with two states that act on variables +-1.

    Raises
    ------
    UsageError
        If the options contradict one another or the samples.
    """
    if options.states is None and options.filters is not None:
        raise UsageError(f"--filters {options.filters}: for a unit with several --hidden-states")
    if options.states is None and windows.samples.states == 2:
        return windows, options
    if windows.geometry.live is not None:
        raise UsageError(
            f"{windows.samples.path}: variables and hidden units with several states are learned on"
            " blocks whose sites all carry data"
        )
    features = _features(windows, sector)
    if options.states is None:
        return replace(windows, units=HiddenUnits(options.count, features=features)), options
    _check_states(windows, options.count, options.states)
    tied = _tied(windows, options)
    units = HiddenUnits(1, options.states, tied, features)
    return replace(windows, units=units), replace(options, filters="tied" if tied else "free")


def _features(windows: WindowSet, sector: Sector | None) -> NDArray[np.float64]:
    """Return the features of the states of a site: those of the sector, or of the model."""
    samples = windows.samples
    if samples.states == 2:
        return one_hot_features(2)
    if sector is not None and sector.state_features is not None:
        return sector.state_features(samples.states)
    return samples.model.state_features(samples.attributes)


def _check_states(windows: WindowSet, count: int, states: int) -> None:
    path = windows.samples.path
    if count != 1:
        raise UsageError(
            f"--hidden {count}: a hidden unit with several --hidden-states stands alone;"
            " leave out --hidden"
        )
    if not 2 <= states <= MOST_HIDDEN_STATES:
        raise UsageError(f"--hidden-states {states}: 2 to {MOST_HIDDEN_STATES} states")
    if windows.products is not None:
        raise UsageError(
            f"--hidden-states {states}: a unit with several states acts on single sites; leave out"
            " --sector"
        )
    if windows.samples.components > 1:
        raise UsageError(
            f"--hidden-states {states}: {path} has {windows.samples.components} components per"
            " site, and a unit with several states acts on one"
        )


def _tied(windows: WindowSet, options: HiddenOptions) -> bool:
    """Return whether filters are tied: by default if the coarse states are those of a site and the
    states have a symmetry."""
    states, same = windows.samples.states, options.states == windows.samples.states
    if options.filters != "tied":
        return options.filters is None and same and windows.symmetry is not None
    if not same:
        raise UsageError(
            f"--filters tied: the coarse states are relabelled with those of a site, so that both"
            f" need the same number: take --hidden-states {states}, or --filters free"
        )
    if windows.symmetry is None:
        raise UsageError(
            f"--filters tied: {windows.samples.path} is not known to have a symmetry of its states:"
            " take --filters free, or import the samples with --symmetric"
        )
    return True
