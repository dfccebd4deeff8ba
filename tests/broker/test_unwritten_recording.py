"""A recording whose disk fills up leaves the rest in the broker's queue."""

from __future__ import annotations

import subprocess
from pathlib import Path

from rabbitmq import RabbitMQ, Taskcluster
from recording_samples import incompressible
from running import PATIENCE, command, environment

# What can go wrong while writing


def test_what_could_not_be_written_stays_in_the_queue(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, small_disk: Path
) -> None:
    """Whether the view or the recording had no room: it comes again, to the next one."""
    queue = "queue/pulse/full-disk"
    words = ("task-running", "--queue", "full-disk", "--broker", rabbitmq.url())
    small_disk.joinpath("filler").write_bytes(b"x" * (60 << 10))
    for more in ((), ("--record", str(small_disk / "r.jsonl"))):
        with Path("/dev/full" if not more else "/dev/null").open("wb") as out:
            sniffing = subprocess.Popen(
                command(*words, *more), env=environment(), stdout=out, stderr=subprocess.PIPE
            )
        with sniffing:
            assert sniffing.stderr is not None
            assert any(b"listening" in line for line in sniffing.stderr)
            for one in incompressible(10):
                taskcluster.publish(one.exchange, one.routing_key, one.body)

            assert sniffing.wait(PATIENCE) == 7

        recorded = small_disk / "r.jsonl"
        written = recorded.read_bytes().count(b"\n") if recorded.exists() else 0
        assert rabbitmq.queues()[queue] >= 10 - written
        rabbitmq.ctl("delete_queue", queue)
