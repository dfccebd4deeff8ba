"""How a task looks in a drawing: what is told of it, and the colours of its state.

Pure. A state is told by symbol and word; the colour comes on top.
"""

from __future__ import annotations

from typing import NamedTuple

from tcsniff.pulse.styles import LOOKS as EVENTS
from tcsniff.pulse.times import lasting, seconds
from tcsniff.sanitize import safe
from tcsniff.taskgraph.graph import UNHEARD, Graph, Node, counts, span


class Look(NamedTuple):
    """How a state looks.

    Attributes:
        symbol: One character.
        fill: A light colour, ``#rrggbb``.
        line: A dark one, which can be read on it and on white.
    """

    symbol: str
    fill: str
    line: str


LOOKS = {
    "completed": Look(EVENTS["task-completed"].symbol, "#dff5e3", "#1a7f37"),
    "running": Look(EVENTS["task-running"].symbol, "#ddeeff", "#0550ae"),
    "pending": Look(EVENTS["task-pending"].symbol, "#fff4cc", "#7d4e00"),
    "unscheduled": Look(EVENTS["task-defined"].symbol, "#f3f4f6", "#57606a"),
    UNHEARD: Look("?", "#ffffff", "#57606a"),
    "failed": Look(EVENTS["task-failed"].symbol, "#ffe2e0", "#b3111d"),
    "exception": Look(EVENTS["task-exception"].symbol, "#f7e3fb", "#8a1fa0"),
}
OTHER = Look("·", "#ffffff", "#57606a")
"""For states that are yet to come."""
WAITING = frozenset(("unscheduled", UNHEARD))
"""The states that a broken line goes with: nothing has happened yet."""


def look_of(node: Node) -> Look:
    """Tell how a task looks."""
    return LOOKS.get(node.state, OTHER)


def story(node: Node, now: float) -> str:
    """Tell in a line what has become of a task, such as ``failed, run 1, 6 m 01 s``.

    Args:
        node: The task.
        now: Until when what is open has taken time, in seconds since the Unix
            epoch.

    Returns:
        Text that is safe for a terminal.
    """
    words = [safe(node.state)]
    run = node.run
    if run is not None:
        if run.reason_resolved not in (None, run.state):
            words.append(safe(str(run.reason_resolved)))
        if run.run_id:
            words.append(f"run {run.run_id}")
        begun = seconds(run.started) or seconds(run.scheduled)
        ended = seconds(run.resolved)
        ended = now if ended is None and node.is_open else ended
        if begun is not None and ended is not None:
            words.append(lasting(ended - begun))
    return ", ".join(words)


def heading(graph: Graph, now: float) -> str:
    """Tell in a line what has become of a group, as text that is safe for a terminal."""
    parts = [f"task group {safe(graph.task_group_id)}", safe(graph.scheduler_id)]
    number = len(graph.nodes)
    parts.append(f"{number:,} task{'s' * (number != 1)}")
    parts += [
        f"{LOOKS.get(state, OTHER).symbol} {count:,} {safe(state)}"
        for state, count in counts(graph.nodes.values()).items()
    ]
    parts.append(lasting(span(graph.nodes.values(), now)))
    return "   ".join(filter(None, parts))
