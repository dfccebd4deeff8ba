"""Which queue is declared, and which names are possible."""

from __future__ import annotations

import pytest

from tcsniff.errors import UsageError
from tcsniff.pulse.routing import Binding
from tcsniff.settings.brokers import build_broker
from tcsniff.sources.listen import listen
from tcsniff.sources.queue_bindings import QueueBindings
from tcsniff.sources.queue_policy import QueuePolicy, build_queue, build_queue_name

LONG = "x" * 256


@pytest.mark.parametrize("name", ["a", "a/b", "gaia-1.2_x", "a:b@c", "..a", "a..", "ü" * 100])
def test_a_name_stands_below_the_users(name: str) -> None:
    """Pulse permits only queue/USER/..."""
    assert build_queue_name("me", name) == f"queue/me/{name}"


@pytest.mark.parametrize(
    "name", ["", "/", "a/", "/a", "a//b", "..", ".", "a/../b", "bad/name/../", "a b", "a\n", "*"]
)
def test_a_name_that_only_looks_like_one_is_refused(name: str) -> None:
    """With what is possible."""
    with pytest.raises(UsageError, match="is not a name for a queue: letters, digits"):
        build_queue("me", QueuePolicy(name=name))


@pytest.mark.parametrize(("name", "size"), [("x" * 247, 256), ("ü" * 124, 257)])
def test_a_name_that_is_too_long_is_refused(name: str, size: int) -> None:
    """The protocol counts the bytes of the full name."""
    with pytest.raises(UsageError, match=f"has {size} bytes; names have at most 255"):
        build_queue_name("me", name)

    assert build_queue_name("me", name[1:])


@pytest.mark.parametrize(
    "binding", [Binding(LONG, "#"), Binding("x", LONG), Binding("ü" * 128, "#")]
)
def test_a_binding_that_is_too_long_is_refused(binding: Binding) -> None:
    """Exchange and pattern, by their bytes."""
    with pytest.raises(UsageError, match="bytes; at most 255 are possible"):
        QueueBindings([binding], (), print)


def test_a_vhost_that_is_too_long_is_refused() -> None:
    """Before anything connects."""
    with pytest.raises(UsageError, match="the vhost for h has 256 bytes"):
        build_broker(f"amqp://u:p@h/{LONG}", None, {})


@pytest.mark.parametrize("prefetch", [-1, 0, 65_536])
def test_a_prefetch_that_the_protocol_does_not_have_is_refused(prefetch: int) -> None:
    """16 bits; 0 would mean no limit."""
    with pytest.raises(UsageError, match="prefetch is"):
        listen("amqp://localhost", prefetch=prefetch)


def test_the_shortest_expiry_is_a_millisecond() -> None:
    """RabbitMQ refuses 0."""
    spec = build_queue("me", QueuePolicy(name="a", expires=0.0001))

    assert spec.arguments["x-expires"] == 1
