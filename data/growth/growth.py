"""CPU seconds, peak memory and disk of rsmi commands against the size of their work.

    python growth.py OUT.json [SERIES...]     measure all series, or those named again

Every command is a child process of its own; its user and system CPU seconds and its largest
resident memory are those that the kernel counts (wait4), of all its threads. What other processes
do on the machine changes the CPU seconds by ten or twenty per cent, and the wall time by any
factor: wall time is recorded too, for the series of threads alone. RSMI in the environment names
the program.
"""

import json
import math
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = shlex.split(os.environ.get("RSMI", "rsmi"))
SIDES = {2: (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192), 3: (16, 32, 64, 128, 256, 512)}
STEPS = "--rule majority --steps 3"
WINDOWS = (  # of every training: its work is the same whatever the file
    "--windows 20000 --restarts 1"
)
REPLICAS = 512


# ---- one command ---------------------------------------------------------------------------------


def run(folder: Path, output: str, words: str) -> dict:
    """What a command takes. Nothing large is loaded here: a child's peak begins with the memory of
    the process that forks it."""
    began, disk = time.monotonic(), 0
    child = subprocess.Popen(
        [*PROGRAM, *words.split(), "-q", "--force", "-o", output],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    while not (found := os.wait4(child.pid, os.WNOHANG))[0]:
        disk = max(disk, occupied(folder, output))
        time.sleep(0.02)
    _, status, used = found
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"growth.py: rsmi {words}: exit code {child.returncode}")
    bytes_ = (folder / output).stat().st_size
    return {
        "cpu": round(used.ru_utime + used.ru_stime, 3),
        "memory": used.ru_maxrss * 1024,
        "wall": round(time.monotonic() - began, 3),
        "bytes": bytes_,
        "disk": max(disk, bytes_),
        "command": f"rsmi {words} -o {output}",
    }


def occupied(folder: Path, output: str) -> int:
    """Bytes of a file and of its parts."""
    total = 0
    for path in (folder / output, *folder.glob(f"{output}.parts/*")):
        try:
            total += path.stat().st_size
        except OSError:  # renamed or removed between the two calls
            pass
    return total


# ---- the series ----------------------------------------------------------------------------------


class Measurements:
    """Rows of {series, x, samples, sites, cpu, memory, ...}; files of one series are inputs of the
    next."""

    def __init__(self, folder: Path, wanted: list[str]):
        self.folder, self.wanted, self.rows = folder, wanted, []

    def add(
        self, series: str, x, words: str, output: str, samples: int = 1, sites: int = 1, **facts
    ) -> None:
        """Run, and record if asked for; what is not asked for is run where another needs its
        file."""
        if (
            self.wanted
            and not any(name in series for name in self.wanted)
            and not output.startswith("samples")
        ):
            return
        row = {
            "series": series,
            "x": x,
            "samples": samples,
            "sites": sites,
            **facts,
            **run(self.folder, output, words),
        }
        self.rows.append(row)
        print(
            f"{series:28s} {x!s:>9} {row['cpu']:9.2f} s {row['memory'] / 2**20:8.0f} MB",
            file=sys.stderr,
            flush=True,
        )

    def forget(self) -> None:
        """Remove the files: a disk holds those of one size at a time."""
        for path in self.folder.glob("*.h5"):
            path.unlink()


def ising(
    dimension: int, side: int, algorithm: str, samples: int, interval: int, chains: int
) -> str:
    return (
        f"--model ising --dimension {dimension} --size {side} --temperature Tc --algorithm"
        f" {algorithm} --samples {samples} --chains {chains} --thermalization 0 --interval"
        f" {interval} --threads 1"
    )


def starting(found: Measurements) -> None:
    """What a command takes that does next to nothing: the interpreter and its libraries, a
    training."""
    found.add("start sample", 0, "sample " + ising(2, 16, "metropolis", 512, 1, 512), "samples.h5")
    found.add("start flow", 0, f"flow samples.h5 {STEPS} --threads 1", "flow.h5")
    found.add(
        "start in-flight",
        0,
        "flow " + ising(2, 16, "metropolis", 512, 1, 512) + f" {STEPS}",
        "in-flight.h5",
    )
    found.add(
        "start coarse-grain", 0, "coarse-grain samples.h5 --rule majority --threads 1", "coarse.h5"
    )
    found.add(
        "start train-lambda",
        0,
        f"train-lambda samples.h5 --block 2x2 {WINDOWS} --threads 1",
        "lambda.h5",
    )
    found.forget()


