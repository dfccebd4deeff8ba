"""Events: what we make of a delivery.

Pure. Nothing is decoded before somebody looks at it.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any

from tcsniff.messages import Message, UntypedMessage, read_message
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import BY_ADDRESS, Exchange
from tcsniff.pulse.records import decode_body, find_decode_error
from tcsniff.pulse.times import parse_timestamp

# When it happened, in the run that a message is about. The others carry no
# time of their own: services/queue/src/exchanges.js.
_TIME_OF = {
    "task-pending": "scheduled",
    "task-running": "started",
    "task-completed": "resolved",
    "task-failed": "resolved",
    "task-exception": "resolved",
}


class Event:
    """A message about something that happened, decoded as far as it is looked at.

    Attributes:
        delivery: What it is made from.
    """

    _payload: Any
    _decode_error: str | None

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery

    def __repr__(self) -> str:
        return f"<Event {self.name} {self.routing_key}>"

    @property
    def exchange(self) -> str:
        """The exchange's name on the broker."""
        return self.delivery.exchange

    @property
    def routing_key(self) -> str:
        """The primary routing key."""
        return self.delivery.routing_key

    @property
    def routes(self) -> list[str]:
        """The task's own routes, without ``route.``."""
        return self.delivery.routes

    @property
    def redelivered(self) -> bool:
        """Whether the broker has tried to deliver the message before."""
        return self.delivery.redelivered

    @property
    def name(self) -> str:
        """What happened: the last part of the exchange's name, such as ``task-running``."""
        return self.exchange.rpartition("/")[2]

    @property
    def known(self) -> Exchange | None:
        """The exchange's row in the catalog; None if it is not there."""
        return BY_ADDRESS.get(self.exchange)

    @property
    def service(self) -> str | None:
        """The publishing service, such as ``queue``; None if the catalog lacks the exchange."""
        return self.known.service if self.known else None

    @cached_property
    def routing(self) -> dict[str, str]:
        """The words of the routing key by field name; empty if they do not fit the catalog."""
        return _parse_routing_key(self.known, self.routing_key) if self.known else {}

    @property
    def payload(self) -> Any:
        """The decoded body; None if it is no JSON."""
        # Not a cached_property, which takes a lock in Python 3.11.
        try:
            return self._payload
        except AttributeError:
            self._payload, self._decode_error = decode_body(self.delivery.body)
            return self._payload

    @property
    def decode_error(self) -> str | None:
        """Why the body is no JSON; None if it is."""
        try:
            return self._decode_error
        except AttributeError:
            # The payload is not kept: most that ask for this ask for nothing else.
            self._decode_error = find_decode_error(self.delivery.body)
            return self._decode_error

    @cached_property
    def message(self) -> Message | UntypedMessage:
        """The message as a value of its type, such as `messages.TaskRunningMessage`.

        An `UntypedMessage` with the reason if it does not fit that type, or its
        exchange has none.
        """
        return read_message(self.exchange, self.delivery.body)

    @cached_property
    def received(self) -> datetime | None:
        """When it reached us; None if nobody wrote that down."""
        return parse_timestamp(self.delivery.received)

    @property
    def task_id(self) -> str:
        """The task that it is about, from the routing key; empty if it is about none."""
        return self.routing.get("taskId", "")

    @cached_property
    def label(self) -> str:
        """The task's label, by taskgraph's convention, or its kind; empty if it has neither."""
        tags = get_path(self.payload, "task", "tags")
        for name in ("label", "kind"):
            if isinstance(text := get_path(tags, name), str) and text:
                return text
        return ""

    @cached_property
    def run(self) -> dict[str, Any]:
        """The run that the message is about, as it is in the task's status; empty if none."""
        number = get_path(self.payload, "runId")
        runs = get_path(self.payload, "status", "runs")
        if not isinstance(runs, list) or not runs:
            return {}
        if number is None:
            # Priority changes and definitions are about no run; an exception
            # without a number is about the last one.
            run = runs[-1] if self.name == "task-exception" else None
        else:
            run = get_path(dict(enumerate(runs)), number)
        return run if isinstance(run, dict) else {}

    @cached_property
    def time(self) -> datetime | None:
        """When it happened, from the run it is about; None if the message does not tell."""
        if self.service == "worker-manager":
            return parse_timestamp(get_path(self.payload, "timestamp"))
        return parse_timestamp(self.run.get(_TIME_OF.get(self.name, "")))

    @property
    def lag(self) -> float | None:
        """Seconds from when it happened to when it reached us; negative if clocks differ."""
        if self.time is None or self.received is None:
            return None
        return (self.received - self.time).total_seconds()


def get_path(value: object, *path: object) -> Any:
    """Look into decoded JSON of any shape.

    Args:
        value: Decoded JSON.
        path: Keys of objects, from the outside in.

    Returns:
        What is there; None if nothing is, or an object is something else.
    """
    for key in path:
        if not isinstance(value, dict):
            return None
        try:
            value = value.get(key)
        except TypeError:  # a key that is a list or an object, from a message
            return None
    return value


def _parse_routing_key(exchange: Exchange, key: str) -> dict[str, str]:
    # As Taskcluster's own library does: fields from the left, then from the
    # right, and the one that may be many words has what is left between.
    words = key.split(".")
    many = next((place for place, field in enumerate(exchange.fields) if field.many), None)
    if many is None:
        if len(words) != len(exchange.fields):
            return {}
        return {field.name: word for field, word in zip(exchange.fields, words, strict=True)}
    right = len(exchange.fields) - many - 1
    if len(words) < many + right:
        return {}
    end = len(words) - right
    values = [*words[:many], ".".join(words[many:end]), *words[end:]]
    return {field.name: word for field, word in zip(exchange.fields, values, strict=True)}
