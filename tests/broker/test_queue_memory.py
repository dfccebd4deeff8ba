"""The memory for messages that wait, however large they are."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from kombu.connection import Connection

from rabbitmq import FOREIGN_EXCHANGE, RabbitMQ, Taskcluster
from running import PATIENCE, environment
from tcsniff.pipeline import ConnectionObserver
from tcsniff.pulse.routing import Binding
from tcsniff.settings.brokers import build_broker
from tcsniff.sources import connection, consumer
from tcsniff.sources.consumer import Consumer
from tcsniff.sources.queue_policy import QueuePolicy

MESSAGES = 24
SIZE = 15 << 20
LIMIT = 256  # MB
QUEUE = "memory"

# Runs tcsniff, and then prints the most memory that it has had, in kB.
MEASURED = """
import re, sys
from tcsniff.cli import main
status = main(sys.argv[1:])
with open("/proc/self/status") as file:
    peak = re.search(r"VmHWM:\\s+(\\d+)", file.read())[1]
print("status", status, "peak", peak, file=sys.stderr)
"""


@pytest.fixture
def backlog(admin: Connection, taskcluster: Taskcluster) -> Iterator[None]:
    """A named queue with more large messages than fit into the limit."""
    name = f"queue/pulse/{QUEUE}"
    channel = admin.default_channel
    channel.queue_declare(name, durable=True, auto_delete=False)
    channel.queue_bind(name, FOREIGN_EXCHANGE, "memory")
    body = b'{"n":"%b"}' % (b"x" * SIZE)
    for _ in range(MESSAGES):
        taskcluster.publish(FOREIGN_EXCHANGE, "memory", body)
    yield
    channel.queue_delete(name)


@pytest.mark.usefixtures("backlog")
@pytest.mark.parametrize(
    "view", [("-o", "json"), ("--where", "payload.n", "-o", "lines")], ids=["json", "where"]
)
def test_a_backlog_of_large_messages_needs_little_memory(
    rabbitmq: RabbitMQ, view: tuple[str, ...]
) -> None:
    """360 MB of them: all are printed, in less than 256 MB, while the broker sends ahead."""
    words = ("--exchange", FOREIGN_EXCHANGE, "--routing-key", "memory", "--queue", QUEUE)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *words, "--broker", rabbitmq.url(), "--drain", *view],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    found = re.search(r"status (\d+) peak (\d+)", done.stderr)

    assert found is not None, done.stderr
    assert f"{MESSAGES} printed" in done.stderr
    assert int(found[1]) == 0
    assert int(found[2]) < LIMIT << 10


@pytest.mark.usefixtures("backlog")
def test_heartbeats_go_on_while_memory_is_full(
    rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller that needs longer than two heartbeats for a batch keeps its connection."""
    monkeypatch.setattr(connection, "HEARTBEAT", 1)
    monkeypatch.setattr(consumer, "HEARTBEAT", 1)
    messages: list[str] = []

    class Observer(ConnectionObserver):
        def notify(self, text: str) -> None:
            messages.append(text)

    received = 0
    with Consumer(
        build_broker(rabbitmq.url(), None, {}),
        [Binding(FOREIGN_EXCHANGE, "memory")],
        queue_policy=QueuePolicy(name=QUEUE),
        observer=Observer(),
        until_empty=True,
    ) as listener:
        for batch in listener.batches():
            received += len(batch)
            if received in (2, 3):
                time.sleep(3.5)

    assert received == MESSAGES
    assert messages == []
