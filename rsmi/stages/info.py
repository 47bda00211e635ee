"""``rsmi info``: what a file says, as text for a physicist or as one JSON object, and what it is made of."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np

from rsmi.lattice import ising
from rsmi.lattice.geometry import Geometry, shape_text
from rsmi.renormalization.couplings import NAMES
from rsmi.renormalization.operators import smallest_size
from rsmi.stages import dimer_info
from rsmi.stages.notation import fields, relative_temperature, table, with_error
from rsmi.store import File, canonical_json, open_file
from rsmi.store.schema import KINDS

_STAGES = {"samples": "sample", "theta": "train_theta", "lambda": "train_lambda", "flow": "flow", "exponent": "exponent", "crossing": "crossing"}
EXPONENTS = ("y_t", "y_h")


def kind_of(path: Path) -> str:
    """Kind of a file, its structure checked."""
    with open_file(path) as file:
        return file.kind


def summary(path: Path) -> dict:
    """The numbers of a file: the summary of the stage that made it, and the file's ``kind``."""
    kind = kind_of(path)
    return {"kind": kind, **importlib.import_module(f"rsmi.stages.{_STAGES[kind]}").summary(path)}


def describe(path: Path) -> str:
    """The same numbers as text: T in J/k_B, energies in J, information in nats, values as 1.0033(70)."""
    with open_file(path) as file:
        return "\n".join([f"{path}: {file.kind}, {KINDS[file.kind].meaning}", "", *_DESCRIPTIONS[file.kind](file), ""])


def verify(path: Path) -> str:
    """The digest of a file, recomputed from its content.

    Raises
    ------
    DataError
        If the content does not match the stored digest.
    """
    with open_file(path) as file:
        file.verify()
        return file.digest


def digest(path: Path) -> str:
    """The stored digest."""
    with open_file(path) as file:
        return file.digest


# ---- the parts of a file --------------------------------------------------------------------------------------------

def tree(path: Path) -> dict:
    """What a file is made of: attributes, parameters, ancestors (oldest first), datasets, and the run that wrote it."""
    with open_file(path) as file:
        own = [attribute.name for attribute in KINDS[file.kind].attributes if attribute.name in file.attributes]
        return {
            "file": str(path),
            "kind": file.kind,
            "format_version": list(file.attributes["format_version"]),
            "software": file.attributes["software"],
            "digest": file.digest,
            "uuid": file.attributes["uuid"],
            "command": file.attributes["command"],
            "parameters": file.parameters,
            "inputs": file.attributes["inputs"],
            "attributes": {name: file.attributes[name] for name in own},
            "ancestors": file.ancestors(),
            "datasets": {name: {"shape": list(shape), "dtype": dtype} for name, (shape, dtype) in file.datasets().items()},
            "run": file.run_facts(),
        }


def tree_text(path: Path) -> str:
    """:func:`tree` as text."""
    parts = tree(path)
    plain = [(name, _plain(parts[name])) for name in ("kind", "format_version", "software", "digest", "uuid", "command")]
    ancestors = [(entry["command"], entry["digest"][:12], _plain(entry["parameters"])) for entry in parts["ancestors"]]
    datasets = [(name, entry["dtype"], " x ".join(map(str, entry["shape"])) or "scalar") for name, entry in parts["datasets"].items()]
    sections = {
        "parameters": [(name, _plain(value)) for name, value in parts["parameters"].items()],
        "attributes": [(name, _plain(value)) for name, value in parts["attributes"].items()],
        "ancestors, oldest first": ancestors or [("none",)],
        "datasets": datasets,
        "run": list(parts["run"].items()),
    }
    lines = [str(path), *fields(plain)]
    for title, rows in sections.items():
        lines += ["", title, *fields(rows)]
    return "\n".join([*lines, ""])


def _plain(value) -> str:
    return value if isinstance(value, str) else canonical_json(value)


# ---- samples --------------------------------------------------------------------------------------------------------

