"""Quantities of one lattice size with known powers of L, their covariance, and control variates.

With M_p = <|m|^p> and the response g_p = N <(O - <O>) |m|^p> / M_p = d ln M_p / d K_O, where K_O is
the coupling conjugate to the even function O,

    m1, m2     ln M_1, ln M_2                     -p Delta_m ln L
    X12, X24   ln |2 g_1 - g_2|, ln |2 g_2 - g_4|   (d - Delta_O) ln L
    E01        ln (S(0) - S(1)) of O                (d - 2 Delta_O) ln L
    spread     of S (`spreads`), of correlations    (d - 2 Delta_O) ln L
    A          ln of the smeared antipodal sum      (d - 2 Delta) ln L

each with a constant and corrections to scaling. The combinations 2 g_p - g_2p do not depend on the
amplitude of m, whose change with K_O would leave a correction L^-(d - Delta_O). A constant contact
term of O drops out of S(0) - S(1).

Averages of which exact values are known are control variates: their deviations tell by how much
other quantities, which fluctuate with them, are off.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.renormalization.spectrum.group_sums import GroupSums
from rsmi.renormalization.spectrum.modes import modes_of
from rsmi.statistics.jackknife import jackknife_covariance

# How tables and sentences write the kinds of quantities.
TITLES = {
    "m1": "<|m|>",
    "m2": "<m^2>",
    "A": "antipodal",
    "X12": "X12",
    "X24": "X24",
    "E01": "S(0) - S(1)",
}
FEWEST_GROUPS = 2
# With fewer groups the covariance of several quantities is too uncertain to be inverted.
FEWEST_FOR_COVARIANCE = 30
LARGEST_DEVIATION = 4.0  # errors by which an exact value may be missed


class Quantity(NamedTuple):
    """One quantity of one function.

    Attributes
    ----------
    kind : str
        ``m1``, ``m2``, ``X12``, ``X24``, ``E01``, ``A`` or ``spread``.
    function : str
        The name of the function.
    sector : {"even", "odd"}
    """

    kind: str
    function: str
    sector: str

    def power(self, dimension: int) -> tuple[int, int]:
        """Return (p, r): the quantity is proportional to L^(p + r Delta)."""
        if self.kind[0] == "m":
            return 0, -int(self.kind[1:])
        return dimension, -1 if self.kind[0] == "X" else -2


class ExactAverage(NamedTuple):
    """The exact average of an even function on the sampled lattice, at the sampled coupling.

    Attributes
    ----------
    function : str
        The name of the function O.
    mean : float
        <O> per site.
    variance : float
        N times the variance of O: d <O> / d K_O.
    """

    function: str
    mean: float
    variance: float


def exact_bond_energy(
    energy: float, variance: float, dimension: int, function: str = "bond energy"
) -> ExactAverage:
    """Return the exact average of `functions.bond_energy` of the Ising model.

    Parameters
    ----------
    energy : float
        Energy per site in J.
    variance : float
        -de/dK of the energy per site e in J.
    dimension : int
    function : str
        The name of the bond energy among the measured functions.
    """
    return ExactAverage(function, -energy / dimension, variance / dimension**2)


class Estimates(NamedTuple):
    """The quantities of one lattice size.

    Attributes
    ----------
    quantities : tuple of Quantity
    values : ndarray of float64, (quantities,)
        Logarithms with the bias of the jackknife removed; nan where a quantity is not positive.
    covariance : ndarray of float64, (quantities, quantities)
    groups : int
        Groups of the jackknife.
    deviations : ndarray of float64, (2,) or (0,)
        By how many errors mean and variance of the control variate differ from their exact values.
    controlled : bool
        Whether the exact values have been used.
    """

    quantities: tuple[Quantity, ...]
    values: NDArray[np.float64]
    covariance: NDArray[np.float64]
    groups: int
    deviations: NDArray[np.float64]
    controlled: bool

    @property
    def errors(self) -> NDArray[np.float64]:
        """Standard errors (quantities,)."""
        return np.sqrt(np.diag(self.covariance))


def quantities_of(sums: GroupSums) -> tuple[Quantity, ...]:
    """Return the quantities that sums allow, in the order of `estimates`."""
    two_point = ("A",) if sums.orbits else ()
    odd = [Quantity(k, f, "odd") for f in sums.odd for k in ("m1", "m2", *two_point)]
    responses = ("X12", "X24") if sums.odd else ()
    contact_free = ("E01", "A") if sums.orbits else ()
    even = [Quantity(k, f, "even") for f in sums.even for k in (*responses, *contact_free)]
    return (*odd, *even)


def estimates(sums: GroupSums, probe: int = 0, exact: ExactAverage | None = None) -> Estimates:
    """Return the quantities of one size with their covariance.

    Parameters
    ----------
    sums : GroupSums
    probe : int
        The odd function m of the responses X12 and X24, by its number.
    exact : ExactAverage, optional
        The control variate. It is used if there are at least 30 groups and the measured values
        agree with it to 4 errors.

    Raises
    ------
    ValueError
        If there are fewer than two groups with configurations.
    """
    offset, arrays = sums.with_common_offset()
    groups = len(arrays["count"])
    if groups < FEWEST_GROUPS:
        raise ValueError(f"a jackknife needs {FEWEST_GROUPS} groups of chains, not {groups}")
    table = _table(sums, offset, _leave_one_out(arrays), probe, exact)
    with np.errstate(invalid="ignore"):  # the logarithm of zero, of constant samples
        values = groups * table[0] - (groups - 1) * table[1:].mean(axis=0)
        covariance = jackknife_covariance(table[1:])
    kinds, n = quantities_of(sums), 2 if exact else 0
    plain = Estimates(kinds, values, covariance, groups, np.empty(0), False)
    return plain if exact is None else _controlled(plain, n, exact)


def _leave_one_out(arrays: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Return averages over all groups, then over all groups but one: (1 + groups, ...)."""
    totals = {}
    for name, array in arrays.items():
        total = array.sum(axis=0)
        totals[name] = np.concatenate([total[None], total - array])
    count = totals.pop("count")
    return {
        name: total / count.reshape(-1, *(1,) * (total.ndim - 1)) for name, total in totals.items()
    }


