"""What an expression makes of each event, as JSON lines or bare strings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.renderers.output import Output
from tcsniff.sanitize import safe, safe_json


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # numbers of more than 64 bits, and text that is no Unicode
        return json.dumps(value, separators=(",", ":"))


class ProjectionRenderer:
    """Writes one line for each event: the value of an expression over its record."""

    def __init__(
        self, output: Output, select: Callable[[Event], Any], *, bare: bool = False
    ) -> None:
        """Take an output.

        Args:
            output: Where to write.
            select: The expression.
            bare: Whether a string is written as it is, without quotes.
        """
        self._output = output
        self._select = select
        self._bare = bare
        self._lines: list[str] = []

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        self._lines += [self._line(self._select(event)) for event in events]

    def gap(self, gap: Gap) -> None:
        """Take nothing in: there is no event to make something of."""

    def flush(self) -> None:
        """Write what was taken in."""
        if not self._lines:
            self._output.check()
            return
        text = "".join(f"{line}\n" for line in self._lines)
        self._lines = []
        self._output.write(text.encode(errors="replace"))

    def close(self) -> None:
        """Nothing is left to do."""

    def _line(self, value: Any) -> str:
        if self._bare and isinstance(value, str):
            return safe(value) if self._output.is_terminal else value
        text = _json(value)
        return safe_json(text) if self._output.is_terminal else text
