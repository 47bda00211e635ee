"""Files of others that HDF5 dies of: a command looks at them first in a process that may die, and
bounds what it reads by the size of the file."""

import contextlib
import os
import pickle
import resource
import signal
import threading
import time
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import SAMPLE, digest, run_here
from h5py import h5a
from hostile.bytes import HEADERS, HEAPS, checksum, checksums, damaged
from hostile.pen import in_pens

from rsmi import first_look
from rsmi.errors import DataError, Failure
from rsmi.samples.files import open_file
from rsmi.store.look import touch_everything
from rsmi.store.names import attribute_names


@pytest.fixture
def looking(monkeypatch):
    """This process looks at files first, as that of a command does."""
    monkeypatch.setattr(first_look, "_enabled", True)
    monkeypatch.setattr(first_look, "_trusted", set())


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    """A file of samples."""
    path = tmp_path_factory.mktemp("few") / "samples.h5"
    assert run_here(*SAMPLE.split(), "--samples", "40", "-o", path).code == 0
    return path.read_bytes()


@pytest.fixture
def file(workplace, content) -> Path:
    path = Path("samples.h5")
    path.write_bytes(content)
    return path


def crash(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE])
def test_a_crash_is_one_sentence(number, file, looking):
    with pytest.raises(DataError, match=f"HDF5 dies of reading it.*{number.name}") as caught:
        first_look.look(file, lambda path: os.kill(os.getpid(), number))
    assert "\n" not in str(caught.value)


def test_a_command_survives(file, here, looking, monkeypatch):
    monkeypatch.setattr("rsmi.store.reader.touch_everything", crash)
    result = here("info", file)
    assert result.code == 65 and "dies of reading it" in result.sentence
    before = file.read_bytes()
    result = here(*SAMPLE.split(), "--samples", "60", "-o", file)
    assert result.code == 73 and file.read_bytes() == before


def test_files_of_other_programs(file, here, looking, monkeypatch):
    monkeypatch.setattr("rsmi.stages.import_files.touch_everything", crash)
    with h5py.File("foreign.h5", "w") as handle:
        handle["spins"] = np.ones((20, 4, 4), np.int8)
    result = here("import", "foreign.h5", "-o", "out.h5")
    assert result.code == 65 and "dies of reading it" in result.sentence


def test_links_of_other_programs_go_round_in_circles(here, looking, workplace):
    """Every object is looked at once, by whatever name; a name that is no text does no harm. Other
    programs write such files, and they are not forged."""
    with h5py.File("foreign.h5", "w") as handle:
        group = handle.create_group("deep")
        group["spins"] = np.ones((20, 4, 4), np.int8)
        for number in range(12):
            group[f"again{number}"] = group
        handle.create_group(b"\xff\xfe")
    result = here("import", "foreign.h5", "--dataset", "deep/spins", "-q", "-o", "out.h5")
    assert (result.code, result.err) == (0, "")


def test_errors_of_the_look_are_left_to_the_command(file, looking):
    def fail(path):
        raise ValueError("seen again by the command")

    first_look.look(file, fail)


def test_a_file_is_looked_at_once(file, looking):
    """Twice if it was changed; never if this process has written it."""
    Path("log").touch()

    def note(path):
        with open("log", "a") as log:
            log.write("x")

    for _ in range(2):
        first_look.look(file, note)
    assert Path("log").read_text() == "x"
    os.utime(file, ns=(0, 0))
    first_look.look(file, note)
    assert Path("log").read_text() == "xx"
    os.utime(file, ns=(1, 1))
    first_look.trust(file)
    first_look.look(file, note)
    assert Path("log").read_text() == "xx"


