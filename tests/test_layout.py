"""Which way imports point, and who may let the heavy libraries in."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tcsniff

ROOT = Path(tcsniff.__file__).parent

# From the bottom up: a module may import from rows above its own, never from its own row or
# below. Names are those within the package; "" is the package itself.
LAYERS = [
    {
        "",
        "commands",
        "completions",
        "exports",
        "manual",
        "renderers",
        "sources",
    },  # that import nothing
    {
        "errors",
        "forgotten",
        "interface",
        "interrupts",
        "needles",
        "pacing",
        "rates",
        "sanitize",
        "sketch",
        "sources.headers",
        "taskgraphs",
        "tasks",
        "times",
        "tomllines",
    },
    {"config", "definitions", "deployments", "exchanges", "links", "schemas"},
    {"bindings", "deliveries", "graphfiles", "messages", "sources.alarm", "sources.fetch"},
    {"settings", "starter", "webpages"},
    {"agenda", "fields", "payloads", "records", "taskstates"},
    {"events", "fates", "selection", "tracker", "workerpools"},
    {
        "arrivals",
        "columns",
        "evaluation",
        "explaining",
        "filters",
        "graph",
        "rows",
        "sharing",
        "stream",
        "taskqueue",
    },
    {"blocking", "clickable", "criticalpath", "following", "meters", "objections", "simulator"},
    {"asking", "counter", "expressions", "forecast", "summary"},
    {"exports.json", "exports.looks", "exports.markers"},
    {"exports.dot", "exports.mermaid", "exports.profile"},
    {
        "renderers.output",
        "renderers.painting",
        "renderers.picture",
        "renderers.scene",
        "renderers.status",
    },
    {"renderers.labels"},
    {"renderers.telling"},
    {"renderers.sections", "renderers.topview"},
    {"renderers.reports", "renderers.tree"},
    {"sources.files"},
    {"sources.failures", "sources.frames", "sources.queue_api"},
    {"manual.blocks", "manual.commands", "manual.overview", "sources.bulk", "sources.inbox"},
    {"manual.plain", "manual.recipes", "manual.roff", "manual.settings", "manual.statuses"},
    {"manual.record"},
    {"manual.topics"},
    {"completions.words", "manual.page"},
    {"completions.bash", "completions.fish", "completions.zsh"},
    {"sources.link"},
    {"sources.queues"},
    {"sources.diagnosis", "sources.publisher", "sources.pulse"},
    {"renderers.jsonl", "renderers.lines", "renderers.projection", "renderers.raw"},
    {
        "renderers.recorder",
        "renderers.saver",
        "renderers.screen",
        "renderers.toplines",
        "sources.inquiry",
        "sources.recording",
    },
    {
        "renderers.changes",
        "renderers.document",
        "renderers.following",
        "renderers.top",
        "renderers.treeview",
    },
    {"diagnosis", "listening", "renderers.table", "sources.demo"},
    {"commands.about"},
    {"commands.passwords", "commands.settingsfile", "commands.talk"},
    {"commands.layers"},
    {"commands.flags"},
    {"commands.options"},
    {
        "commands.account",
        "commands.content",
        "commands.counts",
        "commands.groupoptions",
        "commands.views",
    },
    {"commands.origin"},
    {"commands.filtering", "commands.opening", "commands.showing"},
    {"commands.groupfacts", "commands.groupview", "commands.performing", "commands.run"},
    {"commands.counting", "commands.grouprun"},
    {
        "commands.completion",
        "commands.config",
        "commands.doctor",
        "commands.exchanges",
        "commands.explain",
        "commands.graph",
        "commands.help",
        "commands.schema",
        "commands.simulate",
        "commands.sniff",
        "commands.top",
    },
    {"cli"},
    {"__main__", "manual.documents"},
    {"manual.__main__"},
]
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


def own(tree):
    """Name the package's own modules among what is imported."""
    prefix = f"{tcsniff.__name__}."
    names = {name.removeprefix(prefix) for name in imports(tree) if name.startswith(prefix)}
    return names & MODULES.keys()


def test_every_module_has_its_row():
    """A new one is asked where it belongs, one that is gone leaves."""
    placed = sorted(name for row in LAYERS for name in row)

    assert placed == sorted(MODULES)


@pytest.mark.parametrize("name", sorted(MODULES), ids=lambda name: name or "tcsniff")
def test_imports_point_upwards(name):
    """To rows above its own, so that there are no circles and the core knows no edge."""
    row = next((number for number, row in enumerate(LAYERS) if name in row), 0)
    above = set().union(*LAYERS[:row])

    assert own(TREES[name]) - above == set()


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

    assert {name for name in late if name and not name.startswith("commands.")} == set()


PROMISE = "\nPure."
# What does I/O. `time` is let in by `stream`, which is given its clock.
IMPURE = {"asyncio", "io", "os", "pathlib", "select", "socket", "ssl", "subprocess", "sys"}


def test_what_promises_to_be_pure_does_no_io():
    """`Pure.` in a docstring says: no I/O, no clock, no global state."""
    pure = {name for name, tree in TREES.items() if PROMISE in (ast.get_docstring(tree) or "")}

    assert {"selection", "events", "columns"} <= pure
    assert {name for name in pure if IMPURE.intersection(imports(TREES[name]))} == set()


def test_packages_hold_a_docstring_only():
    """So that importing one of their modules costs that module."""
    packages = {name: TREES[name] for name in LAYERS[0] if name}

    for tree in packages.values():
        assert ast.get_docstring(tree)
        assert len(tree.body) == 1
