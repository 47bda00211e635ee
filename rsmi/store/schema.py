"""What every rsmi file holds, as data: SCHEMA.md is generated from it, the reader checks against
it.

A dataset's shape names its axes; one name means one length throughout a file. ``since`` is the
format version that introduced an entry. Raise the minor version when an optional entry is added,
the major one when an old reader would misread a new file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FORMAT = "rsmi"
FORMAT_VERSION = (1, 4)
OLDEST_WRITTEN = (1, 3)  # what needs nothing newer is written as, so that its digest stays


@dataclass(frozen=True)
class Dataset:
    """One HDF5 dataset: ``dtype`` is numpy's name, or several of them, ``shape`` a tuple of axis
    names or fixed lengths; ``later`` has the dtypes that came after it, with their versions."""

    path: str
    dtype: str
    shape: tuple[str | int, ...]
    units: str
    meaning: str
    required: bool = True
    since: tuple[int, int] = (1, 0)
    later: tuple[tuple[str, tuple[int, int]], ...] = ()


@dataclass(frozen=True)
class Attribute:
    """One root attribute; ``type`` is one of text, json, integer, number, integers, flag."""

    name: str
    type: str
    meaning: str
    required: bool = True
    since: tuple[int, int] = (1, 0)


@dataclass(frozen=True)
class Kind:
    """The contents of one kind of file beyond what all files share."""

    meaning: str
    attributes: tuple[Attribute, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    whole: str = ""  # of a shard: the kind of the file that all shards make


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
)

_MODEL_PARAMETERS = Attribute(
    "model_parameters",
    "json",
    "what else the model says of the state point, by name; absent if nothing",
    required=False,
    since=(1, 4),
)

_LATTICE_ATTRIBUTES = (
    Attribute(
        "model",
        "text",
        "name of the model; none if nothing is known of imported samples (since 1.3)",
    ),
    _MODEL_PARAMETERS,
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

_GEOMETRY_ATTRIBUTES = (
    Attribute("block", "integers", "shape of the block V"),
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
)

_BLOCK_MASK = Dataset(
    "/mask",
    "uint8",
    ("sites",),
    "",
    "1 = the block's site carries data; all do if absent. V and E are of such sites only, filters 0"
    " on the others",
    required=False,
    since=(1, 3),
)

SAMPLES = Kind(
    "configurations of a lattice, one row each",
    _LATTICE_ATTRIBUTES
    + (
        Attribute(
            "original_shape", "integers", "lattice that was sampled: the one energy belongs to"
        ),
        Attribute("boundary", "text", "periodic, or open (dimers, imported samples)"),
        Attribute(
            "components",
            "integer",
            "binary fields per site: Ising 1, a coarse lattice its hidden units, dimers 2 (x-link,"
            " y-link) or 4 (vertex, x-link, y-link, face)",
        ),
        Attribute(
            "chains",
            "integer",
            "independent streams; sample i is step i // chains of chain i mod chains",
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
            " padding 0",
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
    ),
)

THETA = Kind(
    "restricted Boltzmann machines of (V, E) and of V, with +-1 units",
    _LATTICE_ATTRIBUTES
    + _GEOMETRY_ATTRIBUTES
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
        _BLOCK_MASK,
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

LAMBDA = Kind(
    "a coarse-graining rule: filters of the hidden units H of a block V, and what they know of the"
    " environment",
    _LATTICE_ATTRIBUTES
    + _GEOMETRY_ATTRIBUTES
    + (
        Attribute(
            "objective",
            "text",
            "proxy, logsum, enumerate or decoder; of the block alone: total-correlation or"
            " likelihood",
        ),
        Attribute(
            "estimator",
            "text",
            "pairs, mcmc or gaussian (proxy), cd or pcd (likelihood)",
            required=False,
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
        Attribute("entropy_h", "number", "H(H) of the soft rule, nats"),
        Attribute("entropy_h_hard", "number", "H(H) of the hard rule, nats"),
    ),
    (
        _BLOCK_MASK,
        Dataset(
            "/filters",
            "float64",
            ("hidden", "block_sites"),
            "",
            "lambda: x_j = sum_i lambda_ji v_i + b_j, P(h_j = 1) = 1/(1 + exp(-x_j)), v = +-1",
        ),
        Dataset("/bias", "float64", ("hidden",), "", "b"),
        Dataset(
            "/restarts/filters",
            "float64",
            ("restarts", "hidden", "block_sites"),
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
            ("restarts", "rows", "hidden", "block_sites"),
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
        Dataset("/split/held_out", "int64", ("held_out",), "", "configurations kept from training"),
    ),
)

_SUMS = "int64 or float64"

_FLOW_MODEL = Attribute(
    "model",
    "text",
    "name of the model; if absent, ising where a coupling is known",
    required=False,
    since=(1, 4),
)

FLOW = Kind(
    "exact operator sums along the renormalization flow, per block of samples",
    (
        _FLOW_MODEL,
        _MODEL_PARAMETERS,
        Attribute(
            "rule",
            "json",
            "name and, of a filter of the user's, its numbers; or digest of a learned rule; whether"
            " it was made hard",
        ),
        Attribute("block", "integers", "shape of the block"),
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

EXPONENT = Kind(
    "critical exponents and temperatures read off a flow",
    (
        _FLOW_MODEL,
        _MODEL_PARAMETERS,
        Attribute("block", "integers", "shape of the block"),
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
    "critical temperature from the crossing of lattice sizes (since 1.1)",
    (Attribute("model", "text", "of the samples", since=(1, 1)),),
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
)

KINDS = {
    "samples": SAMPLES,
    "theta": THETA,
    "lambda": LAMBDA,
    "flow": FLOW,
    "exponent": EXPONENT,
    "crossing": CROSSING,
}

_SHARD_ATTRIBUTES = (
    Attribute(
        "shard",
        "integers",
        "[i, N]: of the streams c = 0, 1, ... those with c mod N = i",
        since=(1, 3),
    ),
    Attribute("streams", "integer", "number of streams of the whole", since=(1, 3)),
)


def _shard_of(name: str) -> Kind:
    """The kind of a shard's file: the attributes of the whole, and the datasets that are not made
    of streams."""
    kind = KINDS[name]
    shared = tuple(
        replace(dataset, required=False)
        for dataset in kind.datasets
        if dataset.path.startswith("/files/")
    )
    meaning = (
        f"a shard of {name}: streams for 'rsmi merge', the rows of each in `/rows/STREAM`, its"
        " state in `/state/STREAM` (since 1.3)"
    )
    return Kind(meaning, kind.attributes + _SHARD_ATTRIBUTES, shared, name)


KINDS |= {f"{name}-shard": _shard_of(name) for name in ("samples", "flow")}

VOLATILE_ATTRIBUTES = ("uuid", "digest", "software")
VOLATILE_GROUPS = ("/provenance",)


def markdown() -> str:
    """The text of SCHEMA.md."""
    return (
        "\n".join(
            _introduction()
            + [line for name, kind in KINDS.items() for line in _kind_table(name, kind)]
        )
        + "\n"
    )


def _introduction() -> list[str]:
    version = ".".join(map(str, FORMAT_VERSION))
    return [
        f"# The rsmi file format, version {version}",
        "",
        (
            "Generated from `rsmi/store/schema.py` by `python -m rsmi.store.schema`; a test holds"
            " the two together."
        ),
        "",
        (
            "All files are HDF5 (1.10 or later) with these root attributes. Information is in nats,"
            " energies in J, temperatures"
        ),
        (
            "in J/k_B. Texts have fixed length (UTF-8; h5py reads them as bytes), integers are"
            " int64, numbers float64."
        ),
        (
            "`/state` holds what a continued run needs, `/provenance/run` the volatile facts (host,"
            " times, versions)."
        ),
        (
            "A damaged file is refused with one sentence; on heaps and B-trees forged with valid"
            " checksums HDF5 itself may crash."
        ),
        "",
        *_attribute_table(COMMON_ATTRIBUTES),
        "",
        *_dataset_table(PROVENANCE),
        "",
        "Reading samples without us:",
        "",
        "```python",
        "import h5py, numpy as np",
        'with h5py.File("samples.h5") as f:',
        '    shape = (f.attrs["components"], *f.attrs["shape"])',
        '    bits = np.unpackbits(f["spins"][:], axis=1, count=np.prod(shape), bitorder="little")',
        "spins = 2 * bits.reshape(-1, *shape).astype(np.int8) - 1",
        "```",
        "",
    ]


def _kind_table(name: str, kind: Kind) -> list[str]:
    title = [f"## {name}", "", kind.meaning[0].upper() + kind.meaning[1:] + ".", ""]
    if kind.whole:
        shared = " and, where samples are read, the datasets `/files/...`" if kind.datasets else ""
        return [
            *title,
            f"The attributes{shared} of {kind.whole}, the same in all shards, and",
            "",
            *_attribute_table(_SHARD_ATTRIBUTES),
            "",
        ]
    return [*title, *_attribute_table(kind.attributes), "", *_dataset_table(kind.datasets), ""]


def _attribute_table(attributes: tuple[Attribute, ...]) -> list[str]:
    rows = [
        f"| `{a.name}` | {a.type} | {'yes' if a.required else 'no'} | {_dotted(a.since)} |"
        f" {a.meaning} |"
        for a in attributes
    ]
    return [
        "| attribute | type | required | since | meaning |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]


def _dataset_table(datasets: tuple[Dataset, ...]) -> list[str]:
    rows = [
        f"| `{d.path}` | {d.dtype} | ({', '.join(map(str, d.shape))}) | {d.units} |"
        f" {'yes' if d.required else 'no'} | {_dotted(d.since)} | {d.meaning} |"
        for d in datasets
    ]
    return [
        "| dataset | dtype | shape | units | required | since | meaning |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *rows,
    ]


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    print(markdown(), end="")
