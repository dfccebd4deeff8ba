from __future__ import annotations

import copy
import functools
import itertools
import re
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paths import DATA
from tcsniff import messages
from tcsniff.messages import (
    CLASSES,
    MessageError,
    UntypedMessage,
    build_schema,
    decode,
    encode,
    read_message,
)
from tcsniff.pulse.exchanges import CATALOG, find_exchange

PUBLISHED = orjson.loads((DATA / "queue-messages.json").read_bytes())
SAMPLES = [
    (line["exchange"], line["payload"])
    for name in ("samples.jsonl", "samples-v19.jsonl")
    for text in (DATA / name).read_bytes().splitlines()
    for line in [orjson.loads(text)]
]

# The types of the Go package tcqueueevents v19, and the counterpart of each here:
# a class of messages, or a row of the catalog for `bind`.
COUNTERPARTS = {
    "Artifact": "Artifact",
    "ArtifactCreated": "artifact-created",
    "ArtifactCreatedMessage": "ArtifactCreatedMessage",
    "RunInformation": "RunInformation",
    "Task": "TaskTags",
    "TaskCompleted": "task-completed",
    "TaskCompletedMessage": "TaskCompletedMessage",
    "TaskDefined": "task-defined",
    "TaskDefinedMessage": "TaskDefinedMessage",
    "TaskException": "task-exception",
    "TaskExceptionMessage": "TaskExceptionMessage",
    "TaskFailed": "task-failed",
    "TaskFailedMessage": "TaskFailedMessage",
    "TaskGroupResolved": "task-group-resolved",
    "TaskGroupResolvedMessage": "TaskGroupResolvedMessage",
    "TaskMetadata": "TaskMetadata",
    "TaskPending": "task-pending",
    "TaskPendingMessage": "TaskPendingMessage",
    "TaskRunning": "task-running",
    "TaskRunningMessage": "TaskRunningMessage",
    "TaskStatusStructure": "TaskStatus",
    "Var": "TaskTags",
}
# Names of queue-messages.json that differ from ours; its TaskDefinition is not in a
# message, and not a type of the seed.
OURS = {"TaskStatusStructure": "TaskStatus", "TaskSubset": "TaskTags"}
NESTED = {"status": "TaskStatus", "task": "TaskTags", "artifact": "Artifact"}
LIMITS = ("minimum", "maximum", "minLength", "maxLength", "pattern", "format", "uniqueItems")
TASK_QUEUE = r"[a-zA-Z0-9-_]{1,38}/[a-z]([-a-z0-9]{0,36}[a-z0-9])?"
# The message that contains each part, and the path to it.
PLACES = {
    "TaskStatus": ("task-completed", ("status",)),
    "RunInformation": ("task-completed", ("status", "runs", 0)),
    "Artifact": ("artifact-created", ("artifact",)),
    "TaskTags": ("task-completed", ("task",)),
} | {kind.__name__: (name, ()) for name, kind in CLASSES.items()}


def published(version):
    """Yield every field of a version's schemas, with our class."""
    for name, kind in PUBLISHED[version].items():
        if name != "TaskDefinition":
            fields = PUBLISHED[version][kind.get("sameAs", name)].get("fields", [])
            yield from (
                (OURS.get(name, name), field) for field in fields if "." not in field["field"]
            )


NEWEST = list(published("newest"))
V19 = list(published("v19"))
V19_FIELDS = {(kind, field["field"]): field for kind, field in published("v19")}
V19_KINDS = {kind for kind, _ in V19_FIELDS}
IN_MESSAGES = [(kind, field) for kind, field in NEWEST if kind in PLACES]
WITH_PATTERNS = [(kind, field) for kind, field in IN_MESSAGES if "pattern" in field]


def sample(name):
    """Return the first current message of an exchange, as a copy."""
    address = find_exchange(name).address
    rows = SAMPLES
    return copy.deepcopy(next(payload for exchange, payload in rows if exchange == address))


