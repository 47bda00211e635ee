"""The figure of samples: configurations side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from rsmi import models
from rsmi.figures import palette, sites
from rsmi.figures.layout import RIGID, name_panel
from rsmi.figures.style import named_state
from rsmi.lattice.geometry import sides_text
from rsmi.lattice.packed import unpack_bits
from rsmi.lattice.unit_cell import UnitCell
from rsmi.models.drawing import Drawing
from rsmi.samples.views import SamplesFile
from rsmi.store import File

PANELS = 6  # configurations side by side at most
_GRID_WIDTH = 1.75  # inches of a configuration drawn as a grid
_KEY_HEIGHT = 0.19  # inches of a line of the key of colours
_TALLEST = 2.0  # a panel's height over its width at most


def draw(file: File) -> Figure:
    """Four configurations of one file, late ones; two where the model draws them itself."""
    figure = _side_by_side(_pictures(file, 4), 0.3)
    parts = [named_state(file.attributes), _lattice(file), *_black([file])]
    figure.suptitle(",  ".join(parts))
    _add_legend(figure, file)
    return figure


def draw_side_by_side(files: Sequence[File]) -> Figure:
    """The last configuration of each file."""
    figure = _side_by_side([_pictures(file, 1)[0] for file in files], 0.45)
    names = [models.of(file.attributes).describe_lattice(file.attributes) for file in files]
    one_model = len(set(names)) == 1
    for axes, file, name in zip(list(figure.axes), files, names):
        axes.set_title(_title(file) if one_model else f"{name}\n{_title(file)}")
    figure.suptitle(",  ".join([*names[:one_model], *_black(files)]))
    if one_model and len({(_states(file), _symmetry(file)) for file in files}) == 1:
        _add_legend(figure, max(files, key=lambda file: file.attributes.get("components", 1)))
    return figure


def _add_legend(figure: Figure, file: File) -> None:
    """What the colours of a model mean, or those of more than two states with their numbers."""
    module = models.of(file.attributes).drawing()
    if module is not None:
        figure.set_label(RIGID)
        key = [Line2D([], [], **look) for look in module.configuration_key(file.attributes)]
        figure.set_figheight(figure.get_figheight() + _KEY_HEIGHT * -(-len(key) // 2))
        figure.legend(handles=key, loc="outside lower center", ncols=2)
        return
    colours = palette.of_states(_states(file), _symmetry(file))
    if colours is not None:
        shown = ScalarMappable(Normalize(-0.5, colours.N - 0.5), colours)
        ticks = range(0, colours.N, 1 + colours.N // 9)
        bar = figure.colorbar(shown, ax=figure.axes, ticks=ticks, label="state", pad=0.01)
        bar.outline.set(linewidth=0.6)
        bar.ax.tick_params(length=0)


@dataclass(frozen=True)
class _Picture:
    """How one configuration is drawn.

    Attributes
    ----------
    draw : callable(axes, width)
        Draws it on a panel of so many inches.
    width : float
        The width that it needs, in inches.
    height : float
        Its height over its width.
    """

    draw: Callable[[Axes, float], None]
    width: float
    height: float


def _side_by_side(pictures: Sequence[_Picture], margin: float) -> Figure:
    """All pictures at one width, below a margin of so many inches for the titles."""
    width = max(picture.width for picture in pictures)
    height = width * min(_TALLEST, max(picture.height for picture in pictures))
    figure = Figure(figsize=(width * len(pictures), height + margin), layout="constrained")
    for axes, picture in zip(figure.subplots(1, len(pictures), squeeze=False)[0], pictures):
        name_panel("configurations", axes)
        picture.draw(axes, width)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, linewidth=0.6)
    return figure


def _pictures(file: File, count: int) -> list[_Picture]:
    model, n = models.of(file.attributes), file.shape("/spins")[0]
    module, cell = model.drawing(), model.unit_cell(file.attributes)
    numbers = (n - 1 - n * k // 2 for k in reversed(range(min(count, 2, n))))
    configurations = (configuration(file, number) for number in numbers)
    if module is not None:
        return [_by_model(module, spins) for spins in configurations]
    if cell is not None and len(cell.vectors) == 2:
        return [_on_sites(cell, spins) for spins in configurations]
    colours = palette.of_states(_states(file), _symmetry(file))
    return [_grid(image, colours) for image in images(file, count)]


def _states(file: File) -> int:
    return file.attributes.get("states", 2)


def _symmetry(file: File) -> str | None:
    return models.of(file.attributes).symmetry(file.attributes)


def _grid(image: NDArray[np.int8], colours: Colormap | None) -> _Picture:
    """An image of +-1 in black and white, or of states in colours."""

    def draw(axes: Axes, width: float) -> None:
        if colours is None:
            axes.imshow(image, cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest")
        else:
            limits = (-0.5, colours.N - 0.5)
            axes.imshow(image, cmap=colours, clim=limits, interpolation="nearest")

    return _Picture(draw, _GRID_WIDTH, image.shape[0] / image.shape[1])


def _by_model(module: Drawing, spins: NDArray[np.int8]) -> _Picture:
    """A configuration as its model draws it, the first axis to the right."""

    def draw(axes: Axes, width: float) -> None:
        module.draw_configuration(axes, spins, width)

    return _Picture(draw, module.CONFIGURATION_WIDTH, spins.shape[-1] / spins.shape[1])


def _on_sites(cell: UnitCell, spins: NDArray[np.int8]) -> _Picture:
    """A configuration with its sites where they lie."""

    def draw(axes: Axes, width: float) -> None:
        sites.draw_configuration(axes, cell, spins)

    return _Picture(draw, sites.WIDTH, sites.height_over_width(cell, spins.shape[1:]))


def images(file: File, count: int) -> list[NDArray[np.int8]]:
    """Late configurations of a file as images.

    Parameters
    ----------
    file : File
        Samples.
    count : int
        At most so many configurations. Where a site has several components and more than one
        configuration may be shown, the images are the components of the last configuration. A chain
        has one image, whose rows are successive configurations.

    Returns
    -------
    list of ndarray of int8, shape (rows, columns)
        +1 and -1, and 0 where a site carries no data; of more than two states their codes.
    """
    shape, components = file.attributes["shape"], file.attributes["components"]
    n = file.shape("/spins")[0]
    if len(shape) == 1:
        rows = np.arange(0, n, file.attributes["chains"])[-shape[0] :]
        return [np.concatenate([configuration(file, row)[0][None] for row in rows])]
    if count == 1:
        planes = [configuration(file, n - 1)[0]]
    elif components > 1:
        planes = list(configuration(file, n - 1)[:PANELS])
    else:
        numbers = sorted({n - 1 - n * k // count for k in range(count)})
        planes = [configuration(file, number)[0] for number in numbers]
    return [plane if plane.ndim == 2 else plane[0] for plane in planes]


def configuration(file: File, number: int) -> NDArray[np.int8]:
    """One configuration, shape (components, *shape): +-1, and 0 where a site carries no data; of
    more than two states their codes."""
    shape = (file.attributes["components"], *file.attributes["shape"])
    if _states(file) > 2:
        return SamplesFile(file).codes(number, number + 1)[0].astype(np.int8)
    row = file.read("/spins", number, number + 1)
    everywhere = np.full(row.shape, 255, np.uint8)
    mask = file.read("/mask")[np.newaxis] if "/mask" in file else everywhere
    spins, live = (unpack_bits(bits, shape)[0].astype(np.int8) for bits in (row, mask))
    return 2 * spins - live


def _title(file: File) -> str:
    """The state point, and the lattice in a second line (TeX)."""
    return f"{models.of(file.attributes).temperature_label(file.attributes)}\n{_lattice(file)}"


def _black(files: Sequence[File]) -> list[str]:
    """What black means, where spins are drawn in black and white."""
    drawn = any(models.of(file.attributes).drawing() is not None for file in files)
    return [] if drawn or any(_states(file) > 2 for file in files) else ["black is +1"]


def _lattice(file: File) -> str:
    """The size of the lattice, its edges and the steps of coarse-graining (TeX)."""
    a = file.attributes
    return ", ".join(
        [
            f"$L$ = {'slice of ' * (len(a['shape']) == 3)}{sides_text(a['shape'])}",
            *(["open"] if a["boundary"] == "open" else []),
            *([f"step {a['rg_step']}"] if a["rg_step"] else []),
        ]
    )
