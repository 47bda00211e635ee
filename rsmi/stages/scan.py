"""``rsmi scan``: rules for every combination of temperatures, sizes, blocks, buffers, environments
and numbers of units, as a plan of ordinary commands that write into one folder."""

from __future__ import annotations

import logging
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from rsmi.engine.shards import Shard
from rsmi.engine.stop import Stop
from rsmi.errors import Failure, Interrupted, RsmiError

log = logging.getLogger("rsmi")

_PATIENCE = 0.2  # seconds between two looks at a request to stop
_CHECKPOINT = 60.0  # seconds in which a command that is stopped must end
_INTERRUPTED = 75  # the exit code of a command that can be resumed


@dataclass(frozen=True)
class Command:
    """A command of ``rsmi``: its words without the program, and the file that it makes."""

    words: tuple[str, ...]
    output: Path

    @property
    def line(self) -> str:
        """The command as people type it."""
        return shlex.join(["rsmi", *self.words])


class CommandFailed(RsmiError):
    """A command of the plan failed; the exit code is its own."""

    def __init__(self, command: Command, exit_code: int, reason: str) -> None:
        super().__init__(f"{command.line}: exit code {exit_code}: {reason}")
        self.exit_code = exit_code


@dataclass(frozen=True)
class Branch:
    """Samples and the rules that are learned on them; ``sample`` is None for samples that exist."""

    sample: Command | None
    rules: tuple[Command, ...]

    @property
    def commands(self) -> tuple[Command, ...]:
        """All commands in the order in which they can run."""
        return (() if self.sample is None else (self.sample,)) + self.rules


def sampled(
    folder: Path, points: Sequence[tuple[str, str]], sizes: Sequence[str], words: Sequence[str]
) -> Iterator[Command]:
    """The commands that sample every state point on every lattice.

    Parameters
    ----------
    folder : Path
    points : sequence of (str, str)
        An option and its value, such as ``("temperature", "2.3")``; for a model without a
        temperature one pair of empty texts.
    sizes : sequence of str
    words : sequence of str
        The other words of each command.
    """
    for (option, value), size in product(points, sizes):
        name = f"samples-{f'{option[0].upper()}{value}-' if option else ''}L{size}.h5"
        state = [f"--{option}", value] if option else []
        output = folder / name
        line = ["sample", *words, *state, "--size", size, "-o", str(output)]
        yield Command(tuple(line), output)


def branch(
    folder: Path,
    samples: Command | Path,
    windows: Mapping[str, Sequence[str]],
    words: Sequence[str],
    canonical: bool,
) -> Branch:
    """The samples, and a rule for every combination of the values of ``windows``, which has the
    options ``block``, ``buffer``, ``environment`` and ``hidden``; with ``canonical`` also the
    canonical correlations, with the largest number of units."""
    source = samples.output if isinstance(samples, Command) else samples
    point = source.stem.removeprefix("samples-")
    rules = []
    for values in product(*windows.values()):
        chosen = dict(zip(windows, values))
        kinds: list[tuple[str, list[str]]] = [("lambda", [])]
        if canonical and chosen["hidden"] == windows["hidden"][-1]:
            kinds.append(("canonical", ["--canonical"]))
        for kind, more in kinds:
            window = "-".join(f"{name}{Path(value).stem}" for name, value in chosen.items())
            output = folder / f"{kind}-{point}-{window}.h5"
            options = [word for name, value in chosen.items() for word in (f"--{name}", value)]
            line = ["train-lambda", str(source), *options, *words, *more, "-o", str(output)]
            rules.append(Command(tuple(line), output))
    return Branch(samples if isinstance(samples, Command) else None, tuple(rules))


def of_shard(branches: Sequence[Branch], shard: Shard | None) -> list[Branch]:
    """The branches of one job: all of them, or those of its number."""
    if shard is None:
        return list(branches)
    return [one for i, one in enumerate(branches) if i % shard.count == shard.number]


# ---- the run -------------------------------------------------------------------------------------


def run(branches: Sequence[Branch], jobs: int, threads: int, force: bool, stop: Stop) -> None:
    """Run all commands, ``jobs`` at a time, each with its share of the ``threads``. What is
    complete is left as it is.

    Raises
    ------
    Interrupted
        On a request to stop. The commands that ran have written their checkpoints.
    CommandFailed
        If a command failed. The others that ran at that time are completed first.
    """
    total = sum(len(one.commands) for one in branches)
    more = ["--threads", str(max(1, threads // jobs)), *(["--force"] if force else [])]
    done, failed = 0, None
    with stop.shielded(), ThreadPoolExecutor(jobs) as pool:
        waiting = [command for one in branches for command in one.commands[:1]]
        after = {one.sample: one.rules for one in branches if one.sample is not None}
        waiting += [rule for one in branches if one.sample is None for rule in one.rules[1:]]
        running: dict[Future[CommandFailed | None], Command] = {}
        while (waiting and not failed and not stop.requested) or running:
            while waiting and len(running) < jobs and not failed and not stop.requested:
                command = waiting.pop(0)
                running[pool.submit(_run, command, more, stop)] = command
            ended, _ = wait(running, timeout=_PATIENCE, return_when=FIRST_COMPLETED)
            for future in ended:
                command, problem = running.pop(future), future.result()
                failed = failed or problem
                if problem is None and not stop.requested:
                    done += 1
                    log.info("%d of %d: %s", done, total, command.output)
                    waiting[:0] = after.get(command, ())
    if stop.requested:
        raise Interrupted(f"{stop.reason}; run the same command again to continue")
    if failed is not None:
        raise failed


def _run(command: Command, more: Sequence[str], stop: Stop) -> CommandFailed | None:
    """Run a command in a process of its own; why it failed, or None."""
    program = [sys.executable, "-P", "-m", "rsmi", *command.words, *more]
    process = subprocess.Popen(
        program,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C reaches it once, through us
    )
    told_at = None
    while True:
        try:
            _, remarks = process.communicate(timeout=_PATIENCE)
            break
        except subprocess.TimeoutExpired:
            if stop.requested and told_at is None:
                process.terminate()
                told_at = time.monotonic()
            elif told_at is not None and time.monotonic() - told_at > _CHECKPOINT:
                process.kill()
    lines = [line.removeprefix("rsmi: ") for line in remarks.splitlines()]
    if process.returncode in (0, _INTERRUPTED):
        for line in lines:
            log.info("%s: %s", command.output.name, line)
        return None
    code = process.returncode if process.returncode > 0 else Failure.exit_code  # after a signal
    return CommandFailed(command, code, lines[-1] if lines else "no reason is known")