def _table(
    sums: GroupSums,
    offset: NDArray[np.float64],
    averages: dict[str, NDArray[np.float64]],
    probe: int,
    exact: ExactAverage | None,
) -> NDArray[np.float64]:
    """Return the columns of all quantities, and those of the control variate."""
    sites, dimension = sums.sites, len(sums.shape)
    mean = averages["even_sums"][..., 0]
    variance = sites * (averages["even_sums"][..., 1] - mean**2)
    moments = averages["odd_sums"]
    columns: list[NDArray[np.float64]] = []
    weights = modes_of(dimension).antipodal_weights if sums.orbits else np.empty(0)
    for k in range(len(sums.odd)):
        columns += [moments[:, k, 0], moments[:, k, 1]]
        if sums.orbits:
            columns.append(sites * moments[:, k, 1] + averages["odd_modes"][:, k] @ weights)
    for k in range(len(sums.even)):
        if sums.odd:
            covariance = averages["cross_sums"][:, k, probe] - mean[:, k, None] * moments[:, probe]
            g = sites * covariance / moments[:, probe]
            columns += [np.abs(2 * g[:, 0] - g[:, 1]), np.abs(2 * g[:, 1] - g[:, 2])]
        if sums.orbits:
            modes = averages["even_modes"][:, k]
            columns += [variance[:, k] - modes[:, 0], variance[:, k] + modes @ weights]
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithms = np.log(np.column_stack(columns))
    if exact is None:
        return logarithms
    k = sums.even.index(exact.function)
    return np.column_stack([logarithms, offset[k] + mean[:, k], variance[:, k]])


def _controlled(plain: Estimates, n: int, exact: ExactAverage) -> Estimates:
    """Remove the last n values and, if they agree with the exact ones, what they explain."""
    own, control = slice(None, -n), slice(-n, None)
    difference = plain.values[control] - np.array([exact.mean, exact.variance])
    variances = plain.covariance[control, control]
    with np.errstate(divide="ignore", invalid="ignore"):  # of constant samples
        deviations = difference / np.sqrt(np.diag(variances))
    values, covariance = plain.values[own], plain.covariance[own, own]
    good = np.isfinite(values) & np.isfinite(np.diag(covariance))
    use = plain.groups >= FEWEST_FOR_COVARIANCE and np.abs(deviations).max() < LARGEST_DEVIATION
    if use:
        shared = np.where(good[:, None], plain.covariance[own, control], 0.0)
        slopes = np.linalg.solve(variances, shared.T).T
        values = values - slopes @ difference
        covariance = _loss(plain.groups, n) * (covariance - slopes @ shared.T)
    return plain._replace(
        values=values, covariance=covariance, deviations=deviations, controlled=bool(use)
    )


def _loss(groups: int, n: int) -> float:
    """By how much variances grow because n slopes are fitted to the groups (Lavenberg & Welch,
    Manage. Sci. 27, 322 (1981)): what is left looks too small, and the slopes are uncertain."""
    return (groups - 1) / (groups - 1 - n) * (groups - 2) / (groups - 2 - n)
