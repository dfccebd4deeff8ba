"""The bindings of a queue: made in chunks, and made again while the queue is consumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

from tcsniff.errors import UsageError
from tcsniff.pulse.routing import Binding
from tcsniff.selection.describe import describe_bindings
from tcsniff.settings.brokers import MAX_NAME
from tcsniff.sources.connection import Connection
from tcsniff.sources.deadline import NEVER, Deadline
from tcsniff.sources.failures import NoExchange, find_missing_exchange

_CHUNK = 200  # bindings that are made before the broker is asked whether it has made them
_CHUNK_AGAIN = 200  # bindings that are made again at a time, so that it costs the broker little
_CHUNK_TIMEOUT = 45.0  # seconds for these; another client may have locked the broker's tables
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

        Raises:
            UsageError: If a name is longer than the protocol allows.
        """
        _check_names(bindings)
        self.missing_exchanges: list[str] = []
        self.exchanges = list(dict.fromkeys(binding.exchange for binding in bindings))
        self._bindings = bindings
        self._optional = optional
        self._notify = notify
        self._clock = clock
        self._next = 0  # the first binding that `ask_again` makes
        self._gone: list[str] = []  # exchanges that were deleted after they had been bound
        self._tried_gone = ""  # the one of these that was asked for; empty for none
        self._asked: dict[str, float] = {}  # exchanges that were asked for, with the time
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
        deadline: Deadline = NEVER,
    ) -> None:
        """Make all bindings, however many, as long as the broker makes progress.

        Args:
            connection: The connection.
            queue: The queue's name.
            now: The time, for `ask_again`.
            deadline: When to give up.

        Raises:
            TimedOut: If the deadline is over.
            ConnectionFailed: If the broker does not answer.
            NoExchange: If an exchange does not exist that is not optional, or none exists.
        """
        total, done, reported = len(self._bindings), 0, self._clock()
        if total >= _MANY:
            self._notify(f"making {total:,} bindings, which takes the broker some time")
        while done < total:
            chunk = self._bindings[done : done + _CHUNK]
            try:
                connection.bind(
                    queue,
                    [one for one in chunk if one.exchange not in self.missing_exchanges],
                    deadline.limit(_CHUNK_TIMEOUT),
                )
            except NoExchange as error:
                self._leave_out_missing(connection, error)
                continue
            done += len(chunk)
            progress = f"{done:,} of {total:,} bindings made"
            deadline.check(progress)
            if self._clock() - reported >= _PROGRESS_INTERVAL:
                reported = self._clock()
                self._notify(progress)
        self._gone.clear()
        self._bound_at = dict.fromkeys(self.exchanges, now)

    def ask_again(self, connection: Connection, queue: str, now: float) -> None:
        """Make some of the bindings again: an exchange that was deleted has none any more.

        The broker changes nothing where the binding exists, and does not say so. Each call
        continues where the last one ended.

        Args:
            connection: The connection that consumes.
            queue: The queue's name.
            now: The time.
        """
        bound = [one for one in self.bound if one.exchange not in self._gone]
        if self._gone and (self._tried_gone == "" or not bound):
            self._gone.append(self._gone.pop(0))
            tried = self._gone[-1]
            chunk = [one for one in self.bound if one.exchange == tried]
        else:
            tried = ""
            chunk = bound[self._next : self._next + _CHUNK_AGAIN]
        if connection.ask_bindings(queue, chunk):
            self._tried_gone = tried
            self._asked = {binding.exchange: now for binding in chunk}
            end = self._next + _CHUNK_AGAIN
            self._next = self._next if tried else 0 if end >= len(bound) else end

    def receive_answer(self, connection: Connection) -> list[tuple[str, float]]:
        """Receive the answer to `ask_again`, if there is one.

        Returns:
            The exchanges that were missing earlier and are bound again, with the time when
            they were bound last.
        """
        failure = connection.pop_bindings_answer()
        if failure is None:
            return []
        if failure:
            self._report_gone(failure)
            return []
        restored = [(name, self._bound_at[name]) for name in self._asked if name in self._gone]
        self._gone = [name for name in self._gone if name not in self._asked]
        self._bound_at.update(self._asked)
        return restored

    def _leave_out_missing(self, connection: Connection, error: NoExchange) -> None:
        missing = [name for name in self.exchanges if not connection.has_exchange(name)]
        is_allowed = set(missing) <= set(self._optional) and missing != self.exchanges
        if not is_allowed or missing == self.missing_exchanges:
            raise error
        self.missing_exchanges = missing

    def _report_gone(self, failure: str) -> None:
        name = find_missing_exchange(failure)
        if name in self._asked and name not in self._gone:
            self._gone.append(name)
            self._notify(
                f"the exchange {name} was deleted; its messages are missed until it is declared "
                "again"
            )


def _check_names(bindings: Sequence[Binding]) -> None:
    for exchange, pattern in bindings:
        for what, text in (("exchange", exchange), ("routing key pattern", pattern)):
            if len(text) * 4 > MAX_NAME and (size := len(text.encode())) > MAX_NAME:
                raise UsageError(
                    f"the {what} {text[:40]}… has {size:,} bytes; at most {MAX_NAME} are possible"
                )
