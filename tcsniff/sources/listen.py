"""The function `listen`: events for other programs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Self

from tcsniff.errors import UsageError
from tcsniff.pipeline import ConnectionObserver
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.events import Event
from tcsniff.selection.select import Selection
from tcsniff.settings import brokers
from tcsniff.settings.web_server import WebServer
from tcsniff.sources.consumer import MAX_WAIT, PREFETCH, Consumer
from tcsniff.sources.queue_policy import QueuePolicy
from tcsniff.sources.websocket import WebListener

_MAX_PREFETCH = 65_535  # 16 bits in the protocol


def listen(
    url: str | WebServer | None,
    *selections: Selection,
    queue: str | None = None,
    prefetch: int = PREFETCH,
    auto_ack: bool = False,
    timeout: float | None = None,
    idle_timeout: float | None = None,
    on_gap: Callable[[Gap], None] | None = None,
    plaintext: bool = False,
) -> EventStream:
    """Listen to a broker, or through a web server.

    Args:
        url: ``amqps://USER:PASSWORD@HOST:PORT/VHOST``. A user name or password
            that it leaves out comes from the environment, ``PULSE_USERNAME`` and
            ``PULSE_PASSWORD``. None for the URL in ``TCSNIFF_BROKER`` or
            ``PULSE_URL``, or for Mozilla's Firefox CI if only the account is set.
            `web` returns what needs no account; there, routes are unknown, and a lost
            connection is a gap.
        selections: The events to receive, each made by `bind`.
        queue: Name, below ``queue/<user>/``, of a durable queue that is kept and
            shared by all programs that use the name; None for a temporary one.
        prefetch: How many messages may be received before they are
            acknowledged; 1 for one at a time.
        auto_ack: Whether the broker forgets each message when it sends it.
        timeout: Seconds after which the events end; None for never.
        idle_timeout: Seconds without an event after which the events end; None
            for never.
        on_gap: Called after a lost connection was restored, with the time during
            which no messages were received.
        plaintext: Whether a password may go to another machine without TLS.

    Raises:
        UsageError: If the URL or the environment names no broker, nothing is
            selected, an argument is out of range, or one needs a broker.
    """
    if not 1 <= prefetch <= _MAX_PREFETCH:
        raise UsageError(f"prefetch is {prefetch}; use 1 to {_MAX_PREFETCH:,}")
    if not selections:
        raise UsageError("listen() needs a selection; add bind(...)")
    clauses = tuple(clause for selection in selections for clause in selection.clauses)
    selection = Selection(clauses)
    timeouts = [seconds for seconds in (timeout, idle_timeout) if seconds is not None]
    if isinstance(url, WebServer):
        if queue is not None or auto_ack or prefetch != PREFETCH:
            raise UsageError(
                "queue, prefetch and auto_ack need a broker: a web server keeps no queue"
            )
        listener = WebListener(
            url,
            selection,
            observer=_GapObserver(on_gap),
            max_wait=min([MAX_WAIT, *timeouts]),
        )
        return EventStream(listener, None, timeout=timeout, idle_timeout=idle_timeout)
    consumer = Consumer(
        brokers.build_broker(url, None, os.environ, plaintext=plaintext),
        selection.bindings,
        queue_policy=QueuePolicy(name=queue),
        observer=_GapObserver(on_gap),
        prefetch=prefetch,
        auto_ack=auto_ack,
        max_wait=min([MAX_WAIT, *timeouts]),
    )
    accepts = None if selection.is_bound else selection.accepts()
    return EventStream(consumer, accepts, timeout=timeout, idle_timeout=idle_timeout)


class _GapObserver(ConnectionObserver):
    def __init__(self, on_gap: Callable[[Gap], None] | None) -> None:
        self._on_gap = on_gap

    def add_gap(self, gap: Gap) -> None:
        if self._on_gap is not None:
            self._on_gap(gap)


class EventStream:
    """Events from a broker or a web server, one by one; created by `listen`.

    A context manager that connects on entry, and an iterator of events. A message
    is acknowledged when the next event is asked for; the last one that was
    yielded, and all after it, return to the queue when the ``with`` block ends.
    """

    def __init__(
        self,
        consumer: Consumer | WebListener,
        accepts: Callable[[Delivery], bool] | None,
        *,
        timeout: float | None,
        idle_timeout: float | None,
    ) -> None:
        """Create a stream; see `listen` for the other arguments.

        Args:
            consumer: The source.
            accepts: Checks whether a delivery is selected; None selects all.
            timeout: Seconds after which the events end.
            idle_timeout: Seconds without an event after which the events end.
        """
        self._consumer = consumer
        self._accepts = accepts
        self._timeout = timeout
        self._idle_timeout = idle_timeout
        self._events = self._iterate_events()

    def __enter__(self) -> Self:
        """Connect, and bind the queue.

        Raises:
            ConnectionFailed: If the broker cannot be reached.
            Refused: If it refuses the login, the vhost, the queue or a binding.
            TlsError: If its certificate cannot be trusted.
        """
        self._consumer.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._consumer.__exit__(*exc_info)

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    @property
    def queue(self) -> str:
        """The queue's full name; empty for a web server, which keeps none for us."""
        return self._consumer.queue

    def batches(self) -> Iterator[list[Event]]:
        """Yield many events at a time, instead of one by one.

        Asking for the next batch acknowledges the last one.

        Yields:
            All events that have arrived, at least one.

        Raises:
            Refused: If a lost connection cannot be restored.
            TlsError: The same.
        """
        for batch in self._select_batches():
            if batch:
                yield [event for _, event in batch]

    def stop(self) -> None:
        """End the events after the current one; for any thread."""
        self._consumer.stop()

    def _iterate_events(self) -> Iterator[Event]:
        for batch in self._select_batches():
            for position, event in batch:
                yield event
                self._consumer.ack(position)
                if self._consumer.is_stopped:
                    return

    def _select_batches(self) -> Iterator[list[tuple[int, Event]]]:
        # Yield the selected events of each batch with their positions in it, from 1.
        started = latest = time.monotonic()
        for batch in self._consumer.batches():
            selected = [
                (position, Event(delivery))
                for position, delivery in enumerate(batch, 1)
                if self._accepts is None or self._accepts(delivery)
            ]
            yield selected
            now = time.monotonic()
            latest = now if selected else latest
            if _is_over(self._timeout, now - started) or _is_over(
                self._idle_timeout, now - latest
            ):
                self._consumer.ack(len(batch))
                return


def _is_over(timeout: float | None, seconds: float) -> bool:
    return timeout is not None and seconds >= timeout
