"""Messages on standard error, and lists on standard output."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import suppress

from tcsniff import __version__
from tcsniff.readiness import is_writable
from tcsniff.renderers.output import Output
from tcsniff.sanitize import sanitize
from tcsniff.signals import signal_handler

DEBUG = "--debug"
"""Every command takes this flag; `cli.main` removes it before click parses the arguments."""


_WRITE_PAUSE = 0.1  # seconds between two looks for a signal while standard error is blocked
_MISSING_STREAMS = ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY))


def open_missing_streams() -> None:
    """Open the null device in place of standard streams that were closed at start.

    Otherwise the next file or socket would take their numbers, and receive what is
    printed. Standard output is opened for reading, so that writing fails.
    """
    for number, flags in _MISSING_STREAMS:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # the lowest free number
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = _open_writer(1)
    if sys.stderr is None:
        sys.stderr = _open_writer(2)


def _open_writer(number: int) -> io.TextIOWrapper:
    raw = io.FileIO(number, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", write_through=True)


def print_output(text: str) -> None:
    """Write trusted text and a line feed to standard output.

    Raises:
        OutputClosed: If the reader has closed the pipe.
        OutputError: If it cannot be written for another reason.
    """
    Output().write(f"{text}\n".encode(sys.stdout.encoding or "utf-8", "backslashreplace"))


def print_message(text: str, *, bare: bool = False) -> None:
    """Print a message to standard error, if possible; control characters are escaped.

    Args:
        text: The message; may have several lines and untrusted names.
        bare: Whether to leave out the prefix ``tcsniff:``.
    """
    lines = [sanitize(line) for line in text.split("\n")]
    message = ("" if bare else "tcsniff: ") + "\n".join(lines) + "\n"
    data = message.encode(sys.stderr.encoding or "utf-8", "backslashreplace")
    with suppress(OSError):  # standard error that is full or closed changes nothing
        try:
            descriptor = sys.stderr.fileno()
        except io.UnsupportedOperation:  # a file in memory
            sys.stderr.buffer.write(data)
        else:
            _write_message(descriptor, data)


def _write_message(descriptor: int, data: bytes) -> None:
    # At once: Python would keep what could not be written, and end with status 120. A
    # reader that does not read delays the message, but not the end after a signal.
    while data:
        if is_writable(descriptor, _WRITE_PAUSE):
            with suppress(BlockingIOError):  # another program has made it non-blocking
                data = data[os.write(descriptor, data[: select.PIPE_BUF]) :]
        elif signal_handler.received is not None:
            return


def ignore_message(text: str) -> None:
    """Print nothing, for ``--quiet``."""


PACKAGES = (
    "click",
    "kombu",
    "amqp",
    "rich",
    "orjson",
    "msgspec",
    "jmespath",
    "textual",
    "urllib3",
    "mohawk",
    "websockets",
)
"""The packages tcsniff uses, by their names on PyPI; optional ones may be missing."""


def list_versions(*, verbose: bool) -> Iterator[str]:
    """Yield versions, one line each; the first is tcsniff's.

    Args:
        verbose: Whether to add Python, the packages and the platform.
    """
    yield f"tcsniff {__version__}"
    if not verbose:
        return
    import platform  # with importlib.metadata: 30 ms
    from importlib.metadata import PackageNotFoundError, version

    yield f"Python {platform.python_version()} ({sys.executable or 'unknown'})"
    for name in PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} is not installed"
    yield platform.platform()
