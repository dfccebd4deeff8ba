"""A task graph as a Mermaid flowchart, which GitHub and others draw in Markdown.

Pure. The drawing is as for Graphviz. But Mermaid draws at most 500 arrows and 50,000
characters (``maxEdges`` and ``maxTextSize``, which a chart can't set for itself), so a
larger graph is drawn with one box for each kind of task.
Syntax: https://mermaid.js.org/syntax/flowchart.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from tcsniff.pulse.styles import STATE_STYLES, get_state_style
from tcsniff.pulse.urls import build_task_url
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.critical_path import find_known_path
from tcsniff.taskgraph.definitions import REQUIRES
from tcsniff.taskgraph.exports.drawing import describe_group, describe_runs, group_by_kind
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.nodes import WAITING, count_states

_MAX_ARROWS = 500
_MAX_CHARACTERS = 50_000
_UNSAFE = re.compile(r"[^A-Za-z0-9 ,./_✔▶◷○✖!?·-]")
_OTHER = "other"  # the class of unknown states
_HEAVIEST = ("failed", "exception", "running", "pending", "unscheduled", "completed")


def export_mermaid(graph: Graph, now: float, root_url: str | None = None) -> str:
    """Return a task group in Mermaid's language.

    Args:
        graph: The group.
        now: The current time, in seconds since the Unix epoch.
        root_url: The root URL of the deployment; None for a drawing without links.

    Returns:
        Lines that are safe for a terminal.
    """
    head = ["flowchart LR", f"  %% {_escape_comment(describe_group(graph, now))}"]
    arrows = sum(len(node.dependencies) for node in graph.nodes.values())
    if arrows <= _MAX_ARROWS:
        text = "\n".join([*head, *_format_tasks(graph, now, root_url), *_format_classes()]) + "\n"
        if len(text) < _MAX_CHARACTERS:
            return text
    head.append("  %% too many tasks for Mermaid: a box for each kind")
    return "\n".join([*head, *_format_kinds(graph), *_format_classes()]) + "\n"


def _format_tasks(graph: Graph, now: float, root_url: str | None) -> Iterator[str]:
    path = [step.node.task_id for step in find_known_path(graph, now)]
    names = {task_id: f"t{number}" for number, task_id in enumerate(graph.nodes)}
    for number, (kind, nodes) in enumerate(group_by_kind(graph).items()):
        yield f'  subgraph k{number}["{_escape(kind or "other tasks")}"]'
        for node in nodes:
            # The symbol is first, because Mermaid makes a list of lines such as "- a".
            runs = _escape(describe_runs(node, now))
            symbol = get_state_style(node.state).symbol
            text = f"{symbol} {_escape(node.label)}<br>{runs}"
            yield f'    {names[node.task_id]}["{text}"]:::{_format_class(node.state)}'
        yield "  end"
    other_names = _name_other_tasks(graph)
    for task_id, name in other_names.items():
        yield f'  {name}(["{_escape(task_id)}"]):::other'
    names |= other_names
    yield from _format_edges(graph, names, set(pairwise(path)))
    if path:
        yield f"  class {','.join(names[task_id] for task_id in path)} critical"
    for task_id, name in names.items():
        if (url := build_task_url(root_url, task_id)) is not None:
            yield f'  click {name} href "{url}" _blank'


def _name_other_tasks(graph: Graph) -> dict[str, str]:
    dependencies = (task_id for node in graph.nodes.values() for task_id in node.dependencies)
    other_tasks = dict.fromkeys(task_id for task_id in dependencies if task_id not in graph.nodes)
    return {task_id: f"s{number}" for number, task_id in enumerate(other_tasks)}


def _format_edges(
    graph: Graph, names: Mapping[str, str], steps: set[tuple[str, str]]
) -> Iterator[str]:
    for node in graph.nodes.values():
        for task_id in node.dependencies:
            arrow = "-->" if node.requires == REQUIRES else "-.->"
            arrow = "==>" if (task_id, node.task_id) in steps else arrow
            yield f"  {names[task_id]} {arrow} {names[node.task_id]}"


def _format_kinds(graph: Graph) -> Iterator[str]:
    kinds = group_by_kind(graph)
    names = {kind: f"k{number}" for number, kind in enumerate(kinds)}
    for kind, nodes in kinds.items():
        states = count_states(nodes)
        counts = "  ".join(
            f"{get_state_style(state).symbol} {number}" for state, number in states.items()
        )
        title = f"{kind or 'other tasks'} {len(nodes)}"
        state = next((state for state in _HEAVIEST if state in states), "")
        yield f'  {names[kind]}["{_escape(title)}<br>{_escape(counts)}"]:::{_format_class(state)}'
    between: dict[tuple[str, str], int] = {}
    for node in graph.nodes.values():
        for task_id in node.dependencies:
            if (other := graph.nodes.get(task_id)) is not None and other.kind != node.kind:
                pair = other.kind, node.kind
                between[pair] = between.get(pair, 0) + 1
    for (before, after), number in between.items():
        yield f"  {names[before]} -->|{number}| {names[after]}"


def _format_classes() -> Iterator[str]:
    for name in (*STATE_STYLES, _OTHER):
        style = get_state_style(name)
        dashes = ",stroke-dasharray:4 3" if name in (*WAITING, _OTHER) else ""
        yield f"  classDef {name} fill:{style.fill},stroke:{style.line},color:{style.line}{dashes}"
    yield "  classDef critical stroke-width:3px"


def _format_class(state: str) -> str:
    return state if state in STATE_STYLES else _OTHER


def _escape(text: str) -> str:
    # Mermaid finds directives, comments, entities and style lines in labels too, so
    # every character that could be a part of one is written as its number.
    return _UNSAFE.sub(lambda match: f"#{ord(match[0])};", sanitize(text))


def _escape_comment(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9 ,.✔▶◷○✖!?·-]", "_", text)
