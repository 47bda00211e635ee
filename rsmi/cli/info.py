"""``rsmi info``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rsmi.cli import common
from rsmi.errors import UsageError

if TYPE_CHECKING:
    from rsmi.store import File

    _Numbers = Callable[[File], dict]
    _Text = Callable[[File], str]

_HELP = """Show the numbers of files.

Standard errors stand in parentheses: 1.0033(70) is 1.0033 +- 0.0070. Exact values stand beside the
numbers where they are known for the model that the file names. Temperatures are in J/k_B, energies
in J and information in nats. For unfinished work (OUT.h5.parts, or OUT.h5 before it exists) the
progress of every task is shown, and the command that continues it.

Of several files --json prints a list. With --csv there is one table of files of one kind: a row for
each file, with its model, temperature, lattice, window and seed and its numbers; a flow has a row
for each temperature and step, a spectrum one for each sector, correlations one for each lattice and
function. Standard errors are in the columns whose names end in _error.

\b
Example:
  rsmi info exponent.h5
  rsmi info lambda.h5 --json
  rsmi info lambda-*.h5 --csv > information.csv
"""


@common.command("info", help=_HELP)
@click.argument("files", metavar="FILE...|-", type=click.Path(), nargs=-1, required=True)
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
@click.option("--csv", is_flag=True, help="Print one table of the files: comma-separated values.")
@common.reading_command
def command(
    files: tuple[str, ...], tree: bool, digest: bool, verify: bool, csv: bool, as_json: bool
) -> None:
    if tree + digest + verify + csv > 1:
        raise UsageError("give one of --tree, --digest, --verify and --csv")
    if csv and as_json:
        raise UsageError("give one of --csv and --json")
    paths = common.read_paths(files)
    if csv:
        return common.print_text(_table(paths))
    numbers, text = _views(tree, digest, verify)
    view, finished = numbers if as_json else text, tree or digest or verify
    found = [_shown(path, view, finished, as_json) for path in paths]
    if as_json:
        answer = json.dumps(found if len(found) > 1 else found[0], allow_nan=False)
        return common.print_text(f"{answer}\n")
    if len(found) > 1 and (digest or verify):
        found = [f"{path}: {line}" for path, line in zip(paths, found)]
        return common.print_text("".join(found))
    return common.print_text("\n".join(found))


def _table(paths: list[Path]) -> str:
    from rsmi.reports.rows import Row, csv_of, rows_of
    from rsmi.samples.files import open_file

    rows: list[Row] = []
    for path in paths:
        with open_file(path) as file:
            rows += rows_of(file)
    return csv_of(rows)


def _shown(path: Path, view: Callable[[File], Any], finished: bool, as_json: bool) -> Any:
    """What a view shows of a file, or the progress of unfinished work."""
    from rsmi.reports import unfinished
    from rsmi.samples.files import open_file
    from rsmi.store import unfinished_work

    work = unfinished_work(path)
    if work is not None:
        if finished:
            raise UsageError(f"{path}: is unfinished work; these options show finished files")
        return unfinished.summary(work) if as_json else unfinished.describe(work)
    with open_file(path) as opened:
        return view(opened)


def _views(tree: bool, digest: bool, verify: bool) -> tuple[_Numbers, _Text]:
    """What is shown of an open file, as numbers for JSON and as text that ends its last line."""
    from rsmi.reports import files
    from rsmi.reports import tree as structure

    if verify:
        return _verified, _verified_text
    if digest:
        return _digest, lambda file: f"{file.digest}\n"
    report = structure if tree else files
    return report.summary, report.describe


def _verified(file: File) -> dict:
    file.verify()
    return {"file": str(file.path), "ok": True, "digest": file.digest}


def _verified_text(file: File) -> str:
    file.verify()
    return "ok\n"


def _digest(file: File) -> dict:
    return {"file": str(file.path), "digest": file.digest}
