"""--scheduler with real workers of dask on this machine: started for the command, found by address,
killed, encrypted."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import SAMPLE, arguments_for, digest, process
from slurm_cluster import missing_packages, slurm
from test_runner import fine_grained

import rsmi

pytestmark = pytest.mark.dask

REMOTE = pytest.mark.parametrize("output", ["samples.h5", "lambda.h5", "flow.h5"])


@pytest.fixture(scope="module")
def cluster():
    """Two workers of one thread; dask replaces those that die."""
    with local_cluster() as cluster:
        yield cluster


@contextlib.contextmanager
def local_cluster(workers: int = 2, **settings):
    distributed = pytest.importorskip(
        "distributed", reason='these tests need pip install ".[test,dask]"'
    )
    with distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
        **settings,
    ) as cluster:
        yield cluster


def pids(cluster) -> set[int]:
    """The processes of the workers that live now."""
    return {
        worker.pid
        for worker in cluster.workers.values()
        if worker.status.name == "running" and worker.pid
    }


def wait(what: str, ready, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"{what}: not after {seconds:.0f} s"
        time.sleep(0.01)


def parts_of(output, name="*") -> list[Path]:
    return list(Path(f"{output}.parts").glob(f"{name}.h5"))


# Eight chains of 250 rows, each a part of its own: some seconds.
LONG = [*SAMPLE.split(), "--samples", "2000", "-o", "long.h5"]


@pytest.fixture(scope="module")
def long_digest(tmp_path_factory):
    from conftest import run_here

    path = tmp_path_factory.mktemp("long") / "long.h5"
    assert run_here(*LONG[:-1], path).code == 0
    return digest(path)


@pytest.fixture
def cli(cli):
    """As that of all tests, in a new interpreter: dask starts processes and threads of its own."""
    return functools.partial(cli, fresh=True)


@pytest.fixture
def begin(workplace, cluster):
    """Begin the long command in a process of its own and wait for its first part of a chain."""

    def call(address=None):
        child = process(
            [*LONG, "--scheduler", address or cluster.scheduler_address],
            fine_grained(),
            fresh=True,
        )
        wait("the first part", lambda: parts_of("long.h5", "chain*") or child.poll() is not None)
        assert child.poll() is None, child.communicate()
        return child

    return call


def finish(child) -> tuple[int, str]:
    _, err = child.communicate(timeout=300)
    return child.returncode, err.strip().splitlines()[-1] if err.strip() else ""


# ---- the same bits -------------------------------------------------------------------------------


@REMOTE
def test_behind_an_address(output, inputs, pipeline, cluster, here):
    inputs(output)
    result = here(*arguments_for(output), "--scheduler", cluster.scheduler_address)
    assert result.code == 0, result.err
    assert digest(output) == digest(pipeline / output)
    assert not Path(f"{output}.parts").exists()


@REMOTE
def test_on_this_machine(output, inputs, pipeline, cli):
    """Workers started for the command, and gone with it; stdout has the path alone, and stderr the
    remarks of the command itself."""
    inputs(output)
    result = cli(*arguments_for(output), "--scheduler", "local", "--threads", 2)
    assert (result.code, result.out) == (0, f"{output}\n"), result
    assert all(line.startswith("rsmi: ") for line in result.err.splitlines()), result
    assert digest(output) == digest(pipeline / output)


def test_by_the_file_of_the_scheduler(workplace, pipeline, cluster, here):
    Path("scheduler.json").write_text(json.dumps(cluster.scheduler.identity()))
    result = here(*arguments_for("samples.h5"), "--scheduler", "scheduler.json")
    assert result.code == 0, result.err
    assert digest("samples.h5") == digest(pipeline / "samples.h5")


# ---- killed, stopped -----------------------------------------------------------------------------


def test_worker_killed_in_the_middle(begin, cluster, long_digest):
    """SIGKILL of every worker once the first part is there: others take their place and go on from
    it."""
    child = begin()
    for pid in pids(cluster):
        os.kill(pid, signal.SIGKILL)
    assert finish(child)[0] == 0
    assert digest("long.h5") == long_digest


def test_command_stopped_in_the_middle(begin, here, long_digest):
    """SIGTERM: the workers come back, 75, and threads of one process go on."""
    child = begin()
    child.send_signal(signal.SIGTERM)
    code, sentence = finish(child)
    assert code == 75
    assert "stopped by SIGTERM; the checkpoint is written: run the same command again" in sentence
    before = parts_of("long.h5", "chain*")
    assert before
    assert not Path("long.h5").exists()
    time.sleep(0.5)
    assert parts_of("long.h5", "chain*") == before  # nobody goes on unasked
    assert here(*LONG).code == 0
    assert digest("long.h5") == long_digest


@pytest.mark.parametrize("remote", [True, False])
def test_command_killed_in_the_middle(remote, begin, cluster, here, long_digest):
    """SIGKILL of the command: its workers go on alone, while the same command begins again."""
    child = begin()
    child.kill()
    child.communicate()
    result = here(*LONG, *(("--scheduler", cluster.scheduler_address) if remote else ()))
    assert result.code == 0, result.err
    assert digest("long.h5") == long_digest
    assert not Path("long.h5.parts").exists()


def test_command_killed_and_its_work_dropped(begin, cluster, here, long_digest):
    """Workers of the dropped work still write while other work with --force has taken its place:
    not a row of theirs is taken."""
    child = begin()
    child.kill()
    child.communicate()
    other = [*LONG, "--seed", 3]
    assert here(*other, "--force", "--scheduler", cluster.scheduler_address).code == 0
    remote = digest("long.h5")
    Path("long.h5").unlink()
    assert here(*other).code == 0
    assert digest("long.h5") == remote != long_digest


def test_worker_that_dies_again_and_again(workplace, cluster, here, long_digest, monkeypatch):
    """Four times without a part: one sentence; what was done is kept."""
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    line = [*LONG, "--interval", 10**7, "--scheduler", cluster.scheduler_address]
    child = process(line, fresh=True)
    wait(
        "work",
        lambda: (
            any(worker.processing for worker in cluster.scheduler.workers.values())
            and list(Path("long.h5.parts").glob("thermalization*"))
        ),
    )
    wait(
        "sampling",
        lambda: (
            len(list(Path("long.h5.parts").glob("thermalization*"))) == 8
            and sum(map(len, (worker.processing for worker in cluster.scheduler.workers.values())))
            >= 2
        ),
    )
    for pid in pids(cluster):
        os.kill(pid, signal.SIGKILL)
    code, sentence = finish(child)
    assert code == 1
    assert "die again and again, without finishing a part" in sentence
    assert parts_of("long.h5")


def test_scheduler_gone_in_the_middle(begin, here, long_digest):
    with local_cluster() as other:
        child = begin(other.scheduler_address)
    code, sentence = finish(child)
    assert code == 1
    assert "long.h5.parts keeps what was done" in sentence
    assert here(*LONG).code == 0
    assert digest("long.h5") == long_digest


# ---- refused -------------------------------------------------------------------------------------


def test_nobody_there(workplace, here):
    import dask

    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        result = here(*arguments_for("samples.h5"), "--scheduler", "tcp://127.0.0.1:9")
    assert result.code == 1
    assert "--scheduler tcp://127.0.0.1:9: cannot be reached" in result.sentence
    assert result.err.count("\n") == 1


def test_waiting_for_workers_has_an_end(workplace, pipeline, here):
    """A scheduler without workers: the time limit comes, and nobody is waited for."""
    with local_cluster(0) as empty:
        result = here(
            *arguments_for("samples.h5"), "--scheduler", empty.scheduler_address, "--time-limit", 2
        )
    assert result.code == 75
    assert "no worker yet, waiting for the first" in result.err
    assert here(*arguments_for("samples.h5")).code == 0
    assert digest("samples.h5") == digest(pipeline / "samples.h5")


def test_replaced_input(inputs, pipeline, cluster, here, monkeypatch):
    """A worker finds another file under the name: its sentence, and its exit code."""
    from rsmi.store import File

    inputs("flow.h5")
    monkeypatch.setattr(File, "digest", property(lambda file: "0" * 64))
    result = here(*arguments_for("flow.h5"), "--scheduler", cluster.scheduler_address)
    assert result.code == 65
    assert "was replaced by another file while it was being read" in result.sentence


# ---- encrypted -----------------------------------------------------------------------------------


def certificate(name: str) -> dict:
    """Configuration of dask with a certificate of our own, for scheduler, workers and client
    alike."""
    key, certificate = (
        str(Path(f"{name}-key.pem").absolute()),
        str(Path(f"{name}-certificate.pem").absolute()),
    )
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=rsmi".split()
    subprocess.run([*words, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    settings = {
        "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": certificate,
        "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true",
    }
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        settings |= {
            f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY": key,
            f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT": certificate,
        }
    return settings


@contextlib.contextmanager
def daemons(settings: dict):
    """A scheduler and a worker of dask in processes of their own, as their commands start them; the
    address."""
    environment = {**os.environ, "PYTHONPATH": str(Path(rsmi.__file__).parents[1]), **settings}
    scheduler = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--host",
        "tls://127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        "--scheduler-file",
        "scheduler.json",
    ]
    worker = [
        sys.executable,
        "-m",
        "distributed.cli.dask_worker",
        "--scheduler-file",
        "scheduler.json",
        "--nthreads",
        "1",
        "--no-dashboard",
        "--protocol",
        "tls",
    ]
    with contextlib.ExitStack() as stack:
        for words in (scheduler, worker):
            child = subprocess.Popen(
                words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(child.wait)
            stack.callback(child.terminate)
            wait(
                "the scheduler",
                lambda: Path("scheduler.json").exists() and Path("scheduler.json").stat().st_size,
            )
        yield json.loads(Path("scheduler.json").read_text())["address"]


def test_tls(workplace, pipeline, cli):
    """With the certificate of the scheduler the result, with another one or none a sentence."""
    ours, theirs = certificate("ours"), certificate("theirs")
    line = arguments_for("samples.h5")
    with daemons(ours) as address:
        assert address.startswith("tls://")
        none = cli(*line, "--scheduler", address)
        other = cli(
            *line,
            "--scheduler",
            address,
            env=theirs | {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s"},
        )
        plain = cli(
            *line,
            "--scheduler",
            address.replace("tls", "tcp"),
            env={"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s"},
        )
        result = cli(*line, "--scheduler", address, env=ours)
    assert none.code == 2
    assert "needs a certificate: set distributed.comm.tls.ca-file" in none.sentence
    assert none.err.count("\n") == 1
    assert (
        other.code == 1
        and f"--scheduler {address}: cannot be reached" in other.sentence
        and other.err.count("\n") == 1
    ), other.err
    assert (
        plain.code == 1 and "cannot be reached" in plain.sentence and plain.err.count("\n") == 1
    ), plain.err
    assert result.code == 0, result.err
    assert digest("samples.h5") == digest(pipeline / "samples.h5")


# ---- Slurm ---------------------------------------------------------------------------------------


@pytest.mark.slurm
def test_jobs_of_slurm(workplace, pipeline, cli):
    """Two jobs with a worker each, asked of a Slurm of one node and gone with the command. They
    talk by TLS."""
    missing = missing_packages()
    if missing:
        pytest.fail(f"this test needs Slurm: apt-get install {' '.join(missing)}", pytrace=False)
    job = {
        "CORES": "1",
        "PROCESSES": "1",
        "MEMORY": "1GB",
        "JOB_DIRECTIVES_SKIP": "['--mem']",
        "INTERFACE": "lo",
        "WALLTIME": "00:10:00",
        "JOB_SCRIPT_PROLOGUE": f"['export PYTHONPATH={Path(rsmi.__file__).parents[1]}']",
    }
    with slurm() as running:
        settings = {"SLURM_CONF": running.environment["SLURM_CONF"]} | {
            f"DASK_JOBQUEUE__SLURM__{name}": value for name, value in job.items()
        }
        result = cli(
            *arguments_for("samples.h5"),
            "--scheduler",
            "slurm",
            "--threads",
            2,
            "--time-limit",
            60,
            env=settings,
            prelude=WATCH,
        )
        jobs = running.command("scontrol", "show", "job")
        assert result.code == 0, result.err + running.logs()
        assert digest("samples.h5") == digest(pipeline / "samples.h5")
        assert jobs.count("JobName=dask-worker") == 2
        seen = Path("seen").read_text()
        assert "tls://" in seen and "tcp://" not in seen
        running.wait("the end of the jobs", lambda: not running.command("squeue", "--noheader"))


def test_jobs_that_slurm_refuses(workplace, cli):
    """Not an endless wait: the command says what Slurm says, before any work is done."""
    refusing = Path("bin/sbatch")
    refusing.parent.mkdir()
    refusing.write_text(
        "#!/bin/sh\necho 'sbatch: error: invalid partition specified: attic' >&2\nexit 1\n"
    )
    refusing.chmod(0o755)
    settings = {
        "PATH": f"{refusing.parent.absolute()}:{os.environ['PATH']}",
        "DASK_JOBQUEUE__SLURM__CORES": "1",
        "DASK_JOBQUEUE__SLURM__MEMORY": "1GB",
    }
    result = cli(*arguments_for("samples.h5"), "--scheduler", "slurm", "--threads", 2, env=settings)
    assert result.code == 1
    assert not Path("samples.h5").exists()
    assert (
        result.sentence
        == "rsmi: --scheduler slurm: cannot be reached or started (sbatch: error: invalid partition"
        " specified: attic)"
    )
    assert "Traceback" not in result.err


# ---- what strangers reach ------------------------------------------------------------------------

# Slurm as far as dask knows it: a job runs at once, on this machine.
SBATCH = """#!/bin/sh
[ "$1" = --test-only ] && exit 0
cp "$1" job.sh
setsid sh job.sh > job.log 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = '#!/bin/sh\nkill -- "-$1"\n'
JOB = {"CORES": "1", "PROCESSES": "1", "MEMORY": "1GB", "INTERFACE": "lo"}
# The addresses on which the command and everything that it started listen, with the scheduler's.
WATCH = """
import glob, os, re
from rsmi.engine import dask_workers

alive = dask_workers.DaskWorkers.alive

def listening(workers):
    rows = [line.split() for line in open("/proc/net/tcp")][1:]
    ports = {row[9]: row[1] for row in rows if row[3] == "0A"}
    links = [os.readlink(link) for link in glob.glob("/proc/self/fd/*") if os.path.islink(link)]
    numbers = [link[8:-1] for link in links if link.startswith("socket:")]
    with open("seen", "a") as log:
        print(*{ports[number] for number in numbers if number in ports}, file=log)
        print(workers._client.scheduler.address, file=log)
        print(workers._client.dashboard_link, file=log)
    return alive(workers)

dask_workers.DaskWorkers.alive = listening
"""


