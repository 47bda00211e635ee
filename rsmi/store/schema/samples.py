"""The kind of file that holds samples."""

from __future__ import annotations

from rsmi.store.schema.common import LATTICE_ATTRIBUTES
from rsmi.store.schema.entries import Attribute, Dataset, Kind

SAMPLES = Kind(
    "configurations of a lattice, one row each",
    LATTICE_ATTRIBUTES
    + (
        Attribute(
            "original_shape", "integers", "lattice that was sampled: the one energy belongs to"
        ),
        Attribute("boundary", "text", "periodic, or open (dimers, imported samples)"),
        Attribute(
            "components",
            "integer",
            "variables per site: Ising 1, a coarse lattice its hidden units, dimers 2 (x-link,"
            " y-link) or 4 (vertex, x-link, y-link, face)",
        ),
        Attribute(
            "chains",
            "integer",
            "independent streams; sample i is step i // chains of chain i mod chains",
        ),
        Attribute(
            "cell",
            "integers",
            "unit cell of /mask: blocks begin at multiples of it and are made of whole cells; if"
            " absent, the smallest periods of /mask along the axes",
            required=False,
            since=(1, 4),
        ),
        Attribute(
            "discarded",
            "integer",
            "steps that 'import --discard' left out at the beginning of every chain; none if"
            " absent",
            required=False,
            since=(1, 4),
        ),
        Attribute("algorithm", "text", "how the original was sampled", required=False),
        Attribute(
            "thermalization",
            "integer",
            "sweeps discarded before the first interval",
            required=False,
        ),
        Attribute(
            "interval", "integer", "sweeps between stored samples of one chain", required=False
        ),
        Attribute(
            "clusters_per_sweep",
            "integer",
            "Wolff clusters, or worms, counted as one sweep",
            required=False,
        ),
    ),
    (
        Dataset(
            "/spins",
            "uint8",
            ("n", "bytes"),
            "",
            "bits of (components, *shape) in C order, little bit order, bit 1 = spin +1 or dimer,"
            " padding 0; of variables with q states bits of (components, planes, *shape), where"
            " plane p of ceil(log2 q) is bit p of the state 0 to q - 1 (since 1.4)",
        ),
        Dataset(
            "/energy",
            "int64 or float64",
            ("n",),
            "J",
            "energy of the original configuration, -sum over bonds of s s'; of dimers minus the"
            " plaquettes with two parallel dimers; of other models as they say, float64 where it is"
            " no integer (since 1.4)",
            required=False,
            later=(("float64", (1, 4)),),
        ),
        Dataset(
            "/mask",
            "uint8",
            ("bytes",),
            "",
            "bits as a row of /spins: 1 = the site carries data; all do if absent. Others have bit"
            " 0 in /spins",
            required=False,
            since=(1, 3),
        ),
        Dataset(
            "/ladder/pairs",
            "float64",
            ("pairs", 2),
            "J/k_B",
            "neighbouring temperatures of parallel tempering, of whose ladder the samples are one",
            required=False,
            since=(1, 4),
        ),
        Dataset(
            "/ladder/attempted",
            "int64",
            ("ladders", "pairs"),
            "",
            "attempts to exchange the configurations of a pair, of every ladder",
            required=False,
            since=(1, 4),
        ),
        Dataset(
            "/ladder/accepted",
            "int64",
            ("ladders", "pairs"),
            "",
            "how many of them were accepted",
            required=False,
            since=(1, 4),
        ),
        Dataset(
            "/ladder/round_trips",
            "int64",
            ("ladders",),
            "",
            "how often a configuration came from the hottest to the coldest lattice and back",
            required=False,
            since=(1, 4),
        ),
    ),
    small=False,
)
