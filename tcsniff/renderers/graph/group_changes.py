"""The changes of a task group, a line each, and a summary at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import orjson
from rich.text import Text

from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.records import format_gap
from tcsniff.renderers.ansi import paint_lines
from tcsniff.renderers.columns import describe_gap, encode_text
from tcsniff.renderers.graph.change_line import find_line_width, format_change
from tcsniff.renderers.graph.graph_parts import format_wrong, list_log_rows
from tcsniff.renderers.graph.group_renderer import GroupView
from tcsniff.renderers.graph.heading import format_progress, format_title, format_verdict
from tcsniff.renderers.graph.live_graph import GetTails
from tcsniff.renderers.graph.path_line import format_path_line
from tcsniff.renderers.graph.scene import build_scene, list_logs
from tcsniff.renderers.lines import escape_json
from tcsniff.renderers.output import Output
from tcsniff.taskgraph.critical_path import find_known_path
from tcsniff.taskgraph.group import GroupState
from tcsniff.taskgraph.summary import Json, summarize_group

_WIDTH = 120  # cells of the summary as text
_MAX_WIDTH = 1000  # cells of its lines with URLs of logs, which are never cut


class JsonChangesView(GroupView):
    """Writes each change as a line of JSON, and finally ``{"summary": ...}``."""

    def __init__(
        self,
        output: Output,
        group: GroupState,
        clock: Callable[[], float],
        root_url: str | None = None,
    ) -> None:
        """Create a view.

        Args:
            output: Where to write.
            group: The group.
            clock: Returns the group's time, in seconds since the Unix epoch.
            root_url: Root URL of the deployment, for URLs of logs; None if unknown.
        """
        self._output = output
        self._group = group
        self._clock = clock
        self._root_url = root_url
        self._lines: list[bytes] = []

    def add_changes(self, changes: Iterable[Json]) -> None:
        """Add changes, in the form of `summarize_change`."""
        self._lines += map(dump_line, changes)

    def show_gap(self, gap: Gap) -> None:
        """Add a gap."""
        self._lines.append(format_gap(gap))

    def flush(self) -> None:
        """Write what was added."""
        self._output.write_lines(self._lines, escape_json)

    def close(self) -> None:
        """Write the summary."""
        graph, now = self._group.graph(), self._clock()
        summary = summarize_group(graph, find_known_path(graph, now), now, self._root_url)
        self._lines.append(dump_line({"summary": summary}))
        self.flush()


def dump_line(value: Json) -> bytes:
    """Encode a JSON value as a line."""
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


class TextChangesView(GroupView):
    """Writes each change as a line of text, and finally a summary of a few lines."""

    def __init__(
        self,
        output: Output,
        group: GroupState,
        clock: Callable[[], float],
        root_url: str | None = None,
        *,
        color: bool,
        ascii_only: bool,
        utc: bool,
        has_times: bool = False,
        get_tails: GetTails | None = None,
    ) -> None:
        """Create a view; see `JsonChangesView`.

        Args:
            output: Where to write.
            group: The group.
            clock: Returns the group's time, in seconds since the Unix epoch.
            root_url: Root URL of the deployment, for URLs of logs; None if unknown.
            color: Whether to use colors.
            ascii_only: Whether to replace symbols by ASCII characters.
            utc: Whether to show times in UTC instead of the local time zone.
            has_times: Whether to show times of day in the summary, too.
            get_tails: Returns the last lines of the logs of some runs; None for none.
        """
        self._output = output
        self._group = group
        self._clock = clock
        self._root_url = root_url
        self._color = color
        self._ascii_only = ascii_only
        self._utc = utc
        self._has_times = has_times
        self._get_tails = get_tails
        self._lines: list[bytes] = []

    def add_changes(self, changes: Iterable[Json]) -> None:
        """Add changes, in the form of `summarize_change`."""
        width = find_line_width(self._output)
        for change in changes:
            self._add(format_change(change, width, color=self._color, utc=self._utc))

    def show_gap(self, gap: Gap) -> None:
        """Add a gap."""
        self._add(f"--- {describe_gap(gap)}")

    def flush(self) -> None:
        """Write what was added."""
        self._output.write_lines(self._lines)

    def close(self) -> None:
        """Write the summary."""
        scene = build_scene(
            self._group.graph(),
            self._clock(),
            self._root_url,
            has_links=False,
            has_times=self._has_times,
            utc=self._utc,
        )
        room = find_line_width(self._output)
        width = room or _WIDTH
        if self._get_tails is not None:
            scene = replace(scene, tails=self._get_tails(list_logs(scene)))
        head = (
            format_title(scene, width),
            format_verdict(scene, width),
            format_progress(scene, min(_WIDTH, width)),
        )
        self._add_rows(head, room)
        for row, text in zip(scene.wrong, format_wrong(scene.wrong, scene, width), strict=True):
            self._add_rows([text], room)
            self._add_rows(list_log_rows(row, scene, _MAX_WIDTH), _MAX_WIDTH)
        if scene.began is not None:
            self._add_rows([format_path_line(scene, width)], room)
        self.flush()

    def _add_rows(self, rows: Iterable[Text], room: int | None) -> None:
        for line in paint_lines(rows, room or _MAX_WIDTH, color=self._color):
            self._add(line)

    def _add(self, line: str) -> None:
        self._lines.append(encode_text(f"{line.rstrip()}\n", ascii_only=self._ascii_only))
