"""``rsmi report``: the page is filled and written."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import resources
from pathlib import Path

from rsmi.engine.output import check_output
from rsmi.errors import Failure, UsageError
from rsmi.foreign_text import printable
from rsmi.pages.study import Study, study_of
from rsmi.samples.files import open_file
from rsmi.store.disk import link_target, replacing

try:
    import jinja2
    import matplotlib as matplotlib  # the figures are drawn when it is known that all is there
except ImportError as error:
    raise Failure(f"a report needs {error.name}: pip install 'rsmi[plot]'") from error

_ENDINGS = (".html", ".htm")
_TEMPLATES = "rsmi.pages"


def write(paths: Sequence[Path], output: Path, title: str) -> None:
    """Write the page of a study; a page of the same name is replaced when the new one is complete.

    Parameters
    ----------
    paths : sequence of Path
        Files of any kind.
    output : Path
        Its name ends in .html or .htm.
    title : str
        The heading of the page.

    Raises
    ------
    UsageError
        If the output is no page, or one of the files.
    DataError
        If a file is damaged or contradicts itself.
    Failure
        If the folder is missing or the disk is full.
    """
    if output.suffix.lower() not in _ENDINGS:
        raise UsageError(f"{output}: the name of a page ends in {' or '.join(_ENDINGS)}")
    target = link_target(output)
    with ExitStack() as stack:
        files = [stack.enter_context(open_file(path)) for path in paths]
        check_output(target, files)
        page = page_of(study_of(files), title)
    with replacing(target) as stream:
        stream.write(page.encode())


def page_of(study: Study, title: str) -> str:
    """The page as HTML; all that comes from files is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = _text("page.js")
    return environment.get_template("page.html").render(
        study=study,
        title=printable(title),
        style=_text("page.css"),
        script=script,
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _text(name: str) -> str:
    return resources.files(_TEMPLATES).joinpath("templates", name).read_text("utf-8")
