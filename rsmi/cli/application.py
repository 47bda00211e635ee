"""The command group, loaded lazily, and the one place where errors become exit codes."""

from __future__ import annotations

import difflib
import importlib
import io
import keyword
import sys
import traceback

import click

import rsmi
from rsmi.cli.common import ARGUMENTS
from rsmi.cli.standard_streams import silence_standard_output
from rsmi.engine.stop import Stop
from rsmi.errors import Failure, RsmiError, shortage
from rsmi.foreign_text import printable, printable_lines

COMMANDS = {
    "sample": "Sample configurations of a lattice model.",
    "import": "Import configurations that another program made.",
    "train-theta": "Train the Boltzmann machines of (V, E) and V on samples.",
    "train-lambda": "Learn the coarse variables that know most of their environment.",
    "coarse-grain": "Apply a rule to samples: blocks become spins.",
    "scan": "Compare rules over temperatures, sizes, windows and numbers of units.",
    "flow": "Measure operators along repeated coarse-graining.",
    "merge": "Join shards to the file that one process would have written.",
    "exponent": "Read critical exponents and temperature off a flow.",
    "crossing": "Find the critical temperature from two lattice sizes.",
    "spectrum": "Measure scaling dimensions from several lattice sizes.",
    "exact": "Compute exactly what rules know of their environment.",
    "info": "Show the numbers of a file.",
    "plot": "Draw the figure of a file.",
    "report": "Write one page on a whole study.",
}

_EPILOG = """
A first pipeline, from nothing to exponents:

\b
  rsmi sample --size 64 --temperature Tc --samples 20000 -o samples.h5
  rsmi train-lambda samples.h5 --block 2x2 --hidden 1 -o lambda.h5
  rsmi flow samples.h5 --rule lambda.h5 --hard --steps 3 -o flow.h5
  rsmi exponent flow.h5 -o exponent.h5

Exit codes: 0 done, 1 failure (disk, folder), 2 usage, 65 damaged or wrong input, 73 output exists
with other parameters or is being written, 75 interrupted with the checkpoint written (run the same
command again).

On a file system without locks, a file beside the output is the lock; the environment variable
RSMI_FILE_LOCKING=auto|fcntl|exclusive|none chooses. """


class LazyGroup(click.Group):
    """Imports a subcommand's module only when it is used, so that help is quick."""

    def list_commands(self, ctx):
        return list(COMMANDS)

    def get_command(self, ctx, name):
        if name not in COMMANDS:
            return None
        module = importlib.import_module(
            f"rsmi.cli.{name.replace('-', '_')}" + "_" * keyword.iskeyword(name)
        )
        return module.command

    def parse_args(self, ctx, args):
        """Keep the words of the command line, which unfinished work shows to people."""
        ctx.meta[ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx, args):
        """Look a command up; the message about an unknown one names those that are similar."""
        similar = difflib.get_close_matches(args[0], COMMANDS)
        if args[0] in COMMANDS or not similar:
            return super().resolve_command(ctx, args)
        raise click.UsageError(
            f"No such command '{args[0]}'. Did you mean {' or '.join(similar)}?", ctx
        )

    def format_commands(self, ctx, formatter):
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    epilog=_EPILOG,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "RSMI",
        "max_content_width": 110,
    },
)
@click.version_option(rsmi.__version__, "--version", prog_name="rsmi")
def application():
    """Find the relevant degrees of freedom of a statistical system, coarse-grain with them, and
    read off its critical behaviour: the real-space mutual information renormalization group.

    Every stage reads and writes HDF5 files and can be stopped and repeated at any time: the same
    command resumes.
    """


def run(arguments: list[str], stop: Stop) -> int:
    """Run one command line; returns the exit code and prints errors as one sentence."""
    debug = "--debug" in arguments
    try:
        code = application.main(arguments, prog_name="rsmi", standalone_mode=False, obj=stop)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        message = io.StringIO()
        error.show(message)
        click.echo(printable_lines(message.getvalue()), err=True, nl=False)
        return error.exit_code
    except click.Abort:
        return 75
    except RsmiError as error:
        _drop_unprinted()
        _say(str(error), debug)
        return error.exit_code
    except BrokenPipeError:  # the reader of our output went away
        silence_standard_output()
        return 1
    except Exception as error:
        _drop_unprinted()
        if lacking := shortage(error):
            _say(f"{lacking} ({error})" if str(error) else lacking, debug)
            return 1
        # A defect of ours: still one sentence, and where to find the rest.
        _say(
            f"unexpected {type(error).__name__}: {error} (a defect in rsmi; --debug shows where)",
            debug,
        )
        return 1


def _drop_unprinted() -> None:
    """Make sure that the end of the process does not fail on what standard output holds."""
    try:
        sys.stdout.flush()
    except Failure:  # the error at hand tells it already
        silence_standard_output()


def _say(message: str, debug: bool) -> None:
    if debug:
        click.echo(printable_lines(traceback.format_exc()), err=True, nl=False)
    click.echo(f"rsmi: {printable(message)}", err=True)
