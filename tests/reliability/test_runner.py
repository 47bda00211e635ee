"""Stopping, resuming and extending: whatever happens on the way, the same command ends with the
same digest."""

import contextlib
import fcntl
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
from conftest import COMMANDS, PIPELINE, SAMPLE, arguments_for, digest, process

from rsmi.engine.stop import Stop, parse_duration
from rsmi.errors import Interrupted, UsageError
from rsmi.store import PartsFolder, open_file

LINES = pytest.mark.parametrize("output", COMMANDS.values(), ids=COMMANDS)

# Every row a part of its own, and a count of the renames that commit parts and results.
FINE_GRAINED = """
import os, signal
from rsmi.engine import session
from rsmi.engine.tasks import Limits
session.LIMITS = Limits(checkpoint_seconds=0.0, quantum_seconds=0.0)
replace, renames = os.replace, 0
def counting(*names, **folders):
    global renames
    renames += 1
    if renames == {at}:
        {event}
    replace(*names, **folders)
    if renames == {after}:
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = counting
"""


def fine_grained(at=0, event="pass", after=0) -> str:
    """Prelude: do something before rename number ``at``, die right after rename number
    ``after``. Each run of tasks renames a note of its own before its parts."""
    return FINE_GRAINED.format(at=at, event=event, after=after)


@pytest.fixture
def finish(here, pipeline):
    """Give a command again, check that it ends with the digest of the undisturbed run and leaves
    nothing else."""

    def call(output: str, *more) -> None:
        result = here(*arguments_for(output), *more)
        assert result.code == 0, result.err
        assert digest(output) == digest(pipeline / output)
        assert not Path(f"{output}.parts").exists()

    return call


def sample(samples: int, output="out.h5", *more) -> list[str]:
    return [*SAMPLE.split(), "--samples", str(samples), "-o", output, *map(str, more)]


def parts_of(output) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return sorted(
            entry.name for entry in Path(f"{output}.parts").iterdir() if entry.suffix == ".h5"
        )
    return []


# ---- killed --------------------------------------------------------------------------------------


@LINES
def test_killed_in_the_middle(output, inputs, cli, finish):
    """SIGKILL just before a commit: what was committed is taken up, the rest made again."""
    inputs(output)
    at = {"exponent.h5": 2, "merged.h5": 2, "samples.h5": 60}.get(output, 7)
    killed = cli(
        *arguments_for(output), prelude=fine_grained(at, "os.kill(os.getpid(), signal.SIGKILL)")
    )
    assert killed.code == -signal.SIGKILL
    assert not Path(output).exists()
    finish(output)


@pytest.mark.parametrize(
    "name", ["final.tmp", "chain-0002.000000000003-000000000004.h5.tmp", "job.json.tmp"]
)
def test_remains_of_a_killed_write_are_swept(name, workplace, finish, interrupt):
    interrupt(sample(400, "samples.h5"))
    (Path("samples.h5.parts") / name).write_bytes(b"half a file")
    finish("samples.h5")


def test_killed_between_publishing_and_tidying(inputs, cli, finish):
    """The file is complete although its parts are still there; the next run tidies up, or
    extends."""
    inputs("coarse.h5")
    assert (
        cli(*arguments_for("coarse.h5"), prelude=fine_grained(after=1 + 1 + 400 + 1)).code
        == -signal.SIGKILL
    )
    assert Path("coarse.h5").exists()
    assert parts_of("coarse.h5")
    finish("coarse.h5")


def test_killed_while_dropping_other_work(workplace, finish, interrupt):
    """--force --seed 9 is killed after it removed the old job's name but not its parts: these must
    not become its own."""
    interrupt(sample(400, "samples.h5", "--seed", 9))
    Path("samples.h5.parts/job.json").unlink()
    assert parts_of("samples.h5")
    finish("samples.h5")


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(20))
def test_killed_at_a_random_moment(attempt, inputs, finish):
    """Twenty SIGKILLs over all commands, wherever they hit; some die twice."""
    chance, output = random.Random(attempt), list(COMMANDS.values())[attempt % len(COMMANDS)]
    inputs(output)
    for _ in range(1 + attempt % 2):
        child = process(arguments_for(output), fine_grained())
        time.sleep(chance.uniform(0.2, 1.5))
        child.kill()
        child.communicate()
    finish(output)


