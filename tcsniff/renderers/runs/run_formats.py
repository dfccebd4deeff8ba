"""Rows of runs as JSON, CSV or TSV lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

import orjson

from tcsniff.renderers.lines import escape_json
from tcsniff.sanitize import sanitize
from tcsniff.stats.run_ledger import RunRow

_COMPUTED = ("=", "+", "-", "@", "\t", "\r")  # how a spreadsheet recognises a formula


class RowFormat(NamedTuple):
    """How to format rows as lines, each with its line feed.

    Attributes:
        format_row: Formats a row.
        heading: The first line; empty for none.
        escape: Makes a line safe for a terminal; None if it is safe.
    """

    format_row: Callable[[RunRow], bytes]
    heading: bytes = b""
    escape: Callable[[bytes], bytes] | None = None


def format_json(row: RunRow) -> bytes:
    """Format a row as a JSON object."""
    return orjson.dumps(row._asdict(), option=orjson.OPT_APPEND_NEWLINE)


def make_csv_format() -> RowFormat:
    """Create a format by RFC 4180: commas, quotes, CRLF, a heading."""
    return _make_table_format(",", "\r\n")


def make_tsv_format() -> RowFormat:
    """Create a format like CSV, with tabs and line feeds."""
    return _make_table_format("\t", "\n")


def _make_table_format(delimiter: str, end: str) -> RowFormat:
    def format_cells(cells: Sequence[object]) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter).writerow(cells)  # by CRLF, it quotes both
        return f"{text.getvalue()[:-2]}{end}".encode(errors="replace")

    def format_row(row: RunRow) -> bytes:
        return format_cells([_format_cell(value) for value in row])

    def escape(line: bytes) -> bytes:
        cells = line.decode().removesuffix(end).split(delimiter)
        return delimiter.join(map(sanitize, cells)).encode() + b"\n"

    return RowFormat(format_row, format_cells(RunRow._fields), escape)


def _format_cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    # A formula in a name that anyone can write would be computed where the file is opened.
    is_formula = isinstance(value, str) and value.startswith(_COMPUTED)
    return f"'{value}" if is_formula else value


ROW_FORMATS: dict[str, Callable[[], RowFormat]] = {
    "json": lambda: RowFormat(format_json, escape=escape_json),
    "csv": make_csv_format,
    "tsv": make_tsv_format,
}
"""The formats for programs, by value of ``--format``."""
