"""Drift, autocorrelation and independence of the chains that samples are said to come from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.waves import name_of
from rsmi.samples.examination.findings import CONTRADICTION, Finding
from rsmi.samples.examination.survey import Survey
from rsmi.statistics.autocorrelation import autocovariance
from rsmi.statistics.equilibration import drift
from rsmi.statistics.evidence import Correlation, correlation, gaussian_equivalent

_FEW = 100  # effective configurations: with fewer, errors are uncertain by 10 % and more
_VERY_FEW = 20
_MODE_VALUES = 1 << 19  # variables of the configurations in which the largest mode is looked for
_MOST_MODE_VALUES = 1 << 22  # of one of them, from a corner of larger lattices
_STEPS_IN_TURNS = 1 << 14  # of all chains, among which chains that take turns are looked for
_LEAST_SHARE = 0.05  # of the variance, that neighbouring chains must have in common


@dataclass(frozen=True)
class Series:
    """A quantity along the chains.

    Attributes
    ----------
    name : str
    values : ndarray of float64, (chains, steps)
    stride : int
        Stored steps between two of these steps.
    """

    name: str
    values: NDArray[np.float64]
    stride: int = 1

    @property
    def varies(self) -> bool:
        """Whether the values are not all equal."""
        return bool(np.ptp(self.values) > 0)

    @cached_property
    def correlation(self) -> Correlation:
        """The autocorrelation time in stored steps of one chain; at most that if it is no longer
        than the stride."""
        found = correlation(self.values)
        return Correlation(self.stride * found.tau, found.known)

    @property
    def slow(self) -> bool:
        """Whether the steps of the series are close enough to resolve the autocorrelation."""
        return self.correlation.tau > self.stride


# ---- what is followed ----------------------------------------------------------------------------


def followed(survey: Survey) -> tuple[list[Series], tuple[str, ...]]:
    """The energy, the magnetization and the largest Fourier mode of every component along the
    chains, and the names of these modes."""
    found, stride = [], survey.series.stride
    if survey.energies is not None:
        found.append(Series("the energy", survey.series.by_chain(survey.energies), stride))
    if survey.components == 1 and survey.states == 2:
        found += list(_magnetizations(survey, stride))
    names = []
    for component in range(survey.components):
        vector = _largest_mode(survey, component)
        names.append(mode_name(vector, survey.shape))
        if any(vector) or survey.components > 1 or survey.states > 2:
            found.append(_amplitude(survey, component, vector))
    return [one for one in found if one.varies], tuple(names)


def _magnetizations(survey: Survey, stride: int) -> Iterator[Series]:
    values = survey.series.by_chain(survey.magnetizations)
    yield Series("|m|", np.abs(values), stride)
    if not survey.model.symmetric(survey.attributes):
        yield Series("m", values, stride)


_NAMES_ALONE = ("uniform", "staggered", "K")  # they say the wave vector


def _largest_mode(survey: Survey, component: int) -> tuple[int, ...]:
    """The wave vector, in units of 2 pi / side, of the largest fluctuations about the mean of a
    component."""
    few = max(1, _MODE_VALUES // math.prod(survey.shape))
    corner = _corner(survey.shape)
    sites = tuple(map(slice, corner))
    fields = survey.fields[:: max(1, len(survey.fields) // few)]
    live = None if survey.live is None else survey.live[sites]
    numbers = survey.fields_of(component)
    powers = [_power(fields[:, number][(slice(None), *sites)], live) for number in numbers]
    power = powers[0] if len(powers) == 1 else np.sum(powers, axis=0)
    largest = np.unravel_index(int(np.argmax(power)), power.shape)
    return tuple(int(k) * side // part for k, side, part in zip(largest, survey.shape, corner))


def _power(field: NDArray[np.int8], live: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """The mean square of every Fourier mode of a field (n, \\*corner) about its mean."""
    spins = field.astype(np.float32)
    if live is not None:
        spins *= live
    spins -= spins.mean() if live is None else live * spins[:, live].mean()
    axes = tuple(range(1, spins.ndim))
    return (np.abs(np.fft.rfftn(spins, axes=axes)) ** 2).mean(axis=0)


def _corner(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape itself, or that of a corner of a large lattice: sides are halved."""
    corner = list(shape)
    while math.prod(corner) > _MOST_MODE_VALUES and max(corner) % 2 == 0:
        corner[corner.index(max(corner))] //= 2
    return tuple(corner)


