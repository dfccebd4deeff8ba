"""Connections that are lost at every moment, and connections that the broker closes."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

import pytest
from kombu.connection import Connection

from proxy import Proxy
from rabbitmq import ADMIN, FOREIGN_EXCHANGE, RabbitMQ, Taskcluster
from running import PATIENCE, finished
from tcsniff import bind, listen
from tcsniff.errors import TcsniffError
from tcsniff.pipeline import ConnectionObserver, Outcome, Renderer, Stop, run_pipeline
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.pulse.routing import Binding
from tcsniff.settings.brokers import build_broker
from tcsniff.sources import connection, consumer
from tcsniff.sources.consumer import Consumer
from tcsniff.sources.queue_policy import TEMPORARY, QueuePolicy

BINDINGS = [Binding(FOREIGN_EXCHANGE, "lost.#")]


@pytest.fixture
def queue(admin: Connection, request: pytest.FixtureRequest) -> Iterator[str]:
    name = re.sub(r"\W+", "-", request.node.name)
    yield name
    admin.default_channel.queue_delete(f"queue/pulse/{name}")


class Notes(ConnectionObserver):
    """Keeps messages and gaps."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.gaps: list[Gap] = []

    def notify(self, text: str) -> None:
        self.messages.append(text)

    def add_gap(self, gap: Gap) -> None:
        self.gaps.append(gap)


def publish(taskcluster: Taskcluster, *numbers: int) -> None:
    for number in numbers:
        taskcluster.publish(FOREIGN_EXCHANGE, "lost.x", b"%d" % number)


def reset(_server: RabbitMQ, line: Proxy) -> None:
    line.reset()


def close(server: RabbitMQ, _line: Proxy) -> None:
    server.close_connections("maintenance", user="pulse")


# At every moment


