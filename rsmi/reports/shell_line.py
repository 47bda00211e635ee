"""A command line that is being written: its words, what prepares it, and what is not known."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rsmi.foreign_text import printable
from rsmi.reports.option_words import number_text, option_words
from rsmi.reports.sampling_words import Words

UNKNOWN = "INPUT.h5"  # stands for files that are not known
MODEL_FILE = "model.toml"  # how the name of a model file ends that is prepared


@dataclass(frozen=True)
class Inputs:
    """What a command read.

    Attributes
    ----------
    names : mapping
        The names of all files by digest.
    commands : mapping
        The commands that made the inputs, by digest, in order.
    known : bool
        Whether the inputs are known.
    """

    names: Mapping[str, str]
    commands: Mapping[str, str]
    known: bool = True

    def made_by(self, *commands: str) -> list[str]:
        """The names of the inputs that such commands made; a word that stands for them if they are
        not known."""
        names = [self.name(one) for one, command in self.commands.items() if command in commands]
        return names if self.known else [UNKNOWN]

    def but_rules(self, parameters: Mapping[str, Any]) -> list[str]:
        """The names of the inputs that are no rules; a word that stands for them if they are not
        known."""
        rules = set(rule_digests(parameters))
        names = [self.name(one) for one in self.commands if one not in rules]
        return names if self.known else [UNKNOWN]

    def name(self, digest: str) -> str:
        """The name of a file as a word."""
        return path_word(self.names.get(digest) or f"{digest[:8]}.h5")


@dataclass
class Line:
    """A command line.

    Attributes
    ----------
    output : str
        The file that the command makes.
    words : list of str
    remarks : list of str
        What is not known: whole sentences.
    before, after : list of str
        Lines of the shell that prepare the command, and that follow it.
    """

    output: str
    words: list[str]
    remarks: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines of the shell. What a stranger wrote reaches no terminal unchanged."""
        words = [*self.words, "-o", path_word(self.output)]
        return tuple(map(printable, [*self.before, shlex.join(words), *self.after]))

    def own_file(self, name: str) -> str:
        """The name of a file that is prepared for this command."""
        return f"{path_word(self.output).removesuffix('.h5')}-{name}"

    def option(self, name: str, value: Any) -> None:
        """Add an option, unless it has no value."""
        self.words += option_words(name, value)

    def table(self, name: str, rows: Sequence[Sequence[Any]]) -> str:
        """Prepare a CSV file with such rows; return its name."""
        return self.text(self.own_file(name), [",".join(map(number_text, row)) for row in rows])

    def text(self, path: str, lines: Sequence[str]) -> str:
        """Prepare a text file; return its name."""
        self.before.append(f"printf '%s\\n' {shlex.join(lines)} > {shlex.quote(path)}")
        return path

    def sampling(self, words: Words) -> None:
        """Add the options of sampling, and prepare the model file that they name."""
        self.words += words.options
        if words.model_file is not None:
            self.text(self.own_file(MODEL_FILE), words.model_file)


def path_word(name: str) -> str:
    """The name of a file as a word that is no option."""
    return f"./{name}" if name.startswith("-") else name


def rule_digests(parameters: Mapping[str, Any]) -> list[str]:
    """The digests of learned rules among parameters, each once."""
    entries = [parameters.get("rule"), *_list(parameters, "rules"), *_list(parameters, "functions")]
    found = [one["digest"] for one in entries if isinstance(one, dict) and "digest" in one]
    return list(dict.fromkeys(found))


def _list(parameters: Mapping[str, Any], name: str) -> list[Any]:
    value = parameters.get(name)
    return value if isinstance(value, list) else []
