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
from tcsniff.selection.select import SelectionArgs, build_selection
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


def arrived(batches: Iterator[Sequence[Delivery]], number: int) -> list[Delivery]:
    found: list[Delivery] = []
    while len(found) < number:
        found += next(batches)
    return found


def test_only_what_was_asked_for_arrives(pulse: Broker, taskcluster: Taskcluster) -> None:
    """A binding on a task keeps the other tasks out, for a user with Pulse's permissions."""
    with Consumer(
        pulse, build_selection(SelectionArgs(["task-running"], {"taskId": [TASK]})).bindings
    ) as heard:
        batches = heard.batches()
        next(batches)
        taskcluster.publish(RUNNING, KEY.format(OTHER), b'{"n":1}')
        taskcluster.publish(RUNNING, KEY.format(TASK), b'{"n": 2}', cc=["route.a.b"])

        found = arrived(batches, 1)

    assert [(one.exchange, one.routing_key, one.body, one.routes) for one in found] == [
        (RUNNING, KEY.format(TASK), b'{"n": 2}', ["a.b"])
    ]


def test_the_queue_is_named_after_the_user_and_goes_with_us(
    pulse: Broker, rabbitmq: RabbitMQ
) -> None:
    """It is exclusive and auto-deleted; nothing is left on the broker."""
    with Consumer(pulse, [Binding(FOREIGN_EXCHANGE, "#")]) as heard:
        during = rabbitmq.rows("list_queues", "name", "exclusive", "auto_delete", vhost="/")

    assert heard.queue.startswith("queue/pulse/tcsniff/")
    assert {"name": heard.queue, "exclusive": True, "auto_delete": True} in during
    assert heard.queue not in rabbitmq.queues()


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
    with Consumer(pulse, [Binding(FOREIGN_EXCHANGE, "#")]) as heard:
        batches = heard.batches()
        next(batches)
        for number in range(3):
            taskcluster.publish(FOREIGN_EXCHANGE, "a", b"%d" % number)
        arrived(batches, 3)

        before = rabbitmq.queues()[heard.queue]
        next(batches)
        after = rabbitmq.queues()[heard.queue]

    assert before > 0
    assert after == 0


def test_only_what_was_taken_is_acknowledged(
    pulse: Broker, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """Of the last batch, the rest stays on the queue."""
    with Consumer(pulse, [Binding(FOREIGN_EXCHANGE, "#")]) as heard:
        batches = heard.batches()
        next(batches)
        taskcluster.publish(FOREIGN_EXCHANGE, "a", b"0")
        arrived(batches, 1)
        for number in range(1, 4):
            taskcluster.publish(FOREIGN_EXCHANGE, "a", b"%d" % number)
        while rabbitmq.queues()[heard.queue] < 3:  # all are delivered to us
            pass
        batch = next(batches)
        assert len(batch) == 3

        heard.ack(2)
        batches.close()
        # An answer to a later question: by then the acknowledgement has been seen to.
        left = rabbitmq.queues()[heard.queue]

    assert left == 1


def test_the_prefetch_bounds_what_is_in_our_hands(pulse: Broker, taskcluster: Taskcluster) -> None:
    """With a prefetch of 10, no batch has more than half of it, and nothing is lost."""
    bodies = [b"%d" % number for number in range(100)]
    with Consumer(pulse, [Binding(FOREIGN_EXCHANGE, "#")], prefetch=10) as heard:
        batches = heard.batches()
        next(batches)
        for body in bodies:
            taskcluster.publish(FOREIGN_EXCHANGE, "a", body)
        found: list[bytes] = []
        sizes = set()
        while len(found) < len(bodies):
            batch = next(batches)
            sizes.add(len(batch))
            found += [one.body for one in batch]

    assert found == bodies
    assert max(sizes) == 5


@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff", b"x" * 3_000_000], ids=["empty", "binary", "3MB"]
)
def test_a_body_is_bytes_whatever_is_in_it(
    pulse: Broker, taskcluster: Taskcluster, body: bytes
) -> None:
    """Nothing is decoded on the way."""
    with Consumer(pulse, [Binding(FOREIGN_EXCHANGE, "#")]) as heard:
        batches = heard.batches()
        next(batches)

        taskcluster.publish(FOREIGN_EXCHANGE, "a", body, content_type="text/plain")

        assert arrived(batches, 1)[0].body == body


def test_exchanges_that_nobody_named_may_be_missing(pulse: Broker, rabbitmq: RabbitMQ) -> None:
    """Those that are there are bound, the others named."""
    bindings = [Binding(RUNNING, "#"), Binding("exchange/none", "#"), Binding(FAILED, "a")]

    with Consumer(pulse, bindings, optional=["exchange/none"]) as heard:
        bound = rabbitmq.rows("list_bindings", "source_name", "destination_name", vhost="/")

    assert heard.missing_exchanges == ["exchange/none"]
    own = {row["source_name"] for row in bound if row["destination_name"] == heard.queue}
    assert own - {""} == {RUNNING, FAILED}


