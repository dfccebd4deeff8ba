"""Questions to a broker whose answers are received between the deliveries.

py-amqp's own methods wait for the answer, and read every delivery that arrives before
it: with large messages, more than fits into memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from amqp import spec

from tcsniff.pulse.routing import Binding


class LengthInquiry:
    """The question how many messages wait in a queue.

    Attributes:
        is_pending: Whether the answer is not complete yet.
    """

    def __init__(self, channel: Any, prefetch: int) -> None:
        """Prepare the question.

        Args:
            channel: The channel of py-amqp that consumes the queue. A missing queue closes it.
            prefetch: The channel's prefetch, which the question sets again.
        """
        self.is_pending = False
        self._channel = channel
        self._prefetch = prefetch
        self._length = 0
        self._is_answered = False
        callbacks = channel._callbacks  # noqa: SLF001 - there is no other way
        callbacks[spec.Queue.DeclareOk] = self._on_length
        callbacks[spec.Basic.QosOk] = self._on_complete

    def ask(self, queue: str) -> None:
        """Ask; not while the last answer is pending."""
        self.is_pending = True
        flags = (True, False, False, False, False)  # passive, and the others
        self._channel.send_method(spec.Queue.Declare, "BsbbbbbF", (0, queue, *flags, {}))
        # The length may overtake deliveries; this answer comes after them.
        self._channel.send_method(spec.Basic.Qos, "lBb", (0, self._prefetch, False))

    def pop_answer(self) -> int | None:
        """Return the length, once for each question; None while there is no new answer.

        Every delivery that the queue made before the answer has been received.
        """
        if not self._is_answered:
            return None
        self._is_answered = False
        return self._length

    def _on_length(self, _queue: str, length: int, _consumers: int) -> None:
        self._length = length

    def _on_complete(self) -> None:
        self.is_pending, self._is_answered = False, True


class BindingInquiry:
    """The question whether bindings can be made, which makes them.

    Attributes:
        is_pending: Whether there is no answer yet.
    """

    def __init__(self, open_channel: Callable[[], Any]) -> None:
        """Prepare the question.

        Args:
            open_channel: Returns a new channel of py-amqp, without waiting until it is open.
        """
        self.is_pending = False
        self._open_channel = open_channel
        self._channel: Any = None
        self._failure: str | None = None

    def ask(self, queue: str, bindings: Iterable[Binding]) -> None:
        """Ask; not while the last answer is pending."""
        self.is_pending = True
        if self._channel is None:
            self._channel = self._open_channel()
            callbacks = self._channel._callbacks  # noqa: SLF001 - there is no other way
            callbacks[spec.Queue.DeclareOk] = self._on_success
            callbacks[spec.Channel.Close] = self._on_failure
        for exchange, pattern in bindings:
            self._channel.queue_bind(queue, exchange, pattern, nowait=True)
        flags = (True, False, False, False, False)  # passive, and the others
        self._channel.send_method(spec.Queue.Declare, "BsbbbbbF", (0, queue, *flags, {}))

    def pop_answer(self) -> str | None:
        """Return why it failed, or an empty text, once for each question; None without answer."""
        failure, self._failure = self._failure, None
        return failure

    def _on_success(self, *_arguments: object) -> None:
        self.is_pending, self._failure = False, ""

    def _on_failure(self, _code: int, text: str, *_method: int) -> None:
        self.is_pending, self._failure = False, text or "refused"
        self._channel.send_method(spec.Channel.CloseOk)
        self._channel.collect()
        self._channel = None
