"""A limit for the size of WebSocket messages, without losing the connection.

Pure. websockets closes the connection when a message is too large.
"""

from __future__ import annotations

from typing import NamedTuple

# RFC 6455, section 5.2.
_FINAL = 0x80
_OPCODE = 0x0F
_CONTINUATION = 0x0
_FIRST_CONTROL = 0x8
_SHORT, _LONG = 126, 127  # lengths that announce 2 or 8 bytes with the length
_MAX_TAIL = 1 << 12  # bytes


class SkippedMessage(NamedTuple):
    """A message that was too large.

    Attributes:
        size: Bytes.
        tail: Its last bytes, at most 4 KiB.
    """

    size: int
    tail: bytes


class FrameLimit:
    """Copies a server's WebSocket frames, but empties those of messages that are too large.

    Only the header of such a frame is copied, with a length of 0, and its data is thrown
    away as it arrives. Frames are neither masked nor compressed.
    """

    def __init__(self, max_size: int) -> None:
        """Create a limit for the bytes of one message, in all of its frames."""
        self._max_size = max_size
        self._header = bytearray()  # of a frame, as far as it has arrived
        self._left = 0  # bytes of the frame that have not arrived
        self._is_skipped = False  # whether the frame's data is thrown away
        self._size = 0  # of the message so far
        self._is_final = True  # whether the frame is the last one of its message
        self._tail = bytearray()
        self._skipped: list[SkippedMessage] = []

    def filter_data(self, data: bytes) -> bytes:
        """Return what is left of received data."""
        kept: list[bytes | memoryview] = []
        view, at = memoryview(data), 0
        while at < len(view):
            if self._left:
                part = view[at : at + self._left]
                self._add_data(part, kept)
            else:
                missing = _measure_header(self._header) - len(self._header)
                part = view[at : at + missing]
                self._header += part
                if len(self._header) == _measure_header(self._header):
                    kept.append(self._start_frame())
            at += len(part)
        return b"".join(kept)

    def pop_skipped(self) -> list[SkippedMessage]:
        """Return the messages that were skipped since the last call."""
        skipped, self._skipped = self._skipped, []
        return skipped

    def _start_frame(self) -> bytes:
        header, self._header = bytes(self._header), bytearray()
        length = header[1] & 0x7F
        self._left = int.from_bytes(header[2:]) if length >= _SHORT else length
        opcode = header[0] & _OPCODE
        if opcode >= _FIRST_CONTROL:
            self._is_skipped = False
            return header
        if opcode != _CONTINUATION:
            self._size = 0
        self._size += self._left
        self._is_final = bool(header[0] & _FINAL)
        self._is_skipped = self._size > self._max_size
        if not self._is_skipped:
            return header
        if not self._left:
            self._finish_skipped()
        return bytes([header[0], 0])

    def _add_data(self, part: memoryview, kept: list[bytes | memoryview]) -> None:
        self._left -= len(part)
        if not self._is_skipped:
            kept.append(part)
            return
        self._tail += part[-_MAX_TAIL:]
        del self._tail[:-_MAX_TAIL]
        if not self._left:
            self._finish_skipped()

    def _finish_skipped(self) -> None:
        if self._is_final:
            self._skipped.append(SkippedMessage(self._size, bytes(self._tail)))
            self._tail.clear()


def _measure_header(header: bytearray) -> int:
    # The whole length of a header of which the first bytes are known.
    if len(header) < 2:
        return 2
    return {_SHORT: 4, _LONG: 10}.get(header[1] & 0x7F, 2)
