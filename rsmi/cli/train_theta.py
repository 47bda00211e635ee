"""``rsmi train-theta``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rsmi.cli import common

if TYPE_CHECKING:
    from rsmi.engine.request import RunOptions

_HELP = """Train restricted Boltzmann machines of (V, E) and of V on windows of samples.

A window is a block V, a buffer around it that is ignored, and the environment E around the buffer.
About a fifth of the configurations is held out: whole chains if there are at least five of them.
The pseudo-likelihood is measured on the held-out configurations. Where the exact P(V|E) of the
model is known, so is its mean Kullback-Leibler divergence from that of the machine.

Of variables with q > 2 states, visible and hidden units have q states, and the weights are tied to
the symmetry of the states: a relabelling of all states changes no probability.

\b
Example:
  rsmi train-theta samples.h5 --block 2x2 --buffer 1 --environment 1 -o theta.h5
Example: three states
  rsmi sample --model potts --states 3 --size 64 --temperature Tc --samples 1500 -o potts.h5
  rsmi train-theta potts.h5 --block 2x2 -o theta3.h5
  rsmi train-lambda potts.h5 --theta theta3.h5 --hidden-states 3 -o tied.h5
Example: the three sites of a triangle on the triangular lattice
  rsmi sample --model triangular-ground-states --size 12 --samples 10000 -o ground.h5
  printf '0,0\\n1,0\\n1,1\\n' > triangle.csv
  rsmi train-theta ground.h5 --block triangle.csv --metric lattice -o theta.h5
  rsmi train-lambda ground.h5 --theta theta.h5 --hidden 2 -o rule.h5
"""


def geometry_options(required: bool) -> common.Decorator:
    """Add --block, --buffer and --environment; a default of 1 where they are required, else that
    of theta."""
    default, shown = (1, "1") if required else (None, "1, or as theta was trained")
    return common.options(
        click.option(
            "--block",
            required=required,
            metavar="SHAPE|SITES.csv",
            help=(
                "Block V: a shape such as 2x2, or a CSV file with the coordinates of one site in"
                " each line."
            ),
        ),
        click.option(
            "--buffer",
            type=click.IntRange(0, 64),
            metavar="N",
            default=default,
            show_default=shown,
            help="Width of the ignored buffer, sites.",
        ),
        click.option(
            "--environment",
            type=click.IntRange(0, 64),
            metavar="N",
            default=default,
            show_default=shown,
            help="Width of the environment ring, sites.",
        ),
        click.option(
            "--metric",
            type=click.Choice(("square", "lattice")),
            default=None,
            show_default="square",
            help="How distances from V are measured: buffer and environment are square frames, or"
            " have the sites at a number of steps to nearest neighbours on the lattice of the"
            " model.",
        ),
    )


@common.command("train-theta", help=_HELP)
@click.argument("samples", metavar="SAMPLES.h5|-", type=click.Path())
@geometry_options(required=True)
@click.option(
    "--windows",
    type=click.IntRange(1),
    metavar="N",
    default=100_000,
    help="Number of windows, spread evenly over the configurations; about a fifth is held out.",
)
@click.option(
    "--hidden",
    type=click.IntRange(1, 4096),
    metavar="N",
    default=None,
    show_default="20, 32 beyond 9 block sites or for q > 2 states, dimers 200",
    help="Hidden units of the machine of (V, E).",
)
@click.option(
    "--cd-steps",
    type=click.IntRange(1, 1000),
    metavar="N",
    default=5,
    help="Gibbs steps of contrastive divergence.",
)
@click.option(
    "--persistent/--no-persistent",
    default=None,
    show_default="persistent for dimers",
    help="Keep the chains from batch to batch (PCD).",
)
@click.option(
    "--epochs",
    type=click.IntRange(1, 10**6),
    metavar="N",
    default=None,
    show_default="10, dimers 20",
    help="Passes over the training windows.",
)
@click.option(
    "--learning-rate",
    type=float,
    default=None,
    show_default="0.05, 0.03 beyond 9 block sites, dimers 0.02, potts 4 times as much",
    help="Learning rate at the start; it falls linearly to 5 % of that.",
)
@common.stage_command()
def command(
    samples: str,
    output: Path,
    run: RunOptions,
    dry_run: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    from rsmi.samples.files import open_file
    from rsmi.stages.training import theta as train_theta

    with open_file(common.one_path(samples), "samples") as source:
        work = train_theta.prepare(source, **settings)
        if dry_run:
            return common.print_plan(train_theta.plan(work), as_json)
        train_theta.run(work, output, run)
    common.answer(output, as_json, train_theta.summary)
