"""A campaign against every command that writes a file: killed at any moment, without disk,
permission, input or folder, and in pairs.

Nothing is lost, nothing half-written has the final name, and the same command ends with the digest
of the undisturbed run. Commands run in forked processes, so that the moments fall into their work
and not into the start of Python.
"""

import contextlib
import ctypes
import functools
import hashlib
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import FINE, PIPELINE, SAMPLE, by_default

from rsmi.cli.application import COMMANDS, application, run
from rsmi.engine import session
from rsmi.engine.stop import Stop
from rsmi.stages.training import measures
from rsmi.store import open_file

KILLS = 320  # of the whole campaign, at least

# What the pipeline does not have: other samplers, objectives and steps, figures; output -> command
# line.
MORE = {
    "strip.h5": (
        "sample --size 16x128 --temperature 1.3Tc --algorithm heat-bath --thermalization 4"
        " --interval 2 --samples 100"
    ),
    "wolff.h5": "sample --size 8 --temperature Tc --algorithm wolff --samples 80",
    "chain.h5": (
        "sample --dimension 1 --size 64 --temperature 1 --thermalization 4 --interval 2"
        " --samples 100"
    ),
    "columns.h5": (
        "sample --model dimers --size 8 --temperature 0.65 --thermalization 4 --interval 2"
        " --samples 200"
    ),
    "decoder.h5": "train-lambda samples.h5 --block 2x2 --windows 2000 --restarts 2",
    "gaussian.h5": (
        "train-lambda samples.h5 --block 2x2 --estimator gaussian --windows 2000 --restarts 1"
    ),
    "mcmc.h5": (
        "train-lambda samples.h5 --theta theta.h5 --estimator mcmc --windows 2000 --restarts 1"
    ),
    "logsum.h5": (
        "train-lambda samples.h5 --theta theta.h5 --objective logsum --windows 2000 --restarts 1"
    ),
    "enumerate.h5": (
        "train-lambda samples.h5 --theta theta.h5 --objective enumerate --windows 2000 --restarts 1"
    ),
    "explanation.h5": (
        "train-lambda samples.h5 --block 2x2 --objective total-correlation --windows 2000"
        " --restarts 2"
    ),
    "likelihood.h5": (
        "train-lambda samples.h5 --block 2x2 --objective likelihood --windows 2000 --restarts 2"
    ),
    "twice.h5": "coarse-grain samples.h5 --rule majority --steps 2",
    "learned-flow.h5": "flow samples.h5 --rule lambda.h5 --steps 2",
    "in-flight.h5": (
        "flow --model ising --size 8 --temperature Tc --samples 2048 --rule majority --hard"
        " --steps 2"
    ),
    "grown.h5": f"{SAMPLE} --samples 120",
    "replaced.h5": "coarse-grain samples.h5 --rule decimation --force",
    "figure.png": "plot samples.h5 other.h5",
    "page.html": "report samples.h5 exponent.h5",
    "few.h5": "coarse-grain other.h5 --rule majority",
}
# What is there before, under the name of the output.
BEFORE = {
    "grown.h5": f"{SAMPLE} --samples 27",
    "replaced.h5": "coarse-grain samples.h5 --rule majority",
}
LINES = PIPELINE | MORE
DRAWN = ("figure.png", "page.html")  # made by one rename, without unfinished work
QUICK = ("decoder.h5", "grown.h5")
EVERY = by_default(("few.h5", "exponent.h5"), LINES)