@pytest.mark.parametrize("prefetch", [1, 1_000])
@pytest.mark.parametrize("moment", [0, 1, 2, 3, 4])
def test_a_temporary_queue_is_made_again_at_any_moment(
    moment: int, prefetch: int, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """Before the first message, and after each: the loop goes on with what comes afterwards."""
    received: list[int] = []
    with (
        Proxy(rabbitmq.port) as line,
        listen(
            line.url(rabbitmq.url()),
            bind(FOREIGN_EXCHANGE, "lost.#"),
            prefetch=prefetch,
            timeout=PATIENCE,
            on_gap=lambda _: publish(taskcluster, 4),
        ) as events,
    ):
        if moment:
            publish(taskcluster, 0, 1, 2, 3)
        else:
            line.reset()
        for event in events:
            received.append(event.payload)
            if len(received) == moment:
                line.reset()
            if event.payload == 4:
                break

    assert received[:moment] == list(range(moment))
    assert received == sorted(set(received))
    assert received[-1] == 4


@pytest.mark.parametrize("fault", [reset, close])
def test_messages_of_a_lost_channel_are_not_acknowledged(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, queue: str, fault: Callable[..., None]
) -> None:
    """They come again, marked; the new channel hears of no tag that it does not know."""
    gaps: list[Gap] = []
    received: list[tuple[int, bool]] = []
    with (
        Proxy(rabbitmq.port) as line,
        listen(
            line.url(rabbitmq.url()),
            bind(FOREIGN_EXCHANGE, "lost.#"),
            queue=queue,
            timeout=PATIENCE,
            on_gap=gaps.append,
        ) as events,
    ):
        publish(taskcluster, 0, 1, 2)
        for event in events:
            received.append((event.payload, event.redelivered))
            if len(received) == 2:
                fault(rabbitmq, line)
            if gaps and event.payload == 2:
                break

    assert received[:2] == [(0, False), (1, False)]
    assert received[-2:] == [(1, True), (2, True)]
    assert [gap.missed for gap in gaps] == [False]


class LosingRenderer(Renderer):
    """Loses the connection while it shows the third event."""

    def __init__(self, lose: Callable[[], None]) -> None:
        self._lose = lose
        self.shown: list[int] = []

    def show(self, events: Sequence[Event]) -> None:
        for event in events:
            self.shown.append(event.payload)
            if len(self.shown) == 3:
                self._lose()

    def flush(self) -> None:
        return


@pytest.mark.parametrize("fault", [reset, close])
@pytest.mark.parametrize("policy", ["temporary", "named"])
@pytest.mark.parametrize(
    ("stop", "outcome"),
    [
        (Stop(count=3), Outcome.COUNT_REACHED),
        (Stop(fail_on=lambda event: event.payload == 2), Outcome.FAIL_ON_MATCHED),
    ],
    ids=["count", "fail-on"],
)
def test_a_run_ends_as_asked_although_the_connection_is_lost(
    stop: Stop,
    outcome: Outcome,
    policy: str,
    fault: Callable[..., None],
    rabbitmq: RabbitMQ,
    taskcluster: Taskcluster,
    queue: str,
) -> None:
    """While the last event is shown, before it is acknowledged."""
    with Proxy(rabbitmq.port) as line:
        broker = build_broker(line.url(rabbitmq.url()), None, {})
        renderer = LosingRenderer(lambda: fault(rabbitmq, line))
        kept = TEMPORARY if policy == "temporary" else QueuePolicy(name=queue)
        with Consumer(broker, BINDINGS, queue_policy=kept) as listener:
            publish(taskcluster, 0, 1, 2, 3)
            ended = run_pipeline(listener, renderer, stop=stop)

    assert ended is outcome
    assert renderer.shown == [0, 1, 2]


@pytest.mark.parametrize("seed", range(3))
def test_a_broker_that_sends_nonsense_is_a_lost_connection(
    seed: int, rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes changed, left out or replaced, anywhere: a failure that is explained."""
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT", 2)
    monkeypatch.setattr(consumer, "_LOOK_INTERVAL", 0.0)
    dice = random.Random(seed)
    with Proxy(rabbitmq.port) as line:
        broker = build_broker(line.url(rabbitmq.url()), None, {})
        for place in dice.sample(range(1_200), 8):
            line.spoil = partial(spoil, dice, place)
            with suppress(TcsniffError), Consumer(broker, BINDINGS, max_wait=0.02) as listener:
                # Until the place: an answer to each look, or a connection that is made again.
                for _ in itertools.islice(listener.batches(), 60):
                    pass

    assert line.lines >= 8


def spoil(dice: random.Random, place: int, start: int, data: bytes) -> bytes:
    at = place - start
    if not 0 <= at < len(data):
        return data
    noise = dice.randbytes(dice.choice([0, 1, 3, 200]))
    return data[:at] + noise + data[at + dice.choice([1, len(noise)]) :]


# Closed by the broker


@pytest.fixture
def short_timeout(rabbitmq: RabbitMQ) -> Iterator[None]:
    """A broker that waits 1 s for an acknowledgement, and checks it twice a second."""
    set_env = "application:set_env(rabbit, {}, {})."
    rabbitmq.ctl("eval", set_env.format("consumer_timeout", 1_000))
    rabbitmq.ctl("eval", set_env.format("channel_tick_interval", 500))
    yield
    rabbitmq.ctl("eval", set_env.format("consumer_timeout", 1_800_000))
    rabbitmq.ctl("eval", set_env.format("channel_tick_interval", 60_000))


@pytest.mark.usefixtures("short_timeout")
def test_an_acknowledgement_that_took_too_long_is_a_lost_connection(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, queue: str
) -> None:
    """The broker closes the channel of a paused reader: it connects again, and says so."""
    notes, received = Notes(), list[tuple[bytes, bool]]()
    with Consumer(
        build_broker(rabbitmq.url(), None, {}),
        BINDINGS,
        queue_policy=QueuePolicy(name=queue),
        observer=notes,
    ) as listener:
        publish(taskcluster, 0, 1)
        for batch in listener.batches():
            received += [(delivery.body, delivery.redelivered) for delivery in batch]
            if batch and not notes.gaps:
                await_timeout(rabbitmq)
            if (b"1", True) in received:
                break

    assert (b"0", False) in received
    assert (b"0", True) in received
    assert "delivery acknowledgement on channel 1 timed out" in notes.messages[0]
    assert notes.messages[0].endswith("trying again")
    assert not any("--delete-queue" in text for text in notes.messages)
    # A slow machine may exceed the second again.
    assert {gap.missed for gap in notes.gaps} == {False}


def await_timeout(server: RabbitMQ) -> None:
    """Wait until the broker has put all messages back into their queues."""
    columns = ("list_queues", "messages_unacknowledged")
    while any(row[columns[1]] for row in server.rows(*columns, vhost="/")):
        pass


@pytest.fixture
def limited(rabbitmq: RabbitMQ) -> Iterator[str]:
    """The URL of a user and a vhost that have limits in the test."""
    rabbitmq.add_vhost("limited")
    rabbitmq.add_user("limited", "limited-password", vhosts=["limited"])
    with Connection(rabbitmq.url(*ADMIN, vhost="limited")) as connection:
        Taskcluster(connection).declare()
    yield rabbitmq.url("limited", "limited-password", "limited")
    rabbitmq.ctl("delete_vhost", "limited")
    rabbitmq.ctl("delete_user", "limited")


@pytest.mark.parametrize(
    ("limit", "name"),
    [
        (("set_vhost_limits", "-p", "limited", '{"max-queues": 0}'), "max-queues of vhost"),
        (
            ("set_vhost_limits", "-p", "limited", '{"max-connections": 0}'),
            "max-connections of vhost",
        ),
        (("set_user_limits", "limited", '{"max-connections": 0}'), "max-connections of user"),
        (("set_user_limits", "limited", '{"max-channels": 0}'), "max-channels of user"),
    ],
    ids=["queues", "connections", "connections of user", "channels of user"],
)
def test_a_limit_at_the_first_connection_is_named(
    rabbitmq: RabbitMQ, limited: str, limit: tuple[str, ...], name: str
) -> None:
    """Status 4, and which limit it is."""
    rabbitmq.ctl(*limit)
    done = finished("task-failed", "--broker", limited)

    assert done.returncode == 4, done.stderr
    assert f"{name} 'limited'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_limit_that_is_met_when_connecting_again_is_waited_for(
    rabbitmq: RabbitMQ, limited: str
) -> None:
    """As when the broker still counts our lost connection; each new reason is reported once."""
    notes = Notes()
    with Proxy(rabbitmq.port) as line:
        broker = build_broker(line.url(limited), None, {})
        with Consumer(broker, BINDINGS, observer=notes) as listener:
            batches = listener.batches()
            next(batches)
            line.refuse()
            line.reset()
            await_message(batches, notes, "nothing listens")
            rabbitmq.ctl("set_user_limits", "limited", '{"max-connections": 0}')
            line.accept()
            await_message(batches, notes, "max-connections of user 'limited'")
            rabbitmq.ctl("clear_user_limits", "limited", "all")
            while not notes.gaps:
                next(batches)

    assert all(text.endswith("trying again") for text in notes.messages)
    assert len(notes.messages) == len(set(notes.messages)) == 3
    assert [gap.missed for gap in notes.gaps] == [True]


def await_message(batches: Iterator[Sequence[object]], notes: Notes, text: str) -> None:
    while not any(text in message for message in notes.messages):
        next(batches)
