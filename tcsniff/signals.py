"""Ctrl-C and its kind: noted at once, obeyed at a moment when all is in order.

An exception out of a signal handler can come between any two steps of a
library, and leave a lock held for ever. So while a run is on, a signal only
rings; the loop ends by itself, at its next turn.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOW_CURSOR = b"\x1b[?25h"


class SignalHandler:
    """What becomes of the signals that end a program. There is one: `interrupts`.

    Attributes:
        received: The signal that asked us to end; None so far.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._ring: Callable[[], None] | None = None
        self._report: Callable[[], str] = str
        self._leave: Callable[[], object] = int

    @property
    def exit_status(self) -> int:
        """The exit status for what was received."""
        return 128 + (self.received or 0)

    def install(self) -> None:
        """Take the signals; until `deferred`, each ends the program as an exception."""
        self.received = None
        for number in ENDING:
            signal.signal(number, self._handle)
        signal.signal(signal.SIGUSR1, self._notify)

    @contextmanager
    def deferred(
        self,
        ring: Callable[[], None],
        report: Callable[[], str] = str,
        leave: Callable[[], object] = int,
    ) -> Iterator[None]:
        """Note signals, and ring, instead of raising.

        Args:
            ring: Has the run end soon; safe to call in a signal handler.
            report: Words what USR1 writes to standard error.
            leave: Gives the terminal away before Ctrl-Z stops us.
        """
        self._ring, self._report, self._leave = ring, report, leave
        signal.signal(signal.SIGTSTP, self._suspend)
        if self.received is not None:
            # Python drops an exception that comes in a callback of its own, as
            # while it imports: then we are still here.
            ring()
        try:
            yield
        finally:
            self._ring = None
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)

    @contextmanager
    def immediate(self) -> Iterator[None]:
        """Raise again, around a call that may block for ever and holds nothing."""
        ring, self._ring = self._ring, None
        try:
            yield
        finally:
            self._ring = ring

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.received is not None and number == signal.SIGINT:
            # Somebody insists: at once, with no more than a cursor put right.
            if os.isatty(1) and select.select([], [1], [], 0)[1]:
                os.write(1, _SHOW_CURSOR)
            os._exit(128 + number)
        self.received = number
        if self._ring is None:
            self._raise()
        else:
            self._ring()

    def _notify(self, _number: int, _frame: FrameType | None) -> None:
        # Past sys.stderr, which may be in the middle of something.
        os.write(2, self._report().encode(errors="replace"))

    def _suspend(self, number: int, _frame: FrameType | None) -> None:
        self._leave()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        # Here we go on again, some time later.
        signal.signal(number, self._suspend)

    def _raise(self) -> None:
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(self.exit_status)


signal_handler = SignalHandler()
"""Signals belong to the process, so there is one of it."""
