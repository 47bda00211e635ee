"""Critical exponents by the Monte Carlo renormalization group (Swendsen, PRL 42, 859 (1979)).

The linearised transformation T_ab = dK_a^n / dK_b^(n-1) of the couplings solves sum_a B_ga T_ab =
A_gb with

    A_gb = <S_g^n S_b^(n-1)>_c,    B_ga = <S_g^n S_a^n>_c,

where S are sums over the lattice (averages per site would shift every exponent by -d). The largest
eigenvalue of T is b^y: y_t for the even operators, y_h for the odd ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log, prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.renormalization.level_sums import occupied
from rsmi.renormalization.operators import wraps
from rsmi.statistics.jackknife import (
    Jackknife,
    jackknife_covariance,
    jackknife_error,
    jackknife_of,
    leave_one_out,
)

# The headline is the value of all operators at this step, fixed before any result was known.
HEADLINE_STEP = 2
CHOICES = ("leading", "second", "pair")  # of eigenvalues, see `sequence`
# Least ratio of the smallest to the largest eigenvalue of the correlation matrix.
SINGULAR = 1e-9

Sums = Mapping[str, NDArray[Any]]


def covariances(
    sums: Sums, sector: str, step: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return A (new x old level) and B (new x new level).

    Odd means are zero by symmetry without a field and are not subtracted.

    Parameters
    ----------
    sums : mapping of str to ndarray
        The arrays of `level_sums.measure_levels` for one block, or summed over the blocks: without
        their leading axis.
    sector : {"even", "odd"}
    step : int
        The step n = 1, 2, ... between the levels n - 1 and n.

    Returns
    -------
    cross, products : ndarray of float64, (n_operators, n_operators)
    """
    count = sums["counts"]
    cross, products = (
        sums[f"{sector}_cross"][step - 1] / count,
        sums[f"{sector}_products"][step] / count,
    )
    if sector == "odd":
        return cross, products
    old, new = sums[f"{sector}_sums"][step - 1] / count, sums[f"{sector}_sums"][step] / count
    return cross - np.outer(new, old), products - np.outer(new, new)


def transformation(sums: Sums, sector: str, step: int, n_operators: int) -> NDArray[np.float64]:
    """Return T_ab = dK_a^n / dK_b^(n-1) in the space of the first operators.

    Parameters are those of `covariances`, and the number of operators.

    Returns
    -------
    ndarray of float64, (n_operators, n_operators)

    Raises
    ------
    numpy.linalg.LinAlgError
        If B is singular.
    """
    cross, products = covariances(sums, sector, step)
    cross, products = (one[None, :n_operators, :n_operators] for one in (cross, products))
    if (reason := _why_singular(products)[0]) is not None:
        raise np.linalg.LinAlgError(reason)
    return np.asarray(np.linalg.solve(products, cross)[0], np.float64)


def leading_eigenvalue(matrix: NDArray[np.float64]) -> float:
    """Return the eigenvalue of largest modulus.

    Raises
    ------
    numpy.linalg.LinAlgError
        Unless the eigenvalue is real and positive.
    """
    (value,), (reason,) = _eigenvalues(matrix[None])
    if reason is not None:
        raise np.linalg.LinAlgError(reason)
    return float(value)


# ---- many matrices at once -----------------------------------------------------------------------


def _reasons(count: int) -> NDArray[np.object_]:
    return np.full(count, None, dtype=object)


def _why_singular(products: NDArray[np.float64]) -> NDArray[np.object_]:
    """Why the matrices B (n, k, k) cannot be inverted; None where they can."""
    reasons = _reasons(len(products))
    scale = np.sqrt(np.diagonal(products, axis1=1, axis2=2))
    varying = scale.min(axis=1) > 0
    reasons[~varying] = "an operator does not fluctuate"
    scale = scale[varying]
    spectrum = np.linalg.eigvalsh(products[varying] / (scale[:, :, None] * scale[:, None, :]))
    independent = spectrum[:, 0] > SINGULAR * spectrum[:, -1]
    reasons[np.flatnonzero(varying)[~independent]] = "operators are linearly dependent"
    return reasons


