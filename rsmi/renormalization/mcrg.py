"""Critical exponents by the Monte Carlo renormalization group (Swendsen, PRL 42, 859 (1979)).

The linearised transformation T_ab = dK_a^n / dK_b^(n-1) of the couplings solves sum_a B_ga T_ab =
A_gb with

    A_gb = <S_g^n S_b^(n-1)>_c,    B_ga = <S_g^n S_a^n>_c,

where S are sums over the lattice (averages per site would shift every exponent by -d). Its largest
eigenvalue is b^y: y_t from the even operators, y_h from the odd ones.
"""

from __future__ import annotations

from math import log, prod
from typing import NamedTuple

import numpy as np

from rsmi.renormalization.operators import occupied, wraps
from rsmi.statistics.jackknife import Jackknife, jackknife, jackknife_covariance, jackknife_error

HEADLINE_STEP = 2  # and all operators: fixed before looking at any result
SINGULAR = 1e-9  # of the smallest to the largest eigenvalue of the correlation matrix


def covariances(sums, sector: str, step: int) -> tuple[np.ndarray, np.ndarray]:
    """A (new x old level) and B (new x new level) from the sums of one block or of all.

    Parameters
    ----------
    sums : dict, the arrays of `operators.measure_levels` without (summed over) the leading axis of
    blocks
    step : the step n = 1, 2, ... between levels n-1 and n

    Odd means are zero by symmetry in zero field and are not subtracted.
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


def transformation(sums, sector: str, step: int, n_operators: int) -> np.ndarray:
    """T_ab = dK_a^n / dK_b^(n-1) in the space of the first `n_operators` operators; LinAlgError
    where B is singular."""
    cross, products = covariances(sums, sector, step)
    return _solve(cross[:n_operators, :n_operators], products[:n_operators, :n_operators])


def _solve(cross, products):
    scale = np.sqrt(np.diag(products))
    if not scale.min() > 0:
        raise np.linalg.LinAlgError("an operator does not fluctuate")
    spectrum = np.linalg.eigvalsh(products / np.outer(scale, scale))
    if not spectrum[0] > SINGULAR * spectrum[-1]:
        raise np.linalg.LinAlgError("operators are linearly dependent")
    return np.linalg.solve(products, cross)


def leading_eigenvalue(matrix) -> float:
    """The eigenvalue of largest modulus; LinAlgError unless it is real and positive."""
    values = np.linalg.eigvals(matrix)
    leading = values[np.argmax(np.abs(values))]
    if abs(leading.imag) > 1e-9 * abs(leading):
        raise np.linalg.LinAlgError("the leading eigenvalue is complex")
    if leading.real <= 0:
        raise np.linalg.LinAlgError("the leading eigenvalue is not positive")
    return float(leading.real)


class Sequence(NamedTuple):
    """An exponent by step and number of operators: value and error (steps, k), replicas (blocks,
    steps, k), nan where undefined; `reasons` (steps, k) of str or None; `wraps` (steps,), whether
    the step ends on a lattice too small for the operators.
    """

    estimate: Jackknife
    reasons: list[list[str | None]]
    wraps: list[bool]

    def rows(self) -> list[dict]:
        """{step, operators, value, error, wraps, reason}: value and error are None where undefined,
        if only without one of the blocks, and `reason` says why."""
        value, error = self.estimate.value, self.estimate.error
        return [
            _row(
                step + 1,
                k + 1,
                self.wraps[step],
                value[step, k],
                error[step, k],
                self.reasons[step][k],
            )
            for step, k in np.ndindex(value.shape)
        ]

    def covariance(self) -> np.ndarray:
        """Jackknife covariance (steps, steps) of the values of all operators: the steps are
        measured on the same samples."""
        replicas = self.estimate.replicas[:, :, -1]
        steps = replicas.shape[1]
        return jackknife_covariance(replicas) if len(replicas) else np.full((steps, steps), np.nan)

    def changes(self) -> list[dict]:
        """What one step more adds to the value of all operators, {step, value, error, reason}:
        entry n = 2, 3, ... is that of step n less that of step n - 1, its error with the covariance
        of the two."""
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


def sequence(sums, sector: str, shapes) -> Sequence:
    """The exponent at every step for every number of operators, log(leading eigenvalue) / log b:
    y_t (even) or y_h (odd).

    Parameters
    ----------
    sums : dict of arrays (blocks, ...), the layout of `operators.empty_sums`
    sector : "even" or "odd"
    shapes : shapes of the lattice at levels 0 .. steps; their ratio is the scale factor b
    """
    steps = len(shapes) - 1
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
        return Sequence(nothing, [["there are no samples"] * shape[1]] * steps, wrapped)

    def values(totals):
        result = np.full(shape, np.nan)
        for step in np.flatnonzero(log_scales):
            cross, products = covariances(totals, sector, step + 1)
            for k in range(shape[1]):
                try:
                    result[step, k] = (
                        log(
                            leading_eigenvalue(
                                _solve(cross[: k + 1, : k + 1], products[: k + 1, : k + 1])
                            )
                        )
                        / log_scales[step]
                    )
                except np.linalg.LinAlgError as error:
                    reasons[step][k] = str(error)
        return result

    return Sequence(jackknife(values, sums), reasons, wrapped)


def exponents(sums, sector: str, shapes) -> list[dict]:
    """The rows of the `sequence`."""
    return sequence(sums, sector, shapes).rows()


def headline(rows, step: int = HEADLINE_STEP) -> dict:
    """The row of all operators at the headline step, or one of None with the reason."""
    n_operators = max(row["operators"] for row in rows)
    for row in rows:
        if row["step"] == step and row["operators"] == n_operators:
            return row
    return _row(step, n_operators, False, reason=f"the flow has fewer than {step} steps")


def _row(step, operators, wrapped, value=np.nan, error=np.nan, reason=None):
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
