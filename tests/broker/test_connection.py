"""Frames that come in pieces, and what strangers put into them."""

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
        self.told: list[str] = []

    def notify(self, text: str) -> None:
        self.told.append(text)


def heard(listener: Consumer, number: int) -> list[Delivery]:
    found: list[Delivery] = []
    for batch in listener.batches():
        found += batch
        if len(found) >= number:
            break
    return found


@pytest.mark.parametrize("rate", [None, 400_000, 90_000], ids=["at once", "in pieces", "slowly"])
def test_bodies_of_every_size_come_whole(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, rate: int | None
) -> None:
    """However the line cuts the frames up, and with headers, keys and routes in order."""
    bodies = [bytes([65 + place]) * size for place, size in enumerate(SIZES)]
    if rate is not None and rate < 100_000:
        bodies = [body for body in bodies if len(body) < 10_000] * 20
    with Proxy(rabbitmq.port) as line:
        url = rabbitmq.url().replace(f":{rabbitmq.port}/", f":{line.port}/")
        with Consumer(build_broker(url, None, {}), [Binding(FOREIGN_EXCHANGE, "#")]) as listener:
            line.rate = rate
            for place, body in enumerate(bodies):
                cc = [f"route.{place}", f"other.{place}"]
                taskcluster.publish(FOREIGN_EXCHANGE, f"key.{place}", body, cc=cc)
            found = heard(listener, len(bodies))

    assert [one.body for one in found] == bodies
    assert [(one.routing_key, one.cc) for one in found] == [
        (f"key.{place}", (f"route.{place}", f"other.{place}")) for place in range(len(bodies))
    ]


def test_what_is_too_large_is_told_and_passed_over(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """Its size, exchange and key are told; what comes before and after it is there."""
    notes = Notes()
    where = build_broker(rabbitmq.url(), None, {})
    bindings = [Binding(FOREIGN_EXCHANGE, "#")]
    with Consumer(where, bindings, max_body=200_000, observer=notes) as listener:
        for key, size in (("a", 200_000), ("big.one", 200_001), ("b", 5)):
            taskcluster.publish(FOREIGN_EXCHANGE, key, b"x" * size)
        found = heard(listener, 2)
        listener.ack(len(found))
        left = rabbitmq.queues()[listener.queue]

    assert [one.routing_key for one in found] == ["a", "b"]
    assert len(notes.told) == 1
    assert "200,001 bytes" in notes.told[0]
    assert "big.one" in notes.told[0]
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
def test_no_header_is_too_strange(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, headers: dict[str, object]
) -> None:
    """Of the header CC only what is text in a list counts; everything else is passed over."""
    strange = dict(headers)
    cc = strange.pop("CC", [])
    keys = [one for one in cc if isinstance(one, str)] if isinstance(cc, list) else []
    with Consumer(
        build_broker(rabbitmq.url(), None, {}), [Binding(FOREIGN_EXCHANGE, "#")]
    ) as listener:
        taskcluster.publish(FOREIGN_EXCHANGE, "k", b"1", cc=keys, headers=strange)
        (found,) = heard(listener, 1)

    assert (found.body, list(found.cc)) == (b"1", keys)
