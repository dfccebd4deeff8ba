"""A terminal in memory, for tests of renderers."""

from __future__ import annotations


class MemoryTerminal:
    """A terminal that keeps what was written, write by write."""

    def __init__(self):
        self.writes = []

    def isatty(self):
        """It is one."""
        return True

    def write(self, data):
        """Keep the data."""
        self.writes.append(data)

    def flush(self):
        """Nothing is held back."""
