"""Messages as indented, highlighted JSON, in lines that are safe for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson
from rich.text import Text

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.records import decode_body
from tcsniff.sanitize import sanitize, sanitize_json

_MAX_LINE = 2_000  # characters of a line that are drawn
_MAX_HEX = 4_096  # bytes of a body that is not JSON
_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*"(?=:))|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>-?[0-9][0-9.eE+-]*)|(?P<word>true|false|null)"
)
_STYLES = {"key": "blue", "text": "green", "number": "cyan", "word": "magenta"}
_HEX_ROW = 16


def format_json_lines(delivery: Delivery, limit: int = 10_000) -> list[Text]:
    """Return a message as lines, at most `limit`: where it was published, and its body."""
    lines = [
        _format_head("exchange", delivery.exchange),
        _format_head("routing key", delivery.routing_key),
        *(_format_head("cc", key) for key in delivery.cc or ()),
        _format_head("received", delivery.received or "unknown"),
    ]
    for line in _list_body_lines(delivery.body):
        if len(lines) >= limit:
            break
        lines.append(line)
    return lines[:limit]


def _format_head(name: str, value: str) -> Text:
    return Text().append(f"{name} ", style="dim").append(sanitize(value[:_MAX_LINE]), style="bold")


def _list_body_lines(body: bytes) -> Iterator[Text]:
    value, error = decode_body(body)
    if error is not None:
        yield Text(f"{len(body):,} bytes, {sanitize(error)}", style="yellow")
        yield from _list_hex_lines(body)
        return
    try:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except TypeError:  # integers of more than 64 bits
        text = body.decode(errors="replace")
    for line in text.splitlines():
        yield highlight_json(sanitize_json(line[:_MAX_LINE]))


def highlight_json(line: str) -> Text:
    """Color the tokens of a line of JSON, which must be safe for a terminal."""
    text = Text()
    end = 0
    for token in _TOKEN.finditer(line):
        text.append(line[end : token.start()])
        text.append(token[0], style=_STYLES[token.lastgroup or "word"])
        end = token.end()
    return text.append(line[end:])


def _list_hex_lines(body: bytes) -> Iterator[Text]:
    for start in range(0, min(len(body), _MAX_HEX), _HEX_ROW):
        part = body[start : start + _HEX_ROW]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        yield Text(f"{start:06x}  {part.hex(' '):<47}  {shown}")
    if len(body) > _MAX_HEX:
        yield Text(f"… and {len(body) - _MAX_HEX:,} more bytes", style="dim")
