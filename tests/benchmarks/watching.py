"""A tcsniff in a terminal of its own, of which is noted when it draws what."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from measuring import PATIENCE, busy

from running import command, environment

_END = b"\x1b[?2026l"  # of each picture
_ROW = re.compile(rb"\x1b\[2?K")
_QUIET = 0.1  # seconds of the processor a second
_TURN = 0.01  # seconds between two looks


class Watched:
    """A tcsniff in a terminal, which is killed at the end of the ``with`` block.

    Attributes:
        process: Its process.
        drawn: When it drew so far, by the monotonic clock, and how many rows.
    """

    def __init__(
        self, *words: str, columns: int = 80, lines: int = 24, pipe: bool = False
    ) -> None:
        """Start it.

        Args:
            words: The command line, without the name.
            columns: Of the terminal.
            lines: Of the terminal.
            pipe: Whether its standard input is a pipe instead.
        """
        self.drawn: list[tuple[float, int]] = []
        self._master, slave = pty.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            command(*words),
            stdin=subprocess.PIPE if pipe else slave,
            stdout=slave,
            stderr=slave,
            env=environment(),
            start_new_session=True,
            preexec_fn=None if pipe else lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no thread is needed before
        )
        os.close(slave)
        self._written = bytearray()
        self._last = b""  # what it wrote with its last picture
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        os.close(self._master)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def busy(self) -> float:
        """Return its seconds of processor time so far."""
        return busy(self.process.pid)

    def peak(self) -> float:
        """Return its maximum resident memory so far, in MiB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def await_words(self, words: str) -> None:
        """Wait until it has drawn some words, which are in one style.

        Raises:
            RuntimeError: If it does not.
        """
        self._await(lambda: words.encode() in self._written, PATIENCE)

    def await_quiet(self) -> None:
        """Wait until it does no more than draw now and then."""
        before = self.busy()
        while True:
            time.sleep(1)
            if (now := self.busy()) - before < _QUIET:
                return
            before = now

    def await_drawing(self, seconds: float = PATIENCE) -> None:
        """Wait until it has drawn.

        Raises:
            RuntimeError: If it does not.
        """
        self._await(lambda: bool(self.drawn), seconds)

    def await_events(self, number: int) -> None:
        """Wait until its status line counts so many events.

        Raises:
            RuntimeError: If it does not.
        """
        words = f"{number:,} events".encode()
        self._await(lambda: words in self._last, PATIENCE)

    def _await(self, is_reached: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not is_reached():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"waited in vain; it wrote: {self._last!r}")
            time.sleep(_TURN)

    def _read(self) -> None:
        part = b""
        while True:
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:  # closed at the other side
                return
            now = time.monotonic()
            self._written += data
            part += data
            while _END in part:
                self._last, _, part = part.partition(_END)
                self.drawn.append((now, len(_ROW.findall(self._last))))
