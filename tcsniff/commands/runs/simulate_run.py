"""A run of `simulate`: messages out to a broker, at their time.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import gzip
import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from tcsniff.errors import ConnectionFailed, OutputError, Refused
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import CATALOG
from tcsniff.renderers.output import Output
from tcsniff.settings.brokers import Broker
from tcsniff.signals import signal_handler
from tcsniff.simulator.pacing import Pace
from tcsniff.simulator.planning import Plan, format_task_graph
from tcsniff.sources.publisher import Publisher
from tcsniff.sources.wakeup import WakeUp

_SLACK = 0.01  # seconds that a message may be early, so that waits are worth their while
_LATE = 0.1  # seconds after which time is taken for lost
_GOODBYE = 2.0  # seconds for what is on its way when it ends early

Timed = Iterable[tuple[float, Delivery]]
"""Messages, each with when it is due, in seconds since the Unix epoch, in order."""


class SimulateRun:
    """Publishes, and tells which task groups begin."""

    def __init__(self, broker: Broker, pace: Pace, notify: Callable[[str], None]) -> None:
        """Nothing is connected yet.

        Args:
            broker: Where to publish.
            pace: When messages are due.
            notify: Tells the person something.
        """
        self._broker = broker
        self._pace = pace
        self._notify = notify
        self._output = Output()
        self._alarm = WakeUp()
        self._publisher = Publisher(broker, self._alarm)
        self._groups: set[str] = set()
        self._started = time.monotonic()

    def of(self, messages: Timed, *, seed: int, delay: float) -> int:
        """Publish all, or until a signal ends it.

        Args:
            messages: What to publish.
            seed: What they were made of.
            delay: Seconds between the first id and the first message.

        Returns:
            The exit status.

        Raises:
            UsageError: If the broker is on another machine.
            ConnectionFailed: If it cannot be reached, or the connection is lost.
            Refused: If it refuses the login, an exchange or a message.
            OutputClosed: If nobody reads the ids any more.
        """
        publisher = self._publisher
        with closing(publisher):
            publisher.open()
            publisher.provide(one.address for one in CATALOG if one.service == "queue")
            self._notify(f"publishing to {self._broker}, seed {seed}; Ctrl-C ends")
            try:
                with signal_handler.deferred(self._alarm.ring, self._report):
                    self._perform_and_leave(messages, delay)
            except ConnectionFailed as error:
                raise ConnectionFailed(f"{error}; {self._worded()}") from error
        if publisher.refused:
            raise Refused(
                f"{self._broker} refused {publisher.refused:,} messages, as for a queue that is "
                "full"
            )
        return signal_handler.exit_status if signal_handler.received is not None else 0

    def _perform_and_leave(self, messages: Timed, delay: float) -> None:
        try:
            self._perform(iter(messages), delay)
        except (KeyboardInterrupt, SystemExit):  # while our output was blocked
            self._leave()
            raise
        self._leave()

    def _perform(self, messages: Iterator[tuple[float, Delivery]], delay: float) -> None:
        first = next(messages)  # there is one: every group has tasks
        self._tell_group(first[1])
        self._publisher.rest(delay)
        start = self._started = time.monotonic()
        for when, delivery in itertools.chain([first], messages):
            left = start + self._pace.due(when) - time.monotonic()
            if left > _SLACK:
                self._publisher.rest(left)
            elif left < -_LATE:
                self._pace.slip(-left)
            if self._alarm.rung:
                return
            self._tell_group(delivery)
            self._publisher.publish([delivery])

    def _leave(self) -> None:
        # See what is out to its end, within reason.
        if signal_handler.received is not None:
            self._publisher.patience = _GOODBYE
        try:
            self._publisher.settle()
        except ConnectionFailed:
            if signal_handler.received is None:
                raise
        self._notify(self._worded())

    def _tell_group(self, delivery: Delivery) -> None:
        words = delivery.routing_key.split(".")
        group = words[8] if len(words) > 8 else words[1]  # keys of tasks and of groups
        if group not in self._groups:
            self._groups.add(group)
            self._output.write(f"{group}\n".encode())

    def _worded(self) -> str:
        sent, confirmed = self._publisher.sent, self._publisher.confirmed
        taken = time.monotonic() - self._started
        all_of = "all" if confirmed == sent else f"{confirmed:,}"
        messages = f"{sent:,} message{'s' * (sent != 1)}"
        groups = f"{len(self._groups):,} task group{'s' * (len(self._groups) != 1)}"
        return f"{messages} of {groups} published in {taken:.1f} s, {all_of} confirmed"

    def _report(self) -> str:
        return f"tcsniff: {self._worded()}\n"


def write_graph_file(path: str, plans: Iterable[Plan]) -> None:
    """Write a graph file.

    Args:
        path: Its name; one that ends in ``.gz`` is compressed.
        plans: The task groups in it.

    Raises:
        OutputError: If it cannot be written.
    """
    text = format_task_graph(plans)
    try:
        Path(path).write_bytes(gzip.compress(text) if path.endswith(".gz") else text)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OutputError(f"cannot write {path}: {reason}") from error
