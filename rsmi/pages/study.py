"""A study: the files of a report with what they say, in the order in which they were made."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsmi.foreign_text import printable
from rsmi.lattice.geometry import shape_text
from rsmi.pages.drawings import Drawing, drawing_of
from rsmi.reports import files as reports
from rsmi.reports.blocks import Block, Note, blocks_of
from rsmi.reports.samples import lattice, temperature
from rsmi.reports.steps import Step, steps_of
from rsmi.samples.files import open_file
from rsmi.store import File, as_data_error, canonical_json
from rsmi.store.schema import KINDS

_SERIOUS = ("contradiction", "warning")
# What is said of the program that wrote a file: nothing that tells one machine or one hour.
_RUN_FACTS = ("python", "numpy", "h5py", "hdf5", "blas", "cpu")


@dataclass(frozen=True)
class Document:
    """What a page says of one file.

    Attributes
    ----------
    anchor : str
        The place of its section in the page.
    name : str
        Its name without the folder.
    kind, meaning, digest : str
    drawing : Drawing
    blocks : list of Block
    facts : list of (str, str)
        How it was made: parameters, and the programs.
    """

    anchor: str
    name: str
    kind: str
    meaning: str
    digest: str
    drawing: Drawing
    blocks: list[Block]
    facts: list[tuple[str, str]]

    @property
    def warnings(self) -> list[Note]:
        """What is serious among the notes."""
        notes = [block for block in self.blocks if isinstance(block, Note)]
        return [note for note in notes if note.level in _SERIOUS]


@dataclass(frozen=True)
class Study:
    """All that a page shows.

    Attributes
    ----------
    documents : list of Document
    steps : list of Step
        The commands that made the files and their ancestors, oldest first.
    sampled : list of tuple of str
        What was sampled, one row for every set of configurations.
    software : list of str
        The versions of rsmi that wrote the files.
    """

    documents: list[Document]
    steps: list[Step]
    sampled: list[tuple[str, ...]]
    software: list[str]

    @property
    def script(self) -> list[str]:
        """The lines of the shell that make all files, each line once."""
        return list(dict.fromkeys(line for step in self.steps for line in step.lines))


def study_of(files: Sequence[File]) -> Study:
    """The study that open files make up.

    Raises
    ------
    DataError
        If the values of a file contradict each other.
    """
    names = names_of(files)
    with as_data_error(files[0].path):
        steps = steps_of(files, names)
    order = {step.digest: number for number, step in enumerate(steps)}
    ordered = sorted(files, key=lambda file: order[file.digest])
    documents = [
        _document(file, number, names[file.digest]) for number, file in enumerate(ordered, 1)
    ]
    software = sorted({file.attributes["software"] for file in files})
    return Study(documents, steps, _sampled(ordered, steps), [*map(printable, software)])


def names_of(files: Sequence[File]) -> dict[str, str]:
    """The name of every file without its folder, by digest, which tells equal names apart."""
    names = [printable(file.path.name) for file in files]
    return {
        file.digest: name if names.count(name) == 1 else f"{file.digest[:8]}-{name}"
        for file, name in zip(files, names)
    }


def _document(file: File, number: int, name: str) -> Document:
    with _heard() as records:
        blocks = blocks_of(reports.lines(file))
        drawing = drawing_of(file, f"f{number}-")
    said = {block.sentence for block in blocks if isinstance(block, Note)}
    heard = [printable(one.replace(str(file.path), name)) for one in dict.fromkeys(records)]
    blocks += [Note("warning", one) for one in heard if one not in said]
    return Document(
        anchor=f"file-{number}",
        name=name,
        kind=file.kind,
        meaning=KINDS[file.kind].meaning,
        digest=file.digest,
        drawing=drawing,
        blocks=blocks,
        facts=_facts(file),
    )


@contextmanager
def _heard() -> Iterator[list[str]]:
    """The warnings that are logged meanwhile, which belong on the page."""
    records: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record.getMessage())

    listener, logger = Listener(logging.WARNING), logging.getLogger("rsmi")
    logger.addHandler(listener)
    try:
        yield records
    finally:
        logger.removeHandler(listener)


def _facts(file: File) -> list[tuple[str, str]]:
    """How a file was made, as text."""
    facts, version = file.run_facts(), file.attributes["format_version"]
    return [
        ("command", printable(f"rsmi {file.attributes['command']}")),
        *((printable(name), plain(value)) for name, value in file.parameters.items()),
        ("digest", file.digest),
        ("format", ".".join(map(str, version))),
        ("written by", printable(file.attributes["software"])),
        *((name, printable(facts[name])) for name in _RUN_FACTS if name in facts),
    ]


def plain(value: Any) -> str:
    """A parameter as text."""
    return printable(value if isinstance(value, str) else canonical_json(value))


# ---- what was sampled ----------------------------------------------------------------------------


def _sampled(files: Sequence[File], steps: Sequence[Step]) -> list[tuple[str, ...]]:
    """A row for every file of configurations, and for all that were sampled on the way."""
    given = {file.digest: file for file in files}
    rows = []
    for step in steps:
        file = given.get(step.digest)
        if file is not None and file.kind == "samples":
            rows.append(_row_of_file(step.output, file))
        elif file is None and step.makes_samples:
            rows.append(_row_of_parameters(step.output, step.parameters))
        for one in step.parameters.get("sampled", ()):
            rows.append(_row_of_parameters(f"{step.output}, measured and not stored", one))
    return rows


def _row_of_file(name: str, file: File) -> tuple[str, ...]:
    a = file.attributes
    made = [a.get("algorithm", "-"), str(a["chains"]), str(file.shape("/spins")[0])]
    return name, lattice(a), temperature(a), *map(printable, made)


def _row_of_parameters(name: str, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """What parameters of a file say that is not there itself."""
    shape = parameters.get("shape")
    sides = shape_text(tuple(shape)) if isinstance(shape, list) else "-"
    coupling = parameters.get("coupling")
    state = f"K = {coupling:.6g}" if isinstance(coupling, float) else "see the command"
    words = [f"{sides} {parameters.get('model', '')}".strip(), state]
    words += [str(parameters.get(key, "-")) for key in ("algorithm", "chains", "samples")]
    return name, *map(printable, words)


@contextmanager
def opened(paths: Sequence[Path]) -> Iterator[list[File]]:
    """The files of a report, each content once."""
    with ExitStack() as stack:
        files = [stack.enter_context(open_file(path)) for path in paths]
        yield list({file.digest: file for file in files}.values())
