"""What ``rsmi info`` says of a flow: what its lattices have in common, and their couplings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rsmi.lattice.geometry import shape_text, sides_text
from rsmi.models.base import Known
from rsmi.renormalization.couplings import NAMES
from rsmi.renormalization.operators import smallest_size
from rsmi.samples.files import known_of, model_of
from rsmi.stages.flow import summary as flow_stage
from rsmi.statistics.notation import fields, table, with_error
from rsmi.store import File

_NO_COUPLINGS = (
    "  no couplings: files of format 1.0 do not hold what they are made from; run rsmi flow again"
)
_SEVERAL_COMPONENTS = "  no couplings: they are known of lattices with one component per site"
_SEVERAL_STATES = "  no couplings: they are known of variables with two states"
_SMALL = "  +  lattice so small that products of different operators coincide"


def describe(file: File) -> list[str]:
    """The rule, a table for lattices of every size, and the couplings of the coarse systems."""
    known, flows = known_of(file), flow_stage.summary(file)["flows"]
    states = file.attributes.get("states", 2)
    rows = [
        ("model", model_text(file)),
        ("rule", rule_text(file.attributes)),
        ("steps", str(file.attributes["steps"])),
        *_component_rows(file.attributes),
    ]
    wraps = any(row["wraps"] for flow in flows for row in flow["steps"])
    return [
        *fields(rows),
        *_flow_tables(flows, known, states),
        *(["", wrapping_mark(len(file.attributes["block"]))] if wraps else []),
        *sorted({f"  -  {flow['reason']}" for flow in flows if "reason" in flow}),
        "",
        *_interactions(flows, known, file.attributes.get("components", 1), states),
    ]


def _component_rows(attributes: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Which operators are measured, for several components per site or several states."""
    names = [name for name in ("components", "states") if name in attributes]
    if not names:
        return []
    operators = [*attributes["even_operators"], *attributes["odd_operators"]]
    return [
        *((name, str(attributes[name])) for name in names),
        ("operators", "; ".join(operators)),
    ]


def model_text(file: File) -> str:
    """The model of a flow or exponent file."""
    return model_of(file).describe_lattice(file.attributes)


def rule_text(rules: Mapping[str, Any]) -> str:
    """``majority, hard, block 2x2``, or the rule of every step.

    Parameters
    ----------
    rules : mapping
        The attributes of a flow file, or the parameters of a flow: ``rule``, or ``rules`` with one
        entry for each step.
    """
    of_steps = rules.get("rules") or [rules["rule"]]
    names = [_rule_name(rule) for rule in of_steps]
    if len(names) > 1:
        names = [f"{name} in step {step}" for step, name in enumerate(names, 1)]
    return f"{'; '.join(names)}{'; ' if len(names) > 1 else ', '}block {_block_text(of_steps[0])}"


def _rule_name(rule: Mapping[str, Any]) -> str:
    name = rule.get("name") or f"learned, digest {rule['digest'][:12]}"
    return f"{name}, {'hard' if rule['hard'] else 'soft'}"


def _block_text(rule: Mapping[str, Any]) -> str:
    return shape_text(tuple(rule["block"]))


def wrapping_mark(dimension: int) -> str:
    """What a star after a number means."""
    return f"  *  lattice smaller than {smallest_size(dimension)}: operators wrap around it"


# ---- one number for every temperature and step ---------------------------------------------------


def _flow_tables(flows: Sequence[dict], known: Known, states: int) -> Iterator[str]:
    """A table for lattices of every size, with a line per temperature and a column per step."""
    for sizes in dict.fromkeys(lattice_sizes(flow) for flow in flows):
        yield ""
        alike = [flow for flow in flows if lattice_sizes(flow) == sizes]
        yield from _flow_table(alike, sizes, known, states)


def lattice_sizes(flow: dict) -> tuple[str, ...]:
    """The sides of the lattice at every step of one flow: ``"8x32"``, or ``"8"`` of equal sides."""
    return tuple(sides_text(row["shape"]) for row in flow["steps"])


def _flow_table(
    flows: Sequence[dict], sizes: tuple[str, ...], known: Known, states: int
) -> list[str]:
    key, unit, text = flow_quantity(known, states)
    rows = [
        [state_column(known), "T", *(f"step {step}" for step in range(len(sizes)))],
        ["", "J/k_B", *(f"L = {size}" for size in sizes)],
        *(
            [*_state_cells(flow, known), *(_in_units(row, key, unit) for row in flow["steps"])]
            for flow in flows
        ),
    ]
    return [f"  {text}", "", *table(rows)]