# ---- asked to stop -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGINT"])
def test_signal(name, workplace, cli, finish):
    """The checkpoint is written, exit 75, one sentence; the same command finishes."""
    event = f"os.kill(os.getpid(), signal.{name})"
    result = cli(*arguments_for("samples.h5"), prelude=fine_grained(60, event))
    assert (result.code, result.out) == (75, "")
    assert (
        f"stopped by {name}; the checkpoint is written: run the same command again"
        in result.sentence
    )
    assert parts_of("samples.h5")
    assert not Path("samples.h5").exists()
    finish("samples.h5")


WHILE_IMPORTING = """
import os, signal, sys
class Finder:
    def find_spec(name, *_):
        if name == "click":
            os.kill(os.getpid(), signal.SIGTERM)
sys.meta_path.insert(0, Finder)
"""
IN_THE_PILOT = """
import os, signal
import rsmi.stages.chains as stage
stage.pilot = lambda _: os.kill(os.getpid(), signal.SIGUSR2)
"""


def test_signal_while_nothing_can_be_saved(workplace, cli):
    """While importing, and in the pilot: exit 75 at once, and nothing stays behind."""
    for prelude, name in ((WHILE_IMPORTING, "SIGTERM"), (IN_THE_PILOT, "SIGUSR2")):
        result = cli(
            "sample",
            "--size",
            8,
            "--temperature",
            "Tc",
            "--samples",
            8,
            "-o",
            "out.h5",
            prelude=prelude,
            fresh=True,
        )
        assert result.code == 75
        assert result.err == f"rsmi: stopped by {name}; run the same command again to continue\n"
        assert os.listdir() == []


@pytest.mark.parametrize("output", ["samples.h5", "theta.h5", "lambda.h5", "coarse.h5", "flow.h5"])
def test_time_limit(output, inputs, here, finish):
    """A deadline means: checkpoint and exit 75, never less work."""
    inputs(output)
    result = here(*arguments_for(output), "--time-limit", 0.001)
    assert result.code == 75
    assert "time limit reached; the checkpoint is written" in result.sentence
    assert not Path(output).exists()
    finish(output)


def test_end_of_the_job(workplace, here, monkeypatch, finish):
    """The scheduler's end time is a time limit, a minute early."""
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time()) + 30))
    result = here(*arguments_for("samples.h5"))
    assert result.code == 75
    assert "the job's end time is near" in result.sentence
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time()) + 10_000))
    finish("samples.h5")


def test_second_interrupt_ends_at_once():
    stop = Stop()
    before = signal.getsignal(signal.SIGINT)
    try:
        stop.install()
        with stop.shielded():
            os.kill(os.getpid(), signal.SIGINT)
            assert stop.requested
            assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_DFL)


def test_unshielded_signal_raises():
    stop = Stop()
    with pytest.raises(Interrupted, match="SIGTERM"):
        stop._handle(signal.SIGTERM, None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("1.5m", 90),
        ("2h", 7200),
        ("1d", 86400),
        ("1:30", 90),
        ("01:00:00", 3600),
        ("1-00:00:00", 86400),
    ],
)
def test_duration(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "soon", "nan", "inf", "1h30", "1:2"])
def test_bad_duration(text):
    with pytest.raises(UsageError, match="--time-limit"):
        parse_duration(text)


# ---- the same command again ----------------------------------------------------------------------


