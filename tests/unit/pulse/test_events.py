from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders import (
    DATA,
    GROUP,
    RECEIVED,
    RESOLVED,
    SCHEDULED,
    STARTED,
    STATES,
    TASK,
    delivery,
    event,
    samples,
)
from tcsniff.messages import decode
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.exchanges import CATALOG
from tcsniff.pulse.payloads import Run, Tags, get_path, to_run, to_tags

REFERENCE = json.loads((DATA / "exchanges.json").read_text(encoding="utf-8"))
ENTRIES = [entry for service in REFERENCE["services"] for entry in service["entries"]]
QUEUE = [exchange.name for exchange in CATALOG if exchange.service == "queue"]


@pytest.mark.parametrize("name", QUEUE)
def test_the_builder_makes_what_taskcluster_would_send(name):
    """Else the tests below would prove little."""
    made = delivery(name, run=1)

    message = decode(made.exchange, made.body)

    assert type(message).__name__.removesuffix("Message").lower() == name.replace("-", "")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["kebab"])
def test_routing_names_the_words_of_the_key(entry):
    """Each field of the reference has its word of the reference's example."""
    names = [field["name"] for field in entry["routingKey"]]
    words = entry["exampleRoutingKey"].split(".")
    if entry["kebab"] == "notification":
        words = ["primary", "my.topic"]

    found = Event(Delivery(entry["exchange"], entry["exampleRoutingKey"], b"{}"))

    assert list(found.routing.items()) == list(zip(names, words, strict=True))


@pytest.mark.parametrize(
    ("name", "key", "routing"),
    [
        ("notification", "primary", {"routingKeyKind": "primary", "topic": ""}),
        ("notification", "primary.a.b.c", {"routingKeyKind": "primary", "topic": "a.b.c"}),
        ("hook-created", "", {"reserved": ""}),
        ("hook-created", "a.b", {"reserved": "a.b"}),
        ("push", "primary.a.b", {"routingKeyKind": "primary", "organization": "a"}),
        ("push", "primary.a", {}),
        ("push", "primary.a.b.c", {}),
        ("task-running", "", {}),
        ("task-running", "primary.a", {}),
        ("task-running", "p.t.0.wg.wi.p.w.s.g", {"taskGroupId": "g", "reserved": ""}),
        ("task-running", "p.t.0.wg.wi.p.w.s.g._.x", {"taskGroupId": "g", "reserved": "_.x"}),
    ],
)
def test_the_field_of_many_words_takes_what_is_left(name, key, routing):
    """And a key that does not fit names nothing."""
    found = event(name, key=key).routing

    assert found.items() >= routing.items()
    assert bool(found) is bool(routing)


def test_an_unknown_exchange_names_no_words():
    """Its event is what follows the last slash, and it has no service."""
    found = event(exchange="exchange/build/normalized", key="a.b")

    assert (found.name, found.service, found.routing, found.task_id) == (
        "normalized",
        None,
        {},
        "",
    )


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("task-defined", None),
        ("task-pending", SCHEDULED),
        ("task-running", STARTED),
        ("artifact-created", None),
        ("task-completed", RESOLVED),
        ("task-failed", RESOLVED),
        ("task-exception", RESOLVED),
        ("task-priority-changed", None),
        ("task-group-resolved", None),
        ("task-group-sealed", None),
        ("task-group-priority-changed", None),
        ("worker-running", STARTED),
        ("worker-pool-error", STARTED),
        ("hook-created", None),
    ],
)
def test_the_time_is_when_it_happened(name, time):
    """From the run that the message is about; the others carry none."""
    expected = time and datetime.fromisoformat(time)

    assert event(name, run=1).time == expected
    assert event(name, run=1).lag == (
        None
        if time is None
        else (datetime.fromisoformat(RECEIVED) - datetime.fromisoformat(time)).total_seconds()
    )


TIMES = {"task-pending": "scheduled", "task-running": "started"}


