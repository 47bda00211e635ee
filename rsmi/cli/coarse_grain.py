"""``rsmi coarse-grain``."""

from __future__ import annotations

import click

from rsmi.cli import common

_HELP = f"""Apply a rule to samples: every block of spins becomes one spin (or one per hidden unit).

{common.RULES}

The result is a samples file, so steps chain.

\b
Example: two steps of a learned rule
  rsmi coarse-grain samples.h5 --rule lambda.h5 --hard --steps 2 -o coarse.h5
"""


@common.command("coarse-grain", help=_HELP)
@click.argument("samples", metavar="SAMPLES.h5|-", type=click.Path())
@common.rule_options()
@click.option(
    "--steps",
    type=click.IntRange(1, 60),
    metavar="N",
    default=1,
    help="Apply the rule this many times.",
)
@common.stage_command()
def command(samples, rule, block, hard, bias, steps, seed, output, run, dry_run, as_json):
    from rsmi.stages import coarse_grain

    with coarse_grain.prepare(
        common.one_path(samples), rule, block, hard, bias, steps, seed
    ) as work:
        if dry_run:
            return common.print_plan(coarse_grain.plan(work), as_json)
        coarse_grain.run(work, output, run)
    common.answer(output, as_json, coarse_grain.summary)
