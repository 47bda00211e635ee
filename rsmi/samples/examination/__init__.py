"""What is wrong with a set of samples, before anything is built on them.

Samples carry claims: independent chains in equilibrium, a periodic lattice of this shape, a model
at this temperature. Every claim has a consequence that can be measured on the samples themselves.
`examine` measures them and returns findings: sentences with numbers and a cure.

The examination reads all samples once, a few megabytes at a time. It keeps the energy and the
magnetization of at most 2^18 configurations, fingerprints of as many, and configurations that it
looks at site by site: 2^21 variables of small lattices, 64 configurations of larger ones, but at
most 2^24 variables, and of very large lattices one configuration.
"""

from __future__ import annotations

import numpy as np

from rsmi.samples.examination.copies import find_copies, repeated
from rsmi.samples.examination.findings import Examination, Finding
from rsmi.samples.examination.label import check_label
from rsmi.samples.examination.lattice import homogeneity
from rsmi.samples.examination.series import (
    Series,
    chains_in_turns,
    dependent_chains,
    drifts,
    followed,
    short_chains,
    slowest_of,
    unlike_chains,
)
from rsmi.samples.examination.survey import Stored, Survey, read_survey
from rsmi.statistics.equilibration import equilibration_steps

__all__ = ["Examination", "Finding", "Stored", "Survey", "examine", "read_survey"]


def examine(surveyed: Survey) -> Examination:
    """Measure what the claims about samples imply.

    Parameters
    ----------
    surveyed : Survey
        What `read_survey` has read.

    Returns
    -------
    Examination
        With no finding for good samples.
    """
    series, order = followed(surveyed)
    slowest = slowest_of(series)
    duplicates = find_copies(surveyed)
    findings = [
        *_constant(surveyed),
        *check_label(surveyed),
        *(duplicates or _order(surveyed, series)),
        *drifts(series),
        *unlike_chains(series),
        *short_chains(surveyed, slowest),
    ]
    return Examination(
        tuple(findings),
        **_times(surveyed, slowest),
        equilibration=_start(series),
        repeated=repeated(surveyed),
        order=order,
    ).sorted()


def _order(surveyed: Survey, series: list[Series]) -> list[Finding]:
    """Findings on the order of sites and of chains, whose errors count no copies."""
    return [
        *homogeneity(surveyed),
        *dependent_chains(series),
        *chains_in_turns(surveyed, series),
    ]


def _times(surveyed: Survey, slowest: Series | None) -> dict:
    if slowest is None:
        return {}
    found = slowest.correlation
    return {
        "tau": found.tau,
        "tau_known": found.known,
        "slowest": slowest.name,
        "effective": found.effective(surveyed.chains, surveyed.steps),
    }


def _start(series: list[Series]) -> int:
    """The stored steps that are best left out at the beginning of every chain."""
    return max((one.stride * equilibration_steps(one.values) for one in series), default=0)


def _constant(surveyed: Survey) -> list[Finding]:
    """A finding where all configurations are equal."""
    equal = np.ptp(surveyed.magnetizations) == 0 and (surveyed.rows == surveyed.rows[0]).all()
    if surveyed.count < 2 or not equal:
        return []
    return [
        Finding(
            "constant",
            "warning",
            f"all {surveyed.count} configurations are equal: their averages have no errors, and"
            " there is nothing to learn from them",
        )
    ]
