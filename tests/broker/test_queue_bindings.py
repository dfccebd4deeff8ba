"""Bindings: many, and those that an exchange takes with it when it is deleted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from kombu.connection import Connection

from proxy import Proxy
from rabbitmq import FOREIGN_EXCHANGE, RabbitMQ, Taskcluster
from running import PATIENCE, environment, finished
from tcsniff.errors import TimedOut
from tcsniff.pipeline import ConnectionObserver
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.routing import Binding
from tcsniff.settings.brokers import build_broker
from tcsniff.sources import consumer
from tcsniff.sources.consumer import Consumer

DOOMED = "exchange/bindings/v1"


class Notes(ConnectionObserver):
    """Keeps messages and gaps."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.gaps: list[Gap] = []

    def notify(self, text: str) -> None:
        self.messages.append(text)

    def add_gap(self, gap: Gap) -> None:
        self.gaps.append(gap)


@pytest.fixture
def doomed(admin: Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An exchange that the test deletes; the bindings are looked at all the time."""
    monkeypatch.setattr(consumer, "_LOOK_INTERVAL", 0.0)
    declare(admin)
    yield DOOMED
    admin.default_channel.exchange_delete(DOOMED)


def declare(admin: Connection) -> None:
    admin.default_channel.exchange_declare(DOOMED, "topic", durable=True, auto_delete=False)


def receive(batches: Iterator[object], taskcluster: Taskcluster, exchange: str) -> None:
    """Publish until a message is received."""
    while True:
        taskcluster.publish(exchange, "a", b"1")
        for _ in range(3):
            if next(batches):
                return


def test_an_exchange_that_is_declared_anew_is_bound_again(
    rabbitmq: RabbitMQ, admin: Connection, taskcluster: Taskcluster, doomed: str
) -> None:
    """Deleted and declared at once, which no look can see: its messages come again."""
    with Consumer(
        build_broker(rabbitmq.url(), None, {}),
        [Binding(doomed, "#"), Binding(FOREIGN_EXCHANGE, "a")],
    ) as listener:
        batches = listener.batches()
        receive(batches, taskcluster, doomed)
        admin.default_channel.exchange_delete(doomed)
        declare(admin)

        receive(batches, taskcluster, doomed)


@pytest.mark.parametrize("others", [True, False], ids=["with others", "alone"])
def test_an_exchange_that_is_missing_for_a_while_is_a_gap(
    rabbitmq: RabbitMQ, admin: Connection, taskcluster: Taskcluster, doomed: str, others: bool
) -> None:
    """Reported once when it is missed; when it is back, a gap says that messages were missed."""
    notes = Notes()
    bindings = [Binding(doomed, "#"), *([Binding(FOREIGN_EXCHANGE, "a")] if others else ())]
    broker = build_broker(rabbitmq.url(), None, {})
    with Consumer(broker, bindings, observer=notes) as listener:
        batches = listener.batches()
        receive(batches, taskcluster, doomed)
        admin.default_channel.exchange_delete(doomed)
        while not notes.messages:
            next(batches)
        for _ in range(5):
            next(batches)
        if others:
            receive(batches, taskcluster, FOREIGN_EXCHANGE)
        declare(admin)
        while not notes.gaps:
            next(batches)
        receive(batches, taskcluster, doomed)

    assert len(notes.messages) == 1
    assert f"the exchange {doomed} was deleted" in notes.messages[0]
    (gap,) = notes.gaps
    assert gap.missed
    assert gap.since < gap.until
    assert doomed in str(gap.reason)


def test_a_large_selection_is_bound_with_a_message(rabbitmq: RabbitMQ) -> None:
    """Of thousands of bindings it is said how many they are; all of them are made."""
    notes = Notes()
    bindings = [Binding(FOREIGN_EXCHANGE, f"many.{number}.#") for number in range(2_100)]
    with Consumer(build_broker(rabbitmq.url(), None, {}), bindings, observer=notes):
        rows = rabbitmq.rows("list_bindings", "routing_key", vhost="/")

    assert sum(row["routing_key"].startswith("many.") for row in rows) == 2_100
    assert "2,100 bindings" in notes.messages[0]


def test_the_timeout_counts_while_it_binds(rabbitmq: RabbitMQ) -> None:
    """It ends between two steps, with what has been done."""
    bindings = [Binding(FOREIGN_EXCHANGE, f"slow.{number}.#") for number in range(500)]
    with Proxy(rabbitmq.port) as line:
        line.delay = 0.2
        broker = build_broker(line.url(rabbitmq.url()), None, {})
        slow = Consumer(broker, bindings, deadline=consumer.time.monotonic() + 3.5)

        with pytest.raises(TimedOut, match="stopped by --timeout"), slow:
            pass


def test_the_timeout_counts_while_it_connects(rabbitmq: RabbitMQ) -> None:
    """A broker that does not answer: 124, not 3."""
    with Proxy(rabbitmq.port) as line:
        line.answers = False
        url = line.url(rabbitmq.url())
        done = finished("task-failed", "--broker", url, "--timeout", "1s")
        graph = finished("graph", "G41B6K1FS32lQTjXgb4J2g", "--broker", url, "--timeout", "1s")

    assert (done.returncode, graph.returncode) == (124, 124), done.stderr
    assert "stopped by --timeout, while connecting" in done.stderr


def test_programs_with_many_open_files_can_listen(rabbitmq: RabbitMQ) -> None:
    """More than the 1,024 that select knows."""
    program = f"""
import resource, os
from tcsniff import bind, listen
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
files = [os.open(os.devnull, os.O_RDONLY) for _ in range(2000)]
with listen({rabbitmq.url()!r}, bind({FOREIGN_EXCHANGE!r}, "files"), idle_timeout=0.5) as events:
    print(list(events), files[-1] > 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("[] True\n", "")
