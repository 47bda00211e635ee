"""The results of several files side by side: what was measured, and what is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rsmi.lattice.geometry import shape_text
from rsmi.reports import crossing, exponent, spectrum
from rsmi.reports.blocks import Block, Table
from rsmi.reports.samples import lattice, temperature
from rsmi.reports.training import objective_name
from rsmi.samples.files import known_of
from rsmi.stages import crossing as crossing_stage
from rsmi.stages import exponent as exponent_stage
from rsmi.stages.spectrum import summary as spectrum_stage
from rsmi.statistics.notation import with_error
from rsmi.store import File

RULE_TITLES = (
    "lattice",
    "state point",
    "block",
    "buffer",
    "environment",
    "units",
    "objective",
    "I(H:E), soft",
    "exact",
    "I(H:E), hard",
    "exact",
    "I(V:E), exact",
)
RESULT_TITLES = ("quantity", "measured", "exact or known", "remark")

_ENERGY = "energy per"  # how the names of energies begin

Row = tuple[str, ...]


def rule_of(file: File) -> Row:
    """The window of a rule and its information, under `RULE_TITLES`."""
    a = file.attributes
    return (
        lattice(a),
        state_point(a),
        shape_text(a["block"]),
        str(a["buffer"]),
        str(a["environment"]),
        str(file.shape("/filters")[0]),
        objective_name(a),
        with_error(a["mutual_information"], a["mutual_information_error"]),
        _four(a.get("mutual_information_exact_soft")),
        with_error(a["mutual_information_hard"], a["mutual_information_hard_error"]),
        with_error(a.get("mutual_information_exact"), a.get("mutual_information_exact_error")),
        _four(a.get("mutual_information_block")),
    )


def state_point(attributes: Mapping[str, Any]) -> str:
    """The first of what a model says of the state point, such as the temperature."""
    return temperature(attributes).partition(", ")[0]


def _four(value: float | None) -> str:
    return "-" if value is None else f"{value:z.4f}"


def results_of(file: File, blocks: Sequence[Block]) -> list[Row]:
    """The values of a file that one quotes, under `RESULT_TITLES`; of other kinds none.

    Parameters
    ----------
    file : File
    blocks : sequence of Block
        Its description, see `rsmi.reports.blocks`.
    """
    if file.kind == "samples":
        return _energy(blocks)
    return list(_RESULTS[file.kind](file)) if file.kind in _RESULTS else []


def _energy(blocks: Sequence[Block]) -> list[Row]:
    """The energy of samples with what is said of it, where they have one."""
    rows = [row for block in blocks if isinstance(block, Table) for row in block.rows]
    return [(row[0], row[1], "; ".join(row[2:]), "") for row in rows if row[0].startswith(_ENERGY)]


def _of_exponent(file: File) -> Iterator[Row]:
    known = known_of(file)
    for row in exponent.exponent_rows(exponent_stage.summary(file), known)[1:]:
        name, value, *rest = row
        theory, where = rest if known.exponents else ("-", *rest)
        yield name, value, theory, where


def _of_crossing(file: File) -> Iterator[Row]:
    numbers = crossing_stage.summary(file)
    for name, value, remark, *theory in crossing.result_rows(
        numbers, crossing.known_of_sizes(numbers)
    ):
        yield name, value, "; ".join(theory) or "-", remark


def _of_spectrum(file: File) -> Iterator[Row]:
    for row in spectrum.quoted_rows(spectrum_stage.summary(file))[1:]:
        function, sector, origin, value, systematic, theory = row
        beyond = "" if systematic == "-" else f", systematic error {systematic}"
        remark = f"{sector}, from {origin}{beyond}"
        yield f"Delta of {function}", value, theory, remark


_RESULTS: Mapping[str, Callable[[File], Iterator[Row]]] = {
    "exponent": _of_exponent,
    "crossing": _of_crossing,
    "spectrum": _of_spectrum,
}
