"""The demo: the simulator, published on kombu's in-memory transport and consumed from there.

That transport matches topics in its own way and knows no CC: each exchange is
bound with ``#``, and what was selected is decided on arrival.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from tcsniff.pipeline import Source
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.routing import ANY_WORDS, Binding
from tcsniff.settings.brokers import Broker
from tcsniff.sources.consumer import Consumer
from tcsniff.sources.wakeup import WakeUp

STEP = 6.0  # simulated seconds that are published at a time
_BROKER = Broker("demo", "demo", 0, "demo", "", tls=False)


class Demo(Source):
    """A source of simulated deliveries, through the consumer that also listens to brokers.

    Each is received when the simulator says, so that equal simulations give
    equal records.
    """

    def __init__(
        self,
        simulated: Iterable[tuple[float, Delivery]],
        exchanges: Iterable[str],
        *,
        pace: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        """Nothing happens yet.

        Args:
            simulated: Deliveries, each with the time in seconds since the Unix
                epoch when it arrives, in order.
            exchanges: Names of those to listen to.
            pace: Simulated seconds a second.
            clock: Tells the time, in seconds.
            sleep: Waits, in seconds; None for a wait that `stop` ends.
        """
        self._simulated = iter(simulated)
        self._exchanges = list(dict.fromkeys(exchanges))
        self._step = STEP / pace
        self._clock = clock
        self._alarm = WakeUp()
        self._sleep = sleep or self._alarm.wait
        self._times: deque[float] = deque()
        self._listener = Consumer(
            _BROKER,
            [Binding(exchange, ANY_WORDS) for exchange in self._exchanges],
            auto_ack=True,
            in_memory=True,
            quiet=0,
            clock=self._times.popleft,
        )

    def __enter__(self) -> Self:
        self._listener.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.__exit__(kind, error, trace)

    def batches(self) -> Iterator[Sequence[Delivery]]:
        """Hand out what was published, step by step, at the pace."""
        yield ()
        arrived = self._listener.batches()
        for step in self._steps():
            if self._alarm.rung:
                return
            self._publish(step)
            while batch := next(arrived):
                yield batch
            yield ()

    def ack(self, taken: int) -> None:
        """Nothing here is acknowledged."""

    def stop(self) -> None:
        """Have `batches` end soon; also from a signal handler."""
        self._alarm.ring()

    def _steps(self) -> Iterator[list[tuple[float, Delivery]]]:
        # What falls into each step of simulated time, when its time has come.
        step: list[tuple[float, Delivery]] = []
        due = self._clock()
        end = None
        for when, delivery in self._simulated:
            end = when + STEP if end is None else end
            while when >= end:
                due += self._step
                self._sleep(max(0.0, due - self._clock()))
                yield step
                step = []
                end += STEP
            step.append((when, delivery))
        yield step

    def _publish(self, step: Sequence[tuple[float, Delivery]]) -> None:
        heard = [(when, one) for when, one in step if one.exchange in self._exchanges]
        self._times.extend(when for when, _ in heard)
        self._listener.publish(delivery for _, delivery in heard)
