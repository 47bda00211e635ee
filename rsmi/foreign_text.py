"""Text that others wrote: how it is read, and how it is shown.

A text input, such as a configuration, a model, a list of sites or a filter, is a regular file of at
most 1 MiB. So a device, a pipe or a huge file can neither block a command nor exhaust its memory.

A name, an attribute or a message from outside may contain control characters, with which it could
move the cursor of a terminal, change its title, or imitate a line of this program. Such characters
are shown as escape sequences of Python.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

LARGEST = 1 << 20  # bytes of a text input
_DEEPEST_KEY = 32  # parts of a dotted key; the time that a key takes grows with the square of them
_KEPT = " \N{NO-BREAK SPACE}"


def printable(text: str) -> str:
    """The text in one line, with escape sequences such as ``\\x1b`` for control characters.

    Characters that change the direction of writing, and bytes of names that are no text, are
    replaced in the same way.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in _KEPT else _escaped(one) for one in text)


def printable_lines(text: str) -> str:
    """The text with `printable` applied to each of its lines."""
    return "\n".join(map(printable, text.split("\n")))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def read_small_file(path: str | Path) -> bytes:
    """The content of a text input.

    Raises
    ------
    OSError
        If the file cannot be read, is no regular file, or has more than `LARGEST` bytes; its
        ``strerror`` says so in words.
    ValueError
        If the path has a null character.
    """
    # Without O_NONBLOCK the opening of a pipe would wait for a process that writes into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(errno.EFBIG, f"more than {LARGEST >> 20} MiB, too large for a text input")
    return content


def parse_toml(content: bytes) -> dict[str, Any]:
    """The table that a TOML file holds.

    Raises
    ------
    ValueError
        If the content is no TOML file; this includes UnicodeDecodeError and TOMLDecodeError.
    """
    text = content.decode("utf-8")
    parts = re.sub(r"[ \t]+", "", re.sub(r"[^\s.,={}\[\]]+", "k", text))
    if re.search(rf"(?:k\.){{{_DEEPEST_KEY}}}", parts):
        raise ValueError(f"a key has more than {_DEEPEST_KEY} parts")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("its values are nested too deeply") from error