@LINES
def test_again(output, inputs, pipeline, here):
    """Says that it is complete, prints its result, touches it for make, changes nothing."""
    inputs(output)
    shutil.copy(pipeline / output, output)
    content = Path(output).read_bytes()
    os.utime(output, (1, 1))
    result = here(*arguments_for(output))
    assert (result.code, result.out, result.sentence) == (
        0,
        f"{output}\n",
        f"rsmi: {output} is complete already",
    )
    assert os.stat(output).st_mtime > 1
    assert Path(output).read_bytes() == content
    assert (
        here(*arguments_for(output), "--json").out
        == here(*arguments_for(output), "--json", "--force", "--threads", 3).out
    )
    assert digest(output) == digest(pipeline / output)


def test_again_where_nothing_can_be_written(workplace, pipeline, here, monkeypatch):
    """A complete file in a read-only folder is as good as any."""
    shutil.copy(pipeline / "samples.h5", workplace)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    for name in ("os.utime", "os.mkdir", "os.replace"):
        monkeypatch.setattr(name, refuse)
    assert here(*arguments_for("samples.h5")).code == 0


def test_other_parameters(workplace, pipeline, here):
    """Refused with what differs, until --force."""
    shutil.copy(pipeline / "samples.h5", workplace)
    for more, named in (
        (("--seed", 5), "seed = 0 there, 5 in this command"),
        (("--interval", "auto"), "interval = 2 there, auto in this command"),
    ):
        result = here(*arguments_for("samples.h5"), *more)
        assert result.code == 73
        assert named in result.sentence
        assert "--force" in result.sentence
    result = here(*arguments_for("samples.h5"), "--seed", 5, "--samples", 16)
    assert result.code == 73
    assert "samples = 400 there, 16 in this command; seed = 0 there, 5 in" in result.sentence
    assert here(*arguments_for("samples.h5"), "--seed", 5, "--force").code == 0
    assert digest("samples.h5") != digest(pipeline / "samples.h5")


def test_other_input_or_command(inputs, pipeline, here):
    inputs("coarse.h5")
    shutil.copy(pipeline / "other.h5", ".")
    assert here(*arguments_for("coarse.h5")).code == 0
    result = here("coarse-grain", "other.h5", "--rule", "lambda.h5", "-o", "coarse.h5")
    assert result.code == 73
    assert "results from another input" in result.sentence
    result = here("flow", "samples.h5", "--rule", "majority", "--steps", 1, "-o", "coarse.h5")
    assert result.code == 73
    assert "the result of 'rsmi coarse-grain'" in result.sentence


def test_output_that_is_not_ours(workplace, here):
    Path("out.h5").write_text("my notes")
    result = here(*sample(8))
    assert result.code == 73
    assert "exists and is not a file this command could have written" in result.sentence
    assert Path("out.h5").read_text() == "my notes"
    assert here(*sample(8), "--force").code == 0
    assert digest("out.h5")


def test_unfinished_work_with_other_parameters(workplace, here, finish, interrupt):
    """Refused like a finished file; --force drops it, but resumes what matches."""
    interrupt(sample(400, "samples.h5"))
    kept = parts_of("samples.h5")
    result = here(*sample(400, "samples.h5", "--seed", 3))
    assert result.code == 73
    assert "unfinished work with other parameters: seed = 0 there, 3 in this" in result.sentence
    assert parts_of("samples.h5") == kept
    result = interrupt(sample(400, "samples.h5", "--force"), 0)
    assert "resuming" in result.err
    assert set(kept) <= set(parts_of("samples.h5"))
    finish("samples.h5")
    interrupt(sample(400, "new.h5", "--seed", 3))
    assert here(*sample(400, "new.h5", "--force")).code == 0
    assert digest("new.h5") == digest("samples.h5")


def test_a_mistake_leaves_nothing_to_resume(inputs, here):
    """A refusal found only once work had begun must not block the corrected command."""
    inputs("theta.h5")
    wrong = here("train-theta", "samples.h5", "--block", "2x2", "--windows", 1100, "-o", "theta.h5")
    assert wrong.code == 2
    assert not Path("theta.h5.parts").exists()
    assert here(*arguments_for("theta.h5")).code == 0


