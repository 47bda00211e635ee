"""``rsmi merge``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rsmi.cli import common

if TYPE_CHECKING:
    from rsmi.engine.request import RunOptions

_HELP = """Join shards to the file that one process would have written, digest for digest.

A shard is what 'rsmi sample --shard i/N' makes, or 'rsmi flow' or 'rsmi spectrum' with --shard: the
streams c with c mod N = i, which have random numbers of their own. N jobs may make the N shards at
the same time, on any machines. This command takes all of them, in any order, checks that they are
of one run and undamaged, and writes the whole.

\b
Example: three shards, which may be three jobs of a cluster
  rsmi sample --size 64 --temperature Tc --samples 20000 --shard 0/3 -o shard-0.h5
  rsmi sample --size 64 --temperature Tc --samples 20000 --shard 1/3 -o shard-1.h5
  rsmi sample --size 64 --temperature Tc --samples 20000 --shard 2/3 -o shard-2.h5
  rsmi merge shard-0.h5 shard-1.h5 shard-2.h5 -o samples.h5
Shards are resumed and extended like every file. To extend the whole, merge them again.
"""


@common.command("merge", help=_HELP)
@click.argument("shards", metavar="SHARD.h5...|-", type=click.Path(), nargs=-1, required=True)
@common.stage_command(seed=False)
def command(
    shards: tuple[str, ...], output: Path, run: RunOptions, dry_run: bool, as_json: bool
) -> None:
    from rsmi.reports import files as reports
    from rsmi.stages import merge

    with merge.prepare(common.read_paths(shards)) as whole:
        if dry_run:
            return common.print_plan(merge.plan(whole), as_json)
        merge.run(whole, output, run)
    common.answer(output, as_json, reports.summary)
