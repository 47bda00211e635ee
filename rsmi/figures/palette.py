"""Colours of the states of a variable, which readers with any colour vision can tell apart.

Up to eight states take the colours of M. Okabe and K. Ito, "Color Universal Design" (2008), which
also differ in lightness. More states take steps of the map ``cividis`` (J. R. Nunez et al., PLoS
ONE 13, e0199239 (2018)). States on a circle take steps of the cyclic map ``twilight``.
"""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, ListedColormap

from rsmi.lattice.symbols import DIHEDRAL

_OKABE_ITO = (
    "#0072b2",
    "#f0e442",
    "#d55e00",
    "#000000",
    "#56b4e9",
    "#009e73",
    "#cc79a7",
    "#e69f00",
)


def of_states(states: int, symmetry: str | None) -> Colormap | None:
    """Return the colours of the states 0, 1, ...; None for two states, which are black and white.

    Parameters
    ----------
    states : int
    symmetry : str, optional
        With ``dihedral`` the states lie on a circle, and neighbours have similar colours.
    """
    if states == 2:
        return None
    if symmetry == DIHEDRAL:
        colours = matplotlib.colormaps["twilight"](np.arange(states) / states)
    elif states <= len(_OKABE_ITO):
        return ListedColormap(_OKABE_ITO[:states])
    else:
        colours = matplotlib.colormaps["cividis"](np.linspace(0, 1, states))
    return ListedColormap(colours)
