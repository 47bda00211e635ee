"""``rsmi flow``: operators along repeated coarse-graining, as exact sums over blocks of samples."""

from __future__ import annotations

import contextlib
import logging
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rsmi.errors import UsageError
from rsmi.lattice import ising
from rsmi.lattice.geometry import shape_text
from rsmi.renormalization import operators, thermometer
from rsmi.renormalization.rules import Rule
from rsmi.stages.rules import ChosenRule, blocking_keys, choose_rule, coarse_shapes, require_single_component
from rsmi.stages.runner import Request, Rows, RunOptions, Session, State
from rsmi.stages.sample import magnetizations
from rsmi.statistics.autocorrelation import integrated_autocorrelation_time
from rsmi.statistics.summary import separate_chains
from rsmi.store import File, canonical_json, open_file, text_digest

log = logging.getLogger("rsmi")

_BLOCKS = 64  # blocks of samples per file: enough for a jackknife, each far longer than the autocorrelation time
LONG_BLOCK = 8  # times tau_int: shorter blocks give errors more than 6 % too small
_TASKS = 8
_SUMS = tuple(operators.empty_sums(0, 0))


@dataclass
class Blocks:
    """The task of consecutive blocks of samples of one file: a row is the sums of one block; stateless."""

    name: str
    source: File
    rule: Rule
    steps: int
    keys: np.ndarray
    edges: list[int]  # samples edges[i]:edges[i+1] are row i

    @property
    def total(self) -> int:
        return len(self.edges) - 1

    def begin(self):
        return 0, {}

    def advance(self, state: State, start: int, count: int) -> Rows:
        edges = np.array(self.edges[start : start + count + 1])
        first, last = int(edges[0]), int(edges[-1])
        energies = self.source.read("/energy", first, last) if "/energy" in self.source else np.zeros(last - first, np.int64)
        block = np.repeat(np.arange(count), np.diff(edges))
        rows = self.source.read("/spins", first, last)
        return operators.measure_levels(rows, self.source.attributes["shape"], self.rule, self.steps, self.keys, energies, first, block, count)


