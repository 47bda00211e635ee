"""The state point of a model with one coupling K = J/(k_B T), from the command line."""

from __future__ import annotations

import math

from rsmi.errors import UsageError


def resolve_coupling(
    temperature: str | None,
    coupling: float | None,
    critical_coupling: float | None,
    no_critical_point: str,
) -> float:
    """Return K from ``--temperature`` or ``--coupling``, of which one is given.

    Parameters
    ----------
    temperature : str, optional
        A number in J/k_B, ``Tc``, or a multiple such as ``0.98Tc``.
    coupling : float, optional
    critical_coupling : float, optional
        K_c of the infinite lattice.
    no_critical_point : str
        The message if the temperature is a multiple of ``Tc`` and there is none.

    Raises
    ------
    UsageError
        If both or neither are given, or the value is not positive and finite.
    """
    if (temperature is None) == (coupling is None):
        raise UsageError(
            "give --temperature (in J/k_B, or Tc, or 0.98Tc) or --coupling K, one of the two"
        )
    if coupling is not None:
        if not _positive_and_finite(coupling):
            raise UsageError(
                f"--coupling {coupling}: must be positive and finite (ferromagnet, K = J/(k_B T))"
            )
        return coupling
    value = parse_temperature(str(temperature), critical_coupling, no_critical_point)
    if not _positive_and_finite(value):
        raise UsageError(f"--temperature {temperature}: must be positive and finite")
    return 1 / value


def parse_temperature(text: str, critical_coupling: float | None, no_critical_point: str) -> float:
    """Return the temperature in J/k_B that a number or a multiple of ``Tc`` means.

    Raises
    ------
    UsageError
        If the text is anything else, or there is no critical coupling.
    """
    multiple = text.lower().endswith("tc")
    try:
        number = float((text[:-2].rstrip("*") or "1") if multiple else text)
    except ValueError:
        raise UsageError(
            f"--temperature {text!r}: write a number in J/k_B, Tc, or a multiple such as 0.98Tc"
        ) from None
    if not multiple:
        return number
    if critical_coupling is None:
        raise UsageError(no_critical_point)
    return number / critical_coupling


def _positive_and_finite(value: float) -> bool:
    return math.isfinite(value) and value > 0 and math.isfinite(1 / value)
