"""A task group as one document, written when all is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import orjson
from rich.cells import cell_len
from rich.text import Text

from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.times import format_duration
from tcsniff.renderers.ansi import paint_lines
from tcsniff.renderers.columns import to_ascii
from tcsniff.renderers.graph.graph_parts import LABEL, format_task
from tcsniff.renderers.graph.graph_picture import draw_graph
from tcsniff.renderers.graph.scene import Scene, get_state_style, scene_of
from tcsniff.renderers.output import Output
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.blocking import find_blocked
from tcsniff.taskgraph.critical_path import PathStep, find_critical_path
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.summary import Json, summarize_blocked, summarize_step

ReportFormat = Callable[[Graph, float], str]
"""Words a document of a graph at a moment, in seconds since the Unix epoch."""


class GroupReport:
    """Shows nothing until the end, then a document."""

    def __init__(self, output: Output, words: ReportFormat, *, ascii_only: bool = False) -> None:
        """Take an output.

        Args:
            output: Where to write.
            words: The document; safe for a terminal.
            ascii_only: Whether our symbols are spelled in ASCII.
        """
        self._output = output
        self._words = words
        self._ascii_only = ascii_only

    def came(self, number: int, lag: float | None) -> None:
        """Take no notice."""

    def changed(self, changes: Iterable[Json]) -> None:
        """Take no notice."""

    def show_gap(self, gap: Gap) -> None:
        """Take no notice."""

    def flush(self, graph: Callable[[], Graph], now: float) -> None:  # noqa: ARG002 - a view's
        """See that there is still somebody to write for."""
        self._output.check()

    def leave(self) -> None:
        """End without it."""

    def finish(self, graph: Graph, now: float) -> None:
        """Write it."""
        text = self._words(graph, now)
        self._output.write((to_ascii(text) if self._ascii_only else text).encode(errors="replace"))


def draw_report(
    size: Callable[[], tuple[int, int]], root_url: str | None, *, has_links: bool, colour: bool
) -> ReportFormat:
    """Word the picture that the live view draws."""

    def words(graph: Graph, now: float) -> str:
        width, height = size()
        scene = scene_of(graph, now, root_url, has_links=has_links)
        rows = draw_graph(scene, None, width, max(1, height - 1), colour=colour)
        return "".join(f"{row}\n" for row in rows)

    return words


def list_path_rows(width: int, *, as_json: bool, colour: bool) -> ReportFormat:
    """Word the critical path, a line a step."""

    def words(graph: Graph, now: float) -> str:
        steps = find_critical_path(graph, now)
        if as_json:
            return _json_lines(map(summarize_step, steps))
        return _lines(paint_lines(path_rows(steps), width, colour=colour))

    return words


def list_blocked_rows(width: int, *, as_json: bool, colour: bool) -> ReportFormat:
    """Word who waits for whom, a line a task that waits."""

    def words(graph: Graph, now: float) -> str:
        if as_json:
            return _json_lines(summarize_blocked(one, graph) for one in find_blocked(graph.nodes))
        return _lines(paint_lines(blocked_rows(scene_of(graph, now)), width, colour=colour))

    return words


def _json_lines(values: Iterable[Json]) -> str:
    return "".join(orjson.dumps(value).decode() + "\n" for value in values)


def _lines(rows: Iterable[str]) -> str:
    return "".join(f"{row}\n" for row in rows)


def path_rows(steps: Sequence[PathStep]) -> list[Text]:
    """Tell the critical path, a line a step: waiting, running, and neither."""
    if not steps:
        return [Text("no task was scheduled yet")]
    rows = [Text(f"{'WAITING':>10} {'RUNNING':>10} {'IDLE':>10}  TASK", style="bold")]
    for step in steps:
        row = Text(
            "".join(f"{format_duration(part):>10} " for part in (step.waiting, step.running))
        )
        row.append(f"{format_duration(step.idle) if step.idle >= _WORTH else '':>10}  ")
        look = get_state_style(step.node.state)
        row.append(f"{look.symbol} ", style=look.style).append(sanitize(step.node.label))
        rows.append(row.append(f"  {sanitize(step.node.pool)}", style="dim"))
    whole = sum(step.length for step in steps)
    rows.append(Text(f"{format_duration(whole):>10} in all", style="bold"))
    return rows


_WORTH = 0.05  # seconds, below which idleness is not worth a figure


def blocked_rows(scene: Scene) -> list[Text]:
    """Tell who waits for whom, a line a task that waits."""
    if not scene.blocked:
        return [Text("no task waits for another")]
    nodes = [one.node for one in scene.blocked.values()]
    room = min(LABEL, max(cell_len(sanitize(node.label)) for node in nodes))
    return [format_task(node, scene, room) for node in nodes]
