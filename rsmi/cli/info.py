"""``rsmi info``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from rsmi.cli import common
from rsmi.errors import UsageError

if TYPE_CHECKING:
    from rsmi.store import File, UnfinishedWork

    _Numbers = Callable[[File], dict]
    _Text = Callable[[File], str]

_HELP = """Show the numbers of a file.

Standard errors stand in parentheses: 1.0033(70) is 1.0033 +- 0.0070. Exact values stand beside the
numbers where they are known for the model that the file names. Temperatures are in J/k_B, energies
in J and information in nats. For unfinished work (OUT.h5.parts, or OUT.h5 before it exists) the
progress of every task is shown, and the command that continues it.

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
    "--verify",
    is_flag=True,
    help="Recompute the digest from the content: prints ok, or exits 65. All files but samples and"
    " shards are verified whenever they are read.",
)
@common.reading_command
def command(file: str, tree: bool, digest: bool, verify: bool, as_json: bool) -> None:
    from rsmi.samples.files import open_file
    from rsmi.store import unfinished_work

    if tree + digest + verify > 1:
        raise UsageError("give one of --tree, --digest and --verify")
    path = common.one_path(file)
    work = unfinished_work(path)
    if work is not None:
        if tree or digest or verify:
            raise UsageError(f"{path}: is unfinished work; these options show finished files")
        return common.print_text(_progress(work, as_json))
    with open_file(path) as opened:
        if verify:
            opened.verify()
        numbers, text = _views(tree, digest, verify)
        shown = json.dumps(numbers(opened), allow_nan=False) + "\n" if as_json else text(opened)
    common.print_text(shown)


def _progress(work: UnfinishedWork, as_json: bool) -> str:
    from rsmi.reports import unfinished

    if as_json:
        return json.dumps(unfinished.summary(work), allow_nan=False) + "\n"
    return unfinished.describe(work)


def _views(tree: bool, digest: bool, verify: bool) -> tuple[_Numbers, _Text]:
    """What is shown of an open file, as numbers for JSON and as text that ends its last line."""
    from rsmi.reports import files
    from rsmi.reports import tree as structure

    if verify:
        return _verified, lambda file: "ok\n"
    if digest:
        return _digest, lambda file: f"{file.digest}\n"
    report = structure if tree else files
    return report.summary, report.describe


def _verified(file: File) -> dict:
    return {"file": str(file.path), "ok": True, "digest": file.digest}


def _digest(file: File) -> dict:
    return {"file": str(file.path), "digest": file.digest}
