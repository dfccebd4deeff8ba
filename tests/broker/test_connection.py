"""Frames that arrive in pieces, and untrusted headers."""

from __future__ import annotations

import pytest

from proxy import Proxy
from rabbitmq import FOREIGN_EXCHANGE, RabbitMQ, Taskcluster
from tcsniff.pipeline import ConnectionObserver
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.routing import Binding
from tcsniff.settings.brokers import build_broker
from tcsniff.sources.consumer import Consumer

# Around the largest frame, 131,072 bytes, of which 8 are not payload.
SIZES = [0, 1, 2, 7, 8, 127, 4096, 131_063, 131_064, 131_065, 262_128, 300_000, 3]


class Notes(ConnectionObserver):
    def __init__(self) -> None:
        self.messages: list[str] = []

    def notify(self, text: str) -> None:
        self.messages.append(text)


def receive(consumer: Consumer, number: int) -> list[Delivery]:
    deliveries: list[Delivery] = []
    for batch in consumer.batches():
        deliveries += batch
        if len(deliveries) >= number:
            break
    return deliveries


@pytest.mark.parametrize("rate", [None, 400_000, 90_000], ids=["at once", "in pieces", "slowly"])
def test_bodies_of_every_size_arrive_complete(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, rate: int | None
) -> None:
    """However the network splits the frames, and with the right keys and routes."""
    bodies = [bytes([65 + place]) * size for place, size in enumerate(SIZES)]
    if rate is not None and rate < 100_000:
        bodies = [body for body in bodies if len(body) < 10_000] * 20
    with Proxy(rabbitmq.port) as line:
        url = rabbitmq.url().replace(f":{rabbitmq.port}/", f":{line.port}/")
        with Consumer(build_broker(url, None, {}), [Binding(FOREIGN_EXCHANGE, "#")]) as consumer:
            line.rate = rate
            for place, body in enumerate(bodies):
                cc = [f"route.{place}", f"other.{place}"]
                taskcluster.publish(FOREIGN_EXCHANGE, f"key.{place}", body, cc=cc)
            deliveries = receive(consumer, len(bodies))

    assert [one.body for one in deliveries] == bodies
    assert [(one.routing_key, one.cc) for one in deliveries] == [
        (f"key.{place}", (f"route.{place}", f"other.{place}")) for place in range(len(bodies))
    ]


def test_a_message_that_is_too_large_is_reported_and_skipped(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """With its size, exchange and key; the messages before and after it arrive."""
    notes = Notes()
    broker = build_broker(rabbitmq.url(), None, {})
    bindings = [Binding(FOREIGN_EXCHANGE, "#")]
    with Consumer(broker, bindings, max_body=200_000, observer=notes) as consumer:
        for key, size in (("a", 200_000), ("big.one", 200_001), ("b", 5)):
            taskcluster.publish(FOREIGN_EXCHANGE, key, b"x" * size)
        deliveries = receive(consumer, 2)
        consumer.ack(len(deliveries))
        left = rabbitmq.queues()[consumer.queue]

    assert [one.routing_key for one in deliveries] == ["a", "b"]
    assert len(notes.messages) == 1
    assert "200,001 bytes" in notes.messages[0]
    assert "big.one" in notes.messages[0]
    assert left == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x": None, "CC": ["route.a"]},
        {"a": {"b": [1, 2.5, True, {"c": "d"}]}, "z": b"\xff\xfe"},
        {"long": "x" * 5000, "CC": ["route.a", 5, None, "route.b"]},
    ],
    ids=["none", "routes", "nested", "mixed"],
)
def test_any_header_is_accepted(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, headers: dict[str, object]
) -> None:
    """Only text in a list counts in the header CC; everything else is ignored."""
    strange = dict(headers)
    cc = strange.pop("CC", [])
    keys = [one for one in cc if isinstance(one, str)] if isinstance(cc, list) else []
    with Consumer(
        build_broker(rabbitmq.url(), None, {}), [Binding(FOREIGN_EXCHANGE, "#")]
    ) as consumer:
        taskcluster.publish(FOREIGN_EXCHANGE, "k", b"1", cc=keys, headers=strange)
        (deliveries,) = receive(consumer, 1)

    assert (deliveries.body, list(deliveries.cc)) == (b"1", keys)
