"""Events that ``top`` receives and does not count.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from tcsniff.pulse.exchanges import BY_ADDRESS

_MAX_NAMES = 100  # a recording can name any number of exchanges
_OTHERS = "(others)"


class UncountedEvents:
    """Numbers of events by EVENT, or by exchange if it is not in the catalog."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    @property
    def numbers(self) -> Mapping[str, int]:
        """The numbers, in the order in which the events came first."""
        return self._numbers

    def add(self, address: str) -> None:
        """Count an event of an exchange, by its name on the broker."""
        known = BY_ADDRESS.get(address)
        name = address if known is None else known.name
        if name not in self._numbers and len(self._numbers) >= _MAX_NAMES:
            name = _OTHERS
        self._numbers[name] = self._numbers.get(name, 0) + 1
