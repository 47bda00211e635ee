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

With --temper T1,T2,..., lattices at all these temperatures make a ladder (parallel tempering).
After every second sweep, lattices at neighbouring temperatures exchange their configurations, with
the probability that keeps the distribution at every temperature exact. So lattices that are stuck
at a low temperature are renewed at a high one, which helps where systems are frustrated or have
several ordered states. --chains counts ladders, --samples the configurations at each temperature.
There is one file for each temperature: {T} in the name of -o stands for it as it is written. Each
file names the ladder and the rates of exchange. The files of one ladder are not independent of each
other. Shards of each temperature are merged by themselves.

\b
Example: a frustrated magnet at five temperatures, in files j-1.5.h5, j-1.7.h5 and so on
  rsmi sample --model ising-j1j2 --size 16 --temper 1.5,1.7,1.9,2.1,2.3 --samples 2000 -o 'j-{T}.h5'

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
        "Temperatures of parallel tempering in increasing order, in place of --temperature; -o then"
        " has {T} in its name."
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
        return common.print_plan(sample.plan(request), as_json)
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
        return common.print_plan(stage.plan(rungs), as_json)
    stage.run(rungs, run)
    if as_json:
        return common.print_text(json.dumps(stage.summary(rungs), allow_nan=False) + "\n")
    common.print_text("".join(f"{rung.output}\n" for rung in rungs))
