"""Notifications of a terminal: the bell, and what terminals show on the desktop.

OSC 9 is iTerm2's, and OSC 777 that of extensions of urxvt and VTE; other terminals know one or
both, and ignore the rest. Source: https://iterm2.com/documentation-escape-codes.html.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress

from tcsniff.sanitize import sanitize

_MAX_TEXT = 200  # characters; desktops show fewer
_SIMPLE_TERMINALS = ("dumb", "linux")  # that print escape sequences, or have no desktop


def format_notification(title: str, text: str, *, term: str = "") -> bytes:
    """Return what makes a terminal notify its user.

    Args:
        title: The subject; may be untrusted.
        text: What happened; may be untrusted.
        term: The kind of terminal, as in the variable ``TERM``.
    """
    if term in _SIMPLE_TERMINALS:
        return b"\a"
    title, text = (sanitize(part)[:_MAX_TEXT] for part in (title, text))
    # A semicolon separates the fields of OSC 777, and OSC 9 with a number and a semicolon
    # draws a progress bar in some terminals.
    fields = ";".join(part.replace(";", ",") for part in (title, text))
    return f"\a\x1b]9;{title}: {text}\x1b\\\x1b]777;notify;{fields}\x1b\\".encode(errors="replace")


def notify_terminal(title: str, text: str, environment: Mapping[str, str] = os.environ) -> None:
    """Notify the user of the terminal, if standard error or output is one."""
    stream = next((file for file in (sys.stderr, sys.stdout) if file.isatty()), None)
    if stream is not None:
        notification = format_notification(title, text, term=environment.get("TERM", ""))
        with suppress(OSError):  # a terminal that is closed changes nothing
            os.write(stream.fileno(), notification)
