"""What ``rsmi info`` says of flow, exponent and crossing files."""

from __future__ import annotations

from rsmi import models
from rsmi.lattice.geometry import shape_text
from rsmi.models.base import Known
from rsmi.renormalization.couplings import NAMES
from rsmi.renormalization.operators import smallest_size
from rsmi.samples.files import known_of
from rsmi.stages import crossing, exponent
from rsmi.stages.flow import from_files as flow_stage
from rsmi.statistics.notation import fields, table, with_error
from rsmi.store import File

EXPONENTS = ("y_t", "y_h")


# ---- flow ----------------------------------------------------------------------------------------


def describe_flow(file: File) -> list[str]:
    known = known_of(file)
    flows, rule = flow_stage.summary(file)["flows"], file.attributes["rule"]
    name = rule.get("name") or f"learned, digest {rule['digest'][:12]}"
    dimension = len(file.attributes["block"])
    lines = fields(
        [
            (
                "rule",
                (
                    f"{name}, {'hard' if rule['hard'] else 'soft'}, block"
                    f" {shape_text(file.attributes['block'])}"
                ),
            ),
            ("steps", str(file.attributes["steps"])),
        ]
    )
    for sizes in dict.fromkeys(_sizes(flow) for flow in flows):
        lines += [
            "",
            *_flow_table([flow for flow in flows if _sizes(flow) == sizes], sizes, known),
        ]
    wrapped = any(row["wraps"] for flow in flows for row in flow["steps"])
    marks = ["", _wrapping_mark(dimension)] if wrapped else []
    return [
        *lines,
        *marks,
        *sorted({f"  -  {flow['reason']}" for flow in flows if "reason" in flow}),
        "",
        *_interactions(flows, known),
    ]


def _wrapping_mark(dimension: int) -> str:
    return f"  *  lattice smaller than {smallest_size(dimension)}: operators wrap around it"


def _sizes(flow: dict) -> tuple[int, ...]:
    return tuple(row["size"] for row in flow["steps"])


def _flow_table(flows: list[dict], sizes: tuple[int, ...], known: Known) -> list[str]:
    """What the flow shows (`flow_quantity`), one line per temperature and one column
    per step."""
    key, unit, text = flow_quantity(known)
    steps = range(len(sizes))
    rows = [
        [state_column(known), "T", *(f"step {step}" for step in steps)],
        ["", "J/k_B", *(f"L = {size}" for size in sizes)],
    ]
    for flow in flows:
        rows.append(
            _temperature_cells(flow, known) + [_relative(row, key, unit) for row in flow["steps"]]
        )
    return [f"  {text}", "", *table(rows)]


def flow_quantity(known: Known) -> tuple[str, float, str]:
    """What is shown of a flow: its name in a step's row, the unit it is shown in, and a sentence.
    K_eff/K_c where both are known, K_eff where there is no K_c, as for the chain, and the energy
    where there is no K_eff."""
    if known.thermometer is None:
        return (
            "energy_nn",
            1.0,
            "energy per site of the blocked lattice in J, -<nearest neighbours>",
        )
    if known.critical_temperature is None:
        return "coupling_eff", 1.0, "K_eff"
    unit = 1 / known.critical_temperature
    return "coupling_eff", unit, f"K_eff/K_c with K_c = {unit:.6f}"


def state_column(known: Known) -> str:
    """What the first column of a table says of the state point."""
    return "K" if known.critical_coupling is None else "T/T_c"


