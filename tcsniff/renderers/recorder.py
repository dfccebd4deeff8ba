"""A recording, written in addition to any view."""

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
from tcsniff.renderers.lines import format_json
from tcsniff.renderers.wrapper import RendererWrapper

_GZIP_FORMAT = 31  # for zlib's `wbits`


class Recorder(RendererWrapper):
    """Appends records to a file and hands the events on to a renderer.

    After every batch the file holds whole lines, compressed or not.
    """

    def __init__(self, path: str, renderer: Renderer, *, has_gaps: bool = True) -> None:
        """Open the file.

        Args:
            path: A name that ends in ``.gz`` makes a compressed file.
            renderer: Shows the events, after they are recorded.
            has_gaps: Whether to record gaps.

        Raises:
            OutputError: If it cannot be opened.
        """
        super().__init__(renderer)
        self._path = path
        self._has_gaps = has_gaps
        self._lines: list[bytes] = []
        self._is_broken = False
        self._compressor = zlib.compressobj(wbits=_GZIP_FORMAT) if path.endswith(".gz") else None
        try:
            self._file = _open_file(path)
        except OSError as error:
            raise self._to_output_error(error) from error

    def show(self, events: Sequence[Event]) -> None:
        """Add a batch of events."""
        # First the view: if it decodes a body, its JSON need not be checked again.
        super().show(events)
        self._lines += map(format_json, events)

    def show_gap(self, gap: Gap) -> None:
        """Add a gap."""
        if self._has_gaps:
            self._lines.append(records.format_gap(gap))
        super().show_gap(gap)

    def flush(self) -> None:
        """Record what was added, then show it.

        Raises:
            OutputError: If it cannot be recorded, for example on a full disk.
        """
        if self._lines:
            data = b"".join(self._lines)
            self._lines = []
            try:
                self._write(self._compress(data))
            except OSError as error:
                raise self._to_output_error(error) from error
        super().flush()

    def close(self) -> None:
        """Close the file and the view."""
        try:
            if self._compressor is not None and not self._is_broken:
                self._write(self._compressor.flush())
        except OSError as error:
            raise self._to_output_error(error) from error
        finally:
            self._file.close()
            super().close()

    def _compress(self, data: bytes) -> bytes:
        if self._compressor is None:
            return data
        # Flushed, so that it can be read even if tcsniff is killed.
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            self._is_broken = True
            if self._compressor is None:
                # Keep the whole lines that were written, and remove the partial one.
                written = len(data) - len(left)
                partial = written - (data[:written].rfind(b"\n") + 1)
                with suppress(OSError):  # not a regular file
                    self._file.truncate(self._file.tell() - partial)
            raise

    def _to_output_error(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write the recording {self._path}: {error.strerror}")


def _open_file(path: str) -> BinaryIO:
    file = Path(path).open("ab", buffering=0)  # noqa: SIM115 - closed by `close`
    try:
        if not path.endswith(".gz") and file.seekable() and not _ends_with_line(path):
            file.write(b"\n")  # after a partial last line
    except OSError:
        file.close()
        raise
    return file


def _ends_with_line(path: str) -> bool:
    with Path(path).open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
