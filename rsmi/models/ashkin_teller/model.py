"""The Ashkin-Teller model's answers to the questions of `rsmi.models.base.Model`."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.information.products import Products
from rsmi.lattice.columns import Columns, Component
from rsmi.lattice.order import Order, OrderParameter
from rsmi.models import spins
from rsmi.models.ashkin_teller import known, simulation
from rsmi.models.ashkin_teller.oracle import TwoSpinOracle
from rsmi.models.base import SECTORS, Known, Model, Option, Sector
from rsmi.models.bond_oracle import BondOracle
from rsmi.models.known import KnownOperator
from rsmi.models.potts.simulation import CHAINS, check_shape
from rsmi.statistics.notation import with_error
from rsmi.statistics.summary import average_summary

if TYPE_CHECKING:
    from rsmi.store import File

_HELP = """The Ashkin-Teller model has two Ising spins at every site, sigma and tau, and the energy
-J (s s' + t t') - U s s' t t' for every bond (J. Ashkin, E. Teller, Phys. Rev. 64, 178 (1943)).
--coupling is K = J/(k_B T), and --four-spin is U/J.

With U = 0 these are two independent Ising models, with U = J the Potts model with four states at
four times this K. On the square lattice, Tc is on the self-dual line sinh 2K = exp(-2 U K/J), which
is critical for -1 < U/J <= 1; the scaling dimensions of the energy and of sigma tau vary along it.

