"""What can go wrong, and the exit code the command line gives it (README, "Exit codes")."""


class RsmiError(Exception):
    """Base of every error with one clear sentence for the user; ``exit_code`` is the command's."""

    exit_code = 1


class Failure(RsmiError):
    """The machine said no: disk full, folder missing, permission denied."""


class UsageError(RsmiError):
    """The request cannot be meant: missing input file, impossible geometry or value."""

    exit_code = 2


class DataError(RsmiError):
    """An input is damaged, of the wrong kind, or holds what it must not."""

    exit_code = 65


class Conflict(RsmiError):
    """The output exists with other parameters, or another process is writing it."""

    exit_code = 73


class Interrupted(RsmiError):
    """Stopped on request with the checkpoint written; the same command resumes."""

    exit_code = 75
