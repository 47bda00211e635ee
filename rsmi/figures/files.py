"""``rsmi plot``: one figure for every kind of file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rsmi.errors import Failure, UsageError
from rsmi.reports.rows import csv_of
from rsmi.samples.files import open_file
from rsmi.store import File, as_data_error
from rsmi.store.disk import link_target, replacing

try:
    from matplotlib import rcParams, style
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

    from rsmi.figures import (
        comparison,
        correlation,
        crossing,
        exponent,
        flow,
        layout,
        numbers,
        rules,
        samples,
        several,
        spectrum,
        training,
    )
    from rsmi.figures.style import STYLE
except ImportError as error:
    raise Failure("plotting needs matplotlib: pip install 'rsmi[plot]'") from error

DRAWINGS: dict[str, Callable[[File], Figure]] = {
    "samples": samples.draw,
    "theta": training.draw,
    "lambda": rules.draw,
    "flow": flow.draw,
    "exponent": exponent.draw,
    "crossing": crossing.draw,
    "spectrum": spectrum.draw,
    "correlation": correlation.draw,
}
# How several files of a kind are drawn; others are drawn one by one.
TOGETHER: dict[str, Callable[[Sequence[File]], Figure]] = {
    "samples": samples.draw_side_by_side,
    "lambda": comparison.draw,
    "flow": flow.draw_several,
    **dict.fromkeys(several.QUANTITIES, several.draw),
}
# Formats, and the metadata that would make two equal figures differ.
FORMATS: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None},
    ".svg": {"Date": None},
}


@dataclass(frozen=True)
class Look:
    """What a page asks of a figure.

    Attributes
    ----------
    panel : str, optional
        The only panel that is drawn.
    width : float, optional
        Of all that is drawn, in inches.
    dpi : float, optional
        Dots per inch of a PNG figure.
    title : bool
    """

    panel: str | None = None
    width: float | None = None
    dpi: float | None = None
    title: bool = True


def draw(
    paths: Sequence[Path], output: Path, look: Look = Look(), table: Path | None = None
) -> None:
    """Draw files and write the figure, replacing one of the same name.

    Parameters
    ----------
    paths : sequence of Path
        One file of any kind, up to six samples files, which are drawn side by side, or several
        files of one kind, whose values to quote are drawn against what varies.
    output : Path
        Its name ends in .png, .pdf or .svg.
    look : Look
    table : Path, optional
        A file for the numbers that the figure shows, as comma-separated values.

    Raises
    ------
    UsageError
        If the format is unknown, the panel is not there or does not fit, or if several files are
        not of one kind, or differ in
        nothing that is known.
    DataError
        If a file is damaged or contradicts itself.
    Failure
        If the folder is missing or the disk is full.
    """
    if output.suffix.lower() not in FORMATS:
        raise UsageError(f"{output}: the name of a figure ends in {', '.join(FORMATS)}")
    target, aside = _target(output), None if table is None else _target(table)
    if target == aside:
        raise UsageError(f"{output}: the figure and its numbers need different names")
    with style.context(STYLE), ExitStack() as stack:
        files = [stack.enter_context(open_file(path)) for path in paths]
        figure = figure_of(files)
        box = arranged(figure, look)
        if aside is not None:
            with replacing(aside) as stream:
                stream.write(csv_of(numbers.rows_of(figure)).encode())
        _save(figure, target, output.suffix.lower(), box, look.dpi)


def _target(output: Path) -> Path:
    """Where a file is written, in a folder that exists."""
    target = link_target(output)
    if not target.parent.is_dir():
        raise Failure(f"{target}: the folder {target.parent} does not exist: create it first")
    return target


def arranged(figure: Figure, look: Look) -> Bbox:
    """Arrange a figure as it was asked for; what of it is saved, in inches."""
    if look.panel is not None:
        layout.show_panel(figure, look.panel)
    if not look.title:
        figure.suptitle("")
    box = layout.extent(figure) if look.width is None else layout.fit_width(figure, look.width)
    figure.set_layout_engine("none")  # which would move the axes once more
    return box


def figure_of(files: Sequence[File]) -> Figure:
    """The figure of one open file, or of several files of one kind."""
    kinds = {file.kind for file in files}
    for kind in sorted(kinds - DRAWINGS.keys()):
        raise UsageError(f"{kind}: join the shards of the run by 'rsmi merge', then draw the whole")
    if len(files) > 1 and len(kinds) > 1:
        raise UsageError(
            f"several files in one figure must be of one kind, not {', '.join(sorted(kinds))}"
        )
    (kind,) = kinds
    if len(files) > 1 and kind not in TOGETHER:
        raise UsageError(f"files of the kind {kind} are drawn one by one: give one of them")
    if kind == "samples" and len(files) > samples.PANELS:
        raise UsageError(
            f"{len(files)} files: at most {samples.PANELS} configurations are drawn side by side"
        )
    with as_data_error(files[0].path):
        return DRAWINGS[kind](files[0]) if len(files) == 1 else TOGETHER[kind](files)


def _save(figure: Figure, output: Path, suffix: str, box: Bbox, dpi: float | None) -> None:
    with replacing(output) as stream:
        figure.savefig(
            stream,
            format=suffix[1:],
            metadata=FORMATS[suffix],
            bbox_inches=box,
            dpi=dpi or rcParams["savefig.dpi"],
        )
