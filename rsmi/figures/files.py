"""``rsmi plot``: one figure for every kind of file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from rsmi.errors import Failure, UsageError
from rsmi.samples.files import open_file
from rsmi.store import File, as_data_error
from rsmi.store.disk import link_target, replacing

try:
    from matplotlib import style
    from matplotlib.figure import Figure

    from rsmi.figures import (
        comparison,
        correlation,
        crossing,
        exponent,
        flow,
        rules,
        samples,
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
# Formats, and the metadata that would make two equal figures differ.
FORMATS: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None},
    ".svg": {"Date": None},
}


def draw(paths: Sequence[Path], output: Path) -> None:
    """Draw files and write the figure, replacing one of the same name.

    Parameters
    ----------
    paths : sequence of Path
        One file of any kind, up to six samples files, which are drawn side by side, or several
        rules, whose information is drawn against what varies.
    output : Path
        Its name ends in .png, .pdf or .svg.

    Raises
    ------
    UsageError
        If the format is unknown, or if several files are neither all samples nor all rules.
    DataError
        If a file is damaged or contradicts itself.
    Failure
        If the folder is missing or the disk is full.
    """
    if output.suffix.lower() not in FORMATS:
        raise UsageError(f"{output}: the name of a figure ends in {', '.join(FORMATS)}")
    target = link_target(output)
    if not target.parent.is_dir():
        raise Failure(f"{target}: the folder {target.parent} does not exist: create it first")
    with style.context(STYLE), ExitStack() as stack:
        files = [stack.enter_context(open_file(path)) for path in paths]
        _save(figure_of(files), target, output.suffix.lower())


def figure_of(files: Sequence[File]) -> Figure:
    """The figure of one open file, of several samples files, or of several rules."""
    kinds = {file.kind for file in files}
    for kind in sorted(kinds - DRAWINGS.keys()):
        raise UsageError(f"{kind}: join the shards of the run by 'rsmi merge', then draw the whole")
    if len(files) > 1 and kinds not in ({"samples"}, {"lambda"}):
        raise UsageError(
            "several files in one figure must all be samples, or all rules (lambda), not"
            f" {', '.join(sorted(kinds))}"
        )
    if kinds == {"samples"} and len(files) > samples.PANELS:
        raise UsageError(
            f"{len(files)} files: at most {samples.PANELS} configurations are drawn side by side"
        )
    with as_data_error(files[0].path):
        if len(files) == 1:
            return DRAWINGS[files[0].kind](files[0])
        return (samples.draw_side_by_side if kinds == {"samples"} else comparison.draw)(files)


def _save(figure: Figure, output: Path, suffix: str) -> None:
    with replacing(output) as stream:
        figure.savefig(
            stream,
            format=suffix[1:],
            metadata=FORMATS[suffix],
            bbox_inches="tight",
            pad_inches=0.06,
        )
