"""Tasks driven by other processes behind a `concurrent.futures.Executor`: here one of the standard
library, and some that fail."""

import contextlib
import multiprocessing
import os
import pickle
import shutil
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest
from conftest import FINE, arguments_for, by_default, digest
from failing_workers import dying, small_disk

from rsmi.engine import publication, session
from rsmi.engine.remote import Orders, drive_in_worker
from rsmi.engine.tasks import Limits
from rsmi.errors import DataError, Failure, UsageError
from rsmi.store import PartsFolder, open_file

REMOTE = pytest.mark.parametrize(
    "output", ["samples.h5", "dimers.h5", "lambda.h5", "flow.h5", "shard-0.h5"]
)


# Workers know nothing of this process, as those of a cluster; a server that has imported rsmi forks
# them.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["rsmi.cli.application", "rsmi.engine.remote", "failing_workers"])


class Pool:
    """`rsmi.engine.remote.Workers` of this machine; a pool whose worker died is replaced, as a
    cluster would do it."""

    lost = (BrokenProcessPool,)

    def __init__(self, initializer=None):
        self.executor = self
        self.submitted = 0
        self._initializer = initializer
        self._pool = self._new()

    def _new(self) -> Executor:
        return ProcessPoolExecutor(2, CONTEXT, self._initializer)

    def submit(self, *call):
        self.submitted += 1
        try:
            return self._pool.submit(*call)
        except BrokenProcessPool:
            self._pool = self._new()
            return self._pool.submit(*call)

    def alive(self) -> bool:
        return True

    def shutdown(self) -> None:
        self._pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def shared_pool():
    pool = Pool()
    yield pool
    pool.shutdown()


@pytest.fixture
def through(monkeypatch):
    """Let --scheduler mean these workers."""

    def use(pool) -> None:
        monkeypatch.setattr(
            "rsmi.engine.dask_workers.workers_of",
            lambda scheduler, threads: lambda: contextlib.nullcontext(pool),
        )

    return use


@pytest.fixture
def pool(shared_pool, through):
    through(shared_pool)
    return shared_pool


@pytest.fixture
def fine(monkeypatch):
    """Every row a part of its own, at the workers too: the limits travel."""
    monkeypatch.setattr(session, "LIMITS", FINE)


def remote(output) -> list[str]:
    return [*arguments_for(output), "--scheduler", "local"]


def assert_done(result, output, pipeline) -> None:
    assert result.code == 0, result.err
    assert digest(output) == digest(pipeline / output)
    assert not Path(f"{output}.parts").exists()


# ---- the same bits -------------------------------------------------------------------------------


@REMOTE
def test_same_digest(output, inputs, pipeline, pool, here):
    """Of chains, of restarts, of blocks; with their inputs found by name."""
    inputs(output)
    assert_done(here(*remote(output)), output, pipeline)
    assert pool.submitted


def test_extension(workplace, pipeline, pool, here):
    """From 43 samples to 400: the chains begin with the states in the file, of which some travel
    through the folder."""
    line = remote("samples.h5")
    assert here(*line, "--samples", 43).code == 0
    assert_done(here(*line), "samples.h5", pipeline)


def test_nothing_is_asked_of_workers_where_all_is_done(
    workplace, pipeline, pool, here, monkeypatch
):
    """Complete parts and complete files."""

    def refuse(*_):
        raise Failure("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(publication, "publish", refuse)
        assert here(*arguments_for("samples.h5")).code == 1
    pool.submitted = 0
    assert_done(here(*remote("samples.h5")), "samples.h5", pipeline)
    assert_done(here(*remote("samples.h5")), "samples.h5", pipeline)
    assert pool.submitted == 0


def test_large_arrays_travel_through_the_folder(inputs, here, through):
    """Environments of 190 kB, once for all restarts; a message has no array beyond 64 kB, and
    nothing is left."""
    inputs("lambda.h5")
    sizes, pool = [], Pool()

    class Watched(Pool):
        def submit(self, function, orders, cargo):
            sizes.append((len(cargo), len(list(Path(f"{orders.output}.parts").glob("*.npy")))))
            return pool.submit(function, orders, cargo)

    watched = Watched()
    through(watched)
    line = "train-lambda samples.h5 --block 2x2 --windows 20000 --restarts 3 -o out.h5".split()
    assert here(*line, "--scheduler", "local").code == 0
    pool.shutdown(), watched.shutdown()
    assert len(sizes) == 3
    assert all(size < 1 << 16 and files == 1 for size, files in sizes)
    assert not Path("out.h5.parts").exists()
    shutil.move("out.h5", "remote.h5")
    assert here(*line).code == 0
    assert digest("out.h5") == digest("remote.h5")


# ---- workers that die, and that do not -----------------------------------------------------------


class Mortal(Pool):
    """Every drive has a process of its own, which dies after so many parts."""

    def __init__(self, parts: int):
        super().__init__()
        self._parts = parts

    def submit(self, *call):
        self.submitted += 1
        pool = self._new()
        future = pool.submit(dying, self._parts, *call)
        pool.shutdown(wait=False)
        return future


def test_workers_that_die(inputs, pipeline, here, through, fine):
    """Two restarts of thirty rows: each drive dies after twelve, and its replacement goes on after
    these."""
    inputs("lambda.h5")
    through(pool := Mortal(12))
    result = here(*remote("lambda.h5"))
    assert_done(result, "lambda.h5", pipeline)
    assert pool.submitted == 6
    assert result.err.count("goes on from its last part") == 4


def test_workers_that_die_for_nothing(inputs, here, through, fine, pipeline):
    """Dead before a single part: one sentence, not for ever; the plain command goes on."""
    inputs("lambda.h5")
    through(Mortal(0))
    result = here(*remote("lambda.h5"))
    assert result.code == 1
    assert "die again and again, without finishing a part" in result.sentence
    assert "lambda.h5.parts keeps what was done" in result.sentence
    assert_done(here(*arguments_for("lambda.h5")), "lambda.h5", pipeline)


class Twofold(Pool):
    """Every drive is made twice at once: as when a worker was given up that lives on."""

    def __init__(self, pool: Pool):
        self.executor = self
        self._pool = pool

    def submit(self, *call):
        self._pool.submit(*call)
        return self._pool.submit(*call)


@pytest.mark.parametrize(
    "output", by_default(["lambda.h5"], ["samples.h5", "flow-shard.h5", "lambda.h5"])
)
def test_two_drives_of_one_task(output, inputs, here, shared_pool, through, fine, pipeline):
    """They make the same rows, and cut them differently; parts that overlap are none too many."""
    inputs(output)
    through(Twofold(shared_pool))
    assert_done(here(*remote(output)), output, pipeline)


# ---- asked to stop, refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "output", by_default(["lambda.h5"], ["samples.h5", "lambda.h5", "flow.h5"])
)
def test_time_limit(output, inputs, here, pool, pipeline):
    """The drives come back, exit 75, and threads of one process finish the work."""
    inputs(output)
    result = here(*remote(output), "--time-limit", 0.001)
    assert result.code == 75
    assert "the checkpoint is written" in result.sentence
    assert not Path(output).exists()
    assert_done(here(*arguments_for(output)), output, pipeline)


