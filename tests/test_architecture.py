"""The arrows between the rooms, held by parsing the imports."""

import ast
import functools
import re
import sys
from pathlib import Path

import pytest

from rsmi.store import schema

ROOT = Path(__file__).parent.parent
# What a module of each room may import of the others; all may import rsmi and rsmi.errors.
FOUNDATION = {"lattice", "statistics", "kernels"}
ARROWS = {
    "cli": {
        "pages",
        "figures",
        "reports",
        "stages",
        "samples",
        "models",
        "engine",
        "store",
        "lattice",
    },
    "pages": {"figures", "reports", "samples", "engine"},
    "figures": {"reports", "stages", "samples", "models", "renormalization", "information"},
    "reports": {"stages", "samples", "models", "renormalization", "information", "engine"},
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
for room in ("pages", "figures", "reports", "stages", "samples", "models"):
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
    "matplotlib": {"figures", "pages"},
    "jinja2": {"pages"},
    "numpy": set(ROOMS) - {"cli"},
}
CLUSTER = ROOT / "rsmi/engine/dask_workers.py"
MODEL_FIGURES = {*(ROOT / "rsmi/models").glob("*/figure.py")}

MODULES = sorted([*(ROOT / "rsmi").rglob("*.py"), *(ROOT / "rsmi").rglob("*.pyx")])


def room_of(path: Path) -> str:
    """The room of a module; modules directly in rsmi/ are in none."""
    inside = path.relative_to(ROOT / "rsmi").parts
    return inside[0] if len(inside) > 1 else ""


@functools.cache
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
    allowed |= {"numpy"} if path.name == "api.py" else set()
    assert packages_imported(path) <= allowed | drawing
    assert ("distributed" in path.read_text()) == (
        path == CLUSTER
    )  # imported by name, when it is asked for


