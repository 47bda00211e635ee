"""``rsmi crossing``: T_c and nu from samples of two or more lattice sizes, without exact knowledge
of the model."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.tasks import Rows, State
from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text, sides_text
from rsmi.lattice.packed import count_ones
from rsmi.models import order
from rsmi.renormalization import finite_size
from rsmi.samples.examination.stored import contradictions_of, warn
from rsmi.samples.subject import subject
from rsmi.samples.views import ResultFile, SamplesFile
from rsmi.stages.cost import Cost, file_cost, timed
from rsmi.statistics.autocorrelation import integrated_autocorrelation_time
from rsmi.statistics.binning import LENGTH
from rsmi.statistics.rounding import DIGITS_OF_ERRORS, estimates, reported, significant
from rsmi.statistics.summary import separate_chains
from rsmi.store import File, Writer, canonical_json

_CURVES = 2500  # bytes of the curves of a size

log = logging.getLogger("rsmi")

# Blocks of the jackknife: as many as are long compared with the autocorrelation time.
MOST_BLOCKS = 64
FEWEST_BLOCKS = 16
LONG_BLOCK = 8  # autocorrelation times; shorter blocks give errors that are over 6 % too small
HEADLINE = "binder"  # the quantity whose crossing is quoted, for the two largest sizes

_DISTANCES = {"half": 2, "quarter": 4}  # correlations at L/2 and L/4
_SERIES = ("magnetization", *_DISTANCES)


@dataclass
class MomentTask:
    """The task of one file: a row holds what is averaged over one configuration; it has no state.

    The arrays are the magnetization and the correlations at L/2 and L/4; of variables with more
    than two states those of the order parameter, see `rsmi.models.order`.
    """

    name: str
    source: SamplesFile

    @property
    def total(self) -> int:
        """The number of configurations."""
        return self.source.count

    def begin(self) -> tuple[int, State]:
        """No state."""
        return 0, {}

    def advance(self, state: State, start: int, count: int) -> Rows:
        """Measure ``count`` configurations."""
        if self.source.states > 2:
            return self._of_states(start, start + count)
        shape, spins = self.source.shape, self.source.spins(start, start + count)
        rows = {
            name: (
                finite_size.correlation_sums(spins, shape, divisor)
                if finite_size.has_correlation_ratio(shape)
                else np.zeros(count, np.int64)
            )
            for name, divisor in _DISTANCES.items()
        }
        return rows | {"magnetization": 2 * count_ones(spins) - math.prod(shape)}

    def _of_states(self, start: int, stop: int) -> Rows:
        """The same of the order parameter of variables with more than two states."""
        source, shape = self.source, self.source.shape
        codes, states = source.codes(start, stop)[:, 0], source.states
        symmetry = source.model.symmetry(source.attributes)
        flat = codes.reshape(len(codes), -1)
        counts = np.stack([(flat == code).sum(axis=1) for code in range(states)], axis=1)
        rows = {"magnetization": math.prod(shape) * np.sqrt(order.squared(counts, symmetry))}
        measurable = finite_size.has_correlation_ratio(shape)
        for name, divisor in _DISTANCES.items():
            rows[name] = (
                order.correlation_sums(codes, states, symmetry, divisor)
                if measurable
                else np.zeros(len(codes))
            )
        return rows


@dataclass(frozen=True)
class Crossing:
    """A checked request: the samples files in the order in which they were given."""

    sources: tuple[SamplesFile, ...]

    @property
    def request(self) -> Request:
        """The file that the command makes."""
        return Request("crossing", "crossing", {}, tuple(source.file for source in self.sources))

    def by_size(self) -> dict[tuple[int, ...], list[int]]:
        """The numbers of the files of each lattice, smallest lattice first."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for number, source in enumerate(self.sources):
            groups.setdefault(source.shape, []).append(number)
        return dict(sorted(groups.items(), key=lambda item: math.prod(item[0])))


def known_couplings(sources: Sequence[SamplesFile]) -> list[float]:
    """The couplings of checked files: all of them are known."""
    return [source.coupling for source in sources if source.coupling is not None]


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
        for source in work.sources:
            warn(source.file)
        tasks = _tasks(work)
        session.run(tasks, "measuring", "sample")
        measured = [{name: session.rows(task).read(name) for name in _SERIES} for task in tasks]
        curves, rows, blocks = _analysed(work, measured)
        if all(row["T_c"] is None for row in rows):
            session.discard()
            raise UsageError(
                f"{rows[0]['reason']} (sizes {' and '.join(_names(work, rows[0]['sizes']))})"
            )
        _publish(session, work, curves, rows, blocks)


def _tasks(work: Crossing) -> list[MomentTask]:
    """One task for every file."""
    return [MomentTask(f"file-{number:04d}", one) for number, one in enumerate(work.sources)]


def _analysed(
    work: Crossing, measured: list[Rows]
) -> tuple[finite_size.Curves, list[dict[str, Any]], int]:
    """The curves, their crossings, and the number of blocks."""
    blocks = _block_count(work.sources, [rows["magnetization"] for rows in measured])
    return *finite_size.analyse(_lattices(work, measured, blocks), blocks), blocks


def _lattices(work: Crossing, measured: list[Rows], n_blocks: int) -> list[finite_size.Lattice]:
    """The series of every lattice size, smallest first."""
    return [
        _lattice(
            shape,
            [work.sources[number] for number in numbers],
            [measured[number] for number in numbers],
            n_blocks,
        )
        for shape, numbers in work.by_size().items()
    ]


