"""Events: deliveries, decoded as far as their parts are used.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any

from tcsniff.messages import Message, UntypedMessage, read_message
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import BY_ADDRESS, Exchange
from tcsniff.pulse.payloads import Run, get_path, to_run, to_tags
from tcsniff.pulse.records import decode_body, find_decode_error
from tcsniff.pulse.times import parse_timestamp

# The time of an event is a time of the run that it is about. Other messages of the
# queue contain no time: services/queue/src/exchanges.js.
_TIMES: dict[str, Callable[[Run], str | None]] = {
    "task-pending": lambda run: run.scheduled,
    "task-running": lambda run: run.started,
    "task-completed": lambda run: run.resolved,
    "task-failed": lambda run: run.resolved,
    "task-exception": lambda run: run.resolved,
}


class Event:
    """A message about something that happened, decoded when first used.

    Attributes:
        delivery: The message as delivered.
        earlier_body: The body of an earlier message that has tags of the same task, if
            this one has none; None if none is known.
    """

    earlier_body: bytes | None = None
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
    def routes(self) -> list[str] | None:
        """The task's routes, without ``route.``; None if the source cannot know them."""
        return self.delivery.routes

    @property
    def redelivered(self) -> bool:
        """Whether the broker has tried to deliver the message before."""
        return self.delivery.redelivered

    @property
    def name(self) -> str:
        """The last part of the exchange's name, such as ``task-running``."""
        return self.exchange.rpartition("/")[2]

    @property
    def known(self) -> Exchange | None:
        """The exchange in the catalog; None if the catalog does not have it."""
        return BY_ADDRESS.get(self.exchange)

    @property
    def service(self) -> str | None:
        """The publishing service, such as ``queue``; None if it is unknown."""
        return self.known.service if self.known else None

    @cached_property
    def routing(self) -> dict[str, str]:
        """The words of the routing key by field name; empty if they do not match the catalog."""
        return parse_routing_key(self.known, self.routing_key) if self.known else {}

    @property
    def payload(self) -> Any:
        """The decoded body; None if it is not JSON."""
        # Not a cached_property, which takes a lock in Python 3.11.
        try:
            return self._payload
        except AttributeError:
            self._payload, self._decode_error = decode_body(self.delivery.body)
            return self._payload

    @property
    def decode_error(self) -> str | None:
        """Why the body is not JSON; None if it is."""
        try:
            return self._decode_error
        except AttributeError:
            # The payload is not kept: most callers use only this.
            self._decode_error = find_decode_error(self.delivery.body)
            return self._decode_error

    @cached_property
    def message(self) -> Message | UntypedMessage:
        """The message as a typed value, such as `messages.TaskRunningMessage`.

        An `UntypedMessage` with the reason if the exchange has no type or the message
        does not fit it.
        """
        return read_message(self.exchange, self.delivery.body)

    @cached_property
    def received(self) -> datetime | None:
        """When tcsniff received the message; None if a recording does not say."""
        return parse_timestamp(self.delivery.received)

    @property
    def task_id(self) -> str:
        """The ID of the event's task, from the routing key; empty if there is none."""
        return self.routing.get("taskId", "")

    @property
    def tags(self) -> dict[str, Any]:
        """The task's tags, from this or an earlier message; empty if none are known."""
        own = get_path(self.payload, "task", "tags")
        if isinstance(own, dict) and own:
            return own
        if self.earlier_body is None:
            return {}
        earlier = get_path(decode_body(self.earlier_body)[0], "task", "tags")
        return earlier if isinstance(earlier, dict) else {}

    def with_earlier_tags(self) -> Event:
        """Return the same event with the known tags of its task in the payload."""
        event, payload = Event(self.delivery), self.payload
        event._decode_error = self.decode_error
        if isinstance(payload, dict):
            task = payload.get("task")
            fields = task if isinstance(task, dict) else {}
            payload = {**payload, "task": {**fields, "tags": self.tags}}
        event._payload = payload
        return event

    @cached_property
    def label(self) -> str:
        """The task's label, else its kind, from its tags; empty if it has neither."""
        tags = to_tags(self.tags)
        return tags.label or tags.kind or ""

    @cached_property
    def run(self) -> Run | None:
        """The run that the message is about; None if it is not about a run."""
        runs = get_path(self.payload, "status", "runs")
        if not isinstance(runs, list) or not runs:
            return None
        number = get_path(self.payload, "runId")
        if number is None and self.name == "task-exception":
            number = len(runs) - 1  # without a number, it is about the last run
        if number not in range(len(runs)):
            return None
        return to_run(runs[int(number)], int(number))

    @cached_property
    def time(self) -> datetime | None:
        """When the event happened; None if the message does not say."""
        if self.service == "worker-manager":
            return parse_timestamp(get_path(self.payload, "timestamp"))
        get_time = _TIMES.get(self.name)
        return parse_timestamp(get_time(self.run)) if get_time and self.run else None

    @property
    def lag(self) -> float | None:
        """Seconds between the event and its receipt; negative if clocks differ."""
        if self.time is None or self.received is None:
            return None
        return (self.received - self.time).total_seconds()


def parse_routing_key(exchange: Exchange, key: str) -> dict[str, str]:
    """Return the words of a routing key by field name; empty if they do not match the catalog."""
    # As Taskcluster's own library does: fields from the left, then from the right.
    # The field that may have many words gets the words between.
    words = key.split(".")
    many = next((index for index, field in enumerate(exchange.fields) if field.many), None)
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
