"""Both protocols of web servers: what is sent, and what becomes of the answers."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import orjson
import pytest

from tcsniff.pulse.events import Event
from tcsniff.pulse.records import format_record
from tcsniff.pulse.routing import Binding
from tcsniff.settings.credentials import Credentials
from tcsniff.sources.web_frames import FrameProtocol
from tcsniff.sources.web_graphql import GraphqlProtocol
from tcsniff.sources.web_protocol import (
    Accepted,
    Arrival,
    InvalidFrame,
    Other,
    Problem,
    Subscribed,
)

DATA = Path(__file__).parents[2] / "data"
CREDENTIALS = Credentials("me", "s3cret", '{"version":1}')
KINDS = [FrameProtocol, GraphqlProtocol]


def samples(name):
    return [line for line in (DATA / name).read_bytes().splitlines() if line]


def wrap_frame(message):
    return b'{"type":"data","subscriptionId":"s","message":%b}' % message


def wrap_graphql(message):
    return b'{"type":"data","id":"1","payload":{"data":{"pulseMessages":%b}}}' % message


WRAPS = {FrameProtocol: wrap_frame, GraphqlProtocol: wrap_graphql}
FILES = {
    FrameProtocol: "websocket-frames-messages.jsonl",
    GraphqlProtocol: "websocket-graphql-messages.jsonl",
}


def make_message(payload):
    return (
        b'{"payload":%b,"exchange":"exchange/x","routingKey":"a.b","redelivered":true,"cc":[]}'
        % payload
    )


@pytest.mark.parametrize("kind", KINDS)
def test_real_messages_are_deliveries(kind):
    """Payloads are equal in value, and nothing is known of the routes."""
    for line in samples(FILES[kind]):
        expected = json.loads(line)

        answer = kind().parse_answer(WRAPS[kind](line))

        assert isinstance(answer, Arrival)
        record = json.loads(format_record(answer.delivery))
        assert record["payload"] == expected["payload"]
        assert record["routes"] is None
        assert (record["exchange"], record["routingKey"]) == (
            expected["exchange"],
            expected["routingKey"],
        )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"a":"\xff"}', "not JSON"),
        (b'{"a":"\\ud800"}', "not JSON"),
        (b'{"a":nope}', "not JSON"),
        (b"[" * 5000 + b"]" * 5000, "not JSON"),
        (b'{"text":",\\"exchange\\":\\"no\\""}', None),
        (b'{"exchange":"no","payload":{"payload":1}}', None),
        (b"12345678901234567890123", None),
    ],
    ids=["bytes", "surrogate", "word", "deep", "text", "names", "number"],
)
def test_any_payload_is_kept_byte_for_byte(kind, payload, reason):
    """One that is not JSON is shown as such, as one from a broker."""
    (answer,) = [kind().parse_answer(WRAPS[kind](make_message(payload)))]

    assert answer.delivery[:5] == ("exchange/x", "a.b", payload, None, True)
    error = Event(answer.delivery).decode_error
    assert error is None if reason is None else reason in error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b"{}",
        b'{"type":"data"}',
        b'{"type":"data","message":"x","payload":"x"}',
        b'{"type":"data","payload":{"data":null}}',
        b'{"type":7}',
        b"[" * 100_000,
        b'{"type":"data","message":{"payload":{}},"payload":{"data":{"pulseMessages":{}}}}',
        b'{"type":"data","message":{"payload":,"exchange":7}}',
    ],
)
def test_data_that_is_not_a_message_is_refused(kind, data):
    """With the reason; it is not a failure of tcsniff."""
    with pytest.raises(InvalidFrame):
        kind().parse_answer(data)


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_answers_are_ignored(kind):
    """Newer servers may send more."""
    assert kind().parse_answer(b'{"type":"ka"}') == Other()
    assert kind().parse_answer(b'{"type":"connection_ack","more":1}') == Accepted()


@pytest.mark.parametrize("kind", KINDS)
def test_credentials_are_sent_only_if_there_are_any(kind):
    """As the base64 of their JSON."""
    hello = orjson.loads(kind().format_hello(CREDENTIALS))

    flat = {**hello, **hello.get("payload", {})}
    token = flat.get("authorization") or flat["Authorization"]
    assert json.loads(base64.b64decode(token.removeprefix("Bearer "))) == {
        "clientId": "me",
        "accessToken": "s3cret",
        "certificate": '{"version":1}',
    }
    assert b"uthorization" not in kind().format_hello(None)


def test_frames_know_their_subscription():
    """The server names them, in the order of the subscriptions."""
    protocol = FrameProtocol()
    protocol.format_subscription([Binding("exchange/x", "#")])
    for name in ("one", "two"):
        answer = protocol.parse_answer(
            b'{"type":"subscribe_ack","subscriptionId":"%b"}' % name.encode()
        )
        assert answer == Subscribed()

    message = wrap_frame(make_message(b"{}")).replace(b'"s"', b'"two"')
    assert protocol.parse_answer(message).subscription == 1
    assert protocol.parse_answer(message.replace(b"two", b"other")).subscription is None


def test_graphql_subscriptions_are_numbered_by_the_client():
    """The query asks for all that the record needs."""
    protocol = GraphqlProtocol()
    first, second = (
        orjson.loads(protocol.format_subscription([Binding("exchange/x", key)])) for key in "ab"
    )

    assert (first["id"], second["id"]) == ("1", "2")
    assert first["type"] == "start"
    assert first["payload"]["variables"] == {
        "subscriptions": [{"exchange": "exchange/x", "pattern": "a"}]
    }
    assert "pulseMessages(subscriptions: $subscriptions)" in first["payload"]["query"]
    message = wrap_graphql(make_message(b"{}")).replace(b'"1"', b'"2"')
    assert protocol.parse_answer(message).subscription == 1


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        ({"type": "connection_error", "payload": {"message": "Error: InsufficientScopes x"}},
         "InsufficientScopes", "InsufficientScopes x"),
        ({"type": "error", "payload": [{"message": "Error binding queue: 404 (NOT-FOUND)"}]},
         "SubscriptionError", "Error binding queue: 404 (NOT-FOUND)"),
        ({"type": "error", "payload": {"message": "boom"}}, "InternalError", "boom"),
        ({"type": "error", "payload": "boom"}, "InternalError", "boom"),
        ({"type": "error", "payload": 7}, "InternalError", "no reason given"),
        ({"type": "data", "payload": {"data": None, "errors": [{"message": "boom"}]}},
         "InternalError", "boom"),
        ({"type": "complete"}, "InternalError", "the server ended the subscription"),
    ],
)  # fmt: skip
def test_graphql_errors_have_the_codes_of_the_newer_protocol(data, code, words):
    """Whatever form they have."""
    answer = GraphqlProtocol().parse_answer(orjson.dumps({"id": "1", **data}))

    assert answer == Problem(code, words, 0)


def test_errors_of_frames_have_a_code():
    """And perhaps a subscription."""
    protocol = FrameProtocol()

    assert protocol.parse_answer(
        b'{"type":"error","code":"InternalError","message":"boom"}'
    ) == Problem("InternalError", "boom", None)
    assert protocol.parse_answer(b'{"type":"error"}') == Problem("", "no reason given", None)
