"""A task graph for Graphviz: ``tcsniff graph … --format dot | dot -Tsvg``.

Pure. The tasks of each kind are in a box. Arrows point from a dependency to the tasks
that wait for it; they are dashed if the dependency need not succeed. The critical path
is bold. The language: https://graphviz.org/doc/info/lang.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from tcsniff.identifiers import is_slug_id
from tcsniff.pulse.styles import STATE_STYLES, get_state_style
from tcsniff.pulse.urls import build_group_url, build_task_url
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.critical_path import find_known_path
from tcsniff.taskgraph.definitions import REQUIRES
from tcsniff.taskgraph.exports.drawing import describe_group, describe_runs, group_by_kind
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.nodes import WAITING, Node

_FONT = "Helvetica,Arial,sans-serif"
_WRONG = ("failed", "exception")
_DASHED = '"filled,rounded,dashed"'


def export_dot(graph: Graph, now: float, root_url: str | None = None) -> str:
    """Return a task group in Graphviz's language.

    Args:
        graph: The group.
        now: The current time, in seconds since the Unix epoch.
        root_url: The root URL of the deployment; None for a drawing without links.

    Returns:
        Lines that are safe for a terminal.
    """
    path = [step.node.task_id for step in find_known_path(graph, now)]
    chain = set(path)
    names = _name_nodes(graph)
    lines = [
        f"digraph {_quote(graph.task_group_id)} {{",
        "  graph [rankdir=LR, nodesep=0.15, ranksep=0.7, labelloc=t, "
        f"fontname={_quote(_FONT)}, label={_quote(describe_group(graph, now))}"
        f"{_format_url(build_group_url(root_url, graph.task_group_id))}];",
        f'  node [shape=box, style="filled,rounded", fontsize=11, fontname={_quote(_FONT)}];',
        '  edge [color="#8c959f", arrowsize=0.6];',
    ]
    for number, (kind, nodes) in enumerate(group_by_kind(graph).items()):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(
            f"    graph [label={_quote(kind or 'other tasks')}, style=rounded, "
            'color="#d0d7de", fontcolor="#57606a", fontsize=11];'
        )
        lines += [
            f"    {names[node.task_id]} [{_format_style(node, now, bold=node.task_id in chain)}"
            f"{_format_url(build_task_url(root_url, node.task_id))}];"
            for node in nodes
        ]
        lines.append("  }")
    lines += (f"  {line}" for line in _format_other_tasks(graph, names, root_url))
    lines += (f"  {line}" for line in _format_edges(graph, names, path))
    return "\n".join([*lines, "}"]) + "\n"


def _name_nodes(graph: Graph) -> dict[str, str]:
    # A valid task ID is its own name.
    ids = dict.fromkeys(graph.nodes)
    ids |= dict.fromkeys(task_id for node in graph.nodes.values() for task_id in node.dependencies)
    return {
        task_id: _quote(task_id if is_slug_id(task_id) else f"task {number}")
        for number, task_id in enumerate(ids)
    }


def _format_style(node: Node, now: float, *, bold: bool) -> str:
    style = get_state_style(node.state)
    label = [node.label, f"{style.symbol} {describe_runs(node, now)}"]
    words = [f"label={_quote(*label)}", f"fillcolor={_quote(style.fill)}"]
    words += [f"color={_quote(style.line)}", f"fontcolor={_quote(style.line)}"]
    if node.state in _WRONG:
        words.append("shape=octagon")
    if node.state in WAITING or node.state not in STATE_STYLES:
        words.append(f"style={_DASHED}")
    if bold:
        words.append("penwidth=3")
    tooltip = [*label, node.task_id, node.pool, *_format_history(node)]
    words.append(f"tooltip={_quote(*filter(None, tooltip))}")
    return ", ".join(words)


def _format_history(node: Node) -> Iterator[str]:
    for run in node.runs[:-1]:
        yield f"run {run.run_id}: {run.reason_resolved or run.state}"


def _format_other_tasks(
    graph: Graph, names: Mapping[str, str], root_url: str | None
) -> Iterator[str]:
    for task_id in names:
        if task_id not in graph.nodes:
            yield (
                f"{names[task_id]} [label={_quote(task_id, 'of another group')}, style=dashed, "
                'color="#8c959f", fontcolor="#57606a"'
                f"{_format_url(build_task_url(root_url, task_id))}];"
            )


def _format_edges(graph: Graph, names: Mapping[str, str], path: Iterable[str]) -> Iterator[str]:
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


def _format_url(url: str | None) -> str:
    return f', URL="{url}", target="_blank"' if url else ""


def _quote(*lines: str) -> str:
    # In quotes, the language's only escape is `\"`. Attributes give further meanings
    # to a backslash (a line break, a name) and to an ampersand (an entity).
    texts = (
        sanitize(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
        for line in lines
    )
    return '"' + "\\n".join(texts) + '"'
