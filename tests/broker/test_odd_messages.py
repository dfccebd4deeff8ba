"""Messages that would end a run, and on a named queue every run after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kombu.connection import Connection

from rabbitmq import RabbitMQ, Taskcluster
from running import finished

FAILED = "exchange/taskcluster-queue/v1/task-failed"
TASK = "fN1SbArXTPSVFNUvaOlinQ"
KEY = f"primary.{TASK}.0.us-east-1.i-1.proj.gaia.level-1.{TASK}._"
STATUS = b'{"status":{"taskId":"%b","taskGroupId":"%b","state":"failed","runs":[%b]},"runId":0}'
RUN = b'{"runId":0,"state":"failed","scheduled":"%b","started":"%b","resolved":"%b"}'
BODIES = (
    b'{"a":' * 990 + b"1" + b"}" * 990,
    b"[" * 995 + b"]" * 995,
    b"[" * 100_000,
    b"1" * 5_000,
    b"[1e999, -1e999, 123456789012345678901234567890]",
    STATUS % (TASK.encode(), TASK.encode(), RUN % ((b"9999-12-31T23:59:59-23:59",) * 3)),
    STATUS % (TASK.encode(), TASK.encode(), RUN % ((b"0001-01-01T00:00:00+23:59",) * 3)),
    STATUS % (TASK.encode(), TASK.encode(), RUN % ((b"10000-01-01T00:00:00Z",) * 3)),
    b'{"status":{"taskId":["x"],"runs":{"0":1}},"runId":true}',
    b"\xff\xfe\x00",
    b'"\\ud800"',
    b"",
)


@pytest.fixture
def queue(admin: Connection) -> Iterator[str]:
    """The name of a queue with these messages, as an earlier run has left it."""
    channel = admin.default_channel
    channel.queue_declare("queue/pulse/odd", durable=True, auto_delete=False)
    channel.queue_bind("queue/pulse/odd", FAILED, "#")
    yield "odd"
    channel.queue_delete("queue/pulse/odd")


@pytest.mark.parametrize(
    "words",
    [
        ("task-failed",),
        ("task-failed", "--select", "payload"),
        ("task-failed", "--where", "payload.a.a || lag > `1` || !payload.a"),
        ("task-failed", "-o", "lines"),
        ("task-failed", "-o", "table"),
        ("top",),
        ("graph", TASK, "--no-api"),
    ],
    ids=["json", "select", "where", "lines", "table", "top", "graph"],
)
def test_no_message_ends_a_run(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, queue: str, words: tuple[str, ...]
) -> None:
    """Nested too deep, the year 10000, huge numbers, no text: shown, counted, acknowledged."""
    for body in BODIES:
        taskcluster.publish(FAILED, KEY, body)
    done = finished(*words, "--broker", rabbitmq.url(), "--queue", queue, "--drain")

    assert done.returncode == (10 if words[0] == "graph" else 0), done.stderr
    assert "a bug" not in done.stderr
    assert rabbitmq.queues()["queue/pulse/odd"] == 0
    if words[0] == "task-failed":
        assert f"{len(BODIES)} received" in done.stderr
    if "--select" in words:
        assert done.stdout.count("\n") == len(BODIES)
        assert "JSON is nested too deep" in done.stderr