@dataclass
class Case:
    """A command in a folder of its own, and what it makes when it is left in peace."""

    name: str
    folder: Path
    expected: str  # digest of the output
    before: str | None  # of what it replaces
    present: set[str]  # names in the folder

    @property
    def output(self) -> Path:
        return self.folder / self.name

    @property
    def arguments(self) -> list[str]:
        return [*LINES[self.name].split(), "-o", self.name]

    def start(self, fine: bool = False, prepare=None) -> int:
        """Begin the command in a forked process; ``fine``: every row is a part of its own."""
        child = os.fork()
        if child:
            return child
        code = 99
        try:
            os.chdir(self.folder)
            with open(self.folder.parent / f"messages-{os.getpid()}", "w", buffering=1) as messages:
                sys.stdin, sys.stdout, sys.stderr = open(os.devnull), messages, messages
                if fine:
                    session.LIMITS = FINE
                if prepare:
                    prepare()
                code = run(self.arguments, Stop())
        finally:
            os._exit(code)

    def messages(self, child: int) -> str:
        return (self.folder.parent / f"messages-{child}").read_text()

    def fail(self, prepare, fine: bool = True) -> str:
        """Run the command to an end that is no success; what it said last."""
        child = self.start(fine, prepare)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said = self.messages(child)
        assert code == 1 and "a defect in rsmi" not in said and "Traceback" not in said, (
            code,
            said,
        )
        self.check_name()
        return said.strip().splitlines()[-1]

    def check_name(self) -> None:
        """Under the final name is what was there before, or the complete result."""
        allowed = {self.before, self.expected}
        assert (digest_of(self.output) if self.output.exists() else None) in allowed

    def finish(self) -> None:
        """Give the command again: it ends as if nothing had been."""
        child = self.start()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code == 0, self.messages(child)
        self.check_complete()

    def check_complete(self) -> None:
        left = {entry.name for entry in self.folder.iterdir()}
        assert digest_of(self.output) == self.expected
        assert {name for name in left if not name.startswith(".")} == self.present | {self.name}

    def parts(self) -> set[str]:
        with contextlib.suppress(FileNotFoundError):
            return {
                entry.name
                for entry in Path(f"{self.output}.parts").iterdir()
                if entry.suffix == ".h5"
            }
        return set()

    def reset(self) -> None:
        shutil.rmtree(f"{self.output}.parts", ignore_errors=True)
        self.output.unlink(missing_ok=True)
        if self.before:
            shutil.copy(self.folder.parent / "before", self.output)


def digest_of(path: Path) -> str:
    """Digest of a file that holds what it says; of a figure, of its bytes."""
    if path.suffix != ".h5":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    with open_file(path) as file:
        file.verify()
        return file.digest


@pytest.fixture
def case(tmp_path, pipeline):
    """A case by its name; the undisturbed run first."""

    def make(name: str) -> Case:
        folder = tmp_path / name.split(".")[0]
        folder.mkdir()
        for word in f"{LINES[name]} {BEFORE.get(name, '')}".split():
            if (pipeline / word).is_file():
                shutil.copy(pipeline / word, folder)
        one = Case(name, folder, "", None, {entry.name for entry in folder.iterdir()})
        with contextlib.chdir(folder):
            if name in BEFORE:
                assert run([*BEFORE[name].split(), "-q", "-o", "../before"], Stop()) == 0
                one.before = stored_digest(tmp_path / "before")
        one.reset()
        os.waitpid(one.start(), 0)
        one.expected = digest_of(one.output)
        one.check_complete()
        if name in PIPELINE:
            assert one.expected == digest_of(pipeline / name)
        return one

    return make


def stored_digest(path: Path) -> str:
    with open_file(path) as file:
        return file.digest


def test_every_command_that_writes_is_in_the_table():
    """A new command cannot be forgotten here. What 'rsmi scan' writes is what the commands write
    that it runs (tests/commands/test_scan.py)."""
    writing = {
        name
        for name in COMMANDS
        if any(option.name == "output" for option in application.get_command(None, name).params)
    }
    assert {line.split()[0] for line in LINES.values()} == writing - {"scan"}


# ---- killed --------------------------------------------------------------------------------------


def seconds(one: Case, fine: bool) -> float:
    """How long the command takes in peace, to choose moments from."""
    one.reset()
    began = time.monotonic()
    os.waitpid(one.start(fine), 0)
    return time.monotonic() - began


def wait(child: int, most: float) -> float:
    """Sleep until a process ends, or so many seconds; how long it was."""
    began = time.monotonic()
    while (
        time.monotonic() - began < most
        and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    ):
        time.sleep(0.001)
    return time.monotonic() - began


def covers(name: str):
    """Whether another part holds what this one held: itself, or of a task without rows a later
    state."""
    task, start, stop = of_part(name)

    def does(other: str) -> bool:
        other_task, first, last = of_part(other)
        return other_task == task and first <= start and stop <= last

    return does


