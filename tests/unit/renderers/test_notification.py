"""Notifications: no untrusted text gets out of them, and other terminals only ring."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcsniff.renderers.notification import format_notification


def test_each_terminal_finds_its_own_form() -> None:
    """The bell, iTerm2's, and urxvt's with a title of its own."""
    assert format_notification("task group x", "completed in 1 m") == (
        b"\a\x1b]9;task group x: completed in 1 m\x1b\\"
        b"\x1b]777;notify;task group x;completed in 1 m\x1b\\"
    )


@pytest.mark.parametrize("term", ["dumb", "linux"])
def test_a_terminal_without_a_desktop_rings(term: str) -> None:
    """It would print the rest."""
    assert format_notification("a", "b", term=term) == b"\a"


@given(st.text(), st.text())
def test_no_text_ends_a_notification_or_begins_another(title: str, text: str) -> None:
    """Labels are written by anyone who may create a task."""
    told = format_notification(title, text)

    assert re.fullmatch(
        rb"\a\x1b\]9;[^\x00-\x1f\x7f]*\x1b\\\x1b\]777;notify;[^\x00-\x1f\x7f;]*;[^\x00-\x1f\x7f;]*\x1b\\",
        told,
    )
    assert len(told) < 4_000
