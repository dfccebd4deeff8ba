"""What every terminal can show: symbols in ASCII, and colors on black and on white."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from rich.cells import cell_len

from paths import ROOT
from tcsniff.commands.wiring.make_renderer import is_ascii_only
from tcsniff.pulse.styles import EVENT_STYLES, STATE_STYLES
from tcsniff.renderers.columns import to_ascii

INPUT = {"sanitize.py", "addresses.py", "doctor.py"}
"""Modules whose odd characters are those of others, and are not shown."""
# Brighter than the others, or the background itself; bold makes yellow and green bright.
UNREADABLE = re.compile(r"\b(bright_\w+|white|black|bold (yellow|green|cyan))\b")


def list_texts(*folders: str) -> Iterator[tuple[str, str]]:
    """Yield the texts in the code of packages, without docstrings, with their files."""
    for folder in folders:
        for path in (ROOT / "tcsniff" / folder).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            docs = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
            for one in ast.walk(tree):
                is_text = isinstance(one, ast.Constant) and isinstance(one.value, str)
                if is_text and id(one) not in docs:
                    yield path.name, one.value


def test_every_symbol_has_one_in_ascii() -> None:
    """Of the same width, so that columns stay columns."""
    symbols = {
        character
        for name, text in list_texts(".")
        if name not in INPUT
        for character in text
        if not character.isascii()
    }

    assert {"✔", "▸", "↑"} <= symbols
    assert [one for one in symbols if not to_ascii(one).isascii()] == []
    assert [one for one in symbols if cell_len(one) != cell_len(to_ascii(one))] == []


def test_no_color_is_lost_on_a_light_or_dark_terminal() -> None:
    """Nothing is white, black or bright."""
    texts = {text for _, text in list_texts("renderers", "browse") if len(text) < 40}
    styles = {style.style for style in (*STATE_STYLES.values(), *EVENT_STYLES.values())}

    assert {"bold red", "dim"} <= texts | styles
    assert [text for text in texts | styles if UNREADABLE.search(text)] == []


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm-256color", "LANG": "C.UTF-8"}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "linux"}, False),  # not a terminal here
    ],
)
def test_symbols_are_the_rule(environment: dict[str, str], expected: bool) -> None:
    """Also where no locale is set, as in many containers: nobody has asked for ASCII."""
    assert is_ascii_only(environment) is expected


def test_signs_beside_each_other_differ_in_ascii() -> None:
    """Whether a kind is open is not taken for the state of its tasks."""
    states = {to_ascii(style.symbol) for style in STATE_STYLES.values()}

    assert len(states) == len(STATE_STYLES)
    assert not states & set(to_ascii("▸▾"))
