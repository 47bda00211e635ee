"""The options of commands that sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from rsmi.cli import common
from rsmi.cli.model_options import OfModel
from rsmi.errors import UsageError


class Count(click.ParamType):
    """A whole number, at least ``lowest``, or auto, which becomes None."""

    name = "N|auto"

    def __init__(self, lowest: int) -> None:
        self.lowest = lowest

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        if value == "auto":
            return None
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{value!r} is neither a whole number nor auto", param, ctx)
        if number < self.lowest:
            self.fail(f"{number} is less than {self.lowest}", param, ctx)
        return number


_SIZES = click.option(
    "--sizes",
    metavar="L,L[,L...]",
    default=None,
    help="Lattices to sample: sites along a side of each, all sides alike, two or more.",
)


def parse_sizes(text: str) -> tuple[int, ...]:
    """Return the sides of several lattices, from the smallest to the largest, from ``8,16,32``."""
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(
            f"{text!r}: write whole numbers with commas between, such as 8,16,32",
            param_hint="--sizes",
        ) from None
    if len(set(sizes)) != len(sizes):
        raise click.BadParameter(f"{text}: names a size twice", param_hint="--sizes")
    return tuple(sorted(sizes))


def parse_size(text: str, dimension: int) -> tuple[int, ...]:
    """Return the sides of a lattice from ``64``, all sides alike, or ``64x32``."""
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


def options(
    required: bool = True,
    several: bool = False,
    measured: bool = False,
    sizes: bool = False,
    lists: bool = False,
) -> Callable[[Callable], Callable]:
    """Add the options of sampling.

    Parameters
    ----------
    required : bool
        Whether --size and --samples must be given.
    several : bool
        Whether --temperature and --coupling may be repeated.
    measured : bool
        Whether the samples are measured and not stored.
    sizes : bool
        Whether there is --sizes, for several lattices, in place of --size.
    lists : bool
        Whether --size and --temperature may have several values with commas between.
    """
    listed = "; several with commas between" if lists else ""
    kept, repeat = "measure" if measured else "store", "; may be repeated" if several else ""
    return common.options(
        click.option(
            "--dimension",
            type=click.IntRange(1, 3),
            metavar="N",
            default=2,
            help="Number of axes of the lattice.",
        ),
        _SIZES
        if sizes
        else click.option(
            "--size",
            metavar="L[xL...]",
            required=required,
            help=f"Sites along a side, or sides such as 64x32{listed}.",
        ),
        click.option(
            "--temperature",
            metavar="T",
            multiple=several,
            default=None,
            help=(
                "Temperature in J/k_B; or Tc, or a multiple such as 0.98Tc, if the critical"
                f" temperature of the infinite lattice is known{listed or repeat}."
            ),
        ),
        click.option(
            "--coupling",
            type=float,
            metavar="K",
            multiple=several,
            default=None,
            help=f"Coupling K = J/(k_B T), instead of --temperature{repeat}.",
        ),
        click.option(
            "--boundary",
            type=OfModel("boundaries"),
            default="periodic",
            help=(
                "How the lattice ends. Only periodic lattices, where opposite sides are neighbours,"
                " are measured here: all their sites are alike."
                if measured
                else "How the lattice ends. periodic: opposite sides are neighbours; open: sites at"
                " a side have no neighbours beyond it. Not every model has both."
            ),
        ),
        click.option(
            "--algorithm",
            type=OfModel("algorithms", ("auto",)),
            default="auto",
            help="How spins are updated; auto makes most independent samples in a second.",
        ),
        click.option(
            "--samples",
            "n_samples" if measured else "samples",
            type=click.IntRange(1, 10**12),
            metavar="N",
            required=required,
            help=(
                f"Configurations to {kept}, of all chains together"
                f"{', at each temperature' if several else ''}"
                f"{', of the largest lattice' if sizes else ''}."
            ),
        ),
        click.option(
            "--chains",
            type=click.IntRange(1, 999_999),
            metavar="N",
            default=None,
            show_default="chosen by model and algorithm",
            help="Independent chains; sample i belongs to chain i mod N.",
        ),
        click.option(
            "--thermalization",
            type=Count(0),
            metavar="N|auto",
            default="auto",
            help="Sweeps of each chain before its first interval, to forget its start.",
        ),
        click.option(
            "--interval",
            type=Count(1),
            metavar="N|auto",
            default="auto",
            help=f"Sweeps of a chain before each {kept}d sample.",
        ),
    )


def files_of_samples(
    ctx: click.Context, samples: Iterable[str], model: str | None, physics: Iterable[str], size: str
) -> list[Path]:
    """Return the files whose samples are measured; none if they are sampled in flight.

    Parameters
    ----------
    ctx : click.Context
    samples : iterable of str
        The arguments of the command.
    model : str or None
    physics : iterable of str
        The names of the options of sampling.
    size : str
        The option that gives the lattice.

    Raises
    ------
    UsageError
        If neither files nor a model are given, or both.
    """
    paths = tuple(samples)
    if paths:
        _refuse_with_files(ctx, ["model", *physics])
        return common.read_paths(paths)
    if model is None:
        raise UsageError(
            f"give files of samples, or --model with {size}, --temperature and --samples to sample"
            " in flight"
        )
    return []


def require_with_model(**options: object) -> None:
    """Raise UsageError if an option is None that sampling in flight needs."""
    for name, value in options.items():
        if value is None:
            raise UsageError(f"--{name}: needed with --model")


def _refuse_with_files(ctx: click.Context, names: Iterable[str]) -> None:
    """Raise UsageError if an option of sampling is given although samples are read from files."""
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