def test_the_samples_have_the_time_of_their_run():
    """As read by hand from the payload."""
    for sample in samples():
        payload = json.loads(sample.body)
        name = sample.exchange.rpartition("/")[2]
        expected = None
        if name in {
            "task-pending",
            "task-running",
            "task-completed",
            "task-failed",
            "task-exception",
        }:
            runs = payload["status"]["runs"]
            if runs:  # one sample, allowed by the schema, has none
                expected = runs[payload["runId"]][TIMES.get(name, "resolved")]

        found = Event(sample)

        assert found.time == (expected and datetime.fromisoformat(expected)), sample
        assert found.task_id == payload.get("status", {}).get("taskId", ""), sample
        assert found.label == (
            payload.get("task", {}).get("tags", {}).get("label")
            or payload.get("task", {}).get("tags", {}).get("kind", "")
        ), sample


@pytest.mark.parametrize(
    ("received", "lag"),
    [
        ("2026-11-23T18:00:03.250Z", 0.25),
        ("2026-11-23T18:00:02.000Z", -1.0),
        ("2026-11-23T19:00:03.000+01:00", 0.0),
        (None, None),
        ("", None),
        ("yesterday", None),
        ("2026-11-23T18:00:03", None),
    ],
)
def test_the_lag_is_from_then_to_its_arrival(received, lag):
    """Negative if clocks differ; None if either time is not known."""
    assert event("task-running", received=received).lag == lag


def test_a_retried_exception_is_about_the_run_that_ended():
    """Not about the one that was made in its place."""
    run = event("task-exception", run=1, retried=True).run

    assert (run.run_id, run.reason_resolved) == (1, "claim-expired")


def test_an_exception_without_a_number_is_about_the_last_run():
    """The schema allows one, though the queue of today sends none."""
    run = event("task-exception", run=1, payload={"runId": None}).run

    assert run.run_id == 1


@pytest.mark.parametrize("name", ["task-defined", "task-priority-changed", "task-group-sealed"])
def test_some_events_are_about_no_run(name):
    """Even if the task has runs."""
    assert event(name).run is None


@pytest.mark.parametrize(
    ("tags", "label"),
    [
        ({"label": "a", "kind": "b"}, "a"),
        ({"kind": "b"}, "b"),
        ({"label": "", "kind": "b"}, "b"),
        ({"label": 1, "kind": None}, ""),
        ({}, ""),
        (None, ""),
        (["label"], ""),
    ],
)
def test_the_label_is_taskgraphs(tags, label):
    """By its convention a tag of that name; else the kind, else nothing."""
    assert event(payload={"task": {"tags": tags}}).label == label


def test_an_event_shows_what_was_delivered():
    """Addresses and marks are the delivery's own."""
    made = delivery("task-failed", routes=["index.x"], cc=["other"], redelivered=True)

    found = Event(made)

    assert found.exchange == made.exchange
    assert found.routing_key == made.routing_key
    assert found.routes == ["index.x"]
    assert found.redelivered
    assert (found.name, found.service) == ("task-failed", "queue")
    assert (found.task_id, found.routing["taskGroupId"]) == (TASK, GROUP)
    assert found.received == datetime(2026, 11, 23, 18, 1, 5, 250_000, UTC)
    assert repr(found) == f"<Event task-failed {made.routing_key}>"


def test_a_body_that_is_no_json_has_no_payload():
    """And nothing else that it would tell."""
    found = event(body=b"{")

    assert found.payload is None
    assert (found.run, found.time, found.lag, found.label) == (None, None, None, "")


def test_every_key_of_a_delivery_can_be_matched():
    """The primary one and those of the CC header."""
    made = delivery(key="a.b", routes=["r"], cc=["c"])

    assert made.keys == ("a.b", "route.r", "c")


HOSTILE_TIMES = [
    "",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59",
    "2026-11-23T18:00:00",
    "2026-02-30T00:00:00Z",
    "2026-11-23T18:00:60Z",
    "\ud800",
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(HOSTILE_TIMES)
)
NAMES = st.sampled_from(
    [
        "status",
        "runs",
        "runId",
        "task",
        "tags",
        "label",
        "kind",
        "state",
        "started",
        "scheduled",
        "resolved",
        "timestamp",
        "reasonResolved",
        "artifact",
        "name",
        "reason",
    ]
)
SHAPES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "runId": SHAPES,
        "status": SHAPES
        | st.fixed_dictionaries(
            {},
            optional={
                "runs": SHAPES | st.lists(st.dictionaries(NAMES, SHAPES), max_size=3),
                "state": SHAPES,
            },
        ),
        "task": SHAPES | st.fixed_dictionaries({"tags": SHAPES}),
        "timestamp": SHAPES,
        "artifact": SHAPES,
    },
)


