"""``rsmi exponent``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rsmi.cli import common

if TYPE_CHECKING:
    from rsmi.engine.request import RunOptions

_HELP = """Read critical exponents and the critical temperature off a flow.

y_t and y_h are logarithms of the largest eigenvalue of the linearised renormalization-group
transformation (Swendsen's Monte Carlo renormalization group), for every step and number of
operators, at the temperature nearest to --critical-temperature. The headline is that of all
operators at step 2, or at the step that --step names; choose it before you see the numbers. The
covariance of the steps is stored; it gives the error of the change from one step to the next. nu
comes from the slope of the effective coupling, and T_c from the crossing of the effective couplings
of steps 2 and 3. Both need the exact energy of a finite lattice and so do not exist in three
dimensions. T_c by matching needs none: it compares two lattices in one flow at one temperature, of
which the larger makes one step more.

Of variables with more than two states there are also the exponents of the second eigenvalues, and,
in a line of its own, y_t extrapolated with the known exponent of the leading correction.

The headline is withheld if a step makes another kind of system, such as a ferromagnet of an
antiferromagnet, and its rule is applied again: give 'rsmi flow' a rule for each step.

\b
Example:
  rsmi exponent flow.h5 -o exponent.h5 && rsmi info exponent.h5
Example: the headline of a small lattice, on which only one step is possible
  rsmi exponent flow.h5 --step 1 -o first.h5
"""


@common.command("exponent", help=_HELP)
@click.argument("flow", metavar="FLOW.h5|-", type=click.Path())
@click.option(
    "--critical-temperature",
    type=float,
    default=None,
    metavar="T",
    show_default="the model's T_c; the coldest in one dimension",
    help="Measure exponents at the temperature nearest to this, J/k_B.",
)
@click.option(
    "--step",
    type=click.IntRange(1, 60),
    default=None,
    metavar="N",
    show_default="2",
    help="The step of the headline; T_c is the crossing of steps N and N + 1.",
)
@common.stage_command(seed=False)
def command(
    flow: str,
    critical_temperature: float | None,
    step: int | None,
    output: Path,
    run: RunOptions,
    dry_run: bool,
    as_json: bool,
) -> None:
    from rsmi.samples.files import open_file
    from rsmi.stages import exponent

    with open_file(common.one_path(flow), "flow") as file:
        if dry_run:
            return common.print_plan(exponent.plan(file, critical_temperature, step), as_json)
        exponent.run(file, critical_temperature, step, output, run)
    common.answer(output, as_json, exponent.summary)
