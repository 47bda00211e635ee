"""``rsmi flow``."""

from __future__ import annotations

import click

from rsmi.cli import common

_HELP = f"""Measure operators along repeated coarse-graining of samples at one or more temperatures.

At every step the lattice sums of even and odd operators (seven and five in one dimension, ten and six in two and three),
their products with those of the step before, and with the original energy are added up exactly, per block of samples;
'rsmi exponent' reads exponents and the critical temperature off them. The effective coupling K_eff is that of the
nearest-neighbour model with the same energy on a lattice of the coarse size; it needs the exact energy and so does not exist
in three dimensions. Files at one temperature are merged if their random streams differ.

{common.RULES}

\b
Example: the flow of five temperatures under the majority rule
  rsmi flow samples-*.h5 --rule majority --block 2x2 --steps 3 -o flow.h5
"""


@common.command("flow", help=_HELP)
@click.argument("samples", metavar="SAMPLES.h5...|-", nargs=-1, required=True)
@common.rule_options()
@click.option("--steps", type=click.IntRange(1, 60), metavar="N", required=True, help="Coarse-graining steps.")
@common.stage_command()
def command(samples, rule, block, hard, bias, steps, seed, output, run, dry_run, as_json):
    from rsmi.stages import flow

    with flow.prepare(common.read_paths(samples), rule, block, hard, bias, steps, seed) as work:
        if dry_run:
            return common.print_plan(flow.plan(work), as_json)
        flow.run(work, output, run)
    common.answer(output, as_json, lambda: flow.summary(output))