def test_endless_work_and_memory_are_bounded(file, looking, monkeypatch):
    def endless(path):
        while True:
            pass

    with monkeypatch.context() as patch:
        patch.setattr(first_look, "_CPU_SECONDS", 0)
        with pytest.raises(DataError, match="SIGXCPU|SIGKILL"):
            first_look.look(file, endless)

    def greedy(path):
        Path("got").write_bytes(bytes(len(bytearray(1 << 34)) > 0))

    with pytest.raises(DataError, match="asks for more than 1 GiB of memory"):
        first_look.look(file, greedy)
    assert not Path("got").exists()
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1 << 50, 1 << 50))
    with pytest.raises(Failure, match="there is not enough memory for all that it asks for"):
        first_look.look(file, greedy)  # where memory is limited, the file need not be forged
    assert not Path("got").exists()


def test_a_look_beside_a_thread(file, looking):
    """Such as the one that renews a lock or a progress bar."""
    with a_thread(), pytest.raises(DataError, match="dies of reading it"):
        first_look.look(file, crash)


def test_a_look_that_waits_for_a_thread(file, looking, monkeypatch):
    monkeypatch.setattr(first_look, "_PATIENCE", 1)
    with a_thread():
        first_look.look(file, lambda path: threading.Event().wait())
    assert not first_look._trusted


@contextlib.contextmanager
def a_thread():
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    yield
    ended.set()
    thread.join()


def test_no_process_to_be_had(file, here, looking, monkeypatch):
    def refuse():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    assert here("info", file).code == 0


def test_functions_do_not_fork(file, here, monkeypatch):
    """Only a process that runs one command does."""
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked"))
    assert here("info", file).code == 0


def test_the_look_goes_through_every_kind_of_file(pipeline):
    """Without an error, and without touching what leads elsewhere."""
    for path in pipeline.glob("*.h5"):
        touch_everything(path)


def test_links_elsewhere_are_not_followed(workplace):
    with h5py.File("links.h5", "w") as handle:
        handle["device"] = h5py.ExternalLink("/dev/zero", "/x")
        handle["soft"] = h5py.SoftLink("/nowhere")
        handle.create_dataset("data", (1 << 20,), "u1", external=[("/dev/zero", 0, 1 << 20)])
        handle.create_dataset("texts", data=["a", "b"], dtype=h5py.string_dtype())
    touch_everything(Path("links.h5"))


def test_the_command_itself_looks(file, cli):
    """`main` turns the look on: a crash of the look is the answer of a real process."""
    prelude = (
        "import os, signal\nfrom rsmi.store import reader\n"
        "reader.touch_everything = lambda path: os.kill(os.getpid(), signal.SIGSEGV)"
    )
    result = cli("info", file, prelude=prelude)
    assert result.code == 65 and "dies of reading it" in result.err


def test_a_forged_number_of_attributes(content, workplace):
    """All attributes are read although the header of their index says that there is one: no table
    of one entry is made and filled with all of them, which is what h5py's own iterator does."""
    forged = bytearray(content)
    for start, size, place in checksums(content):
        if content[start : start + 4] == b"BTHD" and content[start + 5] == 8:  # attributes by name
            forged[start + 26 : start + 34] = (1).to_bytes(8, "little")
            forged[place : place + 4] = checksum(forged, start, size, place)
    assert forged != content
    Path("true.h5").write_bytes(content)
    Path("forged.h5").write_bytes(forged)
    with h5py.File("true.h5") as true, h5py.File("forged.h5") as false:
        assert attribute_names(false["/"].id) == sorted(true.attrs)
        assert h5a.get_num_attrs(false["/"].id) == 1


# ---- sizes ---------------------------------------------------------------------------------------


