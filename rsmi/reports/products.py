"""What ``rsmi info`` says of a rule whose filters act on products of spins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsmi.samples.views import RuleFile
from rsmi.statistics.notation import table

_LARGEST_MATRIX = 9  # sites of a block whose matrix is printed
_SHOWN = 12  # products that are printed where there is no matrix


def describe_products(rule: RuleFile) -> list[str]:
    """Every unit: the matrix of its quadratic form with the site weights, or its products."""
    products, forms, weights = rule.products or (), rule.forms, rule.site_weights
    what = "pairs" if forms is not None else "products"
    field = "v^T A v + bias" if forms is not None else "sum of weight times product, plus bias"
    lines = [f"  {len(products)} {what} of spins: x = {field}; P(h = 1) = 1/(1 + exp(-x))", ""]
    for unit, bias in enumerate(rule.bias):
        lines.append(f"  unit {unit + 1}   bias {bias:z.4f}")
        if forms is None or weights is None:
            lines += _strongest(rule.filters[unit], products)
        else:
            lines += _form(forms[unit], weights[unit], rule.block)
    return lines


def _form(
    form: NDArray[np.float64], weights: NDArray[np.float64], block: tuple[int, ...]
) -> list[str]:
    """The symmetric matrix of a small block, its leading eigenvalue, and the weights of the
    sites."""
    lines: list[str] = []
    if len(form) <= _LARGEST_MATRIX:
        lines += ["    symmetric matrix A of the sites in row-major order", *_numbers(form), ""]
    values = np.linalg.eigvalsh(form)
    leading = values[np.argmax(np.abs(values))]
    share = leading**2 / (values**2).sum() if leading else 0.0
    return [
        *lines,
        f"    leading eigenvalue of A {leading:z.4f}, {100 * share:.0f} % of the squared norm",
        "    site weights: row sums of A",
        *(line for layer in layers(weights, block) for line in [*_numbers(layer), ""]),
    ]


def layers(weights: NDArray[np.float64], block: tuple[int, ...]) -> NDArray[np.float64]:
    """Weights of the sites of a block as layers of rows and columns, shape (n, rows, columns)."""
    return weights.reshape(-1, *(1, *block)[-2:])


def _numbers(rows: NDArray[np.float64]) -> list[str]:
    return table([["", *(f"{weight:z.4f}" for weight in row)] for row in rows])


def _strongest(weights: NDArray[np.float64], products: tuple[tuple[int, ...], ...]) -> list[str]:
    """The products of the largest weights, and how many are left out."""
    order = np.argsort(-np.abs(weights), kind="stable")[:_SHOWN]
    rows = [
        ["sites", "weight"],
        *([" ".join(map(str, products[i])), f"{weights[i]:z.4f}"] for i in order),
    ]
    rest = len(weights) - len(order)
    return [*table(rows, "    "), *([f"    and {rest} weaker ones"] if rest else []), ""]