def changed(kind, field, value):
    """Return exchange, body and path of a message in which one field has another value."""
    name, place = PLACES[kind]
    payload = within = sample(name)
    for key in place:
        within = within[key]
    within[field] = value
    path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in (*place, field))
    return find_exchange(name).address, orjson.dumps(payload), f"${path}"


worded = functools.cache(lambda kind: build_schema(getattr(messages, kind))["$defs"][kind])


def property_of(kind, field):
    """Return a field of our JSON Schema, without the alternative null, and if it is required."""
    here = worded(kind)["properties"][field]
    return here.get("anyOf", [here])[0], field in worded(kind).get("required", [])


def fits(exchange, body):
    """Return whether a body decodes to a typed message."""
    return not isinstance(read_message(exchange, body), UntypedMessage)


# Samples


def test_a_sample_decodes_to_the_class_of_its_exchange():
    """The class is named after the exchange."""
    for exchange, payload in SAMPLES:
        message = decode(exchange, orjson.dumps(payload))

        words = exchange.rpartition("/")[2].split("-")
        assert type(message).__name__ == "".join(map(str.title, words)) + "Message", payload


def test_a_sample_encodes_back_to_the_same_json():
    """Nothing is lost, added or changed."""
    for exchange, payload in SAMPLES:
        message = decode(exchange, orjson.dumps(payload))

        assert orjson.loads(encode(message)) == payload, payload


# The published schemas


def test_every_exchange_of_the_queue_has_a_class():
    """The catalog and the classes have the same exchanges."""
    assert set(CLASSES) == {row.name for row in CATALOG if row.service == "queue"}


def test_every_type_of_the_seed_has_a_counterpart():
    """Each of the 22 types of the Go package has a counterpart."""
    found = {
        go: hasattr(messages, ours) or bool(find_exchange(ours).address)
        for go, ours in COUNTERPARTS.items()
    }

    assert found == dict.fromkeys(COUNTERPARTS, True)


def test_a_field_has_the_published_type_and_limits():
    """They are those of the current schema."""
    for kind, published in NEWEST:
        ours, _ = property_of(kind, published["field"])

        known = {name: published[name] for name in LIMITS if name in published}
        assert {name: ours[name] for name in LIMITS if name in ours} == known, published


def test_a_field_has_the_published_structure():
    """An object has a class; lists, maps and other values have their JSON type."""
    for kind, published in NEWEST:
        ours, _ = property_of(kind, published["field"])

        match published:
            case {"field": "version"}:
                assert ours["enum"] == [1], published
            case {"mapValues": values}:
                assert ours["additionalProperties"] == values, published
            case {"items": items}:
                assert ours["items"] == {"$ref": f"#/$defs/{items}"}, published
            case {"type": "object", "field": field}:
                assert ours["$ref"] == f"#/$defs/{NESTED[field]}", published
            case _:
                assert ours["type"] == published["type"], published


def test_a_field_is_required_if_all_versions_require_it():
    """That is, the current schema and that of v19, if it had the message."""
    for kind, published in NEWEST:
        name = published["field"]

        _, required = property_of(kind, name)

        then = V19_FIELDS.get((kind, name), {}).get("required", False)
        assert required == (published["required"] and (kind not in V19_KINDS or then)), published


def test_a_field_of_v19_still_exists():
    """Fields required now were required then, and its values are known."""
    for kind, published in V19:
        ours, required = property_of(kind, published["field"])

        assert published["required"] or not required, published
        assert set(published.get("enum", [])) <= {
            *ours.get("examples", []),
            *ours.get("enum", []),
        }, published


def test_no_class_has_fields_that_are_not_published():
    """Such a field would never have a value."""
    ours = {
        (kind, field.encode_name)
        for kind in {*PLACES, "TaskMetadata"}
        for field in msgspec.structs.fields(getattr(messages, kind))
    }

    assert ours == {(kind, field["field"]) for kind, field in published("newest")}


