"""The arrows between the rooms, held by parsing the imports."""

import ast
import re
import sys
from pathlib import Path

import pytest

from rsmi.store import schema

ROOT = Path(__file__).parent.parent
# What a module of each room may import of the others; all may import rsmi, rsmi.errors and
# rsmi.notation.
FOUNDATION = {"lattice", "statistics", "kernels"}
ARROWS = {
    "cli": {"figures", "reports", "stages", "models", "engine", "store", "lattice"},
    "figures": {"reports", "stages", "samples", "models", "renormalization", "information"},
    "reports": {"stages", "samples", "models", "renormalization", "information"},
    "stages": {"samples", "models", "renormalization", "information", "engine"},
    "samples": {"models", "renormalization", "information", "engine"},
    "models": {"renormalization", "information", "engine"},
    "engine": {"store"},
    "renormalization": {"information"},
    "information": set(),
    "lattice": {"statistics", "kernels"},
    "statistics": {"kernels"},
    "store": {"lattice"},
    "kernels": set(),
}
for room in ("figures", "reports", "stages", "samples", "models"):
    ARROWS[room] |= FOUNDATION | {"store"}
for room in ("renormalization", "information"):
    ARROWS[room] |= FOUNDATION
ROOMS = tuple(ARROWS)
# Third-party packages and the rooms they may appear in. The command line computes nothing; the
# figures draw, and a model draws its own configurations; one module knows dask.
PACKAGES = {
    "h5py": {"store"},
    "click": {"cli"},
    "tqdm": {"engine"},
    "matplotlib": {"figures"},
    "numpy": set(ROOMS) - {"cli"},
}
CLUSTER = ROOT / "rsmi/engine/dask_workers.py"
MODEL_FIGURES = {*(ROOT / "rsmi/models").glob("*/figure.py")}

MODULES = sorted([*(ROOT / "rsmi").rglob("*.py"), *(ROOT / "rsmi").rglob("*.pyx")])


def room_of(path: Path) -> str:
    """The room of a module; modules directly in rsmi/ are in none."""
    inside = path.relative_to(ROOT / "rsmi").parts
    return inside[0] if len(inside) > 1 else ""


def imports_of(path: Path) -> set[str]:
    """Dotted names that a module imports, anywhere in it."""
    text = path.read_text()
    if path.suffix == ".pyx":
        found = re.findall(r"^[ \t]*from\s+([\w.]+)\s+c?import", text, re.M) + re.findall(
            r"^[ \t]*c?import\s+([\w.]+)", text, re.M
        )
        return set(found)
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_imported(path: Path) -> set[str]:
    parts = [name.split(".") for name in imports_of(path)]
    return {name[1] for name in parts if name[0] == "rsmi" and len(name) > 1 and name[1] in ROOMS}


def packages_imported(path: Path) -> set[str]:
    return (
        {name.split(".")[0] for name in imports_of(path)}
        - set(sys.stdlib_module_names)
        - {"rsmi", "libc", "cython"}
    )


def test_every_room_is_known():
    found = {room_of(path) for path in MODULES} - {""}
    assert found == set(ROOMS) == set(ARROWS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports(path):
    """Arrows never run back, and each package is imported where it belongs."""
    room = room_of(path)
    if room in ARROWS:
        assert rooms_imported(path) - {room} <= ARROWS[room]
    allowed = {package for package, rooms in PACKAGES.items() if room in rooms}
    drawing = {"matplotlib"} if path in MODEL_FIGURES else set()
    assert packages_imported(path) <= allowed | drawing
    assert ("distributed" in path.read_text()) == (
        path == CLUSTER
    )  # imported by name, when it is asked for


def test_the_imports_are_found(tmp_path):
    """The parser sees imports inside functions and in .pyx files; without it every arrow would
    pass."""
    (tmp_path / "a.py").write_text(
        "def f():\n    from rsmi.engine import session\n    import h5py._hl as x\n"
    )
    (tmp_path / "b.pyx").write_text("from rsmi.store cimport x\ncimport numpy as np\n")
    assert imports_of(tmp_path / "a.py") == {"rsmi.engine.session", "h5py._hl"}
    assert imports_of(tmp_path / "b.pyx") == {"rsmi.store", "numpy"}


def test_the_command_line_reads_files_only_to_hand_them_on():
    """Of lattice, cli may use the parsers of geometry; numbers are the stages' business."""
    used = {
        name
        for path in (ROOT / "rsmi/cli").glob("*.py")
        for name in imports_of(path)
        if name.startswith("rsmi.lattice")
    }
    assert all(name.startswith("rsmi.lattice.geometry") for name in used)


def test_one_place_packs_and_unpacks_bits():
    """Elsewhere only the example of SCHEMA.md names the functions of numpy, for readers without
    this package."""
    bits = re.compile(r"np\.(packbits|unpackbits|bitwise_count)")
    places = {path for path in (ROOT / "rsmi").rglob("*.py") if bits.search(path.read_text())}
    assert places == {ROOT / "rsmi/lattice/packed.py", ROOT / "rsmi/store/schema.py"}


def test_the_c_core_knows_neither_python_nor_files():
    sources = [path for path in (ROOT / "csrc").rglob("*.[ch]") if "tests" not in path.parts]
    assert sources
    for path in sources:
        assert not re.search(r"include\s*[<\"](Python|stdio|numpy/\w+)\.h", path.read_text()), path


def test_schema_document_is_generated():
    """After a change of schema.py: python -m rsmi.store.schema > rsmi/store/SCHEMA.md."""
    assert (ROOT / "rsmi/store/SCHEMA.md").read_text() == schema.markdown()


def test_no_path_of_one_machine():
    files = [
        path
        for folder in ("rsmi", "csrc", "tests", "data")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".pyx", ".pyi", ".c", ".h", ".md", ".json")
    ]
    files += [ROOT / name for name in ("README.md", "pyproject.toml", "setup.py")] + [
        *ROOT.rglob("Makefile")
    ]
    for path in files:
        found = re.search(r"(?<![\w.])/(home|work|tmp|root|Users|mnt)/\w+", path.read_text())
        assert not found or path == Path(__file__), f"{path}: {found}"
