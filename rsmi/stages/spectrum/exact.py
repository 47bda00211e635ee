"""The exact energy of the sampled lattices, which makes errors smaller and tests the sampling."""

from __future__ import annotations

from collections.abc import Sequence

from rsmi.renormalization.spectrum.quantities import ExactAverage, exact_bond_energy
from rsmi.samples.files import model_of
from rsmi.stages.spectrum.chosen import ENERGY
from rsmi.store import File


def exact_average(file: File, shape: Sequence[int]) -> ExactAverage | None:
    """Return the exact mean and variance of the energy of one lattice; None if they are unknown.

    Parameters
    ----------
    file : File
        Of a spectrum.
    shape : sequence of int
        One of its lattices.
    """
    model, coupling = model_of(file), float(file.read("/files/coupling")[0])
    known = model.known(len(shape), file.attributes)
    if known.thermometer is None or file.read("/files/rg_step")[0] or not coupling > 0:
        return None
    attributes = {"shape": tuple(shape), "original_shape": tuple(shape), "coupling": coupling}
    energy = model.exact_energy({**file.attributes, **attributes})
    if energy is None:
        return None
    variance = known.thermometer.energy_variance(shape, coupling)
    return exact_bond_energy(energy, variance, len(shape), ENERGY)
