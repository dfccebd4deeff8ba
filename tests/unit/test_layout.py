"""The direction of imports, and the packages that import the heavy libraries."""

from __future__ import annotations

import ast
import functools
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import tcsniff

ROOT = Path(tcsniff.__file__).parent

# From the bottom up: a module may import from its own package and from the rows above its own.
LAYERS = (
    {"readiness"},
    {"errors", "identifiers", "sanitize", "signals"},
    {"messages"},
    {"pulse"},
    {"pipeline", "selection", "settings", "taskgraph"},
    {"simulator", "sources", "stats"},
    {"renderers"},
    {"browse"},
    {"commands"},
    {"cli"},
    {"__main__"},
)
# Each library, and the only packages that may import it; textual draws rich's segments.
DOORS = {
    "amqp": {"sources"},
    "kombu": {"sources"},
    "mohawk": {"sources"},
    "rich": {"renderers", "browse"},
    "textual": {"browse"},
    "urllib3": {"sources"},
    "websockets": {"sources"},
}


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(path.read_bytes()) for name, path in MODULES.items()}


@functools.cache
def imports(tree):
    """Return all names that a module imports; `from a import b` is ``a``, ``a.b``."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where they lead"
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


@functools.cache
def own(tree):
    """Return the package's own modules among the imports."""
    prefix = f"{tcsniff.__name__}."
    names = {name.removeprefix(prefix) for name in imports(tree) if name.startswith(prefix)}
    return names & MODULES.keys()


def package_of(module):
    return module.partition(".")[0]


def test_every_package_has_its_row():
    """A new package must be added, an old one removed."""
    placed = sorted(name for row in LAYERS for name in row)

    assert placed == sorted({package_of(name) for name in MODULES if name})


def test_imports_point_upwards():
    """A module imports only from rows above its own, so the core does not depend on edges."""
    for name in sorted(filter(None, MODULES)):
        package = package_of(name)
        row = next(number for number, row in enumerate(LAYERS) if package in row)
        allowed = set().union(*LAYERS[:row], {package, "tcsniff"})

        assert {package_of(used) for used in own(TREES[name]) if used} - allowed == set(), name


def test_imports_have_no_cycle():
    """Modules of one package do not import each other in a cycle."""
    graph = {name: own(tree) - {name} for name, tree in TREES.items()}

    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("library", DOORS)
def test_each_library_has_its_door(library):
    """Other packages do not depend on brokers and terminals."""
    users = {
        name
        for name, tree in TREES.items()
        if library in {imported.partition(".")[0] for imported in imports(tree)}
    }

    assert users
    assert {name for name in users if package_of(name) not in DOORS[library]} == set()


def test_imports_are_at_the_top_of_modules():
    """Except in commands and the package itself, which import edges when they are called."""
    late = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node))
    }

    assert {
        name for name in late if name and not name.startswith(("cli", "commands.", "settings."))
    } == set()


PROMISE = "\nPure."
# Modules that do I/O. `time` is missing, because `pipeline` has it as a default clock.
IMPURE = {"asyncio", "io", "os", "pathlib", "select", "socket", "ssl", "subprocess", "sys"}


def test_pure_modules_do_no_io():
    """`Pure.` in a docstring means: no I/O, no clock, no global state."""
    pure = {name for name, tree in TREES.items() if PROMISE in (ast.get_docstring(tree) or "")}

    assert {"selection.select", "pulse.events", "renderers.columns"} <= pure
    assert {name for name in pure if IMPURE.intersection(imports(TREES[name]))} == set()


def test_package_files_have_only_a_docstring():
    """Importing a module costs only that module; `messages` is an exception."""
    packages = {
        name: TREES[name]
        for name, path in MODULES.items()
        if path.name == "__init__.py" and name not in ("", "messages")
    }

    assert packages
    for tree in packages.values():
        assert ast.get_docstring(tree)
        assert len(tree.body) == 1