def flow_quantity(known: Known, states: int = 2) -> tuple[str, float, str]:
    """The number that is shown of every step of a flow of variables with so many states.

    Returns
    -------
    key : str
        Its name in the row of a step.
    unit : float
        The unit in which it is shown.
    text : str
        What it is: K_eff/K_c where both are known, K_eff where no K_c is known, and the
        nearest-neighbour correlations where there is no K_eff.
    """
    if known.thermometer is None:
        product = "s_i s_j" if states == 2 else "delta(s_i, s_j)"
        text = f"sum of -{product} over nearest neighbours, per site of the lattice"
        return "energy_nn", 1.0, text
    if known.critical_coupling is None:
        return "coupling_eff", 1.0, "K_eff"
    unit = known.critical_coupling.value
    return "coupling_eff", unit, f"K_eff/K_c with K_c = {unit:.6f}"


def state_column(known: Known) -> str:
    """The title of the first column, which names the state point."""
    return "K" if known.critical_coupling is None else "T/T_c"


def _state_cells(flow: dict, known: Known) -> list[str]:
    """T/T_c (K where no T_c is known) and T."""
    coupling, critical = flow["coupling"], known.critical_coupling
    if coupling is None:
        return ["unknown", "-"]
    first = coupling if critical is None else critical.value / coupling
    return [f"{first:.4f}", f"{flow['temperature']:.5f}"]


def _in_units(row: dict, key: str, unit: float) -> str:
    if row[key] is None:
        return "-"
    error = row[f"{key}_error"] and row[f"{key}_error"] / unit
    return with_error(row[key] / unit, error) + ("*" if row["wraps"] else "")


# ---- the couplings of the coarse systems ---------------------------------------------------------


def _interactions(flows: Sequence[dict], known: Known, components: int, states: int) -> list[str]:
    """The couplings of all operators at every temperature and step, and those of fewer operators at
    the temperature next to T_c."""
    if any(flow["interactions"] is None for flow in flows):
        if states > 2:
            return [_SEVERAL_STATES]
        return [_NO_COUPLINGS if components == 1 else _SEVERAL_COMPONENTS]
    return [
        "  couplings of the coarse systems (inversion of the Callen equations)",
        "",
        *_all_operators(flows, known),
        "",
        *_fewer_operators(flows, known),
        *_coupling_remarks([row for flow in flows for row in flow["interactions"]]),
    ]


def _all_operators(flows: Sequence[dict], known: Known) -> list[str]:
    rows = [
        (_state_cells(flow, known), row)
        for flow in flows
        for row in flow["interactions"]
        if row["operators"] == [*NAMES]
    ]
    return _coupling_table(rows, [state_column(known), "T"])


def _fewer_operators(flows: Sequence[dict], known: Known) -> list[str]:
    chosen = next_to_critical(flows, known)
    where = ""
    if chosen["coupling"] is not None and len(flows) > 1:
        where = f", {state_column(known)} = {_state_cells(chosen, known)[0]}"
    rows = [row for row in chosen["interactions"] if row["operators"] != [*NAMES]]
    sets = dict.fromkeys(tuple(row["operators"]) for row in rows)
    cells = [
        ([" ".join(names)], row) for names in sets for row in rows if row["operators"] == [*names]
    ]
    return [f"  with fewer operators{where}", "", *_coupling_table(cells, ["operators"])]


def next_to_critical(flows: Sequence[dict], known: Known) -> dict:
    """The flow at the temperature next to T_c: the lowest one where no T_c is known, and the first
    one where no temperature is known."""
    critical = known.critical_temperature or 0.0
    measured = [flow for flow in flows if flow["temperature"] is not None]
    return min(measured, key=lambda flow: abs(flow["temperature"] - critical), default=flows[0])


def _coupling_table(rows: Sequence[tuple[list[str], dict]], titles: list[str]) -> list[str]:
    """A line per row of couplings; the cells before them are shown only where they change."""
    lines, before = [[*titles, "step", "L", *NAMES]], None
    for cells, row in rows:
        shown = cells if cells != before else [""] * len(cells)
        lines.append([*shown, str(row["step"]), sides_text(row["shape"]), *_coupling_cells(row)])
        before = cells
    return table(lines)


def _coupling_cells(row: dict) -> list[str]:
    """The coupling of every operator; nothing for those that are not in the set."""
    count = len(row["operators"])
    values, errors = row["values"] or [None] * count, row["errors"] or [None] * count
    mark = "+" if row["wraps"] and row["values"] else ""
    cells = {
        name: with_error(value, error) + mark
        for name, value, error in zip(row["operators"], values, errors)
    }
    return [cells.get(name, "") for name in NAMES]


def _coupling_remarks(rows: Sequence[dict]) -> list[str]:
    """What the marks mean, and why couplings are missing."""
    marks = [_SMALL] if any(row["wraps"] for row in rows) else []
    reasons = dict.fromkeys(
        f"  -  step {row['step']}, {' '.join(row['operators'])}: {row['reason']}"
        for row in rows
        if row["reason"]
    )
    return [*([""] if marks or reasons else []), *marks, *reasons]
