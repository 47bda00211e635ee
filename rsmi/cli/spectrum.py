"""``rsmi spectrum``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from rsmi.cli import common, sampling
from rsmi.cli.model_options import OptionalModelCommand, model_option

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rsmi.engine.request import RunOptions
    from rsmi.stages.spectrum.source import SpectrumSource

_HELP = """Measure the scaling dimensions of local functions of the spins, from samples of two or
more lattice sizes at one temperature, which must be the critical one except for --correlation.

A function is a learned rule of 'rsmi train-lambda', a named rule such as majority, or a name:
magnetization, energy, and the operators of 'rsmi flow', such as "plaquette". The magnetization and
the energy are always measured, for comparison. Whether a function is odd or even under a flip of
all spins is measured. A rule with several hidden units is one function for each unit. Tables call
the functions of a file by its name.

Odd functions: the moments M_p = <|m|^p> of the average m over the lattice, which fall like L^-(p
Delta). Even functions O: the responses g_p = d ln M_p/dK_O = N <(O - <O>) |m|^p>/M_p of the moments
of the magnetization to the coupling of O, where O is averaged over the N sites, in the combinations
X12 = 2 g_1 - g_2 and X24 = 2 g_2 - g_4, from which the non-universal amplitude of m drops out; they
grow like L^(d - Delta). All this needs lattice averages only.

Each quantity is a power of L with a correction L^-omega; where omega is smaller than 1, as in three
dimensions, and there are six sizes or more, with a second one of about L^-2. Three fits are
printed: all sizes, all but the smallest one, and the two largest ones without a correction. The
first two, with two exponents of the last correction, give the systematic error. The quantities of
the headline are fixed: X24 and <m^2> of three or more sizes, X12 and <m^2> of two. Where the exact
energy of the lattices is known, it reduces the errors.

Where the order is not that of the magnetization, its place is taken by the order parameter that
the model declares: the staggered order of antiferromagnets and hard squares, the order at the wave
vector K of hard hexagons and of the ground states of the triangular antiferromagnet, stripes, or
the magnetization of all sites of a cell. The parts of an order with two components are added as
squares. Of hidden units the part with the same wave vector is measured. Particles have no flip: the
order, which translations of the lattice turn round, is odd, and the density is even; --odd and
--even say which part of a rule is measured.

