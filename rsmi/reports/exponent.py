"""What ``rsmi info`` says of exponents: y_t and y_h by the Monte Carlo renormalization group, and,
where the model has a thermometer, nu and T_c from one effective coupling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rsmi.lattice.geometry import shape_text
from rsmi.models.base import Known
from rsmi.renormalization.critical_exponents import quoted_exponents
from rsmi.reports.flow import model_text, rule_text, wrapping_mark
from rsmi.samples.files import known_of
from rsmi.stages import exponent
from rsmi.statistics.notation import fields, table, with_error
from rsmi.store import File

EXPONENTS = ("y_t", "y_h")


def describe(file: File) -> list[str]:
    """The state point, the exponents to quote, and the sequences that they are taken from."""
    numbers, known = exponent.summary(file), known_of(file)
    lines = [*fields(_state_rows(file, numbers)), "", *fields(exponent_rows(numbers, known))]
    for name in EXPONENTS:
        changes = numbers.get("changes", {}).get(name, [])
        title = f"  {name} by number of operators"
        lines += ["", title, "", *_sequence_table(numbers[name], changes)]
        lines += _further_lines(numbers, known, name)
    lines += _parity_lines(numbers, known)
    if has_thermometer(known):
        lines += ["", *_thermometer_lines(numbers, known)]
    lines += _matching_lines(numbers, known)
    return [*lines, *_remarks(numbers, known, len(file.attributes["block"]))]


def has_thermometer(known: Known) -> bool:
    """Whether nu and T_c can be read off an effective coupling."""
    return known.thermometer is not None and known.critical_coupling is not None


def _state_rows(file: File, numbers: dict) -> list[tuple[str, str]]:
    temperature, critical = numbers["temperature"], numbers["critical_temperature"]
    origin = numbers["critical_temperature_from"]
    return [
        ("model", model_text(file)),
        ("measured at T", "unknown" if temperature is None else f"{temperature:.6f} J/k_B"),
        ("reference T_c", origin if critical is None else f"{critical:.6f} J/k_B ({origin})"),
        ("lattice", _lattice(numbers)),
        ("rule", rule_text(numbers)),
    ]


def _lattice(numbers: dict) -> str:
    """The sides of the lattice; older files name only the first one."""
    shape = numbers["shape"]
    return f"{numbers['size']} sites along the first side" if shape is None else shape_text(shape)


# ---- the exponents to quote ----------------------------------------------------------------------


def exponent_rows(numbers: dict, known: Known) -> list[list[str]]:
    """y_t, y_h and nu = 1/y_t, beside the values from theory where these are known."""
    rows = [["", "measured", theory_word(known), ""]]
    for name in EXPONENTS:
        row = numbers["headline"][name]
        where = row["reason"] or f"step {row['step']}, {row['operators']} operators"
        rows.append([name, with_error(row["value"], row["error"]), _theory(known, name), where])
    inverse = numbers["headline"]["nu"]
    if inverse["value"] is not None:
        value = with_error(inverse["value"], inverse["error"])
        rows.append(["nu = 1/y_t", value, _theory(known, "nu"), ""])
    rows += _quoted_rows(numbers, known)
    return rows if known.exponents else [[name, value, where] for name, value, _, where in rows]


def _quoted_rows(numbers: dict, known: Known) -> list[list[str]]:
    """The other exponents that follow from y_t and y_h, beside those of the known ones."""
    theory = quoted_exponents(len(numbers["block"]), known.exponent("y_t"), known.exponent("y_h"))
    return [
        [
            name,
            with_error(one["value"], one["error"]),
            f"{theory[name].value:.5g}" if name in theory else "-",
            "",
        ]
        for name, one in numbers["exponents"].items()
        if name != "nu"
    ]


def theory_word(known: Known) -> str:
    """How well the exponents are known from theory: ``exact``, or ``known`` within an error."""
    return "exact" if all(value.exact for value in known.exponents.values()) else "known"


def _theory(known: Known, name: str) -> str:
    return known.exponents[name].text if name in known.exponents else "-"


def _sequence_table(entries: Sequence[dict], changes: Sequence[dict]) -> list[str]:
    """A line per number of operators and a column per step. The last line is what a step changes;
    its error includes the covariance of the two steps."""
    steps = sorted({row["step"] for row in entries})
    cells = {(row["operators"], row["step"]): _starred(row) for row in entries}
    lines = [["operators", *(f"step {step}" for step in steps)]]
    for count in sorted({row["operators"] for row in entries}):
        lines.append([str(count), *(cells.get((count, step), "-") for step in steps)])
    if changes:
        by_step = {row["step"]: with_error(row["value"], row["error"]) for row in changes}
        lines.append(["change", *(by_step.get(step, "") for step in steps)])
    return table(lines)


def _further_lines(numbers: dict, known: Known, name: str) -> list[str]:
    """The second eigenvalue of all operators, and the extrapolated line, where there are any."""
    rows = {"of the second eigenvalue": numbers.get("second", {}).get(name, [])}
    extrapolated = numbers.get("extrapolated", {})
    if name in extrapolated:
        rows[f"extrapolated, b^-{extrapolated['omega']:g}"] = extrapolated[name]
    lines = []
    for title, entries in rows.items():
        by_step = {row["step"]: _starred(row) for row in entries}
        if by_step:
            lines.append((title, *(by_step.get(step, "") for step in range(1, max(by_step) + 1))))
    if not lines:
        return []
    steps = [f"step {step}" for step in range(1, max(map(len, lines)))]
    return [
        "",
        *table([["all operators", *steps], *lines]),
        *_known_second(known, name, numbers["dimension"]),
    ]


def _known_second(known: Known, name: str, dimension: int) -> list[str]:
    """The exponent of the second eigenvalue in theory, d - Delta of the second operator of the
    sector."""
    operators = known.operators.get(exponent.SECTORS[name], ())
    if len(operators) < 2:
        return []
    value = dimension - operators[1].dimension.value
    return ["", f"  in theory the exponent of the second eigenvalue is {value:.6g}"]


def _parity_lines(numbers: dict, known: Known) -> list[str]:
    """The exponents of all operators by their parity in every component."""
    rows = numbers.get("parities", [])
    if not rows:
        return []
    steps = [row["step"] for row in rows[0]["leading"]]
    lines = [["parity", "eigenvalue", *(f"step {step}" for step in steps), theory_word(known)]]
    for row in rows:
        theory = known.parities.get(tuple(row["parity"]))
        for name in ("leading", "second", "pair")[: 3 if _is_complex(row["leading"]) else 2]:
            shown = theory.text if theory is not None and name == "leading" else ""
            lines.append([", ".join(row["parity"]), name, *map(_starred, row[name]), shown])
    title = "  exponents by the parity in every component, all operators"
    remark = [
        "",
        "  pair: of the geometric mean of the two leading eigenvalues, which are a complex pair",
        "  within the errors where both are equal",
    ]
    return [
        "",
        title,
        "",
        *table(lines),
        *remark * any(_is_complex(row["leading"]) for row in rows),
    ]


def _is_complex(rows: Sequence[dict]) -> bool:
    """Whether the eigenvalue of any step is complex."""
    return any("complex" in (row["reason"] or "") for row in rows)


def _matching_lines(numbers: dict, known: Known) -> list[str]:
    """T_c from pairs of lattices."""
    rows = numbers.get("T_c_matching", [])
    if not rows:
        return []
    critical = known.critical_temperature
    lines = [["lattices", "step", "T_c", "T_c/known - 1" if critical else ""]]
    for row in rows:
        sizes = " and ".join(shape_text(tuple(shape)) for shape in row["shapes"])
        value, error = row["value"], row["error"]
        relative = with_error(value / critical - 1, error / critical) if critical and value else ""
        lines.append([sizes, str(row["step"]), with_error(value, error), relative])
    title = "  T_c in J/k_B by matching two lattices, of which the larger makes one step more"
    return ["", title, "", *table(lines)]


def _starred(row: dict) -> str:
    mark = "*" if row["wraps"] and row["value"] is not None else ""
    return with_error(row["value"], row["error"]) + mark


# ---- nu and T_c from one effective coupling ------------------------------------------------------


def _thermometer_lines(numbers: dict, known: Known) -> list[str]:
    """nu and T_c, by step, and from the collapse of the flow."""
    return [
        "  nu and T_c from one effective nearest-neighbour coupling: biased",
        "",
        *fields(_thermometer_rows(numbers, known)),
        "",
        *_by_step(numbers),
        *_collapse_lines(numbers.get("nu_collapse")),
    ]


def _thermometer_rows(numbers: dict, known: Known) -> list[list[str]]:
    critical = known.critical_coupling
    step = numbers["headline"]["y_t"]["step"]
    crossing = f"J/k_B, crossing of steps {step} and {step + 1}; {numbers['T_c_remark']}"
    return [
        ["", "measured", "exact" if critical and critical.exact else "known", ""],
        [
            "nu",
            with_error(numbers["nu"], numbers["nu_error"]),
            _theory(known, "nu"),
            numbers["nu_reason"] or numbers["nu_remark"],
        ],
        [
            "T_c",
            with_error(numbers["T_c"], numbers["T_c_error"]),
            f"{known.critical_temperature:.6f}",
            numbers["T_c_reason"] or crossing,
        ],
    ]


def _by_step(numbers: dict) -> list[str]:
    columns = {
        "nu (fluctuations)": "nu_sequence",
        "nu (differences)": "nu_differences",
        "T_c (crossing with the next step)": "T_c_sequence",
    }
    cells = {
        title: {row["step"]: with_error(row["value"], row["error"]) for row in numbers[key]}
        for title, key in columns.items()
    }
    lines = [["step", *columns]]
    for step in sorted(set().union(*cells.values())):
        lines.append([str(step), *(cells[title].get(step, "-") for title in columns)])
    return table(lines)


def _collapse_lines(row: dict | None) -> list[str]:
    """nu from the collapse of the flow; old files have none."""
    if row is None:
        return []
    if row["value"] is None:
        return ["", *fields([("nu by collapse", "-", row["reason"])])]
    steps = [point["step"] for point in row["points"]]
    quality = (
        f"{len(steps)} effective couplings of steps {min(steps)} to {max(steps)} scatter about one"
        f" curve by {row['scatter']:.2g} K_c beyond their errors"
    )
    value = with_error(row["value"], row["error"])
    return [
        "",
        *fields(
            [
                ("nu by collapse", value, row["remark"]),
                ("", f"({row['error_statistical']:.2g} statistical)", quality),
            ]
        ),
    ]


# ---- remarks -------------------------------------------------------------------------------------


def _remarks(numbers: dict, known: Known, dimension: int) -> list[str]:
    """What the star means, and why values are missing."""
    rows = [row for name in EXPONENTS for row in numbers[name]]
    star = [wrapping_mark(dimension)] if any(row["wraps"] for row in rows) else []
    reasons = [
        *([f"  -  withheld: {numbers['withheld']}"] if "withheld" in numbers else []),
        *_reasons((name, row) for name in EXPONENTS for row in numbers[name]),
        *_reasons(
            (f"{name} of the second eigenvalue", row)
            for name, rows in numbers.get("second", {}).items()
            for row in rows
        ),
        *(_missing_steps(numbers) if has_thermometer(known) else _missing_thermometer(numbers)),
    ]
    return [*([""] if star or reasons else []), *star, *reasons]


def _missing_steps(numbers: dict) -> list[str]:
    sequences = {"nu_sequence": "nu", "T_c_sequence": "T_c", "nu_differences": "nu"}
    return _reasons((name, row) for key, name in sequences.items() for row in numbers[key])


def _missing_thermometer(numbers: dict) -> list[str]:
    """Why there is neither nu nor T_c."""
    return [f"  -  no nu and T_c from an effective coupling: {numbers['nu_reason']}"]


def _reasons(rows: Iterable[tuple[str, dict]]) -> list[str]:
    """A line for every reason, with the steps that it holds for."""
    steps: dict[tuple[str, str], set[int]] = {}
    for name, row in rows:
        if row["reason"]:
            steps.setdefault((name, row["reason"]), set()).add(row["step"])
    return [
        f"  -  {name}, step{'s' * (len(where) > 1)} {', '.join(map(str, sorted(where)))}: {reason}"
        for (name, reason), where in steps.items()
    ]