def _lattice(
    shape: tuple[int, ...], sources: list[SamplesFile], measured: list[Rows], n_blocks: int
) -> finite_size.Lattice:
    return finite_size.Lattice(
        shape[0],
        np.array(known_couplings(sources)),
        [source.energies() for source in sources],
        [
            finite_size.observables(rows["magnetization"], rows["half"], rows["quarter"], shape)
            for rows in measured
        ],
        [_blocks(source, n_blocks) for source in sources],
    )


def _blocks(source: SamplesFile, n_blocks: int) -> np.ndarray:
    """The block of each sample, int64 (n,): a block is a run of successive samples of the chains,
    which follow one another."""
    n, chains = source.count, source.chains
    by_chain = np.argsort(np.arange(n) % chains, kind="stable")
    blocks = np.empty(n, dtype=np.int64)
    blocks[by_chain] = np.arange(n) * n_blocks // n
    return blocks


def _block_count(sources: Sequence[SamplesFile], magnetizations: list[np.ndarray]) -> int:
    """The number of jackknife blocks: as many as are long compared with the autocorrelation time
    in every file. A warning says where even the smallest number of blocks is too large."""
    count = MOST_BLOCKS
    for source, magnetization in zip(sources, magnetizations):
        samples = len(magnetization)
        tau, error = _autocorrelation_time(source, magnetization)
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


def _autocorrelation_time(source: SamplesFile, magnetization: np.ndarray) -> tuple[float, float]:
    """tau_int of |m| or of the energy, the longer one, and its error, in stored intervals."""
    times = (
        integrated_autocorrelation_time(separate_chains(series, source.chains))
        for series in (np.abs(magnetization), source.energies())
    )
    return max(times, key=lambda pair: pair[0])


def _names(work: Crossing, sizes: Sequence[int]) -> list[str]:
    """The lattices whose first sides are given; all lattices are of one shape but for the scale."""
    shapes = {shape[0]: shape for shape in work.by_size()}
    return [sides_text(shapes[size]) for size in sizes]


def _states(source: SamplesFile) -> dict[str, int]:
    """The number of states of a variable, on which known values depend, if there are more than
    two."""
    return {"states": source.states} if source.states > 2 else {}


def _oblong(shapes: Sequence[Sequence[int]]) -> dict[str, list[list[int]]]:
    """The shapes of lattices whose sides differ; ``sizes`` has the first sides."""
    return {} if len(set(shapes[0])) == 1 else {"shapes": [list(shape) for shape in shapes]}


def _publish(
    session: Session, work: Crossing, curves: finite_size.Curves, rows: list[dict], blocks: int
) -> None:
    result = reported(_result(work, rows, blocks))

    def fill(writer: Writer) -> None:
        writer.write("/result", np.bytes_(canonical_json(result)))
        writer.write("/curves/size", np.array(result["sizes"], dtype=np.int64))
        writer.write("/curves/coupling", curves.coupling)
        for column, name in enumerate(finite_size.QUANTITIES):
            values, errors = curves.value[..., column], curves.error[..., column]
            writer.write(f"/curves/{name}", estimates(values, errors))
            writer.write(f"/curves/{name}_error", significant(errors, DIGITS_OF_ERRORS))

    contradictions = contradictions_of(source.file for source in work.sources) or None
    attributes = {"model": result["model"], "contradictions": contradictions}
    session.publish(attributes, fill, 1 << 18)


def _result(work: Crossing, rows: list[dict], blocks: int) -> dict[str, Any]:
    """The answer: the headline, and the crossings of all pairs of sizes."""
    shapes = list(work.by_size())
    headline = [row for row in rows if row["quantity"] == HEADLINE][-1]
    return {
        "model": work.sources[0].model_name,
        **_states(work.sources[0]),
        "dimension": len(shapes[0]),
        "sizes": [shape[0] for shape in shapes],
        **_oblong(shapes),
        "temperatures": sorted({1 / coupling for coupling in known_couplings(work.sources)}),
        "blocks": blocks,
        "T_c": headline["T_c"],
        "T_c_error": headline["T_c_error"],
        "T_c_reason": headline["reason"],
        "nu": headline["nu"],
        "nu_error": headline["nu_error"],
        "crossings": rows,
    }


# ---- what the file says, and what a run would do -------------------------------------------------


def summary(file: File) -> dict[str, Any]:
    """The stored answer."""
    result = ResultFile(file).result
    couplings = [1 / temperature for temperature in result["temperatures"]]
    return {"file": str(file.path), **subject(file), "couplings": couplings, **result}


def plan(work: Crossing) -> dict[str, Any]:
    """What a run would do."""
    sizes = {shape_text(shape): len(numbers) for shape, numbers in work.by_size().items()}
    return {
        "files": len(work.sources),
        "samples": sum(source.count for source in work.sources),
        "sizes": list(sizes),
        "files_of_size": list(sizes.values()),
        **cost(work).plan,
    }


def cost(work: Crossing) -> Cost:
    """What a run costs; the files are measured and analysed."""

    def measured() -> list[Rows]:
        begun = [(task, *task.begin()) for task in _tasks(work)]
        return [task.advance(state, start, task.total) for task, start, state in begun]

    seconds = timed(lambda: _analysed(work, measured()))[1]
    return file_cost(seconds, _CURVES * len(work.by_size()))
