"""Text about tasks and groups that the drawings share.

Pure. A symbol and a word show the state; the color only repeats it.
"""

from __future__ import annotations

from tcsniff.pulse.styles import get_state_style
from tcsniff.pulse.times import format_duration
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.nodes import Node


def describe_runs(node: Node, now: float) -> str:
    """Return one line about a task's runs, such as ``failed, run 1, 6 m 01 s``.

    Args:
        node: The task.
        now: The current time, in seconds since the Unix epoch. It is the end of an
            open run.

    Returns:
        Text that is safe for a terminal.
    """
    words = [sanitize(node.state)]
    run = node.run
    if run is not None:
        if run.reason_resolved not in (None, run.state):
            words.append(sanitize(str(run.reason_resolved)))
        if run.run_id:
            words.append(f"run {run.run_id}")
        begun = run.started_at or run.scheduled_at
        ended = run.resolved_at
        ended = now if ended is None and node.is_open else ended
        if begun is not None and ended is not None:
            words.append(format_duration(ended - begun))
    return ", ".join(words)


def describe_group(graph: Graph, now: float) -> str:
    """Return one line about a group's tasks, as text that is safe for a terminal."""
    parts = [f"task group {sanitize(graph.task_group_id)}", sanitize(graph.scheduler_id)]
    number = len(graph.nodes)
    parts.append(f"{number:,} task{'s' * (number != 1)}")
    parts += [
        f"{get_state_style(state).symbol} {count:,} {sanitize(state)}"
        for state, count in graph.states.items()
    ]
    parts.append(format_duration(graph.measure_span(now)))
    return "   ".join(filter(None, parts))


def group_by_kind(graph: Graph) -> dict[str, list[Node]]:
    """Return the tasks of each kind, in the order of the graph."""
    kinds: dict[str, list[Node]] = {}
    for node in graph.nodes.values():
        kinds.setdefault(node.kind, []).append(node)
    return kinds
