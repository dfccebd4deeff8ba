"""How a task looks in a drawing: what is told of it, and the colours of its state.

Pure. A state is told by symbol and word; the colour comes on top.
"""

from __future__ import annotations

from typing import NamedTuple

from tcsniff.pulse.styles import EVENT_STYLES as EVENTS
from tcsniff.pulse.times import format_duration, parse_seconds
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.graph import UNHEARD, Graph, Node, count_states, measure_span


class DrawingStyle(NamedTuple):
    """How a state looks.

    Attributes:
        symbol: One character.
        fill: A light colour, ``#rrggbb``.
        line: A dark one, which can be read on it and on white.
    """

    symbol: str
    fill: str
    line: str


DRAWING_STYLES = {
    "completed": DrawingStyle(EVENTS["task-completed"].symbol, "#dff5e3", "#1a7f37"),
    "running": DrawingStyle(EVENTS["task-running"].symbol, "#ddeeff", "#0550ae"),
    "pending": DrawingStyle(EVENTS["task-pending"].symbol, "#fff4cc", "#7d4e00"),
    "unscheduled": DrawingStyle(EVENTS["task-defined"].symbol, "#f3f4f6", "#57606a"),
    UNHEARD: DrawingStyle("?", "#ffffff", "#57606a"),
    "failed": DrawingStyle(EVENTS["task-failed"].symbol, "#ffe2e0", "#b3111d"),
    "exception": DrawingStyle(EVENTS["task-exception"].symbol, "#f7e3fb", "#8a1fa0"),
}
OTHER = DrawingStyle("·", "#ffffff", "#57606a")
"""For states that are yet to come."""
WAITING = frozenset(("unscheduled", UNHEARD))
"""The states that a broken line goes with: nothing has happened yet."""


def get_drawing_style(node: Node) -> DrawingStyle:
    """Tell how a task looks."""
    return DRAWING_STYLES.get(node.state, OTHER)


def describe_runs(node: Node, now: float) -> str:
    """Tell in a line what has become of a task, such as ``failed, run 1, 6 m 01 s``.

    Args:
        node: The task.
        now: Until when what is open has taken time, in seconds since the Unix
            epoch.

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
        begun = parse_seconds(run.started) or parse_seconds(run.scheduled)
        ended = parse_seconds(run.resolved)
        ended = now if ended is None and node.is_open else ended
        if begun is not None and ended is not None:
            words.append(format_duration(ended - begun))
    return ", ".join(words)


def describe_group(graph: Graph, now: float) -> str:
    """Tell in a line what has become of a group, as text that is safe for a terminal."""
    parts = [f"task group {sanitize(graph.task_group_id)}", sanitize(graph.scheduler_id)]
    number = len(graph.nodes)
    parts.append(f"{number:,} task{'s' * (number != 1)}")
    parts += [
        f"{DRAWING_STYLES.get(state, OTHER).symbol} {count:,} {sanitize(state)}"
        for state, count in count_states(graph.nodes.values()).items()
    ]
    parts.append(format_duration(measure_span(graph.nodes.values(), now)))
    return "   ".join(filter(None, parts))
