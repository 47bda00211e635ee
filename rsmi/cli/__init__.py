"""The command line: one file per subcommand; parse, one stage call, exit code."""
