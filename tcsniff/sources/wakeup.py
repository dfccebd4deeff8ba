"""Waits that a signal handler or another thread can end."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from typing import Any

from tcsniff.pipeline import FindFile


class WakeUp:
    """Ends a wait from a signal handler or another thread.

    Attributes:
        is_triggered: Whether `trigger` was ever called.
    """

    def __init__(self) -> None:
        self.is_triggered = False
        self._find_watched: FindFile = lambda: None
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        # Bound, since modules are empty when the interpreter ends.
        close(self._read_end)
        close(self._write_end)

    def trigger(self) -> None:
        """End the current wait, or else the next one."""
        self.is_triggered = True
        try:
            os.write(self._write_end, b"\0")
        except BlockingIOError:  # the pipe is full, so the next wait ends anyway
            return

    def watch(self, find_file: FindFile) -> None:
        """End waits also when another file can be read.

        Args:
            find_file: Returns the file's number; None for no file.
        """
        self._find_watched = find_file

    def wait(self, seconds: float | None, *files: Any) -> bool:
        """Wait until a file can be read.

        Args:
            seconds: The longest wait; None for no limit.
            files: The files; none to wait for the time alone.

        Returns:
            Whether one of them can be read.

        Raises:
            OSError: If a file is broken.
            ValueError: If a file is closed.
        """
        poll = select.poll()  # unlike select, for any number of open files
        watched = self._find_watched()
        others = (self._read_end,) if watched is None else (self._read_end, watched)
        for file in (*others, *files):
            poll.register(file, select.POLLIN)
        ready = {number for number, _ in poll.poll(None if seconds is None else seconds * 1000)}
        if self._read_end in ready:
            os.read(self._read_end, 1 << 10)
        return bool(ready.difference(others))
