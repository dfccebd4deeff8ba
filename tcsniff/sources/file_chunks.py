"""Files in chunks: plain or compressed, complete or still growing."""

from __future__ import annotations

import os
import stat
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

_BOM = b"\xef\xbb\xbf"  # the byte order mark that some Windows programs write first
_SEPARATOR = b"\x1e"  # before each record of a JSON text sequence: RFC 7464
_OTHER_FORMATS = {
    b"\x28\xb5\x2f\xfd": "compressed by zstd; to read it: zstd -dc {path} | tcsniff --from -",
    b"\xfd7zXZ\x00": "compressed by xz; to read it: xz -dc {path} | tcsniff --from -",
    b"BZh": "compressed by bzip2; to read it: bzip2 -dc {path} | tcsniff --from -",
    b"\x04\x22\x4d\x18": "compressed by lz4; to read it: lz4 -dc {path} | tcsniff --from -",
    b"PK\x03\x04": "a ZIP archive; to read it: unzip -p {path} | tcsniff --from -",
    b"\xff\xfe": "UTF-16; to read it: iconv -f UTF-16 -t UTF-8 {path} | tcsniff --from -",
    b"\xfe\xff": "UTF-16; to read it: iconv -f UTF-16 -t UTF-8 {path} | tcsniff --from -",
}
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
    """Read a file as text, decompressed if it is compressed.

    Byte order marks and the separators of JSON text sequences (RFC 7464) are removed.

    Args:
        path: Its name.
        file: The open file.
        notify: Receives a message about damage that was skipped.
        wake_up: Ends the wait for a pipe that is silent.
        wait: Waits for seconds at the end of a file that grows; None to stop
            there. A file that is truncated, or replaced by another one of its name,
            is read from its start.

    Yields:
        The next bytes; empty while there are none.

    Raises:
        RecordingError: If it cannot be read.
    """
    reader = _RawReader(path, file, notify, wake_up, wait)
    try:
        while True:
            is_start = True
            for chunk in _decompress_if_needed(path, reader.read(), notify):
                if is_start and chunk:
                    _check_format(path, chunk)
                    chunk = chunk.removeprefix(_BOM)  # noqa: PLW2901
                    is_start = False
                if _SEPARATOR in chunk:
                    chunk = chunk.replace(_SEPARATOR, b"")  # noqa: PLW2901
                # Of files that were joined. One byte is found 20 times as fast as four.
                if _BOM[:1] in chunk and b"\n" + _BOM in chunk:
                    chunk = chunk.replace(b"\n" + _BOM, b"\n")  # noqa: PLW2901
                yield chunk
            if not reader.has_next_file:
                return
            yield b"\n"  # ends an incomplete line
    finally:
        reader.close()


def _check_format(path: str, start: bytes) -> None:
    for magic, reason in _OTHER_FORMATS.items():
        if start.startswith(magic):
            name = "" if path == STANDARD_INPUT else path
            raise RecordingError(f"{path}: {reason.format(path=name)}".replace("  ", " "))


def _decompress_if_needed(path: str, raw: Iterator[bytes], notify: Notify) -> Iterator[bytes]:
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


class _RawReader:
    # The bytes of a file, and of those that take its place while it is followed.

    def __init__(
        self,
        path: str,
        file: BinaryIO,
        notify: Notify,
        wake_up: WakeUp,
        wait: Callable[[float], object] | None,
    ) -> None:
        self.has_next_file = False  # whether `read` has ended because there is more to read
        self._path = path
        self._file = file
        self._notify = notify
        self._wake_up = wake_up
        self._wait = wait
        self._own_file: BinaryIO | None = None  # opened here
        self._is_gone = False

    def close(self) -> None:
        if self._own_file is not None:
            self._own_file.close()

    def read(self) -> Iterator[bytes]:
        self.has_next_file = False
        while True:
            try:
                if not self._file.seekable() and not self._wake_up.wait(PAUSE, self._file):
                    if self._wake_up.is_triggered:
                        return
                    yield b""
                    continue
                chunk = self._file.read(CHUNK)
                if not chunk and (self._wait is None or self._find_next_file()):
                    return
            except OSError as error:
                raise RecordingError(f"{self._path}: {error.strerror}") from error
            yield chunk
            if not chunk and self._wait is not None:
                self._wait(PAUSE)

    def _find_next_file(self) -> bool:
        if not self._file.seekable():
            return False
        own = os.fstat(self._file.fileno())
        try:
            named = None if self._path == STANDARD_INPUT else Path(self._path).stat()
        except OSError:
            if not self._is_gone:
                self._is_gone = True
                self._notify(f"{self._path}: the file is gone; waiting for a new one")
            return False
        if named is not None and stat.S_ISREG(named.st_mode) and not os.path.samestat(own, named):
            # Before a message, since the file may disappear again.
            self.close()
            self._file = self._own_file = Path(self._path).open("rb", buffering=0)  # noqa: SIM115
            self._notify(f"{self._path}: the file was replaced; following the new one")
            self._is_gone = False
            self.has_next_file = True
        elif own.st_size < self._file.tell():
            self._notify(f"{self._path}: the file was truncated; reading it from its start")
            self._file.seek(0)
            self.has_next_file = True
        return self.has_next_file


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
