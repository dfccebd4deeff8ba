"""tcsniff as a process of its own, in pipes and in terminals."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import pyte
import pytest

from resizing_screen import ResizingScreen

PATIENCE = 60  # seconds until something that must happen has not

_OURS = ("PULSE_", "TCSNIFF_", "TASKCLUSTER_", "COVERAGE_")
_SHOWN = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"}


_CLOSED = "http://127.0.0.1:9"  # nothing listens there
NO_NETWORK = {
    "http_proxy": _CLOSED,
    "https_proxy": _CLOSED,
    "all_proxy": _CLOSED,
    "no_proxy": "localhost,127.0.0.1,::1",
}
"""Variables that keep every test from a public deployment, which is the default source."""

_ORIGINAL = {name: os.environ.get(name, "") for name in NO_NETWORK}
# Workers of pytest-xdist start with the changed variables.
ORIGINAL_PROXIES: dict[str, str] = json.loads(
    os.environ.setdefault("TESTS_ORIGINAL_PROXIES", json.dumps(_ORIGINAL))
)
"""The variables of the person who runs the tests, for tests that need a package index."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without what changes tcsniff, or measures it.

    A child that coverage measures needs twice as long to start.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith(_OURS) or name in _SHOWN)
    }
    ours = {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "TCSNIFF_CONFIG": "-"}
    return {**kept, **ours, **NO_NETWORK, **(extra or {})}


def command(*words: str) -> list[str]:
    """Word the command line of tcsniff."""
    return [sys.executable, "-m", "tcsniff", *words]


def finished(
    *words: str, env: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run tcsniff to its end."""
    return subprocess.run(
        command(*words),
        env=environment(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def needed(name: str, package: str = "") -> str:
    """Return the path of a program; skip the test if it is missing."""
    path = shutil.which(name)
    return path or skip_or_fail(name, f"apt-get install {package or name}")


def skip_or_fail(tool: str, command: str) -> NoReturn:
    """Skip a test whose tool is missing; fail it where all tests have to run, as in CI.

    Args:
        tool: What is missing.
        command: What installs it.
    """
    reason = f"needs {tool}; to install it: {command}"
    if os.environ.get("TCSNIFF_TESTS_COMPLETE") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def output_of(*words: str, given: str | None = None) -> str:
    """Run any program that has nothing to complain of; returns its standard output."""
    done = subprocess.run(words, input=given, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.stdout


class Running:
    """A tcsniff whose output goes into pipes; killed at the end of its ``with`` block."""

    def __init__(self, *words: str, env: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            command(*words),
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._texts = {1: b"", 2: b""}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def listening(self) -> Self:
        """Wait until its bindings stand."""
        self._await(lambda: b"tcsniff: listening" in self._texts[2])
        return self

    def mentions(self, text: str) -> Self:
        """Wait until it has said something on standard error."""
        self._await(lambda: text.encode() in self._texts[2])
        return self

    def lines(self, number: int) -> list[str]:
        """Wait for so many lines of standard output; returns all that are whole."""
        self._await(lambda: self._texts[1].count(b"\n") >= number)
        whole = self._texts[1][: self._texts[1].rfind(b"\n") + 1]
        return whole.decode().splitlines()

    def stop_reading(self) -> None:
        """Close our end of its standard output, as a reader that ends."""
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process.stdout = None

    def said(self) -> str:
        """What it has said on standard error so far."""
        return self._texts[2].decode()

    def signal(self, number: signal.Signals) -> int:
        """Send a signal and wait for the exit status."""
        self.process.send_signal(number)
        return self.status()

    def status(self) -> int:
        """Wait for the end."""
        out, err = self.process.communicate(timeout=PATIENCE)
        self._texts[1] += out or b""
        self._texts[2] += err
        return self.process.returncode

    def _await(self, reached: Callable[[], bool]) -> None:
        if reached():
            return
        deadline = time.monotonic() + PATIENCE
        streams = {1: self.process.stdout, 2: self.process.stderr}
        files = {stream.fileno(): number for number, stream in streams.items() if stream}
        while not reached():
            left = deadline - time.monotonic()
            ready, _, _ = select.select(list(files), [], [], max(0, left))
            if not ready:
                raise AssertionError(f"waited in vain; it said: {self._texts}")
            for file in ready:
                data = os.read(file, 1 << 16)
                self._texts[files[file]] += data
                if not data:
                    del files[file]
            if not files and not reached():
                raise AssertionError(f"it ended: {self._texts}")


class Terminal:
    """A tcsniff, or another program, in a terminal of its own, whose screen can be looked at."""

    def __init__(
        self,
        *words: str,
        columns: int = 80,
        lines: int = 24,
        env: Mapping[str, str] | None = None,
        program: Sequence[str] | None = None,
        place: Path | None = None,
    ) -> None:
        self.screen = ResizingScreen(columns, lines)
        self.written = b""
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        self._name = os.ttyname(slave)
        self.resize(columns, lines)
        self.process = subprocess.Popen(
            command(*words) if program is None else program,
            env=environment(env),
            cwd=place,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads
        )
        os.close(slave)

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
        os.close(self._master)

    def resize(self, columns: int, lines: int) -> None:
        """Change the size, as dragging the window does."""
        self.screen.wrap(columns, lines)
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    @property
    def is_as_usual(self) -> bool:
        """Whether the terminal shows what is typed, and hands on whole lines."""
        flags: int = termios.tcgetattr(self._master)[3]
        return bool(flags & termios.ECHO) and bool(flags & termios.ICANON)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def shows(self, wanted: Callable[[list[str]], bool], patience: float = PATIENCE) -> list[str]:
        """Wait until the screen is as wanted; returns its lines, without spaces at their ends."""
        deadline = time.monotonic() + patience
        while not wanted(self._rows()):
            if not self._read(deadline - time.monotonic()):
                rows = "\n".join(self._rows())
                raise AssertionError(f"waited in vain for the screen; it shows:\n{rows}")
        return self._rows()

    def wait_until_read(self) -> None:
        """Wait until the program has read all keys."""
        slave = os.open(self._name, os.O_RDWR | os.O_NOCTTY)
        try:
            deadline = time.monotonic() + PATIENCE
            while fcntl.ioctl(slave, termios.FIONREAD, b"\0" * 4) != b"\0" * 4:
                assert time.monotonic() < deadline, "keys are not read"
                self.read_for(0.01)
        finally:
            os.close(slave)

    def read_for(self, seconds: float) -> None:
        """Read what is drawn for this long."""
        deadline = time.monotonic() + seconds
        while self._read(deadline - time.monotonic()):
            pass

    def status(self) -> int:
        """Wait for the end, and for all that was drawn."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline - time.monotonic()):
            pass
        return self.process.wait(PATIENCE)

    def _rows(self) -> list[str]:
        return [row.rstrip() for row in self.screen.display]

    def _read(self, patience: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0, patience))
        if not ready:
            return False
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # the other side is closed
            return False
        self.written += data
        self._stream.feed(data)
        return bool(data)
