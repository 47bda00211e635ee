"""The exponents of a flow by sector: under the flip of all spins, or by the parity in every
component."""

from __future__ import annotations

from typing import Any

from rsmi.renormalization import mcrg
from rsmi.renormalization.parities import ParitySector
from rsmi.samples.flow_ensembles import FlowEnsemble


def sequence_of(ensemble: FlowEnsemble, sector: str) -> mcrg.ExponentSequence:
    """Return the exponents of a sector under the flip of all spins, ``even`` or ``odd``.

    Where the flip of each component is a symmetry, they are those of the operators that are even in
    every component, or odd in the first one alone.
    """
    if not ensemble.parities:
        return mcrg.sequence(ensemble.sums, sector, ensemble.shapes)
    even, odd = ensemble.parities[:2]
    return _of_parity(ensemble, even if sector == "even" else odd)


def by_parity(ensemble: FlowEnsemble) -> list[dict[str, Any]]:
    """Return the exponents of all operators by their parity in every component: of the two leading
    eigenvalues, and of their geometric mean. There are none without this symmetry."""
    return [
        {
            "parity": list(parity.parity),
            "operators": list(parity.names),
            **{
                choice: _of_parity(ensemble, parity, choice).of_all_operators()
                for choice in mcrg.CHOICES
            },
        }
        for parity in ensemble.parities
    ]


def _of_parity(
    ensemble: FlowEnsemble, parity: ParitySector, choice: str = "leading"
) -> mcrg.ExponentSequence:
    sector = "even" if parity.is_even else "odd"
    return mcrg.sequence(parity.sums(ensemble.sums), sector, ensemble.shapes, choice)
