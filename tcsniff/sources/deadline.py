"""The time when connecting has to be given up."""

from __future__ import annotations

import time

from tcsniff.errors import TimedOut


class Deadline:
    """A time when `--timeout` ends a run that does not listen yet."""

    def __init__(self, end: float | None = None) -> None:
        """Create a deadline.

        Args:
            end: The time, by the monotonic clock; None for never.
        """
        self._end = end

    def limit(self, seconds: float) -> float:
        """Return these seconds, or those that are left if they are fewer; never 0."""
        return seconds if self._end is None else max(0.01, min(seconds, self._get_left()))

    def check(self, progress: str) -> None:
        """Check whether there is time left.

        Args:
            progress: What has been done, for the message.

        Raises:
            TimedOut: If there is none.
        """
        if self._end is not None and self._get_left() <= 0:
            raise TimedOut(f"stopped by --timeout, {progress}")

    def _get_left(self) -> float:
        return 0.0 if self._end is None else self._end - time.monotonic()


NEVER = Deadline()
"""No limit."""
