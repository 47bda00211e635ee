"""Files of mcising (pypi.org/project/mcising): what they say about their configurations."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import h5py

from rsmi.errors import DataError, Failure, UsageError
from rsmi.store.digest import read_attribute

_PATIENCE = 60  # seconds for reading one attribute
_SHOWN_TEMPERATURES = 12
# The lattices of mcising that have one spin on every site of a hypercubic lattice.
_LATTICES = ("chain", "square", "cubic")


def is_mcising(file: h5py.File) -> bool:
    """Whether a file has the layout of ``mcising.save_hdf5``.

    Its group metadata has the attribute config_json, and its configurations are in groups T=...
    """
    group = file.get("metadata")
    return (
        isinstance(group, h5py.Group)
        and "config_json" in group.attrs
        and any(name.startswith("T=") for name in file)
    )


@dataclass(frozen=True)
class Mcising:
    """What a file of mcising says about the configurations at one temperature.

    The Hamiltonian of mcising is -J1 sum_nn - J2 sum_nnn - J3 sum_3rd - h sum_i, and k_B = 1.

    Attributes
    ----------
    dataset : str
        The path of the configurations.
    coupling : float, optional
        K = J1/T, if all other couplings are zero on a hypercubic lattice.
    remark : str, optional
        The reason why there is no coupling.
    model : str
        The name of the model that mcising samples.
    """

    dataset: str
    coupling: float | None
    remark: str | None
    model: ClassVar[str] = "ising"

    @classmethod
    def of(cls, file: h5py.File, path: Path, temperature: float | None) -> Mcising:
        """The facts about the configurations at a temperature, or about the only ones.

        Raises
        ------
        UsageError
            If there are no configurations at the temperature, or if several temperatures are there
            and none is given.
        DataError
            If there are no configurations, or if the lattice is no lattice of rsmi.
        """
        groups = {
            _temperature(file[name], path): name
            for name in file
            if name.startswith("T=") and "configurations" in file[name]
        }
        if not groups:
            raise DataError(
                f"{path}: a file of mcising without configurations: let it run with --store-configs"
            )
        nearest = _nearest(sorted(groups), temperature, path)
        lattice = _lattice(path)
        remark = _why_unknown(lattice)
        return cls(
            f"/{groups[nearest]}/configurations",
            None if remark else lattice["j1"] / nearest,
            remark,
        )


def _temperature(group: h5py.Group, path: Path) -> float:
    value = float(read_attribute(group, "temperature"))
    if not 0 < value < math.inf:
        raise DataError(f"{path}: {group.name} has the temperature {value}")
    return value


def _nearest(listed: Sequence[float], temperature: float | None, path: Path) -> float:
    """The temperature in the file that agrees with the given one."""
    shown = ", ".join(f"{value:.6g}" for value in listed[:_SHOWN_TEMPERATURES]) + (
        " ..." if len(listed) > _SHOWN_TEMPERATURES else ""
    )
    if temperature is None and len(listed) > 1:
        raise UsageError(
            f"{path}: holds configurations at {len(listed)} temperatures: choose by --temperature"
            f" one of {shown}"
        )
    if temperature is None:
        return listed[0]
    distances = [abs(value - temperature) for value in listed]
    if min(distances) > 1e-5 * temperature:
        raise UsageError(
            f"{path}: holds no configurations at temperature {temperature:g}: choose by"
            f" --temperature one of {shown}"
        )
    return listed[distances.index(min(distances))]


def _lattice(path: Path) -> dict[str, Any]:
    """The name of the lattice and the couplings."""
    lattice = json.loads(_text_of_variable_length(path, "metadata", "config_json"))["lattice"]
    kind, couplings = (
        str(lattice["lattice_type"]),
        {name: float(lattice[name]) for name in ("j1", "j2", "j3", "h")},
    )
    if kind == "honeycomb":
        raise DataError(
            f"{path}: mcising's honeycomb lattice has two spins in every cell, which is no lattice"
            " of rsmi: export it as a brick wall with --mask"
        )
    return {"lattice": kind, **couplings}


def _text_of_variable_length(path: Path, group: str, attribute: str) -> str:
    """A text attribute, read by another process.

    HDF5 follows the pointers of such texts wherever they lead, and it may crash or never return.
    """
    program = (
        "import h5py, sys; value = h5py.File(sys.argv[1],"
        " locking=False)[sys.argv[2]].attrs[sys.argv[3]]; print(value if isinstance(value, str)"
        " else bytes(value).decode())"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, path, group, attribute],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=True,
        )
    except (subprocess.SubprocessError, UnicodeError) as error:
        raise DataError(f"{path}: {attribute} of {group} cannot be read") from error
    except OSError as error:
        raise Failure(
            f"{path}: {sys.executable}, which is to read {attribute}, cannot be started"
            f" ({error.strerror})"
        ) from error
    return done.stdout


def _why_unknown(lattice: dict[str, Any]) -> str | None:
    """The reason why the coupling is not that of the nearest-neighbour model; None if it is."""
    others = [f"{name} = {lattice[name]:g}" for name in ("j2", "j3", "h") if lattice[name]]
    if lattice["lattice"] not in _LATTICES:
        return f"the {lattice['lattice']} lattice is not hypercubic"
    if others:
        return f"{', '.join(others)} beside the nearest-neighbour coupling"
    return None if lattice["j1"] > 0 else f"j1 = {lattice['j1']:g} is no ferromagnet"
