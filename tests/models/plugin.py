"""Making a package with a model visible without installing it."""

import contextlib
import sys
import tomllib
from pathlib import Path

from rsmi import models


@contextlib.contextmanager
def visible(package: Path, folder: Path):
    """Within the context, the entry points of a package are those of an installed one.

    Parameters
    ----------
    package : Path
        The folder with pyproject.toml and the module.
    folder : Path
        An empty folder, which receives what pip would write.

    Yields
    ------
    list of str
        What PYTHONPATH must have for other processes.
    """
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text(points)
    added = [str(folder), str(package)]
    sys.path[:0] = added
    forget()
    try:
        yield added
    finally:
        for entry in added:
            sys.path.remove(entry)
        forget()


def forget() -> None:
    """Have the registry look again."""
    models.installed.cache_clear()
    models.named.cache_clear()
