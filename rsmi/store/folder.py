"""A folder in which other people may have prepared something: its files are opened relative to it.

A name that is looked up twice may lead to two files, if somebody exchanges a folder or puts a
symbolic link in its place in between. Therefore the folder is opened once, and every name is looked
up in the open folder, without following links. Only regular files are read, and only those with a
single name are written, so that no pipe blocks this process and no link leads to a file of somebody
else.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rsmi.errors import Failure
from rsmi.store.disk import sync

_MODE = stat.S_IRWXU | stat.S_IRWXG | stat.S_IROTH | stat.S_IXOTH
_PLAIN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Folder:
    """An open folder.

    Parameters
    ----------
    path : Path
    follow : bool
        Whether the path may be a symbolic link.

    Raises
    ------
    OSError
        If there is no such folder.
    """

    def __init__(self, path: Path, follow: bool = False):
        self.path = path
        links = 0 if follow else os.O_NOFOLLOW
        self.descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | links)

    def __del__(self) -> None:
        descriptor = self.__dict__.pop("descriptor", None)
        if descriptor is not None:
            os.close(descriptor)

    def names(self) -> list[str]:
        """The names of everything in the folder, as the file server knows them now."""
        again = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.descriptor)
        try:
            return os.listdir(again)  # which moves the position of the descriptor
        finally:
            os.close(again)

    def stat(self, name: str) -> os.stat_result:
        """The facts of a file, or of the link itself."""
        return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)

    def has(self, name: str) -> bool:
        """Whether there is something of this name."""
        with contextlib.suppress(FileNotFoundError):
            return bool(self.stat(name))
        return False

    def open(self, name: str, flags: int = os.O_RDONLY) -> BinaryIO:
        """Open a regular file without a buffer, for reading or with the flags of `os.open`.

        Raises
        ------
        Failure
            If the name belongs to a link, a folder or a pipe, or if a file that is to be written
            has a second name.
        OSError
            If the file cannot be opened.
        """
        try:
            descriptor = os.open(name, flags | _PLAIN, 0o666, dir_fd=self.descriptor)
        except OSError as error:
            if self._is_plain(name):
                raise
            raise self._refusal(name) from error
        facts = os.fstat(descriptor)
        several = flags != os.O_RDONLY and facts.st_nlink > 1
        if not stat.S_ISREG(facts.st_mode) or several:
            os.close(descriptor)
            raise self._refusal(name)
        return open(descriptor, "rb" if flags == os.O_RDONLY else "r+b", buffering=0)

    def _is_plain(self, name: str) -> bool:
        try:
            return stat.S_ISREG(self.stat(name).st_mode)
        except OSError:
            return True

    def _refusal(self, name: str) -> Failure:
        return Failure(
            f"{self.path / name}: is no file of this program, but a link, a folder or a pipe:"
            " remove it"
        )

    def read(self, name: str, most: int = -1) -> bytes:
        """The content of a file, or its first bytes."""
        with self.open(name) as raw, open(raw.fileno(), "rb", closefd=False) as stream:
            return stream.read(most)

    def create(self, name: str) -> BinaryIO:
        """Create a file that is not there yet, for reading and writing."""
        return self.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL)

    @contextlib.contextmanager
    def temporary(self, name: str) -> Iterator[str]:
        """A name for a file that becomes `name`; what is left under it in the end is removed."""
        temporary = f"{name}.{secrets.token_hex(4)}.tmp"
        try:
            yield temporary
        except BaseException:
            with contextlib.suppress(OSError):
                self.remove(temporary)
            raise

    def write(self, name: str, content: bytes | memoryview) -> None:
        """Write a file under a temporary name, sync it, and rename it."""
        with self.temporary(name) as temporary:
            with self.create(temporary) as raw, open(raw.fileno(), "wb", closefd=False) as stream:
                stream.write(content)
                stream.flush()
                sync(raw.fileno())
            here = self.descriptor
            os.replace(temporary, name, src_dir_fd=here, dst_dir_fd=here)
        sync(self.descriptor)

    def remove(self, name: str) -> None:
        """Remove a file or a link, if it is there; a folder stays."""
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            os.unlink(name, dir_fd=self.descriptor)


def own_folder(path: Path, create: bool = False) -> Folder:
    """Open a folder of this user; with ``create`` it is created if it is not there.

    Raises
    ------
    Failure
        If the path is a link or a file, or if other users own the folder or may write in it.
    OSError
        If the file system fails.
    """
    if create:
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, _MODE)
    try:
        folder = Folder(path)
    except FileNotFoundError:
        if not create:
            raise
        return own_folder(path, create)  # another process has just removed it
    except OSError as error:
        if os.path.lexists(path) and not stat.S_ISDIR(os.lstat(path).st_mode):
            raise Failure(
                f"{path}: is no folder, and unfinished work lies under this name: remove it"
            ) from error
        raise
    _refuse_strangers(folder)
    return folder


def _refuse_strangers(folder: Folder) -> None:
    facts = os.fstat(folder.descriptor)
    if _is_private(facts) or not _keeps_owners(folder.path.parent):
        return
    if facts.st_uid != os.geteuid():
        raise Failure(
            f"{folder.path}: belongs to another user, who may have prepared it: choose another"
            " output, or have the folder removed"
        )
    raise Failure(
        f"{folder.path}: may be written by every user, who may have prepared it: remove it to start"
        f" again, or trust it and use 'chmod o-w {folder.path}'"
    )


def _is_private(facts: os.stat_result) -> bool:
    """Whether this user owns a folder and not every user may write in it."""
    return facts.st_uid == os.geteuid() and not facts.st_mode & stat.S_IWOTH


def _keeps_owners(parent: Path) -> bool:
    """Whether the file system knows owners and permissions: some show one owner for everything."""
    probe = parent / f".rsmi-{secrets.token_hex(4)}"
    try:
        os.mkdir(probe, stat.S_IRWXU)
    except OSError:
        return True
    try:
        return _is_private(os.lstat(probe))
    finally:
        os.rmdir(probe)
