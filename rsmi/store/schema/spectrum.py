"""The kinds of files that hold sums of local functions: spectra and correlation functions."""

from __future__ import annotations

from dataclasses import replace

from rsmi.store.schema.common import (
    CONTRADICTIONS,
    FLOW_MODEL,
    MODEL_PARAMETERS,
    STATES,
    SYMMETRY,
)
from rsmi.store.schema.entries import Attribute, Dataset, Kind
from rsmi.store.schema.flow import FLOW

_V14 = (1, 4)
# The records of files, or of lattices that were sampled in flight, are those of a flow.
_RECORDS = tuple(
    replace(dataset, required=True, since=_V14)
    for dataset in FLOW.datasets
    if dataset.path.startswith("/files/")
)


def _sum(name: str, axes: tuple[str | int, ...], meaning: str, required: bool = True) -> Dataset:
    """A dataset of sums over the samples of each group."""
    return Dataset(
        f"/groups/{name}", "float64", ("groups", *axes), "", meaning, required=required, since=_V14
    )


_OWNER = Dataset(
    "/groups/file",
    "int64",
    ("groups",),
    "",
    "row of /files of each group: whole chains, or successive samples of one chain",
    since=_V14,
)
_COUNT = _sum("count", (), "samples in the group")

SPECTRUM = Kind(
    "sums of local functions over samples of several lattice sizes, and so their scaling"
    " dimensions",
    (
        FLOW_MODEL,
        MODEL_PARAMETERS,
        STATES,
        SYMMETRY,
        CONTRADICTIONS,
        Attribute(
            "odd_functions",
            "json",
            "names of the functions that a flip of all spins reverses, or relabellings of states"
            " turn, in order; the first one is the magnetization, or the order parameter of the"
            " model, |m| or |m_K|",
            since=_V14,
        ),
        Attribute(
            "even_functions",
            "json",
            "names of those that it does not change; the first one is the energy, as the average"
            " of s s' over nearest neighbours, or minus the energy per site of models with an order"
            " parameter",
            since=_V14,
        ),
    ),
    (
        *_RECORDS,
        _OWNER,
        _COUNT,
        _sum("offset", ("even",), "o: about the mean of O, so that sums lose no digits"),
        _sum("even_sums", ("even", 2), "sums of O - o and (O - o)^2; O is the average per site"),
        _sum("odd_sums", ("odd", 3), "sums of abs m, m^2 and m^4; m is the average per site"),
        _sum("cross_sums", ("even", "odd", 3), "sums of O - o times abs m, m^2 and m^4"),
        _sum(
            "even_modes",
            ("even", "orbits"),
            "sums of |sum_x O(x) exp(-i q x)|^2 / N for q = 2 pi n / L, averaged over each orbit of"
            " n with components up to 2, in the order of n^2",
            required=False,
        ),
        _sum("odd_modes", ("odd", "orbits"), "the same of odd functions", required=False),
    ),
    since=_V14,
)

CORRELATION = Kind(
    "sums for the correlation functions of local functions, of lattices of one or more sizes",
    (
        FLOW_MODEL,
        MODEL_PARAMETERS,
        CONTRADICTIONS,
        Attribute("functions", "json", "names of the functions O, in order", since=_V14),
        Attribute(
            "sectors",
            "json",
            "of each function: odd or even under a flip of all spins, which is a symmetry; any if"
            " it is neither, or if there is no such symmetry",
            since=_V14,
        ),
        Attribute(
            "operators",
            "json",
            "functions that are measured as one scaling operator, a list of objects: the numbers of"
            " the functions from 0, the wave vector Q of their order as fractions of 2 pi, and the"
            " block along each axis; their values are multiplied by exp(-i Q.x)",
            since=_V14,
        ),
    ),
    (
        *_RECORDS,
        _OWNER,
        _COUNT,
        _sum("mean", ("functions",), "sums of the average of O over the lattice"),
        _sum(
            "axis",
            ("functions", "distances"),
            "sums of the averages of O(x) O(x + r) at r = 0, 1, ... along an axis, up to half of"
            " the shortest side; then 0",
        ),
        _sum("diagonal", ("functions", "distances"), "the same for r steps along a diagonal"),
        _sum(
            "factor",
            ("functions", "distances"),
            "sums of |sum_x O(x) exp(-i q x)|^2 / N, q = 2 pi n / L along an axis, n = 0, 1, ...",
        ),
        _sum(
            "products",
            ("functions", "functions"),
            "sums of the averages of O_k(x) O_l(x)*, the real part",
        ),
        _sum(
            "near_modes",
            ("functions", "functions", "modes"),
            "sums of O_k(q) O_l(q)* / N, the real part, with O(q) = sum_x O(x) exp(-i q x), at the"
            " 3^d places q = 2 pi n / L with all n out of 0, 1 and -1, in this order along each"
            " axis, the last one fastest",
        ),
    ),
    since=_V14,
)
