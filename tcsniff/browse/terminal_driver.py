"""Textual's driver for Unix terminals, on standard output and safe if the terminal goes away."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, cast

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App


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
        encoding = sys.stdout.encoding or "ascii"
        self._file = cast("TextIOWrapper", _TerminalFile(1, encoding))
