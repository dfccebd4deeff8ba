"""Standard output, as bytes, with its failures named."""

from __future__ import annotations

import errno
import os
import sys
from typing import BinaryIO

from tcsniff.errors import OutputClosed, OutputError


class Output:
    """Where data goes.

    Attributes:
        is_terminal: Whether a person looks at it.
    """

    def __init__(self, file: BinaryIO | None = None) -> None:
        """Take a file; None is standard output."""
        self._file = file or sys.stdout.buffer
        self.is_terminal = self._file.isatty()

    def write(self, data: bytes) -> None:
        """Write and flush.

        Raises:
            OutputClosed: If the reader went away.
            OutputError: If it cannot be written for another reason.
        """
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            # A terminal that is gone answers EIO.
            if isinstance(error, BrokenPipeError) or error.errno == errno.EIO:
                raise OutputClosed("the reader of the output went away") from error
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise OutputError(f"cannot write the output: {reason}") from error


def size_of_terminal() -> tuple[int, int]:
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
