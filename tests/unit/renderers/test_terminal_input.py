"""Keys, told apart from what else a terminal sends."""

from __future__ import annotations

import pytest

from tcsniff.renderers.terminal_input import split_keys


@pytest.mark.parametrize(
    ("text", "keys", "rest"),
    [
        ("q", "q", ""),
        ("a b\r?", "a b\r?", ""),
        ("\x1b[A\x1b[1;5Dq", "q", ""),  # arrow keys
        ("\x1bOPq", "q", ""),  # F1
        ("\x1b[15~ ", " ", ""),  # F5
        ("\x1bq?", "?", ""),  # Alt and q
        ("\x1b", "", ""),  # Esc
        ("?\x1b", "?", ""),
        ("?\x1b[", "?", "\x1b["),
        ("\x1b[1;", "", "\x1b[1;"),
        ("\x1bO", "", "\x1bO"),
        ("\x1b[?62;22cq", "q", ""),  # what the terminal is
        ("\x1b]11;rgb:0000/0000/0000\x1b\\q", "q", ""),  # its background
        ("\x1b]11;rgb:0000/0000/0000\aq", "q", ""),
        ("\x1b]11;rgb:00", "", "\x1b]11;rgb:00"),
        ("\x1bP>|tmux 3.4\x1b\\q", "q", ""),  # its version
        ("\x1b[<0;10;20Mq", "q", ""),  # the mouse
    ],
)
def test_escape_sequences_are_no_keys(text, keys, rest):
    """Those that are broken off wait for the rest."""
    assert split_keys(text) == (keys, rest)
