"""Signal handling: a signal is noted at once, and obeyed when the run can end safely.

An exception raised by a signal handler can interrupt a library at any step and
leave a lock held forever; msgspec crashes if it is interrupted while a class is
created. So a signal raises one only where something has to be cleaned up:

* At first, while modules are imported and arguments are checked, it ends the
  process at once (`SignalHandler.install`).
* `unwinding`: it raises an exception, so that what was begun is undone.
* `deferred`, during a run: it only wakes the loop, which then ends by itself.
* `immediate`, during a write that may block: it raises an exception again.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GIVING_UP_TERMINAL = (signal.SIGTSTP, signal.SIGQUIT)  # Ctrl-Z, Ctrl-backslash

_Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers


def _report_nothing() -> str:
    return ""


def _ignore() -> None:
    return


class SignalHandler:
    """The handling of this process's signals. The only instance is `signal_handler`.

    Attributes:
        received: The last signal that asks the program to end; None if there
            was none.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._wake: Callable[[], None] | None = None
        self._unwinds = True
        self._report: Callable[[], str] = _report_nothing
        self._leave_terminal: Callable[[], object] = _ignore
        self._return_to_terminal: Callable[[], object] = _ignore

    @property
    def exit_status(self) -> int:
        """The exit status for the received signal."""
        return 128 + (self.received or 0)

    def install(self, *, unwinds: bool = True) -> None:
        """Handle signals.

        Signals that are ignored, as under nohup or after ``&`` in a script, stay ignored.

        Args:
            unwinds: Whether a signal raises an exception where nothing else is said;
                otherwise it ends the process at once.
        """
        self.received = None
        self._unwinds = unwinds
        for number in ENDING:
            _handle(number, self._handle_signal)
        _handle(signal.SIGUSR1, self._print_report)

    def raise_received(self) -> NoReturn:
        """End the program by the exception for the received signal."""
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(self.exit_status)

    @contextmanager
    def deferred(
        self,
        wake: Callable[[], None],
        report: Callable[[], str] = _report_nothing,
        leave_terminal: Callable[[], object] = _ignore,
        return_to_terminal: Callable[[], object] = _ignore,
    ) -> Iterator[None]:
        """Call `wake` on a signal, instead of raising an exception.

        Args:
            wake: Makes the run end soon; safe to call in a signal handler.
            report: Returns the text that USR1 prints on standard error.
            leave_terminal: Restores the terminal before Ctrl-Z stops the program, or
                Ctrl-backslash or a second Ctrl-C ends it at once.
            return_to_terminal: Called when the program continues after it was stopped.
        """
        self._wake, self._report = wake, report
        self._leave_terminal, self._return_to_terminal = leave_terminal, return_to_terminal
        previous = {
            number: _handle(number, self._give_up_terminal) for number in _GIVING_UP_TERMINAL
        }
        previous[signal.SIGCONT] = _handle(signal.SIGCONT, self._continue_process)
        if self.received is not None:
            # Python ignores an exception in some of its callbacks, as during an
            # import; then the program still runs after a signal.
            wake()
        try:
            yield
        finally:
            self._wake = None
            self._leave_terminal = self._return_to_terminal = _ignore
            for number, handler in previous.items():
                signal.signal(number, handler)

    @contextmanager
    def immediate(self) -> Iterator[None]:
        """Raise exceptions again, during a call that may block forever and holds no lock."""
        wake, self._wake = self._wake, None
        try:
            with self.unwinding():
                yield
        finally:
            self._wake = wake

    @contextmanager
    def unwinding(self) -> Iterator[None]:
        """Raise exceptions unless signals are deferred, as something has to be cleaned up."""
        unwinds, self._unwinds = self._unwinds, True
        try:
            yield
        finally:
            self._unwinds = unwinds

    def _handle_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.received is not None and number == signal.SIGINT:
            # The second Ctrl-C ends the program at once; only the terminal is restored.
            try:
                self._leave_terminal()
            finally:
                os._exit(128 + number)
        self.received = number
        if self._wake is not None:
            self._wake()
        elif self._unwinds:
            self.raise_received()
        else:
            os._exit(128 + number)

    def _print_report(self, _number: int, _frame: FrameType | None) -> None:
        # Not through sys.stderr, which may be in the middle of a write.
        with suppress(OSError):  # standard error is full or closed, which changes nothing
            os.write(2, self._report().encode(errors="replace"))

    def _give_up_terminal(self, number: int, _frame: FrameType | None) -> None:
        self._leave_terminal()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        # Unless it has ended, the program was stopped here, and continues some time later.
        signal.signal(number, self._give_up_terminal)

    def _continue_process(self, _number: int, _frame: FrameType | None) -> None:
        self._return_to_terminal()


def _handle(number: int, handler: _Handler) -> _Handler:
    previous = signal.getsignal(number)
    if previous is not signal.SIG_IGN:
        signal.signal(number, handler)
    # Not handled by Python: inherited by an embedding program.
    return signal.SIG_DFL if previous is None else previous


signal_handler = SignalHandler()
"""The only instance, because signals belong to the process."""
