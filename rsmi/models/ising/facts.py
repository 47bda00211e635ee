"""Known values of the nearest-neighbour Ising model on the hypercubic lattice: critical couplings,
exponents, and exact energies and entropies of finite lattices.

The coupling is K = J/(k_B T). Energies are in J, heat capacities in k_B and entropies in nats, all
per site.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from rsmi.errors import UsageError
from rsmi.models.ising import torus as kaufman

CRITICAL_COUPLING = {
    2: math.log1p(math.sqrt(2)) / 2,  # Kramers & Wannier, Phys. Rev. 60, 252 (1941)
    3: 0.221654626,  # Ferrenberg, Xu & Landau, Phys. Rev. E 97, 043301 (2018): 0.221654626(5)
}
CRITICAL_SOURCE = {
    2: "Kramers & Wannier, Phys. Rev. 60, 252 (1941)",
    3: "Ferrenberg, Xu & Landau, Phys. Rev. E 97, 043301 (2018)",
}


class Known(NamedTuple):
    """A number and its usual notation, with the error in parentheses."""

    value: float
    text: str


# Exponents of the Ising universality class. They are exact in two dimensions. In three dimensions
# y_t = 3 - D_e and y_h = 3 - D_s with the scaling dimensions of the conformal bootstrap (Kos,
# Poland, Simmons-Duffin & Vichi, JHEP 08, 036 (2016)). The chain has none, since T_c = 0.
EXPONENTS: dict[int, dict[str, Known]] = {
    1: {},
    2: {"y_t": Known(1.0, "1"), "y_h": Known(15 / 8, "15/8 = 1.875"), "nu": Known(1.0, "1")},
    3: {
        "y_t": Known(1.587375, "1.58738(1)"),
        "y_h": Known(2.4818511, "2.481851(1)"),
        "nu": Known(0.6299709, "0.629971(4)"),
    },
}

EXPONENTS_SOURCE = {
    1: "",
    2: "Onsager, Phys. Rev. 65, 117 (1944)",
    3: "Kos, Poland, Simmons-Duffin & Vichi, JHEP 08, 036 (2016)",
}

# Scaling operators by sector, with their dimensions, smallest first: primary operators, and
# descendants that are scalars on the lattice and therefore seen at separated points (d^2 sigma, d^2
# epsilon). In two dimensions they are those of the minimal model with c = 1/2, in three dimensions
# those of the conformal bootstrap.
OPERATORS: dict[int, dict[str, dict[str, Known]]] = {
    1: {},
    2: {
        "odd": {"sigma": Known(0.125, "1/8 = 0.125"), "d^2 sigma": Known(2.125, "17/8 = 2.125")},
        "even": {"epsilon": Known(1.0, "1"), "d^2 epsilon": Known(3.0, "3")},
    },
    3: {
        "odd": {"sigma": Known(0.5181489, "0.518149(1)"), "d^2 sigma": Known(2.5181489, "2.5181")},
        "even": {
            "epsilon": Known(1.412625, "1.41263(1)"),
            "d^2 epsilon": Known(3.412625, "3.4126"),
        },
    },
}
OPERATORS_METHOD = "conformal bootstrap"  # where they are not exact
OPERATORS_SOURCE = {
    1: "",
    2: "Belavin, Polyakov & Zamolodchikov, Nucl. Phys. B 241, 333 (1984)",
    3: EXPONENTS_SOURCE[3],
}

# The exponents omega of corrections L^-omega to finite-size scaling.
CORRECTIONS: dict[int, Known] = {2: Known(2.0, "2"), 3: Known(0.82968, "0.82968(23)")}
CORRECTIONS_SOURCE = {
    2: "Caselle, Hasenbusch, Pelissetto & Vicari, J. Phys. A 35, 4861 (2002)",
    3: "Simmons-Duffin, JHEP 03, 086 (2017)",
}


def critical_temperature(dimension: int) -> float | None:
    """Return T_c = 1/K_c in J/k_B, or None in one dimension."""
    return 1 / CRITICAL_COUPLING[dimension] if dimension in CRITICAL_COUPLING else None


def critical_coupling(dimension: int) -> float:
    """Return K_c of the infinite lattice.

    Raises
    ------
    UsageError
        In one dimension, where the order is lost at any temperature, and above three.
    """
    if dimension == 1:
        raise UsageError("the Ising chain has no critical temperature: it is ordered only at T = 0")
    if dimension not in CRITICAL_COUPLING:
        raise UsageError(f"the Ising model is available in 1, 2 and 3 dimensions, not {dimension}")
    return CRITICAL_COUPLING[dimension]


def ring_energy(length: int, coupling: float) -> float:
    """Return the energy per site of the periodic chain, -(t + t^(N-1)) / (1 + t^N) with t = tanh K.

    Two sites share two bonds (E. Ising, Z. Phys. 31, 253 (1925)).
    """
    t = math.tanh(coupling)
    return -(t + t ** (length - 1)) / (1 + t**length)


def ring_specific_heat(length: int, coupling: float) -> float:
    """Return the heat capacity per site of the periodic chain in k_B, -K^2 de/dK."""
    n, t = length, math.tanh(coupling)
    numerator = (1 + (n - 1) * t ** (n - 2)) * (1 + t**n) - (t + t ** (n - 1)) * n * t ** (n - 1)
    return coupling**2 * (1 - t * t) * numerator / (1 + t**n) ** 2


def exact_energy(shape: Sequence[int], coupling: float) -> float | None:
    """Return the energy per site of a finite periodic lattice, where it is known.

    Parameters
    ----------
    shape : sequence of int
        Sizes of the lattice, each at least 2. One size is a ring, two are a torus.
    coupling : float
        K > 0; in two dimensions within `rsmi.models.ising.torus.COUPLING_RANGE`.

    Returns
    -------
    float or None
        In J; None in three dimensions, where no exact solution is known, and for couplings outside
        the range.
    """
    if len(shape) == 1:
        return ring_energy(shape[0], coupling)
    low, high = kaufman.COUPLING_RANGE
    if len(shape) == 2 and low <= coupling <= high:
        return kaufman.energy(shape, coupling)
    return None


def ring_entropy(length: int, coupling: float) -> float:
    """Return the entropy per site of the periodic chain in nats, (ln Z)/N + K e, in a form without
    differences of large numbers."""
    t, decay = math.tanh(coupling), math.exp(-2 * coupling)
    excess = 2 * decay / (1 + decay) * (1 - t ** (length - 1)) / (1 + t**length)  # 1 + e
    return math.log1p(decay) + coupling * excess + math.log1p(t**length) / length


def chain_entropy(coupling: float) -> float:
    """Return the entropy per site of the infinite chain in nats, ln 2 cosh K - K tanh K."""
    decay = math.exp(-2 * abs(coupling))
    return math.log1p(decay) + 2 * abs(coupling) * decay / (1 + decay)


def exact_entropy(shape: Sequence[int], coupling: float) -> float | None:
    """Return the entropy per site of a finite periodic lattice in nats, where it is known.

    The parameters are those of `exact_energy`, which is None in the same cases.
    """
    if len(shape) == 1:
        return ring_entropy(shape[0], coupling)
    energy = exact_energy(shape, coupling)
    return (
        None
        if energy is None
        else kaufman.log_partition(shape, coupling) / math.prod(shape) + coupling * energy
    )
