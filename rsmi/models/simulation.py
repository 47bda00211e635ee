"""The interface between a model's sampler and the rest of the program.

A model that can be sampled has a subclass of `Simulation`. It must say which lattice and which
algorithm it simulates (``shape``, ``algorithm``), how chains begin (`Simulation.start`) and how
they make rows (`Simulation.advance`). Everything else has a default that suits a sampler of one
chain at a time in plain numpy.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.lattice.packed import row_bytes
from rsmi.models import streams
from rsmi.models.spins import magnetizations_of
from rsmi.store import File

_PILOT_SWEEPS = 4096  # of the shortest pilot run; fewer on large lattices
_PILOT_UPDATES = 1 << 30  # site updates of the longest pilot run, about


class Simulation(ABC):
    """One model at one state point, and the algorithm that samples it.

    A simulation is immutable and can be pickled. All that changes is in a *state*: a dictionary of
    arrays, which is stored in checkpoints and at the end of files. A state holds one or several
    independent chains, each with the state of its random numbers (see `rsmi.models.streams`).

    An *update* is what the algorithm repeats: one sweep over all sites, or one cluster or worm.

    Attributes
    ----------
    model : str
        The name of the model.
    shape : tuple of int
        Sites along each side of the lattice.
    coupling : float
        K = J/(k_B T).
    algorithm : str
        One of the model's algorithms, never ``auto``.
    seed : int
        The root seed of the run.
    """

    model: str
    shape: tuple[int, ...]
    coupling: float
    algorithm: str
    seed: int

    # ---- what a model must do --------------------------------------------------------------------

    @abstractmethod
    def start(self, *numbers: int | str) -> State:
        """Return the state of chains before their first update.

        Parameters
        ----------
        *numbers : int or str
            The number of the stream of each chain, at most `chains_per_task` of them. A word
            stands for a stream that makes no samples, such as that of the pilot run.
        """

    @abstractmethod
    def advance(self, state: State, updates: int, first: int, count: int) -> Rows:
        """Make rows and change the state in place.

        The chains of a state make its rows in turn: row i belongs to chain i mod n of n chains.
        The rows must not depend on how they are grouped into calls.

        Parameters
        ----------
        state : dict of ndarray
        updates : int
            Number of updates of a chain before each of its rows.
        first : int
            Number of the first row.
        count : int
            Number of rows.

        Returns
        -------
        dict of ndarray
            ``spins``, uint8 (count, row_bytes): packed configurations, see `rsmi.lattice.packed`.
            ``energy``, (count,), in J, with the type ``energy_type`` of the model.
            ``magnetization``, int64 (count,), optional: sums of the spins.
        """

    # ---- what identifies it, and what files say of it --------------------------------------------

    @property
    def physics(self) -> dict:
        """JSON values that identify what is simulated; the streams depend on them and the seed."""
        return {
            "model": self.model,
            "shape": list(self.shape),
            "coupling": self.coupling,
            "algorithm": self.algorithm,
        }

    def stream(self, number: int | str) -> NDArray[np.uint64]:
        """Return the key (4,) of the random numbers of one chain."""
        return streams.stream_key(self.seed, self.physics, number)

    def attributes(self) -> dict:
        """Return what a samples file says of the model: its name, the boundary, the number of
        components and the state point."""
        attributes = {
            "model": self.model,
            "boundary": "periodic",
            "components": self.components,
            "coupling": self.coupling,
            "temperature": 1 / self.coupling,
        }
        return attributes | ({"states": self.states} if self.states > 2 else {})

    def from_file(self, file: File) -> Simulation:
        """Return the simulation with the algorithm and the layout that produced a samples file of
        the same request, even if this version would choose others. It is used to extend the file.
        """
        return self

    # ---- sizes -----------------------------------------------------------------------------------

    @property
    def sites(self) -> int:
        """Number of sites of the lattice."""
        return math.prod(self.shape)

    @property
    def components(self) -> int:
        """Number of variables of a site."""
        return 1

    @property
    def states(self) -> int:
        """Number of states of a variable; 2 means +-1."""
        return 2

    @property
    def row_bytes(self) -> int:
        """Bytes of one packed configuration."""
        return row_bytes((self.components, *self.shape), self.states)

    # ---- chains ----------------------------------------------------------------------------------

    @property
    def chains_per_task(self) -> int:
        """Number of chains that one task advances: more than one if the sampler is faster so."""
        return 1

    @property
    def lockstep(self) -> bool:
        """Whether all chains of a state advance together. Rows of the last step that are not yet
        requested are then kept in the state."""
        return False

    @property
    def resumable_only_between_rows(self) -> bool:
        """Whether interrupting the updates before a row would change the trajectory."""
        return False

    # ---- the pilot run ---------------------------------------------------------------------------

    @property
    def needs_pilot(self) -> bool:
        """Whether a pilot run is needed even if thermalization and interval are given."""
        return False

    @property
    def pilot_sweeps(self) -> tuple[int, int]:
        """Sweeps of the shortest and of the longest pilot run. They never depend on the clock."""
        return pilot_length(self.sites)

    def clusters_per_sweep(self) -> int:
        """Return the number of updates that count as one sweep: for algorithms of clusters or
        worms those that change about as many variables as there are sites, else 1."""
        return 1

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[NDArray]:
        """Advance a state, and return the quantities whose autocorrelation decides how long to
        wait between samples.

        Returns
        -------
        list of ndarray
            Each (rows,), of one chain, or (chains, rows): measured at equal distances over the
            sweeps. The default, for one chain, is the energy and, of one component, \\|m\\|.
        """
        rows = self.advance(state, clusters_per_sweep, 0, sweeps)
        if self.components > 1:
            return [rows["energy"]]
        return [rows["energy"], np.abs(magnetizations(rows, self.sites))]


def magnetizations(rows: Rows, sites: int) -> NDArray[np.int64]:
    """Return the sum of the spins (n,) of rows of one component: as the simulation has measured
    it, else counted."""
    if "magnetization" in rows:
        return rows["magnetization"]
    return magnetizations_of(rows["spins"], sites)


def pilot_length(sites: int, updates_at_once: int = 1) -> tuple[int, int]:
    """Return the sweeps of the shortest and of the longest pilot run of one chain.

    Parameters
    ----------
    sites : int
    updates_at_once : int
        How many times more updates the sampler makes at the cost of one of a plain chain.
    """
    longest = _PILOT_UPDATES * updates_at_once // sites
    return max(64, min(_PILOT_SWEEPS, longest // 8)), longest
