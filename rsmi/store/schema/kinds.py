"""All kinds of files, by name."""

from __future__ import annotations

from dataclasses import replace

from rsmi.store.schema.entries import Attribute, Kind
from rsmi.store.schema.flow import FLOW
from rsmi.store.schema.results import CROSSING, EXPONENT
from rsmi.store.schema.rules import LAMBDA
from rsmi.store.schema.samples import SAMPLES
from rsmi.store.schema.spectrum import CORRELATION, SPECTRUM
from rsmi.store.schema.theta import THETA

KINDS = {
    "samples": SAMPLES,
    "theta": THETA,
    "lambda": LAMBDA,
    "flow": FLOW,
    "exponent": EXPONENT,
    "crossing": CROSSING,
    "spectrum": SPECTRUM,
    "correlation": CORRELATION,
}

SHARD_ATTRIBUTES = (
    Attribute(
        "shard",
        "integers",
        "[i, N]: of the streams c = 0, 1, ... those with c mod N = i",
        since=(1, 3),
    ),
    Attribute("streams", "integer", "number of streams of the whole", since=(1, 3)),
)


def _shard_of(name: str) -> Kind:
    """The kind of the file of a shard.

    It has the attributes of the whole, and those datasets of the whole that are not made of
    streams.
    """
    kind = KINDS[name]
    shared = tuple(
        replace(dataset, required=False)
        for dataset in kind.datasets
        if dataset.path.startswith("/files/")
    )
    meaning = (
        f"a shard of {name}: streams for 'rsmi merge', the rows of each in `/rows/STREAM`, its"
        " state in `/state/STREAM`"
    )
    attributes = kind.attributes + SHARD_ATTRIBUTES
    return Kind(meaning, attributes, shared, name, small=False, since=max(kind.since, (1, 3)))


SHARDED = ("samples", "flow", "spectrum", "correlation")
KINDS |= {f"{name}-shard": _shard_of(name) for name in SHARDED}
