"""Checks that the attributes and datasets of a file do not contradict each other.

`rsmi.store.open_file` runs them on every file that it opens. A correct digest is no proof: whoever
forges a file can also compute its digest.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable

import numpy as np

from rsmi.errors import DataError
from rsmi.lattice.packed import count_ones, row_bytes, unpack_mask
from rsmi.lattice.symbols import MOST_STATES
from rsmi.store.digest import canonical_json
from rsmi.store.file import File
from rsmi.store.schema.kinds import SHARDED

_FRACTION = re.compile(r"0|[1-9]\d?/[1-9]\d?")
_LONGEST = 1 << 16  # of a block
_MOST_PRODUCTS, _MOST_SPINS = 1 << 12, 64  # of a rule, and of the block on which products act


def check_consistency(file: File) -> None:
    """Refuse a file whose values contradict each other, although its structure is right.

    Raises
    ------
    DataError
        The sentence says what contradicts what.
    """
    check = _CHECKS.get(file.kind)
    if check is not None:
        check(file)


def _check_lattice(file: File) -> None:
    attributes, path = file.attributes, file.path
    shape = attributes["shape"]
    if not 1 <= len(shape) <= 3 or min(shape) < 1 or math.prod(shape) >= 1 << 31:
        raise DataError(f"{path}: shape {list(shape)} is no lattice in one to three dimensions")
    if attributes["rg_step"] < 0 or attributes["scale_factor"] < 1:
        raise DataError(f"{path}: rg_step or scale_factor is out of range")


def _check_samples(file: File) -> None:
    _check_lattice(file)
    _check_configurations(file)
    if "/mask" in file:
        _check_mask(file)
    if file.attributes["command"] == "sample":
        _check_count(file)
        _check_schedule(file)


def _check_configurations(file: File) -> None:
    attributes, path = file.attributes, file.path
    shape, original, components = (
        attributes[name] for name in ("shape", "original_shape", "components")
    )
    if attributes["boundary"] not in ("periodic", "open"):
        raise DataError(
            f"{path}: boundary {attributes['boundary'][:40]!r} is neither periodic nor open"
        )
    states = attributes.get("states", 2)
    if not 2 <= states <= MOST_STATES:
        raise DataError(f"{path}: states {states}: a variable has 2 to {MOST_STATES}")
    n, width = file.shape("/spins")
    needed = row_bytes((components, *shape), states)
    if not 1 <= components <= 64 or width != needed:
        of_states = f" of {states} states" if states > 2 else ""
        raise DataError(
            f"{path}: /spins has {width} bytes a row, where {components} x"
            f" {list(shape)}{of_states} needs {needed}"
        )
    if n < 1 or attributes["chains"] < 1:
        raise DataError(f"{path}: holds no samples")
    if len(original) != len(shape) or min(original) < 1:
        raise DataError(f"{path}: original_shape does not fit shape")


def _check_mask(file: File) -> None:
    attributes, sites = file.attributes, math.prod(file.attributes["shape"])
    one_component = attributes["components"] == 1 and attributes["boundary"] == "periodic"
    one_component &= attributes.get("states", 2) == 2
    if not one_component or not 0 < count_ones(file.read("/mask")) < sites:
        raise DataError(
            f"{file.path}: /mask needs one component, a periodic lattice, and sites both with data"
            " and without"
        )
    _check_cell(file)


def _check_cell(file: File) -> None:
    """Check that the cell of the mask, if there is one, tiles the lattice and its mask."""
    shape, cell = file.attributes["shape"], file.attributes.get("cell")
    if cell is None:
        return
    tiles = len(cell) == len(shape) and all(
        period > 0 and size % period == 0 for size, period in zip(shape, cell)
    )
    mask = unpack_mask(file.read("/mask"), shape)
    if not tiles or any(
        not np.array_equal(np.roll(mask, period, axis), mask) for axis, period in enumerate(cell)
    ):
        raise DataError(f"{file.path}: cell {list(cell)} is no period of /mask")


def _check_count(file: File) -> None:
    present, stated = file.shape("/spins")[0], file.parameters.get("samples")
    if stated != present:
        raise DataError(f"{file.path}: holds {present} samples, not the {stated} of its parameters")


def _check_schedule(file: File) -> None:
    """Check the schedule with which an extension of the file continues.

    A cluster or a worm has at least one site, so a sweep has at most as many of them as sites.
    """
    attributes = file.attributes
    least = {"thermalization": 0, "interval": 1, "clusters_per_sweep": 1}
    if (
        "algorithm" not in attributes
        or any(attributes.get(name, -1) < value for name, value in least.items())
        or attributes["clusters_per_sweep"] > math.prod(attributes["shape"])
    ):
        raise DataError(
            f"{file.path}: algorithm, thermalization, interval or clusters_per_sweep is missing or"
            " out of range"
        )
    for name in ("thermalization", "interval"):
        if file.parameters.get(name, "auto") not in ("auto", attributes[name]):
            raise DataError(
                f"{file.path}: {name} {attributes[name]} is not that of the parameters,"
                f" {file.parameters[name]}"
            )


def _check_shard(file: File) -> None:
    attributes, path = file.attributes, file.path
    shard, streams = attributes["shard"], attributes["streams"]
    if len(shard) != 2 or not 0 <= shard[0] < shard[1] <= streams:
        raise DataError(f"{path}: shard {list(shard)} of {streams} streams is none")
    for stream in file.names("/rows"):
        arrays = file.names(f"/rows/{stream}")
        if len({file.shape(f"/rows/{stream}/{name}")[0] for name in arrays}) != 1:
            raise DataError(f"{path}: /rows/{stream} must hold arrays of equal length")


def _check_window(file: File) -> None:
    _check_lattice(file)
    attributes, path = file.attributes, file.path
    block, shape, buffer, environment = (
        attributes[name] for name in ("block", "shape", "buffer", "environment")
    )
    fits = len(block) == len(shape) and min(block) >= 1 and buffer >= 0 and environment >= 1
    if not fits or any(
        size + 2 * (buffer + environment) > extent for size, extent in zip(block, shape)
    ):
        raise DataError(
            f"{path}: block {list(block)}, buffer {buffer} and environment {environment} do not fit"
            f" the lattice {list(shape)}"
        )


def _check_machines(file: File) -> None:
    _check_window(file)
    sites, visible = math.prod(file.attributes["block"]), file.shape("/block/weights")[0]
    live = int(np.count_nonzero(file.read("/mask"))) if "/mask" in file else sites
    if visible != live * file.attributes.get("components", 1):
        raise DataError(
            f"{file.path}: machines of {visible} block spins do not fit the block"
            f" {list(file.attributes['block'])}"
        )
    states = file.attributes.get("states", 2)
    if (file.shape("/features")[0] if "/features" in file else 2) != states:
        raise DataError(f"{file.path}: /features is not that of variables with {states} states")
    for machine in ("joint", "block"):
        for name in ("visible_bias", "hidden_bias"):
            if (f"/{machine}/{name}" in file) == ("/features" in file):
                raise DataError(
                    f"{file.path}: machines have biases, or features: see /{machine}/{name}"
                )


def _feature_width(file: File) -> int:
    """How many weights a filter has for each site of the block.

    Raises
    ------
    DataError
        If the hidden unit or the features contradict each other or the samples.
    """
    attributes, path = file.attributes, file.path
    several, form = attributes.get("hidden_states"), attributes.get("filter_form")
    if "/features" not in file:
        if several is not None or attributes.get("states", 2) > 2:
            raise DataError(f"{path}: dataset /features is missing")
        return 1
    states, width = file.shape("/features")
    if states != attributes.get("states", 2):
        raise DataError(f"{path}: /features has {states} states, the samples have another number")
    if (several is None) != (form is None) or form not in (None, "tied", "free"):
        raise DataError(f"{path}: hidden_states {several} and filter_form {form} do not fit")
    if form == "tied" and several != states:
        raise DataError(f"{path}: filters tied to {states} states, but hidden_states {several}")
    return 1 if form == "tied" else width


def _most_filters(file: File) -> int:
    """The largest number of filters: of 8 units, or of one for every state of a unit."""
    several = file.attributes.get("hidden_states")
    return 1 if file.attributes.get("filter_form") == "tied" else several or 8


def _check_rule(file: File) -> None:
    _check_window(file)
    attributes, path = file.attributes, file.path
    spins = attributes.get("components", 1) * math.prod(attributes["block"])
    filters, length = "/filters", spins * _feature_width(file)
    if "/products/sites" in file:
        _check_products(file, spins)
        filters = "/products/filters"
    if filters not in file:
        raise DataError(f"{path}: dataset {filters} is missing")
    hidden, features = file.shape(filters)
    if (filters == "/filters" and features != length) or not 1 <= hidden <= _most_filters(file):
        raise DataError(
            f"{path}: filters {hidden} x {features} do not fit the block"
            f" {list(attributes['block'])}"
        )
    for name in (filters, "/bias", "/total_correlation/units", "/total_correlation/units_error"):
        if name in file and not np.isfinite(file.read(name)).all():
            raise DataError(f"{path}: {name} holds NaN or infinity")
    if not 0 <= attributes["restart"] < file.shape("/restarts/bound")[0]:
        raise DataError(
            f"{path}: restart {attributes['restart']} is none of its"
            f" {file.shape('/restarts/bound')[0]}"
        )


def _check_products(file: File, spins: int) -> None:
    """Check that each product has different factors of the block, followed by -1 if there are
    fewer, and that no product occurs twice."""
    count, most = file.shape("/products/sites")
    possible = 1 <= count <= _MOST_PRODUCTS and 1 <= most <= spins <= _MOST_SPINS
    if "/filters" in file or not possible or not _are_products(file.read("/products/sites"), spins):
        raise DataError(
            f"{file.path}: /products/sites does not hold different products of the {spins} spins of"
            f" the block {list(file.attributes['block'])}"
        )


def _are_products(table: np.ndarray, spins: int) -> bool:
    """Whether the rows of a table hold different factors below ``spins``, then -1, and differ."""
    used = table >= 0
    factors = [row[row >= 0].tolist() for row in table]
    return bool(
        ((table >= -1) & (table < spins)).all()
        and used[:, 0].all()
        and not (used[:, 1:] & ~used[:, :-1]).any()
        and all(len(set(one)) == len(one) for one in factors)
        and len({frozenset(one) for one in factors}) == len(factors)
    )


def _check_result(file: File) -> None:
    result = json.loads(bytes(file.read("/result")[()]).decode())
    if not isinstance(result, dict):
        raise DataError(f"{file.path}: /result is no JSON object")
    canonical_json(result)  # refuses NaN and infinity
    file.verify()  # the file is small, and its readers check no values


def _check_flow(file: File) -> None:
    """Check that every input file has jackknife blocks, and that all counts are positive."""
    owner, files = file.read("/blocks/file"), file.shape("/files/coupling")[0]
    positive = [
        file.read("/blocks/counts"),
        *(file.read(name) for name in ("/files/chains",) if name in file),
    ]
    if (
        files < 1
        or not np.array_equal(np.unique(owner), np.arange(files))
        or any((values < 1).any() for values in positive)
    ):
        raise DataError(f"{file.path}: an input file has no blocks, or a block no samples")
    _check_tiling(file)
    _check_rules(file)
    if "/neighbourhoods/file" in file:
        _check_neighbourhoods(file, files)


def _check_tiling(file: File) -> None:
    """Check that the blocks tile every lattice in every step, and that there is a level per
    step."""
    block, steps, levels = (
        file.attributes["block"],
        file.attributes["steps"],
        file.shape("/blocks/even_sums")[1],
    )
    if min(block, default=0) < 1 or steps != levels - 1 or steps < 1:
        raise DataError(
            f"{file.path}: block {list(block)} or steps {steps} is out of range, or not that of its"
            f" {levels} levels"
        )
    for shape in file.read("/files/shape").tolist():
        if len(shape) != len(block) or any(
            extent < 1 or extent % size**steps for extent, size in zip(shape, block)
        ):
            raise DataError(
                f"{file.path}: blocks of {list(block)} do not tile a lattice of {shape} {steps}"
                " times"
            )


def _check_rules(file: File) -> None:
    """Check that there is a rule, or a list with a rule for each step."""
    attributes = file.attributes
    rules = attributes.get("rules", [attributes.get("rule")])
    count = attributes["steps"] if "rules" in attributes else 1
    if (
        ("rule" in attributes) == ("rules" in attributes)
        or not isinstance(rules, list)
        or len(rules) != count
        or not all(isinstance(rule, dict) for rule in rules)
    ):
        raise DataError(f"{file.path}: there is not one rule for all steps, or one for each step")


def _check_neighbourhoods(file: File, files: int) -> None:
    owner, samples, counts = (
        file.read(f"/neighbourhoods/{name}") for name in ("file", "samples", "counts")
    )
    if (
        not np.array_equal(np.unique(owner), np.arange(files))
        or min(samples.min(), counts.min(initial=0)) < 0
        or (np.bincount(owner, samples) < 1).any()
    ):
        raise DataError(
            f"{file.path}: /neighbourhoods leaves out an input file, or counts less than nothing"
        )


def _check_spectrum(file: File) -> None:
    """Check that there is a name for every function, that every file has groups, and that all
    sums are finite."""
    for sector in ("odd", "even"):
        names, count = file.attributes[f"{sector}_functions"], _functions(file, sector)
        if not _are_names(names) or len(names) != count:
            raise DataError(f"{file.path}: {sector}_functions are not the names of {count}")
    _check_groups(file)


def _check_correlation(file: File) -> None:
    """Check that there are a name and a sector for every function, and as many distances as the
    lattices have."""
    names, sectors = file.attributes["functions"], file.attributes["sectors"]
    count, length = file.shape("/groups/axis")[1:]
    if not _are_names(names) or not _are_names(sectors) or not len(names) == len(sectors) == count:
        raise DataError(f"{file.path}: functions and sectors are not those of {count} functions")
    _check_groups(file)
    _check_operators(file, count)
    if length != max(min(shape) // 2 + 1 for shape in file.read("/files/shape").tolist()):
        raise DataError(f"{file.path}: {length} distances are not those of the lattices")


def _check_operators(file: File, count: int) -> None:
    """Check that there are waves next to the origin, and that operators are made of functions."""
    dimension = file.shape("/files/shape")[1]
    if file.shape("/groups/near_modes")[-1] != 3**dimension:
        raise DataError(f"{file.path}: near_modes are not those of {dimension} dimensions")
    operators = file.attributes["operators"]
    if not isinstance(operators, list) or not all(
        _is_operator(one, count, dimension) for one in operators
    ):
        raise DataError(f"{file.path}: operators are not made of {count} functions")


def _is_operator(one: object, count: int, dimension: int) -> bool:
    if not isinstance(one, dict) or not {"functions", "wave", "block"} <= one.keys():
        return False
    functions, wave, block = one["functions"], one["wave"], one["block"]
    return (
        all(isinstance(part, list) for part in (functions, wave, block))
        and 0 < len(functions) <= count
        and all(type(number) is int and 0 <= number < count for number in functions)
        and len(wave) == len(block) == dimension
        and all(isinstance(part, str) and _FRACTION.fullmatch(part) for part in wave)
        and all(type(side) is int and 0 < side < _LONGEST for side in block)
    )


def _functions(file: File, sector: str) -> int:
    """The number of functions of a sector whose sums are stored."""
    return file.shape(f"/groups/{sector}_sums")[1]


def _are_names(names: object) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) and name for name in names)


def _check_groups(file: File) -> None:
    owner, files = file.read("/groups/file"), file.shape("/files/coupling")[0]
    sums = [name for name in file.datasets() if name.startswith("/groups/") and name[8:] != "file"]
    if (
        files < 1
        or not np.array_equal(np.unique(owner), np.arange(files))
        or (file.read("/groups/count") < 1).any()
        or not all(np.isfinite(file.read(name)).all() for name in sums)
    ):
        raise DataError(f"{file.path}: a file has no groups, a group no samples, or a sum is NaN")
    shapes = file.read("/files/shape")
    if shapes.shape[1] not in (1, 2, 3) or (shapes < 1).any():
        raise DataError(f"{file.path}: /files/shape holds no lattices in one to three dimensions")


_CHECKS: dict[str, Callable[[File], None]] = {
    "flow": _check_flow,
    "exponent": _check_result,
    "crossing": _check_result,
    "spectrum": _check_spectrum,
    "correlation": _check_correlation,
    "samples": _check_samples,
    "theta": _check_machines,
    "lambda": _check_rule,
}
_CHECKS |= dict.fromkeys((f"{name}-shard" for name in SHARDED), _check_shard)