def sizes(found: Measurements, dimension: int) -> None:
    """Against L: few configurations where the lattice is large, the updates in all about the
    same."""
    for side in SIDES[dimension]:
        sites = side**dimension
        chains = REPLICAS if side < 128 else 1
        n = min(max(1 << 34, REPLICAS * 100 * sites * (chains > 1)) // (100 * sites), 1 << 19)
        facts = {"samples": max(n, 16 if dimension == 2 else 4), "sites": sites}
        end, n = f"{dimension}D", facts["samples"]
        found.add(
            f"sample metropolis {end}",
            side,
            "sample " + ising(dimension, side, "metropolis", n, 100, chains),
            "samples.h5",
            **facts,
            interval=100,
        )
        found.add(f"flow {end}", side, f"flow samples.h5 {STEPS} --threads 1", "flow.h5", **facts)
        found.add(
            f"coarse-grain {end}",
            side,
            "coarse-grain samples.h5 --rule majority --threads 1",
            "coarse.h5",
            **facts,
        )
        if n >= 16:
            found.add(
                f"train-lambda {end}",
                side,
                f"train-lambda samples.h5 {WINDOWS} --block {'x'.join('2' * dimension)}"
                " --threads 1",
                "lambda.h5",
                **facts,
            )
        chains = REPLICAS if side < 128 else 1
        n = max(4, chains, (1 << 28) // sites)
        found.add(
            f"in-flight {end}",
            side,
            "flow " + ising(dimension, side, "metropolis", n, 1, chains) + f" {STEPS}",
            "in-flight.h5",
            samples=n,
            sites=sites,
            interval=1,
        )
        n = max(2, (1 << 27) // sites)
        found.add(
            f"sample swendsen-wang {end}",
            side,
            "sample " + ising(dimension, side, "swendsen-wang", n, 2, 1),
            "clusters.h5",
            samples=n,
            sites=sites,
            interval=2,
        )
        found.forget()


def samples(found: Measurements) -> None:
    """Against the number of configurations: of 64x64 to a million, of 16x16 to ten millions."""
    for side, largest in ((64, 6), (16, 7)):
        for n in (10**power for power in range(3, largest + 1)):
            facts, sampled = (
                {"samples": n, "sites": side**2},
                ising(2, side, "metropolis", n, 10, 2 * REPLICAS),
            )
            found.add(f"n: sample {side}", n, "sample " + sampled, "samples.h5", **facts)
            found.add(
                f"n: flow {side}", n, f"flow samples.h5 {STEPS} --threads 1", "flow.h5", **facts
            )
            found.add(
                f"n: coarse-grain {side}",
                n,
                "coarse-grain samples.h5 --rule majority --threads 1",
                "coarse.h5",
                **facts,
            )
            found.add(
                f"n: train-lambda {side}",
                n,
                f"train-lambda samples.h5 --block 2x2 {WINDOWS} --threads 1",
                "lambda.h5",
                **facts,
            )
            found.add(f"n: in-flight {side}", n, f"flow {sampled} {STEPS}", "in-flight.h5", **facts)
            found.forget()


def chains(found: Measurements) -> None:
    """Against the number of chains of one thread: a configuration of each."""
    for number in (1, 4, 16, 64):
        for name, words in (("sample", "sample "), ("in-flight", f"flow {STEPS} ")):
            found.add(
                f"chains: {name} 2048",
                number,
                words + ising(2, 2048, "swendsen-wang", number, 1, number),
                "samples.h5",
                samples=number,
                sites=2048**2,
            )
        found.forget()


def threads(found: Measurements) -> None:
    """On one thread and on two: here wall time counts."""
    for number in (1, 2):
        sampled = ising(2, 64, "metropolis", 1 << 16, 200, 2 * REPLICAS).replace("--threads 1", "")
        found.add("threads: sample", number, f"sample {sampled} --threads {number}", "samples.h5")
        found.add("threads: flow", number, f"flow samples.h5 {STEPS} --threads {number}", "flow.h5")
        found.add(
            "threads: in-flight",
            number,
            f"flow {sampled} {STEPS} --threads {number}",
            "in-flight.h5",
        )
        found.add(
            "threads: train-lambda",
            number,
            f"train-lambda samples.h5 --block 4x4 --restarts 2 --threads {number}",
            "lambda.h5",
        )
        found.forget()


def shards(found: Measurements) -> None:
    """Eight chains by one process, and by 1 to 8 shards and merge: CPU seconds of all, memory of
    the largest."""
    sampled = ising(2, 64, "swendsen-wang", 1 << 14, 10, 8)
    for name, words in (("sample", f"sample {sampled}"), ("in-flight", f"flow {sampled} {STEPS}")):
        found.add(f"shards: {name}", 0, words, "whole.h5", part="whole")
        for count in (1, 2, 4, 8):
            for number in range(count):
                found.add(
                    f"shards: {name}",
                    count,
                    f"{words} --shard {number}/{count}",
                    f"shard-{number}.h5",
                    part="shard",
                )
            found.add(
                f"shards: {name}",
                count,
                "merge " + " ".join(f"shard-{i}.h5" for i in range(count)) + " --threads 1",
                "merged.h5",
                part="merge",
            )
        found.forget()


def statistics(found: Measurements) -> None:
    """Errors of the exponents and autocorrelation times of small flows in three dimensions, for
    what a large one would reach."""
    for side in (16, 32, 64):
        steps = int(math.log2(side)) - 2  # to a lattice of four sites along a side
        words = (
            f"flow --model ising --dimension 3 --size {side} --temperature Tc --algorithm"
            " swendsen-wang --samples 4096 --chains 16 "
        )
        flow = (
            "statistics 3D",
            side,
            words + f"--thermalization 60 --interval 1 --rule majority --steps {steps} --threads 1",
            "in-flight.h5",
        )
        found.add(*flow, samples=4096, sites=side**3, steps=steps)
        if found.rows and found.rows[-1]["x"] == side:
            found.add("statistics exponent", side, "exponent in-flight.h5", "exponent.h5")
            found.rows[-2] |= statistics_of(found.folder)
        found.forget()
    for side in (8, 16, 32):
        words = (
            f"sample --dimension 3 --size {side} --temperature Tc --algorithm metropolis --samples"
            " 1 --thermalization auto --interval auto --dry-run --json"
        )
        if not found.wanted or "statistics" in " ".join(found.wanted):
            plan = json.loads(
                subprocess.run(
                    [*PROGRAM, *words.split(), "-o", "none.h5"],
                    cwd=found.folder,
                    stdout=subprocess.PIPE,
                    check=True,
                ).stdout
            )
            found.rows.append(
                {
                    "series": "tau metropolis",
                    "x": side,
                    "tau": plan["thermalization"] / 20,
                    "command": f"rsmi {words}",
                }
            )


def statistics_of(folder: Path) -> dict:
    """The errors of the exponents of one step more and more, and the autocorrelation time in
    sweeps."""
    told = subprocess.run(
        [*PROGRAM, "info", "exponent.h5", "--json"], cwd=folder, stdout=subprocess.PIPE, check=True
    ).stdout
    ask = (
        "import h5py; f = h5py.File('in-flight.h5'); print(f['files/tau_int'][0],"
        " f['files/tau_int_error'][0])"
    )
    tau = subprocess.run(
        [sys.executable, "-c", ask], cwd=folder, stdout=subprocess.PIPE, check=True
    ).stdout
    covariance = json.loads(told)["covariance"]
    errors = {
        name: [math.sqrt(covariance[name][i][i]) for i in range(len(covariance[name]))]
        for name in ("y_t", "y_h")
    }
    return {"errors": errors, "tau": list(map(float, tau.split()))}


def main(output: str, *wanted: str) -> None:
    """Measure, and write what was found; rows of other series stay."""
    kept = json.loads(Path(output).read_text()) if wanted and Path(output).exists() else []
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        found = Measurements(Path(folder), list(wanted))
        for part in (
            starting,
            lambda f: sizes(f, 3),
            statistics,
            lambda f: sizes(f, 2),
            shards,
            chains,
            samples,
            threads,
        ):
            part(found)
            fresh = {row["series"] for row in found.rows}
            write(output, [row for row in kept if row["series"] not in fresh] + found.rows)


def write(output: str, rows: list[dict]) -> None:
    """One row on a line."""
    Path(f"{output}.tmp").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    os.replace(f"{output}.tmp", output)


if __name__ == "__main__":
    main(*sys.argv[1:])
