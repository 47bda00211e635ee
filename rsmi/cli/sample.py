"""``rsmi sample``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rsmi.cli import common, sampling
from rsmi.cli.model_options import ModelCommand, model_option, schema_option

if TYPE_CHECKING:
    from rsmi.engine.request import RunOptions

_HELP = """Sample configurations of a lattice model.

Each of the --chains independent chains makes --thermalization sweeps to forget its start, and then
stores a configuration after every --interval sweeps. A sweep attempts one update per site; an
algorithm that updates one cluster or worm at a time makes as many of them as change about one
variable per site, which a pilot run finds. With auto, a pilot run measures the autocorrelation time
and chooses both numbers such that stored samples are practically independent.

The same command resumes a run that was interrupted, and with more --samples it extends the file.

What follows describes the chosen model.
"""


@common.command("sample", cls=ModelCommand, help=_HELP)
@model_option()
@schema_option()
@sampling.options()
@click.option(
    "--temper",
    metavar="T,T[,T...]",
    default=None,
    help=(
        "Temperatures of parallel tempering in increasing order, in place of --temperature, for"
        " models on lattices, whose help says more; the name of -o then has {T} for the"
        " temperature."
    ),
)
@common.stage_command(shards=True, remote=True)
def command(
    dimension: int,
    size: str,
    output: Path,
    run: RunOptions,
    dry_run: bool,
    as_json: bool,
    temper: str | None,
    **settings: Any,
) -> None:
    from rsmi.stages import merge, sample

    settings["shape"] = sampling.parse_size(size, dimension)
    if temper is not None:
        return _temper(temper, output, run, dry_run, as_json, settings)
    request = sample.request(**settings)
    if dry_run:
        return common.print_plan(sample.plan(request), as_json, run.shard)
    sample.run(request, output, run)
    common.answer(output, as_json, (merge if run.shard else sample).summary)


def _temper(
    temper: str,
    output: Path,
    run: RunOptions,
    dry_run: bool,
    as_json: bool,
    settings: dict[str, Any],
) -> None:
    """Sample all temperatures of a ladder, and print the paths of the files."""
    from rsmi.stages import temper as stage

    rungs = stage.rungs_of(temper, output, **settings)
    if dry_run:
        return common.print_plan(stage.plan(rungs), as_json, run.shard)
    stage.run(rungs, run)
    if as_json:
        return common.print_text(json.dumps(stage.summary(rungs), allow_nan=False) + "\n")
    common.print_text("".join(f"{rung.output}\n" for rung in rungs))
