"""What the machine lacks is not called damage: one sentence, exit 1, and the work is kept."""

import errno
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLE, by_default, digest, run_here

from rsmi.engine.tasks import Limits
from rsmi.engine.threads import _in_threads, drive_in_threads
from rsmi.errors import shortage
from rsmi.store import PartsFolder, exclusive_lock, writer
from rsmi.store.folder import Folder

LINE = [*SAMPLE.split(), "--samples", "60", "--threads", "1", "-o", "out.h5"]
LACKING = {
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
    errno.ENOMEM: "not enough memory",
    errno.EIO: "input/output error",
}


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> str:
    """The digest of the output where nothing is lacking."""
    path = tmp_path_factory.mktemp("expected") / "out.h5"
    assert run_here(*LINE[:-1], path).code == 0
    return digest(path)


def is_kept(result, words: str, expected: str) -> None:
    """The command failed with a sentence that names what is lacking, and it goes on afterwards."""
    assert result.code == 1 and words in result.sentence, result
    assert not any(word in result.err for word in ("defect", "damaged checkpoint", "Traceback"))
    again = run_here(*LINE)
    assert again.code == 0, again
    assert digest("out.h5") == expected


@pytest.mark.parametrize("code", by_default([errno.EMFILE, errno.EIO], LACKING))
def test_a_part_that_cannot_be_read(code, expected, workplace, interrupt, here, monkeypatch):
    """Before, it was called damaged, with the advice to remove the folder (65)."""
    interrupt(LINE, 12)
    parts = sorted(os.listdir("out.h5.parts"))

    def refuse(folder, name, flags=os.O_RDONLY):
        if name.endswith(".h5"):
            raise OSError(code, os.strerror(code))
        return opened(folder, name, flags)

    opened = Folder.open
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "open", refuse)
        result = here(*LINE)
    assert sorted(os.listdir("out.h5.parts")) == parts
    is_kept(result, LACKING[code], expected)


@pytest.mark.parametrize("code", LACKING)
def test_an_input_that_cannot_be_read(code, workplace, here, monkeypatch):
    """Neither damaged (65) nor a wrong command (2); nor is the output replaced."""
    assert here(*LINE).code == 0

    def refuse(*_, **__):
        raise OSError(code, f"Unable to open file (errno = {code})")

    monkeypatch.setattr("h5py.File.__init__", refuse)
    for words in (["info", "out.h5"], LINE, ["import", "out.h5", "-o", "new.h5"]):
        result = here(*words)
        assert result.code == 1 and LACKING[code] in result.sentence, result


def test_descriptors_run_out(workplace, interrupt, cli):
    """The limit of the system, in a process of its own."""
    interrupt(LINE, 12)
    for most in (12, 8, 6):
        prelude = f"import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, ({most}, {most}))"
        result = cli("info", "out.h5", prelude=prelude)
        assert result.code in (0, 1), result
        assert "damaged" not in result.err and "defect" not in result.err, result


