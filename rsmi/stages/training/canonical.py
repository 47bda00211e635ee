"""Canonical correlations of block and environment: linear filters without training.

The first coarse variable is the linear function of the block that a linear function of the
environment predicts best, the second the best of those that are uncorrelated with the first, and so
on. They are computed from the covariances of the training windows. The held-out windows tell how
strongly the pairs are correlated; the control does the same with environments of other
configurations, whose correlations are those that too few windows make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.errors import UsageError
from rsmi.information.canonical import (
    SAMPLE_CUT,
    Canonical,
    canonical_correlations,
    gaussian_information,
    rotation_to_modes,
    sample_moments,
)
from rsmi.samples.views import ROTATION, ROTATION_CORRELATIONS
from rsmi.samples.windows import WindowSet
from rsmi.stages.training.measures import environments_of
from rsmi.stages.training.methods import Key, LinearRule, restart_name
from rsmi.statistics.jackknife import jackknife
from rsmi.statistics.rounding import aligned, significant
from rsmi.store import File

OBJECTIVE = "canonical"
STRENGTH = 3.0  # standard deviation of x: the rule is then close to the hard one


def canonical_of(windows: WindowSet, shuffle: bool = False) -> Canonical:
    """Return the canonical pairs of the training windows.

    Parameters
    ----------
    windows : WindowSet
    shuffle : bool
        Whether the environments are those of other configurations.
    """
    training = windows.training
    moments = sample_moments(training.blocks, environments_of(training, shuffle), windows.means)
    return canonical_correlations(*moments, cut=SAMPLE_CUT)


# ---- the method ----------------------------------------------------------------------------------


@dataclass
class CanonicalRestart:
    """The task of the one computation, which is one row."""

    number: int
    windows: WindowSet
    hidden: int
    total = 1

    @property
    def name(self) -> str:
        """The name of the task."""
        return restart_name(self.number)

    @property
    def steps(self) -> NDArray[np.int64]:
        """One computation."""
        return np.ones(1, dtype=np.int64)

    def begin(self) -> tuple[int, State]:
        """No filters yet."""
        features = self.windows.n_features
        return 0, {"filters": np.zeros((self.hidden, features)), "bias": np.zeros(self.hidden)}

    def advance(self, state: State, start: int, count: int) -> Rows:
        """Compute the filters."""
        found = canonical_of(self.windows)
        if len(found.correlations) < self.hidden:
            raise UsageError(
                f"--hidden {self.hidden}: block and environment have {len(found.correlations)}"
                " pairs of canonical variables only"
            )
        state["filters"][:] = STRENGTH * found.block_modes[: self.hidden]
        if self.windows.means is not None:
            state["bias"][:] = -state["filters"] @ self.windows.means[0]
        information = significant(gaussian_information(found.correlations[: self.hidden]))
        rows = {"objective": information, "filters": state["filters"], "bias": state["bias"]}
        return {name: np.array([value]) for name, value in rows.items()}

    def rule(self, state: State) -> LinearRule:
        """The rule of the leading modes."""
        return LinearRule(state["filters"], state["bias"])


@dataclass(frozen=True)
class CanonicalModes:
    """The leading canonical variables of the block as hidden units."""

    hidden: int
    bias: str
    objective = OBJECTIVE
    estimator = None
    decoder_units = 0
    block_alone = False
    batch = 1

    def restarts(self, windows: WindowSet, keys: Sequence[Key]) -> list[CanonicalRestart]:
        """One task, which draws no random numbers."""
        return [CanonicalRestart(0, windows, self.hidden)]

    def plan(self, windows: WindowSet) -> dict[str, Any]:
        """There is nothing to choose."""
        return {}


# ---- measures ------------------------------------------------------------------------------------


def measures(windows: WindowSet) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
    """Return the correlations of all canonical pairs on held-out windows.

    Returns
    -------
    attributes : dict
        ``canonical_information`` with its error: the information in nats of Gaussian variables with
        these correlations, and that of the control.
    datasets : dict
        By path: the correlations, their errors, those of the control and, where the model knows
        them, the exact ones. It knows none with further variables of the environment.
    """
    values, errors, information, error = _held_out(windows, shuffle=False)
    control, _, of_control, _ = _held_out(windows, shuffle=True)
    exact = None
    if windows.environment_features is None:
        attributes_of_samples = windows.samples.attributes
        exact = windows.model.canonical_correlations(windows.geometry, attributes_of_samples)
    attributes = {
        "canonical_information": information,
        "canonical_information_error": error,
        "canonical_information_shuffled": of_control,
    }
    datasets = {
        "/canonical/correlations": values,
        "/canonical/errors": errors,
        "/canonical/shuffled": control,
    }
    if exact is not None:
        datasets["/canonical/exact"] = exact[: len(values)]
    return attributes, datasets


def _held_out(
    windows: WindowSet, shuffle: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
    """Return the correlations of the pairs of the training windows on held-out ones, their errors,
    and the information if they were Gaussian with its error."""
    modes, held_out = canonical_of(windows, shuffle), windows.held_out
    means = windows.means or (np.zeros(1), np.zeros(1))
    block = (held_out.blocks - means[0]) @ modes.block_modes.T
    outside = (environments_of(held_out, shuffle) - means[1]) @ modes.environment_modes.T
    sums = {
        "product": _sums(block * outside, held_out.runs),
        "block": _sums(block**2, held_out.runs),
        "environment": _sums(outside**2, held_out.runs),
    }
    pairs, together = jackknife(_correlations, sums), jackknife(_information, sums)
    return pairs.value, pairs.error, float(together.value), float(together.error)


def _sums(values: NDArray[np.float64], runs: NDArray[np.int64]) -> NDArray[np.float64]:
    sums = np.zeros((int(runs.max()) + 1, values.shape[1]))
    np.add.at(sums, runs, values)
    return sums


def _correlations(sums: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    return sums["product"] / np.sqrt(sums["block"] * sums["environment"])


def _information(sums: dict[str, NDArray[np.float64]]) -> float:
    return gaussian_information(_correlations(sums))


def rotation(windows: WindowSet, filters: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the mixtures of several filters that are canonical with the environment, and their
    correlations, as datasets by path; nothing for a single filter."""
    if len(filters) < 2:
        return {}
    every = windows.all
    moments = sample_moments(every.blocks, every.environments, windows.means)
    correlations, mixtures = rotation_to_modes(filters, moments)
    return {ROTATION: aligned(mixtures), ROTATION_CORRELATIONS: aligned(correlations)}


# ---- JSON ---------------------------------------------------------------------------------------


def summary(file: File) -> dict[str, Any]:
    """Return the canonical correlations and the information of Gaussian variables with them, under
    ``canonical``; nothing if the file holds none."""
    if "/canonical/correlations" not in file:
        return {}
    a = file.attributes
    exact = file.read("/canonical/exact").tolist() if "/canonical/exact" in file else None
    return {
        "canonical": {
            "correlations": file.read("/canonical/correlations").tolist(),
            "errors": file.read("/canonical/errors").tolist(),
            "shuffled": file.read("/canonical/shuffled").tolist(),
            "exact": exact,
            "information": a["canonical_information"],
            "information_error": a["canonical_information_error"],
            "information_shuffled": a["canonical_information_shuffled"],
        }
    }
