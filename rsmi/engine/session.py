"""The resumable run that every stage shares.

A stage is a set of tasks; a task is a generator of rows with an explicit state. The runner advances
tasks (one thread each), commits rows and state together in part files, stops between rows when
asked to, and publishes the assembled file under its final name. How rows are grouped into parts
never influences a result.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from rsmi.engine.facts import run_facts
from rsmi.engine.progress import Progress
from rsmi.engine.remote import Workers, drive_all
from rsmi.engine.request import Request, RunOptions
from rsmi.engine.shards import RowReader, Stored, store_rows
from rsmi.engine.tasks import Limits, Named, Rows, State, Task, drive
from rsmi.errors import Conflict, DataError, Failure, Interrupted, RsmiError, UsageError
from rsmi.store import File, PartsFolder, Writer, disk_errors, open_file, parameters_digest, publish

log = logging.getLogger("rsmi")

_CHECKPOINT_SECONDS = 5.0
_CHECKPOINT_BYTES = 1 << 25  # held for every thread, three times while a part is written
_QUANTUM_SECONDS = 0.25


class Session:
    """One run of one request towards one output; use as a context manager.

    Raises
    ------
    Conflict
        If the output, or its unfinished parts, belong to another request (and ``force`` is off), or
        another process writes it.
    Failure
        If the folder is missing, or something that is no file has the output's name.
    UsageError
        If the output is "-" or one of the inputs.
    """

    def __init__(self, output: Path, request: Request, options: RunOptions):
        self.output = Path(output)
        self.request = request
        self.options = options
        self._streams = 0
        self.base: File | None = None  # the shorter file this run extends
        self.complete = False
        self._workers: Workers | None = None
        self._parts = PartsFolder(self.output)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Session:
        self._check_output()
        try:
            self._look_at_output()
            if not self.complete:
                self._parts.acquire()
                self._look_at_output()  # again: whoever held the lock before us may have published
            if self.complete:
                self._touch()
            else:
                self._check_base()
                self._take_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self._parts.release()
        self._stack.close()

    # ---- what is there already

    def _check_output(self) -> None:
        output, folder = self.output, self.output.parent
        if str(output) == "-":
            raise UsageError(
                "-o -: a result is a file that appears when it is complete: give it a name (its"
                " path goes to stdout)"
            )
        with disk_errors(output):
            if not folder.is_dir():
                raise Failure(f"{output}: the folder {folder} does not exist: create it first")
            if output.exists() and not output.is_file():
                raise Failure(
                    f"{output}: is {'a folder' if output.is_dir() else 'no regular file'}: choose"
                    " another output"
                )
            if output.exists() and any(output.samefile(file.path) for file in self.request.inputs):
                raise UsageError(f"{output}: is an input of this command: choose another output")

    def _look_at_output(self) -> None:
        if not self.output.exists():
            return
        try:
            existing = self._stack.enter_context(open_file(self.output))
        except RsmiError as error:
            if self.options.force:
                return
            raise Conflict(
                f"{self.output}: exists and is not a file this command could have written"
                f" ({error}): use --force to replace it"
            ) from error
        self._take_as_begun(existing.attributes)
        difference = self._difference(existing.attributes)
        if difference is None:
            self.complete = True
        elif difference == "longer":
            self.base = existing
        elif not self.options.force:
            raise Conflict(
                f"{self.output}: exists with {difference}: use --force to replace it, or choose"
                " another output"
            )

    def _check_base(self) -> None:
        """The file that is extended becomes part of the new one: what it holds must be what was
        written."""
        try:
            if self.base is not None:
                self.base.verify()
        except DataError as error:
            if not self.options.force:
                raise DataError(
                    f"{error}: it cannot be extended: use --force to start again"
                ) from error
            self.base = None

    def _touch(self) -> None:
        with contextlib.suppress(OSError):  # a read-only folder: the result stands all the same
            os.utime(self.output)
        with contextlib.suppress(RsmiError, OSError):
            if (
                self._parts.path.exists()
            ):  # killed between publishing and tidying up, or parts of a longer run
                self._parts.acquire()
                job = self._parts.job()
                if job is None or self._difference(job) is None:
                    self._parts.remove()
                self._parts.release()

    def _take_as_begun(self, other: dict) -> None:
        """Let the request be what an earlier version made of the same command, if that is what is
        there."""
        former = replace(
            self.request, parameters=self.request.parameters | self.request.formerly, formerly={}
        )
        if (
            former != self.request
            and self._difference(other) is not None
            and self._difference(other, former) in (None, "longer")
        ):
            self.request = former

    def _difference(self, other: dict, request: Request | None = None) -> str | None:
        """None if the request is the same, "longer" if it only extends, else what differs."""
        request = request or self.request
        if other["command"] != request.command:
            return f"the result of 'rsmi {other['command']}'"
        if tuple(other.get("shard", ())) != self._shard:
            return f"{_shard_text(other.get('shard'))}, not {_shard_text(self._shard)}"
        if other["inputs"] != request.input_digests:
            return "results from another input"
        mine, theirs = request.parameters, other["parameters"]
        names = [
            name
            for name in sorted(mine.keys() | theirs.keys())
            if mine.get(name) != theirs.get(name)
        ]
        if not names:
            return None
        if names == [request.grows] and isinstance(theirs.get(request.grows), int):
            wanted, present = mine[request.grows], theirs[request.grows]
            return (
                "longer"
                if wanted > present
                else f"more {request.grows} ({present}, asked for {wanted})"
            )
        return "other parameters: " + ", ".join(
            f"{name} = {theirs.get(name)} there, {mine.get(name)} asked for" for name in names
        )

    @property
    def _shard(self) -> tuple[int, ...]:
        shard = self.options.shard
        return () if shard is None else (shard.number, shard.count)

    def _take_up(self) -> None:
        """Resume the parts that are there, or begin."""
        parts = self._parts
        parts.sweep()
        present = self._present_job()
        if present is not None:
            self._take_as_begun(present)
        job = {
            "command": self.request.command,
            "parameters": self.request.parameters,
            "inputs": self.request.input_digests,
        }
        job |= {"shard": self._shard} if self._shard else {}
        if present is None:
            parts.clear()  # nothing done yet, or what is left of work that was being dropped
        else:
            difference = self._difference(present)
            if difference not in (None, "longer"):
                if not self.options.force:
                    raise Conflict(
                        f"{parts.path}: unfinished work with {difference}: use --force to drop it,"
                        " or choose another output"
                    )
                parts.clear()
            else:
                log.info("resuming %s", self.output)
        parts.set_job(job)

    def _present_job(self) -> dict | None:
        if self._parts.empty:
            return None
        try:
            return self._parts.job()
        except DataError:
            if not self.options.force:
                raise
            return None

    # ---- work

    def share(self, streams: list) -> list:
        """Of all streams of the request, those that this run makes: all, or its shard's."""
        self._streams = len(streams)
        try:
            return streams if self.options.shard is None else self.options.shard.share(streams)
        except UsageError:
            self.discard()
            raise

    def once(self, name: str, compute: Callable[[], State]) -> State:
        """A small intermediate result: computed once, kept with the parts."""
        present = self._parts.parts(name)
        if present:
            return present[-1].state()
        state = compute()
        self._parts.commit(name, 0, 1, {}, state)
        return state

    def run(self, tasks: list[Task], description: str, unit: str = "row", flips: int = 0) -> None:
        """Advance all tasks to their end; where a row is so many ``flips`` of spins, the progress
        says how fast they are.

        Raises
        ------
        Interrupted
            When asked to stop; everything done is committed.
        """
        limits = Limits(_CHECKPOINT_SECONDS, _CHECKPOINT_BYTES, _QUANTUM_SECONDS)
        with (
            self.options.stop.shielded(),
            self._progress(tasks, description, unit, flips) as progress,
        ):
            if self.options.workers is None or all(map(self._finished, tasks)):
                self._drive_here(tasks, limits, progress)
            else:
                drive_all(
                    self._others(),
                    self._parts,
                    tasks,
                    limits,
                    lambda: self.options.stop.requested,
                    None if progress.disable else progress.update,
                )
        if self.options.stop.requested and any(self._done(task) < task.total for task in tasks):
            raise Interrupted(
                f"{self.output}: {self.options.stop.reason}; the checkpoint is written: run the"
                " same command again to continue"
            )

    def _progress(self, tasks: list[Task], description: str, unit: str, flips: int) -> Progress:
        total, done = sum(task.total for task in tasks), sum(self._done(task) for task in tasks)
        return Progress(
            flips,
            total=total,
            initial=done,
            desc=description,
            unit=unit,
            disable=True if self.options.quiet else None,
            leave=False,
        )

    def _done(self, task: Task) -> int:
        parts = self._parts.parts(task.name)
        return parts[-1].stop if parts else 0

    def _finished(self, task: Task) -> bool:
        return bool(self._parts.parts(task.name)) and self._done(task) >= task.total

    def _drive_here(self, tasks: list[Task], limits: Limits, progress: tqdm) -> None:
        """One thread a task, so many at a time."""
        failed = False

        def halted() -> bool:
            return failed or self.options.stop.requested

        def drive_or_fail(task: Task) -> None:
            nonlocal failed
            try:
                drive(self._parts, task, limits, halted, progress.update)
            except BaseException:
                failed = True  # the other threads commit what they have and return
                raise

        with ThreadPoolExecutor(max_workers=max(1, min(self.options.threads, len(tasks)))) as pool:
            futures = [pool.submit(drive_or_fail, task) for task in tasks]
        for future in futures:
            future.result()

    def _others(self) -> Workers:
        """The processes that drive tasks, there until the session ends."""
        if self._workers is None:
            self._workers = self._stack.enter_context(self.options.workers())
        return self._workers

    # ---- results

    def state(self, task: Named) -> State:
        """The state of a finished task."""
        return _last_state(self._parts, task.name)

    def later_state(self, task: Named) -> Callable[[], State]:
        """What reads the state of a finished task, here or where a task that needs it is driven."""
        return functools.partial(_last_state, self._parts, task.name)

    def rows(self, task: Named) -> RowReader:
        """All rows of a finished task; of one that extends a whole file, those that the file has
        not."""
        extends = self.base is not None and f"/rows/{task.name}" in self.base
        return RowReader(
            [*([Stored(self.base, task.name)] if extends else []), *self._parts.parts(task.name)]
        )

    def publish(
        self,
        attributes: dict,
        fill: Callable[[Writer], None],
        expected_bytes: int,
        shared: Rows | None = None,
    ) -> str:
        """Assemble and publish the output; returns the digest.

        Parameters
        ----------
        attributes : dict
            Of the output's kind.
        fill : callable(Writer)
            Stores the datasets that are made of rows.
        expected_bytes : int
            What they take, about.
        shared : dict, optional
            Path -> array of the datasets that are not made of rows: the same in every shard.
        """
        return self._publish(self.request.kind, attributes, fill, expected_bytes, shared or {})

    def publish_shard(
        self,
        attributes: dict,
        streams: Sequence[Named],
        shared: Rows | None = None,
        unneeded: Sequence[str] = (),
    ) -> str:
        """Publish this run's share of the streams, for `rsmi.stages.merge`; ``attributes`` and
        ``shared`` as in :meth:`publish`; ``unneeded`` arrays of their states are left out."""

        def fill(writer: Writer) -> None:
            for stream in streams:
                store_rows(writer, stream.name, self.rows(stream))
                writer.state(
                    stream.name,
                    {
                        name: array
                        for name, array in self.state(stream).items()
                        if name not in unneeded
                    },
                )

        expected_bytes = self._parts.bytes + (
            self.base.path.stat().st_size if self.base is not None else 0
        )
        return self._publish(
            f"{self.request.kind}-shard",
            attributes | {"shard": self._shard, "streams": self._streams},
            fill,
            expected_bytes,
            shared or {},
        )

    def _publish(
        self,
        kind: str,
        attributes: dict,
        fill: Callable[[Writer], None],
        expected_bytes: int,
        shared: Rows,
    ) -> str:
        request = self.request
        header = {
            "command": request.command,
            "parameters": request.parameters,
            "parameters_digest": parameters_digest(
                request.command, request.parameters, request.input_digests
            ),
            "inputs": request.input_digests,
        }

        def everything(writer: Writer) -> None:
            for path, array in shared.items():
                writer.write(path, array)
            fill(writer)

        temporary, expected_bytes = (
            self._parts.path / "final.tmp",
            expected_bytes + sum(array.nbytes for array in shared.values()),
        )
        with self.options.stop.shielded():
            digest = publish(
                self.output,
                temporary,
                kind,
                header,
                attributes,
                request.ancestors(),
                run_facts(),
                everything,
                expected_bytes,
            )
        if self.base is not None:
            self._stack.close()
        self._parts.remove()
        return digest

    def discard(self) -> None:
        """Drop all work: what was found shows that the request cannot be met."""
        self._parts.remove()


def _last_state(parts: PartsFolder, task: str) -> State:
    return parts.parts(task)[-1].state()


def _shard_text(shard: Sequence[int] | None) -> str:
    return f"shard {'/'.join(map(str, shard))}" if shard else "the whole result"
