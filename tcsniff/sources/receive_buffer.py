"""Deliveries between the frames that they arrive in and the batches that they leave in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.times import format_timestamp

MAX_BYTES = 16 << 20  # in the buffer, above which no more is read
MAX_BATCH_BYTES = 4 << 20  # of a batch of several; of a decoded one there are many copies
_OVERHEAD = 500  # bytes of memory that a delivery needs in addition to its body


class Receiver:
    """Receives what the broker delivers; this one ignores it."""

    def format_now(self) -> str | None:
        """Return the time for the deliveries that have just been read; None to leave it out."""
        return None

    def add(self, tags: Sequence[int], deliveries: Sequence[Delivery]) -> None:
        """Receive deliveries with their delivery tags."""

    def skip(self, tag: int, delivery: Delivery, size: int) -> None:
        """Receive a delivery that is too large.

        Args:
            tag: Its delivery tag.
            delivery: Everything but the body.
            size: Bytes of the body.
        """


class ReceiveBuffer(Receiver):
    """Deliveries with their tags, in order, until they are fetched.

    Attributes:
        deliveries: The deliveries.
        last_tag: The tag of the last delivery, also of one that was too large; 0 for none.
    """

    def __init__(
        self, clock: Callable[[], float], max_body: int, notify: Callable[[str], object]
    ) -> None:
        """Create an empty buffer.

        Args:
            clock: Returns the time of receipt, in seconds since the Unix epoch.
            max_body: The largest body in bytes, for the message about larger ones.
            notify: Receives a message about each delivery that is too large.
        """
        self.deliveries: list[Delivery] = []
        self.last_tag = 0
        self._bytes = 0
        self._tags: list[int] = []
        self._clock = clock
        self._max_body = max_body
        self._notify = notify
        self._cached_millisecond, self._cached_text = -1, ""

    @property
    def is_full(self) -> bool:
        """Whether it holds more bytes than `MAX_BYTES`, so that no more should be read."""
        return self._bytes >= MAX_BYTES

    def format_now(self) -> str:
        """Return the time; deliveries of the same millisecond share the text."""
        now = self._clock()
        millisecond = int(now * 1000)
        if millisecond != self._cached_millisecond:
            self._cached_millisecond, self._cached_text = millisecond, format_timestamp(now)
        return self._cached_text

    def add(self, tags: Sequence[int], deliveries: Sequence[Delivery]) -> None:
        """Add deliveries with their delivery tags."""
        self._tags += tags
        self.deliveries += deliveries
        self.last_tag = tags[-1]
        self._bytes += _measure(deliveries)

    def skip(self, tag: int, delivery: Delivery, size: int) -> None:
        """Report a delivery that is too large; it is acknowledged with those around it."""
        self.last_tag = tag
        self._notify(
            f"skipped a message of {size:,} bytes on {delivery.exchange} "
            f"({delivery.routing_key}); --max-size allows {self._max_body:,}"
        )

    def pop_batch(self, max_count: int) -> tuple[list[Delivery], list[int], int]:
        """Remove the first deliveries.

        Returns:
            At most `max_count` deliveries and `MAX_BATCH_BYTES`, but at least one if there
            is one; their tags; and the tag that acknowledges them together with the
            skipped deliveries among them.
        """
        count = len(self.deliveries)
        if count > max_count or self._bytes > MAX_BATCH_BYTES:
            count = _count_first(self.deliveries, max_count)
        if count == len(self.deliveries):
            batch, tags, last_tag = self.deliveries, self._tags, self.last_tag
            self.deliveries, self._tags, self._bytes = [], [], 0
            return batch, tags, last_tag
        batch, self.deliveries = self.deliveries[:count], self.deliveries[count:]
        tags, self._tags = self._tags[:count], self._tags[count:]
        self._bytes -= _measure(batch)
        return batch, tags, tags[-1]

    def pop_all(self) -> list[Delivery]:
        """Remove all deliveries, when none of them can be acknowledged any more."""
        deliveries, self.deliveries, self._tags = self.deliveries, [], []
        self.last_tag = self._bytes = 0
        return deliveries


def _measure(deliveries: Sequence[Delivery]) -> int:
    return sum([len(delivery.body) for delivery in deliveries]) + _OVERHEAD * len(deliveries)


def _count_first(deliveries: Sequence[Delivery], max_count: int) -> int:
    # Return how many deliveries are a batch.
    size = 0
    for count, delivery in enumerate(deliveries[:max_count]):
        size += len(delivery.body) + _OVERHEAD
        if size > MAX_BATCH_BYTES:
            return count or 1
    return min(len(deliveries), max_count)
