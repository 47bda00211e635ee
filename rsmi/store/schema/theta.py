"""The kind of file that holds trained restricted Boltzmann machines."""

from __future__ import annotations

from rsmi.store.schema.common import BLOCK_MASK, GEOMETRY_ATTRIBUTES, LATTICE_ATTRIBUTES
from rsmi.store.schema.entries import Attribute, Dataset, Kind

THETA = Kind(
    "restricted Boltzmann machines of (V, E) and of V, with +-1 units",
    LATTICE_ATTRIBUTES
    + GEOMETRY_ATTRIBUTES
    + (
        Attribute("windows", "integer", "windows (V, E) used, training and held out"),
        Attribute("symmetric", "flag", "spin-flip symmetric: biases tied to zero"),
        Attribute("pseudo_log_likelihood", "number", "held out, nats per window"),
        Attribute(
            "pseudo_log_likelihood_error", "number", "its standard error over configurations"
        ),
        Attribute(
            "kl",
            "number",
            "mean KL(P(V|E) || RBM) against the exact conditional, nats",
            required=False,
        ),
        Attribute("kl_error", "number", "its standard error over configurations", required=False),
    ),
    (
        BLOCK_MASK,
        Dataset(
            "/joint/weights",
            "float32",
            ("visible", "hidden"),
            "",
            "couplings of the RBM of (V, E); the first |V| visible units are V",
        ),
        Dataset("/joint/visible_bias", "float32", ("visible",), "", "fields on V, E"),
        Dataset("/joint/hidden_bias", "float32", ("hidden",), "", "fields on the hidden units"),
        Dataset(
            "/block/weights",
            "float32",
            ("block_sites", "block_hidden"),
            "",
            "couplings of the RBM of V alone",
        ),
        Dataset("/block/visible_bias", "float32", ("block_sites",), "", "fields on V"),
        Dataset(
            "/block/hidden_bias", "float32", ("block_hidden",), "", "fields on the hidden units"
        ),
        Dataset("/curve/epoch", "int64", ("epochs",), "", "passes over the training windows"),
        Dataset(
            "/curve/reconstruction_error",
            "float64",
            ("epochs",),
            "",
            "fraction of the visible units changed by the Gibbs steps, NaN if persistent",
        ),
        Dataset(
            "/curve/pseudo_log_likelihood",
            "float64",
            ("epochs",),
            "nats",
            "held out, per window, after each epoch",
        ),
        Dataset("/split/held_out", "int64", ("held_out",), "", "configurations kept from training"),
    ),
)
