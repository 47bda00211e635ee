"""``rsmi flow``: operators along repeated coarse-graining, as exact sums over blocks of samples."""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rsmi.engine.keys import origin
from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.tasks import Named, Rows, State
from rsmi.errors import UsageError
from rsmi.models.spins import magnetizations
from rsmi.renormalization import couplings, operators, thermometer
from rsmi.renormalization.rules import Rule
from rsmi.samples.checks import require_full, require_periodic, require_single_component
from rsmi.samples.files import open_file
from rsmi.samples.flow_ensembles import Measured, blocks_of_files, interactions, measured
from rsmi.stages.flow.sums import OF_CHAINS, Division, Measuring, Sums, divide, joined
from rsmi.stages.rule_option import ChosenRule, blocking_keys, choose_rule, coarse_shapes
from rsmi.statistics.autocorrelation import integrated_autocorrelation_time
from rsmi.statistics.summary import separate_chains
from rsmi.store import File, canonical_json, text_digest

log = logging.getLogger("rsmi")

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
    """The task of successive samples of one file: a row is one of them, and empty; the sums so far
    are the state, so that what is kept does not grow."""

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
            energies = (
                self.source.read("/energy", first, last)
                if "/energy" in self.source
                else np.zeros(last - first, np.int64)
            )
            self.measuring.add(
                state, self.source.read("/spins", first, last), energies, np.arange(first, last)
            )
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
    def system(self) -> dict:
        """The attributes of what was sampled, as far as they are the same for all files."""
        return self.sources[0].attributes

    @property
    def names(self) -> list[str]:
        return [str(source.path) for source in self.sources]

    def plan(self) -> dict:
        """What a run would do."""
        samples = sum(source.shape("/spins")[0] for source in self.sources)
        return {
            **self.request.parameters,
            "files": len(self.sources),
            "samples": samples,
            "blocks": sum(division_of(source).blocks for source in self.sources),
        }

    def measure(self, session: Session) -> list[Stretch]:
        """Run this session's share of the tasks of some samples each."""
        tasks = session.select(
            [task for number in range(len(self.sources)) for task in self.tasks_of(number)]
        )
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
            measuring = Measuring(
                division, source.attributes["shape"], self.chosen.rule, keys, *blocks
            )
            stretches.append(
                Stretch(f"file-{number:04d}-stretch-{part}", source, measuring, first, last)
            )
        return stretches


