"""``rsmi import``: configurations of other programs as a samples file."""

from __future__ import annotations

import contextlib
import functools
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rsmi import models
from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.shards import RowReader
from rsmi.engine.tasks import Rows, State
from rsmi.errors import DataError, UsageError
from rsmi.lattice.geometry import parse_block, shape_text
from rsmi.lattice.packed import pack_mask, pack_spins, row_bytes
from rsmi.models.base import Model
from rsmi.stages.sample import summary as summary
from rsmi.store import text_digest
from rsmi.store.import_bits import BitsSource
from rsmi.store.import_formats import identify, identify_as
from rsmi.store.import_hdf5 import Hdf5Source
from rsmi.store.import_numpy import NpySource, NpzSource
from rsmi.store.import_text import CsvSource
from rsmi.store.source import Source

log = logging.getLogger("rsmi")

VALUES = {"auto": (-1, 0), "+-1": (-1,), "0/1": (0,)}  # what stands for a spin down; 1 is up
_NUMBERS_AT_ONCE = 1 << 20
_BYTES_AT_ONCE = 1 << 23  # assembled at a time


# ---- what numbers mean ---------------------------------------------------------------------------


@dataclass
class Reading:
    """The task of reading a source from its first configuration to its last: a row is one
    configuration, packed.

    1 is up; down is -1 or 0, but one of them in the whole file: the state remembers the first
    configuration with each. So nothing needs to be guessed of a file of ones only: it is all up in
    either writing.
    """

    source: Source
    lattice: tuple[int, ...]
    values: str
    energies: Callable[[np.ndarray], np.ndarray | None] | None
    mask: np.ndarray | None = None
    name = "rows"

    @property
    def total(self) -> int:
        return self.source.shape[0]

    def begin(self):
        return 0, {"first": np.full(2, -1, dtype=np.int64)}  # configuration with -1, with 0

    def advance(self, state: State, start: int, count: int) -> Rows:
        step = max(1, _NUMBERS_AT_ONCE // math.prod(self.lattice))
        pieces = [
            self._read(state["first"], begin, min(begin + step, start + count))
            for begin in range(start, start + count, step)
        ]
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}

    def _read(self, first: np.ndarray, start: int, stop: int) -> Rows:
        numbers = self.source.rows(start, stop).reshape(stop - start, *self.lattice)
        up = (numbers == 1) & self._live
        self._check(numbers, up, first, start)
        rows = {"spins": pack_spins(up)}
        if self.energies is None:
            return rows
        return rows | {"energy": self.energies(2 * up[:, np.newaxis].astype(np.int8) - 1)}

    @property
    def _live(self):
        """Where numbers count: what stands at sites without data is not looked at."""
        return True if self.mask is None else self.mask

    def _check(self, numbers: np.ndarray, up: np.ndarray, first: np.ndarray, start: int) -> None:
        """Refuse what is no spin, note where -1 and 0 first occur, refuse both in one file."""
        known = up | np.logical_not(self._live)
        for index, down in enumerate((-1, 0)):
            found = (numbers == down) & self._live
            if down in VALUES[self.values]:
                known |= found
                if first[index] < 0 and found.any():
                    first[index] = start + np.argmax(found.any(axis=tuple(range(1, found.ndim))))
        if not known.all():
            raise DataError(self._stranger(numbers, known, start))
        if (first >= 0).all():
            raise DataError(
                f"{self.source.path}: holds -1 (configuration {first[0]}) and 0 (configuration"
                f" {first[1]}): spins are +-1 or 0/1 (a lattice with empty sites: see --mask)"
            )

    def _stranger(self, numbers: np.ndarray, known: np.ndarray, start: int) -> str:
        place = np.unravel_index(int(np.argmin(known)), known.shape)
        site, value = ", ".join(str(int(x)) for x in place[1:]), numbers[place]
        what = (
            "NaN" if np.isnan(value) else f"{value:g}" if numbers.dtype.kind == "f" else str(value)
        )
        meant = "+-1 or 0/1" if self.values == "auto" else self.values
        return (
            f"{self.source.path}: holds {what} at configuration {start + int(place[0])}, site"
            f" ({site}), counted from 0: spins are {meant}"
        )


