"""A task graph, live: one picture, drawn again in its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from tcsniff.pulse.deliveries import Gap
from tcsniff.renderers.columns import to_ascii
from tcsniff.renderers.graph.graph_picture import draw_graph
from tcsniff.renderers.graph.scene import scene_of
from tcsniff.renderers.output import Output, get_terminal_size
from tcsniff.renderers.terminal import Screen, Traffic, format_gap_count
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.summary import Json

REDRAW = 0.25  # seconds between two drawings, at least
_SHARE = 6  # how many times longer than it took to draw the next drawing waits
_MARGIN = 1  # lines of the screen that stay free


class LiveGraphView:
    """Draws a graph, now and then: large ones more seldom, so that drawing costs little."""

    def __init__(
        self,
        output: Output,
        *,
        source: str,
        condition: Callable[[], str],
        root_url: str | None,
        has_links: bool,
        colour: bool,
        ascii_only: bool,
        size: Callable[[], tuple[int, int]] = get_terminal_size,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is drawn yet.

        Args:
            output: A terminal.
            source: What it is connected to, for the status line.
            condition: Tells what a person should know of the connection and of
                the graph.
            root_url: Of the deployment, for addresses; None if that is not known.
            has_links: Whether text may lead somewhere when it is clicked.
            colour: Whether to use colours.
            ascii_only: Whether our symbols are spelled in ASCII.
            size: Measures the terminal, in columns and lines.
            clock: Tells the time, in seconds.
        """
        self._screen = Screen(output)
        self._source = source
        self._condition = condition
        self._root_url = root_url
        self._has_links = has_links
        self._colour = colour
        self._ascii_only = ascii_only
        self._size = size
        self._clock = clock
        self._traffic = Traffic(clock)
        self._gaps = 0
        self._due = clock()

    def came(self, number: int, lag: float | None) -> None:
        """Take note that events have come, for the status line."""
        self._traffic.add(number, lag)

    def changed(self, changes: Iterable[Json]) -> None:
        """Take no notice: the picture shows what is, not what happened."""

    def show_gap(self, gap: Gap) -> None:  # noqa: ARG002 - a view's signature
        """Take a gap in: the status line counts them."""
        self._gaps += 1

    def notify(self, text: str) -> None:
        """Write a line above the picture, where it stays."""
        self._screen.above(sanitize(text))
        self._due = self._clock()

    def redraw(self) -> None:
        """Give the terminal away; the next picture is drawn below what is there then."""
        self._screen.redraw()
        self._due = self._clock()

    def flush(self, graph: Callable[[], Graph], now: float) -> None:
        """Draw if it is time.

        Args:
            graph: Gives what to draw.
            now: The group's time, in seconds since the Unix epoch.
        """
        begun = self._clock()
        if begun >= self._due:
            self._draw(graph(), now)
            ended = self._clock()
            self._due = ended + max(REDRAW, _SHARE * (ended - begun))

    def finish(self, graph: Graph, now: float) -> None:
        """Draw a last time, and leave the terminal in order."""
        try:
            self._draw(graph, now, is_over=True)
        finally:
            self._screen.close()

    def leave(self) -> None:
        """Leave the terminal in order."""
        self._screen.close()

    def _draw(self, graph: Graph, now: float, *, is_over: bool = False) -> None:
        width, height = self._size()
        notes = tuple(filter(None, (self._condition(), format_gap_count(self._gaps))))
        status = self._traffic.status(self._source, "", notes)._replace(is_over=is_over)
        picture = draw_graph(
            scene_of(graph, now, self._root_url, has_links=self._has_links),
            status,
            width,
            max(1, height - _MARGIN),
            colour=self._colour,
        )
        if self._ascii_only:
            picture = [to_ascii(line) for line in picture]
        self._screen.draw(picture, (width, height))
