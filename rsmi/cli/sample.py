"""``rsmi sample``."""

from __future__ import annotations

import click

from rsmi.cli import common

_HELP = """Sample configurations of a lattice model.

Each of the --chains independent chains starts with all spins up, forgets --thermalization sweeps, and then stores a
configuration after every --interval sweeps. One sweep is one attempted update per site (Swendsen-Wang: one update of
all clusters; Wolff: a fixed number of clusters, found by the pilot, that flips about one lattice of spins). With auto a
pilot run measures the autocorrelation time and chooses, so that stored samples are practically independent.

\b
Example: 20,000 configurations at the critical point, on every core
  rsmi sample --model ising --dimension 2 --size 64 --temperature Tc --samples 20000 -o samples.h5
The same command with more --samples extends the file.
"""


class Count(click.ParamType):
    """A whole number from ``lowest`` on, or auto (None)."""

    name = "N|auto"

    def __init__(self, lowest: int):
        self.lowest = lowest

    def convert(self, value, param, ctx):
        if value is None or value == "auto":
            return None
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{value!r} is neither a whole number nor auto", param, ctx)
        if number < self.lowest:
            self.fail(f"{number} is less than {self.lowest}", param, ctx)
        return number


def parse_size(text: str, dimension: int) -> tuple[int, ...]:
    """``64`` (all sides alike) or ``64x32``."""
    try:
        sizes = tuple(int(part) for part in text.split("x"))
    except ValueError:
        raise click.BadParameter(f"{text!r}: write a whole number, or sides such as 64x32", param_hint="--size") from None
    if len(sizes) not in (1, dimension):
        raise click.BadParameter(f"{text}: has {len(sizes)} sides, --dimension says {dimension}", param_hint="--size")
    return sizes if len(sizes) == dimension else sizes * dimension


@common.command("sample", help=_HELP)
@click.option("--model", type=click.Choice(["ising"]), default="ising", help="Nearest-neighbour Ising ferromagnet on the periodic hypercubic lattice.")
@click.option("--dimension", type=click.IntRange(1, 3), metavar="N", default=2)
@click.option("--size", required=True, help="Sites along a side, or sides such as 64x32.")
@click.option("--temperature", default=None, help="In J/k_B; Tc or a multiple such as 0.98Tc (infinite lattice).")
@click.option("--coupling", type=float, default=None, help="K = J/(k_B T), instead of --temperature.")
@click.option("--algorithm", type=click.Choice(["auto", "metropolis", "heat-bath", "swendsen-wang", "wolff"]), default="auto", help="auto: heat-bath for K < 0.8 Kc, else swendsen-wang.")
@click.option("--samples", type=click.IntRange(1, 10**12), metavar="N", required=True, help="Configurations to store, over all chains.")
@click.option("--chains", type=click.IntRange(1, 9999), metavar="N", default=8, help="Independent chains: sample i is of chain i mod chains.")
@click.option("--thermalization", type=Count(0), default="auto", help="Sweeps each chain forgets first.")
@click.option("--interval", type=Count(1), default="auto", help="Sweeps before each stored sample.")
@common.stage_command()
def command(dimension, size, temperature, coupling, model, output, run, dry_run, as_json, **rest):
    from rsmi.stages import sample

    asked = sample.request(shape=parse_size(size, dimension), coupling=sample.resolve_coupling(temperature, coupling, dimension), **rest)
    if dry_run:
        return common.print_plan(sample.plan(asked), as_json)
    sample.run(asked, output, run)
    common.answer(output, as_json, lambda: sample.summary(output))
