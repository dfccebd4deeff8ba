"""Room on a screen: shares of columns, and text shortened to fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tcsniff.renderers.widths import COLUMN_GAP, Need, pad_text, share_cells, shorten_text
from tcsniff.sanitize import sanitize

NAME = "test-linux1804-64-qr/opt-web-platform-tests-wdspec-headless-12"
TEXTS = st.text(st.sampled_from("ab-/日\u0301\x1b"), max_size=40)
NEEDS = st.lists(st.builds(Need, st.integers(0, 30), st.integers(1, 10)), max_size=6)


@pytest.mark.parametrize(
    ("room", "text"),
    [
        (62, NAME),
        (61, "test-linux1804-64-…/opt-web-platform-tests-wdspec-headless-12"),
        (51, "test-lin…/opt-web-platform-tests-wdspec-headless-12"),
        (40, "test-lin…atform-tests-wdspec-headless-12"),
        (12, "tes…dless-12"),
        (2, "…2"),
        (1, "…"),
        (0, ""),
    ],
)
def test_a_name_is_shortened_where_it_says_least(room, text):
    """Variant, suite and chunk stay, and of the platform as much as there is room for."""
    assert shorten_text(NAME, room) == text


@given(text=TEXTS, room=st.integers(0, 50))
def test_shortened_text_fits_and_is_safe(text, room):
    """Text that fits is whole; padded text is exactly as wide as asked for."""
    shortened = shorten_text(text, room)

    assert cell_len(shortened) <= room
    assert cell_len(pad_text(text, room)) == room
    assert "\x1b" not in shortened
    if cell_len(sanitize(text)) <= room:
        assert shortened == sanitize(text)


@given(room=st.integers(0, 120), needs=NEEDS)
def test_shares_fit_and_are_what_is_needed_if_there_is_room(room, needs):
    """No column has more than it needs, or less than its minimum, unless it is left out."""
    shares = share_cells(room, needs)

    assert sum(share + COLUMN_GAP for share in shares if share) <= room
    for share, need in zip(shares, needs, strict=True):
        assert share == 0 or min(need.cells, need.min_cells) <= share <= need.cells
    if sum(need.cells + COLUMN_GAP for need in needs if need.cells) <= room:
        assert shares == [need.cells for need in needs]
