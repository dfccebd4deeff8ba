"""Bodies as they came."""

from __future__ import annotations

from collections.abc import Sequence

from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.renderers.output import Output
from tcsniff.sanitize import safe


class RawRenderer:
    """Writes each body, byte for byte, and a line feed; on a terminal made safe."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bodies: list[bytes] = []

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        self._bodies += [event.delivery.body for event in events]

    def gap(self, gap: Gap) -> None:
        """Take nothing in: a gap has no body."""

    def flush(self) -> None:
        """Write what was taken in."""
        if not self._bodies:
            self._output.check()
            return
        bodies, self._bodies = self._bodies, []
        if self._output.is_terminal:
            bodies = [safe(body.decode(errors="backslashreplace")).encode() for body in bodies]
        self._output.write(b"".join(body + b"\n" for body in bodies))

    def close(self) -> None:
        """Nothing is left to do."""
