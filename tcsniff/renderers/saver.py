"""Keeps the last picture of a run in a file, besides any view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from tcsniff.errors import OutputError
from tcsniff.pipeline import Renderer
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.renderers.picture import svg

WIDTH, HEIGHT = 100, 24
"""Of a picture that no terminal shows, in cells and lines."""


@runtime_checkable
class Drawing(Renderer, Protocol):
    """A renderer that draws pictures."""

    def still(self, width: int, height: int) -> list[str]:
        """Draw the last picture, as it is when all is over; in cells and lines."""
        ...


class Saver:
    """Shows events by another renderer, and writes a picture in the end.

    Attributes:
        renderer: The other one.
        drawing: Draws the picture; may be the same.
    """

    def __init__(
        self,
        path: str,
        renderer: Renderer,
        drawing: Drawing,
        *,
        title: str,
        size: Callable[[], tuple[int, int]] = lambda: (WIDTH, HEIGHT),
    ) -> None:
        """See whether the file can be written; what it holds stays until the end.

        Args:
            path: The file.
            renderer: Shows the events.
            drawing: Draws the picture; may be the renderer itself.
            title: Of the picture.
            size: Tells how large the picture is to be, in cells and lines.

        Raises:
            OutputError: If it cannot be opened.
        """
        self.renderer = renderer
        self._path = path
        self.drawing = drawing
        self._beside = drawing is not renderer
        self._title = title
        self._size = size
        check(path)

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        if self._beside:
            self.drawing.show(events)
        self.renderer.show(events)

    def gap(self, gap: Gap) -> None:
        """Take a gap in."""
        if self._beside:
            self.drawing.gap(gap)
        self.renderer.gap(gap)

    def flush(self) -> None:
        """Have the other renderer let out what it has."""
        self.renderer.flush()

    def close(self) -> None:
        """Finish, and write the picture, even where the view could not be finished.

        Raises:
            OutputError: If the picture cannot be written.
        """
        try:
            self.renderer.close()
        finally:
            width, height = self._size()
            save(self._path, self.drawing.still(width, height), width, self._title)


def check(path: str) -> None:
    """See whether a picture can be written there; what the file holds stays.

    Raises:
        OutputError: If it cannot.
    """
    _write(path, b"", mode="ab")


def save(path: str, lines: Sequence[str], width: int, title: str) -> None:
    """Write a picture; the arguments are those of `picture.svg`.

    Raises:
        OutputError: If it cannot be written.
    """
    _write(path, svg(lines, width, title).encode(errors="replace"), mode="wb")


def _write(path: str, data: bytes, *, mode: str) -> None:
    try:
        with Path(path).open(mode) as file:
            file.write(data)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"cannot write the picture {path}: {reason}") from error
