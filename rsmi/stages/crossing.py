"""``rsmi crossing``: T_c and nu from samples of two or more lattice sizes, without exact knowledge
of the model."""

from __future__ import annotations

import contextlib
import json
import logging
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.tasks import Rows, State
from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.packed import count_ones
from rsmi.renormalization import finite_size
from rsmi.samples.checks import require_single_component
from rsmi.samples.files import open_file
from rsmi.stages.flow.from_files import refuse_equal_streams
from rsmi.statistics.autocorrelation import integrated_autocorrelation_time
from rsmi.statistics.binning import LENGTH
from rsmi.statistics.reweighting import Reweighting, histogram
from rsmi.statistics.summary import separate_chains
from rsmi.store import File, canonical_json

log = logging.getLogger("rsmi")

MOST_BLOCKS, FEWEST_BLOCKS = (
    64,
    16,
)  # of the jackknife: as many as are long against the autocorrelation time
LONG_BLOCK = 8  # times tau_int: shorter blocks give errors more than 6 % too small
HEADLINE = "binder"  # the crossing that is quoted, of the two largest sizes


@dataclass
class Measurement:
    """The task of one file: a row is one configuration; stateless."""

    name: str
    source: File

    @property
    def total(self) -> int:
        return self.source.shape("/spins")[0]

    def begin(self):
        return 0, {}

    def advance(self, state: State, start: int, count: int) -> Rows:
        shape, rows = (
            self.source.attributes["shape"],
            self.source.read("/spins", start, start + count),
        )
        distances = (2, 4) if finite_size.has_correlation_ratio(shape) else ()
        found = {name: np.zeros(count, np.int64) for name in ("half", "quarter")}
        found |= {
            name: finite_size.correlation_sums(rows, shape, divisor)
            for name, divisor in zip(found, distances)
        }
        return found | {"magnetization": 2 * count_ones(rows) - math.prod(shape)}


