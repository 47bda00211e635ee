"""The disk: its errors as sentences, links, whole files, and forcing files to it."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from rsmi.errors import Failure, errno_of, shortage

_CANNOT_SYNC = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EACCES)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Report an error of the disk, from the operating system or from HDF5, as a Failure."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        code = errno_of(error)
        if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            limit = "file size limit reached" if code == errno.EFBIG else "disk full"
            raise Failure(
                f"{path}: {limit}; what is done so far is kept: make room and run the same command"
                " again"
            ) from error
        if code in (errno.ENOENT, errno.ENOTEMPTY, errno.ESTALE):
            raise Failure(
                f"{path}: the folder was removed while its output was being made"
            ) from error
        if lacking := shortage(error):
            raise Failure(
                f"{path}: cannot be written: {lacking}; what is done so far is kept: run the same"
                " command again"
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
        If the link leads to a folder or to itself, or if somebody else has put it into a folder in
        which every user may write.
    """
    if not os.path.islink(path):  # also where the path is impossible, which is noticed later
        return path
    if _is_planted(path):
        raise Failure(
            f"{path}: is a link of another user in a folder in which everybody may write: choose"
            " another output"
        )
    target = Path(os.path.realpath(path))
    if os.path.islink(target):
        raise Failure(f"{path}: is a link that leads to itself: choose another output")
    if target.is_dir():
        raise Failure(f"{path}: is a link to the folder {target}: choose another output")
    return target


def _is_planted(path: Path) -> bool:
    """Whether a link may have been laid by somebody who knew the name of the output: the rule by
    which Linux follows links (fs.protected_symlinks)."""
    link, folder = os.lstat(path), os.stat(path.parent)
    return bool(folder.st_mode & stat.S_IWOTH) and link.st_uid not in (
        os.geteuid(),
        folder.st_uid,
    )


def sync_folder(path: Path) -> None:
    """Force the entries of a folder, such as a new name, to the disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:  # a folder that may be written but not listed
        return
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def sync(descriptor: int) -> None:
    """Force a file or a folder to the disk, if its file system can do this at all."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that gets its name when the body has written it: nobody sees half of it, and a
    file of that name stays until then.

    Raises
    ------
    Failure
        If the disk is full, or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with disk_errors(path):
            with open(temporary, "xb") as stream:  # which follows no link that lies there already
                yield stream
            os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()