@pytest.mark.parametrize("damage", ["{", "[]", '{"command": "sample"}'])
def test_damaged_job(damage, workplace, here, finish, interrupt):
    interrupt(sample(400, "samples.h5"))
    Path("samples.h5.parts/job.json").write_text(damage)
    result = here(*arguments_for("samples.h5"))
    assert result.code == 65
    assert "job.json is damaged: use --force to start again" in result.sentence
    finish("samples.h5", "--force")


def test_damaged_part(workplace, here, finish, interrupt):
    """65, and the advice that is given works."""
    interrupt(sample(400, "samples.h5"))
    last = Path("samples.h5.parts") / parts_of("samples.h5")[-1]
    last.write_bytes(last.read_bytes()[:700])
    result = here(*arguments_for("samples.h5"))
    assert result.code == 65
    assert (
        "damaged checkpoint: remove the folder samples.h5.parts to start again" in result.sentence
    )
    shutil.rmtree("samples.h5.parts")
    finish("samples.h5")


def test_work_of_an_old_version(workplace, here, finish, interrupt):
    """Work that version 0.3.0 has begun, without tokens, is refused and kept; --force and the
    advice that is given begin again."""
    for way in ("--force", "remove"):
        interrupt(sample(400, "samples.h5"))
        folder = Path("samples.h5.parts")
        job = json.loads((folder / "job.json").read_text())
        token = job.pop("token")
        (folder / "job.json").write_text(json.dumps(job))
        for name in parts_of("samples.h5"):
            (folder / name).rename(folder / name.replace(f".{token}", ""))
        kept = parts_of("samples.h5")
        result = here(*sample(400, "samples.h5"))
        assert result.code == 65
        assert "has begun this work, and this version cannot finish it" in result.sentence
        assert parts_of("samples.h5") == kept
        if way == "remove":
            shutil.rmtree(folder)
        finish("samples.h5", *([way] if way == "--force" else []))
        Path("samples.h5").unlink()


# ---- two writers ---------------------------------------------------------------------------------


@contextlib.contextmanager
def other_writer(output):
    """Another process that holds the lock of an output (a lock of this process would not hinder
    it)."""
    Path(f"{output}.parts").mkdir(exist_ok=True)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with open(f"{output}.parts/lock", "a") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            lock.write("process 42 on elsewhere (job 7)")
            lock.flush()
            os.write(writer, b"!")
            time.sleep(600)
    os.read(reader, 1)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_two_writers(workplace, pipeline, here, finish):
    with other_writer("samples.h5"):
        for more in ((), ("--force",)):
            result = here(*arguments_for("samples.h5"), *more)
            assert result.code == 73
            assert "samples.h5: process 42 on elsewhere (job 7) is writing it" in result.sentence
        shutil.copy(pipeline / "samples.h5", ".")
        assert here(*arguments_for("samples.h5")).code == 0  # complete, while another extends it
        Path("samples.h5").unlink()
    finish("samples.h5")  # the kernel released the lock of the killed process


def test_published_while_waiting_for_the_lock(workplace, pipeline, here, monkeypatch):
    """The output appears between the first look and the lock: complete, or refused, but never
    overwritten."""
    acquire = PartsFolder.acquire

    def late(folder):
        shutil.copy(pipeline / "samples.h5", folder.output)
        acquire(folder)

    monkeypatch.setattr(PartsFolder, "acquire", late)
    assert here(*sample(400, "other.h5", "--seed", 4)).code == 73
    assert "complete already" in here(*sample(400, "same.h5")).err
    assert digest("other.h5") == digest("same.h5") == digest(pipeline / "samples.h5")