def bomb(path: Path, source: Path, name: str, megabytes: int, chunk: int) -> None:
    """Zeros that take a thousandth of their size in the file; ``chunk`` megabytes of them are
    compressed together."""
    path.write_bytes(source.read_bytes())
    zeros = zlib.compress(bytes(chunk << 20), 9)
    with h5py.File(path, "r+") as handle:
        dtype = handle[name].dtype
        del handle[name]
        size = dtype.itemsize
        data = handle.create_dataset(
            name,
            ((megabytes << 20) // size,),
            dtype,
            chunks=((chunk << 20) // size,),
            compression="gzip",
        )
        for start in range(0, data.shape[0], data.chunks[0]):
            data.id.write_direct_chunk((start,), zeros)


def peak_of_info(path: Path) -> tuple[int, str]:
    """The exit code of `info`, and its message, in a process of at most 400 MB more."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with open("/proc/self/statm") as table:
            size = int(table.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + (400 << 20),) * 2)
        result = run_here("info", path)
        os.write(writer, result.err.encode()[-1000:])
        os._exit(result.code)
    os.close(writer)
    with open(reader) as stream:
        message = stream.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), message


@pytest.mark.parametrize(
    ("megabytes", "chunk", "message"),
    [
        (1024, 1, "than a file of"),
        (2048, 4, "than a file of"),
        (72, 72, "chunks of more than 64 MiB"),
    ],
)
def test_a_small_file_that_becomes_large(megabytes, chunk, message, file):
    """Before, a file of 4 MB took 4 GB in `info`."""
    bomb(Path("bomb.h5"), file, "/energy", megabytes, chunk)
    code, text = peak_of_info(Path("bomb.h5"))
    assert code == 65 and message in text


# ---- thousands -----------------------------------------------------------------------------------


def repaired(content: bytes, number: int) -> tuple[str, bytes]:
    """The kind and the content of a mutant whose checksums are right."""
    rng = np.random.default_rng(number)
    while True:
        kind, mutant = damaged(content, rng, HEADERS + HEAPS)
        if "repaired" in kind and mutant != content:
            return kind, mutant


def apart(command):
    """What a command returns that has a process of its own."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(100)
        result = command()
        with os.fdopen(writer, "wb") as stream:
            pickle.dump(result, stream)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        answer = stream.read()
    status = os.waitpid(child, 0)[1]
    assert status == 0, f"the command died: status {status}"
    return pickle.loads(answer)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["samples.h5", "flow.h5"])
def test_no_mutant_with_valid_checksums_ends_a_command(
    name, pipeline, workplace, looking, monkeypatch
):
    """Headers and heaps are forged, and their checksums are right. Every command has a process of
    its own, as in life: what a file does to the memory of one does not reach the next. The number
    of mutants is in HOSTILE_MUTANTS. The look takes a second of processor time at most here, so
    that files on which HDF5 works without end do not take most of it."""
    count = int(os.environ.get("HOSTILE_MUTANTS", 10_000)) // 2
    content = (pipeline / name).read_bytes()
    monkeypatch.setattr(first_look, "_CPU_SECONDS", 1)

    def work(number):
        kind, mutant = repaired(content, number)
        Path("mutant.h5").write_bytes(mutant)
        result = apart(lambda: run_here("info", "mutant.h5", "--verify"))
        assert result.code in (0, 65) and result.err.count("\n") <= 1, (kind, result)
        assert result.code or result.out == "ok\n"
        died = "dies of reading it" in result.err
        return f"{kind}: {'died in the look' if died else f'exit {result.code}'}"

    began = time.monotonic()
    outcomes, escapes = in_pens(range(count), work, memory=None)
    for outcome, number in sorted(outcomes.items()):
        print(f"{name:12} {outcome:40} {number}")
    print(f"{name}: {count} mutants, {time.monotonic() - began:.0f} s, {len(escapes)} escapes")
    assert not escapes, "\n".join(escapes)


def test_few_mutants_with_valid_checksums(file, looking):
    """A sample of the thousands."""
    content, expected = file.read_bytes(), digest(file)
    for number in range(12):
        kind, mutant = repaired(content, number)
        Path("mutant.h5").write_bytes(mutant)
        try:
            with open_file("mutant.h5") as opened:
                assert opened.digest == expected, kind
        except DataError as error:
            assert "\n" not in str(error)
