"""Waiting that can be cut short."""

from __future__ import annotations

import os
import select
from typing import Any


class WakeUp:
    """Ends a wait from a signal handler or another thread.

    Attributes:
        rung: Whether it was rung, ever.
    """

    def __init__(self) -> None:
        self.rung = False
        self._heard, self._bell = os.pipe()
        os.set_blocking(self._bell, False)

    def __del__(self) -> None:
        os.close(self._heard)
        os.close(self._bell)

    def ring(self) -> None:
        """End the wait that is on, or else the next one."""
        self.rung = True
        try:
            os.write(self._bell, b"\0")
        except BlockingIOError:  # rung so often that nobody could miss it
            return

    def wait(self, seconds: float | None, *files: Any) -> bool:
        """Wait until a file can be read.

        Args:
            seconds: How long at most; None for ever.
            files: Which; none to wait for the time alone.

        Returns:
            Whether one can.

        Raises:
            OSError: If one is broken.
            ValueError: If one is closed.
        """
        ready = select.select([self._heard, *files], [], [], seconds)[0]
        if self._heard in ready:
            os.read(self._heard, 1 << 10)
            ready.remove(self._heard)
        return bool(ready)