def test_lock_of_a_removed_folder_does_not_count(tmp_path):
    """The holder before us removes the folder between our open and our lock: we must end with the
    lock of the new one."""
    folder, opened = PartsFolder(tmp_path / "out.h5"), []
    lockf = fcntl.lockf

    def late(lock, how):
        if not opened:
            shutil.rmtree(folder.path)
        opened.append(lock)
        lockf(lock, how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fcntl, "lockf", late)
        folder.acquire()
    assert len(opened) == 2
    assert os.path.samestat(os.fstat(opened[1].fileno()), os.stat(folder.path / "lock"))


# ---- extending -----------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [(80, 400), (5, 400), (3, 77, 399, 400), (397, 400)])
def test_growing_samples(steps, workplace, here, finish):
    """Any way to 400 samples is one file, also from counts that chains do not divide, and from
    fewer samples than chains."""
    for count in steps:
        result = here(*sample(count, "samples.h5"))
        assert result.code == 0, result.err
    finish("samples.h5")


def test_more_chains_than_samples(workplace, here):
    for count, output in ((3, "grown.h5"), (5, "grown.h5"), (13, "grown.h5"), (13, "once.h5")):
        assert here(*sample(count, output, "--chains", 11)).code == 0
    assert digest("grown.h5") == digest("once.h5")


def test_automatic_choices_do_not_depend_on_the_count(workplace, here):
    """The pilot decides, on a stream of its own; an extension takes over what it decided."""
    line = "sample --size 4 --temperature Tc --algorithm wolff"
    for count, output in ((9, "grown.h5"), (33, "grown.h5"), (33, "once.h5")):
        assert here(*line.split(), "--samples", count, "-o", output).code == 0
    assert digest("grown.h5") == digest("once.h5")


def test_fewer_samples(workplace, pipeline, here):
    shutil.copy(pipeline / "samples.h5", workplace)
    result = here(*sample(399, "samples.h5"))
    assert result.code == 73
    assert "exists with more samples (samples = 400 there, 399 in this command)" in result.sentence


def test_interrupted_extension(workplace, pipeline, here, finish, interrupt):
    """The shorter file stays until the longer one is complete; asking for it again does not cost
    the work done."""
    assert here(*sample(43, "samples.h5")).code == 0
    short = digest("samples.h5")
    interrupt(sample(200, "samples.h5"))
    assert digest("samples.h5") == short
    kept = parts_of("samples.h5")
    assert "complete already" in here(*sample(43, "samples.h5")).err
    assert parts_of("samples.h5") == kept
    assert here(*sample(100, "samples.h5")).code == 73  # less than is being made
    interrupt(sample(300, "samples.h5"))
    assert set(kept) < set(parts_of("samples.h5"))
    finish("samples.h5")


def test_chains_without_new_rows_in_an_interrupted_extension(workplace, here, finish, interrupt):
    """From 8 to 9 samples only chain 0 moves; then everything does."""
    assert here(*sample(8, "samples.h5")).code == 0
    interrupt(sample(9, "samples.h5"), 0)
    for count in (17, 90):
        interrupt(sample(count, "samples.h5"), 0)
    finish("samples.h5")


def test_killed_between_publishing_and_tidying_then_extended(workplace, cli, finish):
    """Stale parts of the shorter run are rows of the longer one."""
    killed = cli(
        *sample(16, "samples.h5"), prelude=fine_grained(after=1 + (1 + 8 * 4) + (1 + 16) + 1)
    )
    assert killed.code == -signal.SIGKILL
    assert Path("samples.h5").exists()
    assert parts_of("samples.h5")
    finish("samples.h5")


def test_extension_whose_beginning_was_deleted(workplace, here, finish, interrupt):
    """Rows that only the deleted file had must not become zeros."""
    assert here(*sample(80, "samples.h5")).code == 0
    interrupt(sample(400, "samples.h5"))
    Path("samples.h5").unlink()
    result = here(*arguments_for("samples.h5"))
    assert result.code == 65
    assert "remove this folder to start again" in result.sentence
    shutil.rmtree("samples.h5.parts")
    finish("samples.h5")


# ---- threads and disks ---------------------------------------------------------------------------


