"""The command line: one file per subcommand; parse, one stage call, exit code."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Entry point of the ``rsmi`` command: signals first, then the rest."""
    for library in (
        "OPENBLAS",
        "OMP",
        "MKL",
    ):  # threads of ours divide the work; numpy's own would wait for one another on small matrices
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    from rsmi import first_look
    from rsmi.cli.standard_streams import guard_standard_streams
    from rsmi.engine.stop import Stop
    from rsmi.errors import Interrupted

    guard_standard_streams()
    first_look.enable()
    stop = Stop()
    try:
        stop.install()
        from rsmi.cli.application import run

        code = run(sys.argv[1:], stop)
    except Interrupted as error:  # while importing
        print(f"rsmi: {error}", file=sys.stderr)
        code = error.exit_code
    sys.exit(code)
