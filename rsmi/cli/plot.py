"""``rsmi plot``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from rsmi.cli import common

_HELP = """Draw the figure of a file.

\b
samples     configurations, black is +1; several files are drawn side by side
theta       held-out pseudo-log-likelihood and reconstruction error by epoch
lambda      the filters (of dimers: on their lattice), and the training of every restart
flow        effective couplings along the flow, one line per temperature
exponent    y_t, y_h, nu and T_c, by step
crossing    Binder cumulant and correlation ratio of every size against T, and where they cross
spectrum    scaling dimensions of pairs of sizes, and their extrapolation, in both sectors
correlation C(r) and structure factors on double-logarithmic axes, with the fitted power

Of several files of one kind the values to quote are drawn against what varies: temperature, buffer,
units, size, rule, model ... (lambda: I(H:E), I(V:E) and the filters; flow: one line for each;
exponent, crossing, spectrum, theta).

Dashed lines are exact or known values; they are drawn only where the file names a model for which
such values are known. The ending of the name gives the format: png, pdf or svg. An existing figure
is replaced. Figures need matplotlib (pip install 'rsmi[plot]').

For a paper take --panel NAME (a wrong name lists the panels of a figure) and the --width of a
column: 8.6cm in journals of the APS, 8.9cm in Nature, 9cm at Elsevier; of a page 17.8cm, 18.3cm and
19cm. --csv FILE writes the points, error bars and weights for a figure of your own.

\b
Example: configurations below, at and above T_c in one figure
  rsmi plot cold.h5 critical.h5 hot.h5 -o configurations.png
Example: the information of rules that were learned at several temperatures
  rsmi plot lambda-*.h5 -o information.pdf
"""


@common.command("plot", help=_HELP)
@click.argument("files", metavar="FILE...|-", type=click.Path(), nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Figure to write: .png, .pdf or .svg.",
)
@click.option("--panel", metavar="NAME", help="Draw one panel alone, without the title.")
@click.option(
    "--width",
    metavar="LENGTH",
    help="Width of the figure with its unit: 8.6cm, 86mm or 3.4in. The letters keep their size.",
)
@click.option(
    "--dpi",
    type=click.IntRange(50, 2400),
    help="Dots per inch of a .png figure.  [default: 200]",
)
@click.option("--no-title", is_flag=True, help="Leave out the title above the panels.")
@click.option(
    "--csv",
    type=click.Path(path_type=Path),
    help="Also write the numbers that the figure shows to this file: comma-separated values.",
)
@common.reading_command
def command(
    files: tuple[str, ...],
    output: Path,
    panel: str | None,
    width: str | None,
    dpi: int | None,
    no_title: bool,
    csv: Path | None,
    as_json: bool,
) -> None:
    from rsmi.figures import files as figures
    from rsmi.figures.layout import parse_width

    inches = None if width is None else parse_width(width)
    look = figures.Look(panel=panel, width=inches, dpi=dpi, title=not no_title)
    figures.draw(common.read_paths(files), output, look, csv)
    click.echo(json.dumps({"file": str(output)}) if as_json else str(output))
