"""The two kinds of files of ``rsmi spectrum``: what they name, and how their sums are joined and
stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from rsmi.engine.tasks import Rows, State
from rsmi.stages.joined import Contents
from rsmi.stages.spectrum import correlation_sums, storage, sums
from rsmi.stages.spectrum.chosen import ChosenFunctions
from rsmi.stages.spectrum.request import Choices


class Layout(NamedTuple):
    """How the sums of one kind of file are made from the states of tasks.

    Attributes
    ----------
    kind : str
        The kind of the file.
    attributes : callable
        Returns the attributes that name the functions.
    from_state : callable
        Returns the sums of a task, given its state, these attributes and the lattice.
    joined : callable
        Returns the sums of the same groups over several tasks.
    contents : callable
        Returns what stores the sums of all lattices, and other datasets.
    """

    kind: str
    attributes: Callable[[ChosenFunctions], dict[str, Any]]
    from_state: Callable[[State, Mapping[str, Any], Sequence[int]], Any]
    joined: Callable[[Sequence[Any]], Any]
    contents: Callable[[Sequence[Any], Rows], Contents]


SPECTRUM = Layout(
    "spectrum", storage.attributes, storage.sums_of_state, sums.joined, storage.contents
)
CORRELATION = Layout(
    "correlation",
    correlation_sums.attributes,
    correlation_sums.from_state,
    correlation_sums.joined,
    correlation_sums.contents,
)


def layout_of(choices: Choices) -> Layout:
    """The layout of the file that a command makes."""
    return CORRELATION if choices.correlation else SPECTRUM


def layout_of_kind(kind: str) -> Layout:
    """The layout of a kind of file, or of its shards."""
    return CORRELATION if kind.startswith(CORRELATION.kind) else SPECTRUM
