"""A task group followed line by line: a line for each change, and a summary in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import orjson
from rich.text import Text

from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.records import format_gap
from tcsniff.pulse.times import parse_timestamp
from tcsniff.renderers.ansi import paint_lines
from tcsniff.renderers.columns import describe_gap, format_clock_time, to_ascii
from tcsniff.renderers.graph.graph_parts import (
    format_log,
    format_path_line,
    format_progress,
    format_title,
    format_wrong,
)
from tcsniff.renderers.graph.scene import get_state_style, scene_of, troubles
from tcsniff.renderers.lines import color_text
from tcsniff.renderers.output import Output
from tcsniff.sanitize import sanitize, sanitize_json
from tcsniff.taskgraph.critical_path import find_critical_path
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.summary import Json, summarize_group

_WIDTH = 120  # cells of the summary in words
_WIDE = 1000  # the same, with the addresses of logs, which are never cut off


class JsonChangesView:
    """Writes each change as a line of JSON, and in the end ``{"summary": ...}``."""

    def __init__(self, output: Output, root_url: str | None) -> None:
        """Take an output.

        Args:
            output: Where to write.
            root_url: Of the deployment, for addresses of logs; None if that is not
                known.
        """
        self._output = output
        self._root_url = root_url
        self._lines: list[bytes] = []

    def came(self, number: int, lag: float | None) -> None:
        """Take no notice: only changes are shown."""

    def changed(self, changes: Iterable[Json]) -> None:
        """Take changes in, as `summary.change_of` words them."""
        self._lines += [_line(change) for change in changes]

    def show_gap(self, gap: Gap) -> None:
        """Take a gap in."""
        self._lines.append(format_gap(gap))

    def flush(self, graph: Callable[[], Graph], now: float) -> None:  # noqa: ARG002 - a view's
        """Write what was taken in."""
        self._write()

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        if not lines:
            self._output.check()
            return
        data = b"".join(lines)
        if self._output.is_terminal:
            text = data.decode().split("\n")
            data = "\n".join(map(sanitize_json, text)).encode()
        self._output.write(data)

    def leave(self) -> None:
        """End without a summary."""

    def finish(self, graph: Graph, now: float) -> None:
        """Write the summary."""
        summary = summarize_group(graph, find_critical_path(graph, now), now, self._root_url)
        self._lines.append(_line({"summary": summary}))
        self._write()


def _line(value: Json) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


class TextChangesView:
    """Writes each change as a line for people, and in the end a summary of a few lines."""

    def __init__(
        self,
        output: Output,
        root_url: str | None,
        *,
        colour: bool,
        ascii_only: bool,
        utc: bool,
    ) -> None:
        """Take an output.

        Args:
            output: Where to write.
            root_url: Of the deployment, for addresses of logs; None if that is not
                known.
            colour: Whether to use colours.
            ascii_only: Whether our symbols are spelled in ASCII.
            utc: Whether times are in UTC instead of the local time zone.
        """
        self._output = output
        self._root_url = root_url
        self._colour = colour
        self._ascii_only = ascii_only
        self._utc = utc
        self._lines: list[str] = []

    def came(self, number: int, lag: float | None) -> None:
        """Take no notice: only changes are shown."""

    def changed(self, changes: Iterable[Json]) -> None:
        """Take changes in, as `summary.change_of` words them."""
        self._lines += [self._line(change) for change in changes]

    def show_gap(self, gap: Gap) -> None:
        """Take a gap in."""
        self._lines.append(f"--- {describe_gap(gap)}")

    def flush(self, graph: Callable[[], Graph], now: float) -> None:  # noqa: ARG002 - a view's
        """Write what was taken in."""
        self._write()

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        if not lines:
            self._output.check()
            return
        text = "".join(f"{line.rstrip()}\n" for line in lines)
        self._output.write((to_ascii(text) if self._ascii_only else text).encode(errors="replace"))

    def leave(self) -> None:
        """End without a summary."""

    def finish(self, graph: Graph, now: float) -> None:
        """Write the summary."""
        scene = scene_of(graph, now, self._root_url, has_links=False)
        nodes = troubles(graph.nodes.values(), scene.blocks)
        told = format_wrong(nodes, scene, _WIDTH)
        rows = [format_title(scene, _WIDTH), format_progress(scene, _WIDTH)]
        for node, row in zip(nodes, told, strict=True):
            url = format_log(node, scene)
            rows += [row] if url is None else [row, Text(f"  {url}", style="dim")]
        if scene.path:
            rows.append(format_path_line(scene, _WIDTH))
        self._lines += paint_lines(rows, _WIDE, colour=self._colour)
        self._write()

    def _line(self, change: Json) -> str:
        state = change["state"]
        look = get_state_style(state)
        what = f"{look.symbol} {look.word:<11}"
        if self._colour:
            what = color_text(what, look.style)
        when = format_clock_time(parse_timestamp(change["time"]), utc=self._utc)
        name = sanitize(change["label"] or change["taskId"])
        run = "" if change["run"] is None else f"run {change['run']}"
        reason = sanitize(change["reason"] or "")
        if state in ("completed", "failed") and reason == state:
            reason = ""
        if lost := change.get("lost"):
            reason = f"run {lost['run']} {sanitize(lost['reason'] or '')}"
        worker = sanitize(change["worker"] or "")
        log = change.get("log") or (lost or {}).get("log") or ""
        parts = (f"{run:<6}", reason, sanitize(change["pool"]), worker, log)
        return f"{when}  {what}  {name:<44}  " + "  ".join(filter(None, parts))
