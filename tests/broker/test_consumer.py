from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rabbitmq import COMMUNITY, FOREIGN_EXCHANGE, WRONG_HOST, RabbitMQ, Taskcluster
from tcsniff.errors import ConnectionFailed, Refused, TlsError, UsageError
from tcsniff.pipeline import ConnectionObserver
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.exchanges import find_exchange
from tcsniff.pulse.routing import Binding
from tcsniff.selection.select import build_selection
from tcsniff.selection.selection_args import SelectionArgs
from tcsniff.settings.brokers import Broker, build_broker
from tcsniff.sources.consumer import Consumer

RUNNING = find_exchange("task-running").address
FAILED = find_exchange("task-failed").address
KEY = "primary.{}.0.us-east-1.i-1.aws-provisioner.gaia.gecko-level-1.G41B6K1FS32lQTjXgb4J2g._"
TASK = "JFjlQCTkRuWyz2yqxLnGNw"
OTHER = "JNoULGBqRh6RcaNo6mp19Q"


@pytest.fixture
def pulse(rabbitmq: RabbitMQ) -> Broker:
    return build_broker(rabbitmq.url(), None, {})


def receive(batches: Iterator[Sequence[Delivery]], number: int) -> list[Delivery]:
    deliveries: list[Delivery] = []
    while len(deliveries) < number:
        deliveries += next(batches)
    return deliveries


def test_only_selected_messages_arrive(pulse: Broker, taskcluster: Taskcluster) -> None:
    """With a binding for one task, for a user with Pulse's permissions."""
    with Consumer(
        pulse, build_selection(SelectionArgs(["task-running"], {"taskId": [TASK]})).bindings
    ) as consumer:
        batches = consumer.batches()
        next(batches)
        taskcluster.publish(RUNNING, KEY.format(OTHER), b'{"n":1}')
        taskcluster.publish(RUNNING, KEY.format(TASK), b'{"n": 2}', cc=["route.a.b"])

        deliveries = receive(batches, 1)

    assert [
        (delivery.exchange, delivery.routing_key, delivery.body, delivery.routes)
        for delivery in deliveries
    ] == [(RUNNING, KEY.format(TASK), b'{"n": 2}', ["a.b"])]


def test_the_queue_is_named_after_the_user_and_deleted_at_exit(
    pulse: Broker, rabbitmq: RabbitMQ
) -> None:
    """It is exclusive and auto-deleted; nothing remains on the broker."""
    with Consumer(pulse, [Binding(FOREIGN_EXCHANGE, "#")]) as consumer:
        during = rabbitmq.rows("list_queues", "name", "exclusive", "auto_delete", vhost="/")

    assert consumer.queue.startswith("queue/pulse/tcsniff/")
    assert {"name": consumer.queue, "exclusive": True, "auto_delete": True} in during
    assert consumer.queue not in rabbitmq.queues()


def test_an_administrator_sees_who_it_is(pulse: Broker, rabbitmq: RabbitMQ) -> None:
    """The connection and its consumer carry our name."""
    with Consumer(pulse, [Binding(FOREIGN_EXCHANGE, "#")]):
        clients = rabbitmq.rows("list_connections", "client_properties")
        consumers = rabbitmq.rows("list_consumers", "consumer_tag", vhost="/")

    assert "tcsniff-" in json.dumps(clients)
    assert [row["consumer_tag"][:8] for row in consumers] == ["tcsniff-"]


