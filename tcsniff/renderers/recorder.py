"""A recording, written in addition to any view."""

from __future__ import annotations

from collections.abc import Sequence

from tcsniff.pipeline import Renderer
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.renderers.lines import format_json
from tcsniff.renderers.record_file import RecordFile
from tcsniff.renderers.wrapper import RendererWrapper


class Recorder(RendererWrapper):
    """Appends records to a file and hands the events on to a renderer.

    After every batch the file holds whole lines, compressed or not.
    """

    def __init__(self, path: str, renderer: Renderer, *, has_gaps: bool = True) -> None:
        """Open the file.

        Args:
            path: A name that ends in ``.gz`` makes a compressed file.
            renderer: Shows the events, after they are recorded.
            has_gaps: Whether to record gaps.

        Raises:
            OutputError: If it cannot be opened, or another process records to it.
        """
        super().__init__(renderer)
        self._has_gaps = has_gaps
        self._lines: list[bytes] = []
        self._file = RecordFile(path)

    def show(self, events: Sequence[Event]) -> None:
        """Add a batch of events."""
        # First the view: if it decodes a body, its JSON need not be checked again.
        super().show(events)
        self._lines += map(format_json, events)

    def show_gap(self, gap: Gap) -> None:
        """Add a gap."""
        if self._has_gaps:
            self._lines.append(records.format_gap(gap))
        super().show_gap(gap)

    def flush(self) -> None:
        """Record what was added, then show it.

        Raises:
            OutputError: If it cannot be recorded, for example on a full disk.
        """
        self._file.follow_name()
        if self._lines:
            data = b"".join(self._lines)
            self._lines = []
            self._file.append(data)
        super().flush()

    def close(self) -> None:
        """Close the file and the view."""
        try:
            self._file.close()
        finally:
            super().close()
