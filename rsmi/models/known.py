"""What is known exactly of a model: its critical point, exponents, energies and P(V|E)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.waves import Wave

if TYPE_CHECKING:
    from rsmi.lattice.geometry import Geometry


@dataclass(frozen=True)
class KnownValue:
    """A number from theory.

    Attributes
    ----------
    value : float
    text : str
        The number as it is usually written, with the error of the last digits in parentheses.
    source : str
        The paper or the formula that gives it.
    exact : bool
        Whether it has no error.
    method : str
        How it was obtained, if it is not exact.
    """

    value: float
    text: str
    source: str
    exact: bool = True
    method: str = ""

    @property
    def quality(self) -> str:
        """The word that heads such values in tables: exact, the method, or known."""
        return "exact" if self.exact else self.method or "known"


@dataclass(frozen=True)
class KnownOperator:
    """A scaling operator of the critical point.

    Attributes
    ----------
    name : str
        The field's usual name: ``sigma``, ``epsilon``.
    dimension : KnownValue
        Its scaling dimension Delta: two such operators at a distance r have a correlation
        proportional to r^(-2 Delta).
    uniform : bool
        Whether averages of local functions over the lattice contain it. If not, it has a wave
        vector, as the order of an antiferromagnet.
    wave : tuple of Fraction
        That wave vector in fractions of 2 pi; empty if the operator is uniform, or if functions of
        the sites see it at none or several.
    correction : KnownValue, optional
        The exponent omega of the leading correction L^-omega of its two-point function, if it is
        not that of the model.
    """

    name: str
    dimension: KnownValue
    uniform: bool = True
    wave: Wave = ()
    correction: KnownValue | None = None

    def has_wave(self, wave: Wave) -> bool:
        """Whether functions that follow an order with this wave vector contain the operator."""
        if not any(wave):
            return self.uniform
        return self.wave in (wave, tuple(-q % 1 for q in wave))


class Thermometer(Protocol):
    """The exact energy of finite periodic lattices as a measure of the coupling."""

    def coupling_from_energy(self, energy_per_site: float, shape: Sequence[int]) -> float:
        """Return the K at which the lattice has this energy per site in J.

        Raises
        ------
        ValueError
            If there is none.
        """

    def energy_variance(self, shape: Sequence[int], coupling: float) -> float:
        """Return -de/dK of the energy per site e in J."""


class Enumeration(Protocol):
    """Exact joint distributions P(V, E) of a model on small lattices at its coupling K."""

    def check(self, geometry: Geometry) -> None:
        """Raise UsageError with the reason and the remedy if a window is out of reach."""

    def joint(
        self, geometry: Geometry, shape: Sequence[int], coupling: float
    ) -> NDArray[np.float64] | None:
        """Return P(V, E) of all states (2^n_block, environments); None if they are too many and
        environments may be sampled instead.

        Raises
        ------
        UsageError
            If they are too many, and environments may not be sampled.
        """


class Oracle(Enumeration, Protocol):
    """Exact conditional distributions P(V|E) of a model at its coupling K."""

    def is_tractable(self, geometry: Geometry) -> bool:
        """Return whether P(V|E) can be computed for such a block and buffer."""

    def block_given_environment(
        self, environments: NDArray[np.int8], geometry: Geometry, coupling: float
    ) -> NDArray[np.float64]:
        """Return P(V|E), (n, 2^n_block), for environments (n, n_environment) of +-1."""

    def informations(
        self,
        channels: Sequence[NDArray[np.float64]],
        geometry: Geometry,
        coupling: float,
        environments: NDArray[np.int8],
        groups: NDArray[np.int64] | None = None,
    ) -> list:
        """Return I(H:E), H(H) and I(V:E) in nats of every channel q(h|v), averaged over the
        environments, with errors from the labels ``groups`` (n,) of independent runs."""


@runtime_checkable
class CodedOracle(Oracle, Protocol):
    """Exact distributions of a model whose variables are codes of q states; `joint` returns None.

    P(V|E) has q^n_block columns, for environments of codes or, if q = 2, of +-1.
    """

    @property
    def states(self) -> int:
        """The number q of states of a site."""

    def enumerated(
        self,
        channels: Sequence[NDArray[np.float64]],
        geometry: Geometry,
        shape: Sequence[int],
        coupling: float,
    ) -> list | None:
        """Return I(H:E), H(H) and I(V:E) in nats of every channel, summed over all environments of
        a small lattice; None if they are too many."""

    def typical(
        self,
        geometry: Geometry,
        shape: Sequence[int],
        coupling: float,
        count: int,
        generator: np.random.Generator,
    ) -> NDArray[np.float64] | None:
        """Return P(V|E), (count, states of the block), of environments of a small lattice that are
        drawn with their probability; None if they are too many."""


@dataclass(frozen=True)
class Known:
    """What is known of a model on lattices of one dimension d. By default nothing is known.

    Attributes
    ----------
    critical_coupling : KnownValue, optional
        K_c of the infinite lattice.
    critical_energy : KnownValue, optional
        The energy per site of the infinite lattice at K_c, in J; at a transition of first order the
        mean of both phases.
    no_critical_point : str
        The reason if there is no critical coupling: a sentence without a full stop.
    always_critical : bool
        Whether all samples are critical, as those of a model without a coupling may be.
    exponents : mapping
        ``y_t``, ``y_h``, ``nu`` of the transition at ``critical_coupling``.
    operators : mapping
        Scaling operators of the transition by their sector, ``odd`` and ``even`` under a global
        flip, or ``any`` without a flip, in the order of their scaling dimensions. Without a flip
        the order that translations turn round is odd.
    parities : mapping
        The exponents d - Delta of the leading operators by their parity in every component, such as
        ``("odd", "even")``, where the flip of each component is a symmetry.
    correction : KnownValue, optional
        The exponent omega of the leading correction L^-omega to finite-size scaling.
    thermometer : Thermometer, optional
    no_thermometer : str
        The reason if there is no thermometer: a sentence without a full stop.
    oracle : Oracle, optional
    enumeration : Enumeration, optional
        Of a model that has no oracle.
    """

    critical_coupling: KnownValue | None = None
    critical_energy: KnownValue | None = None
    no_critical_point: str = "the critical temperature of this model is unknown"
    always_critical: bool = False
    exponents: Mapping[str, KnownValue] = field(default_factory=dict)
    operators: Mapping[str, tuple[KnownOperator, ...]] = field(default_factory=dict)
    parities: Mapping[tuple[str, ...], KnownValue] = field(default_factory=dict)
    correction: KnownValue | None = None
    thermometer: Thermometer | None = None
    no_thermometer: str = (
        "the effective coupling needs the exact energy of a finite lattice, which is not known for"
        " this model"
    )
    oracle: Oracle | None = None
    enumeration: Enumeration | None = None

    @property
    def omega(self) -> float | None:
        """The exponent of the leading correction, if it is known, to two digits."""
        return None if self.correction is None else round(self.correction.value, 2)

    def operator_at(self, sector: str, wave: Wave) -> KnownOperator | None:
        """Return the leading scaling operator of a sector that functions which follow an order with
        this wave vector contain; None if it is unknown."""
        own = [one for one in self.operators.get(sector, ()) if one.has_wave(wave)]
        return own[0] if own else None

    @property
    def joint(self) -> Enumeration | None:
        """What knows P(V, E) of small lattices."""
        return self.oracle or self.enumeration

    @property
    def critical_temperature(self) -> float | None:
        """T_c in J/k_B."""
        return None if self.critical_coupling is None else 1 / self.critical_coupling.value

    def exponent(self, name: str) -> float | None:
        """Return the value of an exponent; None if it is unknown."""
        known = self.exponents.get(name)
        return None if known is None else known.value
