"""A study: the files of a report with what they say, in the order in which they were made."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rsmi.foreign_text import printable
from rsmi.pages.drawings import Drawing, drawing_of, drawings_of_rules
from rsmi.pages.grid import Grid, grid_of
from rsmi.reports import files as reports
from rsmi.reports.blocks import Block, Note, blocks_of
from rsmi.reports.option_words import folded
from rsmi.reports.results import (
    RESULT_TITLES,
    RULE_TITLES,
    Row,
    results_of,
    rule_of,
    state_point,
)
from rsmi.reports.samples import lattice
from rsmi.reports.sampling_words import sampled_attributes
from rsmi.reports.steps import Step, steps_of
from rsmi.store import File, as_data_error, canonical_json
from rsmi.store.schema import KINDS

_SERIOUS = ("contradiction", "warning")
# What is said of the program that wrote a file: nothing that tells one machine or one hour.
_SAMPLED_TITLES = (
    "samples",
    "lattice and model",
    "state point",
    "algorithm",
    "chains",
    "configurations",
)
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
    others : tuple of str
        Names of files with the same content.
    kind, meaning, digest : str
    drawing : Drawing
    blocks : list of Block
    facts : list of (str, str)
        How it was made: parameters, and the programs.
    rule : tuple of str, optional
        Of a rule, the window and the information.
    results : list of tuple of str
        The values to quote; see `rsmi.reports.results`.
    """

    anchor: str
    name: str
    others: tuple[str, ...]
    kind: str
    meaning: str
    digest: str
    drawing: Drawing
    blocks: list[Block]
    facts: list[tuple[str, str]]
    rule: Row | None
    results: list[Row]

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
    sampled, rules, results : Grid
        What was sampled, one row for every set of configurations; the rules; the values to quote.
    drawings : list of Drawing
        The information of several rules.
    software : list of str
        The versions of rsmi that wrote the files.
    """

    documents: list[Document]
    steps: list[Step]
    sampled: Grid
    rules: Grid
    results: Grid
    drawings: list[Drawing]
    software: list[str]

    @property
    def script(self) -> list[str]:
        """The lines of the shell that make all files, each line once, with comments on what is not
        known."""
        lines = []
        for step in self.steps:
            lines += [f"# {step.output}: {remark}" for remark in step.remarks]
            lines += map(folded, step.lines)
        return list(dict.fromkeys(lines))


def study_of(files: Sequence[File]) -> Study:
    """The study that open files make up; several files with the same content are one.

    Raises
    ------
    DataError
        If the values of a file contradict each other.
    """
    names = names_of(files)
    files = list({file.digest: file for file in reversed(files)}.values())[::-1]
    with as_data_error(files[0].path):
        steps = steps_of(files, {digest: own[0] for digest, own in names.items()})
    order = {step.digest: number for number, step in enumerate(steps)}
    ordered = sorted(files, key=lambda file: order[file.digest])
    documents = [
        _document(file, number, names[file.digest]) for number, file in enumerate(ordered, 1)
    ]
    rules = [(one.name, *one.rule) for one in documents if one.rule is not None]
    results = [(one.name, *row) for one in documents for row in one.results]
    return Study(
        documents,
        steps,
        grid_of(_SAMPLED_TITLES, _sampled(ordered, steps)),
        grid_of(("rule", *RULE_TITLES), rules),
        grid_of(("file", *RESULT_TITLES), results),
        drawings_of_rules([file for file in ordered if file.kind == "lambda"], "r"),
        sorted({printable(file.attributes["software"]) for file in files}),
    )


def names_of(files: Sequence[File]) -> dict[str, tuple[str, ...]]:
    """The names of the files with each digest, without folders, and with a part of the digest where
    they would be equal."""
    digests: dict[str, set[str]] = {}
    for file in files:
        digests.setdefault(printable(file.path.name), set()).add(file.digest)
    names: dict[str, dict[str, None]] = {}
    for file in files:
        name = printable(file.path.name)
        shown = name if len(digests[name]) == 1 else f"{file.digest[:8]}-{name}"
        names.setdefault(file.digest, {})[shown] = None
    return {digest: tuple(own) for digest, own in names.items()}


def _document(file: File, number: int, names: Sequence[str]) -> Document:
    name, *others = names
    with as_data_error(file.path), _heard() as records:
        blocks = blocks_of(reports.lines(file))
        drawing = drawing_of(file, f"f{number}-")
        rule = rule_of(file) if file.kind == "lambda" else None
        results = results_of(file, blocks)
    said = {block.sentence for block in blocks if isinstance(block, Note)}
    heard = [printable(one.replace(str(file.path), name)) for one in dict.fromkeys(records)]
    blocks += [Note("warning", one) for one in heard if one not in said]
    return Document(
        anchor=f"file-{number}",
        name=name,
        others=tuple(others),
        kind=file.kind,
        meaning=KINDS[file.kind].meaning,
        digest=file.digest,
        drawing=drawing,
        blocks=blocks,
        facts=_facts(file),
        rule=rule,
        results=results,
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


def _sampled(files: Sequence[File], steps: Sequence[Step]) -> list[Row]:
    """A row for every file of configurations, and for all that were sampled on the way."""
    given = {file.digest: file for file in files}
    rows = []
    for step in steps:
        file = given.get(step.digest)
        if file is not None and file.kind == "samples":
            rows.append((step.output, *_of_file(file)))
        elif file is None and step.makes_samples:
            rows.append((step.output, *_of_parameters(step.parameters)))
        sampled = step.parameters.get("sampled")
        for one in sampled if isinstance(sampled, list) else ():
            rows.append((f"{step.output}, not stored", *_of_parameters(one)))
    return rows


def _of_file(file: File) -> Row:
    a = file.attributes
    made = [a.get("algorithm", "-"), str(a["chains"]), str(file.shape("/spins")[0])]
    return lattice(a), state_point(a), *map(printable, made)


def _of_parameters(parameters: Any) -> Row:
    """What the parameters of samples say that are no file of the report."""
    try:
        attributes = sampled_attributes(parameters)
        made = [str(parameters[name]) for name in ("algorithm", "chains", "samples")]
        return lattice(attributes), state_point(attributes), *map(printable, made)
    except Exception:  # of what a stranger wrote, or of samples that no sampler made
        return "see the commands", "-", "-", "-", "-"