def _describe_samples(file: File) -> list[str]:
    attributes, numbers = file.attributes, summary(file.path)
    origin = [(name, text) for name, text in (("lattice", _lattice(attributes)), ("temperature", _temperature(attributes)), ("sampled by", _algorithm(attributes))) if text]
    if attributes["rg_step"]:
        origin.append(("coarse-grained", f"{attributes['rg_step']} step{'s' * (attributes['rg_step'] > 1)} from {shape_text(attributes['original_shape'])}, lengths divided by {attributes['scale_factor']:g}"))
    measured = _measured_dimers(attributes, numbers) if attributes["model"] == "dimers" else _measured_spins(attributes, numbers)
    return [*fields([("configurations", str(numbers["samples"])), *origin]), "", *fields(measured)]


def _measured_spins(attributes: dict, numbers: dict) -> list[tuple[str, ...]]:
    return [
        ("energy per site", with_error(numbers["energy"], numbers["energy_error"]), _exact_energy(attributes, numbers)),
        ("|m| per site", with_error(numbers["magnetization_abs"], numbers["magnetization_abs_error"])),
        ("susceptibility", with_error(numbers["susceptibility"], numbers["susceptibility_error"]), "K N (<m^2> - <|m|>^2)"),
        ("Binder cumulant", with_error(numbers["binder"], numbers["binder_error"])),
        ("tau_int of E", with_error(numbers["tau_int"], numbers["tau_int_error"]), "stored intervals, independent = 0.5"),
        ("tau_int of |m|", with_error(numbers["tau_int_magnetization"], numbers["tau_int_magnetization_error"])),
    ]


def _measured_dimers(attributes: dict, numbers: dict) -> list[tuple[str, ...]]:
    shown = {
        "energy": ("energy per vertex", "minus the plaquettes with two parallel dimers; free on the infinite lattice -1/4"),
        "winding_squared": ("<W^2>", "mean of W_x^2 and W_y^2"),
        "field_fluctuation": ("field |E_q|^2", "per vertex, smallest q across the field"),
        "columnar_order": ("columnar order", "length of 2/N sum of ((-1)^x n_x, (-1)^y n_y)"),
    }
    found = {name: text for name, text in shown.items() if name in numbers}
    rows = [(title, with_error(numbers[name], numbers[f"{name}_error"]), text) for name, (title, text) in found.items()]
    if "noise_agreement" in numbers:
        rows.append(("noise pairs equal", with_error(numbers["noise_agreement"], numbers["noise_agreement_error"]), f"probability {attributes['noise_probability']:g}"))
    if "stiffness" in numbers:
        rows.insert(3, ("stiffness g", with_error(numbers["stiffness"], numbers["stiffness_error"]), "1 / (2 pi |E_q|^2); free 1/2, columnar order from 4 on"))
    unit = "stored intervals, independent = 0.5"
    for name, (title, _) in found.items():
        rows.append((f"tau_int of {title.removesuffix(' per vertex')}", with_error(numbers[f"tau_int_{name}"], numbers[f"tau_int_{name}_error"]), unit))
        unit = ""
    return rows


def _lattice(attributes: dict) -> str:
    components, boundary = attributes.get("components", 1), attributes.get("boundary", "periodic")
    what = f", {components} components per site" if components > 1 else ""
    if attributes["model"] == "dimers":
        what = f", with noise paired {attributes['noise_pairing']}" if "noise_pairing" in attributes else ""
    return f"{shape_text(attributes['shape'])} {attributes['model']}, {boundary}{what}"


def _temperature(attributes: dict) -> str:
    if "coupling" not in attributes:
        return "unknown"
    if attributes["model"] == "dimers":
        return f"T = {attributes['temperature']:.6g}, v = {attributes['interaction']:g}, K = -v/T = {attributes['coupling']:.6g}" if attributes["coupling"] else "free, all coverings alike"
    ratio = relative_temperature(attributes["coupling"], len(attributes["shape"]))
    return f"T = {attributes['temperature']:.6g} J/k_B, K = {attributes['coupling']:.6g}" + (f", T/T_c = {ratio:.4f}" if ratio else "")


