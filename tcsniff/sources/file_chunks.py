"""Files in chunks: plain or compressed, complete or still growing."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from tcsniff.errors import RecordingError
from tcsniff.sources.wakeup import WakeUp

CHUNK = 1 << 20  # bytes read at a time
PAUSE = 0.25  # seconds between two checks of a file that grows
MAX_BYTES = 1 << 29  # of a file that is read as a whole
STANDARD_INPUT = "-"

_GZIP_MAGIC = b"\x1f\x8b\x08"  # the start of each member of a compressed file: RFC 1952
_GZIP_WBITS = 31  # zlib's number for that format
_SEARCH_BACK = 1 << 16  # bytes before the damage in which the next member may start

Notify = Callable[[str], None]
"""Receives a message for the user."""


def open_input(path: str) -> BinaryIO:
    """Open a file; ``-`` is standard input.

    Raises:
        RecordingError: If it cannot be opened.
    """
    if path == STANDARD_INPUT:
        return os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    try:
        # Unbuffered: a read returns what is there, also from a pipe.
        return Path(path).open("rb", buffering=0)
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from error


def read_whole(path: str, notify: Notify, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Read a file to its end, decompressed if it is compressed.

    Args:
        path: Its name; ``-`` is standard input.
        notify: Receives a message about damage that was skipped.
        max_bytes: The largest size, decompressed.

    Raises:
        RecordingError: If it cannot be read, or is larger.
    """
    chunks = []
    left = max_bytes
    with open_input(path) as file:
        for chunk in read_chunks(path, file, notify, WakeUp(), None):
            chunks.append(chunk)
            left -= len(chunk)
            if left < 0:
                raise RecordingError(f"{path}: larger than {max_bytes >> 20:,} MiB")
    return b"".join(chunks)


def read_chunks(
    path: str,
    file: BinaryIO,
    notify: Notify,
    wake_up: WakeUp,
    wait: Callable[[float], object] | None,
) -> Iterator[bytes]:
    """Read a file, decompressed if it is compressed.

    Args:
        path: Its name.
        file: The open file.
        notify: Receives a message about damage that was skipped.
        wake_up: Ends the wait for a pipe that is silent.
        wait: Waits for seconds at the end of a file that grows; None to stop
            there.

    Yields:
        The next bytes; empty while there are none.

    Raises:
        RecordingError: If it cannot be read.
    """
    raw = _read_raw(path, file, notify, wake_up, wait)
    first = b""
    for first in raw:
        if first:
            break
        yield b""
    if first.startswith(_GZIP_MAGIC):
        yield from _decompress(path, first, raw, notify)
    else:
        yield first
        yield from raw


def _read_raw(
    path: str,
    file: BinaryIO,
    notify: Notify,
    wake_up: WakeUp,
    wait: Callable[[float], object] | None,
) -> Iterator[bytes]:
    while True:
        try:
            if not file.seekable() and not wake_up.wait(PAUSE, file):
                if wake_up.is_triggered:
                    return
                yield b""
                continue
            chunk = file.read(CHUNK)
            if wait is not None and not chunk and _is_truncated(file):
                notify(f"{path}: the file was truncated; reading it from its start")
                file.seek(0)
                chunk = b"\n"  # ends an incomplete line
        except OSError as error:
            raise RecordingError(f"{path}: {error.strerror}") from error
        if not chunk and wait is None:
            return
        yield chunk
        if not chunk and wait is not None:
            wait(PAUSE)


def _is_truncated(file: BinaryIO) -> bool:
    return file.seekable() and os.fstat(file.fileno()).st_size < file.tell()


def _decompress(path: str, first: bytes, raw: Iterator[bytes], notify: Notify) -> Iterator[bytes]:
    # A file may have several members: one for each time that it was appended to.
    member = zlib.decompressobj(wbits=_GZIP_WBITS)
    consumed = b""  # the last bytes that this member has consumed
    data: bytes | None = first
    while data is not None:
        before = member.copy()
        try:
            yield member.decompress(data, CHUNK)
            rest = member.unconsumed_tail  # would decompress to more than a chunk
            consumed = (consumed + data[: len(data) - len(rest)])[-_SEARCH_BACK:]
            data = rest or member.unused_data
        except zlib.error as error:
            notify(f"{path}: skipped damage in the compressed data: {error}")
            # The line break ends a torn line before the next member.
            yield _decompress_until_damage(before, data) + b"\n"
            data = _find_next_member(consumed + data, raw)
            consumed, member = b"", zlib.decompressobj(wbits=_GZIP_WBITS)
        if member.eof:
            consumed, member = b"", zlib.decompressobj(wbits=_GZIP_WBITS)
        if not data:
            data = next(raw, None)
    if consumed:
        yield member.flush()
        notify(f"{path}: the compressed data is incomplete")


def _find_next_member(data: bytes, raw: Iterator[bytes]) -> bytes | None:
    # A torn member may consume the start of the next one before the damage shows.
    at = data.find(_GZIP_MAGIC, 1)
    while at < 0:
        chunk = next(raw, None)
        if chunk is None:
            return None
        data = data[-len(_GZIP_MAGIC) :] + chunk
        at = data.find(_GZIP_MAGIC, 1)
    return data[at:]


def _decompress_until_damage(member: Any, data: bytes) -> bytes:
    # Byte by byte, since zlib returns nothing from a call that fails.
    plain = bytearray()
    try:
        for at in range(len(data)):
            plain += member.decompress(data[at : at + 1])
    except zlib.error:
        pass
    return bytes(plain)
