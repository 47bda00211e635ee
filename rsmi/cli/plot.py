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
lambda      the filters (of dimers: on their lattice), and the training of every restart; of
            several files I(H:E) against what varies: temperature, buffer, units, size ...
flow        effective couplings along the flow, one line per temperature
exponent    y_t, y_h, nu and T_c, by step
crossing    Binder cumulant and correlation ratio of every size against T, and where they cross
spectrum    scaling dimensions of pairs of sizes, and their extrapolation, in both sectors
correlation C(r) and structure factors on double-logarithmic axes, with the fitted power

Dashed lines are exact or known values; they are drawn only where the file names a model for which
such values are known. The ending of the name gives the format: png, pdf or svg. An existing figure
is replaced. Figures need matplotlib (pip install 'rsmi[plot]').

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
@common.reading_command
def command(files: tuple[str, ...], output: Path, as_json: bool) -> None:
    from rsmi.figures import files as figures

    figures.draw(common.read_paths(files), output)
    click.echo(json.dumps({"file": str(output)}) if as_json else str(output))
