"""``rsmi train-theta``."""

from __future__ import annotations

import click

from rsmi.cli import common

_HELP = """Train restricted Boltzmann machines of (V, E) and of V on windows of samples.

A window is a block V, a buffer around it that is ignored, and the environment E around the buffer.
About a fifth of the configurations is held out, whole chains of them where there are five; the
pseudo-likelihood is measured on it, and where the model is solvable the mean Kullback-Leibler
divergence of the machine's P(V|E) from the exact one.

\b
Example:
  rsmi train-theta samples.h5 --block 2x2 --buffer 1 --environment 1 -o theta.h5
"""


def geometry_options(required: bool):
    """--block, --buffer and --environment."""

    def decorate(function):
        for option in (
            click.option(
                "--environment",
                type=click.IntRange(0, 64),
                metavar="N",
                default=1 if required else None,
                show_default="1" if required else "1, or as theta was trained",
                help="Width of the environment ring, sites.",
            ),
            click.option(
                "--buffer",
                type=click.IntRange(0, 64),
                metavar="N",
                default=1 if required else None,
                show_default="1" if required else "1, or as theta was trained",
                help="Width of the ignored buffer, sites.",
            ),
            click.option(
                "--block", required=required, metavar="SHAPE", help="Block V, such as 2x2."
            ),
        ):
            function = option(function)
        return function

    return decorate


@common.command("train-theta", help=_HELP)
@click.argument("samples", metavar="SAMPLES.h5|-", type=click.Path())
@geometry_options(required=True)
@click.option(
    "--windows",
    type=click.IntRange(1),
    metavar="N",
    default=100_000,
    help="Windows in all, spread evenly over the configurations; a fifth or so is held out.",
)
@click.option(
    "--hidden",
    type=click.IntRange(1, 4096),
    metavar="N",
    default=None,
    show_default="20, 32 beyond 9 block sites, dimers 200",
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
    show_default=".05, .03 beyond 9 block sites, dimers .02",
    help="At the start; falls linearly to 5 %.",
)
@common.stage_command()
def command(samples, block, buffer, environment, output, run, dry_run, as_json, **rest):
    from rsmi.lattice.geometry import Geometry, parse_block
    from rsmi.samples.files import open_file
    from rsmi.stages.training import theta as train_theta

    with open_file(common.one_path(samples), "samples") as source:
        work = train_theta.prepare(
            source, Geometry(parse_block(block), buffer, environment), **rest
        )
        if dry_run:
            return common.print_plan(train_theta.plan(work), as_json)
        train_theta.run(work, output, run)
    common.answer(output, as_json, train_theta.summary)
