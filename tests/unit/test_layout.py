"""Which way imports point, and who may let the heavy libraries in."""

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
    {"errors", "sanitize", "signals"},
    {"messages"},
    {"pulse"},
    {"pipeline", "selection", "settings", "taskgraph"},
    {"simulator", "sources", "stats"},
    {"renderers"},
    {"commands"},
    {"cli"},
    {"__main__"},
)
# Each library and the one place, a module or a package, where it comes in.
DOORS = {
    "amqp": "sources",
    "kombu": "sources",
    "rich": "renderers",
}


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(path.read_bytes()) for name, path in MODULES.items()}


def imports(tree):
    """Name all that is imported, anywhere in the module; `from a import b` is ``a``, ``a.b``."""
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
    """Name the package's own modules among what is imported."""
    prefix = f"{tcsniff.__name__}."
    names = {name.removeprefix(prefix) for name in imports(tree) if name.startswith(prefix)}
    return names & MODULES.keys()


def package_of(module):
    return module.partition(".")[0]


def test_every_package_has_its_row():
    """A new one is asked where it belongs, one that is gone leaves."""
    placed = sorted(name for row in LAYERS for name in row)

    assert placed == sorted({package_of(name) for name in MODULES if name})


def test_imports_point_upwards():
    """To rows above its own, so that the core knows no edge."""
    for name in sorted(filter(None, MODULES)):
        package = package_of(name)
        row = next(number for number, row in enumerate(LAYERS) if package in row)
        allowed = set().union(*LAYERS[:row], {package, "tcsniff"})

        assert {package_of(used) for used in own(TREES[name]) if used} - allowed == set(), name


def test_imports_have_no_cycle():
    """Modules of one package do not import each other in a circle."""
    graph = {name: own(tree) - {name} for name, tree in TREES.items()}

    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("library", DOORS)
def test_each_library_comes_in_by_its_door(library):
    """Nothing else knows how we talk to brokers and terminals."""
    users = {
        name
        for name, tree in TREES.items()
        if library in {imported.partition(".")[0] for imported in imports(tree)}
    }

    assert users
    assert {name for name in users if not f"{name}.".startswith(f"{DOORS[library]}.")} == set()


def test_imports_stand_at_the_top():
    """But for commands and the package itself, which let edges in when they are called."""
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
# What does I/O. `time` is let in by `stream`, which is given its clock.
IMPURE = {"asyncio", "io", "os", "pathlib", "select", "socket", "ssl", "subprocess", "sys"}


def test_what_promises_to_be_pure_does_no_io():
    """`Pure.` in a docstring says: no I/O, no clock, no global state."""
    pure = {name for name, tree in TREES.items() if PROMISE in (ast.get_docstring(tree) or "")}

    assert {"selection.select", "pulse.events", "renderers.columns"} <= pure
    assert {name for name in pure if IMPURE.intersection(imports(TREES[name]))} == set()


def test_packages_hold_a_docstring_only():
    """So that importing one of their modules costs that module; `messages` is all one."""
    packages = {
        name: TREES[name]
        for name, path in MODULES.items()
        if path.name == "__init__.py" and name not in ("", "messages")
    }

    assert packages
    for tree in packages.values():
        assert ast.get_docstring(tree)
        assert len(tree.body) == 1
