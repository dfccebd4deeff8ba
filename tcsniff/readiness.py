"""Whether a file can be read or written without blocking.

With poll: select fails for file numbers above 1,023.
"""

from __future__ import annotations

import select
from typing import Any


def is_readable(file: Any, seconds: float | None = 0) -> bool:
    """Return whether a file can be read, or has failed; wait for it this long.

    Args:
        file: A file or its number.
        seconds: The longest wait; None for no limit.
    """
    return _poll(file, select.POLLIN, seconds)


def is_writable(file: Any, seconds: float | None = 0) -> bool:
    """Return whether a file can be written, or has failed; wait for it this long.

    Args:
        file: A file or its number.
        seconds: The longest wait; None for no limit.
    """
    return _poll(file, select.POLLOUT, seconds)


def _poll(file: Any, event: int, seconds: float | None) -> bool:
    poll = select.poll()
    poll.register(file, event)
    return bool(poll.poll(None if seconds is None else seconds * 1000))