@pytest.mark.parametrize(
    ("ours", "published"),
    [
        (messages.STATES, "taskState"),
        (messages.RUN_STATES, "runState"),
        (messages.REASONS_CREATED, "reasonCreated"),
        (messages.REASONS_RESOLVED, "reasonResolved"),
        (messages.RETRIED_REASONS, "autoRetryReasons"),
        (messages.PRIORITIES, "priority"),
    ],
)
def test_known_values_are_the_published_ones(ours, published):
    """They have the published order, which for states is that of a task's life."""
    assert list(ours) == PUBLISHED["enums"][published]


def test_known_storage_types_are_those_of_both_versions():
    """One of v19 was removed, and two were added since."""
    both = PUBLISHED["enums"]["storageTypeInMessages"]

    assert set(messages.STORAGE_TYPES) == {*both["v19"], *both["newest"]}


@pytest.mark.parametrize(
    ("kind", "published"),
    [row for row in NEWEST if "enum" in row[1] and row[1]["field"] != "version"],
)
def test_the_schema_lists_the_known_values(kind, published):
    """They are examples, because values may be added."""
    ours, _ = property_of(kind, published["field"])

    assert set(published["enum"]) <= set(ours["examples"])


@pytest.mark.parametrize("kind", sorted({*PLACES, "TaskMetadata"}))
def test_every_field_is_described(kind):
    """Descriptions are the docstrings of the class and its bases."""
    fields = worded(kind)["properties"].values()

    assert "Attributes" not in worded(kind)["description"]
    assert all(field.get("description") for field in fields)


def test_a_schema_says_its_draft():
    """Validators need not guess it."""
    told = build_schema(messages.TaskGroupSealedMessage)

    assert told["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert told["$ref"] == "#/$defs/TaskGroupSealedMessage"


# Valid messages


@pytest.mark.parametrize(
    ("kind", "published"),
    [row for row in IN_MESSAGES if set(row[1]) & {"minimum", "maximum"}],
)
def test_numbers_may_reach_their_limits_and_no_further(kind, published):
    """Both limits are inclusive."""
    name, least, most = published["field"], published["minimum"], published.get("maximum")

    assert fits(*changed(kind, name, least)[:2])
    assert not fits(*changed(kind, name, least - 1)[:2])
    assert most is None or fits(*changed(kind, name, most)[:2])
    assert most is None or not fits(*changed(kind, name, most + 1)[:2])


@pytest.mark.parametrize(
    ("kind", "published"), [row for row in IN_MESSAGES if "maxLength" in row[1]]
)
def test_texts_may_reach_their_limits_and_no_further(kind, published):
    """Lengths are in characters."""
    name, most = published["field"], published["maxLength"]

    assert fits(*changed(kind, name, "x" * most)[:2])
    assert not fits(*changed(kind, name, "x" * (most + 1))[:2])


def test_a_tag_may_reach_its_limit_and_no_further():
    """The limit is for each value, in characters."""
    assert fits(*changed("TaskTags", "tags", {"a": "ü" * 4096})[:2])
    assert not fits(*changed("TaskTags", "tags", {"a": "ü" * 4097})[:2])


BROKEN_IDS = ["a b", "JFjlQCTkRuWyz2yqxLnGNw\n", "ü", "-/a-", "a\x00", "a/"]


def test_a_wrong_id_is_reported_with_its_path():
    """Also if only a newline at the end is wrong, which `$` of a pattern accepts."""
    for (kind, published), broken in itertools.product(WITH_PATTERNS, BROKEN_IDS):
        if published["field"] == "projectId" and broken in {"-/a-", "a/"}:
            continue
        exchange, body, path = changed(kind, published["field"], broken)

        with pytest.raises(MessageError, match="Expected `str`") as refused:
            decode(exchange, body)

        assert refused.value.path == path, (published, broken)


@given(
    st.sampled_from(WITH_PATTERNS),
    st.text("aZ9-_/. \n", max_size=40) | st.just("None"),
)
def test_patterns_are_the_published_ones(row, text):
    """A value is accepted if the published pattern matches all of it, and only then."""
    kind, published = row

    accepted = fits(*changed(kind, published["field"], text)[:2])

    long_enough = published.get("minLength", 0) <= len(text) <= published.get("maxLength", 500)
    assert accepted == bool(long_enough and re.fullmatch(published["pattern"][1:-1], text))


@given(st.from_regex(TASK_QUEUE, fullmatch=True))
def test_every_task_queue_is_accepted(queue):
    """Every text that the published pattern describes is accepted."""
    assert fits(*changed("TaskStatus", "taskQueueId", queue)[:2])


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("TaskStatus", "state", "hibernating"),
        ("TaskStatus", "priority", "sky-high"),
        ("TaskStatus", "color", "blue"),
        ("RunInformation", "state", "paused"),
        ("RunInformation", "reasonCreated", "boredom"),
        ("RunInformation", "reasonResolved", "comet"),
        ("RunInformation", "cost", {"amount": 3}),
        ("Artifact", "storageType", "tape"),
        ("Artifact", "contentLength", 5),
        ("TaskTags", "metadata", {"name": "build"}),
        ("TaskCompletedMessage", "extra", [1, {"deep": None}]),
        ("TaskPriorityChangedMessage", "newPriority", "sky-high"),
    ],
)
def test_unknown_values_and_fields_decode(kind, field, value):
    """An unknown value is kept, an unknown field is ignored."""
    exchange, body, _ = changed(kind, field, value)

    message = decode(exchange, body)

    known = getattr(messages, kind).__struct_encode_fields__
    assert (f'"{value}"'.encode() in encode(message)) == (field in known)


