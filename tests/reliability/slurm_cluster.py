"""A Slurm of one node, made from nothing in a folder of its own and gone afterwards: loopback, own
key, own ports, no cgroups."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

_PATH = os.environ.get("PATH", "/usr/bin") + ":/usr/sbin:/sbin"  # where daemons are
PACKAGES = {
    "munged": "munge",
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "sbatch": "slurm-client",
}

# cred_expire: how long a requeued job waits before it may run again, 120 s by default.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=5,sched_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=10
MinJobAge=86400
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=low Nodes={host} Default=YES MaxTime=60 PriorityTier=1 GraceTime=60 State=UP
PartitionName=high Nodes={host} MaxTime=60 PriorityTier=10 PreemptMode=OFF State=UP
"""


class Cluster:
    """A running Slurm; ``environment`` makes its commands find it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = {**os.environ, "PATH": _PATH, "SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: list[subprocess.Popen] = []

    def command(self, *words, **settings) -> str:
        """Output of a command that must succeed."""
        done = subprocess.run(
            [str(word) for word in words],
            env=self.environment,
            capture_output=True,
            text=True,
            **settings,
        )
        assert done.returncode == 0, f"{words}: {done.stderr}\n{self.logs()}"
        return done.stdout.strip()

    def states(self, job: str) -> set[str]:
        """The states of a job, or of all tasks of an array."""
        return set(re.findall(r"JobState=(\w+)", self.command("scontrol", "show", "job", job)))

    def start(self) -> None:
        """Start the daemons and wait until the node takes jobs."""
        self._configure()
        munge = self.folder / "munge"
        self._daemon(
            "munged",
            "--foreground",
            "--force",
            *(
                f"--{name}={munge / name}"
                for name in ("socket", "key-file", "pid-file", "log-file", "seed-file")
            ),
        )
        self.wait("munged", lambda: (munge / "socket").exists())
        self._daemon("slurmctld", "-D", "-c")
        self._daemon("slurmd", "-D", "-c")
        self.wait("the node", lambda: self._node() == "idle")

    def _configure(self) -> None:
        for name in ("munge", "state", "spool"):
            (self.folder / name).mkdir()
        (self.folder / "munge").chmod(0o755)
        key = self.folder / "munge/key-file"
        key.touch(0o600)
        key.write_bytes(secrets.token_bytes(128))
        controller, daemon = free_ports(2)
        text = CONFIGURATION.format(
            host=socket.gethostname().split(".")[0],
            controller=controller,
            daemon=daemon,
            user=getpass.getuser(),
            folder=self.folder,
        )
        (self.folder / "slurm.conf").write_text(text)

    def _daemon(self, *words) -> None:
        with open(self.folder / f"{words[0]}.out", "wb") as out:
            self._daemons.append(
                subprocess.Popen(words, env=self.environment, stdout=out, stderr=subprocess.STDOUT)
            )

    def _node(self) -> str:
        return subprocess.run(
            ["sinfo", "--noheader", "--partition=low", "--format=%T"],
            env=self.environment,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def wait(self, what: str, ready, seconds: float = 60) -> None:
        """Wait until ``ready()``; give up with what the daemons wrote."""
        end = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < end, f"{what}: not ready after {seconds:.0f} s\n{self.logs()}"
            assert all(daemon.poll() is None for daemon in self._daemons), (
                f"{what}: a daemon ended\n{self.logs()}"
            )
            time.sleep(0.2)

    def stop(self) -> None:
        """End all jobs, then the daemons, the last one first."""
        subprocess.run(
            ["scancel", "--full", "--signal=KILL", f"--user={getpass.getuser()}"],
            env=self.environment,
            capture_output=True,
        )
        subprocess.run(
            ["scancel", f"--user={getpass.getuser()}"], env=self.environment, capture_output=True
        )
        with contextlib.suppress(AssertionError):
            self.wait("the jobs' end", lambda: not self.command("squeue", "--noheader"), 20)
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(15)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def logs(self) -> str:
        """The ends of all logs."""
        paths = sorted(
            [
                *self.folder.glob("*.log"),
                *self.folder.glob("*.out"),
                *self.folder.glob("munge/log-file"),
            ]
        )
        return "\n".join(
            f"--- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-25:])
            for path in paths
        )


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def missing_packages() -> list[str]:
    """Debian packages that are needed and not there."""
    return [
        package
        for program, package in PACKAGES.items()
        if shutil.which(program, path=_PATH) is None
    ]


@contextlib.contextmanager
def slurm():
    """A cluster that is stopped and removed whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)  # munge's socket must be reachable for every user
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
