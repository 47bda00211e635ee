"""``rsmi scan``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rsmi.cli import common, sampling
from rsmi.cli.model_options import OptionalModelCommand, model_option
from rsmi.errors import Failure, UsageError

if TYPE_CHECKING:
    from rsmi.engine.request import RunOptions

_HELP = """Learn rules for every combination of temperatures, sizes, blocks, buffers, environments
and numbers of units, and compare what they know of their environment.

This command is a plan of ordinary ones: 'rsmi sample' for every state point and size, unless files
of samples are given, and 'rsmi train-lambda' for every combination of the values of --block,
--buffer, --environment and --hidden, which are lists with commas between. --dry-run prints the
commands, one in a line; they can be run by a shell as well. The files lie in the folder of -o and
are named by what varies. 'rsmi info', 'rsmi plot' and 'rsmi report' read them.

At the end a table shows I(H:E) of the hard rule, its part of the exact I(V:E) where this is known,
and what each further number of units gains. With several numbers of units one sentence for each
window says how many to take: units are added as long as each gains more than twice its error. With
--canonical the canonical correlations of V and E follow, on held-out windows and for shuffled
environments: those that are clearly larger than the shuffled ones count the linear variables that a
block shares with its environment.

The same command again continues, and adds what is new. --shard i/N makes the i-th of every N files
of samples and their rules, in one folder for all jobs; afterwards the command without --shard
prints the table.