def cuts_of(division: Division) -> list[int]:
    """Where the stretches of a file begin and end."""
    count = min(_TASKS, division.blocks)
    return [division.samples * i // count for i in range(count + 1)]


def origin_of(source: File) -> Origin:
    """What a flow says of a samples file."""
    attributes = source.attributes
    return Origin(
        *(attributes.get(name, math.nan) for name in ("coupling", "temperature")),
        *(attributes[name] for name in ("shape", "original_shape", "rg_step")),
        stream_identity(origin(source), attributes["rg_step"]),
        "/energy" in source,
        attributes["chains"],
        division_of(source).by_chains,
        *_autocorrelation_time(source),
    )


def division_of(source: File) -> Division:
    """How the samples of a file are divided into blocks."""
    attributes = source.attributes
    return divide(
        source.shape("/spins")[0],
        attributes["chains"],
        attributes["shape"],
        attributes["original_shape"],
        "int64" if "/energy" not in source else source.datasets()["/energy"][1],
    )


@contextlib.contextmanager
def prepare(
    paths: list[Path],
    rule: str,
    block: str | None,
    hard: bool,
    bias: str | None,
    steps: int,
    seed: int,
):
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
        _refuse_other_models(sources)
        refuse_equal_streams(sources)
        yield Flow(sources, chosen, steps, seed)


def choose_single(
    stack, rule: str, block: str | None, hard: bool, dimension: int, bias: str | None
) -> ChosenRule:
    """`choose_rule` for a flow: a UsageError where the rule has several hidden units."""
    chosen = choose_rule(stack, rule, block, hard, dimension, bias)
    if chosen.rule.n_hidden > 1:
        raise UsageError(
            f"--rule {rule}: has {chosen.rule.n_hidden} hidden units; a flow needs a rule with one"
        )
    return chosen


def _check_shape(source: File, first: File, rule: Rule, steps: int) -> None:
    shape, others = source.attributes["shape"], first.attributes["shape"]
    if len(shape) != len(others):
        raise UsageError(
            f"{source.path}: a lattice of dimension {len(shape)}, but {first.path} has dimension"
            f" {len(others)}: one flow has one dimension"
        )
    coarse_shapes(shape, rule, steps)


def _refuse_other_models(sources: tuple[File, ...]) -> None:
    first = sources[0].attributes
    for source in sources[1:]:
        for name in ("model", "model_parameters"):
            ours, theirs = source.attributes.get(name), first.get(name)
            if ours != theirs:
                raise UsageError(
                    f"{source.path}: {name.replace('_', ' ')} {ours}, but {sources[0].path} has"
                    f" {theirs}: one flow is of one model"
                )


def refuse_equal_streams(sources: tuple[File, ...]) -> None:
    """Raise UsageError where two files are of the same random numbers."""
    seen: dict[str, Path] = {}
    for source in sources:
        identity = stream_identity(origin(source), source.attributes["rg_step"])
        if identity in seen:
            raise UsageError(
                f"{source.path}: holds the same random streams as {seen[identity]}: sample with"
                " another --seed to add statistics"
            )
        seen[identity] = source.path


def stream_identity(origin: str, rg_step: int) -> str:
    """Digest of the streams behind samples of `rsmi.engine.keys.origin` after so many steps."""
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
            session.publish(
                _attributes(work),
                *stored(*work.gathered(session, tasks), work.dimension),
                work.shared(),
            )
    if options.shard is None:
        _warn(output, work)


def _attributes(work) -> dict:
    kinds = operators.OPERATORS[work.dimension]
    return {
        "model": work.system.get("model"),
        "model_parameters": work.system.get("model_parameters"),
        "rule": work.chosen.identity,
        "block": work.chosen.rule.block,
        "steps": work.steps,
        "even_operators": [operator.name for operator in kinds["even"]],
        "odd_operators": [operator.name for operator in kinds["odd"]],
    }


def table(origins: list[Origin]) -> Rows:
    """/files/*: a row for every ensemble."""
    columns = {
        name: (kind, [getattr(origin, name) for origin in origins])
        for name, kind in _OF_FILES.items()
    }
    return {
        f"/files/{name}": (
            np.array([text.encode() for text in column])
            if kind is bytes
            else np.array(column, kind)
        )
        for name, (kind, column) in columns.items()
    }


def join(session: Session, shard: File):
    """How to store the sums of all streams, which the shards of the session have; ``shard`` is one
    of them."""
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

    return fill, sum(
        array.nbytes for array in [*sums.blocks.values(), *neighbourhoods.values()]
    ) + (1 << 16)


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


# ---- what it says --------------------------------------------------------------------------------


def summary(file: File) -> dict:
    """Effective couplings along the flow, one entry per temperature."""
    ensembles = measured(file)
    return {
        "file": str(file.path),
        "flows": [_flow_entry(*pair) for pair in zip(ensembles, interactions(file, ensembles))],
    }


def _flow_entry(ensemble: Measured, interactions: list[dict] | None) -> dict:
    steps = [
        row | {"wraps": operators.wraps(shape)}
        for row, shape in zip(
            thermometer.flow_rows(ensemble.effective(), ensemble.shapes), ensemble.shapes
        )
    ]
    entry = {
        "temperature": ensemble.temperature,
        "coupling": ensemble.coupling,
        "blocks": len(ensemble.sums["counts"]),
        "steps": steps,
        "interactions": interactions,
    }
    if ensemble.known.thermometer is None:
        entry["reason"] = ensemble.known.no_thermometer
    if ensemble.coupling is None:
        for row in steps:
            row |= {"coupling_eff": None, "coupling_eff_error": None}
        entry["reason"] = "the temperature of the samples is unknown"
    return entry


def _warn(path: Path, work) -> None:
    """Say what a reader of the numbers must know."""
    if work.chosen.rule.bias.any():
        log.warning(
            "the rule has a bias, which breaks the symmetry under a global flip: y_h assumes that"
            " odd operators vanish on average"
        )
    with open_file(path, "flow") as file:
        ensembles = measured(file)
        for name, (_, short) in zip(work.names, blocks_of_files(file, len(work.names))):
            if short:
                log.warning("%s: %s", name, short)
        if any(operators.wraps(shape) for ensemble in ensembles for shape in ensemble.shapes):
            log.warning(
                "%s: on levels smaller than %d operators wrap around the lattice; they are marked",
                path,
                operators.smallest_size(ensembles[0].dimension),
            )
        for ensemble in filter(_is_critical, ensembles):
            sentence = thermometer.drift(
                ensemble.effective(),
                ensemble.shapes,
                file.attributes["rule"]["hard"],
                ensemble.known.thermometer is not None,
            )
            if sentence:
                log.warning("%s: %s", path, sentence)


def _autocorrelation_time(source: File) -> tuple[float, float]:
    return autocorrelation_time(
        [np.abs(magnetizations(source))]
        + ([source.read("/energy")] if "/energy" in source else []),
        source.attributes["chains"],
    )


def autocorrelation_time(series: list[np.ndarray], chains: int) -> tuple[float, float]:
    """tau_int and its error in stored intervals, of whichever series has the longer; to four
    digits, so that files do not depend on how a library rounds."""
    found = [integrated_autocorrelation_time(separate_chains(values, chains)) for values in series]
    tau, error = max(found, key=lambda pair: pair[0])
    return float(f"{tau:.4g}"), float(f"{error:.4g}")


def _is_critical(ensemble: Measured) -> bool:
    critical = ensemble.known.critical_temperature
    return (
        None not in (critical, ensemble.coupling) and abs(ensemble.coupling * critical - 1) < 1e-3
    )