# ---- the request ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Import:
    """A checked request and everything needed to run it."""

    source: Source
    format: str
    lattice: tuple[int, ...]
    values: str
    bit_order: str | None
    model: str
    coupling: float | None
    boundary: str
    chains: int
    one_after_another: bool
    mask: np.ndarray | None = None

    @property
    def request(self) -> Request:
        parameters = {
            "format": self.format,
            "dataset": self.source.dataset,
            "shape": list(self.lattice),
            "values": self.values,
            "bit_order": self.bit_order,
            "model": self.model,
            "coupling": self.coupling,
            "boundary": self.boundary,
            "chains": self.chains,
            "one_after_another": self.one_after_another,
            "mask": None if self.mask is None else text_digest(self.packed_mask.tobytes().hex()),
        }
        return Request("import", "samples", parameters, (self.source,))

    @property
    def packed_mask(self) -> np.ndarray:
        """Bits as a row of /spins."""
        return pack_mask(self.mask)

    @property
    def samples(self) -> int:
        return self.source.shape[0]

    @property
    def row_bytes(self) -> int:
        return row_bytes(self.lattice)

    @property
    def system(self) -> Model:
        """The model that was sampled."""
        return models.of({"model": self.model})

    @property
    def energies(self) -> Callable[[np.ndarray], np.ndarray | None] | None:
        """The energies of configurations (n, 1, *shape), where the spins tell them; None if not."""
        measure = functools.partial(self.system.energies, attributes=self.attributes())
        one = np.ones((1, 1, *self.lattice), dtype=np.int8)
        return measure if self.mask is None and measure(one) is not None else None

    def attributes(self) -> dict:
        return {
            "model": self.model,
            "shape": self.lattice,
            "original_shape": self.lattice,
            "coupling": self.coupling,
            "temperature": None if self.coupling is None else 1 / self.coupling,
            "rg_step": 0,
            "scale_factor": 1.0,
            "boundary": self.boundary,
            "components": 1,
            "chains": self.chains,
        }


@contextlib.contextmanager
def prepare(
    path: Path,
    *,
    format: str | None,
    dataset: str | None,
    shape: str | None,
    values: str,
    bit_order: str,
    model: str | None,
    temperature: str | None,
    coupling: float | None,
    boundary: str,
    chains: int,
    one_after_another: bool,
    mask: Path | None = None,
):
    """Open the source and check that it can be what is asked; None stands for what the file
    says."""
    wanted = parse_block(shape) if shape else None
    format = format or identify(path)
    identify_as(path, format)
    source = _open(path, format, dataset, wanted, bit_order, temperature)
    with contextlib.closing(source):
        lattice = _lattice(source, wanted)
        facts = getattr(source, "facts", None)
        model, known = _physics(facts, model, temperature, coupling, len(lattice), path)
        models.of({"model": model}).check_shape(lattice, f"{path}: a lattice of")
        _check_chains(source, chains, one_after_another)
        live = None if mask is None else _read_mask(mask, lattice, boundary, known)
        yield Import(
            source,
            format,
            lattice,
            values,
            bit_order if format == "bits" else None,
            model,
            known,
            boundary,
            chains,
            one_after_another,
            live,
        )


def _open(
    path: Path,
    format: str,
    dataset: str | None,
    shape: tuple[int, ...] | None,
    bit_order: str,
    temperature: str | None,
) -> Source:
    if dataset is not None and format not in ("npz", "hdf5"):
        raise UsageError(
            f"--dataset: for NPZ and HDF5 files, which hold several arrays; {path} holds one"
        )
    if format == "bits":
        if shape is None:
            raise UsageError(f"{path}: bits say nothing of the lattice: give --shape")
        return BitsSource(path, shape, bit_order)
    if format == "hdf5":
        return Hdf5Source(path, dataset, _plain_temperature(temperature))
    return (
        {"npy": NpySource, "csv": CsvSource}[format](path)
        if format != "npz"
        else NpzSource(path, dataset)
    )


def _plain_temperature(text: str | None) -> float | None:
    with contextlib.suppress(TypeError, ValueError):
        return float(text)
    return None


def _lattice(source: Source, wanted: tuple[int, ...] | None) -> tuple[int, ...]:
    """The lattice of one configuration: the array's own axes beyond the first, or ``wanted`` of as
    many sites."""
    own = source.shape[1:]
    if wanted is not None:
        if wanted != own and (len(own) != 1 or math.prod(wanted) != own[0]):
            raise UsageError(
                f"--shape {shape_text(wanted)}: {source.path} has configurations of"
                f" {shape_text(own) or 'one number'}"
            )
        return wanted
    if not 1 <= len(own) <= 3:
        raise UsageError(
            f"{source.path}: has shape {list(source.shape)}; (n, L), (n, Ly, Lx) or (n, Lz, Ly, Lx)"
            " is needed, the first axis counting configurations"
        )
    return own


def _physics(
    facts,
    model: str | None,
    temperature: str | None,
    coupling: float | None,
    dimension: int,
    path: Path,
) -> tuple[str, float | None]:
    """Model and K, from the options or from what a file of a known format says."""
    if facts is not None:
        return _known_physics(facts, model, temperature, coupling, path)
    if model is None or model == Model.name:
        if temperature is not None or coupling is not None:
            raise UsageError(
                "--temperature and --coupling mean the K of a model: with them name it, as by"
                f" --model {models.DEFAULT}, the nearest-neighbour Ising ferromagnet with K ="
                " J/(k_B T)"
            )
        return Model.name, None
    if temperature is None and coupling is None:
        return model, None
    return model, models.get(model).coupling(temperature, coupling, dimension)


