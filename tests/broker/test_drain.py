"""--drain: a run that ends when its named queue is empty."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson
import pytest
from kombu.connection import Connection

from rabbitmq import ADMIN, FOREIGN_EXCHANGE, Publication, RabbitMQ, Taskcluster
from running import finished
from tcsniff import bind
from tcsniff.errors import Refused
from tcsniff.pipeline import ConnectionObserver
from tcsniff.pulse.deliveries import Gap
from tcsniff.settings.brokers import build_broker
from tcsniff.sources.consumer import Consumer
from tcsniff.sources.queue_policy import QueuePolicy

RUNNING = "exchange/taskcluster-queue/v1/task-running"


@pytest.fixture
def queue(admin: Connection, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a queue that an earlier run has left."""
    name = re.sub(r"\W+", "-", request.node.name)
    channel = admin.default_channel
    channel.queue_declare(f"queue/pulse/{name}", durable=True, auto_delete=False)
    channel.queue_bind(f"queue/pulse/{name}", FOREIGN_EXCHANGE, "drain.#")
    yield name
    channel.queue_delete(f"queue/pulse/{name}")


def listens(url: str, queue: str, *more: str) -> tuple[str, ...]:
    selection = ("--exchange", FOREIGN_EXCHANGE, "--routing-key", "drain.#")
    return (*selection, "--broker", url, "--queue", queue, "--drain", *more)


def publish(taskcluster: Taskcluster, *numbers: int, size: int = 0) -> None:
    taskcluster.publish_all(
        Publication(FOREIGN_EXCHANGE, "drain.x", b'{"n":%d,"x":"%b"}' % (one, b"x" * size))
        for one in numbers
    )


def numbers_in(text: str) -> list[int]:
    return [orjson.loads(line)["payload"]["n"] for line in text.splitlines()]


def test_a_run_ends_when_the_queue_is_empty(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, queue: str
) -> None:
    """With 0, after every message, all acknowledged; the queue stays and collects."""
    words = listens(rabbitmq.url(), queue)
    first = finished(*words)
    publish(taskcluster, *range(2_500))
    second = finished(*words)
    left = rabbitmq.queues()[f"queue/pulse/{queue}"]
    third = finished(*words, "-q")

    assert (first.returncode, first.stdout) == (0, "")
    assert f"queue/pulse/{queue} stays and collects messages" in first.stderr
    assert second.returncode == 0, second.stderr
    assert numbers_in(second.stdout) == list(range(2_500))
    assert left == 0
    assert (third.returncode, third.stdout, third.stderr) == (0, "", "")


def test_a_queue_whose_messages_another_holds_is_empty(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, queue: str
) -> None:
    """What another consumer has received is not waiting."""
    words = listens(rabbitmq.url(), queue)
    publish(taskcluster, 1)
    with Connection(rabbitmq.url(*ADMIN)) as connection:
        channel = connection.channel()
        assert channel.basic_get(f"queue/pulse/{queue}") is not None
        done = finished(*words)

    assert (done.returncode, done.stdout) == (0, "")


def test_it_ends_although_messages_keep_coming(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, queue: str
) -> None:
    """As soon as no message waits: those that were published later stay in the queue."""
    publish(taskcluster, *range(20))
    received = list[int]()
    with drain(rabbitmq, queue, prefetch=10) as consumer:
        for batch in consumer.batches():
            received += [orjson.loads(delivery.body)["n"] for delivery in batch]
            if len(received) > 1_000:
                break
            publish(taskcluster, 20 + len(received))

    assert received[:20] == list(range(20))
    assert len(received) < 1_000
    assert rabbitmq.queues()[f"queue/pulse/{queue}"] > 0


def test_messages_that_are_too_large_are_drained_too(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, queue: str
) -> None:
    """Skipped with a warning, and acknowledged."""
    words = listens(rabbitmq.url(), queue, "--max-size", "1k")
    publish(taskcluster, 1, 2, size=2_000)
    done = finished(*words)

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("skipped a message") == 2
    assert rabbitmq.queues()[f"queue/pulse/{queue}"] == 0


