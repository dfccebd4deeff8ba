"""Rows of a task as lines of a screen: columns, wrapped lines, and links."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from tcsniff.pulse.urls import build_group_url, build_task_url
from tcsniff.renderers.ansi import join_words
from tcsniff.renderers.columns import COLUMN_GAP
from tcsniff.renderers.graph.labels import MIN_LABEL
from tcsniff.renderers.widths import shorten_text
from tcsniff.taskgraph.task_rows import FACTS, LINE, LOG, RUN, TITLE, Part, StoryRow

_GAP = "   "
_INDENT = "  "
_MIN_WORKER = 12  # cells of a worker's name


def format_rows(rows: Sequence[StoryRow], width: int, root_url: str | None) -> list[Text]:
    """Format the rows of one task.

    Args:
        rows: The rows.
        width: Of the screen, in cells. What has no room is left out, shortened or wrapped;
            only an address may be wider.
        root_url: Root URL of the deployment, for links; None for no links.
    """
    lines: list[Text] = []
    runs = _lay_out_runs([row.parts for row in rows if row.kind == RUN], width)
    for row in rows:
        if row.kind == RUN:
            lines.append(next(runs))
        else:
            lines += _FORMATS.get(row.kind, _wrap)(row.parts, width, root_url)
    return lines


def _format_part(part: Part, root_url: str | None) -> Text:
    if part.run_id is not None:
        url = part.text if root_url else None
    elif part.task_group_id:
        url = build_group_url(root_url, part.task_group_id)
    else:
        url = build_task_url(root_url, part.task_id) if part.task_id else None
    text = part.text.rstrip(", ")  # the link does not cover what separates names
    return join_words(text, part.style, url).append(part.text[len(text) :])


def _format_title(parts: Sequence[Part], width: int, root_url: str | None) -> list[Text]:
    *names, state = parts
    room = width - cell_len(state.text) - len(_GAP)
    if len(names) > 1:
        if _measure(names) > room:
            names[0] = names[0]._replace(text=names[0].text.removeprefix("task "))
        rest = room - cell_len(names[0].text) - len(_GAP)
        if rest < MIN_LABEL:  # the name is more important than the ID
            del names[0]
            rest = room
        names[-1] = names[-1]._replace(text=shorten_text(names[-1].text, rest))
    text = Text(_GAP).join(_format_part(part, root_url) for part in names)
    text.append(" " * max(len(_GAP), width - text.cell_len - cell_len(state.text)))
    return [text.append_text(_format_part(state, None))]


def _format_apart(parts: Sequence[Part], width: int, root_url: str | None) -> list[Text]:
    shown = list(parts)
    while _measure(shown) > width and any(part.rank for part in shown):
        shown.remove(max(shown, key=lambda part: part.rank))
    lines: list[list[Part]] = [[]]
    for part in shown:
        if lines[-1] and _measure([*lines[-1], part]) > width:
            lines.append([])
        lines[-1].append(part)
    return [Text(_GAP).join(_format_part(part, root_url) for part in line) for line in lines]


def _measure(parts: Sequence[Part]) -> int:
    return sum(cell_len(part.text) for part in parts) + len(_GAP) * (len(parts) - 1)


class _Columns:
    # The cells of all runs of a task, below each other.

    def __init__(self, rows: Sequence[Sequence[Part]]) -> None:
        self.rows = [list(row) for row in rows]
        self.kept = list(range(len(rows[0])))
        self.widths = [max(cell_len(row[column].text) for row in rows) for column in self.kept]
        self.kept = [column for column in self.kept if self.widths[column]]
        self.gap = _GAP

    @property
    def width(self) -> int:
        gaps = len(self.gap) * (len(self.kept) - 1)
        return sum(self.widths[column] for column in self.kept) + gaps

    def fit(self, width: int) -> None:
        row = self.rows[0]
        while self.width > width and any(row[column].rank for column in self.kept):
            column = max(self.kept, key=lambda one: row[one].rank)
            room = self.widths[column] - (self.width - width)
            if row[column].rank == 1 and room >= _MIN_WORKER:
                self.widths[column] = room
                return
            self.kept.remove(column)
        if self.width > width:
            self.gap = " " * COLUMN_GAP

    def format(self, row: Sequence[Part]) -> Text:
        cells = []
        for column in self.kept:
            width = self.widths[column]
            text = set_cell_size(shorten_text(row[column].text, width), width)
            cells.append(Text(text, style=row[column].style))
        line = Text(self.gap).join(cells)
        line.rstrip()
        return line


def _lay_out_runs(rows: Sequence[Sequence[Part]], width: int) -> Iterator[Text]:
    if not rows:
        return iter(())
    columns = _Columns(rows)
    columns.fit(width)
    return iter([columns.format(row) for row in rows])


def _format_log(parts: Sequence[Part], width: int, root_url: str | None) -> list[Text]:
    title, address = parts
    if _measure(parts) <= width:
        return [Text(_GAP).join((_format_part(title, None), _format_part(address, root_url)))]
    below = Text(_INDENT).append_text(_format_part(address, root_url))
    return [_format_part(title, None), below]


def _format_line(parts: Sequence[Part], _width: int, _root_url: str | None) -> list[Text]:
    return [Text("  │ ", style="dim").append(part.text, style="not dim") for part in parts]


def _wrap(parts: Sequence[Part], width: int, root_url: str | None) -> list[Text]:
    # Between parts, so that names stay whole; lines after the first are indented.
    lines = [Text()]
    for part in parts:
        text = _format_part(part, root_url)
        if lines[-1].cell_len + cell_len(part.text.rstrip()) > width and len(lines[-1]) > len(
            _INDENT
        ):
            lines[-1].rstrip()
            lines.append(Text(_INDENT))
        lines[-1].append_text(text)
    return lines


_FORMATS: dict[str, Callable[[Sequence[Part], int, str | None], list[Text]]] = {
    TITLE: _format_title,
    FACTS: _format_apart,
    LOG: _format_log,
    LINE: _format_line,
}