def mode_name(vector: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """``uniform``, ``staggered``, ``K``, or the wave vector in units of 2 pi over the lattice
    constant."""
    name = name_of(tuple(Fraction(k, side) for k, side in zip(vector, shape)))
    if name in _NAMES_ALONE:
        return name
    parts = [f"{min(k, side - k, key=abs)}/{side}" if k else "0" for k, side in zip(vector, shape)]
    return f"wave vector 2 pi ({', '.join(parts)})"


def _amplitude(survey: Survey, component: int, vector: tuple[int, ...]) -> Series:
    """The absolute value of a Fourier mode along the chains of the probe, per site; of variables
    with more than two states that of the vector of all states."""
    amplitudes = []
    for number in survey.fields_of(component):
        spins = survey.fields[:, number]
        sums = _fourier_sums(spins if survey.live is None else spins * survey.live, vector)
        amplitudes.append(np.abs(sums.astype(np.complex128)) / math.prod(survey.shape))
    values = amplitudes[0] if len(amplitudes) == 1 else np.linalg.norm(amplitudes, axis=0)
    values = np.round(values, 6)  # float32 sums are no more accurate, and constants stay constant
    name = f"the {mode_name(vector, survey.shape)} mode"
    of = f" of component {component + 1}" if survey.components > 1 else ""
    return Series(name + of, survey.probe.by_chain(values), survey.probe.stride)


def _fourier_sums(spins: NDArray[np.int8], vector: tuple[int, ...]) -> NDArray[np.complex64]:
    """The sum of s_x exp(i k x) over the sites of every configuration, one axis after the other."""
    sums: NDArray[np.number] = spins
    for k, side in zip(reversed(vector), reversed(spins.shape[1:])):
        wave = np.exp(2j * np.pi * k / side * np.arange(side)).astype(np.complex64)
        lines = sums.reshape(-1, side)
        pieces = np.array_split(lines, min(len(lines), 1 + (lines.size >> 20)))
        products = [piece.astype(np.complex64) @ wave for piece in pieces]
        sums = np.concatenate(products).reshape(sums.shape[:-1])
    return sums.astype(np.complex64)


# ---- findings ------------------------------------------------------------------------------------


def slowest_of(series: list[Series]) -> Series | None:
    """The series with the longest autocorrelation time; a time that is not known outweighs all that
    are. None if nothing varies."""
    finest = min((one.stride for one in series), default=1)
    resolved = [one for one in series if one.stride in (finest, 1) or one.slow]
    return max(
        resolved, key=lambda one: (not one.correlation.known, one.correlation.tau), default=None
    )


def drifts(series: list[Series]) -> list[Finding]:
    """Findings on quantities whose mean changes along the chains."""
    found = []
    for one in series:
        if one.values.shape[1] < 10:
            continue
        difference, _, deviation = drift(one.values)
        if abs(deviation) > CONTRADICTION:
            found.append((abs(deviation), one.name, difference))
    if not found:
        return []
    deviation, name, difference = max(found)
    return [
        Finding(
            "drift",
            "warning",
            f"{name} drifts: its mean changes by {difference:.3g} along the chains"
            f" ({deviation:.0f} errors), so that they are not in equilibrium, or the configurations"
            " are sorted: leave out the beginning (import --discard auto), or import"
            " configurations of different temperatures as separate files",
            deviation,
        )
    ]


def short_chains(survey: Survey, slowest: Series | None) -> list[Finding]:
    """A finding where the samples are worth few independent ones, or nobody knows how many."""
    if slowest is None:
        return []
    found = slowest.correlation
    effective = found.effective(survey.chains, survey.steps)
    if not found.known and survey.steps > 1:
        return [_unknown_time(survey, slowest, effective)]
    if effective >= _FEW:
        return []
    trust = (
        "; errors from so few cannot be trusted, and may be several times too small"
        if effective < _VERY_FEW
        else ""
    )
    correlated = f" (tau_int of {slowest.name} = {found.tau:.1f} stored steps)"
    return [
        Finding(
            "few-independent",
            "warning",
            f"{survey.count} configurations are worth {effective:.0f} independent ones"
            f"{correlated if found.tau > 0.75 else ''}{trust}: sample more, or with a longer"
            " interval",
        )
    ]


def _unknown_time(survey: Survey, slowest: Series, effective: float) -> Finding:
    time = slowest.correlation.tau
    return Finding(
        "short-chains",
        "warning",
        f"the autocorrelation time of {slowest.name} is unknown, at least {time:.1f} stored steps:"
        f" {survey.steps} steps of {_chains(survey.chains)} are too few to measure it, so that"
        " errors may be several times too small: sample longer chains",
    )


def _chains(count: int) -> str:
    return "one chain" if count == 1 else f"{count} chains"


def unlike_chains(series: list[Series]) -> list[Finding]:
    """A finding where the means of the chains differ by more than their fluctuations explain."""
    for one in series:
        chains, steps = one.values.shape
        if not 2 <= chains < 32 or steps < 50:
            continue
        centred = one.values - one.values.mean(axis=1, keepdims=True)
        within = correlation(centred)
        if not within.known or not centred.any():
            continue
        error = centred.std() * math.sqrt(2 * max(within.tau, 0.5) / steps)
        squares = float((((one.values.mean(axis=1) - one.values.mean()) / error) ** 2).sum())
        deviation = (squares - (chains - 1)) / math.sqrt(2 * (chains - 1))
        if deviation > 3 * CONTRADICTION:  # the error itself is an estimate
            return [
                Finding(
                    "unlike-chains",
                    "warning",
                    f"the means of {one.name} in the {chains} chains differ by"
                    f" {math.sqrt(squares / (chains - 1)):.0f} times their errors: the chains have"
                    " not reached the same equilibrium, or are of different systems",
                    deviation,
                )
            ]
    return []


def dependent_chains(series: list[Series]) -> list[Finding]:
    """A finding where chains that are said to be independent are correlated with their
    neighbours."""
    for one in series:
        chains = len(one.values)
        if chains < 8:
            continue
        centred = one.values - one.values.mean(axis=0)  # a common drift is no dependence
        products = (centred[1:] * centred[:-1]).mean(axis=1)
        variance, error = centred.var(), products.std(ddof=1) / math.sqrt(chains - 1)
        if not variance > 0 or not error > 0:
            continue
        share = float(products.mean() / variance)
        deviation = gaussian_equivalent(float(products.mean() / error), chains - 2)
        if deviation > CONTRADICTION and share > _LEAST_SHARE:
            return [
                Finding(
                    "dependent-chains",
                    "contradiction",
                    f"{chains} chains are said to be independent, but {one.name} of neighbouring"
                    f" chains is correlated ({share:.2f}, {deviation:.0f} errors), as it is within"
                    " one chain: give the true number of chains (--chains) and their order"
                    " (--chain-order)",
                    deviation,
                )
            ]
    return []


def chains_in_turns(survey: Survey, series: list[Series]) -> list[Finding]:
    """A finding where configurations some steps apart are correlated, but nearer ones are not:
    chains that took turns, said to be one."""
    for one in series:
        chains, steps = one.values.shape
        if one.stride > 1 or min(steps, _STEPS_IN_TURNS // chains) < 64:
            continue
        steps = min(steps, _STEPS_IN_TURNS // chains)
        covariance = autocovariance(one.values[:, :steps])[: steps // 8]
        correlations = covariance / covariance[0]
        lag = int(np.argmax(correlations[2:])) + 2
        share, near = float(correlations[lag]), float(np.abs(correlations[1:lag]).max())
        deviation = share * math.sqrt(chains * (steps - lag))
        if deviation > CONTRADICTION + 2 and share > 4 * near and share > _LEAST_SHARE:
            return [
                Finding(
                    "chains-in-turns",
                    "contradiction",
                    f"{one.name} of configurations {lag * survey.chains} apart is correlated"
                    f" ({share:.2f}, {deviation:.0f} errors), that of nearer ones is not:"
                    f" {lag * survey.chains} chains seem to take turns, but the number of chains"
                    f" is said to be {survey.chains}: give the true number (--chains) and"
                    " their order (--chain-order)",
                    deviation,
                )
            ]
    return []