def _algorithm(attributes: dict) -> str:
    names = ("thermalization", "interval")
    parts = [attributes.get("algorithm"), f"{attributes['chains']} chains", *(f"{name} {attributes[name]} sweeps" for name in names if name in attributes)]
    return ", ".join(part for part in parts if part)


def _exact_energy(attributes: dict, numbers: dict) -> str:
    """The exact energy of the original lattice and how far off the estimate is."""
    shape, coupling = attributes["original_shape"], attributes.get("coupling")
    exact = ising.exact_energy(shape, coupling) if coupling and min(shape) > 1 else None
    if exact is None or numbers["energy"] is None:
        return "J"
    off = f", {(numbers['energy'] - exact) / numbers['energy_error']:+.1f} errors off" if numbers["energy_error"] else ""
    return f"J; exact {exact:.6f} on {shape_text(shape)}{off}"


# ---- theta and lambda -----------------------------------------------------------------------------------------------

def _describe_theta(file: File) -> list[str]:
    a, (visible, hidden) = file.attributes, file.shape("/joint/weights")
    sites, block_hidden = file.shape("/block/weights")
    held_out = with_error(a["pseudo_log_likelihood"], a["pseudo_log_likelihood_error"])
    divergence = with_error(a.get("kl"), a.get("kl_error"))
    error = file.read("/curve/reconstruction_error")
    course = f", reconstruction error {error[0]:.4f} to {error[-1]:.4f}" if len(error) and np.isfinite(error).all() else ""
    return [
        *fields(_window_rows(file)),
        "",
        *fields([
            ("machine of (V, E)", f"{visible} visible, {hidden} hidden units"),
            ("machine of V", f"{sites} visible, {block_hidden} hidden units"),
            ("symmetry", "spin flip, biases zero" if a["symmetric"] else "none imposed"),
            ("training", f"{len(error)} epochs{course}"),
        ]),
        "",
        *fields([("pseudo-log-likelihood", held_out, "nats per window, held out"), ("KL(P(V|E) || machine)", divergence, "nats" if "kl" in a else "no exact value here")]),
    ]


def _window_rows(file: File) -> list[tuple[str, ...]]:
    a, components = file.attributes, file.attributes.get("components", 1)
    geometry = Geometry(a["block"], a["buffer"], a["environment"])
    inside, outside = len(geometry.block_offsets), len(geometry.environment_offsets)
    contents = dimer_info.contents if a["model"] == "dimers" else lambda sites, components: f"{sites * components} sites"
    windows = f"{a['windows']}, {file.shape('/split/held_out')[0]} configurations held out"
    ring = f"ring of width {a['environment']}: {contents(outside, components)}"
    return [
        ("lattice", _lattice(a)),
        ("temperature", _temperature(a)),
        ("block V", f"{shape_text(a['block'])}: {contents(inside, components)}"),
        ("buffer", f"width {a['buffer']}"),
        ("environment E", ring),
        ("windows", windows),
    ]


def _describe_lambda(file: File) -> list[str]:
    a, bound = file.attributes, file.read("/restarts/bound")
    objective = a["objective"] + (f" by {a['estimator']}" if "estimator" in a else "")
    kept = f"{objective}, restart {a['restart'] + 1} of {len(bound)} kept (held-out bounds {', '.join(f'{value:.4f}' for value in bound)} nats)"
    filters = dimer_info.describe(file) if dimer_info.is_dimer_rule(file) else _filters(file)
    return [*fields([*_window_rows(file), ("objective", kept)]), "", *filters, *_information(a)]


