"""Rows of events, in a form that is built quickly and small enough to keep 50,000 of them.

Pure, except that a row keeps what was found out about it. A row is built from the routing
key alone; what the message says is decoded when it is asked for. Messages are kept in
compressed blocks: of 64 together, one takes a fifth of the time and of the space that it
takes alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.exchanges import BY_ADDRESS, PLACEHOLDER
from tcsniff.pulse.records import replace_undecodable
from tcsniff.pulse.task_memory import mentions_tags
from tcsniff.pulse.times import parse_seconds
from tcsniff.renderers.columns import POOL, REASON, WORKER
from tcsniff.sanitize import sanitize

FAILURES = frozenset(("task-failed", "task-exception"))
"""The events that `e` jumps to."""
_BLOCK, _MAX_BYTES = 64, 128 << 10  # messages and bytes of a block, unless one is larger
_LEVEL = 1  # of zlib: a tenth of the time of the usual level, and a quarter more space
_MAX_SEARCHED = 1_000  # characters of a row that a filter looks at


class Block:
    """Messages that arrived together, compressed.

    Attributes:
        mean_size: The memory that a message takes, in bytes.
    """

    __slots__ = ("_data", "_latest", "mean_size")

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        try:
            data = _encode(deliveries)
        except UnicodeEncodeError:  # a name of a recording that is not valid Unicode
            data = _encode([replace_undecodable(delivery) for delivery in deliveries])
        self._data = zlib.compress(data, _LEVEL)
        self.mean_size = len(self._data) // len(deliveries)
        self._latest = parse_seconds(deliveries[-1].received)

    def unpack(self) -> list[Delivery]:
        """Return the messages."""
        return _decode(zlib.decompress(self._data))

    def is_before(self, seconds: float) -> bool:
        """Return whether all were received before a time, in seconds since the Unix epoch."""
        return self._latest is not None and self._latest < seconds


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Delivery]).decode
_unpack = lru_cache(maxsize=4)(Block.unpack)  # for rows that are drawn one after the other


class EventRow:
    """An event of the list.

    Attributes:
        name: The last part of the exchange's name, such as ``task-running``.
        task_id: The event's task; empty if it is about none.
        group_id: Its task group; empty if it is unknown.
        has_tags: Whether the message has tags of the task, and so its label.
        block: The block that the message is in.
    """

    __slots__ = (
        *("_label", "_place", "_searched"),
        *("block", "group_id", "has_tags", "name", "task_id"),
    )

    def __init__(
        self, name: str, task_id: str, group_id: str, block: Block, place: int, *, has_tags: bool
    ) -> None:
        self.name = name
        self.task_id = task_id
        self.group_id = group_id
        self.has_tags = has_tags
        self.block = block
        self._place = place
        self._label: str | None = None
        self._searched: str | None = None

    @property
    def is_failure(self) -> bool:
        """Whether a run failed or ended in exception."""
        return self.name in FAILURES

    @property
    def delivery(self) -> Delivery:
        """The message."""
        return _unpack(self.block)[self._place]

    @property
    def event(self) -> Event:
        """The event, which knows no other messages about its task."""
        return Event(self.delivery)

    @property
    def label(self) -> str:
        """The task's label, if the message has it; else empty."""
        if not self.has_tags:
            return ""
        if self._label is None:
            self._label = self.event.label
        return self._label

    @property
    def searched(self) -> str:
        """What a filter of words looks at, in lower case."""
        if self._searched is None:
            self.learn(self.event)
        return self._searched or ""

    @property
    def seconds(self) -> float:
        """When it happened, or else when it was received, in seconds since the Unix epoch.

        0 if neither is known.
        """
        event = self.event
        time = event.time or event.received
        return 0.0 if time is None else time.timestamp()

    def learn(self, event: Event) -> None:
        """Keep the label and what filters look at, so that no key has to wait for that.

        Args:
            event: The row's event.
        """
        if self.has_tags:
            self._label = event.label
        parts = (
            event.name,
            sanitize(self.label),
            POOL.text(event),
            WORKER.text(event),
            REASON.text(event),
            sanitize(event.routing_key),
        )
        self._searched = " ".join(parts)[:_MAX_SEARCHED].lower()


def build_rows(deliveries: Sequence[Delivery]) -> list[EventRow]:
    """Return the rows of messages that arrived together."""
    rows = []
    for part in _split(deliveries):
        block = Block(part)
        for place, (exchange, key, body, *_) in enumerate(part):
            name, at_task, at_group, shortest = _find_places(exchange)
            words = key.split(".") if at_task or at_group else ()
            is_known = len(words) >= shortest
            task_id = words[at_task] if at_task and is_known else ""
            group_id = words[at_group] if at_group and is_known else ""
            row = EventRow(
                name,
                task_id,
                "" if group_id == PLACEHOLDER else _share(group_id),
                block,
                place,
                has_tags=mentions_tags(body),
            )
            rows.append(row)
    return rows


def _split(deliveries: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    part: list[Delivery] = []
    size = 0
    for delivery in deliveries:
        length = len(delivery.body)
        if part and (len(part) == _BLOCK or size + length > _MAX_BYTES):
            yield part
            part, size = [], 0
        part.append(delivery)
        size += length
    if part:
        yield part


class _Places(NamedTuple):
    # Where the words of a routing key are; 0 for a word that it does not have.
    name: str
    task: int = 0
    group: int = 0
    shortest: int = 0  # the number of words of the shortest routing key


@lru_cache(maxsize=1_000)
def _find_places(address: str) -> _Places:
    name = address.rpartition("/")[2]
    exchange = BY_ADDRESS.get(address)
    if exchange is None:
        return _Places(name)
    # The fields before one of many words: of the messages about tasks, all but the last.
    many = next((place for place, field in enumerate(exchange.fields) if field.many), 0)
    names = [field.name for field in exchange.fields[:many]]
    task, group = (names.index(one) if one in names else 0 for one in ("taskId", "taskGroupId"))
    return _Places(name, task, group, len(exchange.fields) - 1)


@lru_cache(maxsize=4_096)
def _share(text: str) -> str:
    # One string for all rows that have it.
    return text