@dataclass(frozen=True)
class Crossing:
    """A checked request: samples files, hottest and smallest first."""

    sources: tuple[File, ...]

    @property
    def request(self) -> Request:
        return Request("crossing", "crossing", {}, self.sources)

    def of_size(self) -> dict[tuple[int, ...], list[int]]:
        """Numbers of the files of each lattice, smallest first."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for number, source in enumerate(self.sources):
            groups.setdefault(source.attributes["shape"], []).append(number)
        return dict(sorted(groups.items(), key=lambda item: math.prod(item[0])))


@contextlib.contextmanager
def prepare(paths: list[Path]):
    """Open the inputs and check that they fit one another.

    Raises
    ------
    UsageError
        If there is one size only, one temperature only of a size, an unknown coupling or energy, if
        all energies are one, or if those of neighbouring temperatures do not overlap.
    """
    with contextlib.ExitStack() as stack:
        sources = [stack.enter_context(open_file(path, "samples")) for path in paths]
        for source in sources:
            _check_source(source, sources[0])
        refuse_equal_streams(tuple(sources))
        work = Crossing(tuple(sources))
        _check_sizes(work)
        for shape, numbers in work.of_size().items():
            _check_temperatures(shape, [sources[number] for number in numbers])
        yield work


def _check_source(source: File, first: File) -> None:
    require_single_component(source)
    attributes, n = source.attributes, source.shape("/spins")[0]
    if "coupling" not in attributes:
        raise UsageError(
            f"{source.path}: the temperature of the samples is unknown; reweighting needs it"
        )
    if "/energy" not in source:
        raise UsageError(
            f"{source.path}: holds no energies; reweighting needs that of every sample"
        )
    if n < FEWEST_BLOCKS:
        raise UsageError(
            f"{source.path}: {n} samples are too few: at least {FEWEST_BLOCKS} are needed for an"
            " error"
        )
    for name in ("model", "rg_step"):
        if attributes[name] != first.attributes[name]:
            raise UsageError(
                f"{source.path}: {name} {attributes[name]}, {first.path} has"
                f" {first.attributes[name]}: sizes of one system are compared"
            )


def _check_sizes(work: Crossing) -> None:
    shapes = list(work.of_size())
    if len(shapes) < 2:
        raise UsageError(
            f"all samples are of {shape_text(shapes[0])}: a crossing takes two lattice sizes at"
            " least"
        )
    smallest = shapes[0]
    for shape in shapes[1:]:
        if len(shape) != len(smallest) or any(
            side * smallest[0] != shape[0] * other for side, other in zip(shape, smallest)
        ):
            raise UsageError(
                f"{shape_text(smallest)} and {shape_text(shape)} are not of one form: their curves"
                " do not cross at T_c"
            )


def _check_temperatures(shape: tuple[int, ...], sources: list[File]) -> None:
    if len({f"{source.attributes['coupling']:.10g}" for source in sources}) < 2:
        raise UsageError(
            f"{shape_text(shape)}: has one temperature only; a crossing needs two or more of every"
            " size, on either side of T_c"
        )
    energies = [source.read("/energy") for source in sources]
    if len(np.unique(np.concatenate(energies))) < 2:
        raise UsageError(
            f"{shape_text(shape)}: all samples have one energy; there is nothing to reweight in"
            " constant samples"
        )
    try:
        Reweighting(
            histogram(
                [source.attributes["coupling"] for source in sources],
                energies,
                [np.zeros((len(e), 0)) for e in energies],
            )
        )
    except UsageError as error:
        raise UsageError(f"{shape_text(shape)}: {error}") from error


def run(work: Crossing, output: Path, options: RunOptions) -> None:
    """Measure and analyse, or resume.

    Raises
    ------
    UsageError
        If no two sizes cross at a sampled temperature.
    """
    with Session(output, work.request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        tasks = [
            Measurement(f"file-{number:04d}", source) for number, source in enumerate(work.sources)
        ]
        session.run(tasks, "measuring", "sample")
        measured = [
            {name: session.rows(task).read(name) for name in ("magnetization", "half", "quarter")}
            for task in tasks
        ]
        blocks = _block_count(work.sources, [rows["magnetization"] for rows in measured])
        curves, rows = finite_size.analyse(_lattices(work, measured, blocks), blocks)
        if all(row["T_c"] is None for row in rows):
            session.discard()
            raise UsageError(
                f"{rows[0]['reason']} (sizes {' and '.join(map(str, rows[0]['sizes']))})"
            )
        _publish(session, work, curves, rows, blocks)


def _lattices(work: Crossing, measured: list[Rows], n_blocks: int) -> list[finite_size.Lattice]:
    found = []
    for shape, numbers in work.of_size().items():
        sources, rows = (
            [work.sources[number] for number in numbers],
            [measured[number] for number in numbers],
        )
        found.append(
            finite_size.Lattice(
                shape[0],
                np.array([source.attributes["coupling"] for source in sources]),
                [source.read("/energy") for source in sources],
                [
                    finite_size.observables(
                        row["magnetization"], row["half"], row["quarter"], shape
                    )
                    for row in rows
                ],
                [_blocks(source, n_blocks) for source in sources],
            )
        )
    return found


def _blocks(source: File, n_blocks: int) -> np.ndarray:
    """The block of each sample: runs of successive samples of a chain, one chain after the
    other."""
    n, chains = source.shape("/spins")[0], source.attributes["chains"]
    by_chain = np.argsort(np.arange(n) % chains, kind="stable")
    blocks = np.empty(n, dtype=np.int64)
    blocks[by_chain] = np.arange(n) * n_blocks // n
    return blocks


def _block_count(sources: tuple[File, ...], magnetizations: list[np.ndarray]) -> int:
    """As many blocks as are long against the autocorrelation time in every file; says so where even
    the fewest are not."""
    count = MOST_BLOCKS
    for source, magnetization in zip(sources, magnetizations):
        chains = source.attributes["chains"]
        samples = len(magnetization)
        tau, error = max(
            (
                integrated_autocorrelation_time(separate_chains(series, chains))
                for series in (np.abs(magnetization), source.read("/energy"))
            ),
            key=lambda pair: pair[0],
        )
        count = min(count, max(int(samples / (LENGTH * tau)), FEWEST_BLOCKS), samples)
        if tau - error > 1 and samples / FEWEST_BLOCKS < LONG_BLOCK * tau:
            log.warning(
                "%s: tau_int = %.1f stored intervals, and a block of the jackknife has %.1f: the"
                " errors are too small; sample more, or with a longer --interval",
                source.path,
                tau,
                samples / FEWEST_BLOCKS,
            )
    return count


def _publish(
    session: Session, work: Crossing, curves: finite_size.Curves, rows: list[dict], blocks: int
) -> None:
    shapes, files = list(work.of_size()), work.sources
    headline = [row for row in rows if row["quantity"] == HEADLINE][-1]
    found = {
        "model": files[0].attributes["model"],
        "dimension": len(shapes[0]),
        "sizes": [shape[0] for shape in shapes],
        "temperatures": sorted({1 / source.attributes["coupling"] for source in files}),
        "blocks": blocks,
        **{
            f"{name}{suffix}": headline[f"{name}{suffix}"]
            for name in ("T_c", "nu")
            for suffix in ("", "_error")
        },
        "T_c_reason": headline["reason"],
        "crossings": rows,
    }

    def fill(writer):
        writer.write("/result", np.bytes_(canonical_json(found)))
        writer.write("/curves/size", np.array(found["sizes"], dtype=np.int64))
        writer.write("/curves/coupling", curves.coupling)
        for column, name in enumerate(finite_size.QUANTITIES):
            writer.write(f"/curves/{name}", np.ascontiguousarray(curves.value[..., column]))
            writer.write(f"/curves/{name}_error", np.ascontiguousarray(curves.error[..., column]))

    session.publish({"model": found["model"]}, fill, 1 << 18)


# ---- what it says --------------------------------------------------------------------------------


def summary(file: File) -> dict:
    """The stored answer."""
    return {"file": str(file.path), **json.loads(bytes(file.read("/result")[()]).decode())}


def plan(work: Crossing) -> dict:
    """What a run would do."""
    sizes = {shape_text(shape): len(numbers) for shape, numbers in work.of_size().items()}
    return {
        "files": len(work.sources),
        "samples": sum(source.shape("/spins")[0] for source in work.sources),
        "sizes": list(sizes),
        "files_of_size": list(sizes.values()),
    }