def _interactions(flows: list[dict], known: Known) -> list[str]:
    """The couplings of all operators at every temperature and step, and those of the other sets at
    the temperature next to T_c."""
    if any(flow["interactions"] is None for flow in flows):
        return [
            "  no couplings: files of format 1.0 do not hold what they are made from; run rsmi flow"
            " again"
        ]
    headline = [
        (flow, [row for row in flow["interactions"] if row["operators"] == [*NAMES]])
        for flow in flows
    ]
    chosen = next_to_critical(flows, known)
    fewer = [
        list(names)
        for names in dict.fromkeys(tuple(row["operators"]) for row in chosen["interactions"])
        if names != NAMES
    ]
    others = [row for names in fewer for row in chosen["interactions"] if row["operators"] == names]
    rows = [row for flow in flows for row in flow["interactions"]]
    marks = (
        ["  +  lattice so small that products of different operators coincide"]
        if any(row["wraps"] for row in rows)
        else []
    )
    reasons = dict.fromkeys(
        f"  -  step {row['step']}, {' '.join(row['operators'])}: {row['reason']}"
        for row in rows
        if row["reason"]
    )
    where = (
        f", {state_column(known)} = {_temperature_cells(chosen, known)[0]}"
        if chosen["coupling"] is not None and len(flows) > 1
        else ""
    )
    return [
        "  couplings of the coarse systems (inversion of the Callen equations)",
        "",
        *_coupling_table(
            [(_temperature_cells(flow, known), row) for flow, rows in headline for row in rows],
            [state_column(known), "T"],
            NAMES,
        ),
        "",
        f"  with fewer operators{where}",
        "",
        *_coupling_table(
            [([" ".join(row["operators"])], row) for row in others], ["operators"], NAMES
        ),
        *([""] if marks or reasons else []),
        *marks,
        *reasons,
    ]


def next_to_critical(flows: list[dict], known: Known) -> dict:
    """The temperature next to T_c, or the lowest one where no T_c is known; the first if all are
    unknown."""
    critical = known.critical_temperature or 0.0
    measured = [flow for flow in flows if flow["temperature"] is not None]
    if not measured:
        return flows[0]
    return min(measured, key=lambda flow: abs(flow["temperature"] - critical))


def _coupling_table(
    rows: list[tuple[list[str], dict]], titles: list[str], names: tuple[str, ...]
) -> list[str]:
    """A line per row of couplings; what stands before them only where it changes."""
    lines, before = [[*titles, "step", "L", *names]], None
    for cells, row in rows:
        values = dict(
            zip(
                row["operators"],
                zip(row["values"] or [None] * len(names), row["errors"] or [None] * len(names)),
            )
        )
        shown = [
            (
                with_error(*values[name]) + ("+" if row["wraps"] and row["values"] else "")
                if name in values
                else ""
            )
            for name in names
        ]
        lines.append(
            [
                *(cells if cells != before else [""] * len(cells)),
                str(row["step"]),
                str(row["size"]),
                *shown,
            ]
        )
        before = cells
    return table(lines)


def _temperature_cells(flow: dict, known: Known) -> list[str]:
    """T/T_c (K where no T_c is known) and T, for a table."""
    coupling = flow["coupling"]
    if coupling is None:
        return ["unknown", "-"]
    first = (
        coupling if known.critical_coupling is None else known.critical_coupling.value / coupling
    )
    return [f"{first:.4f}", f"{flow['temperature']:.5f}"]


def _relative(row: dict, key: str, unit: float) -> str:
    if row[key] is None:
        return "-"
    return with_error(row[key] / unit, row[f"{key}_error"] and row[f"{key}_error"] / unit) + (
        "*" if row["wraps"] else ""
    )


# ---- exponent ------------------------------------------------------------------------------------


def describe_exponent(file: File) -> list[str]:
    found, dimension = exponent.summary(file), len(file.attributes["block"])
    temperature = "unknown" if found["temperature"] is None else f"{found['temperature']:.6f} J/k_B"
    critical = found["critical_temperature_from"]
    if found["critical_temperature"] is not None:
        critical = f"{found['critical_temperature']:.6f} J/k_B ({critical})"
    lines = fields(
        [
            ("measured at T", temperature),
            ("reference T_c", critical),
            (
                "lattice",
                f"{found['size']} sites along a side, block {shape_text(file.attributes['block'])}",
            ),
        ]
    )
    known = known_of(file)
    lines += ["", *fields(_headline(found, known))]
    for name in EXPONENTS:
        lines += [
            "",
            f"  {name} by number of operators",
            "",
            *_sequence_table(found[name], found.get("changes", {}).get(name, [])),
        ]
    if has_thermometer(known):
        lines += ["", *_thermometer_table(found)]
    return [*lines, *_remarks(found, dimension)]


