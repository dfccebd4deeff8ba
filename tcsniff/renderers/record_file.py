"""The file of a recording: locked, perhaps compressed, and opened anew when it is rotated."""

from __future__ import annotations

import fcntl
import os
import stat
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tcsniff.errors import OutputError
from tcsniff.renderers.output import write_some
from tcsniff.renderers.output_files import open_for_writing

_GZIP_FORMAT = 31  # for zlib's `wbits`
_NAME_INTERVAL = 1.0  # seconds between two checks whether the name still leads to the file


class RecordFile:
    """A file to which whole lines are appended.

    After every `append` the file holds whole lines, compressed or not. If another
    program renames or removes it, as for log rotation, `follow_name` opens the name again.
    """

    def __init__(self, path: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Open the file.

        Args:
            path: A name that ends in ``.gz`` makes a compressed file.
            clock: Returns the time in seconds.

        Raises:
            OutputError: If it cannot be opened, or another process records to it.
        """
        self._path = path
        self._clock = clock
        self._next_check = clock() + _NAME_INTERVAL
        self._is_broken = False
        self._is_regular = False
        self._descriptor = -1  # closed
        self._size = 0  # after the last write
        self._compressor = zlib.compressobj(wbits=_GZIP_FORMAT) if path.endswith(".gz") else None
        with self._explain_failures():
            self._open()

    def append(self, data: bytes) -> None:
        """Append whole lines.

        Raises:
            OutputError: If they cannot be written, for example on a full disk.
        """
        with self._explain_failures():
            self._write(self._compress(data))

    def follow_name(self) -> None:
        """Open the name again if it leads to another file, or to none; at most once a second.

        Raises:
            OutputError: If it cannot be opened.
        """
        if not self._is_regular or (now := self._clock()) < self._next_check:
            return
        self._next_check = now + _NAME_INTERVAL
        with self._explain_failures():
            own = os.fstat(self._descriptor)
            if not _leads_to(self._path, own):
                self._finish()
                self._restart_compression()
                self._open()
            elif own.st_size < self._size:
                # Truncated: the rest of a compressed member can't be read without its start.
                self._restart_compression()

    def close(self) -> None:
        """Close the file.

        Raises:
            OutputError: If the end of the compressed data cannot be written.
        """
        with self._explain_failures():
            self._finish()

    def _open(self) -> None:
        while True:
            self._descriptor = open_for_writing(self._path, os.O_APPEND)
            try:
                if self._lock():
                    return
            except BaseException:
                self._close_descriptor()
                raise
            self._close_descriptor()  # renamed meanwhile

    def _lock(self) -> bool:
        # Return whether the name still leads to the file that was locked.
        status = os.fstat(self._descriptor)
        self._is_regular = stat.S_ISREG(status.st_mode)
        self._size = status.st_size
        if not self._is_regular:
            return True
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                f"another tcsniff records to {self._path}; choose another file"
            ) from None
        except OSError:  # a file system without locks
            pass
        if not _leads_to(self._path, status):
            return False
        if self._compressor is None and not _ends_with_line(self._path):
            self._write(b"\n")  # after a partial last line
        return True

    def _finish(self) -> None:
        if self._descriptor < 0:  # the name could not be opened again
            return
        try:
            if self._compressor is not None and not self._is_broken:
                self._write(self._compressor.flush())
        finally:
            self._close_descriptor()

    def _close_descriptor(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)

    def _restart_compression(self) -> None:
        if self._compressor is not None:
            self._compressor = zlib.compressobj(wbits=_GZIP_FORMAT)

    def _compress(self, data: bytes) -> bytes:
        if self._compressor is None:
            return data
        # Flushed, so that it can be read even if tcsniff is killed.
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                # A regular file does not block, and a signal must not tear a line.
                write = os.write if self._is_regular else write_some
                left = left[write(self._descriptor, left) :]
        except OSError:
            self._is_broken = True
            self._remove_partial_line(data[: len(data) - len(left)])
            raise
        if self._is_regular:
            self._size = os.fstat(self._descriptor).st_size

    def _remove_partial_line(self, written: bytes) -> None:
        if self._compressor is None and self._is_regular:
            partial = len(written) - (written.rfind(b"\n") + 1)
            with suppress(OSError):
                end = os.lseek(self._descriptor, 0, os.SEEK_END)
                os.ftruncate(self._descriptor, end - partial)

    @contextmanager
    def _explain_failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"cannot write the recording {self._path}: {error.strerror}"
            ) from error


def _leads_to(path: str, status: os.stat_result) -> bool:
    try:
        named = Path(path).stat()
    except OSError:
        return False
    return os.path.samestat(named, status)


def _ends_with_line(path: str) -> bool:
    with Path(path).open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