@pytest.fixture
def fake_slurm(workplace) -> dict[str, str]:
    """The environment of a command that finds it."""
    Path("bin").mkdir()
    for name, content in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        Path("bin", name).write_text(content)
        Path("bin", name).chmod(0o755)
    return {
        "PATH": f"{workplace / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(rsmi.__file__).parents[1]),
        **{f"DASK_JOBQUEUE__SLURM__{name}": value for name, value in JOB.items()},
    }


@pytest.mark.parametrize("scheduler", ["local", "slurm"])
def test_certificates_are_made_for_the_command(scheduler, workplace, pipeline, fake_slurm, cli):
    """TLS without any setting, the dashboard on this machine only, and no certificate is left."""
    line = [*arguments_for("samples.h5"), "--scheduler", scheduler, "--threads", 1]
    result = cli(*line, env=fake_slurm, prelude=WATCH)
    assert result.code == 0, result.err
    assert digest("samples.h5") == digest(pipeline / "samples.h5")
    seen = Path("seen").read_text().splitlines()
    assert seen and any(line.startswith("tls://127.0.0.1:") for line in seen)
    assert "tcp://" not in " ".join(seen) and "http://127.0.0.1:" in " ".join(seen)
    ports = [word for line in seen if "/" not in line for word in line.split()]
    assert ports and all(port.startswith("0100007F:") for port in ports)  # 127.0.0.1
    assert not list(workplace.glob(".rsmi-tls-*")) and not list(workplace.glob("*.parts"))
    if scheduler == "slurm":
        job = Path("job.sh").read_text()
        assert "--protocol tls://" in job and "--dashboard-address 127.0.0.1:0" in job
        assert all(
            f"--tls-{name} {workplace}/.rsmi-tls-" in job for name in ("key", "cert", "ca-file")
        )


def test_the_package_that_makes_certificates_is_needed(workplace, here, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    result = here(*arguments_for("samples.h5"), "--scheduler", "local", "--threads", 1)
    assert result.code == 2 and "needs cryptography" in result.sentence
    assert 'pip install "rsmi[dask]"' in result.sentence
