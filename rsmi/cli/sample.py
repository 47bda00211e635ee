"""``rsmi sample``."""

from __future__ import annotations

import click

from rsmi.cli import common, sampling

_HELP = """Sample configurations of a lattice model.

Each of the --chains independent chains starts with equal spins (dimers: in columns), forgets
--thermalization sweeps, and then stores a configuration after every --interval sweeps. One sweep is
one attempted update per site (Swendsen-Wang: one update of all clusters; Wolff: a fixed number of
clusters, found by the pilot, that flips about one lattice of spins; dimers: a fixed number of worms
that lay about half a dimer a vertex). With auto a pilot run measures the autocorrelation time and
chooses, so that stored samples are practically independent.

Heat bath and Metropolis update 512 spins at once, up to 70 times faster: of one lattice where it
has two or three even sides, the last a multiple of 128 and the first of 16; else the same site of
512 chains, on lattices of even sides and at most 2^20 sites, where --chains is left to the default
or a multiple of 512 (with any other number, one spin at a time). There every other chain starts
with all spins down: below T_c these algorithms do not change the sign of the magnetization, and
both signs are equally likely. Two groups of 512 keep two threads busy: take more where there are
more cores, and fewer --chains for a handful of samples, since each chain has to forget its start.

auto is the algorithm measured to give most independent samples in a second, the same on every
machine. Where 512 spins are updated at once: Metropolis, or heat bath for K < 1/(3 dimension); but
Swendsen-Wang on two-dimensional lattices of sides above 96 for .982 < K/Kc < 1.0105, and on rings
of more than 32 sites for K > 1.4. Elsewhere: heat bath for K < .8 Kc, else, and for odd sides,
Swendsen-Wang.

Dimers cover the square lattice: without a temperature all coverings are equally likely; with one,
every plaquette with two parallel dimers has the energy --interaction (aligning where it is
negative). With --noise-probability every vertex and every face also carries a spin that knows
nothing of the dimers, equal in pairs with that probability.

\b
Example: 20,000 configurations at the critical point, on every core
  rsmi sample --model ising --dimension 2 --size 64 --temperature Tc --samples 20000 -o samples.h5
Example: dimers buried in noise
  rsmi sample --model dimers --size 16 --noise-probability 0.982 --samples 100000 -o dimers.h5
Example: dimers that attract each other, close to where they order in columns
  rsmi sample --model dimers --size 32 --temperature 0.65 --samples 20000 -o columns.h5
The same command with more --samples extends the file.
"""


@common.command("sample", help=_HELP)
@sampling.model_option("ising", "dimers")
@sampling.options()
@click.option(
    "--interaction",
    type=float,
    metavar="V",
    default=None,
    show_default="-1 with a --temperature",
    help="Dimers: energy of two parallel dimers on a plaquette.",
)
@click.option(
    "--boundary",
    type=click.Choice(["periodic", "open"]),
    default="periodic",
    help="Open: dimers only.",
)
@click.option(
    "--noise-probability",
    type=float,
    metavar="P",
    default=None,
    show_default="no noise",
    help="Dimers: that the two spins of a pair are equal.",
)
@click.option(
    "--noise-pairing",
    type=click.Choice(["cell", "straddling"]),
    default=None,
    show_default="cell",
    help="Dimers: a face is paired with the vertex of its cell, or with the one across it.",
)
@common.stage_command(shards=True, remote=True)
def command(dimension, size, output, run, dry_run, as_json, **rest):
    from rsmi.stages import merge, sample

    asked = sample.request(shape=sampling.parse_size(size, dimension), **rest)
    if dry_run:
        return common.print_plan(sample.plan(asked), as_json)
    sample.run(asked, output, run)
    common.answer(output, as_json, lambda: (merge if run.shard else sample).summary(output))
