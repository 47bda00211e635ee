"""The kind of file that holds trained restricted Boltzmann machines."""

from __future__ import annotations

from rsmi.store.schema.common import BLOCK_MASK, GEOMETRY_ATTRIBUTES, LATTICE_ATTRIBUTES
from rsmi.store.schema.entries import Attribute, Dataset, Kind

THETA = Kind(
    "restricted Boltzmann machines of (V, E) and of V",
    LATTICE_ATTRIBUTES
    + GEOMETRY_ATTRIBUTES
    + (
        Attribute("windows", "integer", "windows (V, E) used, training and held out"),
        Attribute(
            "symmetric",
            "flag",
            "symmetric under the flip of all spins, with biases tied to zero; or under the"
            " relabellings of states",
        ),
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
            "/features",
            "float64",
            ("states", "width"),
            "",
            "features f of the states of a site and of a hidden unit, for variables with several"
            " states: P(x, h) ~ exp(sum_ij W_ij f(x_i) . f(h_j)) without biases, so that readers of"
            " earlier formats refuse the file. Absent for units +-1",
            required=False,
            since=(1, 4),
        ),
        Dataset(
            "/joint/weights",
            "float32",
            ("visible", "hidden"),
            "",
            "couplings of the RBM of (V, E); the first |V| visible units are V",
        ),
        Dataset(
            "/joint/visible_bias", "float32", ("visible",), "", "fields on V, E", required=False
        ),
        Dataset(
            "/joint/hidden_bias",
            "float32",
            ("hidden",),
            "",
            "fields on the hidden units",
            required=False,
        ),
        Dataset(
            "/block/weights",
            "float32",
            ("block_sites", "block_hidden"),
            "",
            "couplings of the RBM of V alone",
        ),
        Dataset(
            "/block/visible_bias", "float32", ("block_sites",), "", "fields on V", required=False
        ),
        Dataset(
            "/block/hidden_bias",
            "float32",
            ("block_hidden",),
            "",
            "fields on the hidden units",
            required=False,
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
