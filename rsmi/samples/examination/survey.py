"""One pass over stored samples: what the examination looks at, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.packed import count_ones, n_planes, unpack_mask, unpack_spins, unpack_states
from rsmi.models.base import Model
from rsmi.samples.examination.fingerprints import Sketch, fingerprints

_MOST_STEPS = 1 << 18  # configurations that a series has at most; every k-th step of more
_PROBE_VALUES = 1 << 21  # variables of the configurations that are looked at site by site
_FEWEST_IN_PROBE = 64  # configurations, of large lattices fewer
_MOST_PROBE_VALUES = 1 << 24  # variables of these; at least one configuration
_BYTES_AT_ONCE = 1 << 20  # of configurations read


class Stored(Protocol):
    """Datasets of samples: a file, or one that is being written."""

    def __contains__(self, path: str) -> bool: ...

    def shape(self, path: str) -> tuple[int, ...]: ...

    def read(
        self, path: str, start: int | None = None, stop: int | None = None
    ) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Grid:
    """Every ``stride``-th step of some chains: configurations that represent all of them.

    Attributes
    ----------
    steps, chains : ndarray of int64
        Which steps of which chains.
    stride : int
        Stored steps between two of the grid.
    of : int
        The number of all chains; configuration i is step i // of, chain i mod of.
    """

    steps: NDArray[np.int64]
    chains: NDArray[np.int64]
    stride: int
    of: int

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Numbers of the configurations, ascending, (steps * chains,)."""
        return (self.steps[:, None] * self.of + self.chains).ravel()

    def by_chain(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Values (n,) of the configurations as (chains, steps)."""
        return np.asarray(values, np.float64).reshape(len(self.steps), len(self.chains)).T


def grid(count: int, chains: int, most: int) -> Grid:
    """A grid of at most ``most`` of the configurations of whole steps of all chains."""
    chains = min(chains, count)
    width = min(chains, most)
    steps = count // chains
    stride = -(-steps // max(most // width, 1))
    columns = np.arange(width) * chains // width
    return Grid(np.arange(0, steps, stride), columns, stride, chains)


@dataclass(frozen=True)
class Survey:
    """What was read of a set of samples.

    Attributes
    ----------
    attributes : mapping
        Those of the samples file, see SCHEMA.md.
    model : Model
    count : int
        The number of configurations.
    series : Grid
        The configurations of ``energies`` and ``magnetizations``.
    energies : ndarray of float64, (n,), optional
        In J, where they are known.
    magnetizations : ndarray of float64, (n,)
        The sum of all variables.
    probe : Grid
        The configurations of ``rows``.
    rows : ndarray of uint8, (k, bytes)
        Packed configurations.
    sketch : Sketch
        Fingerprints of the configurations.
    live : ndarray of bool, optional
        Which sites carry data; None if all do.
    """

    attributes: Mapping[str, Any]
    model: Model
    count: int
    series: Grid
    energies: NDArray[np.float64] | None
    magnetizations: NDArray[np.float64]
    probe: Grid
    rows: NDArray[np.uint8]
    sketch: Sketch
    live: NDArray[np.bool_] | None = None

    @property
    def chains(self) -> int:
        """The number of chains, no larger than that of configurations."""
        return self.series.of

    @property
    def steps(self) -> int:
        """The number of complete steps of every chain."""
        return self.count // self.chains

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the lattice."""
        return tuple(self.attributes["shape"])

    @property
    def components(self) -> int:
        """The number of variables at a site."""
        return int(self.attributes.get("components", 1))

    @property
    def states(self) -> int:
        """The number of states of every variable; 2 means +-1."""
        return int(self.attributes.get("states", 2))

    @property
    def bits(self) -> int:
        """The number of bits of a configuration."""
        return bits_of(self.attributes)

    @property
    def periodic(self) -> bool:
        """Whether the lattice is said to be periodic, and every site carries data."""
        return self.live is None and self.attributes.get("boundary", "periodic") == "periodic"

    @cached_property
    def spins(self) -> NDArray[np.int8]:
        """The variables +-1 of the probe, (k, components, \\*shape); codes of more than two
        states."""
        shape = (self.components, *self.shape)
        if self.states == 2:
            return unpack_spins(self.rows, shape)
        return unpack_states(self.rows, self.states, shape).astype(np.int8)

    @cached_property
    def fields(self) -> NDArray[np.int8]:
        """The variables of the probe as numbers, (k, components * f, \\*shape): themselves if they
        are +-1 (f = 1), else whether a variable is in state 0, 1, ..., q - 1 (f = q)."""
        if self.states == 2:
            return self.spins
        states = np.arange(self.states).reshape(-1, *[1] * len(self.shape))
        is_in = self.spins[:, :, np.newaxis] == states
        return is_in.astype(np.int8).reshape(len(self.rows), -1, *self.shape)

    def fields_of(self, component: int) -> range:
        """The numbers of the fields of a component."""
        count = 1 if self.states == 2 else self.states
        return range(component * count, (component + 1) * count)


class Surveyor:
    """Collects what the examination looks at from samples that pass by in pieces.

    Parameters
    ----------
    shape : tuple of int
        That of ``/spins``: configurations and bytes of each.
    attributes : mapping
        Those of the samples file.
    model : Model
    live : ndarray of bool, optional
        Which sites carry data; None if all do.
    has_energy : bool
        Whether the pieces have energies.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        attributes: Mapping[str, Any],
        model: Model,
        live: NDArray[np.bool_] | None,
        has_energy: bool,
    ):
        self._count, width = shape
        self._attributes, self._model, self._live = attributes, model, live
        self._variables = bits_of(attributes)
        chains = attributes["chains"]
        self._series = grid(self._count, chains, _MOST_STEPS)
        self._probe = grid(self._count, chains, _most_in_probe(self._variables))
        self._ones = np.zeros(len(self._series.rows))
        self._energies = np.zeros(len(self._series.rows)) if has_energy else None
        self._rows = np.zeros((len(self._probe.rows), width), np.uint8)
        self._sketch = Sketch()

    def add(self, start: int, rows: NDArray[np.uint8], energies: NDArray[Any] | None) -> None:
        """Look at packed configurations (n, bytes) from number ``start`` on, and at their energies
        (n,)."""
        _keep(self._rows, self._probe.rows, start, rows)
        if self._energies is not None and energies is not None:
            _keep(self._energies, self._series.rows, start, np.asarray(energies, np.float64))
        step = max(1, _BYTES_AT_ONCE // rows.shape[1])
        for first in range(0, len(rows), step):
            piece = rows[first : first + step]
            _keep(self._ones, self._series.rows, start + first, count_ones(piece))
            self._sketch.add(start + first, fingerprints(piece, self._variables))

    def survey(self) -> Survey:
        """What was collected, after all samples have passed."""
        sites = self._variables if self._live is None else int(self._live.sum())
        return Survey(
            self._attributes,
            self._model,
            self._count,
            self._series,
            self._energies,
            2 * self._ones - sites,
            self._probe,
            self._rows,
            self._sketch,
            self._live,
        )


def bits_of(attributes: Mapping[str, Any]) -> int:
    """The number of bits of a configuration of samples with these attributes."""
    planes = n_planes(attributes.get("states", 2))
    return attributes.get("components", 1) * planes * math.prod(attributes["shape"])


def _most_in_probe(variables: int) -> int:
    """The configurations of so many variables that are looked at site by site."""
    few = min(_FEWEST_IN_PROBE, _MOST_PROBE_VALUES // variables)
    return max(1, few, _PROBE_VALUES // variables)


def read_survey(stored: Stored, attributes: Mapping[str, Any], model: Model) -> Survey:
    """Read stored samples once, a few megabytes at a time."""
    shape, has_energy = stored.shape("/spins"), "/energy" in stored
    live = unpack_mask(stored.read("/mask"), attributes["shape"]) if "/mask" in stored else None
    surveyor = Surveyor(shape, attributes, model, live, has_energy)
    step = max(1, _BYTES_AT_ONCE // shape[1])
    for start in range(0, shape[0], step):
        stop = min(shape[0], start + step)
        energies = stored.read("/energy", start, stop) if has_energy else None
        surveyor.add(start, stored.read("/spins", start, stop), energies)
    return surveyor.survey()


def _keep(kept: NDArray[Any], numbers: NDArray[np.int64], start: int, values: NDArray[Any]) -> None:
    """Store the values of those configurations of a piece that are kept."""
    first, last = np.searchsorted(numbers, [start, start + len(values)])
    kept[first:last] = values[numbers[first:last] - start]
