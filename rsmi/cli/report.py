"""``rsmi report``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from rsmi.cli import common

_HELP = """Write one page on a whole study: an HTML file that needs no network.

The page shows what was sampled, every FILE with its figure, its numbers and the exact values that
are known for the model that the file names, all warnings, and the commands that make the files
again, which follow from the parameters that every file keeps of itself and of its ancestors. Where
a file does not say how it was made, the page says so. Names are without folders, and no date and no
name of a machine is on the page: the same files give the same page.

Tables are sorted by a click on a title, figures are enlarged by a click; both work without a
network, and all is readable without scripts and on paper. A page of the same name is replaced.
Pages need jinja2 and matplotlib (pip install 'rsmi[plot]').

\b
Example: all files of a folder
  rsmi report *.h5 -o report.html
Example: the answer and what it was made from, under a title
  rsmi report samples.h5 lambda.h5 flow.h5 exponent.h5 --title "Ising at T_c" -o report.html
"""


@common.command("report", help=_HELP)
@click.argument("files", metavar="FILE...|-", type=click.Path(), nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Page to write: .html or .htm.",
)
@click.option("--title", metavar="TEXT", default="A study with rsmi", help="Heading of the page.")
@common.reading_command
def command(files: tuple[str, ...], output: Path, title: str, as_json: bool) -> None:
    from rsmi.pages import page

    page.write(common.read_paths(files), output, title)
    click.echo(json.dumps({"file": str(output)}) if as_json else str(output))