def has_thermometer(known: Known) -> bool:
    """Whether nu and T_c can be read off an effective coupling."""
    return known.thermometer is not None and known.critical_coupling is not None


def _headline(found: dict, known: Known) -> list[tuple[str, ...]]:
    critical = known.critical_coupling
    exact = critical is not None and critical.exact
    rows = [("", "measured", "exact" if exact else "known", "")]
    for name in EXPONENTS:
        row = found["headline"][name]
        rows.append(
            (
                name,
                with_error(row["value"], row["error"]),
                _text(known, name),
                row["reason"] or f"step {row['step']}, {row['operators']} operators",
            )
        )
    rows.append(
        (
            "nu",
            with_error(found["nu"], found["nu_error"]),
            _text(known, "nu"),
            found["nu_reason"] or found["nu_remark"],
        )
    )
    rows.append(
        (
            "T_c",
            with_error(found["T_c"], found["T_c_error"]),
            f"{known.critical_temperature:.6f}" if critical else "-",
            found["T_c_reason"] or f"J/k_B, crossing of steps 2 and 3; {found['T_c_remark']}",
        )
    )
    return rows


def _text(known: Known, exponent: str) -> str:
    return known.exponents[exponent].text if exponent in known.exponents else "-"


def _sequence_table(entries: list[dict], changes: list[dict]) -> list[str]:
    """By number of operators, a column per step; the last line is what the step changes, with the
    covariance of the two steps."""
    steps, counts = (
        sorted({row["step"] for row in entries}),
        sorted({row["operators"] for row in entries}),
    )
    cells = {
        (row["operators"], row["step"]): (
            with_error(row["value"], row["error"])
            + ("*" if row["wraps"] and row["value"] is not None else "")
        )
        for row in entries
    }
    lines = [[str(count), *(cells.get((count, step), "-") for step in steps)] for count in counts]
    if changes:
        by_step = {row["step"]: with_error(row["value"], row["error"]) for row in changes}
        lines.append(["change", *(by_step.get(step, "") for step in steps)])
    return table([["operators", *(f"step {step}" for step in steps)], *lines])


def _thermometer_table(found: dict) -> list[str]:
    columns = {
        "nu (fluctuations)": "nu_sequence",
        "nu (differences)": "nu_differences",
        "T_c (crossing with the next step)": "T_c_sequence",
    }
    cells = {
        title: {row["step"]: with_error(row["value"], row["error"]) for row in found[key]}
        for title, key in columns.items()
    }
    steps = sorted(set().union(*cells.values()))
    return [
        *table(
            [
                ["step", *columns],
                *(
                    [str(step), *(cells[title].get(step, "-") for title in columns)]
                    for step in steps
                ),
            ]
        ),
        *_collapse_lines(found.get("nu_collapse")),
    ]


def _collapse_lines(row: dict | None) -> list[str]:
    """nu from the collapse of the flow; nothing in files older than it."""
    if row is None:
        return []
    if row["value"] is None:
        return ["", *fields([("nu by collapse", "-", row["reason"])])]
    used = sorted({(point["step"], point["size"]) for point in row["points"]})
    quality = (
        f"{len(row['points'])} effective couplings of steps {used[0][0]} to {used[-1][0]} scatter"
        f" about one curve by {row['scatter']:.2g} K_c beyond their errors"
    )
    return [
        "",
        *fields(
            [
                ("nu by collapse", with_error(row["value"], row["error"]), row["remark"]),
                ("", f"({row['error_statistical']:.2g} statistical)", quality),
            ]
        ),
    ]