def of_part(name: str) -> tuple[str, int, int]:
    """Task and rows of a part: TASK.START-STOP.TOKEN.h5."""
    task, rows, _ = name.removesuffix(".h5").rsplit(".", 2)
    return task, *map(int, rows.split("-"))


def campaign(one: Case, wanted: int, chance: random.Random) -> tuple[int, int]:
    """Kill the command ``wanted`` times, one to three times before it may finish. (kills, of which
    it had parts to lose)."""
    struck = working = attempts = 0
    length = {fine: seconds(one, fine) for fine in (False, True)}
    while struck < wanted and attempts < 20 * wanted:
        one.reset()
        fine = chance.random() < 0.7
        for _ in range(chance.randint(1, 3)):
            attempts += 1
            kept, child = one.parts(), one.start(fine)
            lasted = wait(child, chance.uniform(0, length[fine]))
            os.kill(child, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if code == 0 and not kept:  # the machine was busier when it was measured
                length[fine] = lasted
            assert code in (0, -signal.SIGKILL), one.messages(child)
            one.check_name()
            assert (
                one.output.exists()
                and digest_of(one.output) == one.expected
                or all(any(map(covers(name), one.parts())) for name in kept)
            ), "work was lost"
            struck += code != 0
            working += code != 0 and bool(one.parts())
        one.finish()
    return struck, working


@pytest.mark.parametrize("name", QUICK)
def test_killed_at_a_random_moment(name, case, monkeypatch):
    """One kill each of two commands. The campaign below has hundreds, and test_runner.py kills
    every command once, at a moment that is chosen. The decoders that measure a rule are fitted in
    fewer steps, in all processes of the test."""
    short = functools.partial(measures.fit_decoder, steps=100)
    monkeypatch.setattr(measures, "fit_decoder", short)
    assert campaign(case(name), 1, random.Random(name))[0] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", LINES)
def test_campaign(name, case):
    """More than 300 kills over all commands."""
    wanted = -(-KILLS // len(LINES))
    struck, working = campaign(case(name), wanted, random.Random(f"campaign {name}"))
    print(f"{name:20} {struck} kills, {working} with parts on the disk")
    assert struck >= wanted


# ---- no disk, no permission ----------------------------------------------------------------------


def limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("name", EVERY)
def test_files_cannot_grow(name, case):
    """The limit of file sizes stands for a full disk: it needs no privilege."""
    one = case(name)
    final = one.output.stat().st_size
    for share in (0.02, 0.5, 0.95):
        one.reset()
        said = one.fail(
            lambda: limit_files(max(1000, int(share * final))), fine=share < 0.9
        )  # what it says is a file too
        assert said.startswith(f"rsmi: {name}: ")
        assert "file size limit reached" in said or "cannot be written (File too large)" in said
    one.finish()


def mounted(folder: Path, size: int) -> bool:
    """A disk of its own for the folder, if this user may."""
    return (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True
        ).returncode
        == 0
    )


@pytest.mark.parametrize("name", EVERY)
def test_disk_full(name, case):
    """A real disk that fills up, where this user may mount one; elsewhere files that cannot grow,
    once more."""
    one = case(name)
    final, kept = one.output.stat().st_size, one.folder.with_name("kept")
    one.reset()
    shutil.copytree(one.folder, kept)
    room = sum(-(-entry.stat().st_size // 4096) * 4096 for entry in kept.iterdir())
    room += 6 * 4096 if name.endswith(".h5") else 0  # folders, lock, job.json
    if mounted(one.folder, room + final // 2):
        try:
            shutil.copytree(kept, one.folder, dirs_exist_ok=True)
            said = one.fail(None, fine=False)
            assert "disk full" in said
            assert "make room" in said
            subprocess.run(["mount", "-o", "remount,size=64m", one.folder], check=True)
            one.finish()
        finally:
            subprocess.run(["umount", "-l", one.folder], check=True)
    else:
        one.fail(lambda: limit_files(final // 2), fine=False)
        one.finish()


def drop_privileges() -> None:
    """Permissions do not bind root: give up all capabilities, and be a user like any other
    (capset(2), _LINUX_CAPABILITY_VERSION_3)."""
    if os.geteuid() == 0:
        header, nothing = struct.pack("Ii", 0x20080522, 0), bytes(24)
        assert ctypes.CDLL(None).capset(header, nothing) == 0


@pytest.mark.parametrize("name", EVERY)
def test_read_only_folder(name, case):
    one = case(name)
    one.reset()
    names = set(os.listdir(one.folder))
    one.folder.chmod(0o555)
    try:
        said = one.fail(drop_privileges)
        assert said == f"rsmi: {name}: cannot be written (Permission denied)"
        assert set(os.listdir(one.folder)) == names
    finally:
        one.folder.chmod(0o755)
    one.finish()


# ---- removed under way ---------------------------------------------------------------------------


def before_rename(number: int, event) -> None:
    """Have something happen just before the command's rename of that number, in its only thread:
    nothing is written meanwhile."""
    os.environ |= {f"RSMI_{name.upper().replace('-', '_')}_THREADS": "1" for name in COMMANDS}
    replace, renames = os.replace, []

    def counting(*names, **folders):
        renames.append(names)
        if len(renames) == number:
            event()
        replace(*names, **folders)

    os.replace = counting


@pytest.mark.parametrize("name", [case for case in EVERY if case.values[0] not in DRAWN])
def test_parts_removed_under_way(name, case):
    """By somebody who tidied up: one sentence, and the command can be given again."""
    one = case(name)
    for number in (1, 2, 9):
        one.reset()
        child = one.start(
            True, lambda: before_rename(number, lambda: shutil.rmtree(f"{name}.parts"))
        )
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code == 0:  # fewer renames than that
            assert number == 9
            continue
        said = one.messages(child).strip().splitlines()[-1]
        assert (
            code == 1
            and "the folder was removed while its output was being made" in said
            or code == 65
            and "are missing" in said
        ), said
        one.check_name()
        shutil.rmtree(
            f"{name}.parts", ignore_errors=True
        )  # another thread may have written while it was being removed
        one.finish()


@pytest.mark.parametrize("name", EVERY)
def test_input_removed_under_way(name, case):
    """What is open stays readable: the result is whole, or nothing but a sentence."""
    one = case(name)
    one.reset()
    inputs = [word for word in LINES[name].split() if word in one.present]
    child = one.start(True, lambda: before_rename(1, lambda: [os.unlink(word) for word in inputs]))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == 0, one.messages(child)
    assert digest_of(one.output) == one.expected


@pytest.mark.parametrize("name", EVERY)
def test_folder_of_the_output_removed(name, case):
    """With everything in it."""
    one = case(name)
    for number in (1, 2):
        one.reset()
        kept = shutil.copytree(one.folder, one.folder.with_name(f"kept-{number}"))
        child = one.start(True, lambda: before_rename(number, lambda: shutil.rmtree(one.folder)))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said = one.messages(child).strip().splitlines()[-1]
        for left in one.folder.glob(
            "*.parts"
        ):  # another thread may have written while it was being removed
            shutil.rmtree(left, ignore_errors=True)
        shutil.copytree(kept, one.folder, dirs_exist_ok=True)
        if code == 0:  # a single rename, and before it the folder went
            assert number == 2
            assert name in DRAWN
        else:
            assert code == 1 and "a defect in rsmi" not in said, said
        one.finish()


# ---- two writers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["few.h5", "exponent.h5"])
def test_two_writers(name, case):
    """One makes the file; the other is told so, or finds it complete. Twice by default, and four
    times over all commands by `-m slow`."""
    check_two_writers(case(name), 2, random.Random(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", LINES)
def test_two_writers_four_times(name, case):
    check_two_writers(case(name), 4, random.Random(f"four times {name}"))


def check_two_writers(one, times, chance):
    """Start the command twice, so many times; the second one begins at a random moment."""
    length = seconds(one, True)
    for _ in range(times):
        one.reset()
        first = one.start(True)
        time.sleep(chance.uniform(0, length))
        second = one.start(True)
        codes = {
            child: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in (first, second)
        }
        assert 0 in codes.values()
        assert set(codes.values()) <= {0, 73}
        for child, code in codes.items():
            assert (
                code == 0
                or f"{one.name}: process " in one.messages(child)
                and "is writing it; wait for it to end" in one.messages(child)
            )
        one.check_complete()
