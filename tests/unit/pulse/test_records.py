from __future__ import annotations

import base64
import json

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders import delivery, samples
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.records import find_decode_error, format_record

SAMPLES = samples()
# The members of a record before its payload, in order: promised to scripts.
HEAD = ["received", "exchange", "routingKey", "routes", "redelivered"]
DEEPEST = 1024  # brackets that orjson reads


def test_a_body_is_kept_byte_for_byte():
    """The record of a sample ends with its body, and starts with its exchange and keys."""
    for sample in SAMPLES:
        written = format_record(sample)

        head, _, payload = written.partition(b'"payload":')
        assert payload == sample.body + b"}\n", sample
        assert json.loads(head.removesuffix(b",") + b"}") == {
            "received": None,
            "exchange": sample.exchange,
            "routingKey": sample.routing_key,
            "routes": [key.removeprefix("route.") for key in sample.cc],
            "redelivered": sample.redelivered,
        }, sample


def test_the_samples_are_there():
    """Otherwise the test above would check nothing."""
    assert len(SAMPLES) == 72


def test_a_record_is_the_line_that_was_promised():
    """Names and order are those of design.md, without spaces between tokens."""
    made = delivery(body=b'{"runId":0}', routes=["index.x"], redelivered=True)

    assert format_record(made) == (
        b'{"received":"2026-11-23T18:01:05.250Z",'
        b'"exchange":"exchange/taskcluster-queue/v1/task-running",'
        b'"routingKey":"primary.fN1SbArXTPSVFNUvaOlinQ.0.us-east-1.i-0a1b2c3d.'
        b'gecko-t.t-linux-large.gecko-level-1.JFjlQCTkRuWyz2yqxLnGNw._",'
        b'"routes":["index.x"],"redelivered":true,"payload":{"runId":0}}\n'
    )


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"null",
        b"0",
        b'""',
        b'{"a":123456789012345678901234567890}',
        b'{"a":-0.10000000000000000000001,"b":1E+2,"c":-0}',
        b'{"a":1,"a":2,"a":1}',
        b'{"z":1,"a":2,"m":3}',
        '{"a":"é日本\U0001f600","é":"\u2028\u0085"}'.encode(),
        b'{"a":"\\u00e9\\ud83d\\ude00\\/\\n"}',
        b'{ "a" :\t[ 1 , 2 ] }',
        b'{"a":"two  blanks and \\\\n"}',
    ],
)
def test_nothing_is_lost_in_numbers_order_or_spelling(body):
    """One line of JSON is copied to the record without a change."""
    assert format_record(delivery(body=body)).endswith(b'"payload":' + body + b"}\n")


def test_spaces_around_a_body_are_valid():
    """JSON allows them."""
    assert format_record(delivery(body=b' {"a":1}\t')).endswith(b'"payload": {"a":1}\t}\n')


@pytest.mark.parametrize("breaks", ["\n", "\r\n", "\r", "\n\n"])
def test_a_pretty_printed_body_loses_its_line_breaks_only(breaks):
    """They are between tokens, where they have no meaning."""
    value = {"a": [1, {"b": "line\nbreak\r\n"}], "c": []}
    body = json.dumps(value, indent=2).replace("\n", breaks).encode()

    written = format_record(delivery(body=body))

    payload = written.partition(b'"payload":')[2].removesuffix(b"}\n")
    assert payload == body.replace(b"\n", b"").replace(b"\r", b"")
    assert json.loads(payload) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{}{}",
        b"{'a':1}",
        b"NaN",
        b"[Infinity]",
        b"\xff",
        b'"\xed\xa0\x80"',
        b'"\n"',
        b'"\x01"',
        b"\xef\xbb\xbf{}",
        b"\x00",
        b"[" * 100_000,
        b'{"a":1}\n{"b":2}',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_not_json_can_be_decoded_from_base64(body):
    """The payload is null, and the record has the reason and the bytes."""
    record = json.loads(format_record(delivery(body=body)))

    assert list(record) == [*HEAD, "payload", "error", "body"]
    assert record["payload"] is None
    assert record["error"].startswith("not JSON: ")
    assert base64.b64decode(record["body"], validate=True) == body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
BODIES = st.binary() | JSON.map(lambda value: json.dumps(value, indent=1).encode())


@given(body=BODIES)
@example(body=b"\r")
def test_the_record_of_any_body_is_one_line_of_json(body):
    """It is exactly one line, valid JSON, and contains all of the body."""
    written = format_record(delivery(body=body))

    record = orjson.loads(written)
    assert written.count(b"\n") == 1
    assert b"\r" not in written
    assert written.endswith(b"}\n")
    if "body" in record:
        assert base64.b64decode(record["body"]) == body
    else:
        assert record["payload"] == orjson.loads(body)