def _filters(file: File) -> list[str]:
    """The filters in block shape, one after the other."""
    lines = ["  filters: x = sum over V of filter times spin, plus bias; P(h = 1) = 1/(1 + exp(-x))", ""]
    for unit, (weights, bias) in enumerate(zip(file.read("/filters"), file.read("/bias")), 1):
        lines.append(f"  unit {unit}   bias {bias:z.4f}   cosine to the uniform filter {cosine_to_uniform(weights):.4f}")
        for layer in weights.reshape(-1, *file.attributes["block"][-2:]) if len(file.attributes["block"]) > 1 else weights[None, None]:
            lines += [*table([["", *(f"{weight:z.4f}" for weight in row)] for row in layer]), ""]
    return lines


def cosine_to_uniform(weights: np.ndarray) -> float:
    """Cosine of the angle between a filter and the uniform one; 0 for the zero filter."""
    length = float(np.linalg.norm(weights)) * len(weights) ** 0.5
    return float(weights.sum()) / length if length else 0.0


def _information(a: dict) -> list[str]:
    from rsmi.stages import train_lambda

    soft, hard = (with_error(a[f"mutual_information{rule}"], a[f"mutual_information{rule}_error"]) for rule in ("", "_hard"))
    rows = [
        ["nats", "soft rule", "hard rule"],
        ["I(H:E), held-out bound", soft, hard],
        ["I(H:E), exact", _four(a.get("mutual_information_exact_soft")), with_error(a.get("mutual_information_exact"), a.get("mutual_information_exact_error"))],
        ["H(H)", _four(a["entropy_h"]), _four(a["entropy_h_hard"])],
        ["control: shuffled environments", _four(a["mutual_information_shuffled"]), ""],
        ["I(V:E), exact", _four(a.get("mutual_information_block")), ""],
        ["I(H:E)/I(V:E), exact", _four(train_lambda.share(a, "_soft")), _four(train_lambda.share(a))],
        *_total_correlation(a),
    ]
    return table(rows)


def _total_correlation(a: dict) -> list[list[str]]:
    """Rows on the correlation within V; none of files before 1.2."""
    if "total_correlation" not in a:
        return []
    explained = {"TC(V:H), held out": "total_correlation", "  sum over units, held out": "total_correlation_bound"}
    rows = [[title, with_error(a[name], a[name + "_error"]), ""] for title, name in explained.items()]
    return [*rows, ["TC(V)", _four(a.get("total_correlation_block")), ""]]


def _four(value: float | None) -> str:
    return "-" if value is None else f"{value:z.4f}"


# ---- flow -----------------------------------------------------------------------------------------------------------

def _describe_flow(file: File) -> list[str]:
    flows, rule = summary(file.path)["flows"], file.attributes["rule"]
    name = rule.get("name") or f"learned, digest {rule['digest'][:12]}"
    dimension = len(file.attributes["block"])
    lines = fields([("rule", f"{name}, {'hard' if rule['hard'] else 'soft'}, block {shape_text(file.attributes['block'])}"), ("steps", str(file.attributes["steps"]))])
    for sizes in dict.fromkeys(_sizes(flow) for flow in flows):
        lines += ["", *_flow_table([flow for flow in flows if _sizes(flow) == sizes], sizes, dimension)]
    wrapped = any(row["wraps"] for flow in flows for row in flow["steps"])
    marks = ["", _wrapping_mark(dimension)] if wrapped else []
    return [*lines, *marks, *sorted({f"  -  {flow['reason']}" for flow in flows if "reason" in flow}), "", *_interactions(flows, dimension)]


def _wrapping_mark(dimension: int) -> str:
    return f"  *  lattice smaller than {smallest_size(dimension)}: operators wrap around it"


def _sizes(flow: dict) -> tuple[int, ...]:
    return tuple(row["size"] for row in flow["steps"])


