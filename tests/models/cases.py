"""What the contract of models is made of: cases, files that are made once, kills, and the
chi-squared test."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FINE, run_here
from numpy.typing import NDArray

from rsmi.engine import session
from rsmi.lattice.packed import unpack_spins, unpack_states
from rsmi.store import open_file

# K_c, T_c and the energy at T_c on the square lattice, and its magnetic exponent.
ISING_NUMBERS = (r"0\.4406", r"2\.269", r"1\.4142", r"\b1\.875\b", "15/8")
SCHEDULE = "--thermalization 5 --interval 2"  # of the tests that ask for no statistics


@dataclass(frozen=True)
class Case:
    """One way of sampling a model: an algorithm and how its chains lie in memory.

    Attributes
    ----------
    name : str
    options : str
        The options of ``rsmi sample`` that name the smallest lattice, the state point and the
        algorithm.
    chains : int
        At least three tasks of them, so that they can be divided into three shards.
    interval : int
        Sweeps between samples after which the smallest lattice has forgotten the sample before:
        tau_int is then 0.5 stored intervals.
    conditional : bool
        Whether the smallest lattice has too many states for an enumeration. The distribution of
        each spin given all others is then compared instead of that of whole configurations.
    samples : int
        Of the comparison with exact probabilities.
    slow : bool
        Whether the case belongs to ``-m slow``: one case for each layout does not.
    """

    name: str
    options: str
    chains: int = 8
    interval: int = 10
    conditional: bool = False
    samples: int = 20_000
    slow: bool = False

    def __str__(self) -> str:
        return self.name

    def line(self, model: str, samples: int, schedule: str = SCHEDULE) -> str:
        """The command line without the name of the output."""
        return (
            f"sample --model {model} {self.options} --chains {self.chains} {schedule}"
            f" --samples {samples}"
        )

    @property
    def few(self) -> int:
        """A number of samples for tests of machinery that the chains do not divide."""
        return 3 * self.chains // 2 + 61


class Workshop:
    """A folder with the output of every command line that was run there, each made once."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.made: dict[str, Path] = {}

    def __call__(self, line: str) -> Path:
        """Return what a command line makes; FILES in it are absolute names."""
        if line not in self.made:
            path = self.folder / f"{len(self.made)}.h5"
            result = run_here(*line.split(), "-q", "-o", path)
            assert result.code == 0, f"rsmi {line}\n{result.err}"
            self.made[line] = path
        return self.made[line]


def configurations_of(path: Path) -> tuple[dict, NDArray[np.int8], NDArray]:
    """Attributes, configurations (n, components, *shape) and energies of a samples file. Variables
    are +-1, or codes of more than two states."""
    with open_file(path, "samples") as file:
        shape = (file.attributes["components"], *file.attributes["shape"])
        rows, states = file.read("/spins"), file.attributes.get("states", 2)
        if states > 2:
            configurations = unpack_states(rows, states, shape).astype(np.int8)
        else:
            configurations = unpack_spins(rows, shape)
        return file.attributes, configurations, file.read("/energy")


def every_spin(shape: tuple[int, ...]) -> NDArray[np.int8]:
    """All configurations (2^sites, 1, *shape) of +-1."""
    sites = int(np.prod(shape))
    bits = np.arange(1 << sites)[:, np.newaxis] >> np.arange(sites) & 1
    return (2 * bits - 1).astype(np.int8).reshape(-1, 1, *shape)


def every_code(shape: tuple[int, ...], states: int) -> NDArray[np.int8]:
    """All configurations (states^sites, 1, *shape) of codes."""
    sites = int(np.prod(shape))
    numbers = np.arange(states**sites)[:, np.newaxis] // states ** np.arange(sites)
    return (numbers % states).astype(np.int8).reshape(-1, 1, *shape)


