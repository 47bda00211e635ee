"""The document tests/benchmarks/RESULTS.md: the machine, eight headlines, and every measurement."""

from __future__ import annotations

import os
import platform
import subprocess
import sysconfig
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from timing import Row

import rsmi

INTRODUCTION = """\
# Benchmarks

`make bench` writes this file; please do not edit it. Every benchmark measures its baselines in the
same run. The numbers are CPU times of one core, medians over repeats. A row that ends in
"(15 x numpy)" is 15 times faster than the baseline named numpy. An effective sample counts two
integrated autocorrelation times of the energy or of |m|, whichever is slower.
"""


class Headline(NamedTuple):
    """A row of the table of headlines: ``row`` and ``baseline`` are how the names of two rows of
    ``benchmark`` begin; ``what`` and ``beside`` say in words what the rows measure."""

    benchmark: str
    row: str
    baseline: str
    what: str
    beside: str


HEADLINES = (
    Headline(
        "bitsliced",
        "avx512 heat-bath replicas 64x64",
        "baseline: mcising metropolis 128x128",
        "heat-bath update, 512 lattices at once, AVX-512",
        "Metropolis update of mcising",
    ),
    Headline(
        "bitsliced",
        "avx2 heat-bath replicas 64x64",
        "baseline: mcising metropolis 128x128",
        "the same with AVX2",
        "Metropolis update of mcising",
    ),
    Headline(
        "effective",
        "metropolis replicas L=64",
        "baseline: scalar metropolis L=64",
        "independent 64x64 configurations at T_c, Metropolis",
        "one spin at a time",
    ),
    Headline(
        "ising",
        "swendsen-wang 2D L=64",
        "baseline: mcising swendsen-wang 2D L=64",
        "Swendsen-Wang, 64x64 at T_c",
        "Swendsen-Wang of mcising",
    ),
    Headline(
        "ising",
        "wolff 2D L=64",
        "baseline: mcising wolff 2D L=64",
        "Wolff, 64x64 at T_c",
        "Wolff of mcising",
    ),
    Headline(
        "rbm",
        "CD-5 44 x 48, batch 100, auto",
        "baseline: numpy CD-5 44 x 48, batch 100",
        "contrastive divergence, CD-5, 44 x 48 units",
        "numpy",
    ),
    Headline(
        "operators",
        "16 operators",
        "baseline: 16 operators by np.roll",
        "16 lattice operators of a 64x64 lattice",
        "np.roll",
    ),
    Headline(
        "total_correlation",
        "correlation explanation",
        "baseline: corextopic",
        "correlation explanation, 256 spins, 16 units",
        "corextopic",
    ),
)


def processor() -> str:
    """The processor's name as the operating system gives it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def compiler() -> str:
    """The first line that the C compiler of this Python prints about itself."""
    command = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.splitlines()[0]


def machine() -> dict[str, str]:
    """What the numbers of a run depend on."""
    return {
        "processor": processor(),
        "system": platform.platform(),
        "compiler": compiler(),
        "rsmi": rsmi.__version__,
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "date": date.today().isoformat(),
    }


def line(row: Row) -> str:
    """One measurement as a line of a table."""
    ratios = ", ".join(f"{ratio:.3g} x {other}" for other, ratio in row.ratios.items())
    return f"  {row.name:76} {row.value:12.4g} {row.unit}{f'  ({ratios})' * bool(ratios)}"


def starting_with(rows: list[Row], beginning: str) -> Row | None:
    """The first row whose name begins so and then ends or goes on with a comma or a blank."""
    ends = ("", ",", " ")
    return next(
        (
            row
            for row in rows
            if row.name.startswith(beginning) and row.name[len(beginning) :][:1] in ends
        ),
        None,
    )


def speed_up(row: Row, baseline: Row) -> float:
    """How many times faster ``row`` is than ``baseline``. Values with a unit that ends in "/s" are
    rates, all others are times."""
    return row.value / baseline.value if row.unit.endswith("/s") else baseline.value / row.value


def headlines(results: dict[str, list[Row]]) -> str:
    """The table of headlines, of those whose rows were measured."""
    lines = ["| what | beside | times faster |", "| --- | --- | --- |"]
    for headline in HEADLINES:
        rows = results.get(headline.benchmark, [])
        row, baseline = (starting_with(rows, name) for name in (headline.row, headline.baseline))
        if row and baseline:
            ratio = float(f"{speed_up(row, baseline):.3g}")
            lines.append(f"| {headline.what} | {headline.beside} | {ratio:g} |")
    return "\n".join(lines) + "\n"


def document(facts: dict[str, str], results: dict[str, list[Row]], meanings: dict[str, str]) -> str:
    """RESULTS.md as a text.

    Parameters
    ----------
    facts : what ``machine`` returns.
    results : the rows of every benchmark.
    meanings : what every benchmark measures, in a paragraph.
    """
    table = "".join(f"| {name} | {value} |\n" for name, value in facts.items())
    parts = [INTRODUCTION, f"| machine | |\n| --- | --- |\n{table}"]
    if (rows := headlines(results)).count("\n") > 2:
        parts.append(f"## Headlines\n\n{rows}")
    for name, rows in results.items():
        lines = "".join(f"  {line(row)}\n" for row in rows)
        parts.append(f"## {name}\n\n{meanings[name]}\n\n{lines}")
    return "\n".join(parts)