def _eigenvalues(
    matrices: NDArray[np.float64], choice: str = "leading"
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """The chosen eigenvalues (n,) by their modulus, and why they are not real and positive, or
    None."""
    values, reasons = np.linalg.eigvals(matrices), _reasons(len(matrices))
    order = np.argsort(-np.abs(values), axis=1, kind="stable")
    first, second = (values[np.arange(len(values)), order[:, k % order.shape[1]]] for k in (0, 1))
    chosen = {"leading": first, "second": second, "pair": first * second}[choice]
    name = "product of the leading pair" if choice == "pair" else f"{choice} eigenvalue"
    reasons[chosen.real <= 0] = f"the {name} is not positive"
    reasons[np.abs(chosen.imag) > 1e-9 * np.abs(chosen)] = f"the {name} is complex"
    return np.asarray(chosen.real, np.float64), reasons


def _logarithms(
    cross: NDArray[np.float64], products: NDArray[np.float64], choice: str = "leading"
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """The logarithms (n,) of the chosen eigenvalues of many transformations, nan where they are
    undefined, and the reasons."""
    logarithms = np.full(len(cross), np.nan)
    try:
        reasons = _why_singular(products)
        regular = np.flatnonzero([reason is None for reason in reasons])
        matrices = np.linalg.solve(products[regular], cross[regular])
        values, reasons[regular] = _eigenvalues(np.asarray(matrices, np.float64), choice)
    except np.linalg.LinAlgError as error:  # of one of them
        if len(cross) == 1:
            return logarithms, np.array([str(error)], dtype=object)
        each = [_logarithms(*pair, choice) for pair in zip(cross[:, None], products[:, None])]
        return np.concatenate([one for one, _ in each]), np.concatenate([why for _, why in each])
    for number, value in zip(regular, values):
        if reasons[number] is None:
            logarithms[number] = log(value)
    return logarithms, reasons


class ExponentSequence(NamedTuple):
    """An exponent for every step and number of operators.

    Attributes
    ----------
    estimate : Jackknife
        Value and error (steps, k) and replicas (blocks, steps, k); nan where undefined.
    reasons : list of list of (str or None), (steps, k)
        Why a value is undefined.
    wraps : list of bool, (steps,)
        Whether the step ends on a lattice that is too small for the operators.
    """

    estimate: Jackknife
    reasons: list[list[str | None]]
    wraps: list[bool]

    def rows(self) -> list[dict[str, Any]]:
        """Return one dict for each step and number of operators, with the entries ``step``,
        ``operators``, ``value``, ``error``, ``wraps`` and ``reason``.

        Value and error are None where they are undefined, also if only one replica is; ``reason``
        then says why.
        """
        value, error = self.estimate.value, self.estimate.error
        return [
            _row(
                step + 1,
                k + 1,
                self.wraps[step],
                float(value[step, k]),
                float(error[step, k]),
                self.reasons[step][k],
            )
            for step, k in np.ndindex(value.shape)
        ]

    def covariance(self) -> NDArray[np.float64]:
        """Return the jackknife covariance (steps, steps) of the values of all operators. The steps
        are measured on the same samples, so that their errors are correlated."""
        replicas = self.estimate.replicas[:, :, -1]
        steps = replicas.shape[1]
        return jackknife_covariance(replicas) if len(replicas) else np.full((steps, steps), np.nan)

    def of_all_operators(self) -> list[dict[str, Any]]:
        """Return the rows of all operators."""
        return self.rows()[self.estimate.value.shape[1] - 1 :: self.estimate.value.shape[1]]

    def extrapolated(self, scale: float, omega: float) -> list[dict[str, Any]]:
        """Return the limit of many steps, of all operators, if the leading correction falls off as
        b^-omega with every step, and no other matters.

        Returns
        -------
        list of dict
            Rows like those of `changes` for the steps n = 2, 3, ...: (y_n - b^-omega y_(n-1)) / (1
            - b^-omega).
        """
        ratio, values, replicas = scale**-omega, self.estimate.value, self.estimate.replicas
        rows = []
        for n in range(1, len(values)):
            value, of_replicas = (
                (array[..., n, -1] - ratio * array[..., n - 1, -1]) / (1 - ratio)
                for array in (values, replicas)
            )
            error = float(jackknife_error(of_replicas)) if len(of_replicas) else np.nan
            reason = self.reasons[n][-1] or self.reasons[n - 1][-1]
            row = _row(n + 1, 0, self.wraps[n], float(value), error, reason)
            rows.append({name: row[name] for name in ("step", "value", "error", "wraps", "reason")})
        return rows

    def changes(self) -> list[dict[str, Any]]:
        """Return by how much each further step changes the value of all operators.

        Returns
        -------
        list of dict
            Entries ``step``, ``value``, ``error`` and ``reason`` for the steps n = 2, 3, ...: the
            value of step n minus that of step n - 1, with the error of this difference.
        """
        value, replicas, rows = self.estimate.value[:, -1], self.estimate.replicas[:, :, -1], []
        for n in range(1, len(value)):
            error = (
                float(jackknife_error(replicas[:, n] - replicas[:, n - 1]))
                if len(replicas)
                else np.nan
            )
            reason = self.reasons[n][-1] or self.reasons[n - 1][-1]
            row = _row(n + 1, 0, self.wraps[n], value[n] - value[n - 1], error, reason)
            rows.append({name: row[name] for name in ("step", "value", "error", "reason")})
        return rows


def sequence(
    sums: Sums, sector: str, shapes: Sequence[Sequence[int]], choice: str = "leading"
) -> ExponentSequence:
    """Return the exponent log(leading eigenvalue) / log b at every step for every number of
    operators: y_t (even) or y_h (odd).

    Parameters
    ----------
    sums : mapping of str to ndarray, (blocks, ...)
        In the layout of `level_sums.empty_sums`.
    sector : {"even", "odd"}
    shapes : sequence of sequence of int
        Shapes of the lattice at the levels 0, ..., steps; their ratio is the scale factor b.
    choice : {"leading", "second", "pair"}
        "second" takes the second eigenvalue instead, which needs two operators, and "pair" the
        geometric mean of both: of two that are equal by symmetry the errors may make a complex
        pair, whose product is real.
    """
    steps, of_one = len(shapes) - 1, 2 if choice == "pair" else 1
    needed_operators = 1 if choice == "leading" else 2
    needed = ("counts", f"{sector}_sums", f"{sector}_products", f"{sector}_cross")
    sums = {name: array for name, array in occupied(sums).items() if name in needed}
    shape = (steps, sums[f"{sector}_sums"].shape[-1])
    wrapped = [wraps(shape) for shape in shapes[1:]]
    log_scales = [log(prod(old) / prod(new)) / len(old) for old, new in zip(shapes, shapes[1:])]
    reasons = [
        ["the step does not change the scale" if scale == 0 else None] * shape[1]
        for scale in log_scales
    ]
    if len(sums["counts"]) == 0:
        nothing = Jackknife(np.full(shape, np.nan), np.full(shape, np.nan), np.empty((0, *shape)))
        return ExponentSequence(nothing, [["there are no samples"] * shape[1]] * steps, wrapped)

    totals = leave_one_out(sums)
    if len(totals) < 3:  # one block: without it there is nothing
        totals = totals[:1]
    values = np.full((len(totals), *shape), np.nan)
    for step in map(int, np.flatnonzero(log_scales)):
        pairs = [covariances(one, sector, step + 1) for one in totals]
        cross, products = map(np.stack, zip(*pairs))
        for k in range(shape[1]):
            if k < needed_operators - 1:
                reasons[step][k] = "one operator has one eigenvalue"
                continue
            some = np.s_[:, : k + 1, : k + 1]
            logarithms, why = _logarithms(cross[some], products[some], choice)
            values[:, step, k] = logarithms / (log_scales[step] * of_one)
            reasons[step][k] = next((reason for reason in why[::-1] if reason), None)
    return ExponentSequence(jackknife_of(values), reasons, wrapped)


def exponents(sums: Sums, sector: str, shapes: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """Return the rows of the `sequence`."""
    return sequence(sums, sector, shapes).rows()


def headline(rows: list[dict[str, Any]], step: int = HEADLINE_STEP) -> dict[str, Any]:
    """Return the row of all operators at the headline step, or a row of None with the reason."""
    n_operators = max(row["operators"] for row in rows)
    for row in rows:
        if row["step"] == step and row["operators"] == n_operators:
            return row
    return _row(step, n_operators, False, reason=f"the flow has fewer than {step} steps")


def _row(
    step: int,
    operators: int,
    wrapped: bool,
    value: float = np.nan,
    error: float = np.nan,
    reason: str | None = None,
) -> dict[str, Any]:
    if reason is not None:
        value = error = np.nan
    elif np.isnan(error):
        reason = "an error needs at least two blocks of samples"
    return {
        "step": step,
        "operators": operators,
        "value": None if np.isnan(value) else float(value),
        "error": None if np.isnan(error) else float(error),
        "wraps": wrapped,
        "reason": reason,
    }
