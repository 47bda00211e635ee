"""``rsmi flow``: operators along repeated coarse-graining, as exact sums over blocks of samples."""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rsmi.errors import UsageError
from rsmi.lattice import ising
from rsmi.renormalization import couplings, operators, thermometer
from rsmi.renormalization.rules import Rule
from rsmi.stages.flow_sums import OF_CHAINS, SUMS, Division, Measuring, Sums, divide, joined
from rsmi.stages.rules import ChosenRule, blocking_keys, choose_rule, coarse_shapes, require_full, require_periodic, require_single_component
from rsmi.stages.runner import Named, Request, Rows, RunOptions, Session, State
from rsmi.stages.sample import magnetizations
from rsmi.stages.streams import origin
from rsmi.statistics.autocorrelation import integrated_autocorrelation_time
from rsmi.statistics.binning import merged_blocks
from rsmi.statistics.summary import separate_chains
from rsmi.store import File, canonical_json, open_file, text_digest

log = logging.getLogger("rsmi")

LONG_BLOCK = 16  # times tau_int: the blocks of `measured` are at least as long, so that errors are 3 % too small at most
FEWEST_BLOCKS = 8  # per file: with fewer the error itself is not known to 25 %
_TASKS = 8
_BYTES_AT_ONCE = 1 << 24
_OF_FILES = {
    **dict.fromkeys(("coupling", "temperature"), np.float64),
    **dict.fromkeys(("shape", "original_shape", "rg_step"), np.int64),
    "streams": bytes,
    "has_energy": np.uint8,
    "chains": np.int64,
    "whole_chains": np.uint8,
    **dict.fromkeys(("tau_int", "tau_int_error"), np.float64),
}


