"""Which algorithm samples an Ising lattice best, and in which layout its spins are stored.

There are three *layouts*. A ``strip`` is one large lattice of which 512 spins are updated at once;
``replicas`` are 512 lattices of which the same site is updated at once; a ``plain`` lattice has one
spin updated at a time. Heat bath and Metropolis have all three, the cluster algorithms only the
last.

The best algorithm is the one that makes most independent samples in a second. The thresholds below
follow the rates that ``tests/benchmarks/bench_algorithms.py`` measures and lists; they are the same
on every machine, so that the samples are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rsmi.models.ising import bitsliced, facts

LOCAL = ("metropolis", "heat-bath")

REPLICA_SITES = 1 << 20  # 512 replicas of a larger lattice take more than 64 MB


@dataclass(frozen=True)
class Region:
    """Lattices and couplings for which one algorithm is the best.

    Attributes
    ----------
    sides_above : int
        All sides are longer than this.
    above, below : float
        The range of K/K_c; of K itself for rings, which have no K_c.
    """

    sides_above: int = 0
    above: float = 0.0
    below: float = math.inf

    def contains(self, shape: Sequence[int], strength: float) -> bool:
        """Return whether a lattice at K/K_c (a ring at K) is in the region."""
        return min(shape) > self.sides_above and self.above < strength < self.below


# Where Swendsen-Wang is better than 512 local updates at once, by dimension. One of its sweeps
# costs as much as 20 (a ring) to 90 of theirs, and is worth that only on large lattices with a
# large correlation length. In three dimensions this would be at T_c itself on sides above 200, by
# the measured rates and by tau ~ L^2.03 and L^0.46 of the two; there it is not used.
SWENDSEN_WANG = {
    1: Region(sides_above=32, above=1.4),
    2: Region(sides_above=96, above=0.982, below=1.0105),
}
# Heat bath is better than Metropolis at high temperature, where most moves cost little: Metropolis
# accepts nearly all of them and flips the two sublattices in turn.
METROPOLIS_ABOVE = 1.0  # the threshold of 3 x dimension x K
# Metropolis on request is refused at smaller |K|. There it flips all spins but a share of about K
# in every sweep, and tau_int of the energy is 0.1/K sweeps (measured on 16x16, 8x8x8 and 64 sites),
# while that of heat bath is 1/2. At 1e-9 no spin ever fails to flip in any run.
METROPOLIS_LEAST_COUPLING = 1e-3
# Where heat bath is better than Swendsen-Wang if one spin is updated at a time, by dimension.
PLAIN_HEAT_BATH = {2: Region(below=0.8), 3: Region(below=0.8)}


def choose_algorithm(shape: Sequence[int], coupling: float, layout: str) -> str:
    """Return the best algorithm for chains whose local updates would have this layout."""
    if any(size % 2 for size in shape):
        return "swendsen-wang"  # the checkerboard of the others needs even sides
    dimension = len(shape)
    strength = coupling / facts.CRITICAL_COUPLING.get(dimension, 1.0)
    if layout == "plain":
        local = _is_in(PLAIN_HEAT_BATH, shape, strength)
        return "heat-bath" if local else "swendsen-wang"
    if _is_in(SWENDSEN_WANG, shape, strength):
        return "swendsen-wang"
    return "metropolis" if 3 * dimension * coupling > METROPOLIS_ABOVE else "heat-bath"


def _is_in(regions: dict[int, Region], shape: Sequence[int], strength: float) -> bool:
    region = regions.get(len(shape))
    return region is not None and region.contains(shape, strength)


def local_layout(shape: Sequence[int], chains: int) -> str:
    """Return the layout of heat bath and Metropolis: ``strip`` if the lattice can be one, else
    ``replicas`` if the chains come in groups of 512, else ``plain``."""
    if bitsliced.fits_strip(shape):
        return "strip"
    return "replicas" if fits_replicas(shape) and chains % bitsliced.REPLICAS == 0 else "plain"


def fits_replicas(shape: Sequence[int]) -> bool:
    """Return whether 512 such lattices can be replicas: even sides, at most 2^20 sites."""
    return all(size % 2 == 0 for size in shape) and math.prod(shape) <= REPLICA_SITES
