"""A part: some rows of one task and the task's state after them, in one closed file.

Rows and state appear together in one rename, so a part is also a checkpoint. A part is built in
memory and written as bytes, so that a full disk cannot leave a half-written HDF5 file behind. It
ends with the SHA-256 digest of its content; a part that was changed is not even shown to HDF5.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

import h5py
import numpy as np

from rsmi.errors import DataError, shortage
from rsmi.store.errors import HDF5_ERRORS, read_errors
from rsmi.store.file import arrays_of
from rsmi.store.folder import Folder
from rsmi.store.writer import LAYOUT

_SEAL_BYTES = hashlib.sha256().digest_size
_BYTES_AT_ONCE = 1 << 20
PART = (  # versions up to 0.3.0 wrote names without a token
    r"(?P<task>[a-z0-9-]+)\.(?P<start>\d{12})-(?P<stop>\d{12})(\.(?P<token>[0-9a-f]{8}))?\.h5"
)
_NAME = re.compile(PART)


class PartInMemory(NamedTuple):
    """What a part holds, with the names of arrays in the order of the file."""

    rows: dict[str, np.ndarray]
    state: dict[str, np.ndarray]

    @property
    def nbytes(self) -> int:
        """The bytes of all arrays."""
        return sum(array.nbytes for array in (*self.rows.values(), *self.state.values()))


@dataclass(frozen=True)
class Part:
    """Rows ``start:stop`` of a task, and its state after them.

    The process that wrote a small part may keep its content in memory, so that it need not read it.
    """

    task: str
    start: int
    stop: int
    name: str
    folder: Folder = field(compare=False)
    content: PartInMemory | None = field(default=None, compare=False, repr=False)

    @property
    def path(self) -> Path:
        """The file, for messages."""
        return self.folder.path / self.name

    @property
    def size(self) -> int:
        """The bytes of the file."""
        return self.folder.stat(self.name).st_size

    def rows(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows ``start:stop`` of one array, counted from the first row of the task."""
        if self.content is not None:
            return self.content.rows[name][start - self.start : stop - self.start].copy()
        with self._reading() as handle:
            return handle[f"rows/{name}"][start - self.start : stop - self.start]

    @property
    def arrays(self) -> list[str]:
        """The names of the arrays that a row consists of."""
        if self.content is not None:
            return list(self.content.rows)
        with self._reading() as handle:
            return list(handle["rows"])

    def state(self) -> dict[str, np.ndarray]:
        """The state of the task after these rows."""
        if self.content is not None:
            return {name: array.copy() for name, array in self.content.state.items()}
        with self._reading() as handle:
            return arrays_of(handle["state"])

    @contextlib.contextmanager
    def _reading(self) -> Iterator[h5py.File]:
        """The part as an open HDF5 file, after its seal was checked.

        The stream is handed to HDF5, so that it reads what was checked.
        """
        with self._opened() as stream, read_errors(self.path):
            if not self._intact(stream):
                raise self._damaged()
            try:
                with h5py.File(stream, "r") as handle:
                    yield handle
            except HDF5_ERRORS as error:
                if shortage(error):
                    raise
                raise self._damaged() from error

    def _opened(self) -> BinaryIO:
        try:
            with read_errors(self.path):
                return self.folder.open(self.name)
        except FileNotFoundError as error:
            raise self._damaged() from error

    def _damaged(self) -> DataError:
        return DataError(
            f"{self.path}: damaged checkpoint: remove the folder {self.folder.path} to start again"
        )

    def _intact(self, stream: BinaryIO) -> bool:
        """Whether the digest at the end is that of the content before it; it is computed once."""
        if "_seal" not in self.__dict__:
            self.__dict__["_seal"] = _is_sealed(stream)
        return self.__dict__["_seal"]


def _is_sealed(stream: BinaryIO) -> bool:
    left, sha = os.fstat(stream.fileno()).st_size - _SEAL_BYTES, hashlib.sha256()
    while left > 0:
        content = stream.read(min(left, _BYTES_AT_ONCE))
        if not content:
            return False
        sha.update(content)
        left -= len(content)
    seal = stream.read(_SEAL_BYTES)
    stream.seek(0)
    return seal == sha.digest()


def part_name(task: str, start: int, stop: int, token: str) -> str:
    """The file name of a part of the work that ``token`` identifies."""
    return f"{task}.{start:012d}-{stop:012d}.{token}.h5"


def match_name(name: str) -> re.Match[str] | None:
    """The groups ``task``, ``start``, ``stop`` and ``token`` of a part's file name."""
    return _NAME.fullmatch(name)


def list_parts(folder: Folder, token: str | None) -> dict[str, list[Part]]:
    """The parts in a folder, in order, of every task.

    Parameters
    ----------
    folder : Folder
    token : str or None
        The work that the parts belong to; None stands for any work.
    """
    parts: dict[str, list[Part]] = {}
    for name in folder.names():
        match = match_name(name)
        if match and token in (None, match["token"]):
            part = Part(match["task"], int(match["start"]), int(match["stop"]), name, folder)
            parts.setdefault(part.task, []).append(part)
    return {task: sorted(of_task, key=order) for task, of_task in parts.items()}


def in_memory(
    rows: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray], most: int
) -> PartInMemory | None:
    """A copy of what a part holds, if it takes at most so many bytes."""
    content = PartInMemory(_sorted(rows), _sorted(state))
    if content.nbytes > most:
        return None
    return PartInMemory(*({name: array.copy() for name, array in one.items()} for one in content))


def _sorted(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.asarray(arrays[name]) for name in sorted(arrays)}


def part_content(rows: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray]) -> memoryview:
    """The bytes of a part: an HDF5 file and its digest, which is its checksum."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **LAYOUT) as handle:
        for name, arrays in (("rows", rows), ("state", state)):
            group = handle.create_group(name)
            for array, values in arrays.items():
                group.create_dataset(array, data=np.asarray(values))
    buffer.seek(0, io.SEEK_END)
    buffer.write(hashlib.sha256(buffer.getbuffer()).digest())
    return buffer.getbuffer()


def order(part: Part) -> tuple[int, int]:
    """The key by which parts of one task are sorted."""
    return part.start, part.stop


class _Link(NamedTuple):
    """The last part of a chain, and the chain before it."""

    part: Part
    before: _Link | None


def longest_chain(parts: Sequence[Part]) -> tuple[list[Part], Part | None]:
    """The chain of sorted parts, without gaps and overlaps, that reaches the highest row.

    Returns
    -------
    list of Part
    Part or None
        The first part that lies beyond a gap after the chain, if there is one.
    """
    if not parts:
        return [], None
    chains: dict[int, _Link | None] = {parts[0].start: None}  # by the row where the chain ends
    for part in parts:
        if part.start in chains and (part.start == part.stop or part.stop not in chains):
            chains[part.stop] = _Link(part, chains[part.start])
    end = max(chains)
    beyond = next((part for part in parts if part.stop > end), None)
    return _unlinked(chains[end]), beyond


def _unlinked(link: _Link | None) -> list[Part]:
    chain = []
    while link is not None:
        chain.append(link.part)
        link = link.before
    return chain[::-1]