def test_begun_by_threads(workplace, here, pool, interrupt, pipeline):
    interrupt(arguments_for("samples.h5"))
    result = here(*remote("samples.h5"))
    assert "resuming" in result.err
    assert_done(result, "samples.h5", pipeline)


def test_disk_full_at_a_worker(workplace, here, through, pipeline):
    """The worker's sentence and exit code."""
    through(pool := Pool(small_disk))
    result = here(*remote("samples.h5"))
    assert result.code == 1
    assert result.sentence.endswith(
        "samples.h5: file size limit reached; what is done so far is kept: make room and run the"
        " same command again"
    )
    pool.shutdown()
    assert_done(here(*arguments_for("samples.h5")), "samples.h5", pipeline)


def orders(output: Path, **changes) -> Orders:
    import rsmi

    return Orders(
        **{
            "output": output,
            "token": "0" * 8,
            "call": "none",
            "version": rsmi.__version__,
            "limits": Limits(1.0, 1, 1.0),
        }
        | changes
    )


def test_worker_of_another_machine(tmp_path):
    """One that sees another folder under the name, or none, and one that has another version."""
    for _ in range(2):
        with pytest.raises(
            Failure,
            match=(
                "does not find .*out.h5.parts: the output must be in a folder that all workers"
                " share"
            ),
        ):
            drive_in_worker(orders(tmp_path / "out.h5"), b"")
        folder = PartsFolder(tmp_path / "out.h5")
        folder.acquire()
        folder.call()
    with pytest.raises(UsageError, match="install the same version"):
        drive_in_worker(orders(tmp_path / "out.h5", version="0.0.1"), b"")


def test_input_that_was_replaced(inputs, pipeline):
    """A pickled file is its name and digest."""
    inputs("flow.h5")
    with open_file("samples.h5") as file:
        sent = pickle.dumps(file)
        assert len(sent) < 1000
        assert np.array_equal(pickle.loads(sent).read("/spins"), file.read("/spins"))
    shutil.copy(pipeline / "other.h5", "samples.h5")
    with pytest.raises(DataError, match="samples.h5: was replaced by another file"):
        pickle.loads(sent)
    Path("samples.h5").write_bytes(b"no file of ours")
    with pytest.raises(DataError, match="not an HDF5 file"):
        pickle.loads(sent)


# ---- what is said without dask -------------------------------------------------------------------


@pytest.fixture
def without_dask(monkeypatch):
    class Finder:
        def find_spec(name, *_):
            if name.split(".")[0] in ("dask", "distributed", "dask_jobqueue"):
                raise ImportError(f"No module named {name!r}")

    for name in [
        name
        for name in sys.modules
        if name.split(".")[0] in ("dask", "distributed", "dask_jobqueue")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])


@pytest.mark.parametrize(
    "output", by_default(["samples.h5"], ["samples.h5", "lambda.h5", "flow.h5"])
)
def test_without_dask(output, inputs, here, without_dask):
    """One sentence before any work, and what to do; without --scheduler dask is never missed."""
    inputs(output)
    before = os.listdir()
    for scheduler in ("local", "slurm", "tcp://127.0.0.1:1"):
        result = here(*arguments_for(output), "--scheduler", scheduler)
        assert (result.code, result.out) == (
            2,
            "",
        )
        assert 'pip install "rsmi[dask]"' in result.sentence
    assert os.listdir() == before
    assert here(*arguments_for(output)).code == 0


@pytest.mark.parametrize(
    "scheduler",
    ["", "threads", "127.0.0.1:8786", "http://127.0.0.1:8786", "tcp://", "missing.json"],
)
def test_no_scheduler(scheduler, workplace, here):
    result = here(*arguments_for("samples.h5"), "--scheduler", scheduler)
    assert (
        result.code == 2
        and "write local, slurm, an address such as tcp://HOST:8786" in result.sentence
    ), result.err