@LINES
def test_threads(output, inputs, here, pipeline):
    """One thread; the pipeline has one for each processor, and `test_again` has three."""
    inputs(output)
    assert here(*arguments_for(output), "--threads", 1).code == 0
    assert digest(output) == digest(pipeline / output)


@pytest.mark.parametrize(
    ("output", "limit"),
    [("samples.h5", 4000), ("samples.h5", 20000), ("lambda.h5", 6000), ("flow.h5", 200_000)],
)
def test_disk_full(output, limit, inputs, cli, finish):
    """In a part, and in the final file: one sentence, nothing under the final name, and the work
    done is kept."""
    inputs(output)
    limited = f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    result = cli(*arguments_for(output), prelude=limited)
    assert (result.code, result.out) == (1, "")
    assert not Path(output).exists()
    assert (
        result.sentence
        == f"rsmi: {output}: file size limit reached; what is done so far is kept: make room and"
        " run the same command again"
    )
    finish(output)


def test_disk_full_where_the_size_was_not_foreseen(workplace, cli, finish):
    """HDF5 itself runs into the end of the disk."""
    limited = (
        "import resource, rsmi.store.writer as w\nw._Disk.try_room = lambda *_:"
        " None\nresource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))"
    )
    result = cli(*arguments_for("samples.h5"), prelude=limited)
    assert (result.code, result.out) == (1, "")
    assert not Path("samples.h5").exists()
    assert "file size limit reached" in result.sentence
    finish("samples.h5")


def test_without_the_call_that_asks_for_room(workplace, cli):
    """macOS has no posix_fallocate."""
    result = cli(*arguments_for("samples.h5"), prelude="import os\ndel os.posix_fallocate")
    assert result.code == 0 and Path("samples.h5").exists()


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("missing/out.h5", 1, "the folder missing does not exist: create it first"),
        ("-", 2, "a result is a file"),
        (".", 1, "is a folder"),
        ("..", 1, "is a folder"),
        ("/", 1, "is a folder"),
        ("pipe", 1, "is no regular file"),
        ("n" * 300, 1, "cannot be written (File name too long)"),
        ("n" * 253, 1, "cannot be written (File name too long)"),
    ],
)
def test_impossible_output(name, code, words, workplace, here):
    os.mkfifo("pipe")
    for more in ((), ("--force",)):
        result = here(*sample(8, name), *more)
        assert result.code == code
        assert words in result.sentence
    assert os.listdir() == ["pipe"]


def test_output_is_an_input(inputs, here):
    """--force in a makefile must not replace the samples by what is made of them."""
    inputs("coarse.h5")
    before = digest("samples.h5")
    os.link("samples.h5", "link.h5")
    for name in ("samples.h5", "./samples.h5", "link.h5"):
        result = here(*arguments_for("coarse.h5")[:-1], name, "--force")
        assert result.code == 2
        assert "is an input of this command" in result.sentence
    assert digest("samples.h5") == before


def test_no_permission(workplace, here, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.mkdir", refuse)
    result = here(*sample(8))
    assert result.code == 1
    assert result.sentence == "rsmi: out.h5: cannot be written (Permission denied)"


def test_folder_removed_meanwhile(workplace, cli):
    event = "import shutil; shutil.rmtree('out.h5.parts')"
    result = cli(*sample(400), "--threads", 1, prelude=fine_grained(20, event))
    assert result.code == 1
    assert "the folder was removed while its output was being made" in result.sentence


def test_every_command_is_in_the_table(pipeline):
    """A new command cannot be forgotten here."""
    from rsmi.cli.application import COMMANDS as ALL

    assert set(COMMANDS) == set(ALL) - {"info", "plot", "report", "exact", "scan"}
    assert sys.version_info >= (3, 11)
    for output in PIPELINE:
        with open_file(pipeline / output) as file:
            command = PIPELINE[output].split()[0]
            assert file.attributes["command"] == (
                "sample" if command == "merge" else command
            )  # of shards of 'rsmi sample' here
