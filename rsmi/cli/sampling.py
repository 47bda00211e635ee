"""The options of commands that sample."""

from __future__ import annotations

import click

from rsmi.cli import common
from rsmi.cli.model_options import Algorithm
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


def options(required: bool = True, several: bool = False, measured: bool = False):
    """Add --dimension, --size, --temperature and --coupling (repeatable where ``several``),
    --algorithm, --boundary, --samples, --chains, --thermalization and --interval; ``measured`` says
    of the samples that they are not stored."""
    kept, repeat = "measure" if measured else "store", "; may be repeated" if several else ""
    return common.options(
        click.option("--dimension", type=click.IntRange(1, 3), metavar="N", default=2),
        click.option(
            "--size", required=required, help="Sites along a side, or sides such as 64x32."
        ),
        click.option(
            "--temperature",
            multiple=several,
            default=None,
            help=(
                "In J/k_B; Tc or a multiple such as 0.98Tc where the critical temperature of the"
                f" infinite lattice is known{repeat}."
            ),
        ),
        click.option(
            "--coupling",
            type=float,
            multiple=several,
            default=None,
            help=f"The coupling K = J/(k_B T), instead of --temperature{repeat}.",
        ),
        click.option(
            "--algorithm",
            type=Algorithm(),
            default="auto",
            help="auto: the one that makes most independent samples in a second.",
        ),
        click.option(
            "--boundary",
            type=click.Choice(["periodic", "open"]),
            default="periodic",
            help="Boundary of the lattice; open is for models that have it.",
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
            show_default="of the model and the algorithm",
            help="Independent chains: sample i is of chain i mod chains.",
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
            parameter.opts[0]
            for parameter in ctx.command.get_params(ctx)
            if parameter.name == given[0]
        )
        raise UsageError(
            f"{option}: the samples are read from files; give files, or --model and what to sample"
        )
