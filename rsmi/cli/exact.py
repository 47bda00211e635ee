"""``rsmi exact``."""

from __future__ import annotations

import json
from typing import Any

import click

from rsmi import models
from rsmi.cli import common
from rsmi.cli.model_options import EnumerableModelCommand, ModelName, enumerable, schema_option
from rsmi.cli.sampling import parse_size
from rsmi.errors import UsageError

_HELP = f"""Compute exactly what coarse variables H of a block V know about the environment E: the
mutual information I(H:E), in nats.

For chains of any length and small tori (such as 2x2 blocks on up to 9x9 sites), the sum over all
environments is exact. Of --model ising in one and two dimensions, with blocks of up to 16 sites,
larger lattices work too: P(V|E) is exact, by transfer matrices, and the average is over the
environments of SAMPLES or, without them, of configurations that this command samples; the error is
that of the average. The same holds of --model potts and clock, whose variables have several states,
and of ashkin-teller, with blocks of up to 65,536 states; tori of 4x4 sites with --buffer 0 and of
6x6 sites are enumerated. The models of lattices and model files are enumerated, as on 6x6 sites
with a 2x2 block and a buffer of 1; block and environment then have at most 24 variables together.
Blocks are counted in cells, which may have several sites. I(V:E), the most that any rule could
keep, is printed too. With SAMPLES, a learned rule is measured on the configurations that were held
out from its training.

--best finds the best of all functions of V with two values that --sector allows, by alternating
maximisation over all states of the block from 20 random functions; rules stand beside it in the
table. Where environments are sampled, the function is found on one half of the configurations, and
its information and that of the rules is measured on the other half.

Of variables with several states, the named rules are plurality (the most frequent state of the
block, with ties by a fair coin) and decimation, and --best finds the best of all functions with as
many values as a site has states, or with --hidden-states values.

{common.RULES}

The JSON object holds mutual_information_exact_hard (or _soft, for a soft rule), entropy_hard (or
_soft), mutual_information_block for I(V:E), and errors; for several rules it holds a list of them,
and for --best an object best.

\b
Example: the block spin on the 6x6 torus at T_c (0.461045 nats), two rules on a large lattice, and a
learned rule; the best even function of the block, and what a learned even rule keeps of it; one
spin of the ground states of the triangular antiferromagnet (0.249035 nats), and the best variable
of three sites in a triangle (sites.csv has the lines 0,0 and 1,0 and 1,1) of hard hexagons; the
plurality of three Potts states (0.769993 nats), and the best variable with four values, which has
vacancies (0.836811 nats)
  rsmi exact --size 6 --temperature Tc --block 2x2 --buffer 1 --rule majority
  rsmi exact --size 64 --temperature Tc --rule majority --rule decimation
  rsmi exact samples.h5 --rule lambda.h5 --hard --json
  rsmi exact --size 6 --temperature Tc --block 2x2 --buffer 1 --sector even --best
  rsmi exact samples.h5 --rule even.h5 --hard --sector even --best
  rsmi exact --model triangular-ground-states --size 6 --rule decimation
  rsmi exact --model hard-hexagons --size 6 --fugacity zc --block sites.csv --metric lattice --best
  rsmi exact --model potts --states 3 --size 6 --temperature Tc --rule plurality
  rsmi exact --model potts --states 3 --size 6 --temperature Tc --best --hidden-states 4
"""


@common.command("exact", cls=EnumerableModelCommand, help=_HELP)
@click.argument("samples", metavar="[SAMPLES.h5|-]", type=click.Path(), required=False)
@common.rule_options("may be repeated", required=False, lists=True)
@click.option(
    "--best",
    is_flag=True,
    help="Find the best of all functions of V with two values, in the sector of --sector.",
)
@click.option(
    "--sector",
    metavar="odd|even|any|NAME",
    default=None,
    show_default="odd if a flip of all spins is a symmetry, else any",
    help="With --best: functions whose sign changes when all spins are flipped (odd), whose value"
    " stays the same (even), or all functions (any).",
)
@click.option(
    "--hidden-states",
    type=click.IntRange(2, 16),
    metavar="K",
    default=None,
    show_default="states of a site",
    help="With --best, of models with several states: the number of values of the function.",
)
@click.option(
    "--buffer",
    type=click.IntRange(0, 64),
    metavar="N",
    default=None,
    show_default="1, or as learned",
    help="Width of the ignored buffer, sites.",
)
@click.option(
    "--environment",
    type=click.IntRange(1, 64),
    metavar="N",
    default=1,
    help="Width of E. It must fit the lattice; of --model ising only the spins next to the buffer"
    " matter.",
)
@click.option(
    "--model",
    type=ModelName(names=enumerable),
    default=models.DEFAULT,
    help="The model, or a model file, FILE.toml; see below.",
)
@schema_option()
@click.option(
    "--metric",
    type=click.Choice(("square", "lattice")),
    default=None,
    show_default="square, or as learned",
    help="How distances from V are measured: buffer and environment are square frames, or have the"
    " sites at a number of steps to nearest neighbours on the lattice of the model.",
)
@click.option("--dimension", type=click.IntRange(1, 3), metavar="N", default=None, show_default="2")
@click.option(
    "--size",
    default=None,
    help="Sites along a side, or sides such as 64x32, of a periodic lattice.",
)
@click.option(
    "--temperature",
    default=None,
    help="Temperature in J/k_B; Tc or a multiple such as 0.98Tc (infinite lattice).",
)
@click.option(
    "--coupling", type=float, default=None, help="K = J/(k_B T), instead of --temperature."
)
@click.option(
    "--windows",
    type=click.IntRange(100, 10**8),
    metavar="N",
    default=None,
    show_default="100000, or 10000 beyond 9 block sites",
    help="Number of environments to average over, where they are sampled.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    metavar="N",
    default=0,
    help="Root of all random streams.",
)
@common.reading_command
def command(
    samples: str | None,
    rule: tuple[str, ...],
    dimension: int | None,
    size: str | None,
    as_json: bool,
    **settings: Any,
) -> None:
    from rsmi.reports.exact import describe
    from rsmi.stages.exact import evaluate

    path = common.one_path(samples) if samples else None
    shape = parse_size(size, dimension or 2) if size else None
    if dimension is not None and path is not None:
        raise UsageError(f"--dimension: {path} brings its own lattice and temperature")
    result = evaluate(path, rule, shape=shape, **settings)
    common.print_text(json.dumps(result, allow_nan=False) + "\n" if as_json else describe(result))
