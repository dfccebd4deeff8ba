"""Passwords from a file, standard input or a program.

Imported when a command connects. No message contains what is read here.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tcsniff.errors import UsageError


def read_password_file(path: str, place: str) -> str:
    """Read the first line of a file; ``-`` is standard input.

    Args:
        path: The file.
        place: The flag or setting that names it, for messages.

    Raises:
        UsageError: If it cannot be read.
    """
    if path == "-":
        return sys.stdin.readline().rstrip("\r\n")
    try:
        with Path(path).open(encoding="utf-8") as file:
            return file.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not valid UTF-8"
        raise UsageError(f"{place} {path}: {reason}") from error


def run_password_command(words: Sequence[str], place: str) -> str:
    """Run a program without a shell, and return the first line that it prints.

    It may ask on the terminal; its standard error is not captured.

    Args:
        words: The program and its arguments; messages show only the program.
        place: The flag or setting that names it, for messages.

    Raises:
        UsageError: If it cannot be run, fails or prints nothing.
    """
    name = words[0]
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, check=False)  # noqa: S603 - the user's own
    except (OSError, ValueError) as error:
        reason = (
            error.strerror if isinstance(error, OSError) else "an argument contains a zero byte"
        )
        raise UsageError(f"{place}: cannot run {name}: {reason}") from None
    if done.returncode:
        raise UsageError(f"{place}: {name} ended with status {done.returncode}")
    try:
        password = done.stdout.partition(b"\n")[0].rstrip(b"\r").decode()
    except UnicodeDecodeError:
        raise UsageError(f"{place}: the output of {name} is not valid UTF-8") from None
    if not password:
        raise UsageError(f"{place}: {name} printed no password")
    return password
