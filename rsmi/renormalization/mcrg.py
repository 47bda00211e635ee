"""Critical exponents by the Monte Carlo renormalization group (Swendsen, PRL 42, 859 (1979)).

The linearised transformation T_ab = dK_a^n / dK_b^(n-1) of the couplings solves sum_a B_ga T_ab = A_gb with

    A_gb = <S_g^n S_b^(n-1)>_c,    B_ga = <S_g^n S_a^n>_c,

where S are sums over the lattice (averages per site would shift every exponent by -d). Its largest eigenvalue is b^y: y_t from
the even operators, y_h from the odd ones.
"""

from math import log, prod

import numpy as np

from rsmi.renormalization.operators import SECTORS, occupied, wraps
from rsmi.statistics.jackknife import jackknife

HEADLINE_STEP = 2  # and all operators: fixed before looking at any result
SINGULAR = 1e-9  # of the smallest to the largest eigenvalue of the correlation matrix


def covariances(sums, sector: str, step: int) -> tuple[np.ndarray, np.ndarray]:
    """A (new x old level) and B (new x new level) from the sums of one block or of all.

    Parameters
    ----------
    sums : dict, the arrays of `operators.measure_levels` without (summed over) the leading axis of blocks
    step : the step n = 1, 2, ... between levels n-1 and n

    Odd means are zero by symmetry in zero field and are not subtracted.
    """
    count = sums["counts"]
    cross, products = sums[f"{sector}_cross"][step - 1] / count, sums[f"{sector}_products"][step] / count
    if sector == "odd":
        return cross, products
    old, new = sums[f"{sector}_sums"][step - 1] / count, sums[f"{sector}_sums"][step] / count
    return cross - np.outer(new, old), products - np.outer(new, new)


def transformation(sums, sector: str, step: int, n_operators: int) -> np.ndarray:
    """T_ab = dK_a^n / dK_b^(n-1) in the space of the first `n_operators` operators; LinAlgError where B is singular."""
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


def leading_eigenvectors(matrix) -> tuple[np.ndarray, np.ndarray]:
    """Right and left eigenvector of the leading eigenvalue, (k,) each, of unit length, largest component positive.

    The right one is the direction of couplings along which the flow leaves the fixed point; the left one is the gradient of the
    scaling field.
    """
    leading_eigenvalue(matrix)
    vectors = []
    for m in (matrix, matrix.T):
        values, columns = np.linalg.eig(m)
        vector = columns[:, np.argmax(np.abs(values))].real
        vectors.append(vector * np.sign(vector[np.argmax(np.abs(vector))]) / np.linalg.norm(vector))
    return vectors[0], vectors[1]


def exponents(sums, sector: str, shapes) -> list[dict]:
    """The exponent at every step for every number of operators: y_t (even) or y_h (odd).

    Parameters
    ----------
    sums : dict of arrays (blocks, ...), the layout of `operators.empty_sums`
    sector : "even" or "odd"
    shapes : shapes of the lattice at levels 0 .. steps; their ratio is the scale factor b

    Returns
    -------
    list of {step, operators, value, error, wraps, reason}
        `value` = log(leading eigenvalue) / log b with the jackknife error over blocks. Either is None where it is not
        defined, and `reason` then says why (else None). `wraps` marks steps that end on a lattice too small for the operators.
    """
    rows = []
    for step in range(1, len(shapes)):
        rows += _exponents_of_step(sums, sector, step, shapes[step - 1], shapes[step])
    return rows


def headline(rows, sector: str, step: int = HEADLINE_STEP) -> dict:
    """The row of all operators at the headline step, or one of None with the reason."""
    k = len(SECTORS[sector])
    for row in rows:
        if row["step"] == step and row["operators"] == k:
            return row
    return _row(step, k, False, reason=f"the flow has fewer than {step} steps")


def _exponents_of_step(sums, sector, step, old_shape, new_shape):
    n_operators, wrapped = len(SECTORS[sector]), wraps(new_shape)
    log_scale = log(prod(old_shape) / prod(new_shape)) / len(old_shape)
    needed = ("counts", f"{sector}_sums", f"{sector}_products", f"{sector}_cross")
    sums = {name: array for name, array in occupied(sums).items() if name in needed}
    if log_scale == 0 or len(sums["counts"]) == 0:
        reason = "the step does not change the scale" if log_scale == 0 else "there are no samples"
        return [_row(step, k, wrapped, reason=reason) for k in range(1, n_operators + 1)]
    reasons = [None] * n_operators

    def values(totals):
        cross, products = covariances(totals, sector, step)
        result = np.full(n_operators, np.nan)
        for k in range(1, n_operators + 1):
            try:
                result[k - 1] = np.log(leading_eigenvalue(_solve(cross[:k, :k], products[:k, :k]))) / log_scale
            except np.linalg.LinAlgError as error:
                reasons[k - 1] = str(error)
        return result

    estimate = jackknife(values, sums)
    return [_row(step, k + 1, wrapped, estimate.value[k], estimate.error[k], reasons[k]) for k in range(n_operators)]


def _row(step, operators, wrapped, value=np.nan, error=np.nan, reason=None):
    if reason is None and np.isnan(error):
        reason = "an error needs at least two blocks of samples"
    return {
        "step": step,
        "operators": operators,
        "value": None if np.isnan(value) else float(value),
        "error": None if np.isnan(error) else float(error),
        "wraps": wrapped,
        "reason": reason,
    }
