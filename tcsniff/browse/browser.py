"""Pages in a web browser."""

from __future__ import annotations

import subprocess
import sys

_started: list[subprocess.Popen[bytes]] = []


def open_in_browser(url: str) -> None:
    """Open a page, without waiting for it.

    In a process of its own, because browsers write to their terminal, and those for the
    terminal would take ours.

    Args:
        url: Its address, from `pulse.urls`.
    """
    _started[:] = [process for process in _started if process.poll() is None]
    process = subprocess.Popen(  # noqa: S603 - our own Python, and an address that is ours
        [sys.executable, "-m", "webbrowser", url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    _started.append(process)
