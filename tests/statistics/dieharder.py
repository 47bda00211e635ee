"""The kernels' random words through dieharder, one record a source in tests/data/dieharder.

    make -C csrc dieharder            or            python tests/dieharder.py PROGRAM [SOURCE ...]

PROGRAM is csrc/tests/stream_words.c, which describes the sources. All 8 lanes of the 4 streams meet
every test of dieharder, a test that is in doubt once more with more words; the others meet those
that take seconds and look at words, runs, ranks and distances. A record begins with its command and
the hash of the words the source begins with, by which tests/test_randomness.py knows whose record
it is.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from rsmi.engine.keys import stream_key
from rsmi.models.ising.facts import critical_coupling

RECORDS = Path(__file__).parents[1] / "data/dieharder"
SOURCES = ("lanes", "lane", "bit", "blocks", "chains", "sites", "samples", "unmixed")
KEYS = 1024
FINGERPRINT_BYTES = 1 << 14
EVERYTHING = ("-a -Y 1 -k 2",)
SELECTION = (
    *(
        "-d 0",
        "-d 2",
        "-d 3",
        "-d 4",
        "-d 8",
        "-d 15",
        "-d 16",
        "-d 17",
        "-d 100",
        "-d 101",
        "-d 102",
        "-d 200 -n 2",
        "-d 200 -n 8",
    ),
    *(
        "-d 203 -n 0",
        "-d 203 -n 1",
        "-d 203 -n 7",
        "-d 203 -n 15",
        "-d 203 -n 31",
        "-d 205",
        "-d 206",
        "-d 207",
        "-d 208",
        "-d 209",
    ),
)


def keys() -> bytes:
    """The keys of the chains of one simulation."""
    physics = {
        "model": "ising",
        "shape": [64, 64],
        "coupling": critical_coupling(2),
        "algorithm": "heat-bath",
        "layout": "strip",
    }
    return b"".join(stream_key(1, "sample", physics, number).tobytes() for number in range(KEYS))


def fingerprint(words: bytes) -> str:
    """SHA-256 of what a source begins with."""
    return hashlib.sha256(words[:FINGERPRINT_BYTES]).hexdigest()


def first_words(program: str, source: str) -> bytes:
    return subprocess.run(
        [program, source, str(FINGERPRINT_BYTES)], input=keys(), stdout=subprocess.PIPE, check=True
    ).stdout


def judged(program: str, source: str, tests: str) -> list[str]:
    """Dieharder's lines of some tests; it closes the pipe when it has enough."""
    with subprocess.Popen(
        [program, source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as words:
        words.stdin.write(keys())
        words.stdin.close()
        answer = subprocess.run(
            ["dieharder", "-g", "200", *tests.split()],
            stdin=words.stdout,
            capture_output=True,
            text=True,
            check=True,
        )
        words.kill()
    return [
        line.strip()
        for line in answer.stdout.splitlines()
        if line.split("|")[-1].strip() in ("PASSED", "WEAK", "FAILED")
    ]


def record(program: str, source: str) -> None:
    """Write the record of one source."""
    tests = EVERYTHING if source == "lanes" else SELECTION
    options = tests[0] if len(tests) == 1 else "; ".join(tests)
    lines = [
        f"# stream_words {source} | dieharder -g 200 {options}",
        f"# {FINGERPRINT_BYTES} bytes {fingerprint(first_words(program, source))}",
    ]
    for test in tests:
        lines += judged(program, source, test)
    (RECORDS / f"{source}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    RECORDS.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or SOURCES:
        print(name, flush=True)
        record(sys.argv[1], name)