def _known_physics(
    facts, model: str | None, temperature: str | None, coupling: float | None, path: Path
) -> tuple[str, float | None]:
    """What the file says, unless it is to be known of the spins alone."""
    if coupling is not None or (
        temperature is not None and _plain_temperature(temperature) is None
    ):
        raise UsageError(
            f"{path}: says its coupling itself: choose among its temperatures by --temperature and"
            " a number"
        )
    if facts.remark and model == facts.model:
        raise UsageError(f"--model {model}: {path} says otherwise: {facts.remark}")
    if facts.remark and model is None:
        log.warning(
            "%s: not the nearest-neighbour Ising ferromagnet (%s): imported as --model none, its"
            " coupling unknown",
            path,
            facts.remark,
        )
    if facts.remark or model == Model.name:
        return Model.name, None
    return facts.model, facts.coupling


def _read_mask(
    path: Path, lattice: tuple[int, ...], boundary: str, coupling: float | None
) -> np.ndarray | None:
    """Which sites carry data, from an array of the lattice's shape or of a cell that tiles it; None
    if all do."""
    if boundary != "periodic":
        raise UsageError("--mask: for periodic lattices")
    if coupling is not None:
        raise UsageError(
            "--mask: with sites missing, K and T_c are not those of the hypercubic lattice: leave"
            " --temperature and --coupling out"
        )
    identify_as(path, "npy")
    with contextlib.closing(NpySource(path)) as file:
        if len(file.shape) != len(lattice) or any(
            size % cell for size, cell in zip(lattice, file.shape)
        ):
            raise UsageError(
                f"--mask {path}: has shape {shape_text(file.shape)}, which neither is nor tiles the"
                f" lattice {shape_text(lattice)}"
            )
        cell = file.rows(0, file.shape[0])
    if not np.isin(cell, (0, 1)).all():
        raise DataError(f"{path}: a mask is of bool, or of 0 and 1")
    if not cell.any():
        raise DataError(f"{path}: no site carries data")
    return (
        None
        if cell.all()
        else np.tile(cell == 1, [size // sites for size, sites in zip(lattice, cell.shape)])
    )


def _check_chains(source: Source, chains: int, one_after_another: bool) -> None:
    n = source.shape[0]
    if chains > n:
        raise UsageError(f"--chains {chains}: {source.path} has {n} configurations")
    if one_after_another and n % chains:
        raise UsageError(
            f"--chain-order sequential: {n} configurations are no whole number of steps of {chains}"
            " chains"
        )


# ---- the run -------------------------------------------------------------------------------------


def run(work: Import, output: Path, options: RunOptions) -> None:
    """Import, or resume.

    Raises
    ------
    DataError
        If a number is no spin; nothing is left behind then.
    """
    with Session(output, work.request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        task = Reading(work.source, work.lattice, work.values, work.energies, work.mask)
        try:
            session.run([task], "importing", "configuration")
        except DataError:
            session.discard()
            raise
        work.source.require_unchanged()
        _publish(session, work, session.rows(task))


def _publish(session: Session, work: Import, reader: RowReader) -> None:
    n, names = work.samples, ["spins"] + ["energy"] * (work.energies is not None)

    def fill(writer):
        shapes = {
            "spins": ((n, work.row_bytes), "uint8"),
            "energy": ((n,), work.system.energy_type),
        }
        stored = {name: writer.dataset(f"/{name}", *shapes[name]) for name in names}
        if work.mask is not None:
            writer.write("/mask", work.packed_mask)
        step = max(1, _BYTES_AT_ONCE // (work.row_bytes + 8))
        for start in range(0, n, step):
            for name, dataset in stored.items():
                dataset[start : start + step] = _samples(
                    reader, name, start, min(n, start + step), n, work
                )

    session.publish(work.attributes(), fill, n * (work.row_bytes + 8))


def _samples(
    reader: RowReader, name: str, start: int, stop: int, n: int, work: Import
) -> np.ndarray:
    """Samples ``start:stop`` of the output, in which the chains take turns whatever the source
    does."""
    if not work.one_after_another or work.chains == 1:
        return reader.read(name, start, stop)
    chains, steps = work.chains, n // work.chains
    first, last = start // chains, -(-stop // chains)  # steps of every chain
    of_chains = [
        reader.read(name, chain * steps + first, chain * steps + last) for chain in range(chains)
    ]
    turns = np.stack(of_chains, axis=1).reshape(-1, *of_chains[0].shape[1:])
    return turns[start - first * chains : stop - first * chains]


def plan(work: Import) -> dict:
    """What a run would do."""
    return {
        **work.request.parameters,
        "samples": work.samples,
        "energy": work.energies is not None,
        "bytes": work.samples * (work.row_bytes + 8),
    }
