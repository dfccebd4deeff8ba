from __future__ import annotations

import json
import unicodedata
from datetime import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders import GROUP, TASK, event, samples, time_zone
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.exchanges import CATALOG, find_exchange
from tcsniff.pulse.styles import EVENT_STYLES, get_event_style
from tcsniff.renderers.columns import COLUMNS, format_clock_time, to_ascii
from tcsniff.renderers.layouts import fit_columns

CONTROLS = {"Cc", "Cf", "Zl", "Zp", "Cs"}
UNTRUSTED = "\x1b[31m\x9b1m\u202e\u2066\n\r\u2028\x00\u200b"


@pytest.fixture(autouse=True)
def utc():
    with time_zone("UTC"):
        yield


def shown(one):
    """Tell what is shown, by the columns' titles; empty columns left out."""
    texts = {column.title: column.text(one) for column in COLUMNS}
    return {title: text for title, text in texts.items() if text}


def run_of(**known):
    return {"payload": {"status": {"runs": [known]}}}


WHERE = {"TASK ID": TASK, "POOL": "gecko-t/t-linux-large"}
LABEL = {"TASK": "test-linux/opt-1"}
WORKER = {"WORKER": "us-east-1 i-0a1b2c3d"}
AT = {"defined": "18:01:05", "pending": "18:00:00", "running": "18:00:03", "ended": "18:01:05"}


@pytest.mark.parametrize(
    ("name", "details", "expected"),
    [
        (
            "task-defined",
            {},
            {"TIME": AT["defined"], "EVENT": "○ defined", "STATE": "unscheduled"} | LABEL | WHERE,
        ),
        (
            "task-pending",
            {},
            {"TIME": AT["pending"], "EVENT": "◷ pending", "STATE": "pending", "RUN": "0"}
            | LABEL
            | WHERE,
        ),
        (
            "task-pending",
            {"run": 2},
            {"TIME": AT["pending"], "EVENT": "◷ pending", "STATE": "pending", "RUN": "2"}
            | {"REASON": "retry"}
            | LABEL
            | WHERE,
        ),
        (
            "task-running",
            {},
            {"TIME": AT["running"], "EVENT": "▶ running", "STATE": "running", "RUN": "0"}
            | LABEL
            | WHERE
            | WORKER,
        ),
        (
            "artifact-created",
            {},
            {"TIME": "18:01:05", "EVENT": "+ artifact", "STATE": "running", "RUN": "0"}
            | {"REASON": "public/logs/live.log"}
            | WHERE
            | WORKER,
        ),
        (
            "task-completed",
            {},
            {"TIME": AT["ended"], "EVENT": "✔ completed", "STATE": "completed", "RUN": "0"}
            | LABEL
            | WHERE
            | WORKER,
        ),
        (
            "task-failed",
            {"run": 1},
            {"TIME": AT["ended"], "EVENT": "✖ failed", "STATE": "failed", "RUN": "1"}
            | LABEL
            | WHERE
            | WORKER,
        ),
        (
            "task-exception",
            {},
            {"TIME": AT["ended"], "EVENT": "! exception", "STATE": "exception", "RUN": "0"}
            | {"REASON": "claim-expired"}
            | LABEL
            | WHERE
            | WORKER,
        ),
        (
            "task-exception",
            {"retried": True},
            {"TIME": AT["ended"], "EVENT": "! exception", "STATE": "pending", "RUN": "0"}
            | {"REASON": "claim-expired, retried"}
            | LABEL
            | WHERE
            | WORKER,
        ),
        (
            "task-exception",
            {"reason": "canceled", "worker_group": "_", "worker_id": "_", "label": ""},
            {"TIME": AT["ended"], "EVENT": "! exception", "STATE": "exception", "RUN": "0"}
            | {"REASON": "canceled"}
            | WHERE,
        ),
        (
            "task-priority-changed",
            {},
            {"TIME": "18:01:05", "EVENT": "± priority", "STATE": "pending"}
            | {"REASON": "low → high"}
            | WHERE,
        ),
        (
            "task-group-resolved",
            {},
            {"TIME": "18:01:05", "EVENT": "■ group resolved", "TASK": f"group {GROUP}"},
        ),
        (
            "task-group-sealed",
            {},
            {"TIME": "18:01:05", "EVENT": "□ group sealed", "TASK": f"group {GROUP}"},
        ),
        (
            "task-group-priority-changed",
            {},
            {"TIME": "18:01:05", "EVENT": "± group priority", "TASK": f"group {GROUP}"}
            | {"REASON": "→ medium"},
        ),
        (
            "worker-removed",
            {"payload": {"reason": "preempted"}},
            {"TIME": "18:00:03", "EVENT": "· worker-removed", "REASON": "preempted"}
            | {"TASK": WORKER["WORKER"]}
            | {"POOL": WHERE["POOL"]}
            | WORKER,
        ),
        (
            "push",
            {},
            {"TIME": "18:01:05", "EVENT": "· push", "TASK": "mozilla/gecko"},
        ),
        (
            "task-running",
            {"exchange": "exchange/build/normalized", "key": "a.b"},
            {"TIME": "18:01:05", "EVENT": "· normalized", "STATE": "running", "RUN": "0"} | LABEL,
        ),
        (
            "task-running",
            {"body": b"no", "received": None},
            {"EVENT": "▶ running", "RUN": "0", "REASON": "body is not JSON"} | WHERE | WORKER,
        ),
    ],
)
def test_each_kind_of_event_shows_what_matters(name, details, expected):
    """What is not known leaves its column empty."""
    assert shown(event(name, **details)) == expected


