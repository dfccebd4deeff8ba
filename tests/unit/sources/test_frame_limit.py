"""Large WebSocket messages are emptied, whatever the pieces in which they arrive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from tcsniff.sources.frame_limit import FrameLimit

LIMIT = 200


def encode(opcode, data, *, fin=True):
    return Frame(opcode, data, fin).serialize(mask=False)


@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 90_000), min_size=1, max_size=3), st.booleans()),
        max_size=5,
    ),
    st.lists(st.integers(1, 70_000), min_size=1, max_size=5),
)
def test_small_messages_are_copied_and_large_ones_emptied(messages, cuts):
    """In one frame or several, with a ping between, cut anywhere."""
    data, expected, skipped = b"", b"", []
    for sizes, has_ping in messages:
        total = 0
        for number, size in enumerate(sizes):
            fin = number == len(sizes) - 1
            opcode = Opcode.CONT if number else Opcode.TEXT
            frame = encode(opcode, b"x" * size, fin=fin)
            total += size
            data += frame
            expected += frame if total <= LIMIT else encode(opcode, b"", fin=fin)
            if has_ping:
                ping = encode(Opcode.PING, b"p")
                data, expected = data + ping, expected + ping
        if total > LIMIT:
            skipped.append(total)

    limit, kept, at = FrameLimit(LIMIT), b"", 0
    while at < len(data):
        size = cuts[at % len(cuts)]
        kept += limit.filter_data(data[at : at + size])
        at += size

    assert kept == expected
    assert [one.size for one in limit.pop_skipped()] == skipped
    assert limit.pop_skipped() == []


@pytest.mark.parametrize("size", [LIMIT + 1, 1 << 20])
def test_the_end_of_a_skipped_message_is_kept(size):
    """The exchange stands there."""
    limit = FrameLimit(LIMIT)

    limit.filter_data(encode(Opcode.TEXT, b"x" * size + b"the end"))

    (skipped,) = limit.pop_skipped()
    assert skipped.tail.endswith(b"the end")
    assert len(skipped.tail) <= 4096
