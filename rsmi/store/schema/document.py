"""The text of SCHEMA.md, which describes the files for people."""

from __future__ import annotations

from rsmi.store.schema.common import COMMON_ATTRIBUTES, PROVENANCE
from rsmi.store.schema.entries import FORMAT_VERSION, Attribute, Dataset, Kind
from rsmi.store.schema.kinds import KINDS, SHARD_ATTRIBUTES


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
            "Generated from `rsmi/store/schema` by `python -m rsmi.store.schema`; a test holds"
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
    since = "" if kind.since == (1, 0) else f" (since {_dotted(kind.since)})"
    title = [f"## {name}", "", kind.meaning[0].upper() + kind.meaning[1:] + since + ".", ""]
    if kind.whole:
        shared = " and, where samples are read, the datasets `/files/...`" if kind.datasets else ""
        return [
            *title,
            f"The attributes{shared} of {kind.whole}, the same in all shards, and",
            "",
            *_attribute_table(SHARD_ATTRIBUTES),
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
