"""The table of numbers that describes a set of samples."""

import numpy as np

from rsmi.statistics.autocorrelation import integrated_autocorrelation_time
from rsmi.statistics.binning import bin_length, bin_means, binned_error
from rsmi.statistics.jackknife import jackknife


def binder_cumulant(second_moment, fourth_moment):
    """U = 1 - <m^4> / (3 <m^2>^2): 2/3 in the ordered phase, 0 for a Gaussian magnetization."""
    return 1 - fourth_moment / (3 * second_moment**2)


def separate_chains(series, chains: int) -> np.ndarray:
    """(chains, steps) from interleaved samples (sample i is of chain i mod chains), without an
    incomplete last step."""
    series = np.asarray(series)
    steps = len(series) // chains
    return series[: steps * chains].reshape(steps, chains).T if steps else series[None]


def average_summary(series: dict, chains: int) -> dict[str, float | None]:
    """Mean and error of each of several interleaved series (n,), and their integrated
    autocorrelation times: for every ``name`` the entries ``name``, ``name_error``,
    ``tau_int_name``, ``tau_int_name_error``, in stored intervals of one chain; None where
    undefined.
    """
    result = {}
    for name, values in series.items():
        separated = separate_chains(values, chains)
        tau, tau_error = integrated_autocorrelation_time(separated)
        result |= {name: np.mean(values), f"{name}_error": binned_error(separated, tau)[1]}
        result |= {f"tau_int_{name}": tau, f"tau_int_{name}_error": tau_error}
    return {name: float(value) if np.isfinite(value) else None for name, value in result.items()}


def sample_summary(
    energy, magnetization, chains: int, coupling: float | None, sites: int
) -> dict[str, float | None]:
    """Averages of interleaved samples (sample i is of chain i mod `chains`) with their errors.

    Parameters
    ----------
    energy, magnetization : (n,) totals of each configuration, the energy in J
    coupling : K = J/(k_B T), None if unknown
    sites : N

    Returns
    -------
    dict
        energy, magnetization_abs (per site), susceptibility = K N (<m^2> - <|m|>^2) (the connected
        one, of the finite lattice's <|m|>; None without a coupling), binder = 1 - <m^4>/(3
        <m^2>^2), tau_int and tau_int_magnetization (of the energy and of |m|, in stored intervals
        of one chain, independent = 0.5), each with its `_error`. None where undefined.
    """
    e, m = (
        np.asarray(energy, dtype=np.float64) / sites,
        np.abs(np.asarray(magnetization, dtype=np.float64)) / sites,
    )
    e_chains, m_chains = separate_chains(e, chains), separate_chains(m, chains)
    result = {}
    for name, tau_name, series, separated in (
        ("energy", "tau_int", e, e_chains),
        ("magnetization_abs", "tau_int_magnetization", m, m_chains),
    ):
        tau, tau_error = integrated_autocorrelation_time(separated)
        result |= {name: series.mean(), f"{name}_error": binned_error(separated, tau)[1]}
        result |= {tau_name: tau, f"{tau_name}_error": tau_error}

    length = bin_length(result["tau_int_magnetization"], *m_chains.shape)
    bins = {f"m{power}": bin_means(m_chains**power, length) for power in (1, 2, 4)}
    bins["count"] = np.ones(len(bins["m1"]))
    moments = {f"m{power}": np.mean(m**power) for power in (1, 2, 4)} | {"count": 1.0}
    values, errors = _fluctuations(moments), jackknife(_fluctuations, bins).error
    scale = np.nan if coupling is None else coupling * sites
    result |= {"susceptibility": scale * values[0], "susceptibility_error": scale * errors[0]}
    result |= {"binder": values[1], "binder_error": errors[1]}
    return {name: float(value) if np.isfinite(value) else None for name, value in result.items()}


def _fluctuations(sums):
    """Variance of |m| and Binder's cumulant from summed moments."""
    first, second, fourth = (sums[name] / sums["count"] for name in ("m1", "m2", "m4"))
    return np.array([second - first**2, binder_cumulant(second, fourth) if second > 0 else np.nan])