wolff flips sigma, tau or both on one cluster at a time; heat-bath updates one site at a time. auto
takes heat-bath above T_c/0.8, where T_c is known, and wolff otherwise. The samples have two
components, sigma and tau."""

_HEAT_BATH = 0.8  # of K_c: below, heat bath makes more independent samples, by 2 at 0.75 on 64x64
_ROWS_AT_ONCE = 1 << 22  # variables unpacked at once
_PRODUCT = "sigma tau"
_NAMES = {"sigma": "sigma", "tau": "tau", "product": _PRODUCT}


@functools.cache
def _oracle(ratio: float) -> TwoSpinOracle:
    return TwoSpinOracle(BondOracle(-simulation.ashkin_teller_system(ratio).energies))


def _products(columns: Columns) -> Products:
    """sigma tau at every site of the block."""
    sites = len(columns) // 2
    return tuple((site, sites + site) for site in range(sites))


class AshkinTeller(Model):
    """Energy E = -J sum of s s' + t t' - U sum of s s' t t' over nearest neighbours."""

    name = "ashkin-teller"
    title = "Ashkin-Teller model of two coupled Ising spins"
    help = _HELP
    examples = (
        (
            "half-way between two Ising models and four Potts states",
            "rsmi sample --model ashkin-teller --four-spin 0.5 --size 32 --temperature Tc"
            " --samples 5000 -o at.h5",
        ),
    )
    algorithms = ("wolff", "heat-bath")
    options = (
        Option("four-spin", "number", "U/J, the four-spin coupling.", metavar="U/J", default=0.0),
    )
    flips = True
    component_flips = True
    energy_type = "float64"
    sectors = (
        *SECTORS,
        Sector("product", "functions of sigma tau at every site of the block", "even", _products),
    )

    def parameters(self, request: Mapping[str, Any]) -> dict:
        shape, ratio = request["shape"], request["four_spin"]
        check_shape(shape)
        if not math.isfinite(ratio):
            raise UsageError(f"--four-spin {ratio}: must be finite")
        couplings = {"four-spin": ratio}
        coupling = self.coupling(
            request["temperature"], request["coupling"], len(shape), {"couplings": couplings}
        )
        physics = {"model": self.name, "shape": list(shape), "coupling": coupling}
        return physics | {"couplings": couplings, "algorithm": request["algorithm"]}

    def simulation(self, parameters: Mapping[str, Any]) -> simulation.AshkinTellerSimulation:
        return simulation.AshkinTellerSimulation(
            tuple(parameters["shape"]),
            parameters["coupling"],
            self._algorithm(parameters),
            parameters["seed"],
            ratio=parameters["couplings"]["four-spin"],
        )

    def _algorithm(self, parameters: Mapping[str, Any]) -> str:
        if parameters["algorithm"] != "auto":
            return parameters["algorithm"]
        critical = self.known(len(parameters["shape"]), parameters).critical_coupling
        hot = critical is not None and parameters["coupling"] < _HEAT_BATH * critical.value
        return "heat-bath" if hot else "wolff"

    def default_chains(self, parameters: Mapping[str, Any]) -> int:
        return CHAINS

    def check_shape(self, shape: Sequence[int], where: str = "--size") -> None:
        check_shape(shape, where)

    def check_file(self, file: File) -> None:
        super().check_file(file)
        if file.kind == "samples":
            shape = file.attributes["original_shape"]
            bonds = len(shape) * math.prod(shape)
            levels = simulation.ashkin_teller_system(simulation.ratio_of(file.attributes)).levels
            spins.check_energies(file, bonds * levels[0] - 1e-6, bonds * levels[-1] + 1e-6)

    def components(self, attributes: Mapping[str, Any]) -> tuple[Component, ...]:
        if attributes.get("components", 2) != 2 or attributes.get("rg_step", 0):
            return super().components(attributes)
        return Component("sigma"), Component("tau")

    def energies(
        self, configurations: NDArray[np.int8], attributes: Mapping[str, Any]
    ) -> NDArray | None:
        """The energies on the torus, the only lattice on which all spins tell it."""
        if attributes.get("boundary", "periodic") != "periodic" or configurations.shape[1] != 2:
            return None
        system = simulation.ashkin_teller_system(simulation.ratio_of(attributes))
        return system.measured(simulation.states_of_spins(configurations))

    def fields(
        self, attributes: Mapping[str, Any]
    ) -> Mapping[str, Callable[[NDArray[np.int8]], NDArray[np.float64]]]:
        """sigma, tau and their product."""
        own = super().fields(attributes)
        if attributes.get("components", 1) != 2 or attributes.get("rg_step", 0):
            return own
        return {**own, _PRODUCT: _product_field}

    def order(self, attributes: Mapping[str, Any]) -> OrderParameter | None:
        """The vector of the averages of sigma and tau."""
        if attributes.get("components", 1) != 2 or attributes.get("rg_step", 0):
            return None
        uniform = (Fraction(0),) * len(attributes.get("shape", (0, 0)))
        return Order("magnetization", (uniform, uniform), ((1.0, 0.0), (0.0, 1.0)))

    def other_orders(self, attributes: Mapping[str, Any]) -> tuple[str, ...]:
        """sigma tau, which a flip of sigma alone turns round."""
        return (_PRODUCT,)

    def known_fields(self, attributes: Mapping[str, Any]) -> Mapping[str, KnownOperator]:
        operators = self.known(2, attributes).operators.get("product", ())
        return {one.name: one for one in operators}

    def known(self, dimension: int, attributes: Mapping[str, Any] | None = None) -> Known:
        ratio = simulation.ratio_of(attributes or {})
        return replace(known.known(dimension, ratio), oracle=_oracle(ratio))

    def describe_temperature(self, attributes: Mapping[str, Any]) -> str:
        ratio = simulation.ratio_of(attributes)
        return f"{super().describe_temperature(attributes)}, U/J = {ratio:g}"

    def summary(self, file: File) -> dict:
        """Energy, m^2 and U = 1 - <m^4>/(3 <m^2>^2) of sigma, tau and sigma tau."""
        if file.attributes["components"] != 2 or file.attributes["rg_step"]:
            return super().summary(file)
        (n, width), shape = file.shape("/spins"), file.attributes["shape"]
        step, parts = max(1, _ROWS_AT_ONCE // (8 * width)), []
        for start in range(0, n, step):
            rows = file.read("/spins", start, min(n, start + step))
            parts.append(simulation.magnetizations(rows, shape))
        squares = {f"{name}_squared": [part[name] ** 2 for part in parts] for name in _NAMES}
        series = {name: np.concatenate(values) for name, values in squares.items()}
        energy = file.read("/energy") / math.prod(file.attributes["original_shape"])
        numbers = average_summary({"energy": energy, **series}, file.attributes["chains"])
        return {name.replace("tau_int_energy", "tau_int"): numbers[name] for name in numbers}

    def describe_summary(self, attributes: Mapping[str, Any], numbers: dict) -> list[tuple]:
        if "sigma_squared" not in numbers:
            return super().describe_summary(attributes, numbers)

        def row(title: str, name: str, *remark: str) -> tuple[str, ...]:
            return (title, with_error(numbers[name], numbers[f"{name}_error"]), *remark)

        orders = [row(f"m^2 of {words}", f"{name}_squared") for name, words in _NAMES.items()]
        times = [
            row(f"tau_int of m^2 of {words}", f"tau_int_{name}_squared", "stored intervals")
            for name, words in _NAMES.items()
        ]
        energy = row("energy per site", "energy", "J")
        return [energy, *orders, row("tau_int of E", "tau_int", "stored intervals"), *times]


def _product_field(configurations: NDArray[np.int8]) -> NDArray[np.float64]:
    return (configurations[:, 0] * configurations[:, 1]).astype(np.float64)
