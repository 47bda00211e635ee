"""The options that all commands share, and how they read paths and print answers."""

from __future__ import annotations

import functools
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from rsmi.cli.config import load_config
from rsmi.engine.stop import Stop, parse_duration
from rsmi.errors import UsageError
from rsmi.foreign_text import printable, printable_lines

if TYPE_CHECKING:
    from rsmi.engine.shards import Shard
    from rsmi.store import File

# The function of a command, and what adds options to it.
Command = Callable[..., Any]
Decorator = Callable[[Command], Command]
_LONGEST_LIST = 1 << 24  # characters of a list of paths on standard input
ARGUMENTS = "rsmi.arguments"  # the words of the command line, in the context of click
CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 110}


def command(name: str, **settings: Any) -> Callable[[Command], click.Command]:
    """A click command with the settings that all commands share."""
    return click.command(name, context_settings=CONTEXT, **settings)


_OUTPUT = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="File to write; it appears only when it is complete. A symbolic link is followed.",
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
        "--dry-run",
        is_flag=True,
        help="Print the resolved plan and its cost: processor seconds and bytes, from a trial;"
        " write nothing.",
    ),
)
_TALK = (
    click.option("--json", is_flag=True, help="Print the result as one JSON object."),
    click.option("-q", "--quiet", is_flag=True, help="Show no progress and no remarks."),
    click.option("-v", "--verbose", is_flag=True, help="Show more remarks on stderr."),
    click.option("--debug", is_flag=True, help="Show the traceback of an error."),
    click.option(
        "--config",
        type=click.Path(path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=load_config,
        help=(
            "TOML file of defaults, one [command] table each; RSMI_COMMAND_OPTION in the"
            " environment wins over it."
        ),
    ),
)


RULE_PER_STEP = "given once it serves all steps, else it is given once for each step"

_NAMED = ("majority", "plurality", "decimation", "majority-ties-up", "staggered")
RULES = """The rule is a file of 'rsmi train-lambda', a filter of your own, or a name. Named rules,
with ties by a fair coin: majority (the sign of the block's magnetization), staggered (of its
staggered magnetization), plurality (the most frequent of any number of states); without chance:
majority-ties-up (as majority, ties up), decimation (the block's first spin). Where the flip of each
component is a symmetry, they act on each component. A filter of your own is a CSV or NPY file of
weights, in the shape of --block or as one row of all its sites, component after component, for each
hidden unit. Learned rules and filters draw each coarse spin from P(h = 1) = 1/(1 + exp(-x)), x =
sum of weights times spins, plus bias; a rule of --sector even has x = v^T A v + bias, one with
several states a softmax. --hard takes the likelier value."""


def _complete_rule(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Rules with a name, and files."""
    return [
        *(CompletionItem(name) for name in _NAMED if name.startswith(incomplete)),
        CompletionItem(incomplete, type="file"),
    ]


def rule_options(repeated: str, required: bool = True, lists: bool = False) -> Decorator:
    """Add --rule, --block, --hard and --bias; see `rsmi.stages.rule_option`. ``repeated`` says what
    several --rule mean, ``lists`` whether a block may be a list of sites."""
    listed = ", or a CSV file with the coordinates of one site in each line" if lists else ""
    return options(
        click.option(
            "--rule",
            required=required,
            multiple=True,
            shell_complete=_complete_rule,
            metavar="FILE|" + "|".join(_NAMED),
            help=f"A learned rule, a filter in a CSV or NPY file, or a named rule; {repeated}.",
        ),
        click.option(
            "--block",
            default=None,
            metavar="SHAPE|FILE" if lists else "SHAPE",
            show_default="2 along every axis, or as learned",
            help=f"Block of a named rule or a filter, such as 2x2{listed}.",
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
            help="Biases of a filter in a CSV or NPY file, one for each hidden unit.",
        ),
    )


def stage_command(
    seed: bool = True,
    shards: bool = False,
    remote: bool = False,
    texts: Mapping[str, str] | None = None,
) -> Decorator:
    """Add the options of a stage; ``texts`` has the help of those that mean something else here, by
    their names.

    The function of the command receives ``run`` (RunOptions), ``dry_run`` and ``as_json`` in place
    of the options of a run.
    """

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        def wrapped(
            *arguments: Any,
            force: bool,
            threads: int | None,
            time_limit: str | None,
            json: bool,
            quiet: bool,
            verbose: bool,
            debug: bool,
            shard: str | None = None,
            scheduler: str | None = None,
            **rest: Any,
        ) -> Any:
            from rsmi.engine.request import RunOptions
            from rsmi.engine.shards import parse_shard

            set_verbosity(quiet, verbose)
            context = click.get_current_context()
            stop = context.obj or Stop()
            stop.limit(parse_duration(time_limit) if time_limit else None)
            options = {"arguments": context.meta.get(ARGUMENTS, ())}
            options |= {"threads": threads} if threads else {}
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

        decorated = _decorate(
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
        for option in getattr(decorated, "__click_params__", []):
            option.help = (texts or {}).get(option.name, option.help)
        return decorated

    return decorate


def reading_command(function: Command) -> Command:
    """Add the options of a command that only reads: those for JSON and for what is logged."""

    @functools.wraps(function)
    def wrapped(
        *arguments: Any, json: bool, quiet: bool, verbose: bool, debug: bool, **rest: Any
    ) -> Any:
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
    """Write remarks and warnings to stderr as plain sentences."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PrintableFormatter("rsmi: %(message)s"))
    logger = logging.getLogger("rsmi")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.DEBUG if verbose else logging.ERROR if quiet else logging.INFO)


class _PrintableFormatter(logging.Formatter):
    """Remarks may quote names and texts of files, which reach no terminal unchanged."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record))


def print_text(text: str) -> None:
    """Print a report for people; what it quotes from files reaches no terminal unchanged."""
    click.echo(printable_lines(text), nl=False)


def read_paths(paths: tuple[str, ...]) -> list[Path]:
    """Input paths; ``-`` stands for the lines of stdin, one path each.

    Raises
    ------
    UsageError
        If there is no path.
    """
    expanded: list[Path] = []
    for path in paths:
        expanded += _paths_from_stdin() if path == "-" else [Path(path)]
    if not expanded:
        raise UsageError("no input file: stdin gave no path (did the command before it fail?)")
    return expanded


def _paths_from_stdin() -> list[Path]:
    if sys.stdin is None:
        raise UsageError("no input file: - reads paths from standard input, which is closed")
    try:
        text = sys.stdin.read(_LONGEST_LIST + 1)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(
            f"no input file: - reads paths from standard input, which cannot be read ({reason})"
        ) from error
    if len(text) > _LONGEST_LIST:
        raise UsageError(
            f"no input file: - reads paths from standard input, which holds more than"
            f" {_LONGEST_LIST >> 20} MiB"
        )
    return [Path(line.strip()) for line in text.split("\n") if line.strip()]


def one_path(path: str) -> Path:
    """The input of a command that takes one file; UsageError for several."""
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


def print_plan(plan: dict, as_json: bool, shard: Shard | None = None) -> None:
    """Print what a run would do (--dry-run); of a shard its part of the cost."""
    if shard is not None:
        from rsmi.stages.cost import start_seconds

        work = plan["cpu_seconds"] - start_seconds()
        plan = {
            **plan,
            "shard": str(shard),
            "cpu_seconds": round(start_seconds() + work / shard.count, 2),
            "bytes": plan["bytes"] // shard.count,
        }
    if as_json:
        click.echo(json.dumps(plan, allow_nan=False))
        return
    for name, value in plan.items():
        print_text(f"{name.replace('_', ' '):20} {_plan_text(name, value)}\n")


_UNITS = {"cpu_seconds": "s", "bytes": "bytes"}


def _plan_text(name: str, value: object) -> str:
    """An entry of a plan for people: units, lists without brackets, and ``-`` for nothing."""
    if name in _UNITS:
        return f"{value:,} {_UNITS[name]}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plan_text(key, one)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        shape = all(isinstance(one, int) for one in value) and name in ("shape", "block")
        return ("x" if shape else ", ").join(_plan_text("shape", one) for one in value)
    if value is None or value == "":
        return "-"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
