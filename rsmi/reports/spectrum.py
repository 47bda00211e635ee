"""What ``rsmi info`` says of a spectrum: the scaling dimensions to quote, and the sequences that
they are taken from, sector by sector."""

from __future__ import annotations

from typing import Any

from rsmi.lattice.geometry import sides_text
from rsmi.renormalization.critical_exponents import exponents_of_dimensions
from rsmi.renormalization.spectrum.quantities import TITLES
from rsmi.reports.flow import model_text
from rsmi.samples.files import model_of
from rsmi.stages.spectrum import summary as stage
from rsmi.stages.spectrum.chosen import SECTORS
from rsmi.statistics.notation import fields, table, with_error
from rsmi.store import File

_MEANING = {
    "A": "antipodal: the two-point function at opposite points, smeared by a Gaussian",
    "X12": "X12 = 2 g_1 - g_2, X24 = 2 g_2 - g_4: g_p is the response of <|m|^p> to the coupling of"
    " the function (see 'rsmi spectrum --help')",
    "E01": "S(0) - S(1): structure factors at the smallest wave vectors, without contact terms",
}
Json = dict[str, Any]


def describe(file: File) -> list[str]:
    """The samples, the values to quote, the exponents, and a table for each sector."""
    numbers = stage.summary(file)
    lines = [*fields(_input_rows(file, numbers)), "", *table(quoted_rows(numbers))]
    if numbers["exponents"]:
        lines += ["", *table(_exponent_rows(numbers))]
    for sector in filter(numbers["functions"].get, SECTORS):
        lines += ["", f"  {sector} functions: {_exact_text(numbers, sector)}", ""]
        lines += table(_sector_rows(numbers, sector))
    return [*lines, "", *_notes(numbers), *_symmetry_note(file, numbers)]


def temperature_text(numbers: Json) -> str:
    """T in J/k_B, or K = 0 if it is infinite."""
    if numbers["temperature"] is not None:
        return f"{numbers['temperature']:.6f} J/k_B"
    return "unknown" if numbers["coupling"] is None else f"K = {numbers['coupling']:g}"


def size_names(numbers: Json) -> dict[int, str]:
    """The lattices by their first side: one number if all sides are equal."""
    shapes = {shape[0]: shape for shape in numbers.get("shapes", [])}
    return {size: sides_text(shapes.get(size, [size])) for size in numbers["sizes"]}


def _input_rows(file: File, numbers: Json) -> list[tuple[str, str]]:
    groups = sorted(set(numbers["groups"]))
    exact = ", with the exact energy of the lattices" if all(numbers["exact_energy"]) else ""
    return [
        ("model", model_text(file)),
        state_point(file, numbers),
        ("sizes", ", ".join(size_names(numbers).values())),
        ("samples", ", ".join(f"{count:.3g}" for count in numbers["samples"])),
        ("errors", f"jackknife over {' to '.join(map(str, groups))} groups of samples{exact}"),
        ("corrections", f"L^-omega, omega = {_number(numbers['omega'])}{_other_omega(numbers)}"),
    ]


def state_point(file: File, numbers: Json) -> tuple[str, str]:
    """The temperature, or what the model says instead if it has none."""
    shape = file.read("/files/shape")[0].tolist()
    if numbers["coupling"] is not None:
        return "temperature", temperature_text(numbers)
    return "state point", model_of(file).describe_temperature({**file.attributes, "shape": shape})


def _symmetry_note(file: File, numbers: Json) -> list[str]:
    """What odd means if it is no flip that tells it."""
    if model_of(file).symmetric(file.attributes):
        return []
    order = numbers["headline"]["odd"]["function"]
    if file.attributes.get("states", 2) > 2:
        return [
            f"  odd: the {order}, a vector that relabellings of the states turn; even: functions"
            " that they leave alone"
        ]
    return [
        f"  odd: the {order}, which translations of the lattice turn round, and parts of functions"
        " with its wave vector; even: averages over the lattice"
    ]


def _number(omega: float | str) -> str:
    return omega if isinstance(omega, str) else f"{omega:g}"


def _other_omega(numbers: Json) -> str:
    """The exponent of the second correction, or that of <m^2> where its contact term is the
    leading correction."""
    fits = [row["fits"][0] for row in numbers["sequence"] if row["fits"]]
    second = {fit["second_omega"] for fit in fits} - {None}
    if second:
        return f", and a second one with {min(second):g}"
    others = {fit["omega"] for fit in fits} - {None, numbers["omega"]}
    known = numbers["omega"] != "free" and others
    return f", and {min(others)} for the contact term of <m^2>" if known else ""