@dataclass(frozen=True)
class Flow:
    """A checked request and everything needed to run it."""

    sources: tuple[File, ...]
    chosen: ChosenRule
    steps: int
    seed: int

    @property
    def request(self) -> Request:
        parameters = {"rule": self.chosen.identity, "steps": self.steps, "seed": self.seed}
        return Request("flow", "flow", parameters, (*self.sources, *self.chosen.inputs))

    def tasks_of(self, number: int) -> list[Blocks]:
        source = self.sources[number]
        edges = block_edges(source)
        count = min(_TASKS, len(edges) - 1)
        cuts = [(len(edges) - 1) * i // count for i in range(count + 1)]
        keys = blocking_keys(self.seed, source.attributes["rg_step"], self.steps)
        return [
            Blocks(f"file-{number:04d}-blocks-{i}", source, self.chosen.rule, self.steps, keys, edges[cuts[i] : cuts[i + 1] + 1])
            for i in range(count)
        ]


def block_edges(source: File) -> list[int]:
    """Where the blocks of samples of a file begin and end: at whole steps of its chains, so that blocks are alike."""
    n = source.shape("/spins")[0]
    shape, original = source.attributes["shape"], source.attributes["original_shape"]
    largest = operators.largest_block(shape, len(original) * math.prod(original))
    if largest < 1:
        raise UsageError(f"{source.path}: a lattice of {shape_text(shape)} is too large for exact 64-bit sums")
    count = min(n, max(_BLOCKS, -(-2 * n // largest)))
    chains = source.attributes["chains"]
    unit = chains if n >= 2 * count * chains else 1
    return [n // unit * i // count * unit for i in range(count)] + [n]


@contextlib.contextmanager
def prepare(paths: list[Path], rule: str, block: str | None, hard: bool, steps: int, seed: int):
    """Open the inputs and check that they fit one another and the steps."""
    with contextlib.ExitStack() as stack:
        sources = tuple(stack.enter_context(open_file(path, "samples")) for path in paths)
        for source in sources:
            _check_source(source)
        chosen = choose_rule(stack, rule, block, hard, len(sources[0].attributes["shape"]))
        if chosen.rule.n_hidden > 1:
            raise UsageError(f"--rule {rule}: has {chosen.rule.n_hidden} hidden units; a flow needs a rule with one")
        for source in sources:
            coarse_shapes(source.attributes["shape"], chosen.rule, steps)
        refuse_equal_streams(sources)
        yield Flow(sources, chosen, steps, seed)


def _check_source(source: File) -> None:
    require_single_component(source)
    shape = source.attributes["shape"]
    if len(shape) != 2:
        raise UsageError(f"{source.path}: a lattice of dimension {len(shape)}; the operators of the flow are those of the square lattice")


def refuse_equal_streams(sources: tuple[File, ...]) -> None:
    """Raise UsageError where two files are of the same random numbers."""
    seen: dict[str, Path] = {}
    for source in sources:
        identity = stream_identity(source)
        if identity in seen:
            raise UsageError(f"{source.path}: holds the same random streams as {seen[identity]}: sample with another --seed to add statistics")
        seen[identity] = source.path


def stream_identity(source: File) -> str:
    """Digest of what decides the random streams behind a samples file, not of how long they were followed."""
    lineage = [*source.ancestors(), {"command": source.attributes["command"], "parameters": source.parameters, "digest": source.digest}]
    origin = next((entry for entry in lineage if entry.get("command") == "sample"), None)
    if origin is None:
        return text_digest(source.digest)
    asked = origin["parameters"]
    physics = [*map(asked.get, ("seed", "model", "shape", "coupling")), source.attributes.get("algorithm")]
    return text_digest(canonical_json([physics, source.attributes["rg_step"]]))


def run(work: Flow, output: Path, options: RunOptions) -> None:
    """Measure the flow, or resume it."""
    with Session(output, work.request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        tasks = [work.tasks_of(number) for number in range(len(work.sources))]
        session.run([task for of_file in tasks for task in of_file], "measuring", "block")
        _publish(session, work, tasks)
    _warn_of_inputs(work)
    _warn(output)


def _publish(session: Session, work: Flow, tasks: list[list[Blocks]]) -> None:
    sources = work.sources
    sums = {name: np.concatenate([session.rows(task).read(name) for of_file in tasks for task in of_file]) for name in _SUMS}
    files = np.concatenate([np.full(sum(task.total for task in of_file), number) for number, of_file in enumerate(tasks)])
    attributes = {
        "rule": work.chosen.identity,
        "block": work.chosen.rule.block,
        "steps": work.steps,
        "even_operators": [operator.name for operator in operators.EVEN],
        "odd_operators": [operator.name for operator in operators.ODD],
    }

    def known(name):
        return np.array([source.attributes.get(name, np.nan) for source in sources], dtype=np.float64)

    def fill(writer):
        for name in ("coupling", "temperature"):
            writer.write(f"/files/{name}", known(name))
        for name in ("shape", "original_shape", "rg_step"):
            writer.write(f"/files/{name}", np.array([source.attributes[name] for source in sources], dtype=np.int64))
        writer.write("/files/streams", np.array([stream_identity(source).encode() for source in sources]))
        writer.write("/files/has_energy", np.array(["/energy" in source for source in sources], dtype=np.uint8))
        writer.write("/blocks/file", files.astype(np.int64))
        for name, array in sums.items():
            writer.write(f"/blocks/{name}", array)

    session.publish(attributes, fill, sum(array.nbytes for array in sums.values()) + (1 << 16))


# ---- what it says ---------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Measured:
    """The sums of all files at one temperature: jackknife blocks of one ensemble."""

    coupling: float | None
    shapes: list[tuple[int, ...]]
    rg_step: int
    has_energy: bool
    sums: dict[str, np.ndarray]

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
    owner, sums = file.read("/blocks/file"), {name: file.read(f"/blocks/{name}") for name in _SUMS}
    found = []
    for key, numbers in sorted(groups.items()):
        chosen = np.isin(owner, numbers)
        shapes = [tuple(int(x) for x in table["shape"][numbers[0]])]
        for _ in range(steps):
            shapes.append(tuple(size // sites for size, sites in zip(shapes[-1], block)))
        coupling = None if math.isinf(key[0]) else float(table["coupling"][numbers[0]])
        has_energy = bool(table["has_energy"][numbers].all())
        found.append(Measured(coupling, shapes, int(table["rg_step"][numbers[0]]), has_energy, {name: array[chosen] for name, array in sums.items()}))
    return found


def summary(path: Path) -> dict:
    """Effective couplings along the flow, one entry per temperature."""
    with open_file(path, "flow") as file:
        return {"file": str(path), "flows": [_flow_entry(ensemble) for ensemble in measured(file)]}


def _flow_entry(ensemble: Measured) -> dict:
    steps = [row | {"wraps": operators.wraps(shape)} for row, shape in zip(thermometer.flow_rows(ensemble.effective(), ensemble.shapes), ensemble.shapes)]
    entry = {"temperature": ensemble.temperature, "coupling": ensemble.coupling, "steps": steps}
    if ensemble.coupling is None:
        for row in steps:
            row |= {"coupling_eff": None, "coupling_eff_error": None}
        entry["reason"] = "the temperature of the samples is unknown"
    return entry


def _warn(path: Path) -> None:
    """Say what a reader of the numbers must know."""
    with open_file(path, "flow") as file:
        ensembles = measured(file)
        if any(operators.wraps(shape) for shape in ensembles[0].shapes):
            log.warning("%s: on levels smaller than %d operators wrap around the lattice; they are marked", path, operators.SMALLEST_SIZE)
        if file.attributes["rule"]["hard"]:
            return
        for ensemble in filter(_is_critical, ensembles):
            sentence = thermometer.drift(ensemble.effective(), ensemble.shapes)
            if sentence:
                log.warning("%s: %s", path, sentence)


def _warn_of_inputs(work: Flow) -> None:
    """Say where the exponents or their errors rest on what the inputs do not give."""
    if work.chosen.rule.bias.any():
        log.warning("the rule has a bias, which breaks the symmetry under a global flip: y_h assumes that odd operators vanish on average")
    for source in work.sources:
        edges, chains = block_edges(source), source.attributes["chains"]
        steps, (tau, error) = (edges[1] - edges[0]) / chains, _autocorrelation_time(source)
        if tau - error > 1 and steps < LONG_BLOCK * tau:
            log.warning("%s: tau_int = %.1f stored intervals, and a block of the jackknife has %.1f: the errors are too small; sample with a longer --interval", source.path, tau, steps)


def _autocorrelation_time(source: File) -> tuple[float, float]:
    """tau_int of |m| and its error, in stored intervals."""
    series = separate_chains(np.abs(magnetizations(source)), source.attributes["chains"])
    return integrated_autocorrelation_time(series)


def _is_critical(ensemble: Measured) -> bool:
    try:
        critical = ising.critical_coupling(len(ensemble.shapes[0]))
    except UsageError:
        return False
    return ensemble.coupling is not None and abs(ensemble.coupling / critical - 1) < 1e-3


def plan(work: Flow) -> dict:
    """What a run would do."""
    samples = sum(source.shape("/spins")[0] for source in work.sources)
    return {**work.request.parameters, "files": len(work.sources), "samples": samples, "blocks": sum(len(block_edges(source)) - 1 for source in work.sources)}