@dataclass
class Stretch:
    """The task of successive samples of one file: a row is one of them, and empty; the sums so far are the state, so that what is kept
    does not grow."""

    name: str
    source: File
    measuring: Measuring
    first: int
    last: int

    @property
    def total(self) -> int:
        return self.last - self.first

    def begin(self):
        return 0, self.measuring.begin()

    def advance(self, state: State, start: int, count: int) -> Rows:
        step = max(1, _BYTES_AT_ONCE // self.source.shape("/spins")[1])
        for first in range(self.first + start, self.first + start + count, step):
            last = min(first + step, self.first + start + count)
            energies = self.source.read("/energy", first, last) if "/energy" in self.source else np.zeros(last - first, np.int64)
            self.measuring.add(state, self.source.read("/spins", first, last), energies, np.arange(first, last))
        return {}


@dataclass(frozen=True)
class Origin:
    """What a flow file says of the samples of one ensemble: /files/* is a row of these."""

    coupling: float
    temperature: float
    shape: tuple[int, ...]
    original_shape: tuple[int, ...]
    rg_step: int
    streams: str
    has_energy: bool
    chains: int
    whole_chains: bool
    tau_int: float
    tau_int_error: float


@dataclass(frozen=True)
class Flow:
    """A checked request and everything needed to run it: the samples are those of files."""

    sources: tuple[File, ...]
    chosen: ChosenRule
    steps: int
    seed: int

    @property
    def request(self) -> Request:
        parameters = {"rule": self.chosen.identity, "steps": self.steps, "seed": self.seed}
        return Request("flow", "flow", parameters, (*self.sources, *self.chosen.inputs))

    @property
    def dimension(self) -> int:
        return len(self.sources[0].attributes["shape"])

    @property
    def names(self) -> list[str]:
        return [str(source.path) for source in self.sources]

    def plan(self) -> dict:
        """What a run would do."""
        samples = sum(source.shape("/spins")[0] for source in self.sources)
        return {**self.request.parameters, "files": len(self.sources), "samples": samples, "blocks": sum(division_of(source).blocks for source in self.sources)}

    def measure(self, session: Session) -> list[Stretch]:
        """Run this session's share of the tasks of some samples each."""
        tasks = session.share([task for number in range(len(self.sources)) for task in self.tasks_of(number)])
        session.run(tasks, "measuring", "sample")
        return tasks

    def shared(self) -> Rows:
        """/files/*, which no task makes."""
        return table([origin_of(source) for source in self.sources])

    def gathered(self, session: Session, tasks: list[Stretch]) -> tuple[Sums, Rows]:
        """What the tasks found, and the datasets that are made of it besides the sums: none."""
        return gathered(session, tasks), {}

    def tasks_of(self, number: int) -> list[Stretch]:
        source = self.sources[number]
        division = division_of(source)
        keys = blocking_keys(self.seed, origin(source), source.attributes["rg_step"], self.steps)
        stretches = []
        for part, (first, last) in enumerate(itertools.pairwise(cuts_of(division))):
            blocks = division.spanned(np.arange(first, last))
            measuring = Measuring(division, source.attributes["shape"], self.chosen.rule, keys, *blocks)
            stretches.append(Stretch(f"file-{number:04d}-stretch-{part}", source, measuring, first, last))
        return stretches


def cuts_of(division: Division) -> list[int]:
    """Where the stretches of a file begin and end."""
    count = min(_TASKS, division.blocks)
    return [division.samples * i // count for i in range(count + 1)]


def origin_of(source: File) -> Origin:
    """What a flow says of a samples file."""
    attributes = source.attributes
    return Origin(
        *(attributes.get(name, math.nan) for name in ("coupling", "temperature")), *(attributes[name] for name in ("shape", "original_shape", "rg_step")),
        stream_identity(origin(source), attributes["rg_step"]), "/energy" in source, attributes["chains"], division_of(source).by_chains, *_autocorrelation_time(source),
    )  # fmt: skip


def division_of(source: File) -> Division:
    """How the samples of a file are divided into blocks."""
    attributes = source.attributes
    return divide(source.shape("/spins")[0], attributes["chains"], attributes["shape"], attributes["original_shape"])


@contextlib.contextmanager
def prepare(paths: list[Path], rule: str, block: str | None, hard: bool, bias: str | None, steps: int, seed: int):
    """Open the inputs and check that they fit one another and the steps."""
    with contextlib.ExitStack() as stack:
        sources = tuple(stack.enter_context(open_file(path, "samples")) for path in paths)
        for source in sources:
            require_single_component(source)
            require_periodic(source, "operators are summed over")
            require_full(source, "operators are of")
        chosen = choose_single(stack, rule, block, hard, len(sources[0].attributes["shape"]), bias)
        for source in sources:
            _check_shape(source, sources[0], chosen.rule, steps)
        refuse_equal_streams(sources)
        yield Flow(sources, chosen, steps, seed)


def choose_single(stack, rule: str, block: str | None, hard: bool, dimension: int, bias: str | None) -> ChosenRule:
    """`choose_rule` for a flow: a UsageError where the rule has several hidden units."""
    chosen = choose_rule(stack, rule, block, hard, dimension, bias)
    if chosen.rule.n_hidden > 1:
        raise UsageError(f"--rule {rule}: has {chosen.rule.n_hidden} hidden units; a flow needs a rule with one")
    return chosen


def _check_shape(source: File, first: File, rule: Rule, steps: int) -> None:
    shape, others = source.attributes["shape"], first.attributes["shape"]
    if len(shape) != len(others):
        raise UsageError(f"{source.path}: a lattice of dimension {len(shape)}, but {first.path} has dimension {len(others)}: one flow has one dimension")
    coarse_shapes(shape, rule, steps)


def refuse_equal_streams(sources: tuple[File, ...]) -> None:
    """Raise UsageError where two files are of the same random numbers."""
    seen: dict[str, Path] = {}
    for source in sources:
        identity = stream_identity(origin(source), source.attributes["rg_step"])
        if identity in seen:
            raise UsageError(f"{source.path}: holds the same random streams as {seen[identity]}: sample with another --seed to add statistics")
        seen[identity] = source.path


def stream_identity(origin: str, rg_step: int) -> str:
    """Digest of the streams behind samples of `rsmi.stages.streams.origin` after so many steps."""
    return text_digest(canonical_json([origin, rg_step]))


def run(work, output: Path, options: RunOptions) -> None:
    """Measure the flow, or resume it."""
    with Session(output, work.request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        tasks = work.measure(session)
        if options.shard is not None:
            session.publish_shard(_attributes(work), tasks, work.shared(), OF_CHAINS)
        else:
            session.publish(_attributes(work), *stored(*work.gathered(session, tasks), work.dimension), work.shared())
    if options.shard is None:
        _warn(output, work)


def _attributes(work) -> dict:
    kinds = operators.OPERATORS[work.dimension]
    return {
        "rule": work.chosen.identity,
        "block": work.chosen.rule.block,
        "steps": work.steps,
        "even_operators": [operator.name for operator in kinds["even"]],
        "odd_operators": [operator.name for operator in kinds["odd"]],
    }


def table(origins: list[Origin]) -> Rows:
    """/files/*: a row for every ensemble."""
    columns = {name: (kind, [getattr(origin, name) for origin in origins]) for name, kind in _OF_FILES.items()}
    return {f"/files/{name}": np.array([text.encode() for text in column]) if kind is bytes else np.array(column, kind) for name, (kind, column) in columns.items()}


def join(session: Session, shard: File):
    """How to store the sums of all streams, which the shards of the session have; ``shard`` is one of them."""
    return stored(gathered(session, session.streams), {}, shard.shape("/files/shape")[1])


def gathered(session: Session, tasks: list[Named]) -> Sums:
    """The sums of all files, whose tasks follow each other."""
    of_files = itertools.groupby(tasks, key=lambda task: task.name.split("-stretch-")[0])
    return joined([[session.state(task) for task in of_file] for _, of_file in of_files])


def stored(sums: Sums, files: Rows, dimension: int):
    """How to store the sums and what goes with them, and the bytes it takes."""
    neighbourhoods = _neighbourhoods(sums, dimension)

    def fill(writer):
        for path, array in files.items():
            writer.write(path, array)
        writer.write("/blocks/file", sums.files.astype(np.int64))
        for name, array in sums.blocks.items():
            writer.write(f"/blocks/{name}", array)
        for name, array in neighbourhoods.items():
            writer.write(f"/neighbourhoods/{name}", array, compress=name == "counts")

    return fill, sum(array.nbytes for array in [*sums.blocks.values(), *neighbourhoods.values()]) + (1 << 16)


def _neighbourhoods(sums: Sums, dimension: int) -> dict[str, np.ndarray]:
    """The histograms of all files, without the bins that never occur."""
    occupied = np.logical_or.reduce([array.any(axis=(0, 1)) for array in sums.histograms])
    files = [np.full(len(samples), number) for number, samples in enumerate(sums.samples)]
    return {
        "file": np.concatenate(files).astype(np.int64),
        "samples": np.concatenate(sums.samples).astype(np.int64),
        "energies": couplings.local_energies(dimension)[occupied],
        "counts": np.concatenate([array[:, :, occupied] for array in sums.histograms]),
    }


def _merge(array: np.ndarray, label: np.ndarray, dtype=None) -> np.ndarray:
    """Sums over the successive rows with labels 0, 1, ..."""
    return np.add.reduceat(array, np.searchsorted(label, np.arange(label[-1] + 1)), axis=0, dtype=dtype)


# ---- what it says ---------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Measured:
    """The sums of all files at one temperature: jackknife blocks of one ensemble, none too short where that is possible."""

    coupling: float | None
    shapes: list[tuple[int, ...]]
    rg_step: int
    has_energy: bool
    sums: dict[str, np.ndarray]
    short: tuple[str, ...] = ()  # what to know of files whose blocks are short in spite of being merged
    files: tuple[int, ...] = ()  # numbers of the input files

    @property
    def dimension(self) -> int:
        return len(self.shapes[0])

    @property
    def temperature(self) -> float | None:
        return None if self.coupling is None else 1 / self.coupling

    def effective(self) -> thermometer.EffectiveCouplings:
        """Effective couplings and their slopes at every level."""
        return thermometer.effective_couplings(self.sums, self.shapes)


def measured(file: File) -> list[Measured]:
    """The ensembles of a flow file, files at one temperature (to ten digits: 1/T and K may round differently) and size
    merged, hottest first; unknown temperatures last."""
    block, steps = file.attributes["block"], file.attributes["steps"]
    table = {name: file.read(f"/files/{name}") for name in ("coupling", "shape", "original_shape", "rg_step", "has_energy")}
    groups: dict[tuple, list[int]] = {}
    for number, coupling in enumerate(table["coupling"]):
        unknown = math.isnan(coupling)
        lattice = tuple(int(x) for name in ("original_shape", "shape") for x in table[name][number])
        key = (math.inf if unknown else float(f"{coupling:.10g}"), lattice, int(table["rg_step"][number]), number if unknown else -1)
        groups.setdefault(key, []).append(number)
    of_files = _merged(file, len(table["coupling"]))
    found = []
    for key, numbers in sorted(groups.items()):
        shapes = [tuple(int(x) for x in table["shape"][numbers[0]])]
        for _ in range(steps):
            shapes.append(tuple(size // sites for size, sites in zip(shapes[-1], block)))
        coupling = None if math.isinf(key[0]) else float(table["coupling"][numbers[0]])
        has_energy = bool(table["has_energy"][numbers].all())
        sums = {name: np.concatenate([of_files[number][0][name] for number in numbers]) for name in SUMS}
        short = tuple(of_files[number][1] for number in numbers if of_files[number][1])
        found.append(Measured(coupling, shapes, int(table["rg_step"][numbers[0]]), has_energy, sums, short, tuple(numbers)))
    return found


def _merged(file: File, n_files: int) -> list[tuple[dict[str, np.ndarray], str | None]]:
    """The sums of every input file in blocks of whole chains or of at least `LONG_BLOCK` tau_int (as stored where files before format
    1.1 do not tell it), and a sentence where they do not allow that."""
    return _in_long_blocks(file, n_files, file.read("/blocks/file"), {name: file.read(f"/blocks/{name}") for name in SUMS})


def _in_long_blocks(file: File, n_files: int, owner: np.ndarray, sums: dict[str, np.ndarray]) -> list[tuple[dict[str, np.ndarray], str | None]]:
    found = []
    for number in range(n_files):
        own = {name: array[owner == number] for name, array in sums.items()}
        if "/files/tau_int" not in file or ("/files/whole_chains" in file and file.read("/files/whole_chains")[number]):
            found.append((own, None))
        else:
            found.append(_long_blocks(own, *(float(file.read(f"/files/{name}")[number]) for name in ("chains", "tau_int", "tau_int_error"))))
    return found


def _long_blocks(sums: dict[str, np.ndarray], chains: float, tau: float, error: float) -> tuple[dict[str, np.ndarray], str | None]:
    if not tau - error > 0.5:  # independent within the error, or constant
        return sums, None
    count, needed = len(sums["counts"]), LONG_BLOCK * tau * chains
    label = merged_blocks(count, sums["counts"].min(), needed, FEWEST_BLOCKS)
    if label[-1] + 1 == count:
        merged = sums
    else:
        merged = {name: _merge(array, label, np.float64) for name, array in sums.items()}  # beyond int64
    steps = merged["counts"].min() / chains
    short = f"tau_int = {tau:.1f} stored intervals, and a block of the jackknife has {steps:.1f}: the errors are too small; sample more, or with a longer --interval"
    return merged, short if merged["counts"].min() < needed and tau - error > 1 else None


def summary(path: Path) -> dict:
    """Effective couplings along the flow, one entry per temperature."""
    with open_file(path, "flow") as file:
        ensembles = measured(file)
        return {"file": str(path), "flows": [_flow_entry(*pair) for pair in zip(ensembles, interactions(file, ensembles))]}


def interactions(file: File, ensembles: list[Measured]) -> list[list[dict] | None]:
    """The couplings of every ensemble of a file (`couplings.interaction_rows`), None in files before format 1.1."""
    if "/neighbourhoods/counts" not in file:
        return [None] * len(ensembles)
    owner, energies = file.read("/neighbourhoods/file"), file.read("/neighbourhoods/energies")
    arrays = {"counts": _samples_spanned(file, owner), "histograms": file.read("/neighbourhoods/counts")}
    of_files = _in_long_blocks(file, file.shape("/files/coupling")[0], owner, arrays)
    histograms = ([of_files[number][0]["histograms"] for number in ensemble.files] for ensemble in ensembles)
    return [couplings.interaction_rows(np.concatenate(parts), energies, ensemble.shapes) for parts, ensemble in zip(histograms, ensembles)]


def _samples_spanned(file: File, owner: np.ndarray) -> np.ndarray:
    """Samples from the first to the last of each group; their histograms may be those of some steps of the chains only."""
    counted, blocks = file.read("/neighbourhoods/samples"), file.read("/blocks/file")
    return counted * (np.bincount(blocks, file.read("/blocks/counts")) / np.bincount(owner, counted))[owner]


def _flow_entry(ensemble: Measured, interactions: list[dict] | None) -> dict:
    steps = [row | {"wraps": operators.wraps(shape)} for row, shape in zip(thermometer.flow_rows(ensemble.effective(), ensemble.shapes), ensemble.shapes)]
    entry = {"temperature": ensemble.temperature, "coupling": ensemble.coupling, "blocks": len(ensemble.sums["counts"]), "steps": steps, "interactions": interactions}
    if thermometer.undefined(ensemble.dimension):
        entry["reason"] = thermometer.undefined(ensemble.dimension)
    if ensemble.coupling is None:
        for row in steps:
            row |= {"coupling_eff": None, "coupling_eff_error": None}
        entry["reason"] = "the temperature of the samples is unknown"
    return entry


def _warn(path: Path, work) -> None:
    """Say what a reader of the numbers must know."""
    if work.chosen.rule.bias.any():
        log.warning("the rule has a bias, which breaks the symmetry under a global flip: y_h assumes that odd operators vanish on average")
    with open_file(path, "flow") as file:
        ensembles = measured(file)
        for name, (_, short) in zip(work.names, _merged(file, len(work.names))):
            if short:
                log.warning("%s: %s", name, short)
        if any(operators.wraps(shape) for ensemble in ensembles for shape in ensemble.shapes):
            log.warning("%s: on levels smaller than %d operators wrap around the lattice; they are marked", path, operators.smallest_size(ensembles[0].dimension))
        for ensemble in filter(_is_critical, ensembles):
            sentence = thermometer.drift(ensemble.effective(), ensemble.shapes, file.attributes["rule"]["hard"])
            if sentence:
                log.warning("%s: %s", path, sentence)


def _autocorrelation_time(source: File) -> tuple[float, float]:
    return autocorrelation_time([np.abs(magnetizations(source))] + ([source.read("/energy")] if "/energy" in source else []), source.attributes["chains"])


def autocorrelation_time(series: list[np.ndarray], chains: int) -> tuple[float, float]:
    """tau_int and its error in stored intervals, of whichever series has the longer; to four digits, so that files do not depend on how
    a library rounds."""
    found = [integrated_autocorrelation_time(separate_chains(values, chains)) for values in series]
    tau, error = max(found, key=lambda pair: pair[0])
    return float(f"{tau:.4g}"), float(f"{error:.4g}")


def _is_critical(ensemble: Measured) -> bool:
    critical = ising.critical_temperature(ensemble.dimension)
    return None not in (critical, ensemble.coupling) and abs(ensemble.coupling * critical - 1) < 1e-3
