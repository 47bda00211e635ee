"""Real-space mutual information renormalization group.

``rsmi`` on the command line, and the same steps as functions on arrays: `learn`, `coarse_grain`,
`flow` and `spectrum` on arrays or `Samples` (see `rsmi.api`). Whoever builds on the pieces beneath
finds them in `rsmi.lattice`, `rsmi.information`, `rsmi.renormalization`, `rsmi.statistics`,
`rsmi.models` and `rsmi.samples`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rsmi.api import Rule, Samples, coarse_grain, flow, learn, spectrum

__version__ = "0.5.0"
__all__ = ["Rule", "Samples", "coarse_grain", "flow", "learn", "spectrum"]


def __getattr__(name: str) -> Any:
    """Import the functions on arrays when they are first used: numpy and h5py are slow to load."""
    if name not in __all__:
        raise AttributeError(f"module 'rsmi' has no attribute '{name}'")
    from rsmi import api

    return getattr(api, name)


def __dir__() -> list[str]:
    """Return the public names, for completion by tab."""
    return sorted({*globals(), *__all__})
