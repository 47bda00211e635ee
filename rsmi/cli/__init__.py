"""The command line: one file per subcommand; parse, one stage call, exit code."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the ``rsmi`` command: signals first, then the rest."""
    from rsmi.stages.interrupt import Stop

    stop = Stop()
    stop.install()
    from rsmi.cli.application import run

    sys.exit(run(sys.argv[1:], stop))