def killed(arguments: list, renames: int) -> None:
    """Give a command in a forked process that kills itself just before the rename of that number;
    every row is a part, so that a rename commits a row."""
    child = os.fork()
    if not child:
        try:
            _die_before_rename(renames)
            run_here(*arguments)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def _die_before_rename(number: int) -> None:
    session.LIMITS = FINE
    replace, left = os.replace, iter(range(number - 1))

    def counting(*names, **folders):
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(*names, **folders)

    os.replace = counting


# ---- statistics ----------------------------------------------------------------------------------


def score(chi_squared: float, freedom: int) -> float:
    """How many standard deviations a chi-squared lies above what is expected.

    Its cube root is normal to good accuracy (E. B. Wilson and M. M. Hilferty, PNAS 17, 684 (1931)).
    """
    spread = 2 / (9 * freedom)
    return float(((chi_squared / freedom) ** (1 / 3) - (1 - spread)) / spread**0.5)


def chi_squared_score(counts: NDArray, expected: NDArray) -> float:
    """The `score` of the counts of independent samples in cells. Cells that are expected fewer
    than 5 times are pooled."""
    rare = expected < 5
    if rare.any():
        counts, expected = (
            np.append(cells[~rare], cells[rare].sum()) for cells in (counts, expected)
        )
    kept = expected > 0
    chi_squared = ((counts[kept] - expected[kept]) ** 2 / expected[kept]).sum()
    return score(chi_squared, np.count_nonzero(kept) - 1)


def positions(configurations: NDArray[np.int8], states: NDArray[np.int8]) -> NDArray[np.int64]:
    """The number (n,) of the state that each configuration is, -1 where it is none of them."""
    rows, known = (
        np.ascontiguousarray(array.reshape(len(array), -1)) for array in (configurations, states)
    )
    number = {row.tobytes(): i for i, row in enumerate(known)}
    return np.array([number.get(row.tobytes(), -1) for row in rows])


def up_given_the_others(
    configuration: NDArray[np.int8], energies, coupling: float, chosen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The probability (sites,) that each chosen site of a configuration (1, *shape) is up, given
    all others; ``energies`` is a function of configurations."""
    flipped = np.repeat(configuration[np.newaxis], np.count_nonzero(chosen), axis=0)
    sites = (np.arange(len(flipped)), 0, *np.nonzero(chosen))
    before = energies(configuration[np.newaxis])
    flipped[sites] *= -1
    cost = coupling * (energies(flipped) - before) * configuration[0][chosen]  # of down after up
    return 1 / (1 + np.exp(-cost))


def sublattices(shape: tuple[int, ...]) -> Iterator[NDArray[np.bool_]]:
    """The two sublattices of a lattice of even sides, whose sites are no nearest neighbours."""
    parity = np.indices(shape).sum(axis=0) % 2
    yield from (parity == 0, parity == 1)


def changed(attributes: Mapping[str, Any], **values: Any) -> dict:
    """Attributes with other values."""
    return {**attributes, **values}


# ---- files of unknown models ---------------------------------------------------------------------


def texts_of_figures(monkeypatch) -> list[str]:
    """A list that receives every text of the figures that are saved from now on. Their pixels are
    not computed."""
    figure, text = (pytest.importorskip(f"matplotlib.{name}") for name in ("figure", "text"))
    drawn: list[str] = []

    def saving(self, stream, **options):
        drawn.extend(found.get_text() for found in self.findobj(text.Text))
        stream.write(b"no pixels")

    monkeypatch.setattr(figure.Figure, "savefig", saving)
    return drawn


def check_nothing_known(text: str) -> None:
    """No exact value, no critical temperature and no number of the Ising model stands in a text."""
    for pattern in (r"exact[^\n]*\d", r"T/T_?c", r"T_c\W+\d", r"\bising\b", *ISING_NUMBERS):
        assert not re.search(pattern, text, re.I), (pattern, text)


def check_nothing_exact(value: Any, name: str = "") -> None:
    """The same in JSON, whatever the depth of its values."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else ((name, item) for item in value)
        for key, item in items:
            check_nothing_exact(item, key)
    elif "exact" in name or name in ("critical_temperature", "T_c", "T_c_error"):
        assert value is None, name
