"""Messages on standard error, and lists on standard output."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import suppress

from tcsniff import __version__
from tcsniff.errors import OutputClosed, OutputError
from tcsniff.renderers.output import Output
from tcsniff.sanitize import sanitize

DEBUG = "--debug"
"""Every command takes this flag; `cli.main` removes it before click parses the arguments."""


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
    # Standard error that is full or closed changes nothing. `Output` writes at once: Python
    # would keep what could not be written, and end with status 120.
    with suppress(OutputClosed, OutputError):
        Output(sys.stderr.buffer).write(
            message.encode(sys.stderr.encoding or "utf-8", "backslashreplace")
        )


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
    "urllib3",
    "mohawk",
    "websockets",
    "textual",
    "taskcluster",
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
