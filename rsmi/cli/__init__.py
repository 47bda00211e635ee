"""The command line: one file per subcommand; parse, one stage call, exit code."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the ``rsmi`` command: signals first, then the rest."""
    from rsmi.errors import Interrupted
    from rsmi.stages.interrupt import Stop

    stop = Stop()
    try:
        stop.install()
        from rsmi.cli.application import run

        code = run(sys.argv[1:], stop)
    except Interrupted as error:  # while importing
        print(f"rsmi: {error}", file=sys.stderr)
        code = error.exit_code
    sys.exit(code)