EXAMPLES = sorted((ROOT / "data").rglob("*.py"))
PUBLIC = {"lattice", "information", "renormalization", "statistics", "models", "samples"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_use_the_public_interface(path):
    """What an example needs of another room is in the wrong room; the rest is the command line."""
    assert rooms_imported(path) <= PUBLIC


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
    assert places == {ROOT / "rsmi/lattice/packed.py", ROOT / "rsmi/store/schema/document.py"}


def test_the_c_core_knows_neither_python_nor_files():
    sources = [path for path in (ROOT / "csrc").rglob("*.[ch]") if "tests" not in path.parts]
    assert sources
    for path in sources:
        assert not re.search(r"include\s*[<\"](Python|stdio|numpy/\w+)\.h", path.read_text()), path


# The C core. A folder may include those below it; csrc/tests may include everything.
C_CORE = ROOT / "csrc"
C_FOLDERS = {
    "models": {"learning", "blocking", "base"},
    "learning": {"blocking", "base"},
    "blocking": {"base"},
    "base": set(),
}
C_FILES = sorted(path for folder in C_FOLDERS for path in (C_CORE / folder).rglob("*.[ch]"))
C_HEADERS = [path for path in C_FILES if path.suffix == ".h"]
C_SOURCES = [path for path in C_FILES if path.suffix == ".c"]
C_COMMENT = re.compile(r"/\*.*?\*/", re.S)
C_DEFINITION = re.compile(r"^(?!.*\b(?:static|RSMI_INLINE)\b)\w[\w *]*?\b(\w+)\([^;{]*\)\n\{", re.M)
C_DECLARATION = re.compile(
    r"^(?!.*\b(?:static|RSMI_INLINE|typedef)\b)\w[\w *]*?\b(\w+)\([^;{]*\);", re.M
)
C_PRIVATE = re.compile(r"^/\* Private to ([\w/]+)[:.]")


def c_includes(path: Path) -> set[Path]:
    """Headers of the core that a C file includes, in any of its lines."""
    names = re.findall(r'^#\s*include "([^"]+)"', path.read_text(), re.M)
    return {C_CORE / name for name in names}


def c_code(path: Path) -> str:
    return C_COMMENT.sub("", path.read_text())


def c_defined(path: Path) -> set[str]:
    """The functions that a .c file defines for others, by itself or by a template that it includes
    (ising_bitsliced_sweep.h)."""
    code = c_code(path)
    return {*C_DEFINITION.findall(code), *re.findall(r"^#define UPDATE (\w+)", code, re.M)}


def c_reachable(starts: set[Path]) -> set[Path]:
    """The files themselves and all that they include, directly or through other headers."""
    seen: set[Path] = set()
    waiting = set(starts)
    while waiting:
        path = waiting.pop()
        seen.add(path)
        waiting |= c_includes(path) - seen
    return seen


def c_circle(arrows: dict[str, set[str]]) -> list[str]:
    """The names in a circle of arrows, or nothing: names without arrows are removed until all are
    gone or the rest is a circle."""
    left = {name: set(targets) for name, targets in arrows.items()}
    while free := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


def c_arrows() -> dict[str, set[str]]:
    """Arrows between the units of the core, by name: what they include and what they call."""
    code = {path: c_code(path) for path in C_FILES}
    home = {name: path.stem for path in C_SOURCES for name in c_defined(path)}
    arrows: dict[str, set[str]] = {path.stem: set() for path in C_FILES}
    for path in C_FILES:
        arrows[path.stem] |= {header.stem for header in c_includes(path)}
        if path.suffix == ".c":
            arrows[path.stem] |= {
                home[word] for word in set(re.findall(r"\w+", code[path])) & home.keys()
            }
        arrows[path.stem] -= {path.stem}
    return arrows


def test_the_c_core_has_no_circles():
    """A unit is a header and the .c file of the same name, so that what a header declares counts
    as belonging to that file. Two arrows are drawn: from a unit to each header that it includes,
    and from a .c file to the .c file that defines a function it names. The second kind finds a
    circle of calls behind a header that several .c files implement."""
    arrows = c_arrows()
    assert len(C_HEADERS) + len(C_SOURCES) == len({path.name for path in C_FILES})
    assert "ising_local" in arrows["ising"], "the parser no longer sees calls between .c files"
    assert not c_circle(arrows)


def test_a_header_declares_what_its_file_defines():
    """A header without a .c file of its own name is an interface that several files implement."""
    defined = {path.stem: c_defined(path) for path in C_SOURCES}
    for header in C_HEADERS:
        declared = set(C_DECLARATION.findall(c_code(header)))
        if header.stem in defined:
            assert declared and declared <= defined[header.stem], header
        else:
            assert declared <= set.union(*defined.values()), header


def test_a_circle_is_seen():
    assert c_circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["a", "b", "c", "d"]
    assert not c_circle({"a": {"b", "c"}, "b": {"c"}, "c": set()})


@pytest.mark.parametrize("path", C_FILES, ids=lambda path: str(path.relative_to(C_CORE)))
def test_c_includes(path):
    """Arrows between the folders of the core never run back, and models do not know each other."""
    inside = path.relative_to(C_CORE).parts
    for header in c_includes(path):
        target = header.relative_to(C_CORE).parts
        assert header.exists(), f"{path.name} includes {header.name}, which is not there"
        assert target[0] == inside[0] or target[0] in C_FOLDERS[inside[0]]
        assert target[0] != "models" or target[:2] == inside[:2]


def test_a_header_is_public_or_private():
    """A header that no wrapper and no other folder can reach is private and says so in its first
    words ("Private to models/ising: ..."); all others are public. A public header that includes a
    private one, or a wrapper that declares functions of a private one, fails here."""
    wrappers = [*(ROOT / "rsmi").rglob("*.pyx"), *(ROOT / "rsmi").rglob("*.pxd")]
    declared = {
        C_CORE / name
        for path in wrappers
        for name in re.findall(r'cdef extern from "([\w/]+\.h)"', path.read_text())
    }
    for header in C_HEADERS:
        parts = header.relative_to(C_CORE).parts
        room = "/".join(parts[:2] if parts[0] == "models" else parts[:1])
        outside = {path for path in C_FILES if not path.is_relative_to(C_CORE / room)} | declared
        private = C_PRIVATE.match(header.read_text())
        assert (header not in c_reachable(outside)) == bool(private), header
        assert not private or private[1] == room, header


def test_schema_document_is_generated():
    """After a change of the schema: python -m rsmi.store.schema > rsmi/store/SCHEMA.md."""
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


def test_functions_on_arrays_stand_on_top():
    """rsmi.api uses the commands' defaults and the stages; no module uses it."""
    users = [path for path in MODULES if any("rsmi.api" in name for name in imports_of(path))]
    assert [str(path.relative_to(ROOT)) for path in users] == ["rsmi/__init__.py"]
    assert rooms_imported(ROOT / "rsmi/api.py") <= {
        "cli",
        "stages",
        "samples",
        "lattice",
        "engine",
        "store",
    }
