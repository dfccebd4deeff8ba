"""The output of `runs`: a line for each run that has ended."""

from __future__ import annotations

from collections.abc import Sequence

from tcsniff.pipeline import Renderer
from tcsniff.pulse.events import Event
from tcsniff.renderers.output import Output
from tcsniff.renderers.runs.run_formats import RowFormat
from tcsniff.renderers.runs.torn_lines import is_appended_to, repair_last_line
from tcsniff.stats.run_ledger import RunLedger, RunRow

_STDOUT = 1
_JSON_START = b'{"taskId":"'


class RunsRenderer(Renderer):
    """Writes a row when its run has ended, before the message is acknowledged.

    Attributes:
        rows: Number of rows so far.
    """

    def __init__(self, output: Output, ledger: RunLedger, row_format: RowFormat) -> None:
        """Create a renderer, and remove what a killed one left half-written.

        Args:
            output: Where to write.
            ledger: Makes the rows.
            row_format: How to format them.
        """
        self.rows = 0
        self._output = output
        self._ledger = ledger
        self._format_row, heading, self._escape = row_format
        self._is_broken = False
        self._lines = [heading] if heading else []
        if is_appended_to(_STDOUT):
            self._lines = []  # the file has its heading
            repair_last_line(_STDOUT, lambda head, last: _is_own_line(head, last, heading))

    def show(self, events: Sequence[Event]) -> None:
        """Add a batch of events."""
        for event in events:
            self.add_rows(self._ledger.add(event.delivery))

    def add_rows(self, rows: Sequence[RunRow]) -> None:
        """Add rows that the ledger has made."""
        self.rows += len(rows)
        self._lines += map(self._format_row, rows)

    def flush(self) -> None:
        """Write what was added."""
        self._is_broken = True
        self._output.write_lines(self._lines, self._escape)
        self._is_broken = False

    def close(self) -> None:
        """Write the rows that were held back."""
        if not self._is_broken:
            self.add_rows(self._ledger.finish())
            self.flush()


def _is_own_line(head: bytes, last: bytes, heading: bytes) -> bool:
    if heading:
        return head.startswith(heading) or heading.startswith(last)
    return last.startswith(_JSON_START) or _JSON_START.startswith(last)
