"""What a spectrum file says: scaling dimensions, as JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rsmi.lattice.geometry import sides_text
from rsmi.models.base import Known
from rsmi.models.known import KnownOperator
from rsmi.renormalization.critical_exponents import exponents_of_dimensions
from rsmi.renormalization.spectrum.dimensions import (
    Dimension,
    SizeData,
    Spectrum,
    spectrum_of,
)
from rsmi.renormalization.spectrum.extrapolations import contact_omega
from rsmi.renormalization.spectrum.fits import Extrapolation
from rsmi.renormalization.spectrum.group_sums import concatenate
from rsmi.renormalization.spectrum.quantities import Quantity
from rsmi.samples.files import model_of
from rsmi.samples.subject import subject
from rsmi.stages.spectrum import storage
from rsmi.stages.spectrum.chosen import SECTORS
from rsmi.stages.spectrum.exact import exact_average
from rsmi.stages.spectrum.groups import sums_by_size
from rsmi.stages.spectrum.remarks import remarks
from rsmi.stages.spectrum.sums import merged
from rsmi.statistics.fits import chi2_probability
from rsmi.store import File

Json = dict[str, Any]


@dataclass(frozen=True)
class Analysis:
    """A spectrum file with the fits of its sums.

    Attributes
    ----------
    file : File
    known : Known
        What is known exactly of the model.
    sizes : list of SizeData
        Smallest lattice first.
    spectrum : Spectrum
    remarks : list of str
        What a reader must know: sentences.
    uniform : bool
        Whether the odd functions are averages over the lattice, and not its parts with the waves of
        an order.
    own : mapping
        Known scaling operators of functions that are not those of their sector, by name.
    """

    file: File
    known: Known
    sizes: list[SizeData]
    spectrum: Spectrum
    remarks: list[str]
    uniform: bool = True
    own: Mapping[str, KnownOperator] = field(default_factory=dict)

    @property
    def dimension(self) -> int:
        """The number of axes of the lattices."""
        return len(self.sizes[0].sums.shape)

    @property
    def coupling(self) -> float | None:
        """K of the samples; None if it is unknown."""
        value = float(self.file.read("/files/coupling")[0])
        return None if math.isnan(value) else value


def analyse(file: File) -> Analysis:
    """Fit the scaling dimensions of a spectrum file."""
    attributes, model = file.attributes, model_of(file)
    shapes = file.read("/files/shape").tolist()
    known = model.known(len(shapes[0]), attributes)
    by_size, short = sums_by_size(file, storage.read(file), merged, concatenate)
    sizes = [
        SizeData(shape[0], sums, exact_average(file, shape)) for shape, sums in by_size.items()
    ]
    order = model.order(attributes)
    uniform = order is None or order.uniform
    contact = contact_omega(len(shapes[0]), _leading(known, uniform))
    omega = file.parameters.get("omega")
    spectrum = spectrum_of(sizes, omega, leading=known.omega, contact=contact)
    notes = remarks(file, known, spectrum, sizes, short)
    own = model.known_fields(attributes)
    return Analysis(file, known, sizes, spectrum, notes, uniform, own)


def _leading(known: Known, uniform: bool) -> float | None:
    """The dimension of the order, if it is known."""
    own = [one for one in known.operators.get("odd", ()) if one.uniform == uniform]
    return own[0].dimension.value if own else None


def summary(file: File) -> Json:
    """The scaling dimensions of both sectors and everything they come from."""
    one = analyse(file)
    spectrum = one.spectrum
    return {
        "file": str(file.path),
        **subject(file),
        "dimension": one.dimension,
        "temperature": None if not one.coupling else 1 / one.coupling,
        "coupling": one.coupling,
        "sizes": list(spectrum.lengths),
        **_oblong([size.sums.shape for size in one.sizes]),
        "samples": [size.sums.samples for size in one.sizes],
        "groups": [measured.groups for measured in spectrum.estimates],
        "omega": spectrum.omega,
        "exact_energy": [measured.controlled for measured in spectrum.estimates],
        "energy_deviations": [
            measured.deviations.tolist() or None for measured in spectrum.estimates
        ],
        "functions": {sector: list(storage.labels_of(file, sector)) for sector in SECTORS},
        "headline": {sector: _headline(one, sector) for sector in SECTORS},
        "exponents": _exponents(one),
        "sequence": [_entry(one, number) for number in range(len(spectrum.dimensions))],
        "remarks": one.remarks,
    }


def _oblong(shapes: Sequence[tuple[int, ...]]) -> Json:
    """The shapes of lattices whose sides differ; ``sizes`` has the first sides."""
    return {} if len(set(shapes[0])) == 1 else {"shapes": [list(shape) for shape in shapes]}


def size_name(one: Analysis, length: float) -> str:
    """A lattice as text: one number if all its sides are equal."""
    shapes = {size.length: size.sums.shape for size in one.sizes}
    return sides_text(shapes[int(length)])


# ---- the headline --------------------------------------------------------------------------------


def headline_of(one: Analysis, function: str) -> Dimension | None:
    """The scaling dimension of a function that is quoted."""
    return one.spectrum.headline(function)


def _headline(one: Analysis, sector: str) -> Json:
    """The quoted dimension of the naive function of a sector."""
    function = next(iter(storage.labels_of(one.file, sector)), None)
    quoted = None if function is None else headline_of(one, function)
    exact = exact_values(one, sector)
    return {
        "function": function,
        "quantity": quoted and quoted.quantity.kind,
        "delta": quoted and quoted.delta,
        "error": quoted and quoted.error,
        "systematic": quoted and quoted.systematic,
        "exact": exact[0]["delta"] if exact else None,
        "next": exact[1]["delta"] if len(exact) > 1 else None,
        "operators": exact,
        "reason": quoted.refused or None if quoted else "not measured",
    }


def exact_values(one: Analysis, sector: str) -> list[Json]:
    """The known scaling operators that the functions of a sector contain, smallest dimension first:
    those of averages over the lattice, or of an order with a wave vector."""
    uniform = sector != "odd" or one.uniform
    return [
        {
            "operator": operator.name,
            "delta": operator.dimension.value,
            "text": operator.dimension.text,
            "exact": operator.dimension.exact,
            "quality": operator.dimension.quality,
            "source": operator.dimension.source,
        }
        for operator in one.known.operators.get(sector, ())
        if operator.uniform == uniform
    ]


def _exponents(one: Analysis) -> Json:
    """The exponents that follow from both headlines, with their errors: the statistical and the
    systematic ones of the dimensions, added in quadrature."""
    quoted = {sector: _headline(one, sector) for sector in SECTORS}
    errors = [_total_error(quoted[sector]) for sector in ("even", "odd")]
    found = exponents_of_dimensions(
        one.dimension,
        quoted["even"]["delta"],
        quoted["odd"]["delta"],
        (errors[0], errors[1]),
    )
    return {name: {"value": value, "error": error} for name, (value, error) in found.items()}


def _total_error(row: Json) -> float:
    return math.hypot(row["error"] or 0.0, row["systematic"] or 0.0)


# ---- the whole sequence --------------------------------------------------------------------------


def _entry(one: Analysis, number: int) -> Json:
    """Everything about one quantity of one function."""
    row = one.spectrum.dimensions[number]
    quantity = row.quantity
    return {
        "function": quantity.function,
        "sector": quantity.sector,
        "quantity": quantity.kind,
        "quoted": row is headline_of(one, quantity.function),
        "exact": _exact_of(one, quantity),
        "delta": row.delta,
        "error": row.error,
        "systematic": row.systematic,
        "extrapolated": row.extrapolated,
        "values": _values(one, number),
        "power": _power(quantity, one.dimension),
        "pairs": [
            {"sizes": list(pair.lengths), "delta": pair.delta, "error": pair.error}
            for pair in row.pairs
        ],
        "fits": [_fit(fit) for fit in row.fits],
        "drift": row.drift,
        "drift_error": row.drift_error,
        "reason": row.refused or None,
    }


def _exact_of(one: Analysis, quantity: Quantity) -> str | None:
    """What theory knows of a function: its own scaling dimension, or the leading one of its
    sector."""
    if quantity.function in one.own:
        return one.own[quantity.function].dimension.text
    operators = exact_values(one, quantity.sector)
    return operators[0]["text"] if operators else None


def _power(quantity: Quantity, dimension: int) -> Json:
    """The quantity is proportional to L^(constant + slope * Delta)."""
    constant, slope = quantity.power(dimension)
    return {"constant": constant, "slope": slope}


def _values(one: Analysis, number: int) -> list[Json]:
    """The logarithm of the quantity at every size; None where it is not positive."""
    return [
        {
            "size": length,
            "logarithm": _finite(measured.values[number]),
            "error": _finite(measured.errors[number]),
        }
        for length, measured in zip(one.spectrum.lengths, one.spectrum.estimates)
    ]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _fit(fit: Extrapolation) -> Json:
    return {
        "sizes": [int(length) for length in fit.lengths],
        "delta": fit.delta,
        "error": fit.error,
        "omega": fit.omega,
        "correction": fit.correction if fit.omega is not None else None,
        "second_omega": fit.second,
        "second_correction": fit.second_correction if fit.second is not None else None,
        "chi2": fit.chi2 if fit.freedom else None,
        "freedom": fit.freedom,
        "probability": chi2_probability(fit.chi2, fit.freedom) if fit.freedom else None,
    }
