"""One readable line an event, for scrollback and logs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import orjson

from tcsniff.pipeline import Renderer
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.pulse.styles import EVENT_STYLES, SGR_CODES, Style, get_event_style
from tcsniff.pulse.urls import format_link
from tcsniff.renderers.columns import (
    COLUMNS,
    EVENT,
    RUN,
    Column,
    describe_gap,
    find_link_target,
    to_ascii,
)
from tcsniff.renderers.output import Output
from tcsniff.sanitize import sanitize, sanitize_json


class LinesRenderer(Renderer):
    """Writes each event as a line, its columns padded and nothing cut off."""

    def __init__(
        self,
        output: Output,
        *,
        columns: Sequence[Column] = COLUMNS,
        colour: bool,
        ascii_only: bool,
        heading: bool = False,
        root_url: str | None = None,
        styles: Mapping[str, Style] = EVENT_STYLES,
    ) -> None:
        """Take an output.

        Args:
            output: Where to write.
            columns: What to show, in order.
            colour: Whether to colour what happened.
            ascii_only: Whether our symbols are spelled in ASCII.
            heading: Whether the first line names the columns.
            root_url: Of the Taskcluster deployment, if tasks are to be links to
                it; None for no links.
            styles: How events look.
        """
        self._output = output
        self._columns = columns
        self._colour = colour
        self._ascii_only = ascii_only
        self._root_url = root_url
        self._looks = styles
        self._lines = [self._joined([column.title for column in columns])] if heading else []

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        self._lines += [self._line(event) for event in events]

    def show_gap(self, gap: Gap) -> None:
        """Take a gap in."""
        self._lines.append(f"--- {describe_gap(gap)}")

    def flush(self) -> None:
        """Write what was taken in."""
        if not self._lines:
            self._output.check()
            return
        text = "".join(f"{line}\n" for line in self._lines)
        self._lines = []
        self._output.write((to_ascii(text) if self._ascii_only else text).encode(errors="replace"))

    def close(self) -> None:
        """Nothing is left to do."""

    def _line(self, event: Event) -> str:
        texts = [column.text(event) for column in self._columns]
        urls = [find_link_target(column, event, self._root_url) for column in self._columns]
        line = self._joined(texts, urls)
        if not self._colour:
            return line
        what = EVENT.text(event)
        return line.replace(what, color_text(what, get_event_style(event, self._looks).style), 1)

    def _joined(self, texts: Sequence[str], urls: Sequence[str | None] = ()) -> str:
        parts = zip_longest(texts, self._columns, urls)
        return "  ".join(_padded(text, column, url) for text, column, url in parts).rstrip()


def _padded(text: str, column: Column, url: str | None) -> str:
    fill = " " * (column.width - len(text))
    text = format_link(text, url)
    return fill + text if column.title == RUN.title else text + fill


def color_text(text: str, style: str) -> str:
    """Colour text for a terminal.

    Args:
        text: Without escape sequences.
        style: Of `columns.Look`; empty for none.
    """
    codes = ";".join(SGR_CODES[name] for name in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text


class JsonRenderer(Renderer):
    """Writes each event as a line of JSON, a batch at a time."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._lines: list[bytes] = []

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        self._lines += [
            records.format_record_with_error(event.delivery, event.decode_error)
            for event in events
        ]

    def show_gap(self, gap: Gap) -> None:
        """Take a gap in."""
        self._lines.append(records.format_gap(gap))

    def flush(self) -> None:
        """Write what was taken in."""
        if not self._lines:
            self._output.check()
            return
        data = b"".join(self._lines)
        self._lines = []
        self._output.write(escape_lines(data) if self._output.is_terminal else data)

    def close(self) -> None:
        """Nothing is left to do."""


def escape_lines(lines: bytes) -> bytes:
    """Make lines of JSON safe for a terminal, as JSON of the same values."""
    return b"".join(
        sanitize_json(line).encode() + b"\n" for line in lines.decode().split("\n")[:-1]
    )


class RawRenderer(Renderer):
    """Writes each body, byte for byte, and a line feed; on a terminal made safe."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bodies: list[bytes] = []

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        self._bodies += [event.delivery.body for event in events]

    def show_gap(self, gap: Gap) -> None:
        """Take nothing in: a gap has no body."""

    def flush(self) -> None:
        """Write what was taken in."""
        if not self._bodies:
            self._output.check()
            return
        bodies, self._bodies = self._bodies, []
        if self._output.is_terminal:
            bodies = [sanitize(body.decode(errors="backslashreplace")).encode() for body in bodies]
        self._output.write(b"".join(body + b"\n" for body in bodies))

    def close(self) -> None:
        """Nothing is left to do."""


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # numbers of more than 64 bits, and text that is no Unicode
        return json.dumps(value, separators=(",", ":"))


class ProjectionRenderer(Renderer):
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

    def show_gap(self, gap: Gap) -> None:
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
            return sanitize(value) if self._output.is_terminal else value
        text = _json(value)
        return sanitize_json(text) if self._output.is_terminal else text
