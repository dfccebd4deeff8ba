"""A recording, written besides any view."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from tcsniff.errors import OutputError
from tcsniff.pipeline import Renderer
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event

_GZIP = 31  # zlib's word for the format of .gz


class Recorder(Renderer):
    """Writes records into a file and hands the events on to a renderer.

    What is there already stays: records are added at its end. After every
    batch the file holds whole lines, compressed or not.

    Attributes:
        renderer: Shows the events.
    """

    def __init__(self, path: str, renderer: Renderer) -> None:
        """Open the file.

        Args:
            path: Its name; one that ends in ``.gz`` is compressed.
            renderer: Shows the events, after they are recorded.

        Raises:
            OutputError: If it cannot be opened.
        """
        self._path = path
        self.renderer = renderer
        self._lines: list[bytes] = []
        self._is_broken = False
        self._compressor = zlib.compressobj(wbits=_GZIP) if path.endswith(".gz") else None
        try:
            self._file = _opened(path)
        except OSError as error:
            raise self._failure(error) from error

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        # First the view, which may have to decode what is then known to be JSON.
        self.renderer.show(events)
        self._lines += [
            records.format_record_with_error(event.delivery, event.decode_error)
            for event in events
        ]

    def show_gap(self, gap: Gap) -> None:
        """Take a gap in."""
        self._lines.append(records.format_gap(gap))
        self.renderer.show_gap(gap)

    def flush(self) -> None:
        """Write what was taken in, then have it shown.

        Raises:
            OutputError: If it cannot be written, as on a full disk.
        """
        if self._lines:
            data = b"".join(self._lines)
            self._lines = []
            try:
                self._record(data)
            except OSError as error:
                raise self._failure(error) from error
        self.renderer.flush()

    def close(self) -> None:
        """Finish the file, and the view."""
        try:
            if self._compressor is not None and not self._is_broken:
                self._write(self._compressor.flush())
        except OSError as error:
            raise self._failure(error) from error
        finally:
            self._file.close()
            self.renderer.close()

    def _record(self, data: bytes) -> None:
        if self._compressor is not None:
            # So that all up to here can be read, whatever becomes of us.
            data = self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        self._write(data)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            self._is_broken = True
            if self._compressor is None:
                # Half a line is no line: what fitted of whole ones may stay.
                written = len(data) - len(left)
                half = written - (data[:written].rfind(b"\n") + 1)
                with suppress(OSError):  # of what is no plain file
                    self._file.truncate(self._file.tell() - half)
            raise

    def _failure(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write the recording {self._path}: {error.strerror}")


def _opened(path: str) -> BinaryIO:
    file = Path(path).open("ab", buffering=0)  # noqa: SIM115 - closed by `close`
    try:
        if not path.endswith(".gz") and file.seekable() and not _ends_whole(path):
            file.write(b"\n")  # after a torn last line
    except OSError:
        file.close()
        raise
    return file


def _ends_whole(path: str) -> bool:
    with Path(path).open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
