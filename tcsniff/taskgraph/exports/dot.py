"""A task graph for Graphviz: ``tcsniff graph … --format dot | dot -Tsvg``.

Pure. Tasks in a box for each kind, from left to right; an arrow from what is
waited for to what waits, dashed where its end is enough and not its success;
the critical path is bold. The language: https://graphviz.org/doc/info/lang.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from tcsniff.identifiers import is_slug_id
from tcsniff.pulse.styles import STATE_STYLES, get_state_style
from tcsniff.pulse.urls import build_group_url, build_task_url
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.blocking import WAITING
from tcsniff.taskgraph.critical_path import find_critical_path
from tcsniff.taskgraph.definitions import REQUIRES
from tcsniff.taskgraph.exports.drawing import describe_group, describe_runs
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
    names = _name_nodes(graph)
    lines = [
        f"digraph {_quote(graph.task_group_id)} {{",
        "  graph [rankdir=LR, nodesep=0.15, ranksep=0.7, labelloc=t, "
        f"fontname={_quote(_FONT)}, label={_quote(describe_group(graph, now))}"
        f"{_format_url(build_group_url(root_url, graph.task_group_id))}];",
        f'  node [shape=box, style="filled,rounded", fontsize=11, fontname={_quote(_FONT)}];',
        '  edge [color="#8c959f", arrowsize=0.6];',
    ]
    for number, (kind, nodes) in enumerate(_group_by_kind(graph).items()):
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
    # The task's id where it is one; what else it may be gets a name of ours.
    ids = dict.fromkeys(graph.nodes)
    ids |= dict.fromkeys(one for node in graph.nodes.values() for one in node.dependencies)
    return {
        task_id: _quote(task_id if is_slug_id(task_id) else f"task {number}")
        for number, task_id in enumerate(ids)
    }


def _group_by_kind(graph: Graph) -> dict[str, list[Node]]:
    kinds: dict[str, list[Node]] = {}
    for node in graph.nodes.values():
        kinds.setdefault(node.kind, []).append(node)
    return kinds


def _format_style(node: Node, now: float, *, bold: bool) -> str:
    look = get_state_style(node.state)
    told = [node.label, f"{look.symbol} {describe_runs(node, now)}"]
    words = [f"label={_quote(*told)}", f"fillcolor={_quote(look.fill)}"]
    words += [f"color={_quote(look.line)}", f"fontcolor={_quote(look.line)}"]
    if node.state in _WRONG:
        words.append("shape=octagon")
    if node.state in WAITING or node.state not in STATE_STYLES:
        words.append(f"style={_DASHED}")
    if bold:
        words.append("penwidth=3")
    tooltip = [*told, node.task_id, node.pool, *_format_history(node)]
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
    # In quotes, `\"` is the one escape of the language; what else a backslash
    # means, and an ampersand, is up to the attribute: a line, a name, an entity.
    texts = (
        sanitize(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
        for line in lines
    )
    return '"' + "\\n".join(texts) + '"'
