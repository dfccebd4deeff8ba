"""The page of a task group: what went wrong, the tasks by kind, and the critical path."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from rich.text import Text

from tcsniff.browse.event_store import EventStore
from tcsniff.browse.graph_rows import PATH, GraphRow, GraphRows
from tcsniff.browse.group_watch import GroupLayout, GroupWatch
from tcsniff.browse.json_text import format_json_lines
from tcsniff.browse.keys import GRAPH
from tcsniff.browse.page import Page, Subject
from tcsniff.browse.task_lines import draw_task_summary
from tcsniff.pulse.styles import get_state_style
from tcsniff.pulse.times import format_duration
from tcsniff.renderers.graph import graph_parts
from tcsniff.renderers.graph.heading import format_progress, format_title, format_verdict
from tcsniff.renderers.graph.labels import find_room
from tcsniff.renderers.graph.path_line import format_path_line
from tcsniff.renderers.widths import pad_text
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.critical_path import PathStep
from tcsniff.taskgraph.graph import INCOMPLETE
from tcsniff.taskgraph.outline import find_lost_run

_PREVIEW = 30  # rows of the pane
_CHUNK = 100  # rows that are laid out together, so that their columns are equal
_INDENT = "  "


class GraphPage(Page):
    """A task group."""

    tab = GRAPH
    has_pane = True

    def __init__(self, watch: GroupWatch, store: EventStore) -> None:
        """Create a page.

        Args:
            watch: The group.
            store: All events, for the last message about a task.
        """
        super().__init__()
        self.watch = watch
        self._store = store
        self._layout: GroupLayout | None = None
        self._rows = GraphRows()
        self._open_kinds: set[str] = set()
        self._chunks: dict[tuple[str, str, int, int], list[Text]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def get_key(self, index: int) -> Hashable:
        """Return the task or the kind."""
        return self._rows[index].key

    def find_key(self, key: Hashable) -> int | None:
        """Return the place of a task or a kind; of the kind if the task has no row any more."""
        return self._rows.find(key)

    def get_row(self, index: int) -> GraphRow:
        """Return a row by its place."""
        return self._rows[index]

    @property
    def selected(self) -> GraphRow | None:
        """The selected row; None if there is none."""
        return self._rows[self.index] if 0 <= self.index < len(self._rows) else None

    def get_subject(self) -> Subject:
        """Return the task of the row, or the group."""
        row = self.selected
        if row is None or row.node is None:
            return Subject(group_id=self.watch.group_id)
        run = find_lost_run(row.node) or row.node.run
        run_id = run.run_id if run is not None else None
        return Subject(row.node.task_id, self.watch.group_id, run_id, sanitize(row.node.pool))

    @property
    def exit_status(self) -> int:
        """The result, as of `tcsniff graph`."""
        return self._layout.exit_status if self._layout else INCOMPLETE

    def update(self) -> bool:
        """Take a new layout of the group."""
        layout = self.watch.layout
        if layout is self._layout or layout is None:
            return False
        self._layout = layout
        self._build_rows()
        return True

    # What keys do.

    def expand(self, *, is_open: bool) -> bool:
        """Show or hide the tasks of the selected row's kind; return whether that changes any."""
        row = self.selected
        if row is None or row.part == "wrong":
            return False
        if (row.kind in self._open_kinds) == is_open:
            return False
        if is_open:
            self._open_kinds.add(row.kind)
        else:
            self._open_kinds.discard(row.kind)
            self.select_key(("kind", row.kind))
        self._build_rows()
        return True

    def toggle_kind(self) -> bool:
        """Show the tasks of the selected kind, or hide them; return whether it is a kind."""
        row = self.selected
        if row is None or row.part not in ("kind", "path"):
            return False
        return self.expand(is_open=row.kind not in self._open_kinds)

    def select_failure(self) -> bool:
        """Select the next task that went wrong; from the start again after the last one."""
        number = self._rows.number_wrong
        if number:
            self.select(self.index + 1 if self.index + 1 < number else 0)
        return number > 0

    # What is drawn.

    def describe_state(self) -> str:
        """Return what is unusual about the answers of the queue."""
        return self._layout.condition if self._layout else ""

    def draw_heading(self, width: int) -> list[Text]:
        """Draw the title, the verdict and the bar."""
        if self._layout is None:
            return [Text(f"task group {self.watch.group_id}", style="bold")]
        scene = self._layout.scene
        return [
            format_title(scene, width),
            format_verdict(scene, width),
            format_progress(scene, width),
        ]

    def draw_row(self, index: int, width: int) -> Text:
        """Draw a task, a kind, or a step of the critical path."""
        row = self._rows[index]
        assert self._layout is not None  # noqa: S101 - otherwise there are no rows
        if row.part == "kind":
            return self._draw_kind(row.kind, width)
        if row.part == "path":
            mark = "▾ " if PATH in self._open_kinds else "▸ "
            line = format_path_line(self._layout.scene, width - len(mark))
            return Text().append(mark, style="dim").append_text(line)
        return self._draw_chunk(row, width)[row.place % _CHUNK]

    def draw_pane(self, width: int, height: int, *, raw: bool) -> list[Text]:
        """Draw more about the selected task, or the first tasks of the selected kind."""
        row = self.selected
        if self._layout is None or row is None:
            return []
        if row.node is None:
            return self._preview(row, width)[: max(1, height)]
        if raw:
            last = self._store.find_last(row.node.task_id)
            return format_json_lines(last.delivery, height) if last else []
        if row.row is not None and len(row.row.nodes) > 1:
            labels = [sanitize(node.label) for node in row.row.nodes[: height - 1]]
            return [Text(f"{len(row.row.nodes):,} tasks", style="bold"), *map(Text, labels)]
        return draw_task_summary(row.node.task_id, self._layout, width)[: max(1, height)]

    def _preview(self, row: GraphRow, width: int) -> list[Text]:
        # What is below the row when it is open; so nothing if it is.
        if self._layout is None or row.kind in self._open_kinds:
            return []
        if row.part == "path":
            return _format_steps(self._layout.scene.path[:_PREVIEW], width)
        rows = self._layout.kinds[row.kind][:_PREVIEW]
        return graph_parts.format_rows(rows, self._layout.scene, width)

    def _draw_kind(self, kind: str, width: int) -> Text:
        assert self._layout is not None  # noqa: S101 - `draw_row`
        is_open = kind in self._open_kinds
        mark = "▾ " if is_open else "▸ "
        room = graph_parts.measure_kinds(self._layout.kinds)
        line = graph_parts.format_kind(
            kind, self._layout.scene, room, width - len(mark), alone=not is_open
        )
        return Text().append(mark, style="dim").append_text(line)

    def _draw_chunk(self, row: GraphRow, width: int) -> list[Text]:
        number = row.place // _CHUNK
        key = (row.part, row.kind, number, width)
        if key not in self._chunks:
            start = number * _CHUNK
            self._chunks[key] = self._draw_part(row, slice(start, start + _CHUNK), width)
        return self._chunks[key]

    def _draw_part(self, row: GraphRow, part: slice, width: int) -> list[Text]:
        assert self._layout is not None  # noqa: S101 - `draw_row`
        scene = self._layout.scene
        if row.part == "wrong":
            return graph_parts.format_wrong(scene.wrong[part], scene, width)
        if row.part == "step":
            return _format_steps(scene.path[part], width)
        return graph_parts.format_rows(self._layout.kinds[row.kind][part], scene, width)

    def _build_rows(self) -> None:
        self._rows = GraphRows(self._layout, self._open_kinds)
        self._chunks.clear()
        self.settle()


def _format_steps(steps: Sequence[PathStep], width: int) -> list[Text]:
    room = find_room((step.node.label for step in steps), width)
    lines = []
    for step in steps:
        style = get_state_style(step.node.state)
        line = Text(_INDENT).append(f"{style.symbol} ", style=style.style)
        line.append(pad_text(step.node.label, room), style=style.style)
        line.append(f"  {format_duration(step.length)}", style="bold")
        line.append(f"  ran {format_duration(step.running)}")
        if step.waiting >= 1:
            line.append(f"  waited {format_duration(step.waiting)} for a worker")
        if step.idle >= 1:
            line.append(f"  idle {format_duration(step.idle)}")
        lines.append(line)
    return lines