def test_an_optional_field_may_be_null():
    """It is the same as an absent field."""
    exchange, body, _ = changed("TaskGroupResolvedMessage", "sealed", None)

    assert decode(exchange, body).sealed is None


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-08-20T09:20:04.164Z", datetime(2026, 8, 20, 9, 20, 4, 164000, UTC)),
        ("2026-08-20T09:20:04.000Z", datetime(2026, 8, 20, 9, 20, 4, 0, UTC)),
        ("2026-08-20T09:20:04.164+00:00", datetime(2026, 8, 20, 9, 20, 4, 164000, UTC)),
        ("2026-08-20T09:20:04.123456+00:00", datetime(2026, 8, 20, 9, 20, 4, 123456, UTC)),
        ("2026-08-20T09:20:04+00:00", datetime(2026, 8, 20, 9, 20, 4, 0, UTC)),
        ("2026-08-20T11:20:04+02:00", datetime(2026, 8, 20, 9, 20, 4, 0, UTC)),
    ],
)
def test_times_decode_in_both_forms(text, time):
    """JavaScript's and PostgreSQL's; the result is always aware."""
    exchange, body, _ = changed("TaskRunningMessage", "takenUntil", text)

    taken_until = decode(exchange, body).taken_until

    assert (taken_until, taken_until.utcoffset() is None) == (time, False)


@pytest.mark.parametrize(
    ("micros", "javascript", "postgresql"),
    [
        (0, "04.000Z", "04+00:00"),
        (100_000, "04.100Z", "04.1+00:00"),
        (164_000, "04.164Z", "04.164+00:00"),
        (123_450, "04.123450Z", "04.12345+00:00"),
        (1, "04.000001Z", "04.000001+00:00"),
    ],
)
def test_times_are_encoded_as_the_queue_does(micros, javascript, postgresql):
    """`takenUntil` at top level in PostgreSQL's form, all others in JavaScript's."""
    time = datetime(2026, 8, 20, 9, 20, 4, micros, UTC)
    running = decode(find_exchange("task-running").address, orjson.dumps(sample("task-running")))
    status = msgspec.structs.replace(running.status, deadline=time)

    written = orjson.loads(
        encode(msgspec.structs.replace(running, status=status, taken_until=time))
    )

    assert written["status"]["deadline"] == "2026-08-20T09:20:" + javascript
    assert written["takenUntil"] == "2026-08-20T09:20:" + postgresql


