"""The resumable run that all stages share.

A stage is a set of tasks. A task makes rows from an explicit state (`rsmi.engine.tasks`). The
session has the tasks driven by threads or by workers, which commit rows and state in parts. It
stops between rows on request, and it publishes the assembled file under its final name. How rows
are grouped into parts never influences a result.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rsmi.engine.output import Output, check_output
from rsmi.engine.progress import Progress
from rsmi.engine.publication import publish_result
from rsmi.engine.remote import Workers, drive_by_workers
from rsmi.engine.request import Request, RunOptions
from rsmi.engine.shards import Piece, RowReader, StoredRows, store_stream
from rsmi.engine.tasks import Limits, Named, Rows, State, Task
from rsmi.engine.threads import drive_in_threads
from rsmi.engine.unfinished import claim_parts, remove_leftovers
from rsmi.errors import Failure, Interrupted, UsageError, shortage
from rsmi.store import File, PartsFolder, Writer, link_target

LIMITS = Limits()
Stream = TypeVar("Stream")


class Session:
    """One run of one request towards one output; use it as a context manager.

    Attributes
    ----------
    output : Path
        Where the output lies: the target of the given path if that is a symbolic link.
    request : Request
    options : RunOptions

    Raises
    ------
    Conflict
        If the output, or unfinished work for it, belongs to another request and ``force`` is off,
        or if another process writes the output.
    DataError
        If the unfinished work, or the file to extend, is damaged.
    Failure, UsageError
        See `rsmi.engine.output.check_output`.
    """

    def __init__(self, output: Path, request: Request, options: RunOptions):
        self.output = link_target(Path(output))
        self.request = request
        self.options = options
        self._stream_count = 0
        self._workers: Workers | None = None
        self._output = Output(self.output, request, options)
        self._parts = PartsFolder(self.output)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Session:
        check_output(self.output, self.request.inputs)
        try:
            self._output.inspect()
            if not self.complete:
                self._parts.acquire()
                self._output.inspect()  # another process may have published before it let go
            if self.complete:
                self._output.touch()
                remove_leftovers(self._parts, self.request, self.options)
            else:
                self._output.verify_base()
                claim_parts(self._parts, self.request, self.options)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._parts.release()
        self._output.close()
        self._stack.close()

    @property
    def complete(self) -> bool:
        """Whether the output is there already, so that nothing is to be done."""
        return self._output.complete

    @property
    def base(self) -> File | None:
        """The shorter file that this run extends, if there is one."""
        return self._output.base

    def select(self, streams: list[Stream], cure: str = "") -> list[Stream]:
        """The streams that this run makes: those of its shard, or all of them.

        The parameters are as in `rsmi.engine.shards.Shard.select`.

        Raises
        ------
        UsageError
            If there are more shards than streams.
        """
        self._stream_count = len(streams)
        if self.options.shard is None:
            return streams
        try:
            return self.options.shard.select(streams, cure)
        except UsageError:
            self.discard()
            raise

    def once(self, name: str, compute: Callable[[], State]) -> State:
        """A small intermediate result: it is computed once and kept with the parts."""
        present = self._parts.parts(name)
        if present:
            return present[-1].state()
        state = compute()
        self._parts.commit(name, 0, 1, {}, state)
        return state

    def run(
        self, tasks: Sequence[Task], description: str, unit: str = "row", flips: int = 0
    ) -> None:
        """Drive all tasks to their end.

        Parameters
        ----------
        tasks : sequence of Task
        description, unit : str
            What the progress bar shows.
        flips : int
            The number of spin updates that one row takes; 0 where rows are no spin updates.

        Raises
        ------
        Interrupted
            If the run was stopped on request. All rows that were made are committed.
        RsmiError
            If a task fails.
        """
        self._parts.note_run({task.name: task.total for task in tasks}, self.options.arguments)
        with (
            self.options.stop.shielded(),
            self._work_kept(),
            self._progress(tasks, description, unit, flips) as progress,
        ):
            self._drive(tasks, progress)
        if self.options.stop.requested and any(self._done(task) < task.total for task in tasks):
            raise Interrupted(
                f"{self.output}: {self.options.stop.reason}; the checkpoint is written: run the"
                " same command again to continue"
            )

    @contextlib.contextmanager
    def _work_kept(self) -> Iterator[None]:
        """Report a lack of memory, threads or the like, which leaves all parts as they are."""
        try:
            yield
        except (MemoryError, OSError, RuntimeError) as error:
            if lacking := shortage(error):
                raise Failure(
                    f"{self.output}: {lacking}; {self._parts.path} keeps what was done: run the"
                    " same command again"
                ) from error
            raise

    def _drive(self, tasks: Sequence[Task], progress: Progress) -> None:
        workers = None if all(map(self.finished, tasks)) else self._started_workers()
        work = (self._parts, tasks, LIMITS, lambda: self.options.stop.requested)
        if workers is None:
            drive_in_threads(self.options.threads, *work, progress.update)
        else:
            drive_by_workers(workers, *work, None if progress.disable else progress.update)

    def _started_workers(self) -> Workers | None:
        """The processes that drive tasks, if the options ask for some; they live as long as the
        session."""
        if self._workers is None and self.options.workers is not None:
            self._workers = self._stack.enter_context(self.options.workers())
        return self._workers

    def _progress(self, tasks: Sequence[Task], description: str, unit: str, flips: int) -> Progress:
        return Progress(
            flips,
            total=sum(task.total for task in tasks),
            initial=sum(self._done(task) for task in tasks),
            desc=description,
            unit=unit,
            disable=True if self.options.quiet else None,
            leave=False,
        )

    def _done(self, task: Task) -> int:
        parts = self._parts.parts(task.name)
        return parts[-1].stop if parts else 0

    def finished(self, task: Task) -> bool:
        """Whether all rows of a task are made."""
        return bool(self._parts.parts(task.name)) and self._done(task) >= task.total

    def state(self, task: Named) -> State:
        """The state of a finished task."""
        return _last_state(self._parts, task.name)

    def state_reader(self, task: Named) -> Callable[[], State]:
        """A function that reads the state of a finished task, in this process or in a worker."""
        return functools.partial(_last_state, self._parts, task.name)

    def rows(self, task: Named) -> RowReader:
        """The rows of a finished task.

        Where a finished file is extended, these are the new rows, and where a shard is extended,
        all rows.
        """
        pieces = self.pieces(task)
        if self.base is not None and f"/rows/{task.name}" in self.base:
            pieces.insert(0, StoredRows(self.base, task.name))
        return RowReader(pieces)

    def pieces(self, task: Named) -> list[Piece]:
        """The rows of a finished task that this run has made."""
        return [*self._parts.parts(task.name)]

    def publish(
        self,
        attributes: dict[str, Any],
        fill: Callable[[Writer], None],
        expected_bytes: int,
        shared: Rows | None = None,
    ) -> str:
        """Assemble and publish the output.

        Parameters
        ----------
        attributes : dict
            The attributes of the output's kind.
        fill : callable
            Stores the datasets that are made of rows; it is called with a Writer.
        expected_bytes : int
            The approximate size of these datasets.
        shared : dict, optional
            Path -> array of all other datasets. They are the same in every shard.

        Returns
        -------
        str
            The content digest.
        """
        return self.finish(self.request.kind, attributes, fill, expected_bytes, shared)

    def publish_shard(
        self,
        attributes: dict[str, Any],
        streams: Sequence[Named],
        shared: Rows | None = None,
        unneeded: Sequence[str] = (),
    ) -> str:
        """Publish the streams of this run's shard, for `rsmi.stages.merge`.

        Parameters
        ----------
        attributes, shared
            As in `publish`.
        streams : sequence of Named
        unneeded : sequence of str
            The arrays of the states that are left out.

        Returns
        -------
        str
            The content digest.
        """

        def fill(writer: Writer) -> None:
            for stream in streams:
                store_stream(writer, stream.name, self.rows(stream), self.state(stream), unneeded)

        shard = self.options.shard
        if shard is None:
            raise ValueError("this run makes the whole result, no shard")
        base_bytes = 0 if self.base is None else self.base.path.stat().st_size
        return self.finish(
            f"{self.request.kind}-shard",
            attributes | self.shard_attributes,
            fill,
            self._parts.size + base_bytes,
            shared,
        )

    @property
    def shard_attributes(self) -> dict[str, Any]:
        """What the file of a shard says of the shard."""
        shard = self.options.shard
        return {} if shard is None else {"shard": shard.pair, "streams": self._stream_count}

    @property
    def stored_bytes(self) -> int:
        """The size of the rows and states that this run has made."""
        return self._parts.size

    def finish(
        self,
        kind: str,
        attributes: dict[str, Any],
        fill: Callable[[Writer], None],
        expected_bytes: int,
        shared: Rows | None = None,
    ) -> str:
        """Publish the output under a kind, and remove the unfinished work. The other parameters
        are as in `publish`."""
        digest = self.publish_beside(
            self.output, self.request, kind, attributes, fill, expected_bytes, shared
        )
        self._output.close()
        self._parts.remove()
        return digest

    def publish_beside(
        self,
        output: Path,
        request: Request,
        kind: str,
        attributes: dict[str, Any],
        fill: Callable[[Writer], None],
        expected_bytes: int,
        shared: Rows | None = None,
    ) -> str:
        """Assemble and publish one of several files that this run makes. The own output of the
        session must be the last one: it tells that the run is complete.

        Parameters
        ----------
        output : Path
            In the folder of the own output.
        request : Request
            What defines the file.
        kind : str
            The kind of the file.
        attributes, fill, expected_bytes, shared
            As in `publish`.

        Returns
        -------
        str
            The content digest.
        """
        self._parts.check_lock()
        with self.options.stop.shielded(), self._work_kept():
            return publish_result(
                output,
                self._parts.folder,
                request,
                kind,
                attributes,
                fill,
                expected_bytes,
                shared or {},
            )

    def discard(self) -> None:
        """Drop all work, because the request turned out to be impossible."""
        self._parts.remove()


def _last_state(parts: PartsFolder, task: str) -> State:
    return parts.parts(task)[-1].state()