@pytest.mark.parametrize("depth", [DEEPEST - 1, DEEPEST, DEEPEST + 1])
def test_the_record_of_the_deepest_body_can_be_parsed(depth):
    """The record is one level deeper than its payload, and the same parser reads it."""
    body = b"[" * depth + b"]" * depth

    record = orjson.loads(format_record(delivery(body=body)))

    assert record["payload"] is not None or base64.b64decode(record["body"]) == body


@given(body=BODIES)
def test_only_json_has_no_decode_error(body):
    """The standard library's strict mode agrees on nearly everything."""
    if find_decode_error(body) is None:
        json.loads(body, parse_constant=pytest.fail)
    else:
        assert "body" in json.loads(format_record(delivery(body=body)))


def test_routes_have_no_prefix():
    """Only the first `route.` is not part of the route."""
    record = json.loads(format_record(delivery(routes=["a.b", "route.c", "#!@:+"])))

    assert record["routes"] == ["a.b", "route.c", "#!@:+"]
    assert "cc" not in record


def test_cc_entries_that_are_not_routes_have_their_own_field():
    """Taskcluster sends none, but they are not lost."""
    record = json.loads(format_record(delivery(cc=["other.key", "route.a", "router.b"])))

    assert record["routes"] == ["a"]
    assert record["cc"] == ["other.key", "router.b"]
    assert list(record) == [*HEAD, "payload", "cc"]


@given(key=st.text(), route=st.text(), exchange=st.text(min_size=1))
@example(key="a\nb", route="\r\u2028", exchange="\x00")
def test_no_exchange_or_key_breaks_a_line(key, route, exchange):
    """Any text can be parsed back."""
    written = format_record(delivery(key=key, routes=[route], exchange=exchange, body=b"{}"))

    record = orjson.loads(written)
    assert written.count(b"\n") == 1
    assert (record["exchange"], record["routingKey"], record["routes"]) == (exchange, key, [route])


@pytest.mark.parametrize(
    "details",
    [{"key": "primary.\ud800"}, {"routes": ["\udfff"]}, {"cc": ["\udc80"]}],
    ids=["routing key", "route", "cc"],
)
def test_no_lone_surrogate_ends_the_program(details):
    """py-amqp decodes keys and headers with `surrogatepass`, so a broker can send them."""
    record = orjson.loads(format_record(delivery(body=b"{}", **details)))

    assert record["payload"] == {}


def dumped(delivery: Delivery, error: str | None) -> bytes:
    """Format a record in the simplest way, through a dictionary."""
    record: dict[str, object] = {
        "received": delivery.received,
        "exchange": delivery.exchange,
        "routingKey": delivery.routing_key,
        "routes": delivery.routes,
        "redelivered": delivery.redelivered,
    }
    if error is None:
        record["payload"] = orjson.Fragment(delivery.body.translate(None, b"\r\n"))
    else:
        record["payload"] = None
        record["error"] = error
        record["body"] = base64.b64encode(delivery.body).decode()
    if others := [key for key in delivery.cc if not key.startswith("route.")]:
        record["cc"] = others
    return orjson.dumps({name: whole(value) for name, value in record.items()}) + b"\n"


def whole(value: object) -> object:
    if isinstance(value, list):
        return [whole(one) for one in value]
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


# Including text that is not valid Unicode.
TEXTS = st.text(st.characters(exclude_categories=())) | st.sampled_from(["", '"', "\\", "a.b"])
CCS = st.lists(TEXTS | TEXTS.map("route.{}".format), max_size=4).map(tuple)
DELIVERIES = st.builds(
    Delivery, TEXTS, TEXTS, BODIES, CCS, st.booleans(), st.none() | st.just("2026") | TEXTS
)


@given(made=DELIVERIES)
@example(made=Delivery("e", "k", b"[]", ("\ud800", "route.\udfff"), True, "\udc80"))
def test_the_fast_format_equals_the_simple_one(made):
    """Byte for byte, for any delivery, the first time and the second."""
    wanted = dumped(made, find_decode_error(made.body))

    assert [format_record(made), format_record(made)] == [wanted, wanted]


@given(body=BODIES | st.integers(1000, 1030).map(lambda depth: b"[" * depth + b"]" * depth))
def test_the_decode_error_does_not_depend_on_the_order_of_access(body):
    """Before the payload or after it, once or twice."""
    first, second = Event(delivery(body=body)), Event(delivery(body=body))
    known = first.decode_error, first.payload, first.decode_error

    assert (second.payload, second.decode_error, second.payload) == (known[1], known[0], known[1])
    assert known[0] == known[2] == find_decode_error(body)
