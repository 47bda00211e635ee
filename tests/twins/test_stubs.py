"""The stubs of the compiled modules say what the modules have.

For every .pyx file there must be a stub. Its public names, the names, kinds and defaults of the
parameters of its functions, and the names of the parameters of its classes must be those of the
module. So the test catches a function or a parameter that is added, renamed, reordered or removed
on one side only, and a default that differs. It does not compare types: the signature of a
compiled function does not tell the type of a memoryview.
"""

import ast
import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "rsmi").rglob("*.pyx"))


def module_of(source: Path) -> ModuleType:
    return importlib.import_module(".".join(source.relative_to(ROOT).with_suffix("").parts))


def public(names) -> set[str]:
    return {name for name in names if not name.startswith("_")}


def stub_body(source: Path) -> list[ast.stmt]:
    return ast.parse(source.with_suffix(".pyi").read_text()).body


def stub_functions(body: list[ast.stmt]) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def stub_classes(body: list[ast.stmt]) -> dict[str, ast.ClassDef]:
    """Classes that exist at run time: a Protocol only describes an argument."""
    return {node.name: node for node in body if isinstance(node, ast.ClassDef) and not node.bases}


def stub_constants(body: list[ast.stmt]) -> set[str]:
    return {node.target.id for node in body if isinstance(node, ast.AnnAssign)}


def stub_parameters(function: ast.FunctionDef) -> list[tuple]:
    """(name, may be positional, default or ``Parameter.empty``) of every parameter."""
    given = function.args
    defaults = [inspect.Parameter.empty] * (len(given.args) - len(given.defaults)) + [
        ast.literal_eval(value) for value in given.defaults
    ]
    result = [(a.arg, True, value) for a, value in zip(given.args, defaults, strict=True)]
    for a, value in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        result.append((a.arg, False, ast.literal_eval(value) if value else inspect.Parameter.empty))
    return result


def module_parameters(function) -> list[tuple]:
    return [
        (p.name, p.kind is p.POSITIONAL_OR_KEYWORD, p.default)
        for p in inspect.signature(function).parameters.values()
    ]


def constructor_names(source: Path, name: str) -> list[str]:
    """Parameters of the constructor of a class, from the source: the compiled class has no
    signature."""
    text = source.read_text()
    head = re.search(rf"^cdef class {name}:.*?def __init__\((.*?)\):\n", text, re.M | re.S)
    assert head, f"{source}: class {name} has no constructor"
    arguments = re.sub(r"\[[^\]]*\]", "", head[1]).split(",")
    return [re.split(r"\W+", argument.split("=")[0].strip())[-1] for argument in arguments]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_stub(source):
    module, body = module_of(source), stub_body(source)
    functions, classes = stub_functions(body), stub_classes(body)
    here = {
        name: value
        for name, value in vars(module).items()
        if getattr(value, "__module__", module.__name__) == module.__name__
        and not isinstance(value, ModuleType)
    }
    assert public(here) == set(functions) | set(classes) | stub_constants(body)
    for name, function in functions.items():
        assert module_parameters(here[name]) == stub_parameters(function), name
    for name, node in classes.items():
        initializer = stub_functions(node.body)["__init__"]
        names = [parameter for parameter, *_ in stub_parameters(initializer)]
        assert names == constructor_names(source, name), name


def test_differences_are_seen():
    """Without a signature of the compiled functions every stub would pass."""

    def function(a, b=1, *, c="x"):
        """Stand in for a compiled function."""

    right = ast.parse("def function(a: int, b: int = 1, *, c: str = 'x') -> None: ...").body[0]
    wrong = ast.parse("def function(a: int, c: int = 1, *, b: str = 'x') -> None: ...").body[0]
    assert module_parameters(function) == stub_parameters(right)
    assert module_parameters(function) != stub_parameters(wrong)
    assert SOURCES
