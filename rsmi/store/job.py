"""The record of unfinished work: the request that the parts in a folder belong to."""

from __future__ import annotations

import json
import re
from typing import Any

from rsmi.errors import DataError
from rsmi.store.errors import read_errors
from rsmi.store.folder import Folder

JOB = "job.json"
_TYPES = {"command": str, "parameters": dict, "inputs": list, "shard": list, "token": str}
_LARGEST = 1 << 26  # bytes that are read
_OPTIONAL = {"shard": [], "token": ""}


def read_job(folder: Folder) -> dict[str, Any] | None:
    """The record in a folder of parts; None if there is none.

    Raises
    ------
    DataError
        If the record is damaged, or if version 0.3.0 or an earlier one has begun the work.
    """
    try:
        with read_errors(folder.path / JOB):
            content = folder.read(JOB, _LARGEST)
        job = json.loads(content)
        fields = _OPTIONAL | job
        if not all(isinstance(fields[name], kind) for name, kind in _TYPES.items()):
            raise ValueError("a field has a wrong type")
        if not re.fullmatch("([0-9a-f]{8})?", fields["token"]):
            raise ValueError("the token has a wrong form")
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataError(
            f"{folder.path}: the checkpoint's {JOB} is damaged: use --force to start again"
        ) from error
    if not fields["token"]:  # work has a token since version 0.4.0
        raise DataError(
            f"{folder.path}: rsmi 0.3.0 or an earlier version has begun this work, and this version"
            " cannot finish it: finish it with the version that began it, or remove this folder to"
            " start again"
        )
    return job