# ---- values to quote -----------------------------------------------------------------------------


def quoted_rows(numbers: Json) -> list[list[str]]:
    rows = [["function", "sector", "from", "Delta", "systematic", _quality(numbers)]]
    for sector in SECTORS:
        for row in numbers["sequence"]:
            if row["quoted"] and row["sector"] == sector:
                rows.append(_quoted_row(row, row["exact"] or "-"))
    return rows


def _quoted_row(row: Json, exact: str) -> list[str]:
    return [
        row["function"],
        row["sector"],
        TITLES[row["quantity"]],
        with_error(row["delta"], row["error"]),
        "-" if row["systematic"] is None else f"{row['systematic']:.1g}",
        exact,
    ]


def _exponent_rows(numbers: Json) -> list[list[str]]:
    """The exponents that follow from the two headlines, beside those of the exact dimensions."""
    headline = numbers["headline"]
    exact = exponents_of_dimensions(
        numbers["dimension"], headline["even"]["exact"], headline["odd"]["exact"]
    )
    rows = [["exponent", "from the values above", _quality(numbers)]]
    for name, one in numbers["exponents"].items():
        theory = f"{exact[name].value:.6g}" if name in exact else "-"
        rows.append([name, with_error(one["value"], one["error"]), theory])
    return rows


def _quality(numbers: Json) -> str:
    """How the values from theory were obtained: exact, or the method."""
    known = [one for sector in SECTORS for one in numbers["headline"][sector]["operators"]]
    return known[0]["quality"] if known else "exact"


# ---- sequences -----------------------------------------------------------------------------------


def _exact_text(numbers: Json, sector: str) -> str:
    operators = numbers["headline"][sector]["operators"]
    if not operators:
        return "no values are known from theory"
    texts = [f"{one['text']} ({one['operator']})" for one in operators]
    return f"{operators[0]['quality']} {texts[0]}" + (f", next {texts[1]}" if texts[1:] else "")


def _sector_rows(numbers: Json, sector: str) -> list[list[str]]:
    """A line per quantity: Delta of successive sizes, and of the fits with a correction."""
    rows = [row for row in numbers["sequence"] if row["sector"] == sector]
    names = size_names(numbers)
    pairs = [f"{names[a]}, {names[b]}" for a, b in zip(numbers["sizes"], numbers["sizes"][1:])]
    fits = _fit_titles(numbers, names)
    lines = [["function", "from", *pairs, *fits]]
    for row in rows:
        name, missing = TITLES[row["quantity"]], ["-"] * (len(pairs) + len(fits))
        cells = [with_error(one["delta"], one["error"]) for one in row["pairs"]]
        corrected = [one for one in row["fits"] if one["omega"] is not None]
        cells += [_fit_text(one) for one in corrected]
        cells += ["-"] * (len(missing) - len(cells))
        lines.append([row["function"], name, *(missing if row["reason"] else cells)])
    return lines


def _fit_titles(numbers: Json, names: dict[int, str]) -> list[str]:
    sizes = numbers["sizes"]
    ranges = [sizes[first:] for first in (0, 1) if len(sizes) - first > 2]
    return [f"{names[one[0]]} to {names[one[-1]]}" for one in ranges]


def _fit_text(fit: Json) -> str:
    value = with_error(fit["delta"], fit["error"])
    return value if fit["chi2"] is None else f"{value} {fit['chi2']:.1f}/{fit['freedom']}"


def _sources(numbers: Json) -> list[str]:
    """Where values from theory that are not exact come from."""
    known = [one for sector in SECTORS for one in numbers["headline"][sector]["operators"]]
    return [f"  {one['quality']}: {one['source']}" for one in known[:1] if not one["exact"]]


def _notes(numbers: Json) -> list[str]:
    """What the columns mean, why values are missing, and what the reader must know."""
    present = {row["quantity"] for row in numbers["sequence"]}
    reasons = [
        f"  -  {TITLES[row['quantity']]} of {row['function']}: {row['reason']}"
        for row in numbers["sequence"]
        if row["reason"]
    ]
    return [
        "  Two sizes: Delta of the pair, without a correction. Ranges of sizes: with"
        " corrections, and chi^2/degrees of freedom.",
        *(f"  {text}" for kind, text in _MEANING.items() if kind in present),
        *_sources(numbers),
        *reasons,
        *(f"  remark: {remark}" for remark in numbers["remarks"]),
    ]
