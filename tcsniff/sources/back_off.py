"""The pauses between attempts to restore a lost connection."""

from __future__ import annotations

import random
from collections.abc import Iterator

_FIRST_PAUSE = 0.5  # seconds before the first attempt; doubled after each
_MAX_PAUSE = 30.0  # seconds


def list_pauses() -> Iterator[float]:
    """Yield the seconds to wait before each attempt, without end.

    With jitter, so that not all clients return to a restarted broker at once.
    """
    pause = _FIRST_PAUSE
    while True:
        yield pause * random.uniform(0.5, 1.5)
        pause = min(2 * pause, _MAX_PAUSE)