def _flow_table(flows: list[dict], sizes: tuple[int, ...], dimension: int) -> list[str]:
    """What the flow shows in a dimension (`flow_quantity`), one line per temperature and one column per step."""
    key, unit, text = flow_quantity(dimension)
    steps = range(len(sizes))
    rows = [["T/T_c" if dimension > 1 else "K", "T", *(f"step {step}" for step in steps)], ["", "J/k_B", *(f"L = {size}" for size in sizes)]]
    for flow in flows:
        rows.append(_temperature_cells(flow, dimension) + [_relative(row, key, unit) for row in flow["steps"]])
    return [f"  {text}", "", *table(rows)]


def flow_quantity(dimension: int) -> tuple[str, float, str]:
    """What is shown of a flow: its name in a step's row, the unit it is shown in, and a sentence. K_eff/K_c in two dimensions, K_eff of
    the chain, which has no K_c, and the energy in three dimensions, which have no K_eff."""
    if dimension == 3:
        return "energy_nn", 1.0, "energy per site of the blocked lattice in J, -<nearest neighbours>"
    critical = ising.critical_temperature(dimension)
    if critical is None:
        return "coupling_eff", 1.0, "K_eff"
    return "coupling_eff", 1 / critical, f"K_eff/K_c with K_c = {1 / critical:.6f}"


def _interactions(flows: list[dict], dimension: int) -> list[str]:
    """The couplings of all operators at every temperature and step, and those of the other sets at the temperature next to T_c."""
    if any(flow["interactions"] is None for flow in flows):
        return ["  no couplings: files of format 1.0 do not hold what they are made from; run rsmi flow again"]
    headline = [(flow, [row for row in flow["interactions"] if row["operators"] == [*NAMES]]) for flow in flows]
    chosen = next_to_critical(flows, dimension)
    fewer = [list(names) for names in dict.fromkeys(tuple(row["operators"]) for row in chosen["interactions"]) if names != NAMES]
    others = [row for names in fewer for row in chosen["interactions"] if row["operators"] == names]
    rows = [row for flow in flows for row in flow["interactions"]]
    marks = ["  +  lattice so small that products of different operators coincide"] if any(row["wraps"] for row in rows) else []
    reasons = dict.fromkeys(f"  -  step {row['step']}, {' '.join(row['operators'])}: {row['reason']}" for row in rows if row["reason"])
    where = f", {'T/T_c' if dimension > 1 else 'K'} = {_temperature_cells(chosen, dimension)[0]}" if chosen["coupling"] is not None and len(flows) > 1 else ""
    return [
        "  couplings of the coarse systems (inversion of the Callen equations)",
        "",
        *_coupling_table([(_temperature_cells(flow, dimension), row) for flow, rows in headline for row in rows], ["T/T_c" if dimension > 1 else "K", "T"], NAMES),
        "",
        f"  with fewer operators{where}",
        "",
        *_coupling_table([([" ".join(row["operators"])], row) for row in others], ["operators"], NAMES),
        *([""] if marks or reasons else []),
        *marks,
        *reasons,
    ]


def next_to_critical(flows: list[dict], dimension: int) -> dict:
    """The temperature next to T_c; the lowest one in one dimension, where T_c = 0; the first if all are unknown."""
    critical = ising.critical_temperature(dimension) or 0.0
    known = [flow for flow in flows if flow["temperature"] is not None]
    return min(known, key=lambda flow: abs(flow["temperature"] - critical)) if known else flows[0]


def _coupling_table(rows: list[tuple[list[str], dict]], titles: list[str], names: tuple[str, ...]) -> list[str]:
    """A line per row of couplings; what stands before them only where it changes."""
    lines, before = [[*titles, "step", "L", *names]], None
    for cells, row in rows:
        values = dict(zip(row["operators"], zip(row["values"] or [None] * len(names), row["errors"] or [None] * len(names))))
        shown = [with_error(*values[name]) + ("+" if row["wraps"] and row["values"] else "") if name in values else "" for name in names]
        lines.append([*(cells if cells != before else [""] * len(cells)), str(row["step"]), str(row["size"]), *shown])
        before = cells
    return table(lines)


