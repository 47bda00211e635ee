"""Averages, errors and autocorrelation times of the samples of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.statistics.autocorrelation import integrated_autocorrelation_time
from rsmi.statistics.binning import bin_length, bin_means, binned_error
from rsmi.statistics.jackknife import jackknife


def binder_cumulant(second_moment: float, fourth_moment: float) -> float:
    """Return Binder's cumulant U = 1 - <m^4> / (3 <m^2>^2).

    It is 2/3 in the ordered phase and 0 for a Gaussian magnetization (K. Binder, Z. Phys. B 43, 119
    (1981)).
    """
    return 1 - fourth_moment / (3 * second_moment**2)


def separate_chains(series: ArrayLike, chains: int) -> NDArray[Any]:
    """Separate interleaved samples into chains.

    Parameters
    ----------
    series : array_like, (n,)
        Sample i belongs to chain i mod `chains`.
    chains : int

    Returns
    -------
    ndarray, (chains, steps)
        An incomplete last step is left out. A series that is shorter than one step is returned as
        one chain.
    """
    series = np.asarray(series)
    steps = len(series) // chains
    return series[: steps * chains].reshape(steps, chains).T if steps else series[None]


def average_summary(series: Mapping[str, ArrayLike], chains: int) -> dict[str, float | None]:
    """Average several interleaved series.

    Parameters
    ----------
    series : mapping of str to array_like of float, (n,)
        Sample i belongs to chain i mod `chains`.
    chains : int

    Returns
    -------
    dict
        For every ``name`` the entries ``name`` (the mean), ``name_error``, ``tau_int_name`` (the
        integrated autocorrelation time, in stored intervals of one chain) and
        ``tau_int_name_error``; None where they are undefined, as the times of a constant series.
    """
    result: dict[str, float] = {}
    for name, values in series.items():
        values = np.asarray(values)
        separated = separate_chains(values, chains)
        tau, tau_error = integrated_autocorrelation_time(separated)
        result |= {name: float(values.mean()), f"{name}_error": binned_error(separated, tau)[1]}
        result |= {f"tau_int_{name}": _if_known(tau, tau_error)}
        result |= {f"tau_int_{name}_error": tau_error}
    return {name: float(value) if np.isfinite(value) else None for name, value in result.items()}


def sample_summary(
    energy: ArrayLike,
    magnetization: ArrayLike,
    chains: int,
    coupling: float | None,
    sites: int,
) -> dict[str, float | None]:
    """Average interleaved samples of a magnet; sample i belongs to chain i mod `chains`.

    Parameters
    ----------
    energy, magnetization : array_like of float, (n,)
        Totals of each configuration, the energy in J.
    chains : int
    coupling : float or None
        K = J/(k_B T); None if it is unknown.
    sites : int
        Number N of sites.

    Returns
    -------
    dict
        ``energy`` and ``magnetization_abs`` per site; ``susceptibility`` = K N (<m^2> - <|m|>^2),
        the connected one of a finite lattice, which needs a coupling; ``binder`` = 1 - <m^4> / (3
        <m^2>^2); ``tau_int`` and ``tau_int_magnetization``, the integrated autocorrelation times of
        the energy and of |m| in stored intervals of one chain (0.5 for independent samples). Each
        entry has another one with ``_error``. A value that is undefined is None, as the times of a
        constant series.
    """
    e, m = (
        np.asarray(energy, dtype=np.float64) / sites,
        np.abs(np.asarray(magnetization, dtype=np.float64)) / sites,
    )
    e_chains, m_chains = separate_chains(e, chains), separate_chains(m, chains)
    result: dict[str, float] = {}
    for name, tau_name, series, separated in (
        ("energy", "tau_int", e, e_chains),
        ("magnetization_abs", "tau_int_magnetization", m, m_chains),
    ):
        tau, tau_error = integrated_autocorrelation_time(separated)
        result |= {name: series.mean(), f"{name}_error": binned_error(separated, tau)[1]}
        result |= {tau_name: _if_known(tau, tau_error), f"{tau_name}_error": tau_error}

    length = bin_length(tau, *m_chains.shape)  # of |m|, the last one
    bins = {f"m{power}": bin_means(m_chains**power, length) for power in (1, 2, 4)}
    bins["count"] = np.ones(len(bins["m1"]))
    moments = {f"m{power}": np.mean(m**power) for power in (1, 2, 4)} | {"count": 1.0}
    values, errors = _fluctuations(moments), jackknife(_fluctuations, bins).error
    scale = np.nan if coupling is None else coupling * sites
    result |= {"susceptibility": scale * values[0], "susceptibility_error": scale * errors[0]}
    result |= {"binder": values[1], "binder_error": errors[1]}
    return {name: float(value) if np.isfinite(value) else None for name, value in result.items()}


def _if_known(tau: float, tau_error: float) -> float:
    """An autocorrelation time; nan for a constant series, which says nothing about it."""
    return np.nan if np.isnan(tau_error) else tau


def _fluctuations(sums: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the variance of |m| and Binder's cumulant from sums of moments, (2,)."""
    first, second, fourth = (sums[name] / sums["count"] for name in ("m1", "m2", "m4"))
    return np.array([second - first**2, binder_cumulant(second, fourth) if second > 0 else np.nan])
