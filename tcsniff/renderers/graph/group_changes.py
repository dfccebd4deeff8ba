"""A task group followed line by line: a line for each change, and a summary in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import orjson
from rich.text import Text

from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.records import gap_line
from tcsniff.pulse.times import moment
from tcsniff.renderers.ansi import painted
from tcsniff.renderers.columns import clock_time, gap_text, plain
from tcsniff.renderers.graph.graph_parts import log, path, progress, title, wrong
from tcsniff.renderers.graph.scene import look_of, scene_of, troubles
from tcsniff.renderers.lines import coloured
from tcsniff.renderers.output import Output
from tcsniff.sanitize import safe, safe_json
from tcsniff.taskgraph.critical_path import critical_path
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.summary import Json, summary_of

_WIDTH = 120  # cells of the summary in words
_WIDE = 1000  # the same, with the addresses of logs, which are never cut off


class JsonChanges:
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

    def gap(self, gap: Gap) -> None:
        """Take a gap in."""
        self._lines.append(gap_line(gap))

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
            data = "\n".join(map(safe_json, text)).encode()
        self._output.write(data)

    def leave(self) -> None:
        """End without a summary."""

    def finish(self, graph: Graph, now: float) -> None:
        """Write the summary."""
        summary = summary_of(graph, critical_path(graph, now), now, self._root_url)
        self._lines.append(_line({"summary": summary}))
        self._write()


def _line(value: Json) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


class LinesOfChanges:
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

    def gap(self, gap: Gap) -> None:
        """Take a gap in."""
        self._lines.append(f"--- {gap_text(gap)}")

    def flush(self, graph: Callable[[], Graph], now: float) -> None:  # noqa: ARG002 - a view's
        """Write what was taken in."""
        self._write()

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        if not lines:
            self._output.check()
            return
        text = "".join(f"{line.rstrip()}\n" for line in lines)
        self._output.write((plain(text) if self._ascii_only else text).encode(errors="replace"))

    def leave(self) -> None:
        """End without a summary."""

    def finish(self, graph: Graph, now: float) -> None:
        """Write the summary."""
        scene = scene_of(graph, now, self._root_url, has_links=False)
        nodes = troubles(graph.nodes.values(), scene.blocks)
        told = wrong(nodes, scene, _WIDTH)
        rows = [title(scene, _WIDTH), progress(scene, _WIDTH)]
        for node, row in zip(nodes, told, strict=True):
            url = log(node, scene)
            rows += [row] if url is None else [row, Text(f"  {url}", style="dim")]
        if scene.path:
            rows.append(path(scene, _WIDTH))
        self._lines += painted(rows, _WIDE, colour=self._colour)
        self._write()

    def _line(self, change: Json) -> str:
        state = change["state"]
        look = look_of(state)
        what = f"{look.symbol} {look.word:<11}"
        if self._colour:
            what = coloured(what, look.style)
        when = clock_time(moment(change["time"]), utc=self._utc)
        name = safe(change["label"] or change["taskId"])
        run = "" if change["run"] is None else f"run {change['run']}"
        reason = safe(change["reason"] or "")
        if state in ("completed", "failed") and reason == state:
            reason = ""
        if lost := change.get("lost"):
            reason = f"run {lost['run']} {safe(lost['reason'] or '')}"
        worker = safe(change["worker"] or "")
        log = change.get("log") or (lost or {}).get("log") or ""
        parts = (f"{run:<6}", reason, safe(change["pool"]), worker, log)
        return f"{when}  {what}  {name:<44}  " + "  ".join(filter(None, parts))