def test_only_a_wrong_seal_is_damage(workplace, interrupt, here):
    interrupt(LINE, 12)
    for part in Path("out.h5.parts").glob("*.h5"):
        content = bytearray(part.read_bytes())
        content[len(content) // 2] ^= 1
        part.write_bytes(content)
    result = here(*LINE)
    assert result.code == 65 and "damaged checkpoint: remove the folder" in result.sentence


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OSError(errno.ENOMEM, "x"), RuntimeError("can't start new thread")],
    ids=["memory", "memory of the system", "threads"],
)
def test_resources_end_while_publishing(error, expected, workplace, here, monkeypatch):
    """All rows are kept, and the sentence says where."""

    def fail(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(writer, "content_digest", fail)
        result = here(*LINE)
    assert "keeps what was done" in result.sentence or "is kept" in result.sentence
    is_kept(result, shortage(error), expected)


def test_memory_ends_in_a_row(expected, workplace, here, monkeypatch):
    """The rows before are committed."""
    commit, committed = PartsFolder.commit, []

    def counting(*rest):
        committed.append(commit(*rest))
        if len(committed) == 10:
            raise MemoryError
        return committed[-1]

    with monkeypatch.context() as patch:
        patch.setattr(PartsFolder, "commit", counting)
        result = here(*LINE)
    is_kept(result, "not enough memory", expected)


def no_thread(*_):
    raise RuntimeError("can't start new thread")


def test_no_thread_can_be_started(expected, workplace, here, monkeypatch):
    """The work is done in the calling thread, and nothing of the result changes."""
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        result = here(*LINE[:-4], "--threads", "4", "-o", "out.h5")
    assert result.code == 0 and "no thread can be started" in result.err
    assert digest("out.h5") == expected


def test_fewer_threads_than_wanted(monkeypatch, tmp_path):
    """One of four starts: it does everything."""
    start, started = threading.Thread.start, []

    def once(thread):
        if started:
            no_thread()
        started.append(thread)
        start(thread)

    class Counting:
        total = 3

        def __init__(self, number: int):
            self.name = f"task-{number}"

        def begin(self):
            return 0, {"at": np.int64(0)}

        def advance(self, state, step, count):
            state["at"] = np.int64(step + count)
            return {}

    folder = PartsFolder(tmp_path / "out.h5")
    folder.acquire()
    tasks = [Counting(number) for number in range(4)]
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", once)
        drive_in_threads(4, folder, tasks, Limits(), lambda: False, lambda count: None)
    assert [folder.parts(task.name)[-1].stop for task in tasks] == [3] * 4
    folder.release()


def test_a_lock_without_its_thread(workplace, here, monkeypatch):
    """It is renewed whenever a part is written."""
    monkeypatch.setenv("RSMI_FILE_LOCKING", "exclusive")
    folder = PartsFolder(Path("out.h5"))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        folder.acquire()
    os.utime(folder.path / exclusive_lock.NAME, (0, 0))
    folder.commit("task", 0, 1, {}, {})
    assert (folder.path / exclusive_lock.NAME).stat().st_mtime > 0
    folder.remove()
    assert not folder.path.exists()


@pytest.mark.parametrize("code", [errno.EINVAL])
def test_a_folder_that_cannot_be_synced(code, workplace, here, monkeypatch):
    """Some network file systems refuse it for folders; there is nothing to be done about it."""
    fsync = os.fsync

    def refuse(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(code, os.strerror(code))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)
    assert here(*LINE).code == 0


def test_a_disk_that_fails_to_sync_is_no_success(expected, workplace, here, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        result = here(*LINE)
    is_kept(result, "input/output error", expected)


def test_the_memory_of_a_process(workplace, cli):
    """With a limit that does not suffice: a sentence of this program, and no traceback."""
    assert run_here(*LINE).code == 0
    prelude = (
        "import resource\nimport rsmi.reports.files\n"
        "size = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (size + {}, size + (1 << 30)))"
    )
    for more in (1 << 22, 1 << 24):
        result = cli("info", "out.h5", prelude=prelude.format(more))
        assert result.code in (0, 1), result
        assert "damaged" not in result.err and "defect" not in result.err, result


def test_what_is_a_shortage():
    assert shortage(OSError(errno.EIO, "x")) and shortage(MemoryError())
    assert shortage(OSError("file read failed: errno = 5, error message = 'x'"))
    assert not shortage(OSError("truncated file")) and not shortage(ValueError("errno"))
    assert not shortage(RuntimeError("memory allocation failed"))  # there is enough of it


def test_an_interrupted_wait_ends_the_threads(monkeypatch):
    """They finish what they do before the exception goes on, so that nobody writes afterwards."""
    join, halted, done = threading.Thread.join, threading.Event(), []

    def work():
        halted.wait(30)
        done.append(True)

    def interrupted(thread, timeout=None):
        monkeypatch.setattr(threading.Thread, "join", join)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _in_threads(2, [work, work], halted.set)
    assert done == [True, True]
