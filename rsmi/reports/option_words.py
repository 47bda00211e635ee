"""Options and values as a command line has them."""

from __future__ import annotations

from typing import Any

from rsmi.foreign_text import printable
from rsmi.store import canonical_json


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