def _remarks(found: dict, dimension: int) -> list[str]:
    """Why values are missing, and what the marks mean."""
    rows = [(name, row) for name in EXPONENTS for row in found[name]]
    rows += [(name, row) for name in ("nu", "T_c") for row in found[f"{name}_sequence"]] + [
        ("nu", row) for row in found["nu_differences"]
    ]
    steps: dict[tuple[str, str], set[int]] = {}
    for name, row in rows:
        if row["reason"]:
            steps.setdefault((name, row["reason"]), set()).add(row["step"])
    reasons = [
        f"  -  {name}, step{'s' * (len(where) > 1)} {', '.join(map(str, sorted(where)))}: {reason}"
        for (name, reason), where in steps.items()
    ]
    wraps = [_wrapping_mark(dimension)] if any(row.get("wraps") for _, row in rows) else []
    return [*([""] if reasons or wraps else []), *wraps, *reasons]


# ---- crossing ------------------------------------------------------------------------------------


def describe_crossing(file: File) -> list[str]:
    found = crossing.summary(file)
    low, high = found["temperatures"][0], found["temperatures"][-1]
    lines = fields(
        [
            ("sizes", ", ".join(map(str, found["sizes"]))),
            ("temperatures", f"{len(found['temperatures'])} from {low:.6g} to {high:.6g} J/k_B"),
            (
                "errors",
                (
                    f"jackknife over {found['blocks']} blocks, reweighting included; not the drift"
                    " of the crossings with the sizes"
                ),
            ),
        ]
    )
    known = known_of_crossing(found)
    exact, quality = known.critical_temperature, "best known"
    if known.critical_coupling is not None and known.critical_coupling.exact:
        quality = "exact"
    remark = () if exact is None else (f"{quality} {exact:.6f}, not used",)
    headline = [
        (
            "T_c",
            with_error(found["T_c"], found["T_c_error"]),
            found["T_c_reason"] or "J/k_B",
            *remark,
        ),
        ("nu", with_error(found["nu"], found["nu_error"]), "ratio of the slopes"),
    ]
    return [
        *lines,
        "",
        *fields(headline),
        *(
            line
            for name, title in QUANTITY_TITLES.items()
            for line in _crossing_table(found, name, title, exact)
        ),
        *_crossing_remarks(found),
    ]


QUANTITY_TITLES = {
    "binder": "Binder cumulant U = 1 - <m^4>/(3 <m^2>^2)",
    "correlation_ratio": "correlation ratio R = C(L/2)/C(L/4)",
}


def known_of_crossing(found: dict) -> Known:
    """What is known exactly of the model that a crossing names."""
    return models.of(found).known(found["dimension"], found)


def _crossing_table(found: dict, name: str, title: str, exact: float | None) -> list[str]:
    head = ["sizes", "T_c", *(["off by"] if exact else []), "U" if name == "binder" else "R", "nu"]
    rows = [row for row in found["crossings"] if row["quantity"] == name]
    cells = [
        [
            ", ".join(map(str, row["sizes"])),
            *_pair(row, "T_c"),
            *([_off(row, exact)] if exact else []),
            *_pair(row, "value"),
            *_pair(row, "nu"),
        ]
        for row in rows
    ]
    return ["", f"  {title} at the crossing", "", *table([head, *cells])]


def _pair(row: dict, name: str) -> list[str]:
    return [with_error(row[name], row[f"{name}_error"])]


def _off(row: dict, exact: float) -> str:
    if row["T_c"] is None:
        return "-"
    return f"{100 * (row['T_c'] / exact - 1):+.3f} %"


def _crossing_remarks(found: dict) -> list[str]:
    reasons = dict.fromkeys(
        f"  -  sizes {', '.join(map(str, row['sizes']))}: {row['reason']}"
        for row in found["crossings"]
        if row["reason"]
    )
    return ["", *reasons] if reasons else []