def _temperature_cells(flow: dict, dimension: int) -> list[str]:
    """T/T_c (K in one dimension) and T, for a table."""
    first = relative_temperature(flow["coupling"], dimension) or flow["coupling"]
    return [f"{first:.4f}", f"{flow['temperature']:.5f}"] if first else ["unknown", "-"]


def _relative(row: dict, key: str, unit: float) -> str:
    if row[key] is None:
        return "-"
    return with_error(row[key] / unit, row[f"{key}_error"] and row[f"{key}_error"] / unit) + ("*" if row["wraps"] else "")


# ---- exponent -------------------------------------------------------------------------------------------------------

def _describe_exponent(file: File) -> list[str]:
    found, dimension = summary(file.path), len(file.attributes["block"])
    temperature = "unknown" if found["temperature"] is None else f"{found['temperature']:.6f} J/k_B"
    critical = found["critical_temperature_from"]
    if found["critical_temperature"] is not None:
        critical = f"{found['critical_temperature']:.6f} J/k_B ({critical})"
    lines = fields([("measured at T", temperature), ("reference T_c", critical), ("lattice", f"{found['size']} sites along a side, block {shape_text(file.attributes['block'])}")])
    lines += ["", *fields(_headline(found, dimension))]
    for name in EXPONENTS:
        lines += ["", f"  {name} by number of operators", "", *_sequence_table(found[name], found.get("changes", {}).get(name, []))]
    if dimension == 2:
        lines += ["", *_thermometer_table(found)]
    return [*lines, *_remarks(found, dimension)]


def _headline(found: dict, dimension: int) -> list[tuple[str, ...]]:
    known = ising.EXPONENTS[dimension]
    rows = [("", "measured", "known" if dimension == 3 else "exact", "")]
    for name in EXPONENTS:
        row = found["headline"][name]
        rows.append((name, with_error(row["value"], row["error"]), known[name].text if known else "-", row["reason"] or f"step {row['step']}, {row['operators']} operators"))
    rows.append(("nu", with_error(found["nu"], found["nu_error"]), known["nu"].text if known else "-", found["nu_reason"] or found["nu_remark"]))
    critical = ising.critical_temperature(dimension)
    rows.append(("T_c", with_error(found["T_c"], found["T_c_error"]), f"{critical:.6f}" if critical else "-", found["T_c_reason"] or f"J/k_B, crossing of steps 2 and 3; {found['T_c_remark']}"))
    return rows


def _sequence_table(entries: list[dict], changes: list[dict]) -> list[str]:
    """By number of operators, a column per step; the last line is what the step changes, with the covariance of the two steps."""
    steps, counts = sorted({row["step"] for row in entries}), sorted({row["operators"] for row in entries})
    cells = {(row["operators"], row["step"]): with_error(row["value"], row["error"]) + ("*" if row["wraps"] and row["value"] is not None else "") for row in entries}
    lines = [[str(count), *(cells.get((count, step), "-") for step in steps)] for count in counts]
    if changes:
        by_step = {row["step"]: with_error(row["value"], row["error"]) for row in changes}
        lines.append(["change", *(by_step.get(step, "") for step in steps)])
    return table([["operators", *(f"step {step}" for step in steps)], *lines])


def _thermometer_table(found: dict) -> list[str]:
    columns = {"nu (fluctuations)": "nu_sequence", "nu (differences)": "nu_differences", "T_c (crossing with the next step)": "T_c_sequence"}
    cells = {title: {row["step"]: with_error(row["value"], row["error"]) for row in found[key]} for title, key in columns.items()}
    steps = sorted(set().union(*cells.values()))
    return [*table([["step", *columns], *([str(step), *(cells[title].get(step, "-") for title in columns)] for step in steps)]), *_collapse_lines(found.get("nu_collapse"))]


