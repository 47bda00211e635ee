"""The parameters of the dimer model, from the options of the command line."""

from __future__ import annotations

import math

from rsmi.errors import UsageError
from rsmi.models.dimers import coverings
from rsmi.models.dimers.loop import least_coupling


def parameters(
    *,
    shape: tuple[int, ...],
    temperature: str | None,
    coupling: float | None,
    interaction: float | None,
    algorithm: str,
    boundary: str,
    noise_probability: float | None,
    noise_pairing: str | None,
) -> dict:
    """Return the checked parameters of the physics.

    Raises
    ------
    UsageError
        For a lattice without coverings, or an impossible temperature, algorithm or noise.
    """
    coverings.check_shape(shape)
    strength, energy = resolve_coupling(temperature, coupling, interaction)
    if strength and algorithm == "worm":
        raise UsageError(
            "--algorithm worm: samples free dimers only; take loop, or leave out --temperature and"
            " --coupling"
        )
    if strength < (least := least_coupling(shape, boundary)):
        raise UsageError(
            f"coupling {strength:g}: repels too much, loops would hardly close; {least:g} is the"
            " least on this lattice"
        )
    return {
        "model": "dimers",
        "shape": list(shape),
        "boundary": boundary,
        "coupling": strength,
        "algorithm": algorithm,
        **({} if energy is None else {"interaction": energy}),
        **_noise(noise_probability, noise_pairing),
    }


def resolve_coupling(
    temperature: str | None, coupling: float | None, interaction: float | None
) -> tuple[float, float | None]:
    """Return K = -v/(k_B T) and the interaction v; 0 and None for free dimers.

    v is the energy of two parallel dimers on a plaquette. They align for v < 0, that is K > 0.
    Without a temperature the dimers are free. ``--coupling`` alone stands for v = -1 or 1,
    whichever gives its sign.

    Raises
    ------
    UsageError
        For options that contradict each other, or values that are not finite.
    """
    if temperature is not None and coupling is not None:
        raise UsageError(
            "give --temperature or --coupling K = -v/(k_B T), not both; neither for free dimers"
        )
    if coupling is not None:
        return _from_coupling(coupling, interaction)
    if temperature is not None:
        return _from_temperature(temperature, -1.0 if interaction is None else interaction)
    if interaction:
        raise UsageError("--interaction: needs a --temperature")
    return 0.0, None


def _from_coupling(coupling: float, interaction: float | None) -> tuple[float, float | None]:
    if interaction is not None or not math.isfinite(coupling):
        raise UsageError(
            f"--coupling {coupling}: must be finite and says all: leave out --interaction"
        )
    return (coupling, -math.copysign(1.0, coupling)) if coupling else (0.0, None)


def _from_temperature(temperature: str, interaction: float) -> tuple[float, float | None]:
    try:
        value = float(temperature)
    except ValueError:
        raise UsageError(
            f"--temperature {temperature!r}: write a number, in the units of the interaction"
            " over k_B"
        ) from None
    if not value > 0 or not math.isfinite(interaction):
        raise UsageError(
            f"--temperature {temperature} with --interaction {interaction}: must be positive, and"
            " finite"
        )
    free = not interaction or not math.isfinite(value)
    return (0.0, None) if free else (-interaction / value, interaction)


def _noise(probability: float | None, pairing: str | None) -> dict[str, float | str]:
    if probability is None:
        if pairing is not None:
            raise UsageError("--noise-pairing: there is noise only with a --noise-probability")
        return {}
    if not 0 <= probability <= 1:
        raise UsageError(f"--noise-probability {probability}: a probability lies between 0 and 1")
    return {"noise_probability": probability, "noise_pairing": pairing or "cell"}
