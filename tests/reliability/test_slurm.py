"""The jobs of data/slurm in a real Slurm: pre-empted, stopped before their time limit, requeued,
and the digests of one plain run."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from conftest import digest
from slurm_cluster import missing_packages, slurm

import rsmi

JOBS = Path(__file__).parents[2] / "data/slurm"
SHARDS = 4
SAMPLE = "--size 16 --temperature Tc --chains 8 --samples 2400 --thermalization 4 --interval 2"

# The command line with rows that take a twentieth of a second, on fast machines and slow: 30 s a
# shard, and USR1 comes before.
SLOW = """
import time
from rsmi.cli import main
from rsmi.models.chains import Chain

advance = Chain.advance

def slow(chain, state, start, count):
    time.sleep(0.05 * count)
    return advance(chain, state, start, count)

Chain.advance = slow
main()
"""
URGENT = (
    "#!/bin/bash\n#SBATCH --partition=high --ntasks=1 --output=urgent.log\nsleep 5\necho done\n"
)


@pytest.fixture
def cluster():
    """A Slurm of one node with four processors to give away, whatever the machine has."""
    missing = missing_packages()
    if missing:
        pytest.fail(f"this test needs Slurm: apt-get install {' '.join(missing)}", pytrace=False)
    with slurm() as running:
        yield running


@pytest.mark.slurm
def test_jobs_that_are_pre_empted_and_out_of_time(cluster, workplace, here):
    """Four shards of 30 s and a time limit whose signal comes after less; an urgent job takes the
    processor of one of them.

    Wrong would be: a shard killed instead of asked (no SIGTERM or SIGUSR1 in the logs), one begun
    anew (no resuming), a job that requeues the others of its array (they would be killed in the
    middle), the rest begun too early or never, another digest.
    """
    for path in JOBS.iterdir():
        shutil.copy(path, workplace)
    Path("slow.py").write_text(SLOW)
    Path("urgent.sbatch").write_text(URGENT)
    cluster.environment |= {
        "RSMI": f"{sys.executable} {workplace}/slow.py",
        "SAMPLE": SAMPLE,
        "PYTHONPATH": str(Path(rsmi.__file__).parents[1]),
    }
    submitted = cluster.command("./submit.sh", "--time=2", cwd=workplace)
    array, rest = re.fullmatch(r"shards: job (\d+), the rest: job (\d+)", submitted).groups()

    def report() -> str:
        return "\n".join(
            f"--- {path.name}\n{path.read_text()}" for path in sorted(workplace.glob("*.log"))
        )

    def at_work() -> bool:
        assert "FAILED" not in cluster.states(array), report()
        return all(
            any(Path(f"shard-{number}.h5.parts").glob("chain-*")) for number in range(SHARDS)
        )

    cluster.wait("all shards at work", at_work, 120)
    urgent = cluster.command("sbatch", "--parsable", "urgent.sbatch", cwd=workplace)
    cluster.wait(
        "the rest",
        lambda: cluster.states(rest) <= {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"},
        600,
    )

    logs = [Path(f"rsmi-shard-{number}.log").read_text() for number in range(SHARDS)]
    print(submitted, report(), sep="\n")
    assert [cluster.states(job) for job in (array, rest, urgent)] == [{"COMPLETED"}] * 3, report()
    stopped = "stopped by {}; the checkpoint is written: run the same command again"
    assert sum(stopped.format("SIGTERM") in log for log in logs) == 1, report()
    assert sum(stopped.format("SIGUSR1") in log for log in logs) >= 2, report()
    for log in logs:
        assert (
            "the checkpoint is written" in log and "resuming" in log and "TIME LIMIT" not in log
        ), report()
    assert not list(workplace.glob("*.parts"))

    assert here("sample", *SAMPLE.split(), "-o", "plain-samples.h5").code == 0
    assert digest("samples.h5") == digest("plain-samples.h5")
    assert (
        here(
            "train-lambda", *"plain-samples.h5 --block 2x2 --hidden 1 -o plain-lambda.h5".split()
        ).code
        == 0
    )
    assert (
        here(
            "flow",
            *"plain-samples.h5 --rule plain-lambda.h5 --hard --steps 2 -o plain-flow.h5".split(),
        ).code
        == 0
    )
    assert here("exponent", *"plain-flow.h5 -o plain-exponent.h5".split()).code == 0
    for name in ("lambda.h5", "flow.h5", "exponent.h5"):
        assert digest(name) == digest(f"plain-{name}")


def test_the_jobs_are_valid_scripts():
    """What can be said of them without Slurm: bash takes them, and plain USR1 is asked for (B:USR1
    goes to the shell alone)."""
    for path in [*JOBS.glob("*.sbatch"), *JOBS.glob("*.sh")]:
        assert os.system(f"bash -n '{path}'") == 0
    for path in JOBS.glob("*.sbatch"):
        text = path.read_text()
        assert all(
            f"#SBATCH --{option}" in text
            for option in ("requeue", "signal=USR1@120", "open-mode=append")
        )
