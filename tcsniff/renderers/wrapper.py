"""A renderer that hands everything on to another renderer."""

from __future__ import annotations

from collections.abc import Sequence

from tcsniff.pipeline import Renderer
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event


class RendererWrapper(Renderer):
    """Base class of renderers that write a file in addition to another renderer."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self.is_live = renderer.is_live

    def show(self, events: Sequence[Event]) -> None:
        """Add a batch of events."""
        self._renderer.show(events)

    def flush(self) -> None:
        """Write what was added."""
        self._renderer.flush()

    def show_gap(self, gap: Gap) -> None:
        """Add a gap."""
        self._renderer.show_gap(gap)

    def notify(self, text: str) -> None:
        """Write a line above the picture."""
        self._renderer.notify(text)

    def leave_terminal(self) -> None:
        """Restore the terminal."""
        self._renderer.leave_terminal()

    def redraw(self) -> None:
        """Draw the next picture below the terminal's content."""
        self._renderer.redraw()

    def close(self) -> None:
        """Close the other renderer."""
        self._renderer.close()
