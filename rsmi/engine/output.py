"""The output of a run: whether it may be written, and the file that is there already."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from rsmi.engine.lineage import Input
from rsmi.engine.request import Request, RunOptions
from rsmi.errors import Conflict, DataError, Failure, RsmiError, UsageError
from rsmi.store import File, disk_errors, open_file


def check_output(output: Path, inputs: Iterable[Input]) -> None:
    """Refuse a name under which no result can be written.

    Raises
    ------
    Failure
        If the folder is missing, or if the name belongs to something that is no regular file.
    UsageError
        If the name is "-", or if the output is one of the inputs.
    """
    if str(output) == "-":
        raise UsageError(
            "-o -: a result is a file that appears when it is complete: give it a name (its path"
            " goes to stdout)"
        )
    with disk_errors(output):
        if not output.parent.is_dir():
            raise Failure(f"{output}: the folder {output.parent} does not exist: create it first")
        if not output.exists():
            return
        if not output.is_file():
            what = "a folder" if output.is_dir() else "no regular file"
            raise Failure(f"{output}: is {what}: choose another output")
        if any(output.samefile(file.path) for file in inputs):
            raise UsageError(f"{output}: is an input of this command: choose another output")


class Output:
    """The output of a request.

    Attributes
    ----------
    path : Path
    complete : bool
        Whether the requested file is there already.
    base : File, optional
        The shorter file that is there and that the run extends.
    """

    def __init__(self, path: Path, request: Request, options: RunOptions):
        self.path = path
        self.complete = False
        self.base: File | None = None
        self._request, self._options = request, options
        self._open_files = contextlib.ExitStack()

    def inspect(self) -> None:
        """Find out whether the output is complete, or can be extended.

        Raises
        ------
        Conflict
            If another file is there and ``force`` is off.
        """
        if not self.path.exists():
            return
        existing = self._existing_file()
        if existing is None:
            return
        shard = self._options.shard
        difference = self._request.difference(existing.attributes, shard)
        if difference is None:
            self.complete = True
        elif self._request.extends(existing.attributes, shard):
            self.base = existing
        elif not self._options.force:
            raise Conflict(
                f"{self.path}: exists with {difference}: use --force to replace it, or choose"
                " another output"
            )

    def _existing_file(self) -> File | None:
        """The file under the output's name; None if it is no file of ours and may be replaced."""
        try:
            return self._open_files.enter_context(open_file(self.path))
        except Failure:  # the file may be ours, but it cannot be read now
            raise
        except RsmiError as error:
            if self._options.force:
                return None
            raise Conflict(
                f"{self.path}: exists and is not a file this command could have written ({error}):"
                " use --force to replace it"
            ) from error

    def verify_base(self) -> None:
        """Verify the digest of the file to extend, because its rows become rows of the output.

        Raises
        ------
        DataError
            If the file is damaged and ``force`` is off.
        """
        if self.base is None:
            return
        try:
            self.base.verify()
        except DataError as error:
            if not self._options.force:
                raise DataError(
                    f"{error}: it cannot be extended: use --force to start again"
                ) from error
            self.base = None

    def touch(self) -> None:
        """Renew the time of the file, so that make knows that it is up to date."""
        with contextlib.suppress(OSError):  # the folder may be read-only
            os.utime(self.path)

    def close(self) -> None:
        """Close the file that was there."""
        self._open_files.close()
