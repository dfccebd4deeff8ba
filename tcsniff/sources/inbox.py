"""What has arrived from a broker and was not yet handed out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.times import stamp
from tcsniff.sources.frames import Receiver


class Inbox(Receiver):
    """Keeps deliveries with their tags, in order.

    Attributes:
        arrived: The deliveries.
    """

    def __init__(
        self, clock: Callable[[], float], most: int, tell: Callable[[str], object]
    ) -> None:
        """Nothing has arrived yet.

        Args:
            clock: Tells when messages are received, in seconds since the Unix
                epoch.
            most: The largest body in bytes, for the telling.
            tell: Is told of larger messages.
        """
        self.arrived: list[Delivery] = []
        self._tags: list[int] = []
        self._last = 0  # the tag of what came last, also of what was too large
        self._clock = clock
        self._most = most
        self._tell = tell
        self._stamped = (-1, "")

    def stamp(self) -> str:
        """Tell the time; the same text serves all that comes within a millisecond."""
        now = self._clock()
        if int(now * 1000) != self._stamped[0]:
            self._stamped = int(now * 1000), stamp(now)
        return self._stamped[1]

    def take(self, tags: Sequence[int], deliveries: Sequence[Delivery]) -> None:
        """Take deliveries in, with their delivery tags."""
        self._tags += tags
        self.arrived += deliveries
        self._last = tags[-1]

    def pass_over(self, tag: int, delivery: Delivery, size: int) -> None:
        """Tell of a delivery that is too large; it is done with as soon as those around it."""
        self._last = tag
        self._tell(
            f"a message of {size:,} bytes on {delivery.exchange} passed over "
            f"({delivery.routing_key}); --max-size allows {self._most:,}"
        )

    def cut(self, number: int) -> tuple[list[Delivery], list[int], int]:
        """Hand out the first deliveries.

        Args:
            number: How many at most.

        Returns:
            They; their tags; and the tag up to which all is done with when they
            are: what was too large came in between.
        """
        if len(self.arrived) <= number:
            batch, tags, last = self.arrived, self._tags, self._last
            self.arrived, self._tags = [], []
            return batch, tags, last
        batch, self.arrived = self.arrived[:number], self.arrived[number:]
        tags, self._tags = self._tags[:number], self._tags[number:]
        return batch, tags, tags[-1]

    def clear(self) -> list[Delivery]:
        """Hand out all, when nothing of it can be acknowledged any more."""
        arrived, self.arrived, self._tags, self._last = self.arrived, [], [], 0
        return arrived
