"""The commands of a study, from the ancestry of its files: what each of them read and made.

A file keeps the command and the parameters that made it, and those of all its ancestors; the inputs
are recorded of the file itself only. So what an ancestor read that is not among the files of the
study follows only if nothing else is possible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rsmi.engine.lineage import ancestors
from rsmi.reports import command_lines
from rsmi.reports.shell_line import UNKNOWN, Inputs, rule_digests
from rsmi.store import File

SOURCE = "source"  # the command of a file of another program
_MAKERS = ("sample", "import", "coarse-grain")  # of samples
_OF_SEVERAL = ("flow", "crossing", "spectrum")  # files of samples
_READERS = (*_OF_SEVERAL, "train-theta", "train-lambda", "coarse-grain")  # of samples
_WITH_MACHINES = ("proxy", "logsum", "enumerate")  # objectives
_MACHINES_NOT = "gaussian"  # the estimator that needs none


@dataclass(frozen=True)
class Step:
    """One command of a study.

    Attributes
    ----------
    digest : str
        Of the file that it made.
    command : str
    parameters : dict
    output : str
        The name of that file.
    given : bool
        Whether the file is among those of the study.
    inputs : tuple of str, optional
        The names of the files that the command read; None if they are not known.
    lines : tuple of str
        The command line, after the lines that prepare it; none for a file of another program.
    remarks : tuple of str
        What is not known of it: whole sentences.
    """

    digest: str
    command: str
    parameters: dict[str, Any]
    output: str
    given: bool
    inputs: tuple[str, ...] | None
    lines: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def makes_samples(self) -> bool:
        """Whether the file holds configurations."""
        return self.command in _MAKERS


def steps_of(files: Sequence[File], names: Mapping[str, str]) -> list[Step]:
    """The commands that made files and their ancestors, inputs before what is made from them.

    Parameters
    ----------
    files : sequence of File
    names : mapping
        The names of the files by digest. Other files get names of their command and digest.
    """
    entries = {entry["digest"]: entry for entry in ancestors(files)}
    given = {file.digest: file for file in files}
    known = {digest: list(file.attributes["inputs"]) for digest, file in given.items()}
    all_names = {digest: names.get(digest) or _name(entry) for digest, entry in entries.items()}
    steps = []
    for digest, entry in entries.items():
        read = known[digest] if digest in given else _inferred(entry, _before(digest, files))
        shard = given[digest].attributes.get("shard") if digest in given else None
        steps.append(_step(entry, read, all_names, entries, digest in given, shard))
    return steps


def _name(entry: Mapping[str, Any]) -> str:
    short = entry["digest"][:8]
    return f"FILE-{short}" if entry["command"] == SOURCE else f"{entry['command']}-{short}.h5"


def _step(
    entry: Mapping[str, Any],
    read: Sequence[str] | None,
    names: Mapping[str, str],
    entries: Mapping[str, Mapping[str, Any]],
    given: bool,
    shard: Sequence[int] | None,
) -> Step:
    output, command, parameters = names[entry["digest"]], entry["command"], entry["parameters"]
    inputs = None if read is None else tuple(names.get(one, one[:12]) for one in read)
    if command == SOURCE:
        return Step(
            entry["digest"], command, parameters, output, given, (), (), (_source_text(entry),)
        )
    kinds = {one: entries[one]["command"] for one in read or () if one in entries}
    line = command_lines.line_of(
        command, parameters, Inputs(names, kinds, known=read is not None), output, shard
    )
    remarks = [*line.remarks]
    if read is None:
        remarks.append(
            "What it read is not recorded in the files of this report:"
            f" {UNKNOWN} stands for it; give {output} to the report too."
        )
    return Step(
        entry["digest"], command, parameters, output, given, inputs, line.lines, tuple(remarks)
    )


def _source_text(entry: Mapping[str, Any]) -> str:
    size = entry["parameters"].get("bytes")
    bytes_text = f" with {size} bytes" if isinstance(size, int) else ""
    return (
        f"A file of another program{bytes_text}, SHA-256 {entry['digest']}; its name is not"
        " recorded."
    )


# ---- what ancestors read -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Before:
    """What stands before an ancestor in a list of ancestors.

    Attributes
    ----------
    entries : sequence of mapping
        All that it can have been made from, oldest first.
    exact : bool
        Whether all of them are its ancestors: a file of the study was made from it alone.
    """

    entries: Sequence[Mapping[str, Any]]
    exact: bool

    def made_by(self, *commands: str) -> list[str]:
        """The digests of what such commands made."""
        return [one["digest"] for one in self.entries if one["command"] in commands]


def _before(digest: str, files: Sequence[File]) -> _Before:
    """What stands before an ancestor: the list that says most."""
    lists = []
    for file in files:
        older, exact = file.ancestors(), file.attributes["inputs"] == [digest]
        places = [place for place, entry in enumerate(older) if entry["digest"] == digest]
        lists += [_Before(older[:place], exact) for place in places]
    return min(lists, key=lambda one: (not one.exact, len(one.entries)))


def _inferred(entry: Mapping[str, Any], before: _Before) -> list[str] | None:
    """The digests of what an ancestor read, if only one thing is possible."""
    command, parameters = entry["command"], entry["parameters"]
    if command in ("sample", SOURCE):
        return []
    if command == "import":
        return _all_of(before.made_by(SOURCE), parameters.get("files", 1))
    if command == "exponent":
        return _all_of(before.made_by("flow"), 1)
    samples = [] if "sampled" in parameters else _samples(command, before)
    machines = before.made_by("train-theta") if _needs_machines(entry) else []
    if samples is None or len(machines) != _needs_machines(entry):
        return None
    return [*samples, *machines, *rule_digests(parameters)]


def _all_of(found: list[str], count: int) -> list[str] | None:
    return found if len(found) == count else None


def _samples(command: str, before: _Before) -> list[str] | None:
    """The samples that a command read: the only ones, or all that nothing else can have read."""
    found = before.made_by(*_MAKERS)
    if len(found) == 1:
        return found
    others = any(one["command"] in _READERS for one in before.entries)
    certain = before.exact and command in _OF_SEVERAL and not others
    return found if certain and found else None


def _needs_machines(entry: Mapping[str, Any]) -> bool:
    parameters = entry["parameters"]
    return (
        entry["command"] == "train-lambda"
        and parameters.get("objective") in _WITH_MACHINES
        and parameters.get("estimator") != _MACHINES_NOT
    )
