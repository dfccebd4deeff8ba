"""Rich's renderables as lines of text with escape sequences."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from rich.text import Span, Text

from tcsniff.pulse.urls import format_link_parameters

_MAX_PAINTED = 1000  # rows that are kept
_HEIGHT = 25  # lines; not used, but without it rich takes 80 columns if TERM is dumb
_STYLED = re.compile(r"([^\x1b]*)(\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x1b]*\x1b\\)|\Z)")
_LINK = re.compile(r"\x1b\]8;[^;\x1b]*;([^\x1b]+)\x1b\\")


def paint_lines(rows: Iterable[Text], width: int, *, color: bool) -> list[str]:
    """Render rows as lines of at most `width` cells, with their escape sequences.

    Args:
        rows: Each may have several lines; lines are cut at the width.
        width: Of the screen, in cells.
        color: Whether to use colors.
    """
    return [
        line
        for row in rows
        for line in _paint_row(row.plain, row.style, tuple(row.spans), width, color=color)
    ]


# A row takes 60 µs, and most rows of a picture are those of the one before. The same by
# `Console.print`, which also looks for markup, measures and wraps, takes 190 µs.
@lru_cache(maxsize=_MAX_PAINTED)
def _paint_row(
    plain: str, style: str | Style, spans: tuple[Span, ...], width: int, *, color: bool
) -> list[str]:
    console = _make_console(width, color=color)
    # Rich forgets the style of a text that has no spans.
    row = Text(plain, spans=[Span(0, len(plain), style), *spans])
    if plain.isprintable():
        row.truncate(width, overflow="ellipsis")
    else:  # several lines, or tabs
        row = Text("\n").join(row.wrap(console, width, no_wrap=True, overflow="ellipsis"))
    colors = ColorSystem.STANDARD if color else None
    segments = row.render(console, end="\n")
    text = "".join(
        [(look or _PLAIN).render(part, color_system=colors) for part, look, _ in segments]
    )
    # Rich gives links random IDs; ours are the same in every picture, and for all
    # links to the same task.
    return _LINK.sub(_mark_link, text).splitlines()


def _mark_link(link: re.Match[str]) -> str:
    return f"\x1b]8;{format_link_parameters(link[1])};{link[1]}\x1b\\"


_PLAIN = Style.null()


@lru_cache(maxsize=8)
def _make_console(width: int, *, color: bool) -> Console:
    return Console(
        width=width,
        height=_HEIGHT,
        color_system="standard" if color else None,
        no_color=not color,  # otherwise rich would read NO_COLOR again
        force_terminal=True,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


def cut_line(line: str, width: int) -> str:
    """Shorten a line with escape sequences.

    Args:
        line: As `paint_lines` returns it.
        width: The maximum, in cells.
    """
    room, parts = width, []
    for text, sequence in _STYLED.findall(line):
        shown = text if cell_len(text) <= room else set_cell_size(text, room)
        room -= cell_len(shown)
        parts += [shown, sequence]
    return "".join(parts)


def join_words(text: str, style: str = "", url: str | None = None) -> Text:
    """Create rich text.

    Args:
        text: Safe for a terminal.
        style: A style of rich.
        url: The target of a link, from `tcsniff.pulse.urls`; None for no link.
    """
    styled = Text(text, style=style)
    if url is not None and text:
        styled.stylize(_make_link(url))  # not in the base style, which also fills padding
    return styled


@lru_cache(maxsize=_MAX_PAINTED)  # takes 10 µs, a third of a row
def _make_link(url: str) -> Style:
    return Style(link=url)
