"""Standard output as bytes, with an exception for each way it can fail."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import select
import sys
from collections.abc import Callable
from typing import BinaryIO

from tcsniff.errors import OutputClosed, OutputError
from tcsniff.readiness import is_writable
from tcsniff.signals import signal_handler

_EXIT_PATIENCE = 1.0  # seconds to wait for a reader after a signal
_NO_READER = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Output:
    """A file for data.

    Attributes:
        is_terminal: Whether the file is a terminal.
    """

    def __init__(self, file: BinaryIO | None = None) -> None:
        """Create an output; None is standard output.

        Raises:
            OutputError: If standard output is closed.
        """
        self._file = file or sys.stdout.buffer
        self.is_terminal = self._file.isatty()
        try:
            # Without Python's buffer, which would keep what could not be written,
            # and try again when the program ends.
            self._descriptor: int | None = self._file.fileno()
        except (AttributeError, io.UnsupportedOperation):  # a file in memory
            self._descriptor = None
        if file is None and self._descriptor is not None:
            _check_writable(self._descriptor)

    def write(self, data: bytes) -> None:
        """Write all of the data.

        Raises:
            OutputClosed: If the reader went away.
            OutputError: If it cannot be written for another reason.
        """
        try:
            if self._descriptor is None:
                self._file.write(data)
                self._file.flush()
            else:
                self._write(self._descriptor, memoryview(data))
        except OSError as error:
            raise _to_output_error(error) from error

    def write_lines(
        self, lines: list[bytes], escape: Callable[[bytes], bytes] | None = None
    ) -> None:
        """Write lines at once and empty the list; without lines, check for a reader.

        Args:
            lines: Each with its line feed.
            escape: Makes a line safe for a terminal; None if all are safe.

        Raises:
            OutputClosed: If the reader went away.
            OutputError: If they cannot be written for another reason.
        """
        if not lines:
            self.check()
            return
        data = b"".join(lines if escape is None or not self.is_terminal else map(escape, lines))
        lines.clear()
        self.write(data)

    def check(self) -> None:
        """Check whether there is still a reader.

        Raises:
            OutputClosed: If the reader went away.
        """
        if self._descriptor is not None:
            poll = select.poll()
            poll.register(self._descriptor, 0)  # errors and hang-ups are always reported
            if any(event & _NO_READER for _, event in poll.poll(0)):
                raise OutputClosed("the reader of the output went away")

    def _write(self, descriptor: int, data: memoryview) -> None:
        while data:
            try:
                data = data[write_some(descriptor, data) :]
            except BlockingIOError:  # another program has made the output non-blocking
                with signal_handler.immediate():
                    is_writable(descriptor, None)


def write_some(descriptor: int, data: memoryview) -> int:
    """Write at least the start of the data, and return how many bytes.

    A slow reader may block this for long: a signal ends it by its exception. After
    a signal, a reader that does not read delays the end for a second only.

    Raises:
        OSError: If it cannot be written.
    """
    if signal_handler.received is None:
        with signal_handler.immediate():
            return os.write(descriptor, data)
    if not is_writable(descriptor, _EXIT_PATIENCE):
        signal_handler.raise_received()
    return os.write(descriptor, data[: select.PIPE_BUF])  # so much never blocks now


def _check_writable(descriptor: int) -> None:
    try:
        mode = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
    except OSError:
        mode = os.O_RDONLY
    if mode == os.O_RDONLY:
        raise OutputError("cannot write the output: standard output is closed")


def _to_output_error(error: OSError) -> OutputClosed | OutputError:
    # A closed terminal fails with EIO.
    if isinstance(error, BrokenPipeError) or error.errno == errno.EIO:
        return OutputClosed("the reader of the output went away")
    reason = os.strerror(error.errno) if error.errno else str(error)
    return OutputError(f"cannot write the output: {reason}")


def get_terminal_size() -> tuple[int, int]:
    """Return the terminal's columns and lines.

    Without a terminal, the environment variables ``COLUMNS`` and ``LINES`` are
    used, or 80 and 24.
    """
    try:
        size = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return _read_number("COLUMNS", 80), _read_number("LINES", 24)
    # A terminal whose size was never set has size 0.
    return size.columns or 80, size.lines or 24


def _read_number(variable: str, default: int) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isdecimal() and int(text) else default
