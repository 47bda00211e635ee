"""In how many ways an array can be read whose axes have no names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rsmi.errors import UsageError
from rsmi.store.import_axes import LATTICE, plain_axes

_FEW = 4  # components of a site, at most, where nobody says how many
_SHORTEST_FLAT = 16  # sites of a flat lattice, at least

# What an array could be, and the options that say so.
Reading = tuple[str, str]


def require_one_reading(path: Path, shape: Sequence[int], text: bool = False) -> None:
    """Refuse an array whose axes can mean different things.

    Parameters
    ----------
    path : Path
    shape : sequence of int
        Of the whole array.
    text : bool
        Whether it is the lines of a text, of which each may be a row of a lattice.

    Raises
    ------
    UsageError
        With what the array could be, and the options that say so.
    """
    dimension = len(shape) - 1
    readings = [_plain(shape)] if 1 <= dimension <= 3 else []
    readings += _flat(shape) + _rows_of_text(shape) * text + _transposed(shape) * (not text)
    readings += _with_components(shape) or _several_ensembles(shape)
    if dimension == 0:
        raise UsageError(
            f"{path}: has shape {list(shape)}; (n, L), (n, Ly, Lx) or (n, Lz, Ly, Lx) is needed,"
            " the first axis counting configurations"
        )
    if not 1 <= dimension <= 3 or len(readings) > 1:
        listed = "; or ".join(f"{what} ({option})" for what, option in readings)
        raise UsageError(
            f"{path}: an array of shape {list(shape)} could be {listed}: say which by the option"
            if readings
            else f"{path}: has shape {list(shape)}: name its axes by --axes"
        )


def _times(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _is_cube(shape: Sequence[int]) -> bool:
    return len(set(shape)) == 1


def _plain(shape: Sequence[int]) -> Reading:
    n, *lattice = shape
    option = f"--axes {plain_axes(len(lattice))}" if len(lattice) > 1 else f"--shape {lattice[0]}"
    return f"{n} configurations of a lattice {_times(lattice)}", option


def _flat(shape: Sequence[int]) -> list[Reading]:
    """A row of sites may be a square or a cube."""
    n, sites = shape[0], shape[-1]
    if len(shape) != 2 or sites < _SHORTEST_FLAT:
        return []
    sides = {power: round(sites ** (1 / power)) for power in (2, 3)}
    lattices = [_times([side] * power) for power, side in sides.items() if side**power == sites]
    return [(f"{n} flat lattices {shape}", f"--shape {shape}") for shape in lattices]


def _rows_of_text(shape: Sequence[int]) -> list[Reading]:
    """Lines may be rows of squares."""
    if len(shape) != 2 or shape[0] < 2 * shape[1] or shape[0] % shape[1] or shape[1] < _FEW:
        return []
    n, side = shape[0] // shape[1], shape[1]
    return [(f"{n} lattices {side}x{side}, one row a line", f"--shape {side}x{side}")]


def _transposed(shape: Sequence[int]) -> list[Reading]:
    """Configurations may be counted by the last axis."""
    *lattice, n = shape
    if len(lattice) == 1 and 1 < lattice[0] < n:
        return [(f"{n} configurations of {lattice[0]} sites", "--axes x,n")]
    if 2 <= len(lattice) <= 3 and _is_cube(lattice) and n != lattice[0]:
        names = ",".join((*LATTICE[3 - len(lattice) :], "n"))
        return [(f"{n} configurations of a lattice {_times(lattice)}", f"--axes {names}")]
    return []


def _with_components(shape: Sequence[int]) -> list[Reading]:
    """A short axis may count the variables of a site."""
    if not 3 <= len(shape) <= 5:
        return []
    found = []
    for place, names in ((-1, "{},c"), (1, "n,c,{}")):
        rest = list(shape)
        few = rest.pop(place)
        n, *lattice = rest
        if few <= _FEW and min(lattice) >= 2 * _FEW and (len(lattice) == 1 or _is_cube(lattice)):
            axes = plain_axes(len(lattice))
            names = names.format(axes if place < 0 else axes.removeprefix("n,"))
            found.append(
                (
                    f"{n} configurations of {_times(lattice)} sites with {few} components",
                    f"--axes {names}",
                )
            )
    return found


def _several_ensembles(shape: Sequence[int]) -> list[Reading]:
    """The first axis may count chains or temperatures, the second configurations."""
    first, n, *lattice = shape if len(shape) > 2 else (0, 0)
    plausible = len(lattice) > 1 or (len(lattice) == 1 and first < n != lattice[0])
    cube = len(lattice) == 2 and _is_cube((n, *lattice))
    if not plausible or cube or len(lattice) > 3:
        return []
    names = plain_axes(len(lattice))
    what = f"{n} configurations of a lattice {_times(lattice)} for each of {first}"
    return [
        (f"{what} chains", f"--axes chain,{names}"),
        (f"{what} temperatures", f"--axes t,{names} --select t=0"),
    ]
