"""The disk: its errors as sentences, and files that appear completely or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rsmi.errors import Failure


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Report an error of the disk, from the operating system or from HDF5, as a Failure."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        code = error.errno if isinstance(error, OSError) and error.errno else _errno_in(str(error))
        if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            limit = "file size limit reached" if code == errno.EFBIG else "disk full"
            raise Failure(
                f"{path}: {limit}; what is done so far is kept: make room and run the same command"
                " again"
            ) from error
        if code in (errno.ENOENT, errno.ENOTEMPTY):
            raise Failure(
                f"{path}: the folder was removed while its output was being made"
            ) from error
        if code:
            raise Failure(f"{path}: cannot be written ({os.strerror(code)})") from error
        raise


def link_target(path: Path) -> Path:
    """The file that an output path means: the target if it is a symbolic link, else the path.

    The output and its unfinished work then lie on the disk that the link was made to spare, and
    the link stays.

    Raises
    ------
    Failure
        If the link leads to a folder or to itself.
    """
    if not os.path.islink(path):  # also where the path is impossible, which is noticed later
        return path
    target = Path(os.path.realpath(path))
    if os.path.islink(target):
        raise Failure(f"{path}: is a link that leads to itself: choose another output")
    if target.is_dir():
        raise Failure(f"{path}: is a link to the folder {target}: choose another output")
    return target


def _errno_in(message: str) -> int | None:
    match = re.search(r"errno = (\d+)", message)
    return int(match[1]) if match else None


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Write a file under a temporary name that no other process uses, sync it, and rename it."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(path: Path) -> None:
    """Force the entries of a folder, such as a new name, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