@pytest.mark.parametrize(
    ("account", "failure", "words"),
    [
        ({"password": "wrong"}, Refused, "wrong user name or password for 'pulse' at"),
        ({"vhost": "none"}, Refused, "vhost 'none'"),
        ({"user": "guest", "password": "guest", "vhost": COMMUNITY}, Refused, "exchange/none"),
    ],
    ids=["password", "vhost", "exchange"],
)
def test_a_refusal_says_what_was_refused(
    rabbitmq: RabbitMQ, account: dict[str, str], failure: type[Exception], words: str
) -> None:
    """Each has its own words, without the password."""
    where = build_broker(rabbitmq.url(**account), None, {})

    with (
        pytest.raises(failure, match=words) as raised,
        Consumer(where, [Binding("exchange/none", "#")]),
    ):
        pass

    assert "wrong" not in str(raised.value)


def test_a_user_without_permission_is_refused(rabbitmq: RabbitMQ) -> None:
    """Somebody whose queues have another name may not make ours."""
    rabbitmq.add_user("other", "other-password", vhosts=[])
    where = build_broker(rabbitmq.url("other", "other-password"), None, {})

    with pytest.raises(Refused, match="other"), Consumer(where, [Binding(RUNNING, "#")]):
        pass


def test_nobody_there_is_told(rabbitmq: RabbitMQ) -> None:
    """A port where nothing listens, and a host that does not exist."""
    nowhere = rabbitmq.url().replace(str(rabbitmq.port), "1")
    nobody = "amqp://u:p@no-such-host.invalid"

    for url, words in ((nowhere, "nothing listens"), (nobody, "unknown host")):
        with (
            pytest.raises(ConnectionFailed, match=words),
            Consumer(build_broker(url, None, {}), [Binding(RUNNING, "#")]),
        ):
            pass


def test_a_certificate_of_an_unknown_issuer_is_refused(rabbitmq: RabbitMQ) -> None:
    """Nothing is sent to somebody who cannot show who it is."""
    where = build_broker(rabbitmq.url(tls=True), None, {})

    with (
        pytest.raises(TlsError, match="cannot be trusted"),
        Consumer(where, [Binding(RUNNING, "#")]),
    ):
        pass


@pytest.fixture
def trusted(rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ssl.get_default_verify_paths().openssl_cafile_env, str(rabbitmq.ca_file))
    return rabbitmq.ca_file


def test_tls_works_with_a_trusted_issuer(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, trusted: Path
) -> None:
    """The same as without, also for a message larger than a TLS record."""
    assert trusted.exists()
    where = build_broker(rabbitmq.url(tls=True), None, {})
    with Consumer(where, [Binding(FOREIGN_EXCHANGE, "#")]) as heard:
        batches = heard.batches()
        next(batches)
        for number in range(50):
            taskcluster.publish(FOREIGN_EXCHANGE, "a", b"%d" % number + b" " * 40_000)

        found = arrived(batches, 50)

    assert [int(one.body) for one in found] == list(range(50))


def test_the_host_name_is_checked(rabbitmq: RabbitMQ, trusted: Path) -> None:
    """A certificate that anybody trusts is not enough: it has to be that host's."""
    assert trusted.exists()
    where = build_broker(rabbitmq.url(tls=True, host=WRONG_HOST), None, {})

    with (
        pytest.raises(TlsError, match="cannot be trusted"),
        Consumer(where, [Binding(RUNNING, "#")]),
    ):
        pass


class Notes(ConnectionObserver):
    def __init__(self) -> None:
        self.told: list[str] = []
        self.gaps: list[Gap] = []

    def notify(self, text: str) -> None:
        self.told.append(text)

    def add_gap(self, gap: Gap) -> None:
        self.gaps.append(gap)


def test_a_lost_connection_is_made_again(
    rabbitmq: RabbitMQ, pulse: Broker, taskcluster: Taskcluster
) -> None:
    """When an operator closes it: told, with the reason, the gap and that messages were missed."""
    notes = Notes()
    with Consumer(pulse, [Binding(FOREIGN_EXCHANGE, "#")], observer=notes) as heard:
        batches = heard.batches()
        next(batches)
        first = heard.queue
        rabbitmq.close_connections("maintenance", user="pulse")
        while not notes.gaps:
            next(batches)
        taskcluster.publish(FOREIGN_EXCHANGE, "a", b"1")

        assert arrived(batches, 1)[0].body == b"1"

    assert heard.queue != first
    assert "maintenance" in notes.told[0]
    assert notes.gaps[0].missed
    assert notes.gaps[0].since < notes.gaps[0].until


def test_a_password_does_not_cross_the_line_in_the_open() -> None:
    """Without TLS, to another machine: refused before anything is sent, unless asked for."""
    where = build_broker("amqp://u:secret@10.255.255.1", None, {})

    with (
        pytest.raises(UsageError, match="unencrypted") as raised,
        Consumer(where, [Binding(RUNNING, "#")]),
    ):
        pass

    assert "secret" not in str(raised.value)
    assert build_broker("amqp://u:p@10.255.255.1", None, {}, plaintext=True).plaintext
