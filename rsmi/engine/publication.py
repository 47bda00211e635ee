"""Publishing: the assembled file appears under its final name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rsmi.engine.facts import run_facts
from rsmi.engine.request import Request
from rsmi.engine.tasks import Rows
from rsmi.store import Writer, parameters_digest, publish
from rsmi.store.folder import Folder


def publish_result(
    output: Path,
    folder: Folder,
    request: Request,
    kind: str,
    attributes: dict[str, Any],
    fill: Callable[[Writer], None],
    expected_bytes: int,
    shared: Rows,
) -> str:
    """Write the result of a request and publish it; the parameters are as in `Session.publish`.

    Returns
    -------
    str
        The content digest.
    """

    def fill_all(writer: Writer) -> None:
        for path, array in shared.items():
            writer.write(path, array)
        fill(writer)

    return publish(
        output,
        folder,
        kind,
        _header(request),
        attributes,
        request.ancestors(),
        run_facts(),
        fill_all,
        expected_bytes + sum(array.nbytes for array in shared.values()),
    )


def _header(request: Request) -> dict[str, Any]:
    command, parameters, inputs = request.command, request.parameters, request.input_digests
    return {
        "command": command,
        "parameters": parameters,
        "parameters_digest": parameters_digest(command, parameters, inputs),
        "inputs": inputs,
    }
