"""Whether samples look like those of a periodic lattice of the stated shape."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rsmi.samples.examination.findings import CONTRADICTION, Finding
from rsmi.samples.examination.survey import Survey
from rsmi.statistics.evidence import correlation, gaussian_equivalent

_FEWEST = 16  # configurations that an error must come from
_ALONE = 2.0  # times the deviation of any other bond: then only the edge is open
_CORRELATED = 0.1  # correlation of neighbours that shows that an axis is one of the lattice


def homogeneity(survey: Survey) -> list[Finding]:
    """A finding where the bonds along an axis of a periodic lattice are not all alike."""
    if survey.components != 1 or not survey.periodic:
        return []
    for axis, side in enumerate(survey.shape):
        if side >= 4 and len(survey.spins) >= _FEWEST:
            found = _bonds(survey, axis)
            if found is not None:
                return [found]
    return _foreign_axis(survey)


def _bonds(survey: Survey, axis: int) -> Finding | None:
    """Compare the correlations across the bonds x, x + 1 of an axis for all x."""
    profile = _profile(survey, axis)
    profile = profile - profile.mean(axis=1, keepdims=True)  # common fluctuations drop out
    deviations = _deviations(survey, profile)
    worst = int(np.argmax(np.abs(deviations)))
    limit = CONTRADICTION + math.log10(len(deviations))
    if abs(deviations[worst]) <= limit:
        return None
    difference = profile.mean(axis=0)
    others = np.abs(np.delete(difference, worst)).max()
    at_edge = worst == len(deviations) - 1 and abs(difference[worst]) > _ALONE * others
    return _inhomogeneous(axis, worst, at_edge, difference[worst], deviations[worst])


def bond_profile(spins: NDArray[np.int8], axis: int) -> NDArray[np.float64]:
    """Average s s' over the bonds from x to x + 1 along an axis, (n, side), the last across the
    edge."""
    products = spins * np.roll(spins, -1, axis=1 + axis)
    others = tuple(i for i in range(1, products.ndim) if i != 1 + axis)
    return products.mean(axis=others, dtype=np.float64)


def _profile(survey: Survey, axis: int) -> NDArray[np.float64]:
    """The bond profile of the only component; of variables with q > 2 states how often neighbours
    are equal, above 1/q."""
    of_fields = [bond_profile(survey.fields[:, i], axis) for i in survey.fields_of(0)]
    return of_fields[0] if survey.states == 2 else np.sum(of_fields, axis=0) - 1 / survey.states


def _deviations(survey: Survey, profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Deviations of the bonds from their common mean in errors."""
    error = profile.std(axis=0, ddof=1) / math.sqrt(len(profile))
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = np.where(error > 0, profile.mean(axis=0) / error, 0.0)
    worst = int(np.argmax(np.abs(plain)))
    time = correlation(survey.probe.by_chain(profile[:, worst]))
    effective = time.effective(len(survey.probe.chains), len(survey.probe.steps))
    share = min(1.0, effective / len(profile))
    freedom = max(effective - 1, 1.0)
    return np.array([gaussian_equivalent(t * math.sqrt(share), freedom) for t in plain])


def _inhomogeneous(
    axis: int, place: int, at_edge: bool, difference: float, deviation: float
) -> Finding:
    where = "across the edge" if at_edge else f"between sites {place} and {place + 1}"
    cure = (
        "give --boundary open if the edges are open, or check --shape and the order of the axes"
        if at_edge
        else "check --shape, the order of the axes and --bit-order"
    )
    return Finding(
        "open-edges" if at_edge else "not-homogeneous",
        "contradiction" if at_edge else "warning",
        f"along axis {axis} the correlation of neighbours {where} differs from that of other"
        f" neighbours by {difference:+.3g} ({abs(deviation):.0f} errors), but the lattice is said"
        f" to be periodic and everywhere alike: {cure}",
        float(deviation),
    )


def _foreign_axis(survey: Survey) -> list[Finding]:
    """A finding where neighbours along one axis are uncorrelated, but along others they are not:
    that axis counts configurations or temperatures."""
    if len(survey.shape) < 2:
        return []
    means, deviations = [], []
    for axis in range(len(survey.shape)):
        values = _profile(survey, axis).ravel()
        error = values.std() / math.sqrt(len(values))
        means.append(float(values.mean()))
        deviations.append(abs(means[-1]) / error if error > 0 else 0.0)
    weakest = int(np.argmin(np.abs(means)))
    strongest = max(np.abs(means))
    if deviations[weakest] > CONTRADICTION or strongest < _CORRELATED:
        return []
    if abs(means[weakest]) > 0.1 * strongest or survey.shape[weakest] < 4:
        return []
    return [
        Finding(
            "foreign-axis",
            "warning",
            f"neighbours along axis {weakest} of the lattice are not correlated"
            f" ({means[weakest]:+.3f}), along other axes they are ({strongest:.3f}): does axis"
            f" {weakest} count configurations or temperatures? Then join the axes that count"
            " configurations before the import",
        )
    ]