def test_a_number_above_javascripts_range_cannot_be_encoded():
    """It can be decoded, because numbers of tasks have no upper limit."""
    exchange, body, _ = changed("TaskGroupPriorityChangedMessage", "tasksAffected", 0)
    body = body.replace(b'"tasksAffected":0', b'"tasksAffected":18446744073709551616')

    message = decode(exchange, body)

    assert message.tasks_affected == 2**64
    with pytest.raises(TypeError, match="64-bit"):
        encode(message)


def test_another_offset_is_kept():
    """The queue never sends one; it is neither rejected nor converted."""
    zone = timezone(timedelta(hours=-5))
    exchange, body, _ = changed("Artifact", "expires", "9999-12-31T23:59:59-05:00")

    message = decode(exchange, body)

    assert message.artifact.expires == datetime(9999, 12, 31, 23, 59, 59, tzinfo=zone)
    assert decode(exchange, encode(message)) == message


def test_messages_cannot_be_changed():
    """They are shared by everything that uses an event."""
    message = decode(
        find_exchange("task-group-sealed").address, orjson.dumps(sample("task-group-sealed"))
    )

    with pytest.raises(AttributeError):
        message.scheduler_id = "other"


def test_a_status_can_be_a_key():
    """Equal statuses have equal hashes; only tags, a dictionary, have none."""
    exchange, body = (
        find_exchange("task-completed").address,
        orjson.dumps(sample("task-completed")),
    )

    assert len({decode(exchange, body).status, decode(exchange, body).status}) == 1


@pytest.mark.parametrize(
    ("source", "accepted"),
    [
        ("https://hg.mozilla.org", True),
        ("http://a", True),
        ("ssh://a", True),
        ("git@a:b", True),
        ("ftp://a", False),
        ("see https://a", False),
    ],
)
def test_a_source_is_a_url(source, accepted):
    """Metadata are not in messages, but are checked like them."""
    fields = {"name": "", "description": "", "owner": "", "source": source}
    kind = messages.TaskMetadata

    try:
        msgspec.convert(fields, kind)
    except msgspec.ValidationError:
        assert not accepted
    else:
        assert accepted


# Invalid messages


def test_a_missing_field_is_reported():
    """The path is that of the object that lacks it."""
    for kind, published in IN_MESSAGES:
        name, place = PLACES[kind]
        payload = within = sample(name)
        for key in place:
            within = within[key]
        within.pop(published["field"], None)

        message = read_message(find_exchange(name).address, orjson.dumps(payload))

        _, required = property_of(kind, published["field"])
        told = f"Object missing required field `{published['field']}`"
        assert getattr(message, "reason", None) == (told if required else None), published


@pytest.mark.parametrize(
    ("kind", "field", "value", "reason"),
    [
        ("RunInformation", "state", 5, "Expected `str`, got `int`"),
        ("RunInformation", "runId", 0.5, "Expected `int`, got `float`"),
        ("RunInformation", "scheduled", "noon", "Invalid RFC3339 encoded datetime"),
        (
            "RunInformation",
            "scheduled",
            "2026-08-20T09:20:04",
            "Expected `datetime` with a timezone component",
        ),
        ("RunInformation", "scheduled", None, "Expected `datetime`, got `null`"),
        ("TaskStatus", "runs", {}, "Expected `array`, got `object`"),
        ("TaskStatus", "retriesLeft", True, "Expected `int`, got `bool`"),
        ("TaskStatus", "workerType", "", "Expected `str` matching regex"),
        ("TaskTags", "tags", None, "Expected `object`, got `null`"),
        ("Artifact", "name", [], "Expected `str`, got `array`"),
        ("TaskRunningMessage", "version", 2, "Invalid enum value 2"),
        ("TaskRunningMessage", "status", "running", "Expected `object`, got `str`"),
        ("TaskExceptionMessage", "workerId", "", "Expected `str` of length >= 1"),
        ("TaskGroupPriorityChangedMessage", "tasksAffected", -1, "Expected `int` >= 0"),
    ],
)
def test_a_misfit_says_where_and_why(kind, field, value, reason):
    """The event has the payload nevertheless."""
    exchange, body, path = changed(kind, field, value)

    message = read_message(exchange, body)

    assert (message.payload, message.path) == (orjson.loads(body), path)
    assert message.reason.startswith(reason)


