"""Faults of the broker, the network, the reader of the output, and the messages.

Publishers number their messages and wait for confirms, so that a loss is a number.
TCSNIFF_FAULT_MESSAGES says how many there are while the broker is killed.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import termios
import threading
import time
import unicodedata
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self

import orjson
import pytest
import trustme
from amqp.exceptions import AMQPError
from kombu.connection import Connection

from proxy import Proxy
from rabbitmq import (
    ADMIN,
    FOREIGN_EXCHANGE,
    WRONG_HOST,
    Publication,
    RabbitMQ,
    Taskcluster,
    release,
)
from running import PATIENCE, Running, command, environment, finished
from tcsniff.pipeline import ConnectionObserver
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.records import parse_gap
from tcsniff.pulse.routing import Binding
from tcsniff.settings.brokers import build_broker
from tcsniff.sources import connection, consumer, queue_policy
from tcsniff.sources.consumer import Consumer
from tcsniff.sources.queue_policy import QueuePolicy

# A hundred thousand messages take two minutes on two cores that do nothing else.
pytestmark = pytest.mark.timeout(1200)
MESSAGES = int(os.environ.get("TCSNIFF_FAULT_MESSAGES", "100000"))
FUZZED = 10_000
LOST = "lost: "  # what is said of a connection
SOON = 8  # seconds; less than any time limit of a connection
QUEUE = re.compile(r"queue/pulse/[\w/-]+")
SHELL = 128  # what a shell adds to the number of a signal


def until(reached: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    deadline = time.monotonic() + patience
    while not (found := reached()):
        if time.monotonic() > deadline:
            raise AssertionError(f"timeout while waiting for {what}")
        time.sleep(0.05)
    return found


def listens_to(key: str, url: str) -> tuple[str, ...]:
    return ("--exchange", FOREIGN_EXCHANGE, "--routing-key", key, "--broker", url)


class Publisher:
    """Publishes numbers, and the times they were published at, until `stop` is called.

    Only what the broker confirmed counts; the rest is published again, when the broker is there.
    """

    def __init__(
        self,
        server: RabbitMQ,
        key: str,
        *,
        numbers: int = sys.maxsize,
        window: int = 1,
        pause: float = 0.005,
    ) -> None:
        self.times: dict[int, float] = {}  # of the first try, by number
        self.again: set[int] = set()  # those published more than once
        self.confirmed = 0
        self.most = numbers  # for now
        self._server = server
        self._key = key
        self._window = window
        self._pause = pause
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        until(lambda: self.confirmed, "the first confirm")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End after what is under way."""
        self._ended.set()
        self._thread.join(PATIENCE)

    @property
    def is_done(self) -> bool:
        return self.confirmed >= self.most

    def _run(self) -> None:
        while not self._ended.wait(0.1):
            if self.is_done:
                continue
            connection = Connection(self._server.url(*ADMIN), connect_timeout=2)
            with suppress(OSError, AMQPError):
                connection.connect()
                self._publish(Taskcluster(connection))
            release(connection)

    def _publish(self, taskcluster: Taskcluster) -> None:
        while not (self._ended.is_set() or self.is_done):
            last = min(self.confirmed + self._window, self.most)
            for number in range(self.confirmed, last):
                if number in self.times:
                    self.again.add(number)
                self.times.setdefault(number, time.time())
            for number in range(self.confirmed, last):
                taskcluster._publish(message(self._key, number))  # noqa: SLF001
            taskcluster._await_confirms()  # noqa: SLF001
            self.confirmed = last
            if self._window == 1:
                self._ended.wait(self._pause)


def message(key: str, number: int) -> Publication:
    return Publication(FOREIGN_EXCHANGE, key, b'{"n":%d}' % number)


def numbers_in(lines: Sequence[str]) -> list[int]:
    return [number for number, _ in numbered(lines)]


def numbered(lines: Sequence[str]) -> list[tuple[int, bool]]:
    records = [orjson.loads(line) for line in lines if not line.startswith('{"gap"')]
    return [(record["payload"]["n"], record["redelivered"]) for record in records]


def gaps_in(lines: Sequence[str]) -> list[Gap]:
    return [parse_gap(line.encode()) for line in lines if line.startswith('{"gap"')]


def seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def uncovered(times: dict[int, float], heard: Sequence[int], gaps: Sequence[Gap]) -> list[int]:
    """Return the numbers that are missing although no gap was reported for their time."""
    spans = [(seconds(gap.since), seconds(gap.until) + 0.001) for gap in gaps if gap.missed]
    return [
        number
        for number in sorted(set(times) - set(heard))
        if not any(since <= times[number] <= until for since, until in spans)
    ]


