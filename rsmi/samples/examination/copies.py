"""Configurations that occur more than once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rsmi.samples.examination.findings import Finding
from rsmi.samples.examination.fingerprints import Sketch, fingerprints
from rsmi.samples.examination.survey import Survey

_LEAST_SHARE = 0.02  # of the configurations, that are copies of others
_FEW_STATES = 24  # variables: so few have states that occur again by chance
_HALF = 0.5


def find_copies(survey: Survey) -> list[Finding]:
    """A finding where configurations are copies of others, perhaps flipped, shifted or
    reflected."""
    if survey.count < 2:
        return []
    distances, again = survey.sketch.repetitions
    moved = distances[distances != survey.chains]  # the others are of a chain that stood still
    share = len(moved) / max(1, len(survey.sketch.prints))
    at_one_distance = _at_one_distance(survey.sketch, moved)
    if at_one_distance or (share > _LEAST_SHARE and not _by_chance(survey, again)):
        return [_finding(survey, share, moved)]
    return _symmetric_copies(survey)


def repeated(survey: Survey) -> float:
    """The share of configurations that repeat earlier ones, other than in chains that stood
    still."""
    distances, _ = survey.sketch.repetitions
    return float((distances != survey.chains).sum() / max(1, len(survey.sketch.prints)))


def _at_one_distance(sketch: Sketch, distances: NDArray[np.int64]) -> bool:
    """Whether at one distance many more configurations are equal than at any: a repeated file.

    This finds copies of small lattices, whose states occur again by chance.
    """
    if len(distances) < 8:
        return False
    prints, numbers = sketch.prints, sketch.numbers
    distance, _ = _commonest(distances)
    place = np.full(int(numbers[-1]) + 1, -1)
    place[numbers] = np.arange(len(numbers))
    ahead = numbers + distance
    partner = np.where(ahead < len(place), place[np.minimum(ahead, len(place) - 1)], -1)
    pairs = partner >= 0
    equal = prints[pairs] == prints[partner[pairs]]
    _, counts = np.unique(prints, return_counts=True)
    chance = float(((counts / len(prints)) ** 2).sum())
    return len(equal) >= 16 and equal.mean() > _HALF and chance < 0.1 * equal.mean()


def _commonest(values: NDArray[np.int64]) -> tuple[int, int]:
    different, counts = np.unique(values, return_counts=True)
    best = int(np.argmax(counts))
    return int(different[best]), int(counts[best])


def _by_chance(survey: Survey, again: NDArray[np.uint64]) -> bool:
    """Whether the repetitions are those of a system that has few likely states.

    By chance, the states that occur again are the most probable ones, whose neighbours are more
    ordered than those of other states. Copies are made of all states alike.
    """
    variables = survey.bits
    if variables <= _FEW_STATES:
        return True
    repeated = np.isin(fingerprints(survey.rows, variables), again)
    return _more_ordered(_neighbour_order(survey.fields), repeated)


def _more_ordered(order: NDArray[np.float64], repeated: NDArray[np.bool_]) -> bool:
    """Whether repeated configurations are more ordered than the others; if there are no others,
    whether there are hardly any states."""
    if repeated.all():
        return len(np.unique(order)) <= 2
    if not repeated.any():
        return False
    one, other = order[repeated], order[~repeated]
    error = math.sqrt(one.var() / len(one) + other.var() / len(other))
    return bool(one.mean() > other.mean() + 5 * error)


def _neighbour_order(spins: NDArray[np.int8]) -> NDArray[np.float64]:
    """How much neighbours agree or disagree in each configuration, whatever the sign, (n,)."""
    found = np.zeros(len(spins))
    for axis in range(2, spins.ndim):
        found += np.abs(_correlation_sum(spins, np.roll(spins, 1, axis)))
    return found


def _correlation_sum(spins: NDArray[np.int8], shifted: NDArray[np.int8]) -> NDArray[np.int64]:
    return (spins * shifted).reshape(len(spins), -1).sum(axis=1, dtype=np.int64)


def _finding(survey: Survey, share: float, distances: NDArray[np.int64]) -> Finding:
    distance, times = _commonest(distances)
    where = (
        f", most of them {distance} configurations apart" if times > _HALF * len(distances) else ""
    )
    return Finding(
        "copies",
        "contradiction",
        f"{100 * share:.0f} % of {survey.count} configurations are copies of others, or of flipped"
        f" ones{where}: errors come out too small: import every configuration once",
    )


# ---- shifted and reflected copies ----------------------------------------------------------------


def _symmetric_copies(survey: Survey) -> list[Finding]:
    """A finding where configurations of the probe are translations or reflections of others."""
    variables = survey.components * math.prod(survey.shape)
    if survey.components > 1 or survey.states > 2 or survey.live is not None:
        return []
    if variables < 4 * _FEW_STATES or len(survey.spins) < 16:
        return []
    invariants = _invariants(survey.spins[:, 0])
    different, first, place, counts = np.unique(
        invariants, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    plain = len(np.unique(fingerprints(survey.rows, variables)))
    share = (plain - len(different)) / len(invariants)
    repeated = counts[place.ravel()] > 1
    if share <= _LEAST_SHARE or _more_ordered(_neighbour_order(survey.spins), repeated):
        return []
    if share <= 3 * _coincidences(invariants):
        return []
    return [
        Finding(
            "symmetric-copies",
            "contradiction",
            f"{100 * share:.0f} % of the configurations look like shifted or reflected copies of"
            " others: errors come out too small: import every configuration once",
        )
    ]


def _invariants(spins: NDArray[np.int8]) -> NDArray[np.int64]:
    """Numbers (n, k) that translations, reflections and a flip leave as they are."""
    axes = range(1, spins.ndim)
    columns = [np.abs(spins.reshape(len(spins), -1).sum(axis=1, dtype=np.int64))]
    for distance in (1, 2, 3):
        columns += [_correlation_sum(spins, np.roll(spins, distance, axis)) for axis in axes]
    if spins.ndim > 2:
        diagonals = (np.roll(spins, (1, step), (1, 2)) for step in (1, -1))
        columns.append(sum(_correlation_sum(spins, shifted) for shifted in diagonals))
    return np.stack(columns, axis=1)


def _coincidences(invariants: NDArray[np.int64]) -> float:
    """The share of repetitions that occur by chance if the invariants are Gaussian."""
    spacing = np.gcd.reduce(invariants - invariants[0], axis=0)
    varying = invariants[:, spacing > 0] / spacing[spacing > 0]
    if not varying.size:
        return 1.0
    variances = np.linalg.eigvalsh(np.atleast_2d(np.cov(varying.T)))
    density = np.prod(np.sqrt(4 * np.pi * np.maximum(variances, 1 / 12)))
    return len(invariants) / float(density)  # twice n / 2: |m| is folded
