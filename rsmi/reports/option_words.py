"""Options and values as a command line has them."""

from __future__ import annotations

import shlex
from typing import Any

from rsmi.foreign_text import printable
from rsmi.store import canonical_json

_WIDTH = 92  # of a line of the shell


def option_words(name: str, value: Any) -> list[str]:
    """The words of an option with a value; none if it is None or off."""
    option = f"--{name.replace('_', '-')}"
    if value is None or value is False:
        return []
    if value is True:
        return [option]
    text = number_text(value)
    return [f"{option}={text}"] if text.startswith("-") else [option, text]


def number_text(value: Any) -> str:
    """A value as the command line reads it, with all digits."""
    return printable(value if isinstance(value, str) else canonical_json(value))


def folded(line: str) -> str:
    """A command line in lines of about equal width, which the shell reads as one."""
    if not line.startswith("rsmi "):
        return line
    words = [*map(shlex.quote, shlex.split(line))]
    pieces = [words[0]]
    for before, word in zip(words, words[1:]):
        of_option = before.startswith("-") and "=" not in before and not word.startswith("-")
        pieces[-1:] = [f"{pieces[-1]} {word}"] if of_option else [pieces[-1], word]
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + len(piece) < _WIDTH:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    return " \\\n    ".join(lines)
