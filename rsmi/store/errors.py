"""Errors while files are read: damage becomes a DataError, and a lack of resources a Failure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rsmi.errors import DataError, Failure, shortage

# What h5py, and the checks of what it returns, raise on damaged files.
HDF5_ERRORS = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    UnicodeError,
    OverflowError,
    AttributeError,
    IndexError,
    MemoryError,
    RecursionError,
)
# What Python and numpy raise on values that contradict each other.
_CONTRADICTIONS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RuntimeWarning,
)


@contextmanager
def read_errors(path: Path) -> Iterator[None]:
    """Report as a Failure that a file cannot be read, although it need not be damaged."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, MemoryError, RuntimeError) as error:
        lacking = shortage(error) or (isinstance(error, OSError) and error.strerror)
        if not lacking:
            raise
        raise Failure(
            f"{path}: cannot be read: {lacking}; the file need not be damaged, and all work is kept"
        ) from error


@contextmanager
def hdf5_errors(path: Path, what: str) -> Iterator[None]:
    """Report an error while a file is read as a DataError; ``what`` says what failed.

    A lack of resources is a Failure: the file need not be damaged.
    """
    try:
        yield
    except HDF5_ERRORS as error:
        if lacking := shortage(error):
            raise Failure(f"{path}: cannot be read: {lacking}") from error
        detail = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise DataError(f"{path}: {what} ({detail})") from error


@contextmanager
def as_data_error(path: Path) -> Iterator[None]:
    """Report an error while a file is summarised or drawn as a DataError.

    The file has passed every check of `open_file`, but its values may still contradict each other
    in a way that no check looks for.
    """
    try:
        yield
    except _CONTRADICTIONS as error:
        detail = " ".join(str(error).split())[:120]
        raise DataError(
            f"{path}: contradicts itself, or this program errs ({type(error).__name__}: {detail};"
            " --debug shows where)"
        ) from error
