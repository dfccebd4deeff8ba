"""The demo: the simulator, published on kombu's in-memory transport and consumed from there.

That transport has its own topic matching and ignores CC, so each exchange is
bound with ``#`` and the selection is checked on arrival.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Self

from tcsniff.pipeline import FindFile, Source
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.routing import ANY_WORDS, Binding
from tcsniff.settings.brokers import Broker
from tcsniff.sources.consumer import Consumer
from tcsniff.sources.wakeup import WakeUp

STEP = 6.0  # simulated seconds that are published at a time
_BROKER = Broker("demo", "demo", 0, "demo", "", tls=False)


class Demo(Source):
    """A source of simulated deliveries, through the consumer that is used for brokers.

    The simulator sets the time of receipt, so that equal simulations give equal
    records.
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
        """Create a demo; entering it connects.

        Args:
            simulated: Deliveries with their times of arrival, in seconds since
                the Unix epoch, in order.
            exchanges: Names of the exchanges to listen to.
            pace: Simulated seconds per second.
            clock: Returns the time in seconds.
            sleep: Waits for seconds; None for a wait that `stop` ends.
        """
        self._simulated = iter(simulated)
        self._exchanges = list(dict.fromkeys(exchanges))
        self._step = STEP / pace
        self._clock = clock
        self._wake_up = WakeUp()
        self._sleep = sleep or self._wake_up.wait
        self._arrival_times: deque[float] = deque()
        self._consumer = Consumer(
            _BROKER,
            [Binding(exchange, ANY_WORDS) for exchange in self._exchanges],
            auto_ack=True,
            in_memory=True,
            max_wait=0,
            clock=self._arrival_times.popleft,
        )

    def __enter__(self) -> Self:
        self._consumer.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._consumer.__exit__(*exc_info)

    def batches(self) -> Iterator[Sequence[Delivery]]:
        """Yield what was published, step by step, at the pace."""
        yield ()
        consumed = self._consumer.batches()
        for step in self._iterate_steps():
            if self._wake_up.is_triggered:
                return
            self._publish_step(step)
            while batch := next(consumed):
                yield batch
            yield ()

    def stop(self) -> None:
        """Make `batches` end soon; safe to call in a signal handler."""
        self._wake_up.trigger()

    def watch(self, find_file: FindFile) -> None:
        """Let `batches` yield soon, whenever a file can be read while it waits."""
        self._wake_up.watch(find_file)

    def _iterate_steps(self) -> Iterator[list[tuple[float, Delivery]]]:
        # Yield the deliveries of each step of simulated time, when they are due.
        step: list[tuple[float, Delivery]] = []
        due = self._clock()
        end = None
        for arrival, delivery in self._simulated:
            end = arrival + STEP if end is None else end
            while arrival >= end:
                due += self._step
                while not self._wake_up.is_triggered and (left := due - self._clock()) > 0:
                    self._sleep(left)
                    yield []  # after a key
                yield step
                step = []
                end += STEP
            step.append((arrival, delivery))
        yield step

    def _publish_step(self, step: Sequence[tuple[float, Delivery]]) -> None:
        selected = [item for item in step if item[1].exchange in self._exchanges]
        self._arrival_times.extend(arrival for arrival, _ in selected)
        self._consumer.publish(delivery for _, delivery in selected)
