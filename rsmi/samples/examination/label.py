"""Whether samples agree with the model and the temperature that they are said to be of."""

from __future__ import annotations

import math

import numpy as np

from rsmi.samples.examination.findings import CONTRADICTION, Finding
from rsmi.samples.examination.survey import Survey
from rsmi.statistics.evidence import correlation, deviation
from rsmi.statistics.notation import with_error

_CHECK = "check --temperature, the sign of the coupling, --shape, --boundary and --bit-order"
_LEAST_ASYMMETRY = 0.02  # of the magnetization per site, that is worth a sentence


def check_label(survey: Survey) -> list[Finding]:
    """Findings where averages contradict those that the stated model has."""
    if survey.attributes.get("rg_step", 0) or survey.live is not None:
        return []
    return [*(_energy(survey) or _null_averages(survey, "conditional")), *_field(survey)]


def _energy(survey: Survey) -> list[Finding]:
    """A finding where the energy is not the exact one."""
    exact = survey.model.exact_energy(survey.attributes)
    if exact is None or survey.energies is None:
        return []
    sites = survey.model.original_sites(survey.attributes)
    values = survey.series.by_chain(survey.energies / sites)
    off = deviation(values, exact)
    if abs(off) <= CONTRADICTION:
        return []
    effective = correlation(values).effective(*values.shape)
    measured = with_error(float(values.mean()), float(values.std() / math.sqrt(effective)))
    return [
        Finding(
            "energy",
            "contradiction",
            f"the energy per site is {measured} J, but the exact energy of the stated model and"
            f" temperature is {exact:.5g} J ({abs(off):.0f} errors)"
            f"{_hint(survey, float(values.mean()))}: {_CHECK}",
            off,
        )
    ]


def _hint(survey: Survey, energy: float) -> str:
    """At which temperature the model would have the measured energy."""
    known = survey.model.known(len(survey.shape), survey.attributes)
    if energy > 0:
        return "; a positive energy is that of a coupling of the other sign"
    if known.thermometer is None:
        return ""
    try:
        coupling = known.thermometer.coupling_from_energy(energy, survey.shape)
    except ValueError:
        return ""
    return f"; it would be that of T = {1 / coupling:.4g} J/k_B" if coupling > 0 else ""


def _null_averages(survey: Survey, name: str) -> list[Finding]:
    """A finding where an average does not vanish that is exactly zero for the stated model."""
    values = survey.model.null_averages(survey.spins, survey.attributes).get(name)
    if values is None:
        return []
    off = deviation(survey.probe.by_chain(values), 0.0)
    if abs(off) <= CONTRADICTION:
        return []
    what = {
        "conditional": "the spins are not in equilibrium with their neighbours at the stated"
        f" temperature ({abs(off):.0f} errors): {_CHECK}",
        "field": f"more spins point {'up' if off > 0 else 'down'} than their neighbours explain"
        f" ({abs(off):.0f} errors), as in a magnetic field, but the stated model has none: import"
        " as --model none, without a temperature",
    }[name]
    return [Finding(name, "contradiction", what, off)]


def _field(survey: Survey) -> list[Finding]:
    """A finding where up and down are not alike although the model says so."""
    if "coupling" in survey.attributes and survey.attributes["coupling"] is not None:
        return _null_averages(survey, "field")
    return _asymmetry(survey)


def _asymmetry(survey: Survey) -> list[Finding]:
    """A finding where the mean magnetization is not zero. It is no contradiction: chains of an
    ordered system may have kept their sign."""
    if not survey.model.symmetric(survey.attributes) or survey.components != 1:
        return []
    values = survey.series.by_chain(survey.magnetizations / math.prod(survey.shape))
    off, mean = deviation(values, 0.0), float(values.mean())
    if abs(off) <= CONTRADICTION or abs(mean) < _LEAST_ASYMMETRY:
        return []
    if not np.isfinite(off):
        return []
    return [
        Finding(
            "asymmetry",
            "warning",
            f"the mean magnetization is {mean:+.3f} ({abs(off):.0f} errors), but a global flip is"
            " said to be a symmetry: if there is a field, import as --model none; if the chains"
            " have kept their sign in an ordered phase, nothing is wrong",
            off,
        )
    ]
