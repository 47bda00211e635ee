"""``rsmi crossing``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rsmi.cli import common

if TYPE_CHECKING:
    from rsmi.engine.request import RunOptions

_HELP = """Find the critical temperature from samples of two or more lattice sizes, with no exact
knowledge of the model.

Every size needs samples at two or more temperatures around T_c whose energies overlap; they are at
most a few per cent apart. Multi-histogram reweighting makes Binder's cumulant and the correlation
ratio C(L/2)/C(L/4) continuous functions of T. The curves of two sizes cross near T_c, and the ratio
of their slopes there gives nu. The headline is always the crossing of the cumulants of the two
largest sizes. The crossings of smaller pairs are printed too and show how far they still drift. Of
variables with more than two states, m is the order parameter that 'rsmi info' shows.

\b
Example: files of 16x16 and 32x32 at 0.98, 1 and 1.02 of a first guess of T_c
  rsmi crossing 16-*.h5 32-*.h5 -o crossing.h5 && rsmi info crossing.h5
"""


@common.command("crossing", help=_HELP)
@click.argument("samples", metavar="SAMPLES.h5...|-", type=click.Path(), nargs=-1, required=True)
@common.stage_command(seed=False)
def command(
    samples: tuple[str, ...], output: Path, run: RunOptions, dry_run: bool, as_json: bool
) -> None:
    from rsmi.stages import crossing
    from rsmi.stages.crossing_request import prepare

    with prepare(common.read_paths(samples)) as work:
        if dry_run:
            return common.print_plan(crossing.plan(work), as_json)
        crossing.run(work, output, run)
    common.answer(output, as_json, crossing.summary)
