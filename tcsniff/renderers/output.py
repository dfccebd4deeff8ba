"""Standard output, as bytes, with its failures named."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import BinaryIO

from tcsniff.errors import OutputClosed, OutputError
from tcsniff.signals import signal_handler

_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Output:
    """Where data goes.

    Attributes:
        is_terminal: Whether a person looks at it.
    """

    def __init__(self, file: BinaryIO | None = None) -> None:
        """Take a file; None is standard output."""
        self._file = file or sys.stdout.buffer
        self.is_terminal = self._file.isatty()
        try:
            # Past Python's buffer, which would keep what could not be written,
            # and try again when the program ends.
            self._number: int | None = self._file.fileno()
        except (AttributeError, io.UnsupportedOperation):  # a file in memory
            self._number = None

    def write(self, data: bytes) -> None:
        """Write, all of it.

        Raises:
            OutputClosed: If the reader went away.
            OutputError: If it cannot be written for another reason.
        """
        try:
            if self._number is None:
                self._file.write(data)
                self._file.flush()
            else:
                self._write(self._number, memoryview(data))
        except OSError as error:
            raise _failure(error) from error

    def check(self) -> None:
        """See, while there is nothing to write, whether anybody would read it.

        Raises:
            OutputClosed: If the reader went away.
        """
        if self._number is not None:
            poll = select.poll()
            poll.register(self._number, 0)  # what is in _GONE comes unasked
            if any(event & _GONE for _, event in poll.poll(0)):
                raise OutputClosed("the reader of the output went away")

    def _write(self, number: int, data: memoryview) -> None:
        while data:
            try:
                # A reader may keep us waiting for ever; Ctrl-C must not.
                with signal_handler.immediate():
                    data = data[os.write(number, data) :]
            except BlockingIOError:  # somebody has set our output to non-blocking
                with signal_handler.immediate():
                    select.select([], [number], [])


def _failure(error: OSError) -> OutputClosed | OutputError:
    # A terminal that is gone answers EIO.
    if isinstance(error, BrokenPipeError) or error.errno == errno.EIO:
        return OutputClosed("the reader of the output went away")
    reason = os.strerror(error.errno) if error.errno else str(error)
    return OutputError(f"cannot write the output: {reason}")


def get_terminal_size() -> tuple[int, int]:
    """Measure the terminal now.

    Returns:
        Columns and lines; ``COLUMNS`` and ``LINES`` of the environment stand in
        where there is no terminal, else 80 and 24.
    """
    try:
        size = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return _number("COLUMNS", 80), _number("LINES", 24)
    # A terminal that was never told its size says 0.
    return size.columns or 80, size.lines or 24


def _number(name: str, otherwise: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() and int(text) else otherwise
