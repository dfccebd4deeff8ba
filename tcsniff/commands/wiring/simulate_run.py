"""A run of `simulate`: publishes messages to a broker when they are due.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import gzip
import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

from tcsniff.errors import ConnectionFailed, OutputError, Refused
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import CATALOG, WORKER_EVENTS
from tcsniff.renderers.output import Output
from tcsniff.renderers.output_files import replace_file
from tcsniff.settings.brokers import Broker
from tcsniff.signals import signal_handler
from tcsniff.simulator.pacing import Pace
from tcsniff.simulator.planning import Plan, format_task_graph
from tcsniff.sources.publisher import Publisher
from tcsniff.sources.wakeup import WakeUp

_MAX_EARLY = 0.01  # seconds; shorter waits are not worth it
_MAX_LATE = 0.1  # seconds; after that, later messages are delayed, too
_EXIT_PATIENCE = 2.0  # seconds to wait for confirmations after a signal

_ABOUT_GROUPS = {exchange.address for exchange in CATALOG if exchange.service == "queue"}

Timed = Iterable[tuple[float, Delivery]]
"""Messages, each with when it is due, in seconds since the Unix epoch, in order."""


class SimulateRun:
    """Publishes messages, and prints the ID of each task group that begins."""

    def __init__(self, broker: Broker, pace: Pace, notify: Callable[[str], None]) -> None:
        """Create a run that is not connected yet.

        Args:
            broker: Where to publish.
            pace: When messages are due.
            notify: Prints a message.
        """
        self._broker = broker
        self._pace = pace
        self._notify = notify
        self._output = Output()
        self._wake_up = WakeUp()
        self._publisher = Publisher(broker, self._wake_up, notify=notify)
        self._groups: set[str] = set()
        self._started = time.monotonic()

    def run(self, messages: Timed, *, seed: int, delay: float) -> int:
        """Publish all messages, or until a signal.

        Args:
            messages: The messages.
            seed: Their seed.
            delay: Seconds between the first ID and the first message.

        Returns:
            The exit status.

        Raises:
            UsageError: If the broker is on another machine.
            ConnectionFailed: If it cannot be reached, or the connection is lost.
            Refused: If it refuses the user, an exchange or a message.
            OutputClosed: If the reader of the IDs went away.
        """
        publisher = self._publisher
        with closing(publisher):
            publisher.open()
            publisher.ensure_exchanges(
                exchange.address
                for exchange in CATALOG
                if exchange.service == "queue" or exchange.name in WORKER_EVENTS
            )
            self._notify(f"publishing to {self._broker}, seed {seed}; Ctrl-C ends")
            try:
                with signal_handler.deferred(self._wake_up.trigger, self._report):
                    self._publish_all(messages, delay)
            except ConnectionFailed as error:
                raise ConnectionFailed(f"{error}; {self._format_counts()}") from error
        if publisher.refused:
            raise Refused(
                f"{self._broker} refused {publisher.refused:,} messages; a queue may be full"
            )
        return signal_handler.exit_status if signal_handler.received is not None else 0

    def _publish_all(self, messages: Timed, delay: float) -> None:
        try:
            self._publish(iter(messages), delay)
        except (KeyboardInterrupt, SystemExit):  # while our output was blocked
            self._finish()
            raise
        self._finish()

    def _publish(self, messages: Iterator[tuple[float, Delivery]], delay: float) -> None:
        first = next(messages)  # exists, because every group has tasks
        self._print_group(first[1])
        self._publisher.idle(delay)
        start = self._started = time.monotonic()
        for when, delivery in itertools.chain([first], messages):
            left = start + self._pace.due(when) - time.monotonic()
            if left > _MAX_EARLY:
                self._publisher.idle(left)
            elif left < -_MAX_LATE:
                self._pace.slip(-left)
            if self._wake_up.is_triggered:
                return
            self._print_group(delivery)
            self._publisher.publish([delivery])

    def _finish(self) -> None:
        # Wait for confirmations, but not for long after a signal.
        if signal_handler.received is not None:
            self._publisher.confirm_timeout = _EXIT_PATIENCE
            self._wake_up.trigger()  # the signal may have come while our output was blocked
        try:
            self._publisher.await_confirms()
        except ConnectionFailed:
            if signal_handler.received is None:
                raise
        self._notify(self._format_counts())

    def _print_group(self, delivery: Delivery) -> None:
        if delivery.exchange not in _ABOUT_GROUPS:
            return
        words = delivery.routing_key.split(".")
        group = words[8] if len(words) > 8 else words[1]  # keys of tasks and of groups
        if group not in self._groups:
            self._groups.add(group)
            self._output.write(f"{group}\n".encode())

    def _format_counts(self) -> str:
        sent, confirmed = self._publisher.sent, self._publisher.confirmed
        taken = time.monotonic() - self._started
        all_of = "all" if confirmed == sent else f"{confirmed:,}"
        messages = f"{sent:,} message{'s' * (sent != 1)}"
        groups = f"{len(self._groups):,} task group{'s' * (len(self._groups) != 1)}"
        return f"{messages} of {groups} published in {taken:.1f} s, {all_of} confirmed"

    def _report(self) -> str:
        return f"tcsniff: {self._format_counts()}\n"


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
        replace_file(path, gzip.compress(text) if path.endswith(".gz") else text)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OutputError(f"cannot write {path}: {reason}") from error
