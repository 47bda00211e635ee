"""``rsmi import``: configurations of other programs as a samples file."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi import models
from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.shards import RowReader
from rsmi.errors import DataError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.packed import pack_mask, row_bytes
from rsmi.models.base import Model
from rsmi.samples.examination.survey import Surveyor
from rsmi.stages.acceptance import ImportedRows, accept
from rsmi.stages.cost import file_cost, samples_bytes, seconds_of
from rsmi.stages.import_reading import Energies, ReadingTask
from rsmi.stages.import_states import StatesTask
from rsmi.stages.sample import summary as summary
from rsmi.store import Writer, text_digest
from rsmi.store.source import Source

log = logging.getLogger("rsmi")

_BYTES_AT_ONCE = 1 << 23  # of configurations copied


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
    mask: NDArray[np.bool_] | None = None
    cell: tuple[int, ...] | None = None
    symmetry: str | None = None
    discard: int | str = 0
    trust: bool = False
    components: int = 1
    in_turns: int = 1
    numbers: tuple[float, ...] | None = None
    form: dict[str, Any] = field(default_factory=dict)

    @property
    def request(self) -> Request:
        """The file that the command makes."""
        mask = self.packed_mask
        parameters = {
            "format": self.format,
            "dataset": self._datasets,
            "shape": list(self.lattice),
            "values": self.values,
            "bit_order": self.bit_order,
            "model": self.model,
            "coupling": self.coupling,
            "boundary": self.boundary,
            "chains": self.chains,
            "one_after_another": self.one_after_another,
            "mask": None if mask is None else text_digest(mask.tobytes().hex()),
        }
        later: dict[str, Any] = {
            "cell": self.cell and list(self.cell),
            "symmetric": self.symmetry,
            "components": self.components if self.components > 1 else None,
            "states": self.states if self.states > 2 else None,
            "files": len(self.source.inputs) if len(self.source.inputs) > 1 else None,
            **self.form,
        }
        parameters |= {name: value for name, value in later.items() if value is not None}
        parameters |= {"discard": self.discard} if self.discard else {}
        parameters |= {"trust": True} if self.trust else {}
        return Request("import", "samples", parameters, self.source.inputs)

    @property
    def _datasets(self) -> list[str | None] | str | None:
        """The name of the dataset of every file, or of the only file."""
        names = [source.dataset for source in self.source.inputs]
        return names if len(names) > 1 and any(names) else names[0]

    @property
    def packed_mask(self) -> NDArray[np.uint8] | None:
        """The sites that carry data, as bits like a row of /spins; None if all do."""
        return None if self.mask is None else pack_mask(self.mask)

    @property
    def samples(self) -> int:
        """The number of configurations."""
        return self.source.shape[0]

    @property
    def row_bytes(self) -> int:
        """The number of bytes of a packed configuration."""
        return row_bytes((self.components, *self.lattice), self.states)

    @property
    def states(self) -> int:
        """The number of states of a variable."""
        return 2 if self.numbers is None else len(self.numbers)

    @property
    def system(self) -> Model:
        """The model that was sampled."""
        return models.of({"model": self.model})

    @property
    def energies(self) -> Energies | None:
        """What returns the energies of configurations (n, 1, *shape); None if the spins do not
        determine them."""
        one = np.ones((1, self.components, *self.lattice), dtype=np.int8)
        attributes = self.attributes()
        if self.mask is not None or self.system.energies(one, attributes) is None:
            return None
        return functools.partial(_energies, self.system, attributes)

    def attributes(self) -> dict[str, Any]:
        """The attributes of the samples file."""
        return {
            "model": self.model,
            "symmetry": self.symmetry,
            "cell": self.cell,
            "shape": self.lattice,
            "original_shape": self.lattice,
            "coupling": self.coupling,
            "temperature": None if self.coupling is None else 1 / self.coupling,
            "rg_step": 0,
            "scale_factor": 1.0,
            "boundary": self.boundary,
            "components": self.components,
            "chains": self.chains,
        } | ({"states": self.states} if self.states > 2 else {})


def _energies(
    model: Model, attributes: dict[str, Any], configurations: NDArray[np.int8]
) -> NDArray[Any]:
    shape = (attributes["components"], *attributes["shape"])
    energies = model.energies(configurations.reshape(-1, *shape), attributes)
    if energies is None:
        raise ValueError(f"the energies of {model.name} are unknown")
    return energies


# ---- the run -------------------------------------------------------------------------------------


def run(work: Import, output: Path, options: RunOptions) -> None:
    """Import, or resume.

    Raises
    ------
    DataError
        If a number is no spin, or the samples contradict what they are said to be. Nothing is
        left behind then.
    """
    with Session(output, work.request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        for remark in work.source.remarks:
            log.info("%s", remark)
        task = _task(work)
        try:
            session.run([task], "importing", "configuration")
            work.source.require_unchanged()
            log.info("%s", _what_was_read(work))
            _publish(session, work, session.rows(task))
        except DataError:
            session.discard()
            raise


def _task(work: Import) -> ReadingTask | StatesTask:
    shape = (work.components, *work.lattice)
    if work.numbers is not None:
        return StatesTask(work.source, shape, work.numbers, work.energies)
    binary = shape if work.components > 1 else work.lattice
    return ReadingTask(work.source, binary, work.values, work.energies, work.mask)


def _what_was_read(work: Import) -> str:
    """How many configurations of what lattice, of which chains."""
    order = "one after the other" if work.in_turns == 1 else "taking turns"
    chains = "one chain" if work.chains == 1 else f"{work.chains} chains, {order}"
    attributes, more = work.attributes(), len(work.source.inputs) - 1
    model = work.system.describe_lattice(attributes) + work.system.describe_components(attributes)
    return (
        f"{work.source.path}{f' and {more} more' if more else ''}: {work.samples} configurations of"
        f" the lattice {shape_text(work.lattice)} ({model}, {work.boundary}), of {chains}"
    )


def _publish(session: Session, work: Import, reader: RowReader) -> None:
    rows, mask = ImportedRows(reader, work), work.packed_mask
    discarded = rows.discard(work.discard)
    attributes = work.attributes() | {"discarded": discarded or None}

    def fill(writer: Writer) -> None:
        stored = {"/spins": writer.dataset("/spins", rows.shape("/spins"), "uint8")}
        if work.energies is not None:
            stored["/energy"] = writer.dataset("/energy", (rows.count,), work.system.energy_type)
        if mask is not None:
            writer.write("/mask", mask)
        surveyor = Surveyor(
            rows.shape("/spins"), attributes, work.system, work.mask, work.energies is not None
        )
        step = max(1, _BYTES_AT_ONCE // (work.row_bytes + 8))
        for start in range(0, rows.count, step):
            pieces = {path: rows.read(path, start, start + step) for path in stored}
            for path, piece in pieces.items():
                stored[path][start : start + step] = piece
            surveyor.add(start, pieces["/spins"], pieces.get("/energy"))
        accept(writer, surveyor.survey(), session.output, work.trust)

    session.publish(attributes, fill, rows.count * (work.row_bytes + 8))


def plan(work: Import) -> dict[str, Any]:
    """What a run would do."""
    return {
        **work.request.parameters,
        "samples": work.samples,
        "energy": work.energies is not None,
        **file_cost(seconds_of(_task(work)), samples_bytes(work.samples, work.row_bytes)).plan,
    }
