"""`listen`: events for programs.

The command line listens through the same `sources.pulse.Listener`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from tcsniff.errors import UsageError
from tcsniff.pipeline import ConnectionObserver
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.selection.select import Selection
from tcsniff.settings import brokers
from tcsniff.sources.consumer import PREFETCH, QUIET, Consumer, QueuePolicy


def listen(
    url: str | None,
    *selections: Selection,
    queue: str | None = None,
    prefetch: int = PREFETCH,
    auto_ack: bool = False,
    timeout: float | None = None,
    idle_timeout: float | None = None,
    on_gap: Callable[[Gap], None] | None = None,
    plaintext: bool = False,
) -> EventStream:
    """Listen to a broker.

    Args:
        url: ``amqps://USER:PASSWORD@HOST:PORT/VHOST``. What it leaves out of the
            account comes from the environment, ``PULSE_USERNAME`` and
            ``PULSE_PASSWORD``. None for ``TCSNIFF_BROKER`` or ``PULSE_URL``, or
            with the account alone for Mozilla's Firefox CI.
        selections: What to ask for, as `bind` says it.
        queue: Name, below ``queue/<user>/``, of a durable queue that is kept and
            shared by all who name it; None for a temporary one.
        prefetch: How many messages may be in our hands unacknowledged; 1 for
            one at a time.
        auto_ack: Whether the broker forgets each message as soon as it is sent.
        timeout: Seconds after which there are no more events; None for never.
        idle_timeout: Seconds without an event after which there are no more;
            None for never.
        on_gap: Is called after a lost connection was made again, with the time
            in which nothing could be heard; None for nobody.
        plaintext: Whether a password may go to another machine without TLS.

    Raises:
        UsageError: If the URL or the environment names no broker, or nothing is
            selected.
    """
    if not selections:
        raise UsageError("listen needs something to ask for: bind(...)")
    together = Selection(tuple(clause for one in selections for clause in one.clauses))
    waits = [QUIET, *(seconds for seconds in (timeout, idle_timeout) if seconds is not None)]
    listener = Consumer(
        brokers.build_broker(url, None, os.environ, plaintext=plaintext),
        together.bindings,
        keeping=QueuePolicy(name=queue),
        watch=_Gaps(on_gap),
        prefetch=prefetch,
        auto_ack=auto_ack,
        quiet=min(waits),
    )
    return EventStream(listener, together, timeout=timeout, idle_timeout=idle_timeout)


class _Gaps(ConnectionObserver):
    # Hands gaps on.

    def __init__(self, on_gap: Callable[[Gap], None] | None) -> None:
        self._on_gap = on_gap

    def add_gap(self, gap: Gap) -> None:
        if self._on_gap is not None:
            self._on_gap(gap)


class EventStream:
    """Events from a broker, one by one; `listen` makes it.

    A context manager, connected inside of it. An iterator of events: a message
    is acknowledged when the next is asked for; one that was handed out last,
    and all that follow, go back to the queue when the ``with`` block is left.
    """

    def __init__(
        self,
        listener: Consumer,
        selection: Selection,
        *,
        timeout: float | None,
        idle_timeout: float | None,
    ) -> None:
        """Nothing is connected yet; the arguments are those of `listen`."""
        self._listener = listener
        self._keep = None if selection.is_bound else selection.accepts()
        self._timeout = timeout
        self._idle_timeout = idle_timeout
        self._events = self._one_by_one()

    def __enter__(self) -> Self:
        """Connect, and bind the queue.

        Raises:
            ConnectionFailed: If the broker cannot be reached.
            Refused: If it refuses the login, the vhost, the queue or a binding.
            TlsError: If its certificate is not to be trusted.
        """
        self._listener.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    @property
    def queue(self) -> str:
        """The queue's full name."""
        return self._listener.queue

    def batches(self) -> Iterator[list[Event]]:
        """Hand out many at a time, instead of one by one.

        Asking for the next batch acknowledges the one before.

        Yields:
            All events that have arrived, at least one.

        Raises:
            Refused: If a lost connection cannot be made again.
            TlsError: The same.
        """
        for batch in self._timed():
            if batch:
                yield [event for _, event in batch]

    def stop(self) -> None:
        """End the events, after the one that is being taken; from any thread."""
        self._listener.stop()

    def _one_by_one(self) -> Iterator[Event]:
        for batch in self._timed():
            for place, event in batch:
                yield event
                self._listener.ack(place)
                if self._listener.stopped:
                    return

    def _timed(self) -> Iterator[list[tuple[int, Event]]]:
        # The events of each batch, each behind its place in it, counted from 1.
        started = latest = time.monotonic()
        for batch in self._listener.batches():
            kept = [
                (place, Event(delivery))
                for place, delivery in enumerate(batch, 1)
                if self._keep is None or self._keep(delivery)
            ]
            yield kept
            now = time.monotonic()
            latest = now if kept else latest
            if _is_over(self._timeout, now - started) or _is_over(
                self._idle_timeout, now - latest
            ):
                self._listener.ack(len(batch))
                return


def _is_over(limit: float | None, seconds: float) -> bool:
    return limit is not None and seconds >= limit
