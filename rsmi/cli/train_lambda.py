"""``rsmi train-lambda``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rsmi.cli import common
from rsmi.cli.train_theta import geometry_options

if TYPE_CHECKING:
    from rsmi.engine.request import RunOptions

_HELP = """Learn the coarse variables H of a block V that carry the most information about its
environment E.

Hidden unit j of a block v is +1 with probability 1/(1 + exp(-sum_i lambda_ji v_i - b_j)). V and E
contain all components of their sites, such as the links of a dimer covering.

Three objectives need the Boltzmann machines of --theta: proxy is the first cumulant of Koch-Janusz
& Ringel, estimated with pairs of the data or with Monte Carlo chains; logsum avoids the Jensen step
of the proxy; enumerate sums over all states of the block. Two need no machines: decoder is a
variational lower bound, and proxy with the estimator gaussian uses only covariances. Two objectives
depend only on V and serve for comparison: total-correlation (CorEx of Ver Steeg & Galstyan) and
likelihood (the hidden units of a Boltzmann machine of V, by contrastive divergence).

The objective canonical, or --canonical, trains nothing: its filters are the canonical variables of
block and environment, the linear functions of V that linear functions of E predict best. The
correlations of all pairs on held-out windows are stored, beside those of shuffled environments and
exact ones where they are known, and the information that Gaussian variables would have with them.

With eight units on blocks of ten or more sites, proxy and logsum are biased, because each state of
H has too few samples: on 5x2 Ising blocks at T_c their rules keep 0.94 and 1.02 of I(V:E) = 1.13
nats, and the rule of the decoder keeps 1.09. Take decoder there.

The restart with the largest bound on held-out configurations is kept; for total-correlation and
likelihood it is the one with the best value of the objective itself. The mutual information in the
file is always the decoder bound on held-out configurations, in nats, with the exact value beside it
where the exact P(V|E) of the model is known.

A warning says if the objective of that restart was still rising when the learning rate began to
fall, after half of the updates: take more --updates then.

Rules are linear functions of the spins unless --sector says otherwise. --sector even learns the
quadratic form x = v^T A v + bias with a symmetric matrix A. 'rsmi info' and 'rsmi plot' show A and
the site weights, which are its row sums. The best even variable of a 2x2 block of the Ising model
at T_c says whether all four spins are equal. Blocks of up to 4x4 spins have all pairs; for larger
ones take --pairs-within. An even function of V depends on E through even functions alone, so that
the decoder needs tanh units. 'rsmi exact --sector even --best' finds the best of all even
functions.

Variables with q > 2 states (potts, clock, or 'rsmi import --states') are learned by the decoder, or
by proxy, logsum and enumerate with machines of such variables. With --hidden-states q the coarse
variable has the states of a site, and one filter for all of them: x(h) is the sum of the weights of
the sites in the state h, and P(h) = exp(x(h)) / sum of exp(x). This tied filter treats all states
alike. --filters free learns a filter for each coarse state; it may prefer one state in ties, and is
for analysis only. Other numbers of coarse states have free filters: q + 1 states find the variable
of the Potts model with vacancies. --hidden N learns N bits.

\b
Examples: without and with Boltzmann machines, and an even variable; of samples with three states
the variable with three states, the one with a vacancy, and one bit
  rsmi train-lambda samples.h5 --block 2x2 --buffer 1 --environment 1 --hidden 1 -o lambda.h5
  rsmi train-lambda samples.h5 --theta theta.h5 --hidden 1 -o lambda.h5
  rsmi train-lambda samples.h5 --block 2x2 --buffer 1 --sector even -o even.h5
  rsmi train-lambda potts.h5 --block 2x2 --hidden-states 3 -o tied.h5
  rsmi train-lambda potts.h5 --block 2x2 --hidden-states 4 -o vacancy.h5
  rsmi train-lambda potts.h5 --block 2x2 --hidden 1 -o bit.h5