\b
Example: ten temperatures and three buffers
  rsmi scan --model ising --size 64 --samples 20000 --jobs 2 \\
      --temperature 2.0,2.1,2.2,2.25,Tc,2.3,2.35,2.4,2.5,2.6 --block 2x2 --buffer 1,2,4 -o study
  rsmi plot study/lambda-*.h5 -o study.png
  rsmi report study/*.h5 -o study.html
Example: how many variables matter at T_c?
  rsmi scan samples.h5 --block 4x4 --hidden 1,2,3,4 --canonical -o units
"""

_LISTS = {
    "block": ("SHAPE[,SHAPE...]", None, "Blocks V, such as 2x2,4x4."),
    "buffer": ("N[,N...]", "1", "Widths of the ignored buffer, sites."),
    "environment": ("N[,N...]", "1", "Widths of the environment ring, sites."),
    "hidden": ("N[,N...]", "1", "Numbers of hidden units."),
}


_TEXTS = {
    "output": "Folder of the samples and rules; it is made if it is missing.",
    "shard": "Make the i-th of every N files of samples and their rules, i = 0 ... N - 1.",
    "dry_run": "Print the commands and run none.",
    "force": "Replace files made with other parameters.",
    "json": "Print the table as one JSON object; with --dry-run the words of every command.",
    "time_limit": "Stop after this long (90, 15m, 2h, HH:MM:SS) with exit code 75; the commands"
    " that run write their checkpoints.",
}


class ScanCommand(OptionalModelCommand):
    """A command that samples only if ``--model`` is given, and stores the samples."""

    sections = (
        ("Options", None),
        (
            "Sampling, if there is a --model",
            (
                *("model", "dimension", "size", "temperature", "coupling", "boundary"),
                *("algorithm", "samples", "chains", "thermalization", "interval"),
            ),
        ),
    )


def _lists() -> common.Decorator:
    """Add the options of windows and units, each a list."""
    return common.options(
        *(
            click.option(
                f"--{name}", metavar=metavar, default=default, required=default is None, help=text
            )
            for name, (metavar, default, text) in _LISTS.items()
        )
    )


@common.command("scan", cls=ScanCommand, help=_HELP)
@click.argument("files", metavar="[SAMPLES.h5...|-]", type=click.Path(), nargs=-1)
@model_option(required=False)
@sampling.options(required=False, several=True, lists=True)
@_lists()
@click.option(
    "--windows",
    type=click.IntRange(1),
    metavar="N",
    default=100_000,
    help="Number of windows of each rule.",
)
@click.option(
    "--restarts",
    type=click.IntRange(1, 99),
    metavar="N",
    default=3,
    help="Independent trainings of each rule; the best is kept.",
)
@click.option("--canonical", is_flag=True, help="Measure the canonical correlations, too.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 1024),
    metavar="N",
    default=1,
    help="Commands that run at the same time and share the --threads.",
)
@common.stage_command(shards=True, texts=_TEXTS)
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    model: str | None,
    windows: int,
    restarts: int,
    canonical: bool,
    jobs: int,
    seed: int,
    output: Path,
    run: RunOptions,
    dry_run: bool,
    as_json: bool,
    **rest: Any,
) -> None:
    from rsmi.reports import scan as report
    from rsmi.stages import scan

    lists = {name: _values(name, rest.pop(name)) for name in _LISTS}
    sources = sampling.files_of_samples(ctx, files, model, rest, "--size")
    more = ["--windows", str(windows), "--restarts", str(restarts), "--seed", str(seed)]
    samples = [*sources] if sources else list(_sampled(ctx, output, seed, **rest))
    branches = [scan.branch(output, one, lists, more, canonical) for one in samples]
    chosen = scan.of_shard(branches, run.shard)
    commands = [command for one in chosen for command in one.commands]
    if dry_run:
        if as_json:
            return common.print_text(json.dumps([list(one.words) for one in commands]) + "\n")
        return common.print_text("".join(f"{one.line}\n" for one in commands))
    try:
        output.mkdir(exist_ok=True)
    except OSError as error:
        raise Failure(f"{output}: the folder cannot be made: {error.strerror}") from error
    scan.run(chosen, jobs, run.threads, run.force, run.stop)
    rules = [rule.output for one in chosen for rule in one.rules]
    if as_json:
        return common.print_text(json.dumps(report.summary(rules), allow_nan=False) + "\n")
    common.print_text(report.describe(rules))


def _values(name: str, text: str) -> list[str]:
    """The values of an option that is a list; numbers from the smallest to the largest."""
    values = text.split(",")
    if len(set(values)) != len(values) or not all(values):
        raise UsageError(f"--{name} {text}: write different values with commas between")
    if name == "block":
        return values
    if not all(value.isdecimal() for value in values):
        raise UsageError(f"--{name} {text}: write whole numbers with commas between")
    return sorted(values, key=int)


def _sampled(
    ctx: click.Context,
    output: Path,
    seed: int,
    dimension: int,
    size: str | None,
    temperature: tuple[str, ...],
    coupling: tuple[float, ...],
    **settings: Any,
) -> Any:
    """The commands that sample."""
    from rsmi.stages import scan

    sampling.require_with_model(size=size, samples=settings["samples"])
    sizes = str(size).split(",")
    for one in sizes:
        sampling.parse_size(one, dimension)
    points = [("temperature", value) for text in temperature for value in text.split(",")]
    points += [("coupling", repr(value)) for value in coupling]
    varied = {"size", "temperature", "coupling"}
    words = [*_given(ctx, {"model", "dimension", *settings} - varied), "--seed", str(seed)]
    return scan.sampled(output, points or [("", "")], sizes, words)


def _given(ctx: click.Context, names: set[str]) -> list[str]:
    """The options that were given, on the command line, in the environment or in a file, as words
    of a command line."""
    words = []
    for parameter in ctx.command.get_params(ctx):
        name = str(parameter.name)
        if (
            name not in names
            or ctx.get_parameter_source(name) is click.core.ParameterSource.DEFAULT
        ):
            continue
        value = ctx.params.get(name)
        if isinstance(parameter, click.Option) and parameter.is_flag:
            words += [parameter.opts[0]] if value else []
            continue
        for one in value if isinstance(value, tuple) else (value,):
            words += [parameter.opts[0], "auto" if one is None else str(one)]
    return words
