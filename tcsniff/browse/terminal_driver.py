"""Textual's driver for Unix terminals, on standard output and safe if the terminal goes away."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from codecs import getincrementaldecoder
from contextlib import suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, cast

from textual import constants
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

_PATIENCE = 0.1  # seconds between two looks whether the app has ended
_READ = 4_096  # bytes
_ESCAPE_DELAY = 0.03  # seconds until Esc is a key of its own; the 100 ms of textual are felt


class _TerminalFile:
    # Textual's writer is a thread with a bounded queue: if it ended with an exception,
    # the app would wait for it forever.

    def __init__(self, descriptor: int, encoding: str) -> None:
        self._descriptor = descriptor
        self._encoding = encoding

    def write(self, text: str) -> int:
        data = text.encode(self._encoding, errors="replace")
        with suppress(OSError):  # the terminal is gone; a signal ends the app
            while data:
                data = data[os.write(self._descriptor, data) :]
        return len(text)

    def flush(self) -> None:
        return

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return True


class TerminalDriver(LinuxDriver):
    """Draws on standard output, not on standard error, which may be a file."""

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if "ESCDELAY" not in os.environ:  # which textual reads
            constants.ESCAPE_DELAY = _ESCAPE_DELAY  # type: ignore[misc]
        encoding = sys.stdout.encoding or "ascii"
        self._file = cast("TextIOWrapper", _TerminalFile(1, encoding))
        self._is_active = False  # whether the terminal is in our modes

    def start_application_mode(self) -> None:
        """Take the terminal."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._is_active = True

    def stop_application_mode(self) -> None:
        """Give the terminal back."""
        super().stop_application_mode()
        self._is_active = False

    def run_input_thread(self) -> None:
        """Hand keys on; as textual does it, but without waiting 100 ms for what follows Esc."""
        parser = XTermParser()
        decode = getincrementaldecoder("utf-8")("replace").decode
        patience = _PATIENCE
        while not self.exit_event.is_set():
            ready, _, _ = select.select([self.fileno], [], [], patience)
            patience = _PATIENCE
            if ready:
                try:
                    data = os.read(self.fileno, _READ)
                except OSError:  # the terminal is gone; a signal ends the app
                    return
                for event in parser.feed(decode(data)):
                    self.process_message(event)
                if data.endswith(b"\x1b"):
                    patience = constants.ESCAPE_DELAY
            for event in parser.tick():
                self.process_message(event)

    def _sigtstp_application(self, *_: object) -> None:
        self._must_signal_resume = self._is_active
        if self._is_active:
            self.suspend_application_mode()
        # Not SIGSTOP, as textual does it: without a shell, nothing could continue the process,
        # and the kernel ignores SIGTSTP. To this thread, so that it stops here.
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._sigtstp_application)
        if self._must_signal_resume:
            self._sigcont_application()

    def _sigcont_application(self, *_: object) -> None:
        if self._is_active:  # stopped by others, who may have changed the terminal
            self.suspend_application_mode()
        elif not self._must_signal_resume:
            return
        self.resume_application_mode()
