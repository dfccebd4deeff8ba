"""The bindings of a queue: made in chunks, and made again while the queue is consumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

from tcsniff.pulse.routing import Binding
from tcsniff.selection.describe import describe_bindings
from tcsniff.sources.connection import Connection, ignore
from tcsniff.sources.failures import NoExchange

_CHUNK = 500  # bindings that are made before the broker is asked whether it has made them
_CHUNK_AGAIN = 200  # bindings that are made again at a time, so that it costs the broker little
_MANY = 2_000  # bindings from which on it is reported that there are many
_PROGRESS_INTERVAL = 10.0  # seconds between two reports


class QueueBindings:
    """The bindings of a queue.

    Attributes:
        missing_exchanges: The optional exchanges that were left out because the broker
            does not have them.
    """

    def __init__(
        self,
        bindings: Sequence[Binding],
        optional: Collection[str],
        notify: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create the bindings; `bind_all` makes them.

        Args:
            bindings: The bindings.
            optional: Exchanges that may be missing, if there are others.
            notify: Receives messages for the user.
            clock: Returns seconds that never decrease.
        """
        self.missing_exchanges: list[str] = []
        self.exchanges = list(dict.fromkeys(binding.exchange for binding in bindings))
        self._bindings = bindings
        self._optional = optional
        self._notify = notify
        self._clock = clock
        self._next = 0  # the first binding that `bind_again` makes
        self._gone: set[str] = set()  # exchanges that were deleted after they had been bound
        self._bound_at: dict[str, float] = {}  # by exchange

    @property
    def bound(self) -> list[Binding]:
        """The bindings of the exchanges that the broker has."""
        return [one for one in self._bindings if one.exchange not in self.missing_exchanges]

    def describe_exchanges(self) -> str:
        """Return a short description of what is bound."""
        return describe_bindings(self._bindings)

    def bind_all(
        self,
        connection: Connection,
        queue: str,
        now: float = 0.0,
        check_time: Callable[[str], object] = ignore,
    ) -> None:
        """Make all bindings, however many, as long as the broker makes progress.

        Args:
            connection: The connection.
            queue: The queue's name.
            now: The time, for `bind_again`.
            check_time: Called between two chunks with what has been done; may raise an
                exception to stop.

        Raises:
            NoExchange: If an exchange does not exist that is not optional, or none exists.
        """
        total, done, reported = len(self._bindings), 0, self._clock()
        if total >= _MANY:
            self._notify(f"making {total:,} bindings, which takes the broker some time")
        while done < total:
            chunk = self._bindings[done : done + _CHUNK]
            try:
                connection.bind(
                    queue, [one for one in chunk if one.exchange not in self.missing_exchanges]
                )
            except NoExchange as error:
                self._leave_out_missing(connection, error)
                continue
            done += len(chunk)
            progress = f"{done:,} of {total:,} bindings made"
            check_time(progress)
            if self._clock() - reported >= _PROGRESS_INTERVAL:
                reported = self._clock()
                self._notify(progress)
        self._gone.clear()
        self._bound_at = dict.fromkeys(self.exchanges, now)

    def bind_again(
        self, connection: Connection, queue: str, now: float
    ) -> list[tuple[str, float]]:
        """Make some of the bindings again: an exchange that was deleted has none any more.

        The broker changes nothing where the binding exists, and does not say so. Each call
        continues where the last one ended.

        Args:
            connection: The connection.
            queue: The queue's name.
            now: The time.

        Returns:
            The exchanges that were missing at an earlier call and are bound again, with
            the time when they were bound last.
        """
        restored = {name for name in self._gone if connection.has_exchange(name)}
        bound = [one for one in self.bound if one.exchange not in self._gone]
        end = self._next + _CHUNK_AGAIN
        chunk = bound[self._next : end]
        self._next = 0 if end >= len(bound) else end
        chunk += [one for one in self.bound if one.exchange in restored]
        try:
            connection.bind(queue, chunk)
        except NoExchange:
            self._report_gone(connection)
            return []
        since = [(name, self._bound_at[name]) for name in restored]
        self._gone -= restored
        self._bound_at.update((binding.exchange, now) for binding in chunk)
        return since

    def _leave_out_missing(self, connection: Connection, error: NoExchange) -> None:
        missing = [name for name in self.exchanges if not connection.has_exchange(name)]
        is_allowed = set(missing) <= set(self._optional) and missing != self.exchanges
        if not is_allowed or missing == self.missing_exchanges:
            raise error
        self.missing_exchanges = missing

    def _report_gone(self, connection: Connection) -> None:
        for name in self.exchanges:
            is_known = name in self.missing_exchanges or name in self._gone
            if not is_known and not connection.has_exchange(name):
                self._gone.add(name)
                self._notify(
                    f"the exchange {name} was deleted; its messages are missed until it is "
                    "declared again"
                )
