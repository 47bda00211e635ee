"""The definition of a model on a lattice."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Bond:
    """Two sites that interact, in every cell of the lattice.

    Attributes
    ----------
    first, second : int
        Numbers of the sites in their cells.
    offset : tuple of int
        The cell of the second site relative to that of the first, along each axis.
    """

    first: int
    second: int
    offset: tuple[int, ...]

    @property
    def reversed(self) -> Bond:
        """The same bond, seen from its second site."""
        return Bond(self.second, self.first, tuple(-step for step in self.offset))


@dataclass(frozen=True)
class Definition:
    """Binary variables on a lattice.

    Attributes
    ----------
    name : str
    variable : {"spin", "occupation"}
    dimension : int
    basis : tuple of tuple of float
        One vector for each axis.
    sites : tuple of str
        Names of the sites of a cell.
    positions : tuple of tuple of float
        Of the sites, in fractions of the basis.
    bonds : dict of str to tuple of Bond
        By class, in the order of the names.
    couplings : dict of str to float
        By class, in J.
    exclusions : tuple of Bond
        Pairs of sites of which at most one is occupied.
    field : float
        Of spins, in J.
    fugacity : float or None
        Of occupations.
    title : str
        For people; no part of the identity.
    boundary : str
        The boundary that the file asks for; no part of the identity.
    """

    name: str
    variable: str
    dimension: int
    basis: tuple[tuple[float, ...], ...]
    sites: tuple[str, ...]
    positions: tuple[tuple[float, ...], ...]
    bonds: dict[str, tuple[Bond, ...]]
    couplings: dict[str, float]
    exclusions: tuple[Bond, ...] = ()
    field: float = 0.0
    fugacity: float | None = None
    title: str = dataclasses.field(default="", compare=False)
    boundary: str = dataclasses.field(default="periodic", compare=False)

    @property
    def spins(self) -> bool:
        """Whether the variables are spins, and no occupations."""
        return self.variable == "spin"

    @property
    def thermal(self) -> bool:
        """Whether the system has a temperature: hard cores alone have none."""
        return self.spins or any(self.couplings.values())

    @property
    def is_square(self) -> bool:
        """Whether the sites lie where the array of a configuration shows them."""
        return len(self.sites) == 1 and bool(np.allclose(self.basis, np.eye(self.dimension)))

    def all_bonds(self) -> Iterator[tuple[str, Bond]]:
        """Return every bond with its class; the class of exclusions is ``exclusions``."""
        for name, bonds in self.bonds.items():
            yield from ((name, bond) for bond in bonds)
        yield from (("exclusions", bond) for bond in self.exclusions)

    def as_json(self) -> dict[str, Any]:
        """Return what identifies the model as JSON values, from which
        `rsmi.models.lattice.model_file.from_json` makes it again."""
        own: dict[str, Any] = {"field": self.field} if self.spins else {"fugacity": self.fugacity}
        return own | {
            "name": self.name,
            "variable": self.variable,
            "dimension": self.dimension,
            "basis": [list(vector) for vector in self.basis],
            "sites": [
                {"name": name, "position": list(position)}
                for name, position in zip(self.sites, self.positions)
            ],
            "bonds": {name: self._listed(bonds) for name, bonds in self.bonds.items()},
            "couplings": dict(self.couplings),
            "exclusions": self._listed(self.exclusions),
        }

    def _listed(self, bonds: tuple[Bond, ...]) -> list[list]:
        return [[self.sites[bond.first], self.sites[bond.second], *bond.offset] for bond in bonds]

    @property
    def bipartite(self) -> bool:
        """Whether a flip of one sublattice of the infinite lattice turns every coupling round: the
        sublattice is given by a sign for each cell and one for each of its sites."""
        axes = range(self.dimension)
        signs = itertools.product(
            itertools.product((0, 1), repeat=self.dimension),
            itertools.product((0, 1), repeat=len(self.sites)),
        )
        bonds = [bond for name, bond in self.all_bonds() if self.couplings.get(name, 1.0) != 0]
        return any(
            all(
                (own[b.first] + own[b.second] + sum(wave[i] * b.offset[i] for i in axes)) % 2
                for b in bonds
            )
            for wave, own in signs
        )

    def with_couplings(self, couplings: Mapping[str, float]) -> Definition:
        """Return the definition with other couplings for some classes."""
        return replace(self, couplings={**self.couplings, **couplings})
