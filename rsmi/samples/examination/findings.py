"""What an examination finds, and how it is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from rsmi.errors import DataError
from rsmi.store import canonical_json

CONTRADICTION = 5.0  # standard errors
_LEVELS = ("contradiction", "warning", "remark")  # the most serious first


@dataclass(frozen=True)
class Finding:
    """One thing to know about a set of samples.

    Attributes
    ----------
    code : str
        A short name of the kind, such as ``drift`` or ``energy``.
    level : {"contradiction", "warning", "remark"}
        A contradiction is a claim that the samples disprove by more than five standard errors. A
        warning is something that makes results worse than they look.
    sentence : str
        What was found, with numbers, and what to do about it.
    deviation : float, optional
        In standard errors, where that is how it was found.
    """

    code: str
    level: str
    sentence: str
    deviation: float | None = None


@dataclass(frozen=True)
class Examination:
    """The findings on a set of samples, and the numbers they rest on.

    Attributes
    ----------
    findings : tuple of Finding
        The most serious ones first.
    tau : float
        The longest autocorrelation time of the energy, the magnetization and the largest Fourier
        modes, in stored steps of one chain; a lower bound unless ``tau_known``.
    tau_known : bool
    slowest : str
        The quantity that has this time.
    effective : float
        How many independent configurations the samples are worth, at most.
    equilibration : int
        How many steps of every chain are best left out, by the rule of most effective samples.
    repeated : float
        The share of configurations that repeat earlier ones, other than in chains that stood still.
    order : tuple of str
        The largest Fourier mode of every component: ``uniform``, ``staggered`` or a wave vector.
    """

    findings: tuple[Finding, ...] = ()
    tau: float = 0.5
    tau_known: bool = False
    slowest: str = ""
    effective: float = 1.0
    equilibration: int = 0
    repeated: float = 0.0
    order: tuple[str, ...] = ()

    @property
    def contradictions(self) -> list[str]:
        """The sentences on claims that the samples disprove."""
        return [one.sentence for one in self.findings if one.level == "contradiction"]

    @property
    def faults(self) -> list[str]:
        """The codes of the findings that are more than remarks."""
        return [one.code for one in self.findings if one.level != "remark"]

    @property
    def sentences(self) -> list[str]:
        """What a reader of results must know, the most serious first."""
        return [one.sentence for one in self.findings if one.level != "remark"]

    def has(self, *codes: str) -> bool:
        """Whether there is a finding of one of these kinds."""
        return any(one.code in codes for one in self.findings)

    def sorted(self) -> Examination:
        """The same examination with the most serious findings first."""
        ranked = sorted(self.findings, key=lambda one: _LEVELS.index(one.level))
        return replace(self, findings=tuple(ranked))

    def as_json(self) -> dict[str, Any]:
        """The examination as JSON values."""
        return asdict(self) | {
            "findings": [asdict(one) for one in self.findings],
            "order": list(self.order),
        }

    def encoded(self) -> bytes:
        """The text that samples files store."""
        return canonical_json(self.as_json()).encode()


def decode(text: bytes, where: str) -> Examination:
    """The examination that a samples file stores.

    Raises
    ------
    DataError
        If it is none. It stands outside of the digest, so that it may be damaged unnoticed.
    """
    try:
        return from_json(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{where}: the stored examination of the samples is damaged") from error


def from_json(stored: Mapping[str, Any]) -> Examination:
    """The examination of which `Examination.as_json` has made these values.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError
        If they are not of an examination.
    """
    findings = tuple(
        Finding(
            str(one["code"]),
            _LEVELS[_LEVELS.index(one["level"])],
            _line(one["sentence"]),
            None if one["deviation"] is None else float(one["deviation"]),
        )
        for one in stored["findings"]
    )
    return Examination(
        findings,
        float(stored["tau"]),
        bool(stored["tau_known"]),
        _line(stored["slowest"]),
        float(stored["effective"]),
        int(stored["equilibration"]),
        float(stored["repeated"]),
        tuple(_line(one) for one in stored["order"]),
    )


def _line(text: str) -> str:
    """A text that is printed, without line breaks and control characters."""
    return "".join(character if character.isprintable() else "?" for character in text)