@given(
    name=st.sampled_from([*STATES, "task-group-resolved", "worker-running", "hook-created"]),
    payload=PAYLOADS | SHAPES,
    key=st.none() | st.text(max_size=10),
    received=st.none() | st.sampled_from([RECEIVED, *HOSTILE_TIMES]),
)
@example("task-running", {"runId": [0], "status": {"runs": [{}]}}, None, RECEIVED)
@example("task-running", {"runId": {}, "status": {"runs": [{}]}}, None, RECEIVED)
def test_no_payload_makes_an_event_fail(name, payload, key, received):
    """Whatever shape the JSON has, there is an answer of the type that was promised."""
    body = json.dumps(payload).encode(errors="surrogatepass")

    found = event(name, body=body, key=key, received=received)

    assert isinstance(found.run, Run | None)
    assert isinstance(found.label, str)
    assert isinstance(found.time, datetime | None)
    assert isinstance(found.lag, float | None)
    assert isinstance(found.task_id, str)


@given(body=st.binary())
def test_no_body_makes_an_event_fail(body):
    """Its payload is what it says, or None."""
    found = event(body=body)

    assert (found.run, found.time) == (None, None)
    try:
        assert found.payload == orjson.loads(body)
    except orjson.JSONDecodeError:
        assert found.payload is None


@pytest.mark.parametrize(
    ("value", "path", "found"),
    [
        ({"a": {"b": 1}}, ("a", "b"), 1),
        ({"a": {"b": 1}}, ("a",), {"b": 1}),
        ({"a": 1}, ("a", "b"), None),
        ({"a": None}, ("a", "b"), None),
        ([{"a": 1}], (0, "a"), None),
        ({}, ("a",), None),
        (None, ("a",), None),
        ({"a": 1}, ([],), None),
        ({"a": 1}, (), {"a": 1}),
    ],
)
def test_looking_into_json_never_fails(value, path, found):
    """Where nothing is, None is."""
    assert get_path(value, *path) == found


def test_the_lag_of_far_times_is_a_number():
    """From the first to the last moment of the calendar."""
    far = event(
        payload={"status": {"runs": [{"started": "0001-01-01T00:00:00-23:59"}]}},
        received="9999-12-31T23:59:59+23:59",
    )

    assert far.lag == pytest.approx(timedelta(days=3_652_059).total_seconds(), rel=1e-3)


def test_a_time_outside_of_the_calendar_is_unknown():
    """As one that is not a time."""
    payload = {"status": {"runs": [{"started": "0001-01-01T00:00:00+23:59"}]}}

    assert event(payload=payload).lag is None


@pytest.mark.parametrize(
    ("value", "run"),
    [
        ({"runId": 1, "state": "running", "started": STARTED}, Run(1, "running", started=STARTED)),
        ({"started": STARTED, "workerId": 5}, Run(0, "", started=STARTED)),
        (
            {"runId": "x", "state": ["running"], "scheduled": STARTED},
            Run(0, "", scheduled=STARTED),
        ),
        ({"runId": 10**30, "state": "x", "resolved": {}}, Run(0, "x")),
        ({}, Run(0, "")),
        (None, None),
        ([], None),
    ],
)
def test_a_wrong_field_of_a_run_loses_only_that_field(value, run):
    """The other fields are read as usual."""
    assert to_run(value, 0) == run


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ({"label": "a", "kind": "b", "os": 7}, Tags("a", "b")),
        ({"label": 7, "kind": "b"}, Tags(None, "b")),
        ({"label": None, "kind": []}, Tags()),
        (["label"], Tags()),
    ],
)
def test_a_wrong_tag_loses_only_that_tag(value, tags):
    """The other tags are read as usual."""
    assert to_tags(value) == tags


@pytest.mark.parametrize("text", ["", "soon", "+10000-01-01T00:00:00Z", "2026-11-23T18:00:00"])
def test_a_run_with_an_unreadable_time_keeps_its_text(text):
    """There are no seconds for it, and no error."""
    run = Run(0, "running", started=text)

    assert (run.started, run.started_at, run.changed_at) == (text, None, None)
