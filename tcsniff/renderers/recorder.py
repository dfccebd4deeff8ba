"""A recording, written besides any view."""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from tcsniff import records
from tcsniff.deliveries import Gap
from tcsniff.errors import OutputError
from tcsniff.events import Event
from tcsniff.stream import Renderer


class Recorder:
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
        try:
            self._file = _opened(path)
        except OSError as error:
            raise self._failure(error) from error
        self._out: BinaryIO | gzip.GzipFile = self._file
        if path.endswith(".gz"):
            self._out = gzip.GzipFile(fileobj=self._file, mode="wb", filename="", mtime=0)

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        self._lines += [records.worded(event.delivery, event.flaw) for event in events]
        self.renderer.show(events)

    def gap(self, gap: Gap) -> None:
        """Take a gap in."""
        self._lines.append(records.gap_line(gap))
        self.renderer.gap(gap)

    def flush(self) -> None:
        """Write what was taken in, then have it shown.

        Raises:
            OutputError: If it cannot be written, as on a full disk.
        """
        if self._lines:
            data = b"".join(self._lines)
            self._lines = []
            try:
                self._write(data)
            except OSError as error:
                raise self._failure(error) from error
        self.renderer.flush()

    def close(self) -> None:
        """Finish the file, and the view."""
        try:
            self._out.close()
            self._file.close()
        except OSError as error:
            raise self._failure(error) from error
        finally:
            self.renderer.close()

    def _write(self, data: bytes) -> None:
        if self._out is not self._file:
            self._out.write(data)
            self._out.flush()
            return
        whole = self._file.tell()
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            # Half a line is no line: what fitted of whole ones may stay.
            kept = data[: len(data) - len(left)].rfind(b"\n") + 1
            with suppress(OSError):  # of what is no plain file
                self._file.truncate(whole + kept)
            raise

    def _failure(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write the recording {self._path}: {error.strerror}")


def _opened(path: str) -> BinaryIO:
    file = Path(path).open("ab", buffering=0)  # noqa: SIM115 - closed by `close`
    if not path.endswith(".gz") and file.tell() > 0 and not _ends_whole(path):
        file.write(b"\n")  # after a torn last line
    return file


def _ends_whole(path: str) -> bool:
    with Path(path).open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