def test_a_batch_is_acknowledged_when_the_next_is_asked_for(
    pulse: Broker, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """Until then the broker keeps every message of it."""
    with Consumer(pulse, [Binding(FOREIGN_EXCHANGE, "#")]) as consumer:
        batches = consumer.batches()
        next(batches)
        for number in range(3):
            taskcluster.publish(FOREIGN_EXCHANGE, "a", b"%d" % number)
        receive(batches, 3)

        before = rabbitmq.queues()[consumer.queue]
        next(batches)
        after = rabbitmq.queues()[consumer.queue]

    assert before > 0
    assert after == 0


def test_only_the_first_messages_of_a_batch_are_acknowledged(
    pulse: Broker, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """The rest of the last batch stays in the queue."""
    with Consumer(pulse, [Binding(FOREIGN_EXCHANGE, "#")]) as consumer:
        batches = consumer.batches()
        next(batches)
        taskcluster.publish(FOREIGN_EXCHANGE, "a", b"0")
        receive(batches, 1)
        for number in range(1, 10):
            taskcluster.publish(FOREIGN_EXCHANGE, "a", b"%d" % number)
        batch: Sequence[Delivery] = ()
        count = 0
        while len(batch) < 2 and count < 9:  # a batch may be smaller if the network is slow
            batch = next(batches)
            count += len(batch)

        consumer.ack(len(batch) - 1)
        batches.close()
        # The answer to a later request: by then the acknowledgement has been processed.
        left = rabbitmq.queues()[consumer.queue]

    assert left == 9 - count + 1


def test_the_prefetch_bounds_a_batch(pulse: Broker, taskcluster: Taskcluster) -> None:
    """With a prefetch of 10, no batch has more than half of it, and nothing is lost."""
    bodies = [b"%d" % number for number in range(100)]
    with Consumer(pulse, [Binding(FOREIGN_EXCHANGE, "#")], prefetch=10) as consumer:
        batches = consumer.batches()
        next(batches)
        for body in bodies:
            taskcluster.publish(FOREIGN_EXCHANGE, "a", body)
        deliveries: list[bytes] = []
        sizes = set()
        while len(deliveries) < len(bodies):
            batch = next(batches)
            sizes.add(len(batch))
            deliveries += [delivery.body for delivery in batch]

    assert deliveries == bodies
    assert max(sizes) == 5


@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff", b"x" * 3_000_000], ids=["empty", "binary", "3MB"]
)
def test_a_body_arrives_unchanged(pulse: Broker, taskcluster: Taskcluster, body: bytes) -> None:
    """It is bytes, and is not decoded."""
    with Consumer(pulse, [Binding(FOREIGN_EXCHANGE, "#")]) as consumer:
        batches = consumer.batches()
        next(batches)

        taskcluster.publish(FOREIGN_EXCHANGE, "a", body, content_type="text/plain")

        assert receive(batches, 1)[0].body == body


def test_optional_exchanges_may_be_missing(pulse: Broker, rabbitmq: RabbitMQ) -> None:
    """The others are bound, and the missing ones are listed."""
    bindings = [Binding(RUNNING, "#"), Binding("exchange/none", "#"), Binding(FAILED, "a")]

    with Consumer(pulse, bindings, optional=["exchange/none"]) as consumer:
        bound = rabbitmq.rows("list_bindings", "source_name", "destination_name", vhost="/")

    assert consumer.missing_exchanges == ["exchange/none"]
    own = {row["source_name"] for row in bound if row["destination_name"] == consumer.queue}
    assert own - {""} == {RUNNING, FAILED}


@pytest.mark.parametrize(
    ("account", "failure", "words"),
    [
        (
            {"password": "top-secret"},
            Refused,
            "wrong user name or password for 'pulse' at 127.0.0.1",
        ),
        ({"vhost": "none"}, Refused, "vhost 'none'"),
        ({"user": "guest", "password": "guest", "vhost": COMMUNITY}, Refused, "exchange/none"),
    ],
    ids=["password", "vhost", "exchange"],
)
def test_a_refusal_says_what_was_refused(
    rabbitmq: RabbitMQ, account: dict[str, str], failure: type[Exception], words: str
) -> None:
    """Each reason has its own text, without the password."""
    broker = build_broker(rabbitmq.url(**account), None, {})

    with (
        pytest.raises(failure, match=words) as raised,
        Consumer(broker, [Binding("exchange/none", "#")]),
    ):
        pass

    assert "top-secret" not in str(raised.value)


def test_a_user_without_permission_is_refused(rabbitmq: RabbitMQ) -> None:
    """A user whose permissions do not include our queue's name."""
    rabbitmq.add_user("other", "other-password", vhosts=[])
    broker = build_broker(rabbitmq.url("other", "other-password"), None, {})

    with pytest.raises(Refused, match="other"), Consumer(broker, [Binding(RUNNING, "#")]):
        pass


def test_an_unreachable_broker_is_reported(rabbitmq: RabbitMQ) -> None:
    """A port broker nothing listens, and an unknown host."""
    nowhere = rabbitmq.url().replace(str(rabbitmq.port), "1")
    nobody = "amqp://u:p@no-such-host.invalid"

    for url, words in ((nowhere, "nothing listens"), (nobody, "unknown host")):
        with (
            pytest.raises(ConnectionFailed, match=words),
            Consumer(build_broker(url, None, {}), [Binding(RUNNING, "#")]),
        ):
            pass


def test_a_certificate_of_an_unknown_issuer_is_refused(rabbitmq: RabbitMQ) -> None:
    """Nothing is sent to a server that is not trusted."""
    broker = build_broker(rabbitmq.url(tls=True), None, {})

    with (
        pytest.raises(TlsError, match="cannot be trusted"),
        Consumer(broker, [Binding(RUNNING, "#")]),
    ):
        pass


@pytest.fixture
def trusted(rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ssl.get_default_verify_paths().openssl_cafile_env, str(rabbitmq.ca_file))
    return rabbitmq.ca_file


def test_tls_works_with_a_trusted_issuer(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, trusted: Path
) -> None:
    """As without TLS, also for a message larger than a TLS record."""
    assert trusted.exists()
    broker = build_broker(rabbitmq.url(tls=True), None, {})
    with Consumer(broker, [Binding(FOREIGN_EXCHANGE, "#")]) as consumer:
        batches = consumer.batches()
        next(batches)
        for number in range(50):
            taskcluster.publish(FOREIGN_EXCHANGE, "a", b"%d" % number + b" " * 40_000)

        deliveries = receive(batches, 50)

    assert [int(delivery.body) for delivery in deliveries] == list(range(50))


def test_the_host_name_is_checked(rabbitmq: RabbitMQ, trusted: Path) -> None:
    """A trusted certificate is not enough: it has to be for that host."""
    assert trusted.exists()
    broker = build_broker(rabbitmq.url(tls=True, host=WRONG_HOST), None, {})

    with (
        pytest.raises(TlsError, match="cannot be trusted"),
        Consumer(broker, [Binding(RUNNING, "#")]),
    ):
        pass


class Notes(ConnectionObserver):
    def __init__(self) -> None:
        self.messages: list[str] = []
        self.gaps: list[Gap] = []

    def notify(self, text: str) -> None:
        self.messages.append(text)

    def add_gap(self, gap: Gap) -> None:
        self.gaps.append(gap)


def test_a_lost_connection_is_restored(
    rabbitmq: RabbitMQ, pulse: Broker, taskcluster: Taskcluster
) -> None:
    """When an operator closes it: reported with its reason and a gap with missed messages."""
    notes = Notes()
    with Consumer(pulse, [Binding(FOREIGN_EXCHANGE, "#")], observer=notes) as consumer:
        batches = consumer.batches()
        next(batches)
        first = consumer.queue
        rabbitmq.close_connections("maintenance", user="pulse")
        while not notes.gaps:
            next(batches)
        taskcluster.publish(FOREIGN_EXCHANGE, "a", b"1")

        assert receive(batches, 1)[0].body == b"1"

    assert consumer.queue != first
    assert "maintenance" in notes.messages[0]
    assert notes.gaps[0].missed
    assert notes.gaps[0].since < notes.gaps[0].until


def test_a_password_is_not_sent_unencrypted() -> None:
    """Without TLS, to another machine: refused before anything is sent, unless asked for."""
    broker = build_broker("amqp://u:secret@10.255.255.1", None, {})

    with (
        pytest.raises(UsageError, match="unencrypted") as raised,
        Consumer(broker, [Binding(RUNNING, "#")]),
    ):
        pass

    assert "secret" not in str(raised.value)
    assert build_broker("amqp://u:p@10.255.255.1", None, {}, plaintext=True).plaintext
