"""``rsmi crossing``."""

from __future__ import annotations

import click

from rsmi.cli import common

_HELP = """Find the critical temperature from samples of two or more lattice sizes, with no exact
knowledge of the model.

Needs samples of every size at two or more temperatures around T_c whose energies overlap, a few per
cent apart at most. Multi-histogram reweighting makes Binder's cumulant and the correlation ratio
C(L/2)/C(L/4) continuous functions of T; those of two sizes cross near T_c, and the ratio of their
slopes there gives nu. The headline is the crossing of the cumulants of the two largest sizes,
always; crossings of smaller pairs, printed beside it, show how far they still drift.

\b
Example: files of 16x16 and 32x32 at .98, 1 and 1.02 of a first guess of T_c
  rsmi crossing 16-*.h5 32-*.h5 -o crossing.h5 && rsmi info crossing.h5
"""


@common.command("crossing", help=_HELP)
@click.argument("samples", metavar="SAMPLES.h5...|-", type=click.Path(), nargs=-1, required=True)
@common.stage_command(seed=False)
def command(samples, output, run, dry_run, as_json):
    from rsmi.stages import crossing

    with crossing.prepare(common.read_paths(samples)) as work:
        if dry_run:
            return common.print_plan(crossing.plan(work), as_json)
        crossing.run(work, output, run)
    common.answer(output, as_json, crossing.summary)
