"""A task graph for Graphviz: ``tcsniff graph … --format dot | dot -Tsvg``.

Pure. Tasks in a box for each kind, from left to right; an arrow from what is
waited for to what waits, dashed where its end is enough and not its success;
the critical path is bold. The language: https://graphviz.org/doc/info/lang.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from tcsniff.identifiers import is_slug_id
from tcsniff.pulse.urls import build_group_url, build_task_url
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.critical_path import find_critical_path
from tcsniff.taskgraph.definitions import REQUIRES
from tcsniff.taskgraph.exports.drawing import (
    OTHER,
    WAITING,
    describe_group,
    describe_runs,
    get_drawing_style,
)
from tcsniff.taskgraph.graph import Graph, Node

_FONT = "Helvetica,Arial,sans-serif"
_WRONG = ("failed", "exception")
_DASHED = '"filled,rounded,dashed"'


def export_dot(graph: Graph, now: float, root_url: str | None = None) -> str:
    """Write a group.

    Args:
        graph: The group.
        now: When it is, in seconds since the Unix epoch.
        root_url: Of the Taskcluster deployment; None for a drawing without links.

    Returns:
        Lines that are safe for a terminal.
    """
    path = [step.node.task_id for step in find_critical_path(graph, now)]
    chain = set(path)
    names = _names(graph)
    lines = [
        f"digraph {_quoted(graph.task_group_id)} {{",
        "  graph [rankdir=LR, nodesep=0.15, ranksep=0.7, labelloc=t, "
        f"fontname={_quoted(_FONT)}, label={_quoted(describe_group(graph, now))}"
        f"{_link(build_group_url(root_url, graph.task_group_id))}];",
        f'  node [shape=box, style="filled,rounded", fontsize=11, fontname={_quoted(_FONT)}];',
        '  edge [color="#8c959f", arrowsize=0.6];',
    ]
    for number, (kind, nodes) in enumerate(_kinds(graph).items()):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(
            f"    graph [label={_quoted(kind or 'other tasks')}, style=rounded, "
            'color="#d0d7de", fontcolor="#57606a", fontsize=11];'
        )
        lines += [
            f"    {names[node.task_id]} [{_looks(node, now, bold=node.task_id in chain)}"
            f"{_link(build_task_url(root_url, node.task_id))}];"
            for node in nodes
        ]
        lines.append("  }")
    lines += (f"  {line}" for line in _strangers(graph, names, root_url))
    lines += (f"  {line}" for line in _arrows(graph, names, path))
    return "\n".join([*lines, "}"]) + "\n"


def _names(graph: Graph) -> dict[str, str]:
    # The task's id where it is one; what else it may be gets a name of ours.
    ids = dict.fromkeys(graph.nodes)
    ids |= dict.fromkeys(one for node in graph.nodes.values() for one in node.dependencies)
    return {
        task_id: _quoted(task_id if is_slug_id(task_id) else f"task {number}")
        for number, task_id in enumerate(ids)
    }


def _kinds(graph: Graph) -> dict[str, list[Node]]:
    kinds: dict[str, list[Node]] = {}
    for node in graph.nodes.values():
        kinds.setdefault(node.kind, []).append(node)
    return kinds


def _looks(node: Node, now: float, *, bold: bool) -> str:
    look = get_drawing_style(node)
    told = [node.label, f"{look.symbol} {describe_runs(node, now)}"]
    words = [f"label={_quoted(*told)}", f"fillcolor={_quoted(look.fill)}"]
    words += [f"color={_quoted(look.line)}", f"fontcolor={_quoted(look.line)}"]
    if node.state in _WRONG:
        words.append("shape=octagon")
    if node.state in WAITING or look is OTHER:
        words.append(f"style={_DASHED}")
    if bold:
        words.append("penwidth=3")
    tooltip = [*told, node.task_id, node.pool, *_history(node)]
    words.append(f"tooltip={_quoted(*filter(None, tooltip))}")
    return ", ".join(words)


def _history(node: Node) -> Iterator[str]:
    for run in node.runs[:-1]:
        yield f"run {run.run_id}: {run.reason_resolved or run.state}"


def _strangers(graph: Graph, names: Mapping[str, str], root_url: str | None) -> Iterator[str]:
    for task_id in names:
        if task_id not in graph.nodes:
            yield (
                f"{names[task_id]} [label={_quoted(task_id, 'of another group')}, style=dashed, "
                f'color="#8c959f", fontcolor="#57606a"{_link(build_task_url(root_url, task_id))}];'
            )


def _arrows(graph: Graph, names: Mapping[str, str], path: Iterable[str]) -> Iterator[str]:
    steps = set(pairwise(path))
    for node in graph.nodes.values():
        for task_id in node.dependencies:
            styles = []
            if node.requires != REQUIRES:
                styles.append("style=dashed")
            if (task_id, node.task_id) in steps:
                styles.append('penwidth=3, color="#24292f"')
            after = f" [{', '.join(styles)}]" if styles else ""
            yield f"{names[task_id]} -> {names[node.task_id]}{after};"


def _link(url: str | None) -> str:
    return f', URL="{url}", target="_blank"' if url else ""


def _quoted(*lines: str) -> str:
    # In quotes, `\"` is the one escape of the language; what else a backslash
    # means, and an ampersand, is up to the attribute: a line, a name, an entity.
    texts = (
        sanitize(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
        for line in lines
    )
    return '"' + "\\n".join(texts) + '"'
