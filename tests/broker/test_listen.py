"""The library, against a real RabbitMQ."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from paths import DATA, ROOT
from proxy import Proxy
from rabbitmq import FOREIGN_EXCHANGE, RabbitMQ, Taskcluster
from running import PATIENCE, environment
from tcsniff import Event, bind, listen
from tcsniff.errors import Refused, UsageError
from tcsniff.messages import TaskRunningMessage, UntypedMessage

README = (ROOT / "README.md").read_text(encoding="utf-8")
SAMPLES = (DATA / "samples.jsonl").read_bytes().splitlines()
KEY = "primary.{}.0.us-east-1.i-1.aws-provisioner.gaia.gecko-level-1.G41B6K1FS32lQTjXgb4J2g._"
TASK = "JFjlQCTkRuWyz2yqxLnGNw"
RUNNING = "exchange/taskcluster-queue/v1/task-running"


@pytest.fixture
def url(rabbitmq: RabbitMQ) -> str:
    return rabbitmq.url()


@pytest.fixture
def queue(rabbitmq: RabbitMQ, request: pytest.FixtureRequest) -> Iterator[str]:
    name = re.sub(r"\W+", "-", request.node.name)
    yield name
    rabbitmq.ctl("delete_queue", f"queue/pulse/{name}")


def number(taskcluster: Taskcluster, *numbers: int) -> None:
    for one in numbers:
        taskcluster.publish(FOREIGN_EXCHANGE, "a", b"%d" % one)


def test_an_event_contains_the_whole_message(url: str, taskcluster: Taskcluster) -> None:
    """Addresses, fields of the key, routes, times, the payload and its typed form."""
    raw = next(line for line in SAMPLES if b"v1/task-running" in line)
    body = raw[raw.index(b'"payload":') + 10 : -1]
    key = re.search(rb'"routingKey":"(.*?)"', raw)[1].decode()
    with listen(url, bind("task-running", provisioner_id="gecko-1")) as events:
        taskcluster.publish(RUNNING, key, body, cc=["route.index.a", "route.b"])
        event = next(events)

    assert (event.name, event.exchange, event.routing_key) == ("task-running", RUNNING, key)
    assert event.routing["workerType"] == "decision"
    assert event.routes == ["index.a", "b"]
    assert event.redelivered is False
    assert isinstance(event.message, TaskRunningMessage)
    assert event.message.status.runs[0].started == event.time
    assert event.payload["status"]["taskId"] == event.message.status.task_id
    assert event.lag == (event.received - event.time).total_seconds() > 0


def test_an_unexpected_payload_is_untyped(url: str, taskcluster: Taskcluster) -> None:
    """The payload and the reason, with its place."""
    with listen(url, bind("task-running")) as events:
        taskcluster.publish(RUNNING, KEY.format(TASK), b'{"version": 1}')
        message = next(events).message

    assert isinstance(message, UntypedMessage)
    assert message.payload == {"version": 1}
    assert "status" in str(message.reason)


def test_selections_can_be_combined(url: str, taskcluster: Taskcluster) -> None:
    """The union of all, each with its own conditions, including routes."""
    asked = (
        bind("task-running", worker_type="gaia", route="index.#"),
        bind(FOREIGN_EXCHANGE, "wanted.#"),
    )
    with listen(url, *asked) as events:
        taskcluster.publish(RUNNING, KEY.format(TASK), b"1", cc=["route.other"])
        taskcluster.publish(FOREIGN_EXCHANGE, "unwanted", b"2")
        taskcluster.publish(RUNNING, KEY.format(TASK), b"3", cc=["route.index.x"])
        taskcluster.publish(FOREIGN_EXCHANGE, "wanted.x", b"4")

        assert [next(events).payload, next(events).payload] == [3, 4]


def test_a_message_is_acknowledged_when_the_next_is_asked_for(
    url: str, queue: str, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """One at a time: the current one is still in the queue."""
    with listen(url, bind(FOREIGN_EXCHANGE), queue=queue, prefetch=1) as events:
        number(taskcluster, 1, 2, 3)
        left = []
        for event in events:
            left.append((event.payload, rabbitmq.queues()[f"queue/pulse/{queue}"]))
            if event.payload == 3:
                break

    assert left == [(1, 3), (2, 2), (3, 1)]


def test_an_exception_leaves_the_message_for_the_next(
    url: str, queue: str, taskcluster: Taskcluster
) -> None:
    """The current one is delivered again, marked; those before it are not."""

    class BrokenError(Exception):
        pass

    def work() -> None:
        with listen(url, bind(FOREIGN_EXCHANGE), queue=queue) as events:
            number(taskcluster, 1, 2, 3)
            for event in events:
                if event.payload == 2:
                    raise BrokenError

    with pytest.raises(BrokenError):
        work()

    with listen(url, bind(FOREIGN_EXCHANGE), queue=queue, idle_timeout=3) as events:
        again = [(event.payload, event.redelivered) for event in events]

    assert again == [(2, True), (3, True)]


def test_a_consumer_that_is_killed_loses_nothing(
    url: str, queue: str, taskcluster: Taskcluster
) -> None:
    """Killed during the second message: that one is delivered again, marked."""
    program = f"""
        from tcsniff import bind, listen
        with listen({url!r}, bind({FOREIGN_EXCHANGE!r}), queue={queue!r}, prefetch=1) as events:
            print("listening", flush=True)
            for event in events:
                print(event.payload, flush=True)
                if event.payload == 2:
                    input()
    """
    consumer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with consumer:
        assert consumer.stdout is not None
        assert consumer.stdout.readline() == "listening\n"
        number(taskcluster, 1, 2, 3)
        assert [consumer.stdout.readline() for _ in range(2)] == ["1\n", "2\n"]
        consumer.send_signal(signal.SIGKILL)

    with listen(url, bind(FOREIGN_EXCHANGE), queue=queue, idle_timeout=3) as events:
        again = [(event.payload, event.redelivered) for event in events]

    assert again == [(2, True), (3, False)]


@pytest.mark.parametrize("prefetch", [1, 1_000])
@pytest.mark.parametrize("moment", [1, 2, 3, 4])
def test_a_lost_connection_does_not_end_the_loop(
    moment: int, prefetch: int, queue: str, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """After each message of a batch; what was not acknowledged is delivered again."""
    received: list[int] = []
    with (
        Proxy(rabbitmq.port) as proxy,
        listen(
            proxy.url(rabbitmq.url()),
            bind(FOREIGN_EXCHANGE, "#"),
            queue=queue,
            prefetch=prefetch,
            timeout=PATIENCE,
        ) as events,
    ):
        number(taskcluster, 0, 1, 2, 3)
        for event in events:
            received.append(event.payload)
            if len(received) == moment:
                proxy.reset()
                number(taskcluster, 4)
            if event.payload == 4:
                break

    assert set(received) == {0, 1, 2, 3, 4}


def test_a_second_loop_loses_nothing(url: str, taskcluster: Taskcluster) -> None:
    """It continues after the event that ended the first."""
    with listen(url, bind(FOREIGN_EXCHANGE), idle_timeout=3) as events:
        number(taskcluster, 1, 2, 3, 4)
        for event in events:
            if event.payload == 2:
                break

        assert [event.payload for event in events] == [3, 4]


def test_two_processes_share_a_queue(url: str, queue: str, taskcluster: Taskcluster) -> None:
    """Each message goes to one of them; none is lost."""
    program = f"""
        from tcsniff import bind, listen
        with listen({url!r}, bind({FOREIGN_EXCHANGE!r}), queue={queue!r}, prefetch=5,
                    idle_timeout=3) as events:
            print("listening", flush=True)
            for event in events:
                print(event.payload, flush=True)
    """
    two = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program)],
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for one in two:
        assert one.stdout is not None
        assert one.stdout.readline() == "listening\n"
    number(taskcluster, *range(200))

    shares = [[int(line) for line in one.communicate(timeout=PATIENCE)[0].split()] for one in two]

    assert sorted(shares[0] + shares[1]) == list(range(200))
    assert all(shares)


def test_events_arrive_in_batches(url: str, taskcluster: Taskcluster) -> None:
    """Batches are never empty, and no larger than half the prefetch."""
    with listen(url, bind(FOREIGN_EXCHANGE), prefetch=20, idle_timeout=3) as events:
        number(taskcluster, *range(50))
        batches = [[event.payload for event in batch] for batch in events.batches()]

    assert [one for batch in batches for one in batch] == list(range(50))
    assert all(0 < len(batch) <= 10 for batch in batches)


def test_the_time_can_be_limited(url: str) -> None:
    """Without events, either limit ends the loop."""
    for limit in ({"timeout": 0.2}, {"idle_timeout": 0.2}):
        with listen(url, bind(FOREIGN_EXCHANGE), **limit) as events:
            assert list(events) == []


def test_streams_in_threads_can_be_stopped(url: str, taskcluster: Taskcluster) -> None:
    """Each has its own queue; a stop from another thread ends each cleanly."""
    heard: dict[str, list[object]] = {"a": [], "b": []}
    ready = threading.Barrier(3)
    done = {key: threading.Event() for key in heard}
    listening = {key: listen(url, bind(FOREIGN_EXCHANGE, f"{key}.#")) for key in heard}

    def consume(key: str) -> None:
        with listening[key] as events:
            ready.wait(PATIENCE)
            for event in events:
                heard[key].append(event.payload)
                done[key].set()

    threads = [threading.Thread(target=consume, args=[key]) for key in heard]
    for thread in threads:
        thread.start()
    ready.wait(PATIENCE)
    taskcluster.publish(FOREIGN_EXCHANGE, "a.x", b"1")
    taskcluster.publish(FOREIGN_EXCHANGE, "b.x", b"2")
    for event in done.values():
        assert event.wait(PATIENCE)

    for one in listening.values():
        one.stop()
    for thread in threads:
        thread.join(PATIENCE)

    assert not any(thread.is_alive() for thread in threads)
    assert heard == {"a": [1], "b": [2]}


def test_without_acknowledgement_the_broker_forgets(
    url: str, queue: str, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """auto_ack: what was sent is not in the queue any more, used or not."""
    with listen(url, bind(FOREIGN_EXCHANGE), queue=queue, auto_ack=True) as events:
        number(taskcluster, 1, 2)
        next(events)

        assert rabbitmq.queues()[f"queue/pulse/{queue}"] == 0


def test_a_queue_with_other_settings_is_refused(rabbitmq: RabbitMQ, url: str, queue: str) -> None:
    """A queue of the same name that is not durable: reported, not changed."""
    from kombu.connection import Connection

    with Connection(rabbitmq.url("guest", "guest")) as connection:
        channel = connection.channel()
        channel.queue_declare(f"queue/pulse/{queue}", durable=False, auto_delete=False)

        with (
            pytest.raises(Refused, match="durable"),
            listen(url, bind(FOREIGN_EXCHANGE), queue=queue),
        ):
            pass


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bind("task-runing"), "did you mean 'task-running'"),
        (lambda: bind("task-running", worker_typ="gaia"), "did you mean 'worker_type'"),
        (lambda: bind("task-running", worker_type="No Such"), "worker type"),
        (lambda: bind("task-running", organization="mozilla"), "pull-request"),
        (lambda: bind("task-running", "primary.#", worker_type="gaia"), "not both"),
        (lambda: bind("task-running", run_id=object()), "run_id"),
        (lambda: listen("amqp://guest:guest@localhost"), "bind"),
        (lambda: listen("http://x", bind("push")), "amqps://"),
    ],
)
def test_wrong_names_and_values_raise_at_once(call, words) -> None:
    """With a suggestion, and before anything connects."""
    with pytest.raises(UsageError, match=words):
        call()


def test_values_may_be_numbers_and_lists() -> None:
    """Alternatives become bindings; None is ignored."""
    asked = bind("task-running", run_id=(0, 1), worker_type=["gaia"], task_id=None)

    assert [binding.pattern for binding in asked.bindings] == [
        "primary.*.0.*.*.*.gaia.*.*.#",
        "primary.*.1.*.*.*.gaia.*.*.#",
    ]


def test_the_readmes_sniffer_works(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, tmp_path: Path
) -> None:
    """The example in Python, as in the README."""
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[:1]
    program = tmp_path / "sniffer.py"
    program.write_text(example, encoding="utf-8")
    running = next(line for line in SAMPLES if b"v1/task-running" in line)
    body = running[running.index(b'"payload":') + 10 : -1]
    sniffer = subprocess.Popen(
        [sys.executable, "-u", program],
        env=environment({"PULSE_URL": rabbitmq.url()}),
        stdout=subprocess.PIPE,
        text=True,
    )
    with sniffer:
        while "queue/pulse/taskprocessing" not in rabbitmq.queues():
            assert sniffer.poll() is None
        bound = {
            row["routing_key"] for row in rabbitmq.rows("list_bindings", "routing_key", vhost="/")
        }
        assert sniffer.stdout is not None
        while not any("gaia" in key for key in bound):
            bound = {
                row["routing_key"]
                for row in rabbitmq.rows("list_bindings", "routing_key", vhost="/")
            }
        key = KEY.format(TASK)
        for event in ("task-defined", "task-running"):
            for provisioner in ("aws-provisioner", "other"):
                place = f"exchange/taskcluster-queue/v1/{event}"
                taskcluster.publish(place, key.replace("aws-provisioner", provisioner), body)
        said = [sniffer.stdout.readline() for _ in range(2)]
        sniffer.send_signal(signal.SIGINT)
        assert sniffer.wait(PATIENCE) == 0
    rabbitmq.ctl("delete_queue", "queue/pulse/taskprocessing")

    assert said[0].startswith("Task JFjlQCTkRuWyz2yqxLnGNw defined")
    assert "running until 2026-08-20" in said[1]


def test_the_readmes_sniffer_has_types(tmp_path: Path) -> None:
    """A strict type checker accepts it, and finds a wrong name."""
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[:1]
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(example, encoding="utf-8")
    wrong.write_text(example.replace("worker_type=", "worker_typ="), encoding="utf-8")

    checked = {
        path.stem: subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--config-file=", path],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        for path in (right, wrong)
    }

    assert checked["right"].startswith("Success")
    assert 'did you mean "worker_type"' in checked["wrong"]


def test_exported_names_are_the_real_classes() -> None:
    """The package exports them from their modules."""
    assert Event.__module__ == "tcsniff.pulse.events"