def test_a_body_of_null_is_json():
    """It says nothing, but what it says is valid."""
    assert "REASON" not in shown(event(body=b"null"))


@pytest.mark.parametrize("state", ["pending", "running"])
def test_a_retry_without_a_reason_is_still_a_retry(state):
    """A message may lack the run that it is about; no comma stands alone then."""
    found = shown(event("task-exception", payload={"status": {"state": state, "runs": []}}))

    assert found["REASON"] == "retried"


@pytest.mark.parametrize("state", ["failed", "completed", "exception", "unscheduled", None, []])
def test_an_exception_is_called_retried_only_while_it_is(state):
    """By the state of the task, never by the exchange's name."""
    runs = [{"runId": 0, "reasonResolved": "worker-shutdown"}]

    found = shown(event("task-exception", payload={"status": {"state": state, "runs": runs}}))

    assert found["REASON"] == "worker-shutdown"


def test_every_event_of_the_queue_has_a_look_of_its_own():
    """Told by symbol and word, not by color alone."""
    names = [exchange.name for exchange in CATALOG if exchange.service == "queue"]

    styles = [EVENT_STYLES[name] for name in names]

    assert len({look.word for look in styles}) == len(names)
    assert all(len(look.symbol) == 1 for look in styles)


def test_our_symbols_can_be_spelled_in_ascii():
    """For terminals that know no more; no two states look the same there."""
    every = [text for sample in samples() for text in shown(Event(sample)).values()]

    assert [to_ascii(text) for text in every if not to_ascii(text).isascii()] == []
    assert all(
        to_ascii(column.title).isascii() for width in range(200) for column in fit_columns(width)
    )
    symbols = {look.symbol for look in EVENT_STYLES.values()}
    assert len({to_ascii(symbol) for symbol in symbols}) == len(symbols)


@pytest.mark.parametrize(
    ("zone", "utc_only", "text"),
    [
        ("UTC", False, "18:00:03"),
        ("XYZ-5:30", False, "23:30:03"),
        ("XYZ-5:30", True, "18:00:03"),
    ],
)
def test_times_are_local_unless_told_otherwise(zone, utc_only, text):
    """A person's watch shows the same."""
    with time_zone(zone):
        assert (
            format_clock_time(datetime.fromisoformat("2026-11-23T18:00:03Z"), utc=utc_only) == text
        )


@pytest.mark.parametrize("zone", ["UTC", "XYZ+12", "XYZ-14"])
@pytest.mark.parametrize(
    "started",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_no_time_of_a_message_ends_the_program(zone, started):
    """Also one that cannot be told in the local zone."""
    with time_zone(zone):
        assert isinstance(shown(event(**run_of(started=started))), dict)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 2)
    | st.floats()
    | st.sampled_from([UNTRUSTED, "0001-01-01T00:00:00+23:59", "pending"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("x"), inner),
    max_leaves=3,
)
RUNS = st.dictionaries(
    st.sampled_from(["started", "resolved", "scheduled", "reasonResolved", "reasonCreated"]), JSON
)
PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "runId": JSON,
        "status": st.fixed_dictionaries({"runs": st.lists(RUNS) | JSON, "state": JSON}),
        "task": st.fixed_dictionaries({"tags": st.fixed_dictionaries({"label": JSON})}),
        "artifact": st.fixed_dictionaries({"name": JSON}),
        "oldPriority": JSON,
        "newPriority": JSON,
        "reason": JSON,
    },
)


@given(
    name=st.sampled_from([exchange.name for exchange in CATALOG]),
    payload=PAYLOADS,
    key=st.none() | st.lists(st.sampled_from([UNTRUSTED, "a"]), max_size=11).map(".".join),
    exchange=st.none() | st.just(f"exchange/x/{UNTRUSTED}"),
)
@example("task-running", {"task": {"tags": {"label": UNTRUSTED}}}, None, None)
@example("task-running", {}, f"primary.{UNTRUSTED}", None)
def test_nothing_that_is_shown_is_obeyed_by_a_terminal(name, payload, key, exchange):
    """Whoever writes a payload, a routing key or an exchange's name."""
    untrusted = event(name, body=json.dumps(payload).encode(), key=key, exchange=exchange)

    texts = [column.text(untrusted) for column in COLUMNS] + [get_event_style(untrusted).word]

    assert not {one for text in texts for one in text if unicodedata.category(one) in CONTROLS}


@pytest.mark.parametrize("width", [66, 80, 120, 200])
def test_events_of_other_services_show_what_they_are_about(width):
    """Sanitised, in a column that every screen has."""
    address = find_exchange("client-created").address
    body = b'{"clientId": "project/\\u001b[31mx"}'
    one = Event(Delivery(address, "_", body))

    texts = [column.text(one) for column in fit_columns(width)]

    assert "project/\\x1b[31mx" in texts


def test_an_error_of_a_pool_shows_pool_kind_and_title():
    """Its routing key may have nothing of it."""
    address = find_exchange("worker-pool-error").address
    body = b'{"workerPoolId": "p/w", "kind": "creation-error", "title": "Quota"}'

    assert shown(Event(Delivery(address, "_", body))) == {
        "EVENT": "· worker-pool-error",
        "TASK": "p/w",
        "POOL": "p/w",
        "REASON": "creation-error: Quota",
    }
