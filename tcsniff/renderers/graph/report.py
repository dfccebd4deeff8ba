"""A task group as one document, written at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import orjson
from rich.cells import cell_len
from rich.text import Text

from tcsniff.pulse.styles import get_state_style
from tcsniff.pulse.times import format_duration
from tcsniff.renderers.ansi import paint_lines
from tcsniff.renderers.columns import encode_text
from tcsniff.renderers.graph.graph_parts import format_task
from tcsniff.renderers.graph.group_renderer import GroupView
from tcsniff.renderers.graph.labels import MAX_LABEL
from tcsniff.renderers.graph.scene import Scene, build_scene
from tcsniff.renderers.output import Output
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.critical_path import PathStep, find_known_path
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.group import GroupState
from tcsniff.taskgraph.summary import Json, summarize_blocked, summarize_step

ReportFormat = Callable[[Graph, float], str]
"""Formats a graph at a time, in seconds since the Unix epoch; safe for a terminal."""


class GroupReport(GroupView):
    """Shows nothing until the end, then a document."""

    def __init__(
        self,
        output: Output,
        group: GroupState,
        clock: Callable[[], float],
        format_report: ReportFormat,
        *,
        ascii_only: bool = False,
    ) -> None:
        """Create a view.

        Args:
            output: Where to write.
            group: The group.
            clock: Returns the group's time, in seconds since the Unix epoch.
            format_report: Formats the document.
            ascii_only: Whether to replace symbols by ASCII characters.
        """
        self._output = output
        self._group = group
        self._clock = clock
        self._format_report = format_report
        self._ascii_only = ascii_only

    def flush(self) -> None:
        """Check whether there is still a reader."""
        self._output.check()

    def close(self) -> None:
        """Write the document."""
        text = self._format_report(self._group.graph(), self._clock())
        self._output.write(encode_text(text, ascii_only=self._ascii_only))


def format_path_json(graph: Graph, now: float) -> str:
    """Format the critical path as JSON lines, one for each step."""
    return _dump_lines(map(summarize_step, find_known_path(graph, now)))


def format_blocked_json(graph: Graph, now: float) -> str:  # noqa: ARG001 - a ReportFormat
    """Format the tasks that wait as JSON lines."""
    return _dump_lines(
        summarize_blocked(blocked, graph) for blocked in graph.blocking.list_blocked()
    )


def format_path_text(graph: Graph, now: float, *, width: int, color: bool) -> str:
    """Format the critical path as text, a line for each step."""
    return join_lines(
        paint_lines(list_path_rows(find_known_path(graph, now), graph), width, color=color)
    )


def format_blocked_text(graph: Graph, now: float, *, width: int, color: bool) -> str:
    """Format the tasks that wait as text, a line for each."""
    return join_lines(paint_lines(list_blocked_rows(build_scene(graph, now)), width, color=color))


def _dump_lines(values: Iterable[Json]) -> str:
    return join_lines(orjson.dumps(value).decode() for value in values)


def join_lines(lines: Iterable[str]) -> str:
    """Return text with a line feed after each line."""
    return "".join(f"{line}\n" for line in lines)


def list_path_rows(steps: Sequence[PathStep], graph: Graph) -> list[Text]:
    """Return a row for each step of the critical path: waiting, running and idle time."""
    if not steps:
        is_scheduled = any(node.runs for node in graph.nodes.values())
        return [Text(_UNKNOWN_PATH if is_scheduled else "no task was scheduled yet")]
    rows = [Text(f"{'WAITING':>10} {'RUNNING':>10} {'IDLE':>10}  TASK", style="bold")]
    for step in steps:
        row = Text(f"{format_duration(step.waiting):>10} {format_duration(step.running):>10} ")
        row.append(f"{format_duration(step.idle) if step.idle >= _MIN_IDLE else '':>10}  ")
        style = get_state_style(step.node.state)
        row.append(f"{style.symbol} ", style=style.style).append(sanitize(step.node.label))
        rows.append(row.append(f"  {sanitize(step.node.pool)}", style="dim"))
    total = sum(step.length for step in steps)
    rows.append(Text(f"{format_duration(total):>10} in all", style="bold"))
    return rows


_UNKNOWN_PATH = "the critical path is unknown, because dependencies are; --graph FILE reads them"
_MIN_IDLE = 0.05  # seconds; shorter idle times are left out


def list_blocked_rows(scene: Scene) -> list[Text]:
    """Return a row for each task that waits for another."""
    nodes = [blocked.node for blocked in scene.graph.blocking.list_blocked()]
    if not nodes:
        return [Text("no task waits for another")]
    room = min(MAX_LABEL, max(cell_len(sanitize(node.label)) for node in nodes))
    return [format_task(node, scene, room) for node in nodes]
