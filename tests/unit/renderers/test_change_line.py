"""A change of a task as a line: what is shown of it at which width."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tcsniff.renderers.graph.change_line import format_change

NAME = "test-linux1804-64-qr/opt-mochitest-browser-chrome-3"
CHANGE: dict[str, Any] = {
    "time": "2026-11-23T18:00:03.000Z",
    "taskId": "WTRHGgi7TNaxn5lBTOzXTg",
    "label": NAME,
    "pool": "gecko-t/t-linux-large",
    "state": "failed",
    "run": 1,
    "reason": "failed",
    "worker": "us-east-1 i-77f0aa1279d741533",
    "log": "https://tc.example.com/live.log",
}
NAMES = st.text("ab-/1日é\u0301👍\n\x1b[", max_size=80)


def show(width: int | None, **other: object) -> str:
    return format_change(CHANGE | other, width, color=False, utc=True)


@pytest.mark.parametrize(
    ("width", "after_name"),
    [
        (80, ""),
        (90, "run 1"),
        (105, "run 1   gecko-…-linux-large"),
        (130, "run 1   gecko-t/t-linux-large  us-eas…0aa1279d741533"),
        (150, "run 1   gecko-t/t-linux-large  us-east-1 i-77f0aa1279d741533"),
    ],
)
def test_the_name_has_the_room_first(width: int, after_name: str) -> None:
    """Then come the run, the pool and the worker; an address is shown whole or not at all."""
    assert show(width) == f"18:00:03  ✖ failed       {NAME}  {after_name}".rstrip()


def test_a_name_is_shortened_in_the_middle() -> None:
    """So that its chunk stays."""
    assert show(40).endswith("…r-chrome-3")


@given(st.integers(40, 250), NAMES, NAMES, NAMES)
def test_a_line_is_a_row_of_the_screen(width: int, name: str, pool: str, worker: str) -> None:
    """Whatever the names, in cells; and a wider screen shows no less of the task's name."""
    lines = [
        show(cells, state=pool, label=name or None, pool=pool, worker=worker)
        for cells in (width, width + 1)
    ]

    for cells, line in zip((width, width + 1), lines, strict=True):
        assert cell_len(line) <= cells
        assert "\n" not in line
        assert "\x1b" not in line


def test_a_pipe_gets_everything() -> None:
    """Without limits, as nobody looks at it there."""
    assert show(None).endswith("  us-east-1 i-77f0aa1279d741533  https://tc.example.com/live.log")
