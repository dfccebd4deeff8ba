"""JSON lines: the record of each event."""

from __future__ import annotations

from collections.abc import Sequence

from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.renderers.output import Output
from tcsniff.sanitize import safe_json


class JsonRenderer:
    """Writes each event as a line of JSON, a batch at a time."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._lines: list[bytes] = []

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        self._lines += [records.worded(event.delivery, event.flaw) for event in events]

    def gap(self, gap: Gap) -> None:
        """Take a gap in."""
        self._lines.append(records.gap_line(gap))

    def flush(self) -> None:
        """Write what was taken in."""
        if not self._lines:
            self._output.check()
            return
        data = b"".join(self._lines)
        self._lines = []
        self._output.write(safe_lines(data) if self._output.is_terminal else data)

    def close(self) -> None:
        """Nothing is left to do."""


def safe_lines(lines: bytes) -> bytes:
    """Make lines of JSON safe for a terminal, as JSON of the same values."""
    return b"".join(safe_json(line).encode() + b"\n" for line in lines.decode().split("\n")[:-1])
