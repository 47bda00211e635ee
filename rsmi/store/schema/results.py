"""The kinds of files that hold results: exponents and crossings."""

from __future__ import annotations

from rsmi.store.schema.common import CONTRADICTIONS, FLOW_MODEL, MODEL_PARAMETERS, STATES
from rsmi.store.schema.entries import Attribute, Dataset, Kind

EXPONENT = Kind(
    "critical exponents and temperatures read off a flow",
    (
        FLOW_MODEL,
        MODEL_PARAMETERS,
        CONTRADICTIONS,
        Attribute("block", "integers", "shape of the block"),
        Attribute(
            "components",
            "integer",
            "variables of a site; 1 if absent",
            required=False,
            since=(1, 4),
        ),
        STATES,
    ),
    (
        Dataset("/result", "bytes", (), "", "JSON: the whole answer, as printed by --json"),
        Dataset(
            "/sequence/y_t",
            "float64",
            ("steps", "even"),
            "",
            "thermal eigenvalue exponent by step and number of operators, NaN where undefined",
        ),
        Dataset("/sequence/y_t_error", "float64", ("steps", "even"), "", "jackknife error"),
        Dataset("/sequence/y_h", "float64", ("steps", "odd"), "", "magnetic eigenvalue exponent"),
        Dataset("/sequence/y_h_error", "float64", ("steps", "odd"), "", "jackknife error"),
        Dataset(
            "/covariance/y_t",
            "float64",
            ("steps", "steps"),
            "",
            "jackknife covariance of y_t of all operators between steps, NaN where undefined",
            required=False,
            since=(1, 1),
        ),
        Dataset(
            "/covariance/y_h",
            "float64",
            ("steps", "steps"),
            "",
            "the same of y_h",
            required=False,
            since=(1, 1),
        ),
        Dataset(
            "/covariance/coupling_eff",
            "float64",
            ("levels", "levels"),
            "",
            "jackknife covariance of the effective coupling between levels 0, 1, ...",
            required=False,
            since=(1, 1),
        ),
    ),
)

CROSSING = Kind(
    "critical temperature from the crossing of lattice sizes",
    (Attribute("model", "text", "of the samples", since=(1, 1)), CONTRADICTIONS),
    (
        Dataset(
            "/result", "bytes", (), "", "JSON: the whole answer, as printed by --json", since=(1, 1)
        ),
        Dataset(
            "/curves/size",
            "int64",
            ("sizes",),
            "",
            "lattice sizes, sites along the first side",
            since=(1, 1),
        ),
        Dataset(
            "/curves/coupling",
            "float64",
            ("points",),
            "",
            "K at which the curves are tabulated",
            since=(1, 1),
        ),
        Dataset(
            "/curves/binder",
            "float64",
            ("sizes", "points"),
            "",
            "1 - <m^4>/(3 <m^2>^2), reweighted; NaN beyond the couplings sampled of a size",
            since=(1, 1),
        ),
        Dataset(
            "/curves/binder_error",
            "float64",
            ("sizes", "points"),
            "",
            "jackknife error",
            since=(1, 1),
        ),
        Dataset(
            "/curves/correlation_ratio",
            "float64",
            ("sizes", "points"),
            "",
            "C(L/2)/C(L/4) along the axes; NaN also where undefined",
            since=(1, 1),
        ),
        Dataset(
            "/curves/correlation_ratio_error",
            "float64",
            ("sizes", "points"),
            "",
            "jackknife error",
            since=(1, 1),
        ),
    ),
    since=(1, 1),
)