"""


@common.command("train-lambda", help=_HELP)
@click.argument("samples", metavar="SAMPLES.h5|-", type=click.Path())
@click.option(
    "--theta",
    type=click.Path(path_type=Path),
    default=None,
    help="Machines of 'rsmi train-theta'; they bring the geometry.",
)
@geometry_options(required=False)
@click.option(
    "--windows",
    type=click.IntRange(1),
    metavar="N",
    default=100_000,
    help="Number of windows, spread evenly over the configurations; about a fifth is held out.",
)
@click.option(
    "--hidden", type=click.IntRange(1, 8), metavar="N", default=1, help="Hidden units of a block."
)
@click.option(
    "--hidden-states",
    type=click.IntRange(2, 16),
    metavar="K",
    default=None,
    help="States of one hidden unit, instead of --hidden units with two states each.",
)
@click.option(
    "--filters",
    type=click.Choice(["tied", "free"]),
    default=None,
    show_default="tied for the states of a site, else free",
    help="With --hidden-states: one filter that is tied to the symmetry of the states, or a free"
    " filter for each coarse state.",
)
@click.option(
    "--objective",
    type=click.Choice(
        [
            "proxy",
            "logsum",
            "enumerate",
            "decoder",
            "canonical",
            "total-correlation",
            "likelihood",
        ]
    ),
    default=None,
    show_default="proxy with --theta or gaussian, else decoder",
    help="What is maximised.",
)
@click.option(
    "--canonical",
    is_flag=True,
    help="The same as --objective canonical: canonical correlations of V and E.",
)
@click.option(
    "--estimator",
    type=click.Choice(["pairs", "mcmc", "gaussian", "cd", "pcd"]),
    default=None,
    show_default="pairs; likelihood: cd, dimers pcd",
    help=(
        "For the proxy: pairs of the data, Monte Carlo chains, or pairs with the critic of Gaussian"
        " variables (no --theta). For the likelihood: contrastive divergence, plain or persistent."
    ),
)
@click.option(
    "--bias",
    type=click.Choice(["zero", "free"]),
    default=None,
    show_default="zero if a flip of all spins is a symmetry, else that of centred spins",
    help="zero: every bias is exactly 0, as a symmetry under a flip of all spins demands; refused"
    " without that symmetry (see 'rsmi import --symmetric'). free: biases are learned.",
)
@click.option(
    "--restarts",
    type=click.IntRange(1, 99),
    metavar="N",
    default=3,
    help="Independent trainings; the best is kept.",
)
@click.option(
    "--updates",
    type=click.IntRange(1),
    metavar="N",
    default=None,
    show_default="600 for one unit, 1500 for several; see --dry-run",
    help="Updates of the optimiser in one training, each with one minibatch of windows. Not for"
    " total-correlation and likelihood.",
)
@click.option(
    "--learning-rate",
    type=float,
    metavar="X",
    default=None,
    show_default="0.05; decoder: 0.02",
    help="Step size of the optimiser (Adam). It is constant in the first half of the updates and"
    " then falls to 5 %.",
)
@click.option(
    "--sector",
    metavar="odd|even|any|NAME",
    default=None,
    show_default="odd if a flip of all spins is a symmetry, else any",
    help="Which functions of V are learned. odd: filters of spins without a bias. any: filters of"
    " spins with a bias. even: filters of products of two spins, x = v^T A v + bias. A model may"
    " have sectors of its own, which the message about an unknown NAME lists.",
)
@click.option(
    "--pairs-within",
    type=click.FloatRange(0, min_open=True),
    metavar="R",
    default=None,
    show_default="all",
    help="Of the products of --sector even, only those of spins at most R sites apart.",
)
@click.option(
    "--decoder-units",
    type=click.IntRange(0, 64),
    metavar="N",
    default=None,
    show_default="0; products of spins: 8",
    help="Tanh units of the decoder r(H|E), beside its part that is linear in E.",
)
@click.option(
    "--environment-features",
    metavar="NAME",
    default=None,
    show_default="none",
    help="Further variables of the environment that the model makes of it, such as heights of the"
    " six-vertex model: bits of the mean height around the block. The bound stays a bound, because"
    " they are functions of E.",
)
@common.stage_command(remote=True)
def command(
    samples: str,
    theta: Path | None,
    output: Path,
    run: RunOptions,
    dry_run: bool,
    as_json: bool,
    canonical: bool,
    **settings: Any,
) -> None:
    from rsmi.stages.training import rule_numbers
    from rsmi.stages.training import rules as train_lambda
    from rsmi.stages.training.request import prepare

    if canonical and settings["objective"] not in (None, "canonical"):
        raise click.UsageError(f"--canonical contradicts --objective {settings['objective']}")
    settings["objective"] = "canonical" if canonical else settings["objective"]
    with prepare(common.one_path(samples), theta, **settings) as work:
        if dry_run:
            return common.print_plan(train_lambda.plan(work), as_json)
        train_lambda.run(work, output, run)
    common.answer(output, as_json, rule_numbers.summary)