def test_the_path_has_the_index_of_the_run():
    """Indexes are counted from 0."""
    payload = sample("task-completed")
    payload["status"]["runs"].append({**payload["status"]["runs"][0], "workerId": "a b"})

    message = read_message(find_exchange("task-completed").address, orjson.dumps(payload))

    assert message.path == "$.status.runs[1].workerId"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"hello",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"{}{}",
        b'{"status": NaN}',
        b'{"status": "\\ud800"}',
        b'{"schedulerId": "\xff"}',
        b'{"later": ' + b"[" * 100_000,
        b'{"later": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_not_json_has_no_payload(body):
    """It has a reason, and nothing is raised."""
    message = read_message(find_exchange("task-group-resolved").address, body)

    assert (message.payload, message.path) == (None, "$")
    assert message.reason


def test_a_body_that_is_null_is_json():
    """Its payload is None, and its reason is that of any other misfit."""
    message = read_message(find_exchange("task-running").address, b"null")

    assert message == UntypedMessage(None, "Expected `object`, got `null`")


def test_other_exchanges_give_their_payload():
    """There is no reason, because there is no class."""
    assert read_message("exchange/build/normalized", b'{"a": 1}') == UntypedMessage({"a": 1})


def test_other_exchanges_may_send_invalid_json():
    """The reason says so."""
    message = read_message("exchange/build/normalized", b"hello")

    assert message.payload is None
    assert message.reason


def test_decoding_needs_a_class():
    """`decode` raises LookupError for an exchange without a class."""
    with pytest.raises(LookupError):
        decode("exchange/build/normalized", b"{}")


def test_an_error_says_what_and_where():
    """Its text is readable."""
    exchange, body, _ = changed("RunInformation", "state", 5)

    with pytest.raises(MessageError) as refused:
        decode(exchange, body)

    assert str(refused.value) == "Expected `str`, got `int` at $.status.runs[0].state"


# Arbitrary messages

EXCHANGES = st.sampled_from([find_exchange(name).address for name in CLASSES])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(
        ["2026-08-20T09:20:04.164Z", "0001-01-01T00:00:00+23:59", "JFjlQCTkRuWyz2yqxLnGNw"]
    ),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)


def places(value, place=()):
    """Yield the path of everything inside a payload."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in inside:
        yield (*place, key)
        if isinstance(inner, (dict, list)):
            yield from places(inner, (*place, key))


@st.composite
def mutations(draw):
    """Draw a sample with up to three values removed or replaced."""
    exchange, payload = draw(st.sampled_from(SAMPLES))
    payload = copy.deepcopy(payload)
    for _ in range(draw(st.integers(1, 3))):
        *outer, last = draw(st.sampled_from([*places(payload)] or [("version",)]))
        within = payload
        for key in outer:
            within = within[key]
        within[last] = draw(JSON)
        if draw(st.booleans()):
            del within[last]
    return exchange, orjson.dumps(payload)


@st.composite
def damages(draw):
    """Draw a sample's bytes with a piece replaced by another."""
    exchange, payload = draw(st.sampled_from(SAMPLES))
    body = orjson.dumps(payload)
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 20)))
    return exchange, body[:start] + draw(st.binary(max_size=20)) + body[end:]


@given(
    st.tuples(EXCHANGES, st.binary())
    | st.tuples(EXCHANGES, JSON.map(orjson.dumps))
    | mutations()
    | damages()
)
def test_nothing_that_arrives_raises(arrived):
    """The result is typed, and survives encoding and decoding; or untyped, with a reason."""
    exchange, body = arrived

    message = read_message(exchange, body)

    if isinstance(message, UntypedMessage):
        assert message.reason
        assert message.path.startswith("$")
    else:
        assert decode(exchange, encode(message)) == message


@given(st.text(), st.binary())
def test_no_exchange_raises(exchange, body):
    """Any name of an exchange is accepted."""
    assert isinstance(read_message(exchange, body), UntypedMessage)
