"""The functions of a system with an order of its own, and their sectors.

A symmetry turns the order round: a flip of all spins, translations of the lattice, or relabellings
of states. Functions that it turns round too are odd: the order itself, and hidden units of rules,
whose part with the waves of the order is measured. Averages over the lattice that it leaves alone
are even.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rsmi.errors import UsageError
from rsmi.lattice.order import Order
from rsmi.lattice.packed import unpack_spins
from rsmi.lattice.state_order import StateOrder
from rsmi.renormalization.spectrum.averages import Average, OfEnergy, OfOrder, OfSites
from rsmi.renormalization.spectrum.site_functions import OfModel, OfUnit, SiteFunction
from rsmi.stages.spectrum.chosen import ChosenFunction, random_rows
from rsmi.stages.spectrum.request import Choices, System

_TOLERANCE = 1e-6  # of parity, in units of the largest value


def naive(system: System) -> list[SiteFunction | Average]:
    """The orders, and minus the energy per site if it varies."""
    model, attributes = system.model, system.attributes
    name, order = model.energy_name(attributes), system.order
    if order is None:
        raise ValueError("the system has no order")

    def energies(configurations: np.ndarray) -> np.ndarray:
        shape = configurations.shape[2:]
        found = model.energies(configurations, {**attributes, "shape": shape})
        if found is None and isinstance(order, StateOrder):  # samples of another program
            return order.neighbour_sums(configurations[:, 0])
        if found is None:
            raise UsageError("the energies of the samples are unknown")
        return found

    fields, components = model.fields(attributes), system.components
    others = [
        OfSites(OfModel(field, fields[field]), components, turned=True)
        for field in model.other_orders(attributes)
    ]
    coupled = [OfEnergy(name, energies, components, system.states)] if name else []
    return [OfOrder(order), *others, *coupled]


def checked(
    function: SiteFunction | Average,
    identity: dict[str, Any],
    text: str,
    required: str | None,
    system: System,
    choices: Choices,
) -> ChosenFunction:
    """The function with its sector: as measured where a flip of all spins turns the order round,
    else as requested."""
    sector = _sector(function, system, required)
    if sector == "mixed":
        raise UsageError(
            f"--function {text}: {function.name} is neither odd nor even under a flip of all"
            " spins: train it without a bias"
        )
    if required is not None and sector != required:
        raise UsageError(f"--{required} {text}: {function.name} is {sector}")
    if not system.flips and not isinstance(function, Average):
        identity = {**identity, "sector": sector}
    if isinstance(function, OfUnit):
        order = system.order if sector == "odd" and isinstance(system.order, Order) else None
        return ChosenFunction(OfSites(function, system.components, order), identity, sector)
    return ChosenFunction(function, identity, sector)


def _sector(function: SiteFunction | Average, system: System, required: str | None) -> str:
    """``odd``, ``even``, or ``mixed`` if a flip tells that it is neither."""
    if isinstance(function, Average):
        return "odd" if function.odd else "even"
    if system.flips:
        return parity(function, system)
    return required or ("odd" if isinstance(function, OfUnit) else "even")


def parity(function: SiteFunction, system: System) -> str:
    """What a flip of all spins does to a function, on random configurations."""
    shape = (system.components, *system.smallest)
    configurations = unpack_spins(random_rows(shape), shape)
    values, flipped = (function.at_sites(one) for one in (configurations, -configurations))
    tolerance = _TOLERANCE * float(np.abs(values).max())
    if np.abs(values - flipped).max() <= tolerance:
        return "even"
    return "odd" if np.abs(values + flipped).max() <= tolerance else "mixed"
