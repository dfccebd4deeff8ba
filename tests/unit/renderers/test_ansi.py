"""Rows of text with styles, as lines with escape sequences."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.style import Style
from rich.text import Text

from tcsniff.pulse.urls import format_link_parameters
from tcsniff.renderers.ansi import paint_lines

URL = "https://tc.example/tasks/fN1SbArXTPSVFNUvaOlinQ"
LINK_ID = re.compile(r"\x1b\]8;id=[0-9]+;")

styles = st.sampled_from(["", "bold", "dim", "red", "bold green", "on blue", Style(link=URL)])
words = st.text(st.sampled_from("ab \t\n│日…é\u2028"), max_size=12)


@st.composite
def rows(draw):
    """Rich text of several parts, each with its style, which may be nested."""
    text = Text(style=draw(styles))
    for part, style in draw(st.lists(st.tuples(words, styles), max_size=5)):
        text.append(part, style=style)
    for style in draw(st.lists(styles, max_size=2)):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        text.stylize(style, start, end)
    return text


def print_rows(texts, width, *, color):
    """Print rows with rich itself."""
    console = Console(
        width=width,
        height=25,
        color_system="standard" if color else None,
        no_color=not color,
        force_terminal=True,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    lines = []
    for text in texts:
        with console.capture() as captured:
            console.print(text, crop=True, no_wrap=True, overflow="ellipsis")
        lines += captured.get().splitlines()
    return [LINK_ID.sub(f"\x1b]8;{format_link_parameters(URL)};", line) for line in lines]


@pytest.mark.parametrize("color", [True, False])
@given(texts=st.lists(rows(), max_size=4), width=st.integers(1, 30))
def test_lines_are_those_that_rich_prints(color, texts, width):
    """Whatever the rows contain, and however narrow the screen is."""
    assert paint_lines(texts, width, color=color) == print_rows(texts, width, color=color)