class Sniffing:
    """tcsniff with output in files, so that it never waits for a reader."""

    def __init__(self, *words: str, env: Mapping[str, str] | None = None) -> None:
        self._files = (TemporaryFile(), TemporaryFile())  # noqa: SIM115 - closed in __exit__
        self._texts = [bytearray(), bytearray()]  # bytes would be copied with every read
        self._line_count = 0
        self.process = subprocess.Popen(
            command(*words),
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=self._files[0],
            stderr=self._files[1],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        for file in self._files:
            file.close()

    def listening(self) -> Self:
        """Wait until its bindings stand."""
        until(lambda: "tcsniff: listening to" in self.said(), "listening")
        return self

    def lines(self, number: int = 0, *, more: int = 0) -> list[str]:
        """Wait for this number of lines, or of additional lines; return all complete ones."""
        number = max(number, self._count() + more)
        until(
            lambda: self._count() >= number,
            f"{number} lines; it said {self.said()}",
            PATIENCE + number / 200,
        )
        return self._texts[0].decode().split("\n")[:-1]

    def said(self) -> str:
        """Return what it has written to standard error so far."""
        return self._read(1).decode()

    def gaps(self) -> int:
        """Return how many gaps it has reported on standard error."""
        return self.said().count("no connection from")

    def signal(self, number: signal.Signals) -> int:
        """Send a signal and wait for the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def _count(self) -> int:
        self._read(0)
        return self._line_count

    def _read(self, number: int) -> bytearray:
        file, at = self._files[number].fileno(), len(self._texts[number])
        data = os.pread(file, 1 << 26, at)
        self._texts[number] += data
        if number == 0:
            self._line_count += data.count(b"\n")
        return self._texts[number]


class Notes(ConnectionObserver):
    """Keeps messages and gaps."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.gaps: list[Gap] = []

    def notify(self, text: str) -> None:
        self.messages.append(text)

    def add_gap(self, gap: Gap) -> None:
        self.gaps.append(gap)


def numbers_of(batch: Sequence[Delivery]) -> list[int]:
    return [orjson.loads(one.body)["n"] for one in batch]


# The broker dies


class Killed:
    """The output of two tcsniff processes while the broker was killed three times."""

    def __init__(self, server: RabbitMQ) -> None:
        url, key, queue = server.url(), "faults.killed", "faults-killed"
        self.publisher = Publisher(server, key, numbers=MESSAGES, window=200)
        with (
            Sniffing(*listens_to(key, url), "--queue", queue, "--gaps") as kept,
            Sniffing(*listens_to(key, url), "--gaps") as temporary,
        ):
            kept.listening()
            temporary.listening()
            with self.publisher:
                for quarter in (1, 2, 3):
                    # In the middle of a quarter, with messages under way on both sides.
                    self.publisher.most = quarter * MESSAGES // 4
                    kept.lines(quarter * MESSAGES // 4 - MESSAGES // 8)
                    server.kill()
                    server.start()
                    for sniffing in (kept, temporary):
                        until(lambda: sniffing.gaps() == quarter, "a gap")  # noqa: B023
                self.publisher.most = MESSAGES
                until(lambda: self.publisher.is_done, "all confirms")
            until(lambda: server.queues()[f"queue/pulse/{queue}"] == 0, "an empty queue")
            for sniffing in (kept, temporary):
                assert sniffing.signal(signal.SIGINT) == 130
            self.kept, self.temporary = kept.lines(), temporary.lines()
        finished("--queue", queue, "--delete-queue", "--broker", url)


@pytest.fixture(scope="module")
def killed(rabbitmq_server: RabbitMQ) -> Killed:
    rabbitmq_server.start()
    return Killed(rabbitmq_server)


def test_a_named_queue_loses_nothing_to_a_broker_that_is_killed(killed: Killed) -> None:
    """With -9, three times: every confirmed message is printed at least once."""
    heard = set(numbers_in(killed.kept))

    assert heard >= set(range(MESSAGES))
    assert [gap.missed for gap in gaps_in(killed.kept)] == [False] * 3


def test_what_is_printed_twice_is_marked(killed: Killed) -> None:
    """Repeats can be counted: each that was not published twice says that it is redelivered."""
    heard: set[int] = set()
    unmarked = []
    for number, redelivered in numbered(killed.kept):
        if number in heard and not redelivered and number not in killed.publisher.again:
            unmarked.append(number)
        heard.add(number)

    assert unmarked == []


def test_a_temporary_queue_reports_what_it_missed(killed: Killed) -> None:
    """While the broker is killed three times, no message is missing outside the reported gaps."""
    gaps = gaps_in(killed.temporary)

    assert [gap.missed for gap in gaps] == [True] * 3
    assert uncovered(killed.publisher.times, numbers_in(killed.temporary), gaps) == []


# The line fails


def close_connections(server: RabbitMQ, _line: Proxy) -> None:
    server.close_connections("maintenance", user="pulse")


def cut(_server: RabbitMQ, line: Proxy) -> None:
    line.cut()


def reset(_server: RabbitMQ, line: Proxy) -> None:
    line.reset()


def cut_slow(_server: RabbitMQ, line: Proxy) -> None:
    line.delay = 1.0
    time.sleep(2.5)
    line.cut()
    line.delay = 0.0


def refuse_for_a_while(_server: RabbitMQ, line: Proxy) -> None:
    line.refuse()
    line.cut()
    time.sleep(1.5)
    line.accept()


@pytest.mark.parametrize("fault", [close_connections, cut, reset, cut_slow, refuse_for_a_while])
def test_the_reported_gap_covers_what_is_missing(
    rabbitmq: RabbitMQ, fault: Callable[[RabbitMQ, Proxy], None]
) -> None:
    """Whatever ends the connection: on standard error and as a record, with the right times."""
    key = f"faults.{fault.__name__}"
    with Proxy(rabbitmq.port) as line:
        words = (*listens_to(key, line.url(rabbitmq.url())), "--gaps")
        with Sniffing(*words) as sniffing, Publisher(rabbitmq, key) as publisher:
            sniffing.listening().lines(50)
            started = publisher.confirmed
            fault(rabbitmq, line)
            until(sniffing.gaps, "a gap")
            sniffing.lines(more=50)
            publisher.stop()
            time.sleep(0.5)
            assert sniffing.signal(signal.SIGINT) == 130
            lines, said = sniffing.lines(), sniffing.said()

    heard, gaps = numbers_in(lines), gaps_in(lines)
    first = min(heard)
    missing = set(range(first, publisher.confirmed)) - set(heard)
    since_first = {number: at for number, at in publisher.times.items() if number >= first}
    assert missing
    assert min(missing) > started - 500
    assert uncovered(since_first, heard, gaps) == []
    assert [gap.missed for gap in gaps] == [True]
    assert "trying again" in said
    assert f"no connection from {gaps[0].since} to {gaps[0].until}: messages" in said


def test_a_slow_connection_loses_nothing(rabbitmq: RabbitMQ) -> None:
    """Delayed, throttled and split: everything arrives, in order, on one connection."""
    key, number = "faults.slow", 1000
    with Proxy(rabbitmq.port) as line:
        line.delay, line.rate, line.chunk = 0.002, 200_000.0, 700
        with Sniffing(*listens_to(key, line.url(rabbitmq.url()))) as sniffing:
            sniffing.listening()
            with Publisher(rabbitmq, key, numbers=number, window=100):
                heard = numbers_in(sniffing.lines(number))
            assert sniffing.signal(signal.SIGINT) == 130

        assert heard == list(range(number))
        assert line.lines == 1


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use heartbeats and checks that are fast enough for a test."""
    monkeypatch.setattr(connection, "HEARTBEAT", 1)
    monkeypatch.setattr(consumer, "HEARTBEAT", 1)
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT", 1)
    monkeypatch.setattr(consumer, "_LOOK_INTERVAL", 2.0)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("back", [3600.0, 86400.0], ids=["hour", "day"])
def test_a_clock_that_is_set_back_changes_no_interval(rabbitmq: RabbitMQ, back: float) -> None:
    """A gap does not end before it began, and the queue's length is checked as before."""
    notes, offset = Notes(), 0.0
    with Proxy(rabbitmq.port) as line:
        where = build_broker(line.url(rabbitmq.url()), None, {})
        with Consumer(
            where,
            [Binding(FOREIGN_EXCHANGE, "faults.clock")],
            observer=notes,
            clock=lambda: time.time() + offset,
        ) as listener:
            began = time.time()
            for _ in listener.batches():
                if not offset and time.time() > began + 1:
                    offset = -back
                    line.cut()
                if notes.gaps or time.time() > began + 30:
                    break
    gap = notes.gaps[0]
    assert began - 1 < seconds(gap.since) < seconds(gap.until) < time.time() + 1


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("pause", [0.005, 0.5], ids=["flood", "trickle"])
def test_a_half_open_connection_is_found_and_its_gap_is_complete(
    rabbitmq: RabbitMQ, pause: float
) -> None:
    """Silence does not prove that everything was received: the gap starts before it."""
    key = f"faults.half-open-{pause}"
    notes, heard = Notes(), list[int]()
    with Proxy(rabbitmq.port) as line:
        where = build_broker(line.url(rabbitmq.url()), None, {})
        with (
            Consumer(where, [Binding(FOREIGN_EXCHANGE, key)], observer=notes) as listener,
            Publisher(rabbitmq, key, pause=pause) as publisher,
        ):
            frozen = 0.0
            for batch in listener.batches():
                heard += numbers_of(batch)
                if not frozen and len(heard) > 3:
                    line.freeze()
                    frozen = time.monotonic()
                if notes.gaps or (frozen and time.monotonic() > frozen + 20):
                    break
            publisher.stop()
    assert notes.gaps, notes.messages
    end = seconds(notes.gaps[0].until)
    times = {n: at for n, at in publisher.times.items() if n >= min(heard) and at < end}
    assert set(times) - set(heard)
    assert uncovered(times, heard, notes.gaps) == []


def test_a_resumed_queue_loses_nothing(rabbitmq: RabbitMQ) -> None:
    """--resume: durable, limited, kept while the connection is lost, and deleted at exit."""
    key = "faults.resume"
    with Proxy(rabbitmq.port) as line:
        words = (*listens_to(key, line.url(rabbitmq.url())), "--resume", "60s", "--gaps", "-v")
        with Sniffing(*words) as sniffing:
            (queue,) = QUEUE.findall(sniffing.listening().said())
            shape = shape_of(rabbitmq, queue)
            with Publisher(rabbitmq, key, window=20) as publisher:
                for times in (1, 2):
                    sniffing.lines(more=200)
                    (line.cut if times == 1 else line.reset)()
                    until(lambda: sniffing.gaps() == times, "a gap")  # noqa: B023
                sniffing.lines(more=200)
            until(lambda: rabbitmq.queues()[queue] == 0, "an empty queue")
            assert sniffing.signal(signal.SIGTERM) == 143
            lines = sniffing.lines()

    assert set(numbers_in(lines)) == set(range(publisher.confirmed))
    assert [gap.missed for gap in gaps_in(lines)] == [False, False]
    assert shape["durable"] is True
    assert shape["exclusive"] is False
    assert "x-expires" in str(shape["arguments"])
    assert "60000" in str(shape["arguments"])
    assert "x-max-length" in str(shape["arguments"])
    assert queue not in rabbitmq.queues()


def shape_of(server: RabbitMQ, queue: str) -> dict[str, Any]:
    columns = ("name", "durable", "exclusive", "auto_delete", "arguments", "messages")
    rows = server.rows("list_queues", *columns, vhost="/")
    return next(row for row in rows if row["name"] == queue)


def test_a_queue_that_overflowed_during_a_lost_connection_has_lost_messages(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full queue with x-max-length drops messages: the gap says that some were missed."""
    monkeypatch.setattr(queue_policy, "_MAX_RESUMED", 10)
    notes, heard = Notes(), list[int]()
    key = "faults.overflow"
    with Proxy(rabbitmq.port) as line:
        where = build_broker(line.url(rabbitmq.url()), None, {})
        with Consumer(
            where,
            [Binding(FOREIGN_EXCHANGE, key)],
            queue_policy=QueuePolicy(resume=60),
            observer=notes,
        ) as listener:
            batches = listener.batches()
            next(batches)
            line.refuse()
            line.cut()
            for number in range(30):
                taskcluster.publish(FOREIGN_EXCHANGE, key, b'{"n":%d}' % number)
            line.accept()
            while not notes.gaps or len(heard) < 10:
                heard += numbers_of(next(batches))

    assert heard == list(range(20, 30))
    assert [gap.missed for gap in notes.gaps] == [True]


def test_two_on_one_queue_lose_nothing_when_one_is_killed(rabbitmq: RabbitMQ) -> None:
    """The other receives what the killed one had not acknowledged."""
    key, number = "faults.shared", 5000
    words = (*listens_to(key, rabbitmq.url()), "--queue", "faults-shared")
    with Sniffing(*words) as one, Sniffing(*words) as other:
        one.listening()
        other.listening()
        with Publisher(rabbitmq, key, numbers=number, window=100) as publisher:
            one.lines(number // 8)
            one.process.kill()
            until(lambda: publisher.is_done, "all confirms")
        until(lambda: rabbitmq.queues()["queue/pulse/faults-shared"] == 0, "an empty queue")
        assert other.signal(signal.SIGINT) == 130
        parts = [set(numbers_in(sniffing.lines())) for sniffing in (one, other)]
    finished("--queue", "faults-shared", "--delete-queue", "--broker", rabbitmq.url())

    assert all(0 < len(part) < number for part in parts)
    assert set.union(*parts) == set(range(number))


@pytest.mark.parametrize("named", [False, True], ids=["temporary", "named"])
def test_a_deleted_queue_is_declared_again(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, named: bool
) -> None:
    """Deleted as PulseGuardian does: reported and explained; messages were missed."""
    key = f"faults.deleted-{named}"
    words = (*listens_to(key, rabbitmq.url()), "--gaps", "-v")
    with Sniffing(*words, *(("--queue", "faults-deleted") if named else ())) as sniffing:
        (queue,) = QUEUE.findall(sniffing.listening().said())
        rabbitmq.ctl("delete_queue", queue)
        until(sniffing.gaps, "a gap")
        taskcluster.publish(FOREIGN_EXCHANGE, key, b'{"n":1}')
        lines = sniffing.lines(2)
        assert sniffing.signal(signal.SIGINT) == 130
        said = sniffing.said()
    finished("--queue", "faults-deleted", "--delete-queue", "--broker", rabbitmq.url())

    assert "deleted our queue, as PulseGuardian does when a queue grows too long" in said
    assert [gap.missed for gap in gaps_in(lines)] == [True]
    assert numbers_in(lines) == [1]


# Connections that cannot be restored


def test_a_password_that_was_changed_ends_it(rabbitmq: RabbitMQ) -> None:
    """The login is refused at the next attempt to connect: status 4, and the reason."""
    rabbitmq.add_user("fickle", "first-password")
    words = listens_to("#", rabbitmq.url("fickle", "first-password"))
    with Running(*words) as sniffing:
        sniffing.listening()
        rabbitmq.ctl("change_password", "fickle", "other-password")
        rabbitmq.close_connections(user="fickle")

        assert sniffing.status() == 4
        assert "wrong user name or password for 'fickle' at" in sniffing.said()
        assert "Traceback" not in sniffing.said()


def test_a_vhost_that_was_deleted_ends_it(rabbitmq: RabbitMQ) -> None:
    """The connection cannot be restored: status 4."""
    rabbitmq.add_vhost("doomed")
    rabbitmq.add_user("doomed", "doomed-password", vhosts=["doomed"])
    with Connection(rabbitmq.url(*ADMIN, vhost="doomed")) as connection:
        Taskcluster(connection).declare()
    with Running("task-running", "--broker", rabbitmq.url(*ADMIN, vhost="doomed")) as sniffing:
        sniffing.listening()
        rabbitmq.ctl("delete_vhost", "doomed")

        assert sniffing.status() == 4
        assert "doomed" in sniffing.said()


def test_an_exchange_that_was_deleted_ends_it(rabbitmq: RabbitMQ, admin: Connection) -> None:
    """The binding cannot be restored: status 4, and the name of the exchange."""
    name = "exchange/doomed/v1"
    admin.default_channel.exchange_declare(name, "topic", durable=True, auto_delete=False)
    with Running("--exchange", name, "--broker", rabbitmq.url()) as sniffing:
        sniffing.listening()
        admin.default_channel.exchange_delete(name)
        rabbitmq.close_connections(user="pulse")

        assert sniffing.status() == 4
        assert f"no exchange '{name}'" in sniffing.said()


def test_the_first_connection_fails_fast(rabbitmq: RabbitMQ) -> None:
    """No server, or one that disconnects: status 3 at once, without a second attempt."""
    with Proxy(rabbitmq.port) as line:
        url = line.url(rabbitmq.url())
        line.refuse()
        started = time.monotonic()
        done = finished("task-running", "--broker", url)
        took = time.monotonic() - started

    assert done.returncode == 3
    assert "nothing listens" in done.stderr
    assert took < 3


def test_a_server_without_amqp_is_reported(tmp_path: Path) -> None:
    """A port of another service: status 3 and no traceback."""
    assert tmp_path.exists()
    with socket.create_server(("127.0.0.1", 0)) as server:
        banner = threading.Thread(target=greet, args=(server, b"SSH-2.0-OpenSSH_9.2\r\n" * 9))
        banner.start()
        url = f"amqp://u:p@127.0.0.1:{server.getsockname()[1]}"
        done = finished("task-running", "--broker", url)
        banner.join()

    assert (done.returncode, done.stdout) == (3, "")
    assert "no connection to amqp://u@127.0.0.1" in done.stderr


def greet(server: socket.socket, text: bytes) -> None:
    peer, _ = server.accept()
    with peer, suppress(OSError):
        peer.sendall(text)
        peer.recv(100)


# Named queues


@pytest.fixture
def named(rabbitmq: RabbitMQ) -> Iterator[str]:
    """The name of a queue that is gone after the test."""
    yield "faults-named"
    finished("--queue", "faults-named", "--delete-queue", "--broker", rabbitmq.url())


def test_a_named_queue_is_kept_with_its_backlog(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, named: str
) -> None:
    """The second run prints what arrived since the first; --delete-queue deletes the queue."""
    words = (*listens_to("faults.named", rabbitmq.url()), "--queue", named)
    limits = ("--queue-expires", "1h", "--queue-max-length", "5000")
    with Running(*words, *limits) as first:
        assert first.listening().signal(signal.SIGINT) == 130
    shape = shape_of(rabbitmq, f"queue/pulse/{named}")
    for number in range(3):
        taskcluster.publish(FOREIGN_EXCHANGE, "faults.named", b'{"n":%d}' % number)
    with Running(*words, *limits, "-n", "3") as second:
        assert second.status() == 0
        lines, said = second.lines(3), second.said()
    otherwise = finished(*words)
    gone = finished("--queue", named, "--delete-queue", "--broker", rabbitmq.url())

    assert shape["durable"] is True
    assert "3600000" in str(shape["arguments"])
    assert "5000" in str(shape["arguments"])
    assert f"3 messages are waiting in queue/pulse/{named}" in said
    assert numbers_in(lines) == [0, 1, 2]
    assert otherwise.returncode == 4
    assert "--delete-queue" in otherwise.stderr
    assert gone.returncode == 0
    assert f"queue/pulse/{named}" not in rabbitmq.queues()


# The reader stalls, or goes


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("look", [2.0, 0.0], ids=["seldom", "always"])
def test_a_stalled_reader_costs_nothing(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, monkeypatch: pytest.MonkeyPatch, look: float
) -> None:
    """Two pauses longer than two heartbeats: the connection stays open and nothing is lost."""
    monkeypatch.setattr(consumer, "_LOOK_INTERVAL", look)
    notes, heard, stalls = Notes(), list[int](), 2
    where = build_broker(rabbitmq.url(), None, {})
    key = f"faults.stalled-{look}"
    binding = Binding(FOREIGN_EXCHANGE, key)
    with Consumer(where, [binding], prefetch=10, observer=notes) as listener:
        batches = listener.batches()
        next(batches)
        for number in range(100):
            taskcluster.publish(FOREIGN_EXCHANGE, key, b'{"n":%d}' % number)
        for batch in batches:
            heard += numbers_of(batch)
            if batch and stalls:
                stalls -= 1
                time.sleep(3.0)
                assert held(rabbitmq, listener.queue) <= 10
            if len(heard) >= 100 or notes.gaps:
                break

    assert notes.messages == []
    assert heard == list(range(100))


def held(server: RabbitMQ, queue: str) -> int:
    rows = server.rows("list_queues", "name", "messages_unacknowledged", vhost="/")
    return int(next(row["messages_unacknowledged"] for row in rows if row["name"] == queue))


def test_a_pipe_without_a_reader_bounds_the_memory(rabbitmq: RabbitMQ) -> None:
    """20 MB of messages, a prefetch of 100, no reader: little memory; later all are printed."""
    key, number = "faults.pipe", 2000
    words = (*listens_to(key, rabbitmq.url()), "--prefetch", "100", "-v")
    with Running(*words) as sniffing, Connection(rabbitmq.url(*ADMIN)) as connection:
        (queue,) = QUEUE.findall(sniffing.listening().said())
        before = resident(sniffing.process.pid)
        taskcluster = Taskcluster(connection)
        for one in range(number):
            body = b'{"n":%d,"x":"%s"}' % (one, b"x" * 10_000)
            taskcluster._publish(message(key, one)._replace(body=body))  # noqa: SLF001
        taskcluster._await_confirms()  # noqa: SLF001
        time.sleep(1)
        stalled = held(rabbitmq, queue)
        grown = resident(sniffing.process.pid) - before
        heard = numbers_in(sniffing.lines(number))

    assert 0 < stalled <= 100
    assert grown < 10_000
    assert heard == list(range(number))


def resident(process: int) -> int:
    """Return the memory of a process, in KB."""
    text = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmRSS:\s+(\d+)", text)[0])


def test_a_reader_that_goes_away_ends_it_without_a_message(rabbitmq: RabbitMQ) -> None:
    """At once, with 141 and no message, although there is nothing to write."""
    for words in ((), ("-o", "raw"), ("-o", "lines"), ("--select", "event")):
        with Running(*listens_to("faults.none", rabbitmq.url()), *words) as sniffing:
            sniffing.listening().stop_reading()
            started = time.monotonic()

            assert sniffing.status() == 141
            assert time.monotonic() - started < SOON
            assert sniffing.said().count("\n") == 1


def test_what_was_not_written_is_not_acknowledged(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, named: str
) -> None:
    """A reader ends during a flood: the messages that it did not get stay in the queue."""
    key, number = "faults.unwritten", 3000
    words = (*listens_to(key, rabbitmq.url()), "--queue", named)
    with Running(*words) as first:
        first.listening()
        taskcluster.publish_all(message(key, one) for one in range(number))
        first.lines(1)
        first.process.send_signal(signal.SIGSTOP)  # so that we know what was written
        heard = first.lines(1) + what_is_in(first)
        first.stop_reading()
        first.process.send_signal(signal.SIGCONT)
        assert first.status() == 141
    until(lambda: held(rabbitmq, f"queue/pulse/{named}") == 0, "the end of the connection")
    with Running(*words, "--idle-timeout", "1s") as second:
        second.status()
        heard += second.lines(0)

    assert set(numbers_in(heard)) == set(range(number))


def what_is_in(sniffing: Running) -> list[str]:
    """Return the complete lines in the pipe; the first may have started before."""
    pipe, data = sniffing.process.stdout, sniffing._texts[1].rpartition(b"\n")[2]  # noqa: SLF001
    assert pipe is not None
    time.sleep(0.2)
    while select.select([pipe], [], [], 0)[0]:
        data += os.read(pipe.fileno(), 1 << 16)
    return data.decode().split("\n")[:-1]


# Signals


ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


class Pty:
    """tcsniff or another program in a terminal whose output is kept."""

    def __init__(
        self, *line: str, env: Mapping[str, str] | None = None, reads: bool = True
    ) -> None:
        self._written = bytearray()  # bytes would be copied with every read
        self._master, slave = pty.openpty()
        self.modes = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            line,
            env=environment(env),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads
        )
        self._slave = slave  # kept open, so that the modes can be checked at exit
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        if reads:
            self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        os.close(self._slave)
        os.close(self._master)

    @property
    def written(self) -> bytes:
        """What it has written so far."""
        return bytes(self._written)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def shows(self, text: bytes, start: int = 0) -> int:
        """Wait until something is written behind a place; returns where."""
        until(lambda: text in self.written[start:], f"{text!r}; it wrote {self.written[-900:]!r}")
        return self.written.index(text, start)

    def status(self) -> int:
        """Wait for the end, and for all that was written."""
        status = self.process.wait(PATIENCE)
        seen = -1
        while seen != len(self._written):
            seen = len(self._written)
            time.sleep(0.1)
        return status

    @property
    def is_in_order(self) -> bool:
        """Whether the cursor can be seen and the modes are those of the beginning."""
        hidden, shown = self.written.rfind(b"\x1b[?25l"), self.written.rfind(b"\x1b[?25h")
        return hidden <= shown and termios.tcgetattr(self._slave) == self.modes

    def _read(self) -> None:
        while not self._ended.is_set():
            if select.select([self._master], [], [], 0.05)[0]:
                self._written += os.read(self._master, 1 << 16)


def own_queues(server: RabbitMQ) -> list[str]:
    return [name for name in server.queues() if name.startswith("queue/pulse/tcsniff/")]


def test_a_signal_at_any_moment_leaves_all_in_order(rabbitmq: RabbitMQ) -> None:
    """While it starts, connects, waits or draws a flood: its status, a cursor, no queue."""
    dice = random.Random(8)
    words = command(*listens_to("faults.signals", rabbitmq.url()), "--resume", "60s")
    with Publisher(rabbitmq, "faults.signals", window=50):
        for turn in range(9):
            number = ENDING[turn % 3]
            with Pty(*words) as terminal:
                time.sleep(dice.uniform(0.05, 0.9))
                terminal.process.send_signal(number)
                status = terminal.status()

                assert status in (SHELL + number, -number), terminal.written[-2000:]
                assert terminal.is_in_order, terminal.written[-2000:]
                assert b"Traceback" not in terminal.written or status < 0
    until(lambda: not own_queues(rabbitmq), "no queue of ours", 5)


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_a_connection_that_is_not_answered(
    rabbitmq: RabbitMQ, number: signal.Signals
) -> None:
    """While the broker is silent: at once, with its status."""
    with Proxy(rabbitmq.port) as line:
        line.answers = False
        with Running("task-running", "--broker", line.url(rabbitmq.url())) as sniffing:
            until(lambda: line.lines, "a connection")
            started = time.monotonic()

            assert sniffing.signal(number) == SHELL + number
            assert time.monotonic() - started < SOON
            assert sniffing.said().strip() == ""


def test_a_signal_ends_a_reconnection_that_is_not_answered(rabbitmq: RabbitMQ) -> None:
    """Also at a later attempt: it does not wait for a silent broker."""
    with (
        Proxy(rabbitmq.port) as line,
        Running("task-running", "--broker", line.url(rabbitmq.url())) as sniffing,
    ):
        sniffing.listening()
        line.answers = False
        line.cut()
        until(lambda: line.lines > 1, "a second connection")
        time.sleep(0.3)
        started = time.monotonic()

        assert sniffing.signal(signal.SIGTERM) == 143
        assert time.monotonic() - started < SOON


def test_usr1_prints_counters(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """And the queue, on standard error, each time; then it continues."""
    key = "faults.usr1"
    with Sniffing(*listens_to(key, rabbitmq.url())) as sniffing:
        sniffing.listening()
        for number in range(2):
            taskcluster.publish(FOREIGN_EXCHANGE, key, b'{"n":1}')
            sniffing.lines(number + 1)
            time.sleep(0.5)
            sniffing.process.send_signal(signal.SIGUSR1)
            counters = (
                f"tcsniff: {number + 1} received, {number + 1} matched, {number + 1} printed\n"
                "tcsniff: queue queue/pulse/tcsniff/"
            )
            until(lambda: counters in sniffing.said(), "counters")  # noqa: B023
        assert sniffing.signal(signal.SIGINT) == 130


def test_usr1_is_harmless_before_the_first_message(rabbitmq: RabbitMQ) -> None:
    """Also while it connects: it does not end the program."""
    with Proxy(rabbitmq.port) as line:
        line.answers = False
        with Running("task-running", "--broker", line.url(rabbitmq.url())) as sniffing:
            until(lambda: line.lines, "a connection")
            time.sleep(0.2)
            sniffing.process.send_signal(signal.SIGUSR1)
            time.sleep(0.3)

            assert sniffing.process.poll() is None


@pytest.mark.parametrize(
    ("words", "picture"), [((), b"TIME"), (("graph",), b"task group ")], ids=["sniff", "graph"]
)
def test_it_can_be_stopped_and_continued(words: Sequence[str], picture: bytes) -> None:
    """Ctrl-Z gives the shell a cursor; fg brings the picture back."""
    sniff = " ".join(command(*words, "--demo", "--seed", "1"))
    script = f"{sniff}; echo stopped $?; read key; fg; echo ended $?"
    with Pty("bash", "--norc", "-mc", script) as terminal:
        terminal.shows(b"? keys\x1b")
        terminal.type(b"\x1a")
        stopped = terminal.shows(b"stopped 148")
        assert terminal.is_in_order
        time.sleep(0.5)
        assert b"?2026h" not in terminal.written[stopped:]
        terminal.type(b"\n")
        continued = terminal.shows(picture, stopped)
        assert b"\x1b[?25l" in terminal.written[stopped:continued]
        terminal.type(b"\x03")
        terminal.shows(b"ended 130", continued)

        assert terminal.is_in_order


@pytest.mark.parametrize("view", ["table", "json"])
def test_ctrl_c_ends_a_blocked_output(rabbitmq: RabbitMQ, view: str) -> None:
    """Neither the pipe nor the terminal is read: it ends anyway."""
    key = f"faults.blocked-{view}"
    words = (*listens_to(key, rabbitmq.url()), "-o", view)
    with (
        Publisher(rabbitmq, key, window=200),
        Running(*words) as piped,
        Pty(*command(*words), reads=False) as terminal,
    ):
        piped.listening()
        time.sleep(1.5)
        for process in (piped.process, terminal.process):
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130


@pytest.mark.parametrize("view", ["json", "table"])
def test_ctrl_c_ends_the_reading_of_a_large_message(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, view: str
) -> None:
    """A message of 15 MB that needs minutes to arrive: it ends soon, and deletes its queue."""
    key = f"faults.large-{view}"
    with (
        Proxy(rabbitmq.port) as line,
        Running(*listens_to(key, line.url(rabbitmq.url())), "-o", view) as sniffing,
    ):
        sniffing.listening()
        line.rate = 200_000
        taskcluster.publish(FOREIGN_EXCHANGE, key, b'"%b"' % (b"x" * (15 << 20)))
        time.sleep(2)
        started = time.monotonic()

        assert sniffing.signal(signal.SIGINT) == 130
        assert time.monotonic() - started < SOON
    until(lambda: not own_queues(rabbitmq), "no queue")


# TLS


def test_a_certificate_is_trusted_only_if_all_of_it_is_right(rabbitmq: RabbitMQ) -> None:
    """Chain and name: right; another name, an unknown authority: status 5."""
    right, ca = rabbitmq.url(tls=True), ("--tls-ca", str(rabbitmq.ca_file))
    wrong = rabbitmq.url(tls=True, host=WRONG_HOST)

    with Running("task-running", "--broker", right, *ca) as sniffing:
        sniffing.listening()
    for words in ((wrong, *ca), (right,)):
        done = finished("task-running", "--timeout", "60s", "--broker", *words)
        assert done.returncode == 5, done.stderr
        assert "cannot be trusted" in done.stderr


def test_a_certificate_that_has_expired_is_refused(tmp_path: Path) -> None:
    """Status 5, and the reason; nothing was sent to that server."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    now = datetime.now(UTC)
    certificate = ca.issue_cert(
        "127.0.0.1", not_before=now - timedelta(days=9), not_after=now - timedelta(days=1)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = threading.Thread(target=shake_hands, args=(server, context, heard))
        peer.start()
        url = f"amqps://u:p@127.0.0.1:{server.getsockname()[1]}"
        done = finished("task-running", "--broker", url, "--tls-ca", str(tmp_path / "ca.pem"))
        peer.join()

    assert done.returncode == 5
    assert "certificate has expired" in done.stderr
    assert heard == []


def shake_hands(server: socket.socket, context: ssl.SSLContext, heard: list[bytes]) -> None:
    peer, _ = server.accept()
    with peer, suppress(OSError), context.wrap_socket(peer, server_side=True) as safe:
        heard.append(safe.recv(100))


def test_insecure_is_reported(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """--tls-insecure listens to any server, and warns that it was not checked."""
    words = listens_to("faults.insecure", rabbitmq.url(tls=True, host=WRONG_HOST))
    with Running(*words, "--tls-insecure", "-n", "1") as sniffing:
        sniffing.listening()
        taskcluster.publish(FOREIGN_EXCHANGE, "faults.insecure", b'{"n":1}')

        assert sniffing.status() == 0
        assert "--tls-insecure: the certificate of amqps://pulse@127.1:" in sniffing.said()


@pytest.mark.parametrize("flag", ["--tls-ca", "--tls-cert", "--tls-key"])
def test_files_for_tls_that_are_not_what_they_should_be(
    rabbitmq: RabbitMQ, tmp_path: Path, flag: str
) -> None:
    """Missing: status 2; not PEM: 2 or 5. Each in one line."""
    junk = tmp_path / "junk.pem"
    junk.write_text("junk", encoding="utf-8")
    extra = ("--tls-cert", str(rabbitmq.folder / "certificate.pem")) if flag == "--tls-key" else ()
    words = ("task-running", "--broker", rabbitmq.url(tls=True), *extra)
    missing = finished(*words, flag, str(tmp_path / "none.pem"))
    broken = finished(*words, flag, str(junk))

    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    assert "none.pem" in missing.stderr
    assert broken.returncode in (2, 5)
    assert broken.stderr.count("\n") == 1
    assert "a bug" not in broken.stderr


def test_a_certificate_as_login_that_the_broker_does_not_take(rabbitmq: RabbitMQ) -> None:
    """EXTERNAL, which this broker does not offer: refused, without a traceback."""
    certificate = rabbitmq.ca.issue_cert("pulse")
    path = rabbitmq.folder / "client.pem"
    certificate.private_key_and_cert_chain_pem.write_to_path(path)
    url = f"amqps://pulse@127.0.0.1:{rabbitmq.tls_port}"
    words = ("--tls-ca", str(rabbitmq.ca_file), "--tls-cert", str(path))
    done = finished("task-running", "--broker", url, *words)

    assert done.returncode in (3, 4)
    assert done.stderr.count("\n") == 1
    assert "a bug" not in done.stderr


def test_a_password_is_not_sent_unencrypted() -> None:
    """amqp:// to another machine: status 2 before anything connects, and the alternatives."""
    started = time.monotonic()
    done = finished("task-running", "--broker", "amqp://u:p@10.255.255.1")

    assert done.returncode == 2
    assert "--plaintext" in done.stderr
    assert "amqps://" in done.stderr
    assert time.monotonic() - started < SOON


# Secrets


SECRET = "hünter2/%s3cret"
SPELLINGS = (
    "nter2",
    "s3cret",
    b64encode(SECRET.encode()).decode().rstrip("="),
    b64encode(f"\0secretive\0{SECRET}".encode()).decode().rstrip("="),
)


def leaks(*texts: str) -> list[str]:
    return [spelling for spelling in SPELLINGS for text in texts if spelling in text]


@pytest.mark.parametrize("way", ["url", "TCSNIFF_BROKER", "environment", "file", "stdin"])
def test_the_password_is_nowhere(rabbitmq: RabbitMQ, tmp_path: Path, way: str) -> None:
    """Output, errors, recording, debug output, list of processes: however it was given."""
    rabbitmq.add_user("secretive", SECRET)
    recording, secret = tmp_path / "recording.jsonl", tmp_path / "password"
    secret.write_text(f"{SECRET}\n", encoding="utf-8")
    full = rabbitmq.url("secretive", SECRET)
    bare = f"amqp://secretive@127.0.0.1:{rabbitmq.port}"
    words, env, stdin = {
        "url": (("--broker", full), {}, ""),
        "TCSNIFF_BROKER": ((), {"TCSNIFF_BROKER": full}, ""),
        "environment": (("--broker", bare), {"PULSE_PASSWORD": SECRET}, ""),
        "file": (("--broker", bare, "--password-file", str(secret)), {}, ""),
        "stdin": (("--broker", bare, "--password-file", "-"), {}, f"{SECRET}\n"),
    }[way]
    key = f"faults.secret-{way}"
    words = ("--exchange", FOREIGN_EXCHANGE, "--routing-key", key, *words, "--debug", "--gaps")
    process = subprocess.Popen(
        command(*words, "--record", str(recording), "-o", "lines"),
        env=environment(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.close()
        process.stdin = None
        until(recording.exists, "a recording")
        shown = Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8")
        with Connection(rabbitmq.url(*ADMIN)) as connection:
            Taskcluster(connection).publish(FOREIGN_EXCHANGE, key, b'{"n":1}')
        until(recording.read_bytes, "a record")
        rabbitmq.ctl("change_password", "secretive", "another")
        rabbitmq.close_connections(user="secretive")
        out, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 4
    assert "Traceback" in err
    assert leaks(out, err, recording.read_text(encoding="utf-8")) == []
    assert way == "url" or leaks(shown) == []


def test_failures_of_every_kind_keep_the_password(rabbitmq: RabbitMQ) -> None:
    """Whatever goes wrong, also when the URL is given in the wrong place."""
    good = rabbitmq.url("secretive", SECRET)
    lines = [
        ("--broker", good),
        ("--broker", good.replace(f":{rabbitmq.port}", ":1")),
        ("--broker", rabbitmq.url("secretive", SECRET, tls=True)),
        ("--broker", rabbitmq.url("secretive", SECRET, host="no-such-host.invalid")),
        ("--broker", rabbitmq.url("secretive", SECRET, host="10.255.255.1")),
        ("--broker", f"amqp://secretive:{SECRET}@127.0.0.1"),
        ("--broker", f"amqp://secretive:{SECRET}#@127.0.0.1"),
        ("--broker", f"http://secretive:{SECRET}@127.0.0.1"),
        ("--broker", "amqp://secretive:s3cret[@127.0.0.1"),
        ("--broker", f"secretive:{SECRET}@127.0.0.1"),
        ("--profile", good),
        (good,),
        ("--borker", good),
        (f"--borker={good}",),
    ]
    for words in lines:
        for debug in ((), ("--debug",)):
            done = finished("task-running", *words, *debug)
            assert done.returncode in (2, 3, 4, 5)
            assert leaks(done.stdout, done.stderr) == [], words


def test_a_password_that_is_not_text_is_reported(rabbitmq: RabbitMQ) -> None:
    """Bytes in the environment that are not UTF-8: one line of explanation, not a bug."""
    words = ("task-running", "--broker", f"amqp://pulse@127.0.0.1:{rabbitmq.port}")
    done = finished(*words, env={"PULSE_PASSWORD": "hunter\udcff"})

    assert done.returncode in (2, 4)
    assert "hunter" not in done.stderr


# Untrusted messages


NASTY = [
    "\x1b[31mred", "\x1b]0;owned\x07", "\x9b2J", "\u202etxt", "\u200b\u2066", "[red]x[/]", "\x7f",
    "\r\n\t", "\x00", "\U000e0041", "\ufeff", "\u2028", "ünï", "\ud800", "a" * 300, "☃️👩‍👩‍👧",
]  # fmt: skip


class Fuzz:
    """Messages that no library would write, the same each time."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def text(self, most: int = 1000) -> bytes:
        """Text, more or less."""
        some = "".join(self._dice.choices(NASTY, k=self._dice.randrange(4)))
        raw = some.encode("utf-8", "surrogatepass") + self._dice.randbytes(
            self._dice.choice([0, 3])
        )
        return raw[:most]

    def short(self) -> bytes:
        """A short string of AMQP."""
        text = self.text(200)
        return bytes([len(text)]) + text

    def long(self) -> bytes:
        """A long string of AMQP."""
        text = self.text()
        return struct.pack(">I", len(text)) + text

    def value(self, depth: int = 0) -> bytes:
        """A field's value, behind its type."""
        sizes = {"t": 1, "b": 1, "B": 1, "s": 2, "u": 2, "I": 4, "i": 4, "l": 8, "L": 8, "f": 4}
        sizes |= {"d": 8, "D": 5, "T": 8, "V": 0}
        kind = self._dice.choice([*sizes, *"SSxx", *("AF" if depth < 3 else "")])
        if kind in "Sx":
            return kind.encode() + self.long()
        if kind == "A":
            return b"A" + sized(b"".join(self.value(depth + 1) for _ in range(3)))
        if kind == "F":
            return b"F" + self.table(depth + 1)
        return kind.encode() + self._dice.randbytes(sizes[kind])

    def table(self, depth: int = 0) -> bytes:
        """A table of any fields; at the top with CC, now and then."""
        fields = [self.short() + self.value(depth) for _ in range(self._dice.randrange(4))]
        if depth == 0 and self._dice.random() < 0.5:
            keys = [self._dice.choice([b"S" + self.long(), self.value(1)]) for _ in range(3)]
            fields.insert(0, b"\x02CC" + b"A" + sized(b"".join(keys)))
        return sized(b"".join(fields))

    def body(self) -> bytes:
        """A body: JSON of every kind, broken JSON, bytes, bombs."""
        inner = orjson.dumps(self.text().decode(errors="replace"))
        task = b'{"status":{"taskId":%b,"workerType":%b},"workerId":%b,"task":{"tags":%b}}'
        bodies = [
            b"", inner, b"[" * 3000, b'{"a":' * 600 + b"1" + b"}" * 600, self._dice.randbytes(60),
            task % (inner, inner, inner, inner), b'{"n":\t1,\r\n"b": %b}' % inner, inner[:-1],
            b'{"status":{"runs":[%b,{"reasonResolved":%b}]},"runId":1e999}' % (inner, inner),
            zlib.compress(bytes(10_000)), b"1" * 400, b'"\xed\xa0\x80"', b'{"\\u001b[":"\\ud800"}',
            b"[%b]" % b",".join([inner] * 50), b"null", b"\xef\xbb\xbf{}", b'{"a":1}\n{"b":2}',
        ]  # fmt: skip
        return self._dice.choice(bodies)

    def frames(self, exchange: bytes, *, size: int = 131_000) -> bytes:
        """A message as a client sends it on its first channel."""
        key = self._dice.choice([b"primary." + self.text(200), self.text(250)])
        method = struct.pack(">HHH", 60, 40, 0) + bytes([len(exchange)]) + exchange
        method += bytes([len(key)]) + key + b"\0"
        body = self.body()
        encoding = self._dice.choice([b"gzip", b"utf-16", b"rot13", self.text(50)])
        header = struct.pack(">HHQH", 60, 0, len(body), 0b1110_0000_0000_0000)
        header += b"\x10application/json" + bytes([len(encoding)]) + encoding + self.table()
        return b"".join(
            struct.pack(">BHI", kind, 1, len(data)) + data + b"\xce"
            for kind, data in [(1, method), (2, header)]
            + [(3, body[at : at + size]) for at in range(0, len(body), size)]
        )


def sized(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def publish_raw(server: RabbitMQ, exchange: str, number: int, seed: int) -> None:
    """Publish hand-made frames; on return at least this number are in their queues."""
    fuzz = Fuzz(seed)
    accepted = 0
    while accepted < number:
        connection = Connection(server.url(*ADMIN))
        with suppress(AMQPError, OSError):  # now and then one is too odd for the broker itself
            taskcluster = Taskcluster(connection)
            while accepted < number:
                for _ in range(100):
                    connection.connection.transport.write(fuzz.frames(exchange.encode()))
                    taskcluster._published += 1  # noqa: SLF001
                    taskcluster._unconfirmed.add(taskcluster._published)  # noqa: SLF001
                taskcluster._await_confirms()  # noqa: SLF001
                accepted += 100
        release(connection)


# What tcsniff itself may send to a terminal: the table's own sequences, and lines.
OURS = re.compile(r"\x1b\[(\?25[lh]|\?2026[lh]|\?7[lh]|\d*[AKJ])|\r|\n")


def hostile_in(written: bytes) -> list[str]:
    """Return the characters that a terminal would obey or hide."""
    text = OURS.sub("", written.decode())
    return [letter for letter in text if unicodedata.category(letter) in HIDDEN]


HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
VIEWS: dict[str, tuple[str, ...]] = {
    "json": ("-o", "json"),
    "raw": ("-o", "raw"),
    "lines": ("-o", "lines", "--color", "never"),
    "table": ("-o", "table", "--color", "never"),
    "select": ("--select", "routingKey", "-r"),
    "select-all": ("--select", "@"),
    "select-body": ("--select", "[payload.status.taskId, body, routes, cc]"),
}


@pytest.fixture(scope="module")
def fuzzed(rabbitmq_server: RabbitMQ) -> tuple[dict[str, bytes], list[str]]:
    """The output of every view on a terminal, and of JSON in a pipe, for the same messages."""
    rabbitmq_server.start()
    name = "exchange/fuzzed/v1"
    with Connection(rabbitmq_server.url(*ADMIN)) as connection:
        connection.default_channel.exchange_declare(
            name, "fanout", durable=True, auto_delete=False
        )
    words = ("--exchange", name, "--broker", rabbitmq_server.url(), "-n", str(FUZZED))
    with ExitStack() as stack:
        piped = stack.enter_context(Sniffing(*words)).listening()
        terminals = {
            view: stack.enter_context(Pty(*command(*words, *flags)))
            for view, flags in VIEWS.items()
        }
        for terminal in terminals.values():
            terminal.shows(b"listening to")
        publish_raw(rabbitmq_server, name, FUZZED, seed=5)
        for terminal in terminals.values():
            assert terminal.status() == 0, terminal.written[-3000:]
        assert piped.process.wait(PATIENCE) == 0
        lines = piped.lines()
        return {view: terminal.written for view, terminal in terminals.items()}, lines


def test_every_fuzzed_message_is_a_record(fuzzed: tuple[dict[str, bytes], list[str]]) -> None:
    """As many lines of JSON as messages, whatever bodies, keys and headers they have."""
    _, lines = fuzzed
    records = [orjson.loads(line) for line in lines]

    assert len(records) == FUZZED
    assert any(record["routes"] or record.get("cc") for record in records)
    assert {"error" in record for record in records} == {True, False}


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_lets_a_control_reach_the_terminal(
    fuzzed: tuple[dict[str, bytes], list[str]], view: str
) -> None:
    """Neither C0, DEL, C1, bidi nor zero-width, in any field."""
    assert hostile_in(fuzzed[0][view]) == []


def test_json_on_a_terminal_is_json_of_the_same_value(
    fuzzed: tuple[dict[str, bytes], list[str]],
) -> None:
    """The escapes for the terminal do not change the value."""
    written, lines = fuzzed
    shown = [line for line in written["json"].decode().split("\r\n") if line.startswith("{")]
    differ = [
        (one, other)
        for one, other in zip(shown, lines, strict=True)
        if value_of(one) != value_of(other)
    ]

    assert differ == []


def value_of(line: str) -> Any:
    """Return a record without its time; the line itself if it is not JSON."""
    try:
        record = json.loads(line)
    except ValueError:
        return line
    return {name: value for name, value in record.items() if name != "received"}


def test_a_large_message_is_reported_and_skipped(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """20 MB against --max-size 1M: a line on standard error, and the next message."""
    key = "faults.large"
    with Running(*listens_to(key, rabbitmq.url()), "--max-size", "1M", "-n", "1") as sniffing:
        sniffing.listening()
        before = resident(sniffing.process.pid)
        taskcluster.publish(FOREIGN_EXCHANGE, key, b"x" * 20_000_000)
        taskcluster.publish(FOREIGN_EXCHANGE, key, b'{"n":1}')
        (line,) = sniffing.lines(1)

        assert sniffing.status() == 0
    assert before > 0
    assert numbers_in([line]) == [1]
    assert "a message of 20,000,000 bytes" in sniffing.said()


def test_large_messages_do_not_use_up_the_prefetch(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """More of them than the prefetch: the messages after them are printed."""
    key = "faults.large-and-many"
    words = (*listens_to(key, rabbitmq.url()), "--max-size", "1K", "--prefetch", "3")
    with Running(*words, "--timeout", "8s", "-n", "1") as sniffing:
        sniffing.listening()
        for _ in range(5):
            taskcluster.publish(FOREIGN_EXCHANGE, key, b"x" * 2000)
        taskcluster.publish(FOREIGN_EXCHANGE, key, b'{"n":1}')

        assert sniffing.status() == 0, sniffing.said()
    assert sniffing.said().count("skipped") == 5
