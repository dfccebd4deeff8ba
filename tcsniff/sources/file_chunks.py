"""Files in chunks: plain or compressed, whole or still growing."""

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
PAUSE = 0.25  # seconds between two looks at a file that grows
MOST = 1 << 29  # bytes of a file that is taken in whole
STANDARD_INPUT = "-"

_MEMBER = b"\x1f\x8b\x08"  # how each part of a compressed file begins: RFC 1952
_GZIP = 31  # zlib's word for that format
_LOOK_BACK = 1 << 16  # bytes in which the beginning of a member is looked for

Notify = Callable[[str], None]
"""Takes what a person should know."""


def open_input(path: str) -> BinaryIO:
    """Open a file.

    Args:
        path: Its name; ``-`` is standard input.

    Raises:
        RecordingError: If it cannot be opened.
    """
    if path == STANDARD_INPUT:
        return os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    try:
        # Not buffered: a chunk is all that is there, also of a pipe.
        return Path(path).open("rb", buffering=0)
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from error


def read_whole(path: str, notify: Notify, *, most: int = MOST) -> bytes:
    """Read a file to its end, decompressed if it is compressed.

    Args:
        path: Its name; ``-`` is standard input.
        notify: Is told of damage that was passed over.
        most: How many bytes it may have, decompressed.

    Raises:
        RecordingError: If it cannot be read, or has more.
    """
    parts = []
    left = most
    with open_input(path) as file:
        for part in read_chunks(path, file, notify, WakeUp(), None):
            parts.append(part)
            left -= len(part)
            if left < 0:
                raise RecordingError(f"{path}: larger than {most >> 20:,} MiB")
    return b"".join(parts)


def read_chunks(
    path: str,
    file: BinaryIO,
    notify: Notify,
    alarm: WakeUp,
    wait: Callable[[float], object] | None,
) -> Iterator[bytes]:
    """Read a file, decompressed if it is compressed.

    Args:
        path: Its name.
        file: The same, opened.
        notify: Is told of damage that was passed over.
        alarm: Ends the reading of a pipe in which nothing comes.
        wait: Waits for so many seconds, at the end of a file that grows; None
            to end there.

    Yields:
        What follows; empty if nothing more is there yet.

    Raises:
        RecordingError: If it cannot be read.
    """
    raw = _raw(path, file, notify, alarm, wait)
    first = b""
    for first in raw:
        if first:
            break
        yield b""
    if first.startswith(_MEMBER):
        yield from _decompressed(path, first, raw, notify)
    else:
        yield first
        yield from raw


def _raw(
    path: str,
    file: BinaryIO,
    notify: Notify,
    alarm: WakeUp,
    wait: Callable[[float], object] | None,
) -> Iterator[bytes]:
    while True:
        try:
            if not file.seekable() and not alarm.wait(PAUSE, file):
                if alarm.rung:
                    return
                yield b""
                continue
            chunk = file.read(CHUNK)
            if wait is not None and not chunk and _was_cut(file):
                notify(f"{path}: the file was cut; reading it from its start")
                file.seek(0)
                chunk = b"\n"  # the end of a line that was not whole
        except OSError as error:
            raise RecordingError(f"{path}: {error.strerror}") from error
        if not chunk and wait is None:
            return
        yield chunk
        if not chunk and wait is not None:
            wait(PAUSE)


def _was_cut(file: BinaryIO) -> bool:
    return file.seekable() and os.fstat(file.fileno()).st_size < file.tell()


def _decompressed(
    path: str, first: bytes, raw: Iterator[bytes], notify: Notify
) -> Iterator[bytes]:
    # A file may have several members: one for each time that it was written to.
    member = zlib.decompressobj(wbits=_GZIP)
    eaten = b""  # what this member was given last
    data: bytes | None = first
    while data is not None:
        before = member.copy()
        try:
            yield member.decompress(data, CHUNK)
            rest = member.unconsumed_tail  # what would have made more than a chunk
            eaten = (eaten + data[: len(data) - len(rest)])[-_LOOK_BACK:]
            data = rest or member.unused_data
        except zlib.error as error:
            notify(f"{path}: damage in the compressed data passed over: {error}")
            yield _salvaged(before, data) + b"\n"  # what follows is no part of a torn line
            data = _next_member(eaten + data, raw)
            eaten, member = b"", zlib.decompressobj(wbits=_GZIP)
        if member.eof:
            eaten, member = b"", zlib.decompressobj(wbits=_GZIP)
        if not data:
            data = next(raw, None)
    if eaten:
        yield member.flush()
        notify(f"{path}: the compressed data ends in the middle")


def _next_member(data: bytes, raw: Iterator[bytes]) -> bytes | None:
    # A torn member may swallow the beginning of the next before it shows.
    at = data.find(_MEMBER, 1)
    while at < 0:
        more = next(raw, None)
        if more is None:
            return None
        data = data[-len(_MEMBER) :] + more
        at = data.find(_MEMBER, 1)
    return data[at:]


def _salvaged(member: Any, data: bytes) -> bytes:
    # All up to the damage, byte by byte, as zlib keeps nothing of a call that fails.
    plain = bytearray()
    try:
        for at in range(len(data)):
            plain += member.decompress(data[at : at + 1])
    except zlib.error:
        pass
    return bytes(plain)
