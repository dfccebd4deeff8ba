"""One readable line an event, for scrollback and logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from tcsniff.clickable import target
from tcsniff.columns import (
    COLUMNS,
    EVENT,
    RUN,
    Column,
    gap_text,
    plain,
)
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.pulse.styles import LOOKS, STYLES, Look, look_of
from tcsniff.pulse.urls import linked
from tcsniff.renderers.output import Output


class LinesRenderer:
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
        looks: Mapping[str, Look] = LOOKS,
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
            looks: How events look.
        """
        self._output = output
        self._columns = columns
        self._colour = colour
        self._ascii_only = ascii_only
        self._root_url = root_url
        self._looks = looks
        self._lines = [self._joined([column.title for column in columns])] if heading else []

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        self._lines += [self._line(event) for event in events]

    def gap(self, gap: Gap) -> None:
        """Take a gap in."""
        self._lines.append(f"--- {gap_text(gap)}")

    def flush(self) -> None:
        """Write what was taken in."""
        if not self._lines:
            self._output.check()
            return
        text = "".join(f"{line}\n" for line in self._lines)
        self._lines = []
        self._output.write((plain(text) if self._ascii_only else text).encode(errors="replace"))

    def close(self) -> None:
        """Nothing is left to do."""

    def _line(self, event: Event) -> str:
        texts = [column.text(event) for column in self._columns]
        urls = [target(column, event, self._root_url) for column in self._columns]
        line = self._joined(texts, urls)
        if not self._colour:
            return line
        what = EVENT.text(event)
        return line.replace(what, coloured(what, look_of(event, self._looks).style), 1)

    def _joined(self, texts: Sequence[str], urls: Sequence[str | None] = ()) -> str:
        parts = zip_longest(texts, self._columns, urls)
        return "  ".join(_padded(text, column, url) for text, column, url in parts).rstrip()


def _padded(text: str, column: Column, url: str | None) -> str:
    fill = " " * (column.width - len(text))
    text = linked(text, url)
    return fill + text if column.title == RUN.title else text + fill


def coloured(text: str, style: str) -> str:
    """Colour text for a terminal.

    Args:
        text: Without escape sequences.
        style: Of `columns.Look`; empty for none.
    """
    codes = ";".join(STYLES[name] for name in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text
