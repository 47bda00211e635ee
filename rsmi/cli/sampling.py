"""The options of commands that sample."""

from __future__ import annotations

import click

from rsmi.cli import common
from rsmi.errors import UsageError


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
        raise click.BadParameter(
            f"{text!r}: write a whole number, or sides such as 64x32", param_hint="--size"
        ) from None
    if len(sizes) not in (1, dimension):
        raise click.BadParameter(
            f"{text}: has {len(sizes)} sides, --dimension says {dimension}", param_hint="--size"
        )
    return sizes if len(sizes) == dimension else sizes * dimension


_MEANING = {
    "ising": "Nearest-neighbour Ising ferromagnet",
    "dimers": "fully packed dimers on the square lattice",
}


def model_option(*models: str, required: bool = True):
    """Add --model; where it is not ``required`` there is no default."""
    meaning = ", or ".join(_MEANING[model] for model in models) + "."
    return click.option(
        "--model", type=click.Choice(models), default=models[0] if required else None, help=meaning
    )


def options(required: bool = True, several: bool = False, measured: bool = False):
    """Add --dimension, --size, --temperature and --coupling (repeatable where ``several``),
    --algorithm, --samples, --chains, --thermalization and --interval; ``measured`` says of the
    samples that they are not stored."""
    kept, repeat = "measure" if measured else "store", "; may be repeated" if several else ""
    dimers = not measured
    algorithms = [
        "auto",
        "metropolis",
        "heat-bath",
        "swendsen-wang",
        "wolff",
        *(["worm", "loop"] if dimers else []),
    ]
    return common.options(
        click.option("--dimension", type=click.IntRange(1, 3), metavar="N", default=2),
        click.option(
            "--size", required=required, help="Sites along a side, or sides such as 64x32."
        ),
        click.option(
            "--temperature",
            multiple=several,
            default=None,
            help=f"In J/k_B; Tc or a multiple such as 0.98Tc (infinite lattice){repeat}."
            + " Dimers: in units of the interaction." * dimers,
        ),
        click.option(
            "--coupling",
            type=float,
            multiple=several,
            default=None,
            help=f"K = J/(k_B T), instead of --temperature{repeat}."
            + " Dimers: K = -v/(k_B T), 0 if free." * dimers,
        ),
        click.option(
            "--algorithm",
            type=click.Choice(algorithms),
            default="auto",
            help=(
                "auto: the fastest, see above; dimers: worm, with an interaction loop."
                if dimers
                else "auto: the fastest, see 'rsmi sample --help'."
            ),
        ),
        click.option(
            "--samples",
            "n_samples" if measured else "samples",
            type=click.IntRange(1, 10**12),
            metavar="N",
            required=required,
            help=(
                f"Configurations to {kept}, over all"
                f" chains{', at each temperature' if several else ''}."
            ),
        ),
        click.option(
            "--chains",
            type=click.IntRange(1, 999_999),
            metavar="N",
            default=None,
            show_default="1024 where 512 chains are updated at once, else 8"
            + "; dimers 32" * dimers,
            help="Independent chains: sample i is of chain i mod chains."
            + " Dimers: four to a thread." * dimers,
        ),
        click.option(
            "--thermalization",
            type=Count(0),
            default="auto",
            help="Sweeps each chain forgets first.",
        ),
        click.option(
            "--interval", type=Count(1), default="auto", help=f"Sweeps before each {kept}d sample."
        ),
    )


def refuse_with_files(ctx: click.Context, names) -> None:
    """A sentence where an option of sampling is given although samples are read from files."""
    given = [
        name
        for name in names
        if ctx.get_parameter_source(name)
        not in (click.core.ParameterSource.DEFAULT, click.core.ParameterSource.DEFAULT_MAP)
    ]
    if given:
        option = next(
            parameter.opts[0] for parameter in ctx.command.params if parameter.name == given[0]
        )
        raise UsageError(
            f"{option}: the samples are read from files; give files, or --model and what to sample"
        )
