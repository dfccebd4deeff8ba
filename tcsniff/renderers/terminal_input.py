"""The keys that the user presses on the terminal while a live view draws on it.

The terminal is in cbreak mode without echo, so that a key is received at once, and Enter or
a typed word does not move the picture. Ctrl-C and Ctrl-Z still send their signals.
"""

from __future__ import annotations

import os
import re
import sys
import termios
from contextlib import suppress

from tcsniff.readiness import is_readable

_LOCAL_FLAGS, _CONTROL_CHARACTERS = 3, 6  # places in the attributes of a terminal
_MAX_READ = 1024  # bytes
# Arrow and function keys, keys with Alt, and answers of the terminal may contain letters.
_ESCAPE_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|[\]P][^\a\x1b]*(?:\a|\x1b\\)|[^\[OP\]])?"
)
_BROKEN_OFF = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O|[\]P][^\a\x1b]*\x1b?)\Z")

_Attributes = list[int | list[bytes | int]]


class TerminalInput:
    """The keys of the terminal on standard input.

    There are none, and the terminal stays as it is, if standard input is not this process's
    terminal, or while the process runs in the background: there, changing the terminal would
    stop it.

    Attributes:
        is_active: Whether the terminal is in cbreak mode.
    """

    def __init__(self) -> None:
        self.is_active = False
        self._descriptor = _find_terminal()
        self._original: _Attributes = []  # to restore
        self._cbreak: _Attributes = []  # that were set and not restored
        self._rest = ""  # the start of an escape sequence

    def enter(self) -> None:
        """Switch to cbreak mode without echo, where that is possible."""
        if self.is_active or self._descriptor is None or not self._is_in_foreground():
            return
        with suppress(termios.error):  # the terminal was closed
            current = termios.tcgetattr(self._descriptor)
            if current != self._cbreak:
                self._original, self._cbreak = current, _derive_cbreak(current)
            self.is_active = True  # first, for a signal handler that calls `leave` now
            termios.tcsetattr(self._descriptor, termios.TCSANOW, self._cbreak)

    def leave(self) -> None:
        """Restore the terminal."""
        if not self.is_active or self._descriptor is None:
            return
        if self._is_in_foreground():
            # Not TCSADRAIN, which waits while the output is stopped, as by Ctrl-S.
            with suppress(termios.error):  # the terminal was closed
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._original)
        self._cbreak = []
        self.is_active = False

    def forget(self) -> None:
        """Note that another program may have changed the terminal; `enter` sets it again."""
        self.is_active = False

    def find_file(self) -> int | None:
        """Return the number of the file that can be read after a key; None if there is none."""
        return self._descriptor if self.is_active else None

    def read_keys(self) -> str:
        """Return the keys that were pressed, without those that send escape sequences."""
        descriptor = self.find_file()
        if descriptor is None or not is_readable(descriptor):
            return ""
        if not self._is_in_foreground():  # what is typed is for another program
            self.forget()
            return ""
        try:
            data = os.read(descriptor, _MAX_READ)
        except OSError:
            data = b""
        if not data:  # the terminal was closed
            self._descriptor = None
        keys, self._rest = split_keys(self._rest + data.decode("ascii", errors="ignore"))
        return keys

    def _is_in_foreground(self) -> bool:
        try:
            return self._descriptor is not None and os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:  # not the terminal that controls this process
            return False


def split_keys(text: str) -> tuple[str, str]:
    """Separate keys from escape sequences.

    Args:
        text: What a terminal has sent.

    Returns:
        The keys without escape sequences, and the start of an unfinished sequence.
    """
    rest = _BROKEN_OFF.search(text)
    end = len(text) if rest is None else rest.start()
    return _ESCAPE_SEQUENCE.sub("", text[:end]), text[end:]


def _find_terminal() -> int | None:
    try:
        descriptor = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):  # closed, or not a file
        return None
    return descriptor if os.isatty(descriptor) else None


def _derive_cbreak(attributes: _Attributes) -> _Attributes:
    # `tty.cfmakecbreak` is new in Python 3.12.
    cbreak = list(attributes)
    flags, characters = cbreak[_LOCAL_FLAGS], cbreak[_CONTROL_CHARACTERS]
    assert isinstance(flags, int)  # noqa: S101 - for mypy
    assert isinstance(characters, list)  # noqa: S101 - for mypy
    characters = list(characters)
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    cbreak[_LOCAL_FLAGS] = flags & ~(termios.ECHO | termios.ICANON)
    cbreak[_CONTROL_CHARACTERS] = characters
    return cbreak
