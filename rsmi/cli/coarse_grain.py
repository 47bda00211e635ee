"""``rsmi coarse-grain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rsmi.cli import common

if TYPE_CHECKING:
    from rsmi.engine.request import RunOptions

_HELP = f"""Apply a rule to samples: every block of spins becomes one spin (or one per hidden unit).

{common.RULES}

The result is a samples file again, so this command can be applied to it.

\b
Example: two steps of a learned rule
  rsmi coarse-grain samples.h5 --rule lambda.h5 --hard --steps 2 -o coarse.h5
Example: a rule for each step
  rsmi coarse-grain samples.h5 --rule staggered --rule majority --steps 2 -o coarse.h5
"""


@common.command("coarse-grain", help=_HELP)
@click.argument("samples", metavar="SAMPLES.h5|-", type=click.Path())
@common.rule_options(common.RULE_PER_STEP)
@click.option(
    "--steps",
    type=click.IntRange(1, 60),
    metavar="N",
    default=1,
    help="Coarse-graining steps.",
)
@common.stage_command()
def command(
    samples: str,
    rule: tuple[str, ...],
    block: str | None,
    hard: bool,
    bias: str | None,
    steps: int,
    seed: int,
    output: Path,
    run: RunOptions,
    dry_run: bool,
    as_json: bool,
) -> None:
    from rsmi.stages import coarse_grain

    path = common.one_path(samples)
    with coarse_grain.prepare(path, rule, block, hard, bias, steps, seed) as work:
        if dry_run:
            return common.print_plan(coarse_grain.plan(work), as_json)
        coarse_grain.run(work, output, run)
    common.answer(output, as_json, coarse_grain.summary)
