"""Several tcsniffs on one queue: of every kind, and when one of them is killed."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from kombu.connection import Connection

from rabbitmq import FOREIGN_EXCHANGE, Publication, RabbitMQ, Taskcluster
from running import PATIENCE, command, environment

QUEUE = "queue/pulse/fleet"
NUMBER = 4_000
KINDS = {
    "classic": {},
    "quorum": {"x-queue-type": "quorum"},
    "single active consumer": {"x-single-active-consumer": True},
}


@pytest.fixture
def declare(admin: Connection) -> Iterator[Callable[[Mapping[str, object]], None]]:
    """Return a function that declares the queue, as an administrator does."""
    channel = admin.default_channel

    def declare_queue(arguments: Mapping[str, object]) -> None:
        channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments=dict(arguments))
        channel.queue_bind(QUEUE, FOREIGN_EXCHANGE, "fleet")

    yield declare_queue
    channel.queue_delete(QUEUE)


class Member:
    """A tcsniff on the queue, whose output goes into a file."""

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        words = ("--exchange", FOREIGN_EXCHANGE, "--routing-key", "fleet", "--broker", url)
        with path.open("wb") as output:
            self.process = subprocess.Popen(
                command(*words, "--queue", "fleet", "--prefetch", "50"),
                env=environment(),
                stdout=output,
                stderr=subprocess.DEVNULL,
            )

    def __enter__(self) -> Member:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def received(self) -> set[int]:
        """The numbers that it has printed in whole lines."""
        lines = self._path.read_bytes().split(b"\n")[:-1]
        return {json.loads(line)["payload"] for line in lines}


def wait(reached: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost_when_one_of_four_is_killed(
    kind: str,
    rabbitmq: RabbitMQ,
    taskcluster: Taskcluster,
    declare: Callable[[Mapping[str, object]], None],
    tmp_path: Path,
) -> None:
    """The others receive what it had not acknowledged; only a single active one has none."""
    declare(KINDS[kind])
    with ExitStack() as stack:
        members = [
            stack.enter_context(Member(tmp_path / str(number), rabbitmq.url()))
            for number in range(4)
        ]
        consumers = ("list_queues", "name", "consumers")
        wait(lambda: any(row["consumers"] == 4 for row in rabbitmq.rows(*consumers, vhost="/")))
        publish(taskcluster, 0, NUMBER // 2)
        wait(lambda: any(member.received for member in members))
        killed = next(member for member in members if member.received)
        killed.process.kill()
        publish(taskcluster, NUMBER // 2, NUMBER)
        wait(lambda: rabbitmq.queues()[QUEUE] == 0)
        received = [member.received for member in members]

    assert set.union(*received) == set(range(NUMBER))
    active = [numbers for numbers in received if numbers]
    assert len(active) == (2 if kind == "single active consumer" else 4)


def publish(taskcluster: Taskcluster, first: int, end: int) -> None:
    taskcluster.publish_all(
        Publication(FOREIGN_EXCHANGE, "fleet", b"%d" % number) for number in range(first, end)
    )