def _collapse_lines(row: dict | None) -> list[str]:
    """nu from the collapse of the flow; nothing in files older than it."""
    if row is None:
        return []
    if row["value"] is None:
        return ["", *fields([("nu by collapse", "-", row["reason"])])]
    used = sorted({(point["step"], point["size"]) for point in row["points"]})
    quality = f"{len(row['points'])} effective couplings of steps {used[0][0]} to {used[-1][0]} scatter about one curve by {row['scatter']:.2g} K_c beyond their errors"
    return ["", *fields([("nu by collapse", with_error(row["value"], row["error"]), row["remark"]), ("", f"({row['error_statistical']:.2g} statistical)", quality)])]


def _remarks(found: dict, dimension: int) -> list[str]:
    """Why values are missing, and what the marks mean."""
    rows = [(name, row) for name in EXPONENTS for row in found[name]]
    rows += [(name, row) for name in ("nu", "T_c") for row in found[f"{name}_sequence"]] + [("nu", row) for row in found["nu_differences"]]
    steps: dict[tuple[str, str], set[int]] = {}
    for name, row in rows:
        if row["reason"]:
            steps.setdefault((name, row["reason"]), set()).add(row["step"])
    reasons = [f"  -  {name}, step{'s' * (len(where) > 1)} {', '.join(map(str, sorted(where)))}: {reason}" for (name, reason), where in steps.items()]
    wraps = [_wrapping_mark(dimension)] if any(row.get("wraps") for _, row in rows) else []
    return [*([""] if reasons or wraps else []), *wraps, *reasons]


# ---- crossing -------------------------------------------------------------------------------------------------------

def _describe_crossing(file: File) -> list[str]:
    found = summary(file.path)
    low, high = found["temperatures"][0], found["temperatures"][-1]
    lines = fields([
        ("sizes", ", ".join(map(str, found["sizes"]))),
        ("temperatures", f"{len(found['temperatures'])} from {low:.6g} to {high:.6g} J/k_B"),
        ("errors", f"jackknife over {found['blocks']} blocks, reweighting included; not the drift of the crossings with the sizes"),
    ])
    exact = exact_critical_temperature(found["model"], found["dimension"])
    known = () if exact is None else (f"{'exact' if found['dimension'] == 2 else 'best known'} {exact:.6f}, not used",)
    headline = [("T_c", with_error(found["T_c"], found["T_c_error"]), found["T_c_reason"] or "J/k_B", *known), ("nu", with_error(found["nu"], found["nu_error"]), "ratio of the slopes")]
    return [*lines, "", *fields(headline), *(line for name, title in QUANTITY_TITLES.items() for line in _crossing_table(found, name, title, exact)), *_crossing_remarks(found)]


QUANTITY_TITLES = {"binder": "Binder cumulant U = 1 - <m^4>/(3 <m^2>^2)", "correlation_ratio": "correlation ratio R = C(L/2)/C(L/4)"}


def exact_critical_temperature(model: str, dimension: int) -> float | None:
    """T_c of the infinite lattice in J/k_B, exact or the best known one; None where there is none."""
    return ising.critical_temperature(dimension) if model == "ising" else None


def _crossing_table(found: dict, name: str, title: str, exact: float | None) -> list[str]:
    head = ["sizes", "T_c", *(["off by"] if exact else []), "U" if name == "binder" else "R", "nu"]
    rows = [row for row in found["crossings"] if row["quantity"] == name]
    cells = [
        [", ".join(map(str, row["sizes"])), *_pair(row, "T_c"), *([_off(row, exact)] if exact else []), *_pair(row, "value"), *_pair(row, "nu")]
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
    reasons = dict.fromkeys(f"  -  sizes {', '.join(map(str, row['sizes']))}: {row['reason']}" for row in found["crossings"] if row["reason"])
    return ["", *reasons] if reasons else []


_DESCRIPTIONS = {"samples": _describe_samples, "theta": _describe_theta, "lambda": _describe_lambda, "flow": _describe_flow, "exponent": _describe_exponent, "crossing": _describe_crossing}