Variables with more than two states have a vector for each state, and the magnetization is its
average over the sites; relabellings of the states turn it. A tied rule ('rsmi train-lambda
--hidden-states Q', or plurality and decimation) is two functions: the average of the vectors of its
coarse variable, which is odd, and the product of the vectors of two blocks that touch, which is
even. Two spins per site (Ashkin-Teller) have the vector (sigma, tau) and their product.

With --modes, two-point functions at small wave vectors are measured too: the Gaussian-smeared
antipodal sum and S(0) - S(1), both free of contact terms. With --correlation the command measures
the connected correlation function C(r) along an axis and a diagonal, the structure factor and the
second-moment correlation length, at any temperature, of one size or more and of every model. Of
several sizes it also gives scaling dimensions, from the spread of the structure factors next to the
wave vector of each order. Hidden units with the same wave vector are measured together there;
lattices of fewer than four blocks along a side are left out.

With --model instead of files, the command samples the configurations itself and does not store
them: --samples of the largest lattice, and more of smaller ones (--dry-run prints how many). The
file holds sums over blocks of samples, less than a megabyte.

\b
Example: files of three sizes, and the variables that were learned on one of them
  rsmi train-lambda 16.h5 --block 2x2 --sector odd -o odd.h5
  rsmi train-lambda 16.h5 --block 2x2 --sector even -o even.h5
  rsmi spectrum 8.h5 16.h5 32.h5 --function odd.h5 --function even.h5 -o spectrum.h5
  rsmi info spectrum.h5 && rsmi plot spectrum.h5 -o spectrum.png
Example: about a minute of two cores, the scaling dimensions of the two-dimensional Ising model
  rsmi spectrum --model ising --sizes 8,12,16,24,32 --temperature Tc --samples 31000000 \\
      -o spectrum.h5
Example: five minutes, the same of the three-dimensional one
  rsmi spectrum --model ising --dimension 3 --sizes 4,6,8,12,16,24 --temperature Tc \\
      --samples 10000000 -o cubic.h5
Example: hard squares at their critical fugacity, and a hidden unit that was learned on them
  rsmi sample --model hard-squares --size 16 --fugacity zc --samples 20000 -o squares.h5
  rsmi train-lambda squares.h5 --block 2x2 -o rule.h5
  rsmi spectrum --model hard-squares --fugacity zc --sizes 8,12,16 --samples 50000 \\
      --function rule.h5 -o spectrum.h5
Example: the Potts model with three states, and the rule that was learned on it
  rsmi sample --model potts --states 3 --size 16 --temperature Tc --samples 20000 -o potts.h5
  rsmi train-lambda potts.h5 --block 2x2 --hidden-states 3 -o tied.h5
  rsmi spectrum --model potts --states 3 --sizes 8,12,16,24,32 --temperature Tc \\
      --samples 100000 --function tied.h5 -o spectrum.h5
Example: the correlation functions of the spin and of the energy
  rsmi spectrum 32.h5 --correlation -o correlation.h5 && rsmi plot correlation.h5 -o c.png
"""

_NAMES = ("magnetization", "energy", "majority", "decimation", "staggered")


class SpectrumCommand(OptionalModelCommand):
    """A command that samples lattices of several sizes if ``--model`` is given."""

    sections = tuple(
        (title, tuple("sizes" if name == "size" else name for name in names) if names else None)
        for title, names in OptionalModelCommand.sections
    )


class Omega(click.ParamType):
    """A positive number, or the word free."""

    name = "W|free"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | str:
        if value == "free":
            return value
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor free", param, ctx)
        if not 0 < number < 20:
            self.fail(f"{value} is not between 0 and 20", param, ctx)
        return number


def _complete_function(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Functions with a name, and files."""
    return [
        *(CompletionItem(name) for name in _NAMES if name.startswith(incomplete)),
        CompletionItem(incomplete, type="file"),
    ]


def _function_option(name: str, sector: str) -> common.Decorator:
    return click.option(
        f"--{name}",
        metavar="NAME|RULE.h5",
        multiple=True,
        shell_complete=_complete_function,
        help=f"{sector}; may be repeated.",
    )


@common.command("spectrum", cls=SpectrumCommand, help=_HELP)
@click.argument("samples", metavar="[SAMPLES.h5...|-]", type=click.Path(), nargs=-1)
@model_option(required=False)
@sampling.options(required=False, measured=True, sizes=True)
@_function_option("function", "A function whose dimension is measured")
@_function_option("odd", "A function that must be odd under a flip of all spins")
@_function_option("even", "A function that must be even under a flip of all spins")
@click.option(
    "--block",
    metavar="NxN",
    default=None,
    show_default="2 sites along every axis",
    help="Block of a named rule, or of a filter in a CSV or NPY file.",
)
@click.option(
    "--readout",
    type=click.Choice(("soft", "hard", "linear")),
    default="soft",
    help=(
        "What a hidden unit stands for: its expectation tanh(x/2), its sign, or x itself. Named"
        " rules are hard."
    ),
)
@click.option(
    "--omega",
    type=Omega(),
    default=None,
    metavar="W|free",
    show_default="that of the model, else 2",
    help="Exponent of one correction L^-omega; free fits it too, of five sizes or more.",
)
@click.option("--modes", is_flag=True, help="Measure two-point functions at small wave vectors.")
@click.option(
    "--correlation",
    is_flag=True,
    help="Measure correlation functions instead of scaling dimensions.",
)
@common.stage_command(shards=True, remote=True)
@click.pass_context
def command(
    ctx: click.Context,
    samples: tuple[str, ...],
    model: str | None,
    function: tuple[str, ...],
    odd: tuple[str, ...],
    even: tuple[str, ...],
    block: str | None,
    readout: str,
    omega: float | str | None,
    modes: bool,
    correlation: bool,
    seed: int,
    output: Path,
    run: RunOptions,
    dry_run: bool,
    as_json: bool,
    **physics: Any,
) -> None:
    from rsmi.stages import merge
    from rsmi.stages.spectrum import correlation as correlation_summary
    from rsmi.stages.spectrum import from_files, in_flight, summary
    from rsmi.stages.spectrum.request import Choices
    from rsmi.stages.spectrum.run import run as run_spectrum

    paths = sampling.files_of_samples(ctx, samples, model, physics, "--sizes")
    choices = Choices(function, odd, even, block, readout, omega, modes, correlation)
    prepared: AbstractContextManager[SpectrumSource]
    if paths:
        prepared = from_files.prepare(paths, choices)
    else:
        prepared = in_flight.prepare(_sampled(model, seed, **physics), choices)
    with prepared as work:
        if dry_run:
            return common.print_plan(work.plan(), as_json, run.shard)
        run_spectrum(work, output, run)
    of_whole = correlation_summary if correlation else summary
    common.answer(output, as_json, (merge if run.shard else of_whole).summary)


def _sampled(
    model: str | None,
    seed: int,
    dimension: int,
    sizes: str | None,
    temperature: str | None,
    coupling: float | None,
    n_samples: int | None,
    **settings: Any,
) -> dict[str, Any]:
    """The options of sampling, for `rsmi.stages.spectrum.in_flight.prepare`."""
    sampling.require_with_model(sizes=sizes, samples=n_samples)
    return {
        "model": model,
        "dimension": dimension,
        "sizes": sampling.parse_sizes(str(sizes)),
        "temperature": temperature,
        "coupling": coupling,
        "samples": n_samples,
        "seed": seed,
        **settings,
    }
