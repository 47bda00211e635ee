"""What ``rsmi info`` says of a shard, a part of a run that ``rsmi merge`` joins to the whole."""

from __future__ import annotations

from rsmi.stages import merge
from rsmi.statistics.notation import fields
from rsmi.store import File


def describe(file: File) -> list[str]:
    """The shard, its streams and its rows, one line each."""
    numbers = merge.summary(file)
    rows = [
        ("shard", numbers["shard"]),
        ("streams", f"{len(numbers['rows'])} of {numbers['streams']}"),
        ("rows", str(sum(numbers["rows"].values()))),
    ]
    return fields(rows)
