"""Model files: from the content of a file to a definition, with one sentence for every fault."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rsmi.errors import UsageError
from rsmi.foreign_text import parse_toml, read_small_file
from rsmi.models.lattice import schema
from rsmi.models.lattice.definition import Bond, Definition


def read(path: Path) -> Definition:
    """Read a model file.

    Raises
    ------
    UsageError
        If there is no such file, it is no TOML, or it defines no model.
    """
    try:
        content = parse_toml(read_small_file(path))
    except OSError as error:
        raise UsageError(f"--model {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"--model {path}: this is no TOML file ({error})") from error
    try:
        return of_content(content)
    except UsageError as error:
        raise UsageError(f"--model {path}: {error}") from error


def from_json(content: Mapping[str, Any]) -> Definition:
    """Return the definition that `Definition.as_json` wrote."""
    given = {name: value for name, value in content.items() if value is not None}
    return of_content(given)


def of_content(content: Mapping[str, Any]) -> Definition:
    """Return the definition of the content of a model file.

    Raises
    ------
    UsageError
        With one sentence, if the content is not that of a model.
    """
    schema.check_keys(content, schema.KEYS, "the model")
    for name in ("name", "variable", "dimension"):
        if name not in content:
            raise UsageError(f"the model has no {name}; 'rsmi sample --model-schema' shows all")
    variable = schema.word_of(content["variable"], schema.VARIABLES, "variable")
    dimension = content["dimension"]
    if dimension not in (1, 2, 3) or isinstance(dimension, bool):
        raise UsageError(f"dimension = {dimension!r}: must be 1, 2 or 3")
    names, positions = _sites(content.get("sites"), dimension)
    read_bond = functools.partial(_bond, names=names, dimension=dimension)
    definition = Definition(
        name=schema.name_of(content["name"], "name"),
        variable=variable,
        dimension=dimension,
        basis=_basis(content.get("basis"), dimension),
        sites=names,
        positions=positions,
        bonds=_bonds(content.get("bonds", {}), read_bond),
        couplings=_couplings(content.get("couplings", {})),
        exclusions=_listed_bonds(content.get("exclusions", []), "exclusions", read_bond),
        field=schema.number_of(content.get("field", 0.0), "field"),
        fugacity=_fugacity(content.get("fugacity")),
        title=str(content.get("title", content["name"])),
        boundary=schema.word_of(content.get("boundary", "periodic"), schema.BOUNDARIES, "boundary"),
    )
    check(definition, content)
    return definition


def _sites(content: Any, dimension: int) -> tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]:
    """Names and positions of the sites of a cell."""
    if content is None:
        return ("A",), ((0.0,) * dimension,)
    if not isinstance(content, list) or not 1 <= len(content) <= schema.MOST_SITES:
        raise UsageError(f"sites: a cell has a list of 1 to {schema.MOST_SITES} sites, [[sites]]")
    names, positions = [], []
    for one in content:
        site = schema.table_of(one, "sites")
        schema.check_keys(site, schema.SITE_KEYS, "sites")
        names.append(schema.name_of(site.get("name"), "name of a site"))
        where = f"position of site {names[-1]}"
        position = schema.vector_of(site.get("position", [0.0] * dimension), dimension, where)
        positions.append(tuple(position))
    if len(set(names)) < len(names):
        raise UsageError(f"sites: two sites of the cell are called {_repeated(names)}")
    return tuple(names), tuple(positions)


def _repeated(names: list[str]) -> str:
    return next(name for name in names if names.count(name) > 1)


def _basis(content: Any, dimension: int) -> tuple[tuple[float, ...], ...]:
    """The basis; the unit vectors by default."""
    if content is None:
        return tuple(tuple(row) for row in np.eye(dimension).tolist())
    if not isinstance(content, list) or len(content) != dimension:
        raise UsageError(f"basis = {content!r}: must be a list of {dimension} vectors")
    basis = tuple(tuple(schema.vector_of(row, dimension, "basis")) for row in content)
    if abs(np.linalg.det(basis)) < 1e-9 * math.prod(max(map(abs, row)) or 1.0 for row in basis):
        raise UsageError(
            f"basis = {content!r}: the vectors lie in one"
            f" {'line' if dimension < 3 else 'plane'}, and their cells do not tile space"
        )
    return basis


def _couplings(content: Any) -> dict[str, float]:
    table = schema.table_of(content, "couplings")
    return {name: schema.number_of(table[name], f"coupling {name}") for name in sorted(table)}


def _fugacity(value: Any) -> float | None:
    if value is None:
        return None
    fugacity = schema.number_of(value, "fugacity")
    if fugacity <= 0:
        raise UsageError(f"fugacity = {value!r}: must be positive")
    return fugacity


# ---- bonds ---------------------------------------------------------------------------------------


def _bonds(content: Any, read_bond: functools.partial[Bond]) -> dict[str, tuple[Bond, ...]]:
    table = schema.table_of(content, "bonds")
    return {
        schema.name_of(name, "class of bonds"): _listed_bonds(table[name], name, read_bond)
        for name in sorted(table)
    }


def _listed_bonds(content: Any, what: str, read_bond: functools.partial[Bond]) -> tuple[Bond, ...]:
    if not isinstance(content, list):
        raise UsageError(f"{what} = {content!r}: must be a list of bonds such as [1, 0]")
    return tuple(read_bond(one, what=what) for one in content)


def _bond(content: Any, what: str, names: tuple[str, ...], dimension: int) -> Bond:
    """One bond: [1, 0], or ["A", "B", 1, 0]."""
    if isinstance(content, list) and len(content) == dimension and len(names) == 1:
        content = [names[0], names[0], *content]
    form = ", ".join(['"A", "B"' if len(names) > 1 else "", "1, 0, 0"[: 3 * dimension - 2]])
    if not isinstance(content, list) or len(content) != 2 + dimension:
        raise UsageError(f"{what}: {content!r} is no bond; write [{form.removeprefix(', ')}]")
    first, second, *offset = content
    for name in (first, second):
        if name not in names:
            raise UsageError(
                f"{what}: {content!r} names site {name!r}; there are {', '.join(names)}"
            )
    if not all(isinstance(step, int) and not isinstance(step, bool) for step in offset):
        raise UsageError(f"{what}: {content!r} has an offset that is no list of whole numbers")
    if max(map(abs, offset)) > 1_000_000:
        raise UsageError(f"{what}: {content!r} has an offset beyond any lattice")
    return Bond(names.index(first), names.index(second), tuple(offset))


# ---- contradictions ------------------------------------------------------------------------------


def check(definition: Definition, content: Mapping[str, Any]) -> None:
    """Raise UsageError if the parts of a definition contradict each other."""
    _check_bonds(definition)
    for name in definition.bonds.keys() ^ definition.couplings.keys():
        missing = "coupling" if name in definition.bonds else "bonds"
        raise UsageError(f"class {name} has no {missing}: bonds and couplings need the same names")
    if not definition.bonds and not definition.exclusions:
        raise UsageError("the model has neither bonds nor exclusions: its sites are independent")
    if definition.spins and ("fugacity" in content or definition.exclusions):
        raise UsageError("spins have a field; fugacity and exclusions are of occupations")
    if not definition.spins and content.get("field"):
        raise UsageError("occupations have a fugacity; a field is of spins")


def _check_bonds(definition: Definition) -> None:
    """Raise UsageError for a bond of a site with itself and for one that is given twice."""
    seen: dict[Bond, str] = {}
    for name, bond in definition.all_bonds():
        text = _described(definition, bond)
        if bond == bond.reversed:
            raise UsageError(f"{name}: the bond {text} joins a site to itself")
        for other in (bond, bond.reversed):
            if other in seen:
                where = f"in {name} and {seen[other]}" if seen[other] != name else f"in {name}"
                raise UsageError(
                    f"the bond {text} is given twice, {where}; both directions are one"
                )
        seen[bond] = name


def _described(definition: Definition, bond: Bond) -> str:
    names = definition.sites
    ends = f"{names[bond.first]}-{names[bond.second]} " if len(names) > 1 else ""
    return f"{ends}{list(bond.offset)}"
