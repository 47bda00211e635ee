"""The kind of file that holds a learned coarse-graining rule."""

from __future__ import annotations

from rsmi.store.schema.common import BLOCK_MASK, GEOMETRY_ATTRIBUTES, LATTICE_ATTRIBUTES
from rsmi.store.schema.entries import Attribute, Dataset, Kind

LAMBDA = Kind(
    "a coarse-graining rule: filters of the hidden units H of a block V, and what they know of the"
    " environment",
    LATTICE_ATTRIBUTES
    + GEOMETRY_ATTRIBUTES
    + (
        Attribute(
            "objective",
            "text",
            "proxy, logsum, enumerate, decoder or canonical; of the block alone: total-correlation"
            " or likelihood",
        ),
        Attribute(
            "estimator",
            "text",
            "pairs, mcmc or gaussian (proxy), cd or pcd (likelihood)",
            required=False,
        ),
        Attribute(
            "sector",
            "text",
            "name of the model's sector whose functions of V were trained; absent for the default:"
            " filters of the sites",
            required=False,
            since=(1, 4),
        ),
        Attribute(
            "environment_features",
            "text",
            "further variables of the environment in training and bounds; absent for none",
            required=False,
            since=(1, 4),
        ),
        Attribute(
            "hidden_states",
            "integer",
            "states of the only hidden unit, a softmax; absent for units with two states",
            required=False,
            since=(1, 4),
        ),
        Attribute(
            "filter_form",
            "text",
            "of a hidden unit with several states: tied to the symmetry of the states, or free",
            required=False,
            since=(1, 4),
        ),
        Attribute("windows", "integer", "windows (V, E) used, training and held out"),
        Attribute(
            "restart",
            "integer",
            "the restart that was kept: best held-out decoder bound, of the block alone the last"
            " /curve/objective",
        ),
        Attribute(
            "mutual_information",
            "number",
            "I(H:E) of the soft rule, decoder bound on held-out configurations, nats",
        ),
        Attribute(
            "mutual_information_error", "number", "standard error over blocks of configurations"
        ),
        Attribute(
            "mutual_information_hard", "number", "the same for the rule made hard (sign, fair ties)"
        ),
        Attribute("mutual_information_hard_error", "number", "standard error"),
        Attribute(
            "mutual_information_shuffled",
            "number",
            "control: the bound with environments of other configurations",
        ),
        Attribute(
            "mutual_information_exact",
            "number",
            "exact I(H:E) of the hard rule where the oracle applies",
            required=False,
        ),
        Attribute(
            "mutual_information_exact_error",
            "number",
            "its sampling error over environments",
            required=False,
        ),
        Attribute(
            "mutual_information_exact_soft",
            "number",
            "exact I(H:E) of the soft rule",
            required=False,
        ),
        Attribute("mutual_information_block", "number", "exact I(V:E)", required=False),
        Attribute(
            "total_correlation",
            "number",
            "sum_i I(v_i:H) - I(V:H) of the soft rule on held-out blocks, nats",
            required=False,
            since=(1, 2),
        ),
        Attribute(
            "total_correlation_error",
            "number",
            "its standard error over configurations",
            required=False,
            since=(1, 2),
        ),
        Attribute(
            "total_correlation_bound",
            "number",
            "sum of /total_correlation/units, at most the same",
            required=False,
            since=(1, 2),
        ),
        Attribute(
            "total_correlation_bound_error",
            "number",
            "its standard error over configurations",
            required=False,
            since=(1, 2),
        ),
        Attribute(
            "total_correlation_block",
            "number",
            "sum_i H(v_i) - H(V) of all blocks, up to 9 sites",
            required=False,
            since=(1, 2),
        ),
        Attribute(
            "canonical_information",
            "number",
            "of Gaussian variables with /canonical/correlations, nats",
            required=False,
            since=(1, 4),
        ),
        Attribute(
            "canonical_information_error",
            "number",
            "its standard error over configurations",
            required=False,
            since=(1, 4),
        ),
        Attribute(
            "canonical_information_shuffled",
            "number",
            "control: the same of /canonical/shuffled",
            required=False,
            since=(1, 4),
        ),
        Attribute("entropy_h", "number", "H(H) of the soft rule, nats"),
        Attribute("entropy_h_hard", "number", "H(H) of the hard rule, nats"),
    ),
    (
        BLOCK_MASK,
        Dataset(
            "/filters",
            "float64",
            ("hidden", "features"),
            "",
            "lambda: x_j = sum_i lambda_ji v_i + b_j, P(h_j = 1) = 1/(1 + exp(-x_j)), v = +-1;"
            " features are the sites of the block. Absent if there are products, so that readers of"
            " earlier formats refuse the file",
            required=False,
        ),
        Dataset(
            "/products/sites",
            "int64",
            ("features", "factors"),
            "",
            "sites of the block whose spins are multiplied, -1 where a product has fewer; features"
            " are then these products: pairs make x_j = v^T A v + b_j with A_ik = lambda_j(ik) / 2",
            required=False,
            since=(1, 4),
        ),
        Dataset(
            "/products/filters",
            "float64",
            ("hidden", "features"),
            "",
            "lambda: x_j = sum_p lambda_jp prod_(i in p) v_i + b_j",
            required=False,
            since=(1, 4),
        ),
        Dataset(
            "/features",
            "float64",
            ("states", "width"),
            "",
            "features f of the states of a site, for variables or hidden units with several states;"
            " the features of a filter are then those of all sites of the block, side by side, and"
            " hidden counts the states of a unit with several: P(h) = exp(x_h) / sum exp(x). A tied"
            " filter has one weight for each site: x_h = sum_i lambda_i f(v_i) . f(h)",
            required=False,
            since=(1, 4),
        ),
        Dataset("/bias", "float64", ("hidden",), "", "b"),
        Dataset(
            "/restarts/filters",
            "float64",
            ("restarts", "hidden", "features"),
            "",
            "final filters of every restart",
        ),
        Dataset("/restarts/bias", "float64", ("restarts", "hidden"), "", "final biases"),
        Dataset(
            "/restarts/bound",
            "float64",
            ("restarts",),
            "nats",
            "held-out decoder bound of the soft rule",
        ),
        Dataset(
            "/curve/step",
            "int64",
            ("rows",),
            "",
            "minibatches seen, of total-correlation iterations",
        ),
        Dataset(
            "/curve/objective",
            "float64",
            ("restarts", "rows"),
            "",
            "mean training objective since the row before (a proxy is not a mutual information);"
            " total-correlation: sum over units; likelihood: held-out pseudo-log-likelihood",
        ),
        Dataset(
            "/curve/filters",
            "float64",
            ("restarts", "rows", "hidden", "features"),
            "",
            "filters at each row",
        ),
        Dataset(
            "/total_correlation/units",
            "float64",
            ("hidden",),
            "nats",
            "of each unit with the sites it knows most of, on held-out blocks",
            required=False,
            since=(1, 2),
        ),
        Dataset(
            "/total_correlation/units_error",
            "float64",
            ("hidden",),
            "nats",
            "its standard error over configurations",
            required=False,
            since=(1, 2),
        ),
        Dataset(
            "/canonical/correlations",
            "float64",
            ("pairs",),
            "",
            "on held-out windows, of the pairs of V and E of the training windows",
            required=False,
            since=(1, 4),
        ),
        Dataset(
            "/canonical/errors",
            "float64",
            ("pairs",),
            "",
            "their standard errors over configurations",
            required=False,
            since=(1, 4),
        ),
        Dataset(
            "/canonical/shuffled",
            "float64",
            ("pairs",),
            "",
            "control: the same of pairs that were found with environments of other configurations",
            required=False,
            since=(1, 4),
        ),
        Dataset(
            "/canonical/exact",
            "float64",
            ("known_pairs",),
            "",
            "exact canonical correlations where the model knows them",
            required=False,
            since=(1, 4),
        ),
        Dataset("/split/held_out", "int64", ("held_out",), "", "configurations kept from training"),
    ),
)
