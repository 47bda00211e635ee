"""What ``rsmi info`` says of a shard, a part of a run that ``rsmi merge`` joins to the whole."""

from __future__ import annotations

from rsmi.stages import merge
from rsmi.statistics.notation import fields
from rsmi.store import File


def describe(file: File) -> list[str]:
    """The shard, its streams and their rows, one line each. Streams of sums have no rows."""
    numbers = merge.summary(file)
    count = sum(numbers["rows"].values())
    lines = [
        ("shard", numbers["shard"]),
        ("streams", f"{len(numbers['rows'])} of {numbers['streams']}"),
    ]
    return fields([*lines, ("rows", str(count))] if count else lines)
