"""The kind of file that holds a renormalization flow."""

from __future__ import annotations

from rsmi.store.schema.common import CONTRADICTIONS, FLOW_MODEL, MODEL_PARAMETERS, STATES
from rsmi.store.schema.entries import Attribute, Dataset, Kind

_SUMS = "int64 or float64"

FLOW = Kind(
    "exact operator sums along the renormalization flow, per block of samples",
    (
        FLOW_MODEL,
        MODEL_PARAMETERS,
        CONTRADICTIONS,
        Attribute(
            "rule",
            "json",
            "name and, of a filter of the user's, its numbers; or digest of a learned rule; whether"
            " it was made hard; absent if the steps have different rules",
            required=False,
        ),
        Attribute(
            "rules",
            "json",
            "if the steps have different rules: a list with the like of each step",
            required=False,
            since=(1, 4),
        ),
        Attribute("block", "integers", "shape of the block"),
        Attribute(
            "components",
            "integer",
            "variables of a site; 1 if absent",
            required=False,
            since=(1, 4),
        ),
        Attribute(
            "component_flips",
            "flag",
            "whether the flip of all spins of one component alone is a symmetry at every level; no"
            " if absent",
            required=False,
            since=(1, 4),
        ),
        STATES,
        Attribute("steps", "integer", "coarse-graining steps"),
        Attribute("even_operators", "json", "names, in order"),
        Attribute("odd_operators", "json", "names, in order"),
    ),
    (
        Dataset(
            "/files/coupling",
            "float64",
            ("files",),
            "",
            "K of each input file, or of each temperature that was sampled in flight (then the rest"
            " of /files says what a file of those samples would); NaN if unknown",
        ),
        Dataset(
            "/files/temperature",
            "float64",
            ("files",),
            "J/k_B",
            "T of each input file, NaN if unknown",
        ),
        Dataset("/files/shape", "int64", ("files", "dimension"), "", "lattice of each input file"),
        Dataset(
            "/files/original_shape", "int64", ("files", "dimension"), "", "lattice that was sampled"
        ),
        Dataset("/files/rg_step", "int64", ("files",), "", "steps made before this flow"),
        Dataset(
            "/files/streams",
            "bytes",
            ("files",),
            "",
            "digest of the random streams behind each input file",
        ),
        Dataset(
            "/files/has_energy", "uint8", ("files",), "", "1 if the original energies are known"
        ),
        Dataset(
            "/files/chains",
            "int64",
            ("files",),
            "",
            "chains of each input file",
            required=False,
            since=(1, 1),
        ),
        Dataset(
            "/files/whole_chains",
            "uint8",
            ("files",),
            "",
            "1 if its blocks hold whole chains, which are independent, else successive samples",
            required=False,
            since=(1, 3),
        ),
        Dataset(
            "/files/tau_int",
            "float64",
            ("files",),
            "",
            "integrated autocorrelation time of |m| or E, the longer, in stored intervals; in"
            " flight of the first 131,072 samples",
            required=False,
            since=(1, 1),
        ),
        Dataset(
            "/files/tau_int_error",
            "float64",
            ("files",),
            "",
            "its error, NaN for constant data",
            required=False,
            since=(1, 1),
        ),
        Dataset("/blocks/file", "int64", ("blocks",), "", "input file of each block of samples"),
        Dataset("/blocks/counts", "int64", ("blocks",), "", "samples in the block"),
        Dataset(
            "/blocks/energy_sum",
            _SUMS,
            ("blocks",),
            "J",
            "sum of the original energies (0 if unknown); this and the sums below are float64,"
            " correctly rounded, where 64 bits may not hold them (since 1.3)",
        ),
        Dataset("/blocks/energy_squared", _SUMS, ("blocks",), "J^2", "sum of their squares"),
        Dataset(
            "/blocks/even_sums",
            _SUMS,
            ("blocks", "levels", "even"),
            "",
            "sum of the lattice sums S_a",
        ),
        Dataset(
            "/blocks/even_products",
            _SUMS,
            ("blocks", "levels", "even", "even"),
            "",
            "sum of S_a S_b at one level",
        ),
        Dataset(
            "/blocks/even_cross",
            _SUMS,
            ("blocks", "steps", "even", "even"),
            "",
            "sum of S_a(n) S_b(n-1)",
        ),
        Dataset(
            "/blocks/even_energy",
            _SUMS,
            ("blocks", "levels", "even"),
            "J",
            "sum of S_a(n) times the original energy",
        ),
        Dataset(
            "/blocks/odd_sums",
            _SUMS,
            ("blocks", "levels", "odd"),
            "",
            "sum of the lattice sums S_a",
        ),
        Dataset(
            "/blocks/odd_products",
            _SUMS,
            ("blocks", "levels", "odd", "odd"),
            "",
            "sum of S_a S_b at one level",
        ),
        Dataset(
            "/blocks/odd_cross",
            _SUMS,
            ("blocks", "steps", "odd", "odd"),
            "",
            "sum of S_a(n) S_b(n-1)",
        ),
        Dataset(
            "/neighbourhoods/file",
            "int64",
            ("groups",),
            "",
            "input file of each group of successive blocks",
            required=False,
            since=(1, 1),
        ),
        Dataset(
            "/neighbourhoods/samples",
            "int64",
            ("groups",),
            "",
            "samples in the group whose sites are counted: all, in flight every 32nd step of the"
            " chains",
            required=False,
            since=(1, 1),
        ),
        Dataset(
            "/neighbourhoods/energies",
            "int64",
            ("bins", 4),
            "",
            "local energies: s_l times the sum of the other spins' products, over the products of"
            " nn, nnn, third neighbours and the four-spin operator that contain l; bins that never"
            " occur are left out",
            required=False,
            since=(1, 1),
        ),
        Dataset(
            "/neighbourhoods/counts",
            "int64",
            ("groups", "levels", "bins"),
            "",
            "number of sites l of each bin, all samples of the group together",
            required=False,
            since=(1, 1),
        ),
    ),
)