@pytest.mark.parametrize("auto_ack", [(), ("--auto-ack",)], ids=["acknowledged", "auto-ack"])
@pytest.mark.parametrize("prefetch", ["1", "1000"])
def test_it_works_with_every_prefetch(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, queue: str, prefetch: str, auto_ack: tuple[str]
) -> None:
    """One at a time, and with and without acknowledgement."""
    words = listens(rabbitmq.url(), queue, "--prefetch", prefetch, *auto_ack)
    publish(taskcluster, *range(50))
    done = finished(*words)

    assert done.returncode == 0, done.stderr
    assert numbers_in(done.stdout) == list(range(50))


def test_quorum_queues_are_drained_too(rabbitmq: RabbitMQ) -> None:
    """In a vhost whose queues are quorum queues."""
    rabbitmq.ctl("add_vhost", "quorum", "--default-queue-type", "quorum")
    rabbitmq.ctl("set_permissions", "-p", "quorum", ADMIN[0], ".*", ".*", ".*")
    words = listens(rabbitmq.url(*ADMIN, vhost="quorum"), "q")
    try:
        with Connection(rabbitmq.url(*ADMIN, vhost="quorum")) as connection:
            taskcluster = Taskcluster(connection)
            taskcluster.declare()
            finished(*words)
            publish(taskcluster, *range(1_500))
            done = finished(*words)
        (row,) = rabbitmq.rows("list_queues", "type", "messages", vhost="quorum")
    finally:
        rabbitmq.ctl("delete_vhost", "quorum")

    assert done.returncode == 0, done.stderr
    assert numbers_in(done.stdout) == list(range(1_500))
    assert row == {"type": "quorum", "messages": 0}


@pytest.mark.parametrize("command", ["top", "graph"])
def test_other_views_drain_a_queue(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, queue: str, command: str
) -> None:
    """They show what they received, and end; a graph that is not known to be whole with 12."""
    group = "G41B6K1FS32lQTjXgb4J2g"
    key = f"primary.JFjlQCTkRuWyz2yqxLnGNw.0.us-east-1.i-1.aws-provisioner.gaia.x.{group}._"
    selection = (group, "--no-api") if command == "graph" else ("task-running",)
    words = (command, *selection, "--broker", rabbitmq.url(), "--queue", queue, "--drain")
    first = finished(*words)
    taskcluster.publish(RUNNING, key, b'{"status":{"taskId":"JFjlQCTkRuWyz2yqxLnGNw"}}')
    second = finished(*words)

    statuses = (12, 12) if command == "graph" else (0, 0)
    assert (first.returncode, second.returncode) == statuses, second.stderr
    assert rabbitmq.queues()[f"queue/pulse/{queue}"] == 0


def test_a_deleted_queue_is_not_an_empty_one(rabbitmq: RabbitMQ, queue: str) -> None:
    """Deleted before it was empty: refused, since its messages are lost."""
    with drain(rabbitmq, queue) as consumer:
        batches = consumer.batches()
        next(batches)
        rabbitmq.ctl("delete_queue", consumer.queue)

        with pytest.raises(Refused, match="deleted before it was empty"):
            list(batches)


def test_a_lost_connection_does_not_end_it_early(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, queue: str
) -> None:
    """It connects again, and what was not acknowledged is received again."""
    gaps, received = list[Gap](), set[int]()
    publish(taskcluster, *range(100))
    with drain(rabbitmq, queue, gaps, prefetch=20) as consumer:
        for batch in consumer.batches():
            received.update(orjson.loads(delivery.body)["n"] for delivery in batch)
            if batch and not gaps:
                rabbitmq.close_connections(user="pulse")

    assert received == set(range(100))
    assert len(gaps) == 1


def drain(
    server: RabbitMQ, queue: str, gaps: list[Gap] | None = None, prefetch: int = 1_000
) -> Consumer:
    class Observer(ConnectionObserver):
        def add_gap(self, gap: Gap) -> None:
            if gaps is not None:
                gaps.append(gap)

    return Consumer(
        build_broker(server.url(), None, {}),
        bind(FOREIGN_EXCHANGE, "drain.#").bindings,
        queue_policy=QueuePolicy(name=queue),
        prefetch=prefetch,
        observer=Observer(),
        until_empty=True,
    )


def test_a_queue_has_to_be_named(rabbitmq: RabbitMQ) -> None:
    """A temporary queue has nothing to drain: status 2."""
    done = finished("task-failed", "--broker", rabbitmq.url(), "--drain")

    assert done.returncode == 2
    assert "--drain needs --queue" in done.stderr
