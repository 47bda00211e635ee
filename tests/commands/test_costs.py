"""--dry-run: the processor seconds and the bytes of a run, from a trial of its tasks."""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import pytest
from example_files import command

from rsmi.cli.common import _plan_text
from rsmi.stages import cost

START = "sample --size 32 --algorithm swendsen-wang --samples 8000"


@dataclass
class Work:
    """A task whose rows take 2 ms each."""

    total: int
    name = "work"

    def begin(self):
        return 0, {}

    def advance(self, state, start, count):
        end = time.process_time() + 0.002 * count
        while time.process_time() < end:
            pass
        return {}


def test_seconds_of_a_task_follow_from_a_few_rows():
    before = time.process_time()
    assert cost.seconds_of(Work(1000)) == pytest.approx(2, rel=0.2)
    assert time.process_time() - before < 0.5
    assert cost.seconds_of_alike([Work(1000), Work(500)]) == pytest.approx(3, rel=0.2)
    assert cost.seconds_of(Work(3)) == pytest.approx(0.006, rel=0.2)
    assert cost.seconds_of_alike([]) == 0


def test_seconds_of_a_size_have_a_constant_part():
    def work(size):
        Work(1).advance({}, 0, 10 + size)

    assert cost.seconds_of_size(work, 500, (2, 10)) == pytest.approx(1.02, rel=0.3)
    assert cost.seconds_of_size(work, 1, (2, 10)) == pytest.approx(0.022, rel=0.3)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("cpu_seconds", 1234.5, "1,234.5 s"),
        ("bytes", 1_000_000, "1,000,000 bytes"),
        ("shape", [16, 16], "16x16"),
        ("rule", {"name": "majority", "block": [2, 2]}, "name majority, block 2x2"),
        ("persistent", True, "yes"),
        ("estimator", None, "-"),
        ("shapes", [[8, 8], [4, 4]], "8x8, 4x4"),
    ],
)
def test_plan_is_no_python(name, value, text):
    assert _plan_text(name, value) == text


def test_bytes_are_those_of_the_file(tmp_path, capsys):
    line = f"{START} --temperature Tc --thermalization 1 --interval 1".split()
    output = tmp_path / "samples.h5"
    assert command(*line, "-o", output, "--dry-run", "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert command(*line, "-q", "-o", output) == 0
    assert plan["bytes"] == pytest.approx(output.stat().st_size, rel=0.05)


# ---- all commands --------------------------------------------------------------------------------

COMMANDS = {
    "samples.h5": f"{START} --temperature 0.98Tc",
    "hot.h5": f"{START} --temperature 1.02Tc",
    "large.h5": "sample --size 64 --temperature Tc --samples 10000",
    "cold-large.h5": "sample --size 64 --temperature 0.98Tc --samples 2000",
    "hot-large.h5": "sample --size 64 --temperature 1.02Tc --samples 2000",
    "dimers.h5": "sample --model dimers --size 16 --samples 5000",
    "potts.h5": "sample --model potts --states 3 --size 32 --temperature Tc --samples 5000",
    "ice.h5": "sample --model six-vertex --weight 1 --size 16 --samples 5000",
    "imported.h5": "import spins.npy --model none",
    "coarse.h5": "coarse-grain large.h5 --rule majority",
    "theta.h5": "train-theta large.h5 --block 2x2",
    "theta-4.h5": "train-theta large.h5 --block 4x4 --windows 20000",
    "rule.h5": "train-lambda large.h5 --block 2x2",
    "rule-4.h5": "train-lambda large.h5 --block 4x4 --hidden 2 --windows 300000",
    "rule-8.h5": "train-lambda large.h5 --block 8x8 --hidden 4 --buffer 2",
    "proxy.h5": "train-lambda large.h5 --block 2x2 --objective proxy --theta theta.h5",
    "correlation.h5": "train-lambda large.h5 --block 4x4 --objective total-correlation",
    "fields.h5": "train-lambda dimers.h5 --block 4x4 --hidden 2 --buffer 2",
    "states.h5": "train-lambda potts.h5 --block 2x2 --hidden-states 3",
    "flow.h5": "flow large.h5 --rule majority --steps 4",
    "flight.h5": "flow --model ising --size 64 --temperature Tc --samples 20000 --rule majority"
    " --steps 3",
    "exponent.h5": "exponent flow.h5",
    "crossing.h5": "crossing samples.h5 hot.h5 cold-large.h5 hot-large.h5",
    "spectrum.h5": "spectrum samples.h5 cold-large.h5",
    "spectrum-2.h5": "spectrum --model ising --sizes 8,16,32 --temperature Tc --samples 20000",
    "correlations.h5": "spectrum --model ising --sizes 8,16,32 --temperature Tc --samples 4000"
    " --correlation",
    "shard-0.h5": f"{START} --chains 16 --temperature Tc --shard 0/2",
    "shard-1.h5": f"{START} --chains 16 --temperature Tc --shard 1/2",
    "merged.h5": "merge shard-0.h5 shard-1.h5",
}


def seconds(folder, *line):
    """Run a command in a process; its processor seconds and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "rsmi", *line, "-q"],
        cwd=folder,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, done.stdout


@pytest.mark.slow
def test_costs_are_right_within_a_factor_of_two(tmp_path):
    """Every command, with its real processor seconds and the real size of its file."""
    spins = np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (10000, 64, 64))
    np.save(tmp_path / "spins.npy", spins)
    wrong = []
    for output, line in COMMANDS.items():
        arguments = [*line.split(), "-o", output]
        plan = json.loads(seconds(tmp_path, *arguments, "--dry-run", "--json")[1])
        spent, _ = seconds(tmp_path, *arguments)
        size = (tmp_path / output).stat().st_size
        ratios = (plan["cpu_seconds"] / spent, plan["bytes"] / size)
        print(f"{spent:7.2f} s x {ratios[0]:.2f}, {size:9} bytes x {ratios[1]:.2f}: {line}")
        wrong += [(line, ratios)] if not all(0.5 < ratio < 2 for ratio in ratios) else []
    assert not wrong
