"""``python -m rsmi``: the same as the ``rsmi`` command."""

from rsmi.cli import main

main()
