"""What all files hold, and what several kinds of files hold."""

from __future__ import annotations

from rsmi.store.schema.entries import Attribute, Dataset

COMMON_ATTRIBUTES = (
    Attribute("format", "text", 'always "rsmi"'),
    Attribute("kind", "text", "what the file holds: the table it follows below"),
    Attribute("format_version", "integers", "[major, minor]; a reader refuses a newer major"),
    Attribute("uuid", "text", "UUIDv5 of the digest: equal for equal content"),
    Attribute(
        "digest",
        "text",
        "SHA-256 over datasets, deterministic attributes and the digests of the inputs",
    ),
    Attribute("software", "text", "program and version that wrote the file (not in the digest)"),
    Attribute("command", "text", "the rsmi command that made it"),
    Attribute(
        "parameters",
        "json",
        "the request, canonical JSON; a file matches a command when these agree",
    ),
    Attribute("parameters_digest", "text", "SHA-256 of the parameters and of the input digests"),
    Attribute("inputs", "json", "digests of the input files, in order"),
)

PROVENANCE = (
    Dataset(
        "/provenance/ancestors",
        "bytes",
        (),
        "",
        "JSON list: command, parameters, digest of every ancestor, oldest first",
    ),
    Dataset(
        "/provenance/examination",
        "bytes",
        (),
        "",
        "samples: JSON object, what was found wrong with them (not in the digest)",
        required=False,
        since=(1, 4),
    ),
    Dataset(
        "/provenance/fingerprints",
        "uint64",
        ("fingerprints",),
        "",
        "samples: the smallest fingerprints of the configurations, at most 4096, ascending (not in"
        " the digest)",
        required=False,
        since=(1, 4),
    ),
    Dataset(
        "/provenance/labels",
        "bytes",
        (),
        "",
        "spectrum, correlation: JSON object, how the files of learned functions were called, by"
        " the names of the functions (not in the digest)",
        required=False,
        since=(1, 4),
    ),
    Dataset(
        "/provenance/block_covariance",
        "float64",
        ("variables", "variables"),
        "",
        "lambda, filters of sites: covariance of the variables of V in the windows, which decides"
        " what the filters measure (not in the digest)",
        required=False,
        since=(1, 4),
    ),
    Dataset(
        "/provenance/rotation",
        "float64",
        ("modes", "hidden"),
        "",
        "lambda, several filters of sites: the mixtures of the filters that are canonical with E,"
        " of unit variance (not in the digest)",
        required=False,
        since=(1, 4),
    ),
    Dataset(
        "/provenance/rotation_correlations",
        "float64",
        ("modes",),
        "",
        "lambda: the canonical correlations of these mixtures with E, in all windows (not in the"
        " digest)",
        required=False,
        since=(1, 4),
    ),
)

MODEL_PARAMETERS = Attribute(
    "model_parameters",
    "json",
    "what else the model says of the state point, by name; absent if nothing",
    required=False,
    since=(1, 4),
)

SYMMETRY = Attribute(
    "symmetry",
    "text",
    "relabellings of the states, at all sites alike, under which imported samples are said to be"
    " symmetric: flip (two states), permutations, or dihedral (rotations and reflections); absent"
    " if the model says it, or if nothing is known",
    required=False,
    since=(1, 4),
)

STATES = Attribute(
    "states",
    "integer",
    "states q of every variable, 2 to 16; 2 if absent",
    required=False,
    since=(1, 4),
)

CONTRADICTIONS = Attribute(
    "contradictions",
    "json",
    "list of sentences: what the samples contradict that 'import --trust' let pass; absent if"
    " nothing",
    required=False,
    since=(1, 4),
)

LATTICE_ATTRIBUTES = (
    Attribute(
        "model",
        "text",
        "name of the model; none if nothing is known of imported samples (since 1.3)",
    ),
    MODEL_PARAMETERS,
    SYMMETRY,
    STATES,
    CONTRADICTIONS,
    Attribute("shape", "integers", "lattice of this file, slowest axis first"),
    Attribute(
        "coupling",
        "number",
        "K = J/(k_B T) of the original system, of dimers -v/(k_B T); absent if unknown",
        required=False,
    ),
    Attribute(
        "temperature",
        "number",
        "T in J/k_B of the original system; absent if unknown, or infinite (dimers of coupling 0)",
        required=False,
    ),
    Attribute(
        "interaction",
        "number",
        "dimers: energy v of two parallel dimers on a plaquette; absent if free",
        required=False,
        since=(1, 2),
    ),
    Attribute(
        "noise_probability",
        "number",
        "dimers: that a face's spin equals that of its vertex; absent without noise",
        required=False,
        since=(1, 2),
    ),
    Attribute(
        "noise_pairing",
        "text",
        "dimers: a face's vertex is that of its cell, or straddling: at the next x and next y",
        required=False,
        since=(1, 2),
    ),
    Attribute("rg_step", "integer", "coarse-graining steps so far"),
    Attribute(
        "scale_factor",
        "number",
        "linear size of the original in units of this lattice, 1 before any step",
    ),
)

GEOMETRY_ATTRIBUTES = (
    Attribute("block", "integers", "shape of the block V, or of the smallest box around it"),
    Attribute("buffer", "integer", "width of the buffer around V, sites"),
    Attribute("environment", "integer", "width of the environment ring beyond the buffer, sites"),
    Attribute(
        "components",
        "integer",
        "binary fields per site, the slowest index of V and of E; 1 if absent",
        required=False,
        since=(1, 2),
    ),
    Attribute(
        "boundary", "text", "of the samples; periodic if absent", required=False, since=(1, 2)
    ),
    Attribute(
        "metric",
        "text",
        "square or lattice: how distances from the sites of V are measured; /mask then says which"
        " sites of the box V has, and E has all sites at its distances; if absent, buffer and E are"
        " frames around a rectangle",
        required=False,
        since=(1, 4),
    ),
)

BLOCK_MASK = Dataset(
    "/mask",
    "uint8",
    ("sites",),
    "",
    "1 = the block's site carries data; all do if absent. V and E are of such sites only, filters 0"
    " on the others",
    required=False,
    since=(1, 3),
)

FLOW_MODEL = Attribute(
    "model",
    "text",
    "name of the model; if absent, ising where a coupling is known",
    required=False,
    since=(1, 4),
)
