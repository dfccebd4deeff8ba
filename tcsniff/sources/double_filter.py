"""Messages that arrive several times, through several subscriptions.

Pure.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from tcsniff.pulse.deliveries import Delivery

_MAX_REMEMBERED = 20_000  # messages


class DoubleFilter:
    """Recognises copies of a message that arrive through different subscriptions.

    Messages have no ID, so copies are equal messages of different subscriptions. A
    message that one subscription delivers twice was published twice.
    """

    def __init__(self) -> None:
        # How often each message was shown, and how often each subscription delivered it.
        self._seen: OrderedDict[int, tuple[int, dict[Hashable, int]]] = OrderedDict()

    def is_new(self, subscription: Hashable, delivery: Delivery) -> bool:
        """Return whether a delivery is not a copy of an earlier one."""
        key = hash(delivery[:3])
        shown, counts = self._seen.pop(key, (0, {}))
        count = counts[subscription] = counts.get(subscription, 0) + 1
        self._seen[key] = max(shown, count), counts
        if len(self._seen) > _MAX_REMEMBERED:
            self._seen.popitem(last=False)
        return count > shown
