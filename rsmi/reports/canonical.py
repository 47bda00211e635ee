"""The canonical correlations of a lambda file as text."""

from __future__ import annotations

from rsmi.stages.training.canonical import summary
from rsmi.statistics.notation import table, with_error
from rsmi.store import File

_SHOWN = 8  # of the leading pairs


def describe(file: File) -> list[str]:
    """Return the leading canonical correlations as a table; nothing if the file holds none."""
    numbers = summary(file).get("canonical")
    if numbers is None:
        return []
    exact = numbers["exact"]
    heading = ["canonical correlations", "held out", "shuffled", *(["exact"] if exact else [])]
    rows = [heading]
    for i, value in enumerate(numbers["correlations"][:_SHOWN]):
        row = [f"pair {i + 1}", with_error(value, numbers["errors"][i])]
        row += [f"{numbers['shuffled'][i]:z.4f}", *([f"{exact[i]:.4f}"] if exact else [])]
        rows.append(row)
    whole = with_error(numbers["information"], numbers["information_error"])
    control = f"{numbers['information_shuffled']:.4f}"
    count = len(numbers["correlations"])
    rows.append([f"nats if Gaussian, {count} pairs", whole, control, *([""] if exact else [])])
    return ["", *table(rows)]
