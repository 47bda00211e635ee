"""``rsmi info``."""

from __future__ import annotations

import json

import click

from rsmi.cli import common
from rsmi.errors import UsageError

_HELP = """Show what a file holds and what it says.

Every kind of file is shown with its numbers, errors in parentheses (1.0033(70) is 1.0033 +-
0.0070), and the exact values beside them where they are known. Temperatures are in J/k_B, energies
in J, information in nats.

\b
Example:
  rsmi info exponent.h5
  rsmi info lambda.h5 --json
"""


@common.command("info", help=_HELP)
@click.argument("file", metavar="FILE|-", type=click.Path())
@click.option(
    "--tree",
    is_flag=True,
    help="Show parameters, ancestors, datasets and the run that wrote the file.",
)
@click.option("--digest", is_flag=True, help="Print only the digest of the content.")
@click.option(
    "--verify", is_flag=True, help="Recompute the digest from the content: prints ok, or exits 65."
)
@common.reading_command
def command(file, tree, digest, verify, as_json):
    from rsmi.reports import files as info

    if tree + digest + verify > 1:
        raise UsageError("give one of --tree, --digest and --verify")
    path = common.one_path(file)
    if verify:
        return _print({"file": str(path), "ok": True, "digest": info.verify(path)}, "ok", as_json)
    if digest:
        return _print({"file": str(path), "digest": info.digest(path)}, info.digest(path), as_json)
    value, text = (info.tree, info.tree_text) if tree else (info.summary, info.describe)
    click.echo(json.dumps(value(path), allow_nan=False) if as_json else text(path), nl=as_json)


def _print(value: dict, text: str, as_json: bool) -> None:
    click.echo(json.dumps(value) if as_json else text)
