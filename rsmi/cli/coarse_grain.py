"""``rsmi coarse-grain``."""

from __future__ import annotations

import click

from rsmi.cli import common

_HELP = """Apply a rule to samples: every block of spins becomes one spin (or one per hidden unit).

The rule is a file of 'rsmi train-lambda' or a name: majority (sign of the block's magnetization, ties by a fair coin) or
decimation (the block's first spin). A learned rule draws each coarse spin from its probability; --hard takes the likelier
value. The result is a samples file, so steps chain.

\b
Example: two steps of a learned rule
  rsmi coarse-grain samples.h5 --rule lambda.h5 --hard --steps 2 -o coarse.h5
"""


@common.command("coarse-grain", help=_HELP)
@click.argument("samples", metavar="SAMPLES.h5|-")
@click.option("--rule", required=True, metavar="FILE|majority|decimation", help="A learned rule or a named one.")
@click.option("--block", default=None, metavar="SHAPE", help="Block of a named rule, such as 2x2 (default: 2 along every axis).")
@click.option("--hard", is_flag=True, help="Take the likelier value instead of drawing; named rules are always hard.")
@click.option("--steps", type=click.IntRange(1, 60), metavar="N", default=1, help="Apply the rule this many times.")
@common.stage_command()
def command(samples, rule, block, hard, steps, seed, output, run, dry_run, as_json):
    from rsmi.stages import coarse_grain

    with coarse_grain.prepare(common.one_path(samples), rule, block, hard, steps, seed) as work:
        if dry_run:
            return common.print_plan(coarse_grain.plan(work), as_json)
        coarse_grain.run(work, output, run)
    common.answer(output, as_json, lambda: coarse_grain.summary(output))
