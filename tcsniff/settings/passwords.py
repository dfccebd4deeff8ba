"""Passwords from a file, standard input or a program.

Imported when a command connects. No message contains what is read here.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tcsniff.errors import UsageError
from tcsniff.readiness import is_readable
from tcsniff.signals import signal_handler

if TYPE_CHECKING:
    import subprocess

_MAX_LINE = 4096  # bytes of a password
_COMMAND_TIMEOUT = 30.0  # seconds; the program may ask for a passphrase
_EXIT_PATIENCE = 1.0  # seconds for the program to end after its first line
_POLL_INTERVAL = 0.05  # seconds between two checks whether the program has ended
_READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH


def read_password_file(path: str, place: str) -> str:
    """Read the first line of a file; ``-`` is standard input.

    Args:
        path: The file; may start with a byte order mark.
        place: The flag or setting that names it, for messages.

    Raises:
        UsageError: If it cannot be read.
    """
    try:
        if path == "-":
            line = _read_line(sys.stdin.buffer)
        else:
            with Path(path).open("rb") as file:
                line = _read_line(file)
        return line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{place} {path}: not valid UTF-8") from error
    except ValueError as error:
        raise UsageError(f"{place} {path}: {error}") from error
    except OSError as error:
        raise UsageError(f"{place} {path}: {error.strerror}") from error


def is_exposed(path: str) -> bool:
    """Return whether other users can read a password file."""
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and bool(mode & _READABLE_BY_OTHERS)


def run_password_command(
    words: Sequence[str], place: str, *, timeout: float = _COMMAND_TIMEOUT
) -> str:
    """Run a program without a shell, and return the first line that it prints.

    It may ask on the terminal; its standard error is not captured. When its first
    line is there, what else it or its children do does not matter.

    Args:
        words: The program and its arguments; messages show only the program.
        place: The flag or setting that names it, for messages.
        timeout: Seconds for the first line.

    Raises:
        UsageError: If it cannot be run, fails, prints nothing or takes too long.
    """
    import subprocess  # 2 ms, only for this

    name = words[0]
    try:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, bufsize=0)  # noqa: S603 - the user's own
    except (OSError, ValueError) as error:
        reason = (
            error.strerror if isinstance(error, OSError) else "an argument contains a zero byte"
        )
        raise UsageError(f"{place}: cannot run {name}: {reason}") from None
    try:
        with signal_handler.unwinding():
            line = _await_line(process, timeout)
            status = _await_exit(process)
    except TimeoutError:
        raise UsageError(f"{place}: {name} printed no line within {timeout:g} s") from None
    except ValueError as error:
        raise UsageError(f"{place}: {name}: {error}") from None
    finally:
        _release(process)
    if status:
        raise UsageError(f"{place}: {name} ended with status {status}")
    try:
        password = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError(f"{place}: the output of {name} is not valid UTF-8") from None
    if not password:
        raise UsageError(f"{place}: {name} printed no password")
    return password


def _read_line(file: BinaryIO) -> bytes:
    line = file.readline(_MAX_LINE + 1)
    _check_length(line)
    return line


def _check_length(line: bytes) -> None:
    if len(line) > _MAX_LINE:
        raise ValueError(f"the first line is longer than {_MAX_LINE:,} bytes")


def _await_line(process: subprocess.Popen[bytes], timeout: float) -> bytes:
    # Return the first line, or all that was printed before the program ended.
    assert process.stdout is not None  # noqa: S101 - for mypy
    descriptor = process.stdout.fileno()
    deadline = time.monotonic() + timeout
    line = b""
    while b"\n" not in line:
        has_ended = process.poll() is not None
        if is_readable(descriptor, 0 if has_ended else _POLL_INTERVAL):
            chunk = os.read(descriptor, _MAX_LINE)
            if not chunk:
                break
            line += chunk
            _check_length(line.partition(b"\n")[0])
        elif has_ended:  # a child in the background may keep the pipe open
            break
        if time.monotonic() >= deadline:
            raise TimeoutError
    return line.partition(b"\n")[0]


def _await_exit(process: subprocess.Popen[bytes]) -> int | None:
    # Return the exit status; None for a program that continues for long after its line.
    assert process.stdout is not None  # noqa: S101 - for mypy
    deadline = time.monotonic() + _EXIT_PATIENCE
    is_open = True
    while (status := process.poll()) is None and time.monotonic() < deadline:
        # Read on: a program that prints more lines must not fail with a broken pipe.
        if not is_open:
            time.sleep(_POLL_INTERVAL)
        elif is_readable(process.stdout, _POLL_INTERVAL):
            is_open = bool(process.stdout.read(1 << 16))
    return status


def _release(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None  # noqa: S101 - for mypy
    process.stdout.close()
    if process.poll() is None:
        process.kill()
        process.wait()
