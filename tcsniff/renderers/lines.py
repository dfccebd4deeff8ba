"""Events as lines: JSON, raw bodies, columns, or the value of an expression.

A format turns an event into bytes; `LineRenderer` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import orjson

from tcsniff.pipeline import Renderer
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.pulse.styles import EVENT_STYLES, SGR_CODES, Style, get_event_style
from tcsniff.pulse.urls import format_link
from tcsniff.renderers.columns import (
    COLUMN_GAP,
    COLUMNS,
    EVENT,
    RUN,
    Column,
    describe_gap,
    encode_text,
    find_link_target,
)
from tcsniff.renderers.output import Output
from tcsniff.sanitize import sanitize, sanitize_json


class LineFormat(NamedTuple):
    """How to format events as lines, each with its line feed.

    Attributes:
        format_event: Formats an event.
        format_gap: Formats a gap; None to leave gaps out.
        escape: Makes a formatted line safe for a terminal; None if it is safe.
    """

    format_event: Callable[[Event], bytes]
    format_gap: Callable[[Gap], bytes] | None = None
    escape: Callable[[bytes], bytes] | None = None


class LineRenderer(Renderer):
    """Writes each event as a line, a batch at a time."""

    def __init__(self, output: Output, line_format: LineFormat, *, heading: bytes = b"") -> None:
        self._output = output
        self._format_event, self._format_gap, self._escape = line_format
        self._lines = [heading] if heading else []

    def show(self, events: Sequence[Event]) -> None:
        """Add a batch of events."""
        self._lines += map(self._format_event, events)

    def show_gap(self, gap: Gap) -> None:
        """Add a gap, if the format has gaps."""
        if self._format_gap is not None:
            self._lines.append(self._format_gap(gap))

    def flush(self) -> None:
        """Write what was added."""
        self._output.write_lines(self._lines, self._escape)


def format_json(event: Event) -> bytes:
    """Format an event as a record."""
    return records.format_record_with_error(event.delivery, event.decode_error)


def escape_json(line: bytes) -> bytes:
    """Make a line of JSON safe for a terminal, as JSON of the same value."""
    return sanitize_json(line.decode().removesuffix("\n")).encode() + b"\n"


def format_raw(event: Event) -> bytes:
    """Format an event as the bytes of its body."""
    return event.delivery.body + b"\n"


def escape_raw(line: bytes) -> bytes:
    """Make a body safe for a terminal, as one line."""
    return sanitize(line[:-1].decode(errors="backslashreplace")).encode() + b"\n"


LINE_FORMATS = {
    "json": LineFormat(format_json, records.format_gap, escape_json),
    "raw": LineFormat(format_raw, escape=escape_raw),
}


def make_projection(
    select: Callable[[Event], Any], *, bare: bool, is_terminal: bool
) -> LineFormat:
    """Create a format that shows the value of an expression as JSON.

    Args:
        select: Returns the value for an event.
        bare: Whether to write strings without quotes.
        is_terminal: Whether to make the text safe for a terminal.
    """

    def format_value(event: Event) -> bytes:
        value = select(event)
        if bare and isinstance(value, str):
            text = sanitize(value) if is_terminal else value
        else:
            text = _dump_json(value)
            text = sanitize_json(text) if is_terminal else text
        return f"{text}\n".encode(errors="replace")

    return LineFormat(format_value)


def _dump_json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # integers of more than 64 bits, lone surrogates
        return json.dumps(value, separators=(",", ":"))


class ColumnFormatter:
    """Formats events as padded columns of text, as wide as their longest text."""

    def __init__(
        self,
        columns: Sequence[Column] = COLUMNS,
        *,
        color: bool = False,
        ascii_only: bool = False,
        root_url: str | None = None,
        styles: Mapping[str, Style] = EVENT_STYLES,
    ) -> None:
        """Create a formatter.

        Args:
            columns: The columns, in order.
            color: Whether to color the event.
            ascii_only: Whether to replace symbols by ASCII characters.
            root_url: Root URL of the deployment, for links; None for no links.
            styles: The style of each kind of event.
        """
        self._columns = columns
        self._color = color
        self._ascii_only = ascii_only
        self._root_url = root_url
        self._styles = styles

    @property
    def line_format(self) -> LineFormat:
        """The format for a `LineRenderer`."""
        return LineFormat(self.format_event, self.format_gap)

    def format_heading(self) -> bytes:
        """Format the titles of the columns."""
        return self._encode(self._join([column.title for column in self._columns]))

    def format_event(self, event: Event) -> bytes:
        """Format an event."""
        texts = [column.text(event) for column in self._columns]
        urls = [find_link_target(column, event, self._root_url) for column in self._columns]
        line = self._join(texts, urls)
        if self._color:
            name = EVENT.text(event)
            style = get_event_style(event, self._styles).style
            line = line.replace(name, color_text(name, style), 1)
        return self._encode(line)

    def format_gap(self, gap: Gap) -> bytes:
        """Format a gap."""
        return self._encode(f"--- {describe_gap(gap)}")

    def _encode(self, line: str) -> bytes:
        return encode_text(f"{line}\n", ascii_only=self._ascii_only)

    def _join(self, texts: Sequence[str], urls: Sequence[str | None] = ()) -> str:
        cells = zip_longest(self.pad_row(texts), urls)
        return "".join(_link_cell(*cell) for cell in cells).rstrip()

    def pad_row(self, texts: Sequence[str]) -> list[str]:
        """Return the cells of a row, padded, each with the gap to the next one."""
        gap = " " * COLUMN_GAP
        return [
            (text.rjust if column.title == RUN.title else text.ljust)(column.width) + gap
            for text, column in zip(texts, self._columns, strict=True)
        ]


def _link_cell(cell: str, url: str | None) -> str:
    text = cell.strip()
    return cell.replace(text, format_link(text, url), 1) if url and text else cell


def color_text(text: str, style: str) -> str:
    """Color text for a terminal.

    Args:
        text: Without escape sequences.
        style: Words of `SGR_CODES`; empty for none.
    """
    codes = ";".join(SGR_CODES[name] for name in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text
