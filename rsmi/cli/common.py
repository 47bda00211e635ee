"""Options and manners that all commands share."""

from __future__ import annotations

import functools
import json
import logging
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from rsmi.engine.stop import Stop, parse_duration
from rsmi.errors import UsageError

if TYPE_CHECKING:
    from rsmi.store import File

# The function of a command, and what adds options to it.
Command = Callable[..., Any]
Decorator = Callable[[Command], Command]
CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 110}


def command(name: str, **settings):
    """A click command with the manners of this suite."""
    return click.command(name, context_settings=CONTEXT, **settings)


def _load_config(ctx: click.Context, _, value: Path | None):
    if value is None:
        return
    try:
        table = tomllib.loads(value.read_text())
    except OSError as error:
        raise click.BadParameter(f"{value}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"{value}: {error}") from error
    commands = ctx.parent.command.list_commands(ctx.parent)
    for name, section in table.items():
        if name not in commands or not isinstance(section, dict):
            raise click.BadParameter(
                f"{value}: {name} is not the [table] of a command ({', '.join(commands)})"
            )
    options = {
        option.lstrip("-"): parameter.name
        for parameter in ctx.command.get_params(ctx)
        for option in parameter.opts
        if option.startswith("--")
    }
    several = {
        option
        for parameter in ctx.command.get_params(ctx)
        if getattr(parameter, "multiple", False)
        for option in parameter.opts
    }
    settings = {
        key.replace("_", "-"): setting for key, setting in table.get(ctx.info_name, {}).items()
    }
    settings = {
        key: _as_written(setting, f"--{key}" in several) for key, setting in settings.items()
    }
    unknown = sorted(set(settings) - set(options))
    if unknown:
        raise click.BadParameter(f"{value}: {ctx.info_name} has no option --{', --'.join(unknown)}")
    ctx.default_map = {
        **(ctx.default_map or {}),
        **{options[key]: setting for key, setting in settings.items()},
    }


def _as_written(setting, several: bool):
    """A setting as text, to be parsed like the command line; a list of them for an option that may
    be repeated."""
    if several:
        return [str(one) for one in (setting if isinstance(setting, list) else [setting])]
    return str(setting)


_OUTPUT = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="File to write; appears only when complete.",
)
_SEED = click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    metavar="N",
    default=0,
    help="Root of all random streams.",
)
_SHARD = click.option(
    "--shard",
    metavar="i/N",
    default=None,
    show_default="all",
    help="Make shard i = 0 ... N - 1 of N, for 'rsmi merge': the streams c with c mod N = i.",
)
_SCHEDULER = click.option(
    "--scheduler",
    metavar="ADDRESS|local|slurm",
    default=None,
    show_default="threads of this process",
    help=(
        'Work in processes of dask (pip install "rsmi[dask]") that share this folder: behind a'
        " scheduler (tcp://HOST:PORT, tls://HOST:PORT, its file), --threads of them on this"
        " machine, or --threads of them in jobs of Slurm. Never changes a result."
    ),
)
_RUN = (
    click.option(
        "--force",
        is_flag=True,
        help=(
            "Replace an output made with other parameters (matching unfinished work is still"
            " resumed)."
        ),
    ),
    click.option(
        "--threads",
        type=click.IntRange(1, 4096),
        metavar="N",
        default=None,
        show_default="all cores",
        help="Threads; never changes a result.",
    ),
    click.option(
        "--time-limit",
        metavar="DURATION",
        default=None,
        help="Checkpoint and exit 75 after this long (90, 15m, 2h, HH:MM:SS).",
    ),
    click.option(
        "--dry-run", is_flag=True, help="Print the resolved plan and its cost, write nothing."
    ),
)
_TALK = (
    click.option("--json", is_flag=True, help="Print the result as one JSON object."),
    click.option("-q", "--quiet", is_flag=True, help="No progress, no remarks."),
    click.option("-v", "--verbose", is_flag=True, help="More remarks on stderr."),
    click.option("--debug", is_flag=True, help="Show the traceback of an error."),
    click.option(
        "--config",
        type=click.Path(path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=_load_config,
        help=(
            "TOML file of defaults, one [command] table each; RSMI_COMMAND_OPTION in the"
            " environment wins over it."
        ),
    ),
)


_NAMED = ("majority", "decimation", "majority-ties-up", "staggered")
RULES = """The rule is a file of 'rsmi train-lambda', a filter of your own, or a name. Named rules,
with ties by a fair coin: majority (the sign of the block's magnetization), staggered (of its
staggered magnetization); without chance: majority-ties-up (as majority, ties up), decimation (the
block's first spin). A filter of your own is a CSV or NPY file of weights, in the shape of --block
or as one row of all its sites for each hidden unit. Learned rules and filters draw each coarse spin
from P(h = 1) = 1/(1 + exp(-x)), x = sum of weights times spins, plus bias; --hard takes the
likelier value."""


def _complete_rule(ctx, param, incomplete: str) -> list[CompletionItem]:
    """Named rules, and files."""
    return [
        *(CompletionItem(name) for name in _NAMED if name.startswith(incomplete)),
        CompletionItem(incomplete, type="file"),
    ]


def rule_options(several: bool = False):
    """Add --rule (repeatable where ``several``), --block, --hard and --bias: what
    `rsmi.stages.rule_option` resolves."""
    options = (
        click.option(
            "--rule",
            required=True,
            multiple=several,
            shell_complete=_complete_rule,
            metavar="FILE|" + "|".join(_NAMED),
            help="A learned rule, a filter in a CSV or NPY file, or a named rule"
            + ("; may be repeated." if several else "."),
        ),
        click.option(
            "--block",
            default=None,
            metavar="SHAPE",
            show_default="2 along every axis, or as learned",
            help="Block of a named rule or a filter, such as 2x2.",
        ),
        click.option(
            "--hard",
            is_flag=True,
            help="Take the likelier value instead of drawing; named rules are always hard.",
        ),
        click.option(
            "--bias",
            default=None,
            metavar="B[,B...]",
            show_default="0",
            help="Of a filter in a CSV or NPY file, for each hidden unit.",
        ),
    )
    return lambda function: _decorate(function, options)


def stage_command(seed: bool = True, shards: bool = False, remote: bool = False):
    """Add the options of a stage; the function receives ``run`` (RunOptions), ``dry_run`` and
    ``as_json``."""

    def decorate(function):
        @functools.wraps(function)
        def wrapped(
            *arguments,
            force,
            threads,
            time_limit,
            json,
            quiet,
            verbose,
            debug,
            shard=None,
            scheduler=None,
            **rest,
        ):
            from rsmi.engine.request import RunOptions
            from rsmi.engine.shards import parse_shard

            set_verbosity(quiet, verbose)
            stop = click.get_current_context().obj or Stop()
            stop.limit(parse_duration(time_limit) if time_limit else None)
            options = {"threads": threads} if threads else {}
            options |= {"shard": parse_shard(shard)} if shard is not None else {}
            if scheduler is not None:
                from rsmi.engine.dask_workers import workers_of

                options["workers"] = workers_of(scheduler, threads)
            return function(
                *arguments,
                run=RunOptions(force=force, quiet=quiet, stop=stop, **options),
                as_json=json,
                **rest,
            )

        return _decorate(
            wrapped,
            (
                _OUTPUT,
                *((_SEED,) if seed else ()),
                *((_SHARD,) if shards else ()),
                *((_SCHEDULER,) if remote else ()),
                *_RUN,
                *_TALK,
            ),
        )

    return decorate


def reading_command(function):
    """Add the options of a command that only reads: verbosity and JSON."""

    @functools.wraps(function)
    def wrapped(*arguments, json, quiet, verbose, debug, **rest):
        set_verbosity(quiet, verbose)
        return function(*arguments, as_json=json, **rest)

    return _decorate(wrapped, _TALK)


def options(*options: Decorator) -> Decorator:
    """Add several options, in this order."""
    return lambda function: _decorate(function, options)


def _decorate(function: Command, options: Sequence[Decorator]) -> Command:
    for option in reversed(options):
        function = option(function)
    return function


def set_verbosity(quiet: bool, verbose: bool) -> None:
    """Remarks and warnings go to stderr as plain sentences."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("rsmi: %(message)s"))
    logger = logging.getLogger("rsmi")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.DEBUG if verbose else logging.ERROR if quiet else logging.INFO)


def read_paths(paths: tuple[str, ...]) -> list[Path]:
    """Input paths; ``-`` stands for one path a line on stdin."""
    found: list[Path] = []
    for path in paths:
        found += _paths_from_stdin() if path == "-" else [Path(path)]
    if not found:
        raise UsageError("no input file: stdin gave no path (did the command before it fail?)")
    return found


def _paths_from_stdin() -> list[Path]:
    if sys.stdin is None:
        raise UsageError("no input file: - reads paths from standard input, which is closed")
    try:
        return [Path(line.strip()) for line in sys.stdin if line.strip()]
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(
            f"no input file: - reads paths from standard input, which cannot be read ({reason})"
        ) from error


def one_path(path: str) -> Path:
    """The single input of a command that takes one."""
    paths = read_paths((path,))
    if len(paths) != 1:
        raise UsageError(f"one input file is needed, {len(paths)} were given")
    return paths[0]


def answer(output: Path, as_json: bool, summary: Callable[[File], dict]) -> None:
    """Print the path of the file that was written, or its numbers as one JSON object.

    Parameters
    ----------
    output : Path
    as_json : bool
    summary : callable
        Takes the open file and returns its numbers; it is called for JSON only.
    """
    if not as_json:
        return click.echo(str(output))
    from rsmi.samples.files import open_file

    with open_file(output) as file:
        click.echo(json.dumps(summary(file), allow_nan=False))


def print_plan(plan: dict, as_json: bool) -> None:
    """Print what --dry-run resolved."""
    if as_json:
        click.echo(json.dumps(plan, allow_nan=False))
        return
    for name, value in plan.items():
        click.echo(f"{name:20} {value}")
