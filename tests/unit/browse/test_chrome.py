"""The lines around the rows of browse: what a narrow screen shows of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcsniff.browse.chrome import format_status_line, format_tab_line
from tcsniff.browse.keys import EVENTS, TABS
from tcsniff.renderers.stream import StreamStatus

STATUS = StreamStatus("demo", 82, 36.2, 0.1, 0.13, "scheduler gecko-level-3")
WIDTHS = st.integers(40, 250)


def format_status(width: int, status: StreamStatus = STATUS, note: str = "") -> str:
    return format_status_line(status, width, is_replay=False, failure="", note=note).plain


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (34, "tcsniff demo          ● live 36/s"),
        (40, "tcsniff demo      ● live 36/s  82 events"),
        (50, "tcsniff demo      ● live 36/s  82 events  lag 0.1 s"),
    ],
)
def test_a_part_of_the_status_is_whole_or_left_out(width: int, line: str) -> None:
    """No number is cut in its middle, where it would be another number."""
    assert format_status(width).split() == line.split()


@given(WIDTHS)
def test_a_message_is_readable_at_any_width(width: int) -> None:
    """It takes the place of how events arrive."""
    assert "no failure here" in format_status(width, note="no failure here")


@given(WIDTHS)
def test_a_lost_connection_is_shown_at_any_width(width: int) -> None:
    """Rates and counts make room for it."""
    line = format_status(width, STATUS._replace(notes=("reconnecting",)))

    assert line.endswith("  reconnecting")
    assert len(line) <= width


@given(WIDTHS)
def test_the_state_of_the_page_has_room(width: int) -> None:
    """The names of other tabs make room for it: their numbers are what one presses."""
    line, places = format_tab_line(EVENTS, "paused +312", width)

    assert line.plain.endswith("  paused +312")
    assert line.cell_len <= width
    assert "1 Events" in line.plain
    assert [line.plain[place.start + 1] for place in places] == [str(tab) for tab in TABS]
