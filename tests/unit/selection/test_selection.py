"""From flags to bindings and checks; also tests `tcsniff.pulse.routing`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import DATA, GROUP, OTHER_TASK, TASK, delivery, samples
from tcsniff.commands.explain import explain
from tcsniff.errors import UsageError
from tcsniff.pulse.exchanges import (
    BY_ADDRESS,
    CATALOG,
    KEYS_WITHOUT_VALUES,
    find_exchange,
)
from tcsniff.pulse.routing import Binding, find_field, to_flag
from tcsniff.selection.describe import describe_selection
from tcsniff.selection.select import Clause, Selection, build_selection
from tcsniff.selection.selection_args import SelectionArgs

REFERENCE = json.loads((DATA / "exchanges.json").read_text(encoding="utf-8"))
ENTRIES = [
    (service["service"], entry)
    for service in REFERENCE["services"]
    for entry in service["entries"]
]
FIELDS = sorted(
    {
        field["name"]
        for _, entry in ENTRIES
        for field in entry["routingKey"]
        if field["constant"] is None
    }
)
GOOD = {  # a value for each field
    "taskId": TASK,
    "taskGroupId": GROUP,
    "runId": "0",
    "workerType": "gaia",
}
TASK_EVENTS = [
    "task-defined",
    "task-pending",
    "task-running",
    "artifact-created",
    "task-completed",
    "task-failed",
    "task-exception",
    "task-priority-changed",
]
GROUP_EVENTS = ["task-group-resolved", "task-group-sealed", "task-group-priority-changed"]
BUILD = "exchange/build/normalized"


def chosen(*events: str, **flags: object) -> Selection:
    """Build a selection from EVENTs and flags, named as in `SelectionArgs`."""
    return build_selection(SelectionArgs(events=events, **flags))


def bound(selection: Selection) -> list[tuple[str, str]]:
    """Return the bindings, with short names for the exchanges of the catalog."""
    return [(short(one.exchange), one.pattern) for one in selection.bindings]


def short(address: str) -> str:
    return BY_ADDRESS[address].name if address in BY_ADDRESS else address


def refusal(*events: str, **flags: object) -> str:
    with pytest.raises(UsageError) as refused:
        chosen(*events, **flags)
    return str(refused.value)


# EVENTs.


@pytest.mark.parametrize(
    ("service", "entry"), ENTRIES, ids=[entry["kebab"] for _, entry in ENTRIES]
)
def test_an_event_binds_what_the_official_client_would(service, entry):
    """For every spelling of an EVENT, all of its exchange's primary keys are bound."""
    spellings = [
        entry["kebab"],
        entry["name"],
        f"{service}/{entry['kebab']}",
        f"{service}/{entry['name']}",
        entry["exchange"],
    ]

    bindings = [chosen(spelling).bindings for spelling in spellings]

    assert bindings == [[Binding(entry["exchange"], entry["defaultBinding"])]] * 5


def test_several_events_are_alternatives():
    """Each EVENT is bound in the given order; repeats are ignored."""
    names = ["task-failed", "taskRunning", "hook-created", "queue/task-failed"]

    assert bound(chosen(*names)) == [
        ("task-failed", "primary.*.*.*.*.*.*.*.*.#"),
        ("task-running", "primary.*.*.*.*.*.*.*.*.#"),
        ("hook-created", "#"),
    ]


def test_short_and_long_events_can_be_mixed():
    """Each state of a task is short for its exchange, also with fields and with its service."""
    assert bound(chosen("failed", "task-running", "queue/task-failed")) == bound(
        chosen("task-failed", "task-running")
    )
    assert bound(chosen("defined:worker-type=gaia,pool=aws/gaia")) == bound(
        chosen("task-defined:worker-type=gaia,task-queue=aws/gaia")
    )


def test_an_event_can_have_fields_of_its_own():
    """The first example program of Taskcluster's Go library."""
    found = chosen(
        "task-defined:worker-type=gaia,provisioner-id=aws-provisioner",
        "task-running:worker-type=b2g",
    )

    assert bound(found) == [
        ("task-defined", "primary.*.*.*.*.aws-provisioner.gaia.*.*.#"),
        ("task-running", "primary.*.*.*.*.*.b2g.*.*.#"),
    ]
    assert found.is_bound


@pytest.mark.parametrize(
    ("event", "pattern"),
    [
        ("task-running:task=" + TASK, f"primary.{TASK}.*.*.*.*.*.*.*.#"),
        ("task-running:taskId=" + TASK, f"primary.{TASK}.*.*.*.*.*.*.*.#"),
        ("task-running:task-id=" + TASK, f"primary.{TASK}.*.*.*.*.*.*.*.#"),
        ("task-group-sealed:task-group=" + GROUP, f"primary.{GROUP}.*.#"),
        ("task-running:task-queue=aws/gaia", "primary.*.*.*.*.aws.gaia.*.*.#"),
        ("worker-removed:worker-pool-id=aws/gaia", "primary.*.aws.gaia.*.*.*.#"),
        ("task-running: worker-type=gaia", "primary.*.*.*.*.*.gaia.*.*.#"),
        ("queue/taskRunning:workerType=gaia", "primary.*.*.*.*.*.gaia.*.*.#"),
        ("push:organization=a%b", "primary.a%b.*"),
        ("pull-request:action=opened", "primary.*.*.opened"),
        ("notification:topic=a.*.b", "primary.a.*.b"),
        ("hook-created:reserved=_", "_"),
        ("task-exception:worker-id=_", "primary.*.*.*._.*.*.*.*.#"),
    ],
)
def test_a_field_of_an_event_has_the_names_of_flags_and_the_reference(event, pattern):
    """Kebab case, camelCase and short names are equivalent."""
    assert [one.pattern for one in chosen(event).bindings] == [pattern]


def test_fields_of_an_event_replace_flags():
    """They replace the flag with the same name, and are added to the others."""
    flags = {"workerType": ["gaia"], "provisionerId": ["aws"]}

    assert bound(chosen("task-running:worker-type=b2g", "task-failed", fields=flags)) == [
        ("task-running", "primary.*.*.*.*.aws.b2g.*.*.#"),
        ("task-failed", "primary.*.*.*.*.aws.gaia.*.*.#"),
    ]


def test_repeated_fields_of_an_event_are_alternatives():
    """As for flags."""
    found = chosen("task-running:run-id=0,run-id=1")

    assert [one.pattern.split(".")[2] for one in found.bindings] == ["0", "1"]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("task-runing", "did you mean 'task-running'?"),
        ("", "`tcsniff exchanges` lists all events"),
        ("task-running:", "write fields after the colon, like worker-type=gaia"),
        ("task-running:worker-type", "write fields after the colon"),
        ("task-running:worker-type=a,", "write fields after the colon"),
        ("task-running:worker-type=", "is empty"),
        ("task-running:worker-tipe=a", "unknown routing key field 'worker-tipe'"),
        ("task-running:worker-tipe=a", "did you mean 'worker-type'?"),
        ("task-running:xyzzy=a", "known fields: task-id, run-id"),
        ("task-running:routingKeyKind=primary", "unknown routing key field"),
        ("task-running:organization=mozilla", "task-running has no field organization"),
        ("task-group-resolved:worker-type=a", "task-group-resolved has no field worker-type"),
        ("worker-running:task=" + TASK, "worker-running has no field task"),
    ],
)
def test_an_invalid_event_is_refused(event, words):
    """The error says what is wrong and suggests a similar name."""
    assert words in refusal(event)


# Flags for the fields of routing keys.


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_of_the_reference_has_a_flag(name):
    """The flags follow from the catalog: the field's name in kebab case."""
    flags = {option for parameter in explain.params for option in parameter.opts}
    kebab = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)

    assert to_flag(name) == f"--{kebab}"
    assert to_flag(name) in flags
    assert find_field(kebab) == find_field(name) == name


@pytest.mark.parametrize("flag", ["--task", "--task-group", "--task-queue", "--worker-pool-id"])
def test_the_short_flags_exist(flag):
    """Those that are not a field's own name."""
    assert flag in {option for parameter in explain.params for option in parameter.opts}


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "reserved"])
def test_a_flag_narrows_every_exchange_that_has_its_field(name):
    """The pattern has the value in the field's place; other exchanges are refused."""
    for _, entry in ENTRIES:
        names = [field["name"] for field in entry["routingKey"]]
        value = GOOD.get(name, "value")
        if name in names:
            (only,) = chosen(entry["kebab"], fields={name: [value]}).bindings
            expected = entry["defaultBinding"].split(".")
            expected[names.index(name)] = value
            assert only.pattern == ".".join(expected)
        else:
            message = refusal(entry["kebab"], fields={name: [value]})
            assert message.startswith(f"{to_flag(name)} cannot be used with {entry['kebab']};")


@pytest.mark.parametrize(
    ("fields", "events"),
    [
        ({"workerType": ["gaia"]}, TASK_EVENTS),
        ({"task-queue": ["aws/gaia"]}, TASK_EVENTS),
        ({"taskId": [TASK]}, TASK_EVENTS),
        ({"taskGroupId": [GROUP]}, TASK_EVENTS + GROUP_EVENTS),
        ({"schedulerId": ["-"]}, TASK_EVENTS + GROUP_EVENTS),
        ({"schedulerId": ["-"], "runId": ["0"]}, TASK_EVENTS),
    ],
)
def test_flags_alone_mean_the_queues_exchanges_that_have_them(fields, events):
    """Without an EVENT, every queue exchange that has all the fields, and no others."""
    found = chosen(fields=fields)

    assert sorted(name for name, _ in bound(found)) == sorted(events)
    assert found.optional == {clause.exchange for clause in found.clauses}


def test_all_is_every_exchange_of_the_queue():
    """And of no other service."""
    found = chosen(all_events=True)

    assert {one.exchange for one in found.bindings} == {
        entry["exchange"] for service, entry in ENTRIES if service == "queue"
    }
    assert found.optional == {clause.exchange for clause in found.clauses}


def test_all_is_added_to_named_events():
    """`--all` adds the queue's exchanges; one that is also named is bound once."""
    found = bound(chosen("hook-created", "task-running", all_events=True))

    assert sorted(name for name, _ in found) == sorted(
        [*TASK_EVENTS, *GROUP_EVENTS, "hook-created"]
    )


def test_named_exchanges_are_required():
    """A named exchange that the broker does not have is an error, not a note."""
    assert not chosen("task-running").optional
    assert not chosen("task-running", fields={"workerType": ["gaia"]}).optional


def test_alternatives_and_narrowing_are_a_cross_product():
    """One value of each flag; flags narrow each other."""
    found = chosen(
        "task-running", fields={"provisionerId": ["p", "q"], "workerType": ["a", "b", "a"]}
    )

    assert [one.pattern for one in found.bindings] == [
        f"primary.*.*.*.*.{provisioner}.{worker_type}.*.*.#"
        for provisioner, worker_type in itertools.product("pq", "ab")
    ]


def test_a_task_queue_is_a_pair():
    """Alternatives of pairs do not mix their halves."""
    found = chosen("task-running", fields={"task-queue": ["p/a", "q/b"]})

    assert [one.pattern.split(".")[5:7] for one in found.bindings] == [["p", "a"], ["q", "b"]]


def test_flags_for_the_same_word_must_agree():
    """A pair and half a pair also narrow each other."""
    flags = {"task-queue": ["p/a", "q/b"], "workerType": ["b", "c"]}

    found = chosen("task-running", fields=flags)

    assert [one.pattern.split(".")[5:7] for one in found.bindings] == [["q", "b"]]


def test_flags_that_exclude_each_other_are_refused():
    """No message could match both; the error names both."""
    message = refusal(fields={"task-queue": ["p/a"], "workerType": ["b"]})

    assert "--task-queue and --worker-type exclude each other" in message


@pytest.mark.parametrize("name", ["organization", "providerId", "topic"])
def test_a_flag_that_no_event_has_is_refused(name):
    """The error names the flag, the EVENT, and the events that have the field."""
    having = [
        entry["kebab"]
        for _, entry in ENTRIES
        if name in [field["name"] for field in entry["routingKey"]]
    ]

    message = refusal("task-running", fields={name: ["value"]})

    assert message == (
        f"{to_flag(name)} cannot be used with task-running; "
        f"it can be used with {', '.join(having)}"
    )


def test_a_flag_that_only_some_events_have_narrows_those():
    """And a note names the others."""
    found = chosen("task-running", "task-group-resolved", fields={"workerType": ["gaia"]})

    assert bound(found) == [
        ("task-running", "primary.*.*.*.*.*.gaia.*.*.#"),
        ("task-group-resolved", "primary.*.*.#"),
    ]
    assert found.notes == ("--worker-type does not narrow task-group-resolved",)


def test_a_flag_of_another_service_needs_an_event():
    """Flags alone select queue exchanges, which have no organizations."""
    message = refusal(fields={"organization": ["mozilla"]})

    assert message.startswith("--organization cannot be used with the selected events")
    assert "pull-request" in message


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("taskId", "", "is empty"),
        ("taskId", "x", TASK),
        ("taskId", TASK + "A", "at most 22 characters"),
        ("taskId", "fN1SbArXTPSVFNUvaOlin.", "fN1SbArXTPSVFNUvaOlinQ"),
        ("taskId", "fN1SbArXXPSVFNUvaOlinQ", "22 characters, like "),
        ("taskId", "fN1SbArX*PSVFNUvaOlinQ", "wildcard"),
        ("taskId", TASK + "\n", "characters"),
        ("taskGroupId", "G1", "22 characters, like "),
        ("taskGroupId", "#", "wildcard"),
        ("runId", "1000", "at most 3 characters"),
        ("runId", "x", "0 or 12"),
        ("runId", "-1", "0 or 12"),
        ("runId", "٣", "0 or 12"),
        ("runId", "1\n", "0 or 12"),
        ("workerGroup", "us.east", "letters, digits, - and _"),
        ("workerGroup", "", "is empty"),
        ("workerId", "é", "letters, digits, - and _"),
        ("workerId", "a" * 39, "at most 38 characters"),
        ("provisionerId", "aws provisioner", "letters, digits, - and _"),
        ("provisionerId", "*", "wildcard"),
        ("workerType", "Gaia", "lower case letters"),
        ("workerType", "gaia-", "lower case letters"),
        ("workerType", "9gaia", "lower case letters"),
        ("workerType", "gaia\n", "lower case letters"),
        ("workerType", "gaia*", "wildcard"),
        ("schedulerId", "gecko#1", "wildcard"),
        ("schedulerId", "gecko.level", "letters, digits, - and _"),
        ("organization", "mozilla.org", "mozilla%org"),
        ("repository", "a.b.c", "a%b%c"),
        ("repository", "a" * 101, "at most 100 characters"),
        ("action", "a.b", "no dots"),
        ("action", "a" * 23, "at most 22 characters"),
        ("topic", "", "is empty"),
        ("providerId", "a/b", "letters, digits, - and _"),
        ("launchConfigId", "a" * 39, "at most 38 characters"),
        ("task-queue", "gaia", "PROVISIONER/WORKER_TYPE"),
        ("task-queue", "a/b/c", "PROVISIONER/WORKER_TYPE"),
        ("task-queue", "a/B", "lower case letters"),
        ("task-queue", "/gaia", "PROVISIONER/WORKER_TYPE"),
        ("task-queue", "aws/", "PROVISIONER/WORKER_TYPE"),
        ("worker-pool-id", "gaia", "PROVISIONER/WORKER_TYPE"),
    ],
)
def test_a_value_that_no_message_has_is_refused(name, value, word):
    """Before anything connects; the error names the flag and the valid form."""
    having = next(one.name for one in CATALOG if name in names_of(one) or "-" in name)

    message = refusal(having, fields={name: [value]})

    assert message.startswith(f"{to_flag(name)} '")
    assert word in message


def names_of(exchange):
    return {field.name for field in exchange.fields}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("taskId", TASK),
        ("runId", "0"),
        ("runId", "999"),
        ("runId", "_"),
        ("workerGroup", "_"),
        ("workerId", "a" * 38),
        ("workerType", "a" * 38),
        ("workerType", "b"),
        ("schedulerId", "-"),
        ("provisionerId", "proj-x_1"),
    ],
)
def test_a_value_that_messages_have_is_accepted(name, value):
    """Including the placeholder and the longest and shortest values."""
    (only,) = chosen("task-exception", fields={name: [value]}).bindings

    assert only.pattern.split(".").count(value) == 1


@pytest.mark.parametrize(
    ("events", "flags"),
    [
        (["notification:topic=" + "a" * 248], {}),
        ([], {"routes": ["a" * 250]}),
        ([], {"exchanges": [BUILD], "routing_keys": ["é" * 128]}),
        ([], {"binds": [f"{BUILD}:{'a' * 256}"]}),
    ],
)
def test_a_pattern_that_amqp_cannot_carry_is_refused(events, flags):
    """A routing key has at most 255 bytes, and so has a pattern."""
    assert "more than 255 bytes" in refusal(*events, **flags)


def test_a_pattern_may_be_as_long_as_amqp_allows():
    """255 bytes are accepted."""
    assert chosen(routes=["a" * 249]).bindings
    assert chosen("notification:topic=" + "a" * 247).bindings


# Other exchanges.


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"exchanges": [BUILD]}, [(BUILD, "#")]),
        ({"exchanges": [BUILD], "routing_keys": ["a.#", "*.b"]}, [(BUILD, "a.#"), (BUILD, "*.b")]),
        ({"exchanges": [BUILD, "x"], "routing_keys": ["a"]}, [(BUILD, "a"), ("x", "a")]),
        ({"exchanges": ["task-running"]}, [("task-running", "#")]),
        ({"exchanges": ["taskRunning"], "routing_keys": ["a"]}, [("task-running", "a")]),
        ({"exchanges": [BUILD, BUILD]}, [(BUILD, "#")]),
        ({"binds": [f"{BUILD}:a.#"]}, [(BUILD, "a.#")]),
        ({"binds": ["task-running:primary.#", f"{BUILD}:b"]}, None),
        ({"binds": ["x:a:b"]}, [("x", "a:b")]),
        ({"binds": ["x:"]}, [("x", "")]),
    ],
)
def test_any_exchange_can_be_bound_with_any_pattern(flags, expected):
    """By full name or catalog name; the default pattern is `#`."""
    expected = expected or [("task-running", "primary.#"), (BUILD, "b")]

    found = chosen(**flags)

    assert bound(found) == expected
    assert not found.optional


def test_an_exchange_that_flags_can_narrow_is_an_event():
    """`--exchange task-running --worker-type gaia` is the same as the EVENT with the flag."""
    flags = {"fields": {"workerType": ["gaia"]}}

    assert chosen(exchanges=["task-running"], **flags) == chosen("task-running", **flags)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({}, "nothing is selected; name an EVENT, or select all queue events: --all"),
        ({"routing_keys": ["#"]}, "--routing-key needs an --exchange"),
        ({"events": ["task-running"], "routing_keys": ["#"]}, "--routing-key needs an --exchange"),
        ({"binds": ["task-running"]}, "--bind 'task-running' is not EXCHANGE:PATTERN"),
        ({"binds": [":#"]}, "--bind ':#' is not EXCHANGE:PATTERN"),
        ({"exchanges": [BUILD], "fields": {"workerType": ["gaia"]}}, "--worker-type"),
    ],
)
def test_incomplete_flags_are_refused(flags, words):
    """The error says what is missing."""
    assert words in refusal(*flags.pop("events", ()), **flags)


@pytest.mark.parametrize(
    "flags",
    [
        {"exchanges": ["task-running"], "routing_keys": ["#"]},
        {"binds": ["task-running:#"]},
    ],
    ids=["--routing-key", "--bind"],
)
def test_a_flag_that_a_pattern_makes_useless_is_refused(flags):
    """The error names the pattern's flag, because the exchange has the field."""
    message = refusal(fields={"workerType": ["gaia"]}, **flags)

    assert "--routing-key" in message or "--bind" in message


# Routes.


def test_a_route_alone_is_bound_to_all_exchanges_with_routes():
    """`route.` is prepended; wildcards are the broker's."""
    found = chosen(routes=["index.gecko.*.#"])

    assert bound(found) == [(name, "route.index.gecko.*.#") for name, _ in bound(found)]
    assert sorted(name for name, _ in bound(found)) == sorted(TASK_EVENTS)
    assert found.is_bound


def test_with_broad_flags_the_route_is_bound():
    """The flags are checked on arrival."""
    found = chosen("task-running", routes=["a", "b"], fields={"workerType": ["gaia"]})

    assert bound(found) == [("task-running", "route.a"), ("task-running", "route.b")]
    assert [one.checked for one in found.clauses] == [("primary.*.*.*.*.*.gaia.*.*.#",)]
    assert not found.is_bound


@pytest.mark.parametrize(
    ("fields", "pattern"),
    [
        ({"taskId": [TASK]}, f"primary.{TASK}.*.*.*.*.*.*.*.#"),
        ({"taskGroupId": [GROUP]}, f"primary.*.*.*.*.*.*.*.{GROUP}.#"),
    ],
)
def test_with_narrow_flags_the_flags_are_bound(fields, pattern):
    """A task or group has fewer messages than a route that many tasks share."""
    found = chosen("task-running", routes=["a.#"], fields=fields)

    assert bound(found) == [("task-running", pattern)]
    assert [one.checked for one in found.clauses] == [("route.a.#",)]


@pytest.mark.parametrize(
    ("routes", "worker_type", "accepted"),
    [
        (["index.x"], "gaia", True),
        (["other", "index.x"], "gaia", True),
        (["index.x"], "b2g", False),
        (["other"], "gaia", False),
        ([], "gaia", False),
    ],
)
@pytest.mark.parametrize("narrow", [{}, {"taskId": [TASK]}])
def test_route_and_flags_must_both_match(routes, worker_type, accepted, narrow):
    """Whichever of them is bound."""
    test = chosen(
        "task-running", routes=["index.*"], fields={"workerType": ["gaia"]} | narrow
    ).accepts()

    assert test(delivery(routes=routes, worker_type=worker_type)) is accepted


def test_a_route_narrows_only_exchanges_with_routes():
    """Messages about groups have none; a note says so."""
    found = chosen("task-running", "task-group-resolved", routes=["a"])

    assert bound(found) == [("task-running", "route.a"), ("task-group-resolved", "primary.*.*.#")]
    assert found.notes == ("--route does not narrow task-group-resolved",)


def test_a_route_that_no_event_has_is_refused():
    """As for any flag."""
    message = refusal("task-group-resolved", "hook-created", routes=["a"])

    assert message.startswith("--route cannot be used with task-group-resolved and hook-created;")
    assert "it can be used with task-defined, task-pending" in message


def test_an_empty_route_is_refused():
    """No message has one, so nothing would ever be received."""
    assert "--route" in refusal(routes=[""])


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (
            {"exchanges": [BUILD]},
            Clause(BUILD, ("#",), ("route.a",), by_route=True),
        ),
        (
            {"exchanges": [BUILD], "routing_keys": ["x.#"]},
            Clause(BUILD, ("x.#",), ("route.a",), by_route=False),
        ),
        (
            {"exchanges": ["task-running"], "routing_keys": ["x.#"]},
            Clause(find_exchange("task-running").address, ("x.#",), ("route.a",), by_route=False),
        ),
    ],
)
def test_a_route_narrows_an_exchange_too(flags, expected):
    """If the exchange has a pattern, the pattern is bound and the route checked."""
    assert chosen(routes=["a"], **flags).clauses == (expected,)


# Every primary key starts with a constant.


@pytest.mark.parametrize(
    "entry",
    [entry for _, entry in ENTRIES if entry["routingKey"][0]["constant"] is not None],
    ids=lambda entry: entry["kebab"],
)
def test_no_pattern_can_match_a_route_by_accident(entry):
    """If the reference has the word `primary`, every pattern starts with it."""
    fields = [field["name"] for field in entry["routingKey"] if field["constant"] is None]

    for name in fields:
        found = chosen(entry["kebab"], fields={name: [GOOD.get(name, "a")]})
        assert {one.pattern.partition(".")[0] for one in found.bindings} == {"primary"}


# Accepted messages.


def accepts(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Match words by the definition of AMQP's rule: try every number of words for each ``#``."""
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(accepts(pattern[1:], words[skip:]) for skip in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and accepts(pattern[1:], words[1:])


def one_matches(patterns: Sequence[str], keys: Sequence[str]) -> bool:
    def words(text: str) -> list[str]:
        return text.split(".") if text else []

    return any(accepts(words(pattern), words(key)) for pattern in patterns for key in keys)


PATTERN_WORDS = st.sampled_from(["a", "b", "*", "#", "route", "primary", ""])
PATTERNS = st.lists(PATTERN_WORDS, max_size=4).map(".".join)
ROUTE_PATTERNS = st.lists(st.sampled_from(["a", "b", "*", "#"]), min_size=1, max_size=3)
ROUTES = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join)
EVENTS = ["task-running", "task-exception", "task-group-resolved", BUILD]
CLAUSES = st.builds(
    Clause,
    st.sampled_from(EVENTS),
    st.lists(PATTERNS, min_size=1, max_size=2).map(tuple),
    st.lists(ROUTE_PATTERNS.map(lambda words: ".".join(["route", *words])), max_size=2).map(tuple),
).flatmap(lambda clause: st.builds(clause._replace, by_route=st.just(bool(clause.routes))))
KEYS = st.lists(st.sampled_from(["a", "b", "route", "primary", ""]), max_size=4).map(".".join)
DELIVERIES = st.builds(
    lambda exchange, key, routes, cc: delivery(exchange=exchange, key=key, routes=routes, cc=cc),
    st.sampled_from(EVENTS),
    KEYS,
    st.lists(ROUTES, max_size=2),
    st.lists(KEYS, max_size=1),
)


@given(
    clauses=st.lists(CLAUSES, min_size=1, max_size=3),
    made=st.lists(DELIVERIES, min_size=2, max_size=5),
)
def test_a_message_is_accepted_if_binding_and_check_match(clauses, made):
    """The bindings of some clause match one of the keys, and its check matches one."""
    test = Selection(tuple(clauses)).accepts()

    accepted = [test(one) for one in made]

    assert accepted == [
        any(
            clause.exchange == one.exchange
            and one_matches(
                [binding.pattern for binding in clause.bindings], [one.routing_key, *one.cc]
            )
            and (not clause.checked or one_matches(clause.checked, [one.routing_key, *one.cc]))
            for clause in clauses
        )
        for one in made
    ]


SMALL = {
    "task_id": (TASK, OTHER_TASK),
    "run": (0, 1),
    "provisioner": ("p", "q"),
    "worker_type": ("a", "b"),
    "worker_id": ("w1", "_"),
    "scheduler": ("-", "s"),
}
FIELD_OF = {
    "task_id": "taskId",
    "run": "runId",
    "provisioner": "provisionerId",
    "worker_type": "workerType",
    "worker_id": "workerId",
    "scheduler": "schedulerId",
}


@given(st.data())
def test_flags_accept_the_tasks_they_describe(data):
    """Compared with the task's data, without patterns."""
    asked = data.draw(
        st.dictionaries(
            st.sampled_from(list(SMALL)), st.sets(st.integers(0, 1), min_size=1), max_size=3
        )
    )
    values = {name: [SMALL[name][place] for place in places] for name, places in asked.items()}
    events = data.draw(
        st.sets(st.sampled_from(["task-running", "task-failed", "task-exception"]), min_size=1)
    )
    routes = data.draw(st.lists(ROUTES, max_size=2))
    test = chosen(
        *events,
        fields={FIELD_OF[name]: [str(one) for one in some] for name, some in values.items()},
        routes=routes,
    ).accepts()

    task = {name: data.draw(st.sampled_from(some)) for name, some in SMALL.items()}
    event = data.draw(st.sampled_from(["task-running", "task-failed", "task-completed"]))
    has = data.draw(st.lists(ROUTES, max_size=2))

    assert test(delivery(event, routes=has, **task)) is (
        event in events
        and all(task[name] in some for name, some in values.items())
        and (not routes or not set(routes).isdisjoint(has))
    )


SAMPLES = [json.loads(line) for line in (DATA / "samples.jsonl").read_text("utf-8").splitlines()]


def status(record):
    return record["payload"].get("status", {})


def named(record, *events):
    return record["exchange"].rpartition("/")[2] in events


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (SelectionArgs(all_events=True), lambda _: True),
        (SelectionArgs(["task-running"]), lambda one: named(one, "task-running")),
        (
            SelectionArgs(["task-failed", "task-exception"]),
            lambda one: named(one, "task-failed", "task-exception"),
        ),
        (
            SelectionArgs(fields={"workerType": ["b-linux-docker"]}),
            lambda one: status(one).get("workerType") == "b-linux-docker",
        ),
        (
            SelectionArgs(fields={"task-queue": ["gecko-1/decision", "gecko-t/t-linux-docker"]}),
            lambda one: (
                status(one).get("taskQueueId") in {"gecko-1/decision", "gecko-t/t-linux-docker"}
            ),
        ),
        (
            SelectionArgs(fields={"schedulerId": ["-"]}),
            lambda one: (one["payload"] | status(one)).get("schedulerId") == "-",
        ),
        (
            SelectionArgs(fields={"taskGroupId": [GROUP], "runId": ["1"]}),
            lambda one: (
                status(one).get("taskGroupId") == GROUP and one["payload"].get("runId") == 1
            ),
        ),
        (
            SelectionArgs(["task-exception"], fields={"workerId": ["_"]}),
            lambda one: named(one, "task-exception") and "workerId" not in one["payload"],
        ),
        (
            SelectionArgs(routes=["tc-treeherder.#"]),
            lambda one: any(route.startswith("tc-treeherder.") for route in one["routes"]),
        ),
        (
            SelectionArgs(["task-defined:worker-type=decision", "task-group-sealed"]),
            lambda one: (
                named(one, "task-group-sealed")
                or (named(one, "task-defined") and status(one)["workerType"] == "decision")
            ),
        ),
        (
            SelectionArgs(routes=["index.#"], fields={"provisionerId": ["gecko-1"]}),
            lambda one: (
                status(one).get("provisionerId") == "gecko-1"
                and any(route.startswith("index.") for route in one["routes"])
            ),
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, SelectionArgs) else "expected",
)
def test_the_samples_are_selected_by_their_payload(wanted, holds):
    """The payload shows which messages must be selected; no others are."""
    test = build_selection(wanted).accepts()
    expected = [number for number, record in enumerate(SAMPLES) if holds(record)]

    accepted = [number for number, one in enumerate(samples()) if test(one)]

    assert accepted == expected
    assert expected


def test_nothing_of_another_exchange_is_accepted():
    """The same key on another exchange is another message."""
    test = chosen("task-running").accepts()

    assert test(delivery("task-running"))
    assert not test(delivery("task-running", exchange=find_exchange("task-failed").address))


# Descriptions of a selection.


def test_a_selection_is_explained_in_lines():
    """First the bindings, then the checks on arrival."""
    found = chosen("task-running", "task-failed", routes=["a"], fields={"runId": ["0"]})

    assert list(describe_selection(found, as_json=False)) == [
        "2 bindings",
        "  exchange/taskcluster-queue/v1/task-running  route.a",
        "  exchange/taskcluster-queue/v1/task-failed   route.a",
        "checked on arrival: routing key of exchange/taskcluster-queue/v1/task-running matches",
        "  primary.*.0.*.*.*.*.*.*.#",
        "checked on arrival: routing key of exchange/taskcluster-queue/v1/task-failed matches",
        "  primary.*.0.*.*.*.*.*.*.#",
    ]


def test_a_check_of_routes_is_explained():
    """The line says that routes are checked."""
    by_task = chosen("task-running", routes=["a"], fields={"taskId": [TASK]})

    lines = list(describe_selection(by_task, as_json=False))

    assert lines[0] == "1 binding"
    assert lines[2:] == [
        "checked on arrival: one of the routes of "
        "exchange/taskcluster-queue/v1/task-running matches",
        "  route.a",
    ]


def test_a_selection_is_explained_in_json():
    """With the names of Taskcluster's Python client, and `checked` if there is a check."""
    found = chosen("task-running", "task-defined:run-id=_", routes=["a"])

    rows = [json.loads(line) for line in describe_selection(found, as_json=True)]

    assert rows == [
        {
            "exchange": "exchange/taskcluster-queue/v1/task-running",
            "routingKeyPattern": "route.a",
        },
        {
            "exchange": "exchange/taskcluster-queue/v1/task-defined",
            "routingKeyPattern": "route.a",
            "checked": ["primary.*._.*.*.*.*.*.*.#"],
        },
    ]


def test_a_binding_that_one_clause_needs_unchecked_is_not_checked():
    """Of two clauses that share a binding, the broader one decides."""
    both = chosen("task-running:run-id=0", "task-running", routes=["a"])

    (row,) = [json.loads(line) for line in describe_selection(both, as_json=True)]

    assert "checked" not in row


def test_flags_are_repeated_for_the_status_line():
    """As on the command line."""
    wanted = SelectionArgs(
        ["task-running"],
        fields={"workerType": ["a", "b"], "task-queue": ["p/w"]},
        exchanges=["x"],
        routes=["r"],
        binds=["y:#"],
    )

    assert str(wanted) == "worker-type=a,b task-queue=p/w route=r task-running x y:#"


# What no message can match.


@pytest.mark.parametrize(
    "flags",
    [
        {"binds": ["task-failed:gaia.#"]},
        {"binds": ["failed:primary.a"]},
        {"binds": ["hook-created:a", "task-group-sealed:route.x"]},
        {"exchanges": ["task-failed"], "routing_keys": ["primary.*.*"]},
    ],
    ids=str,
)
def test_a_pattern_that_matches_no_key_of_its_exchange_is_noted(flags):
    """A key of the catalog has a fixed number of words, and fixed first ones."""
    (note,) = chosen(**flags).notes

    assert note.startswith("no message can match the pattern ")
    assert "routing keys of task-" in note


@pytest.mark.parametrize(
    "bind",
    [
        "task-failed:#",
        "task-failed:#.gaia.#",
        "task-failed:route.index.x",
        "task-failed:primary.#.gaia.#",
        "task-failed:*.*.*.*.*.*.*.*.*.*",
        "worker-pool-created:primary.*.#",
        "worker-pool-created:primary._.#",
        "exchange/other/v1:anything",
    ],
)
def test_a_pattern_that_can_match_is_not_noted(bind):
    """Nor one of an exchange that is not known."""
    assert chosen(binds=[bind]).notes == ()


@pytest.mark.parametrize("name", ["worker-pool-created", "worker-pool-updated"])
def test_a_field_that_is_never_published_is_noted(name):
    """The reference has it, but the key has no values; what to do instead is said."""
    notes = chosen(name, "worker-pool-error", fields={"task-queue": ["aws/gaia"]}).notes

    assert notes == (
        f"no message can match the pattern primary.*.aws.gaia.*.*.*.#: routing keys of {name} are "
        "like primary._._._._._._.#; select by content: "
        "--where \"payload.workerPoolId == 'PROVISIONER/TYPE'\"",
    )
    assert chosen(name, fields={"providerId": ["_"]}).notes == ()


@given(st.sampled_from(CATALOG), st.data())
def test_no_flag_gives_an_impossible_pattern(exchange, data):
    """Except for the exchanges that are published without values."""
    names = [field.name for field in exchange.fields if not field.constant]
    name = data.draw(st.sampled_from(names))
    notes = chosen(exchange.name, fields={name: [GOOD.get(name, "a")]}).notes

    assert bool(notes) is (exchange.name in KEYS_WITHOUT_VALUES and name != "reserved")


def test_a_route_starts_without_its_prefix():
    """It is added, so that the pattern would match nothing."""
    assert refusal(routes=["route.index.gecko.#"]) == (
        "--route 'route.index.gecko.#': leave out 'route.', which is added; no task has a route "
        "'route.index.gecko.#'"
    )
    assert bound(chosen("failed", routes=["routes.x"])) == [("task-failed", "route.routes.x")]


@pytest.mark.parametrize("name", ["amq.direct", "amq.fanout", "amq.headers", "amq.match"])
def test_an_exchange_without_topics_is_refused(name):
    """RabbitMQ's own exchanges of other types, also with --bind."""
    assert "only topic exchanges match patterns" in refusal(exchanges=[name])
    assert "only topic exchanges match patterns" in refusal(binds=[f"{name}:#"])
    assert chosen(exchanges=["amq.topic"]).notes == ()


# EVENTs that are selected in addition.


@pytest.mark.parametrize(
    ("fields", "is_added"),
    [
        ({}, True),
        ({"task-queue": ["gecko-t/linux"]}, True),
        ({"workerType": ["linux"], "workerGroup": ["us-east-1"]}, True),
        ({"taskId": [TASK]}, False),
        ({"workerType": ["linux"], "schedulerId": ["gecko-level-1"]}, False),
    ],
)
def test_companions_are_selected_if_all_flags_narrow_them(fields, is_added):
    """Without a note, and a broker may lack them."""
    args = SelectionArgs(events=["task-running"], fields=fields)

    alone = build_selection(args)
    selection = build_selection(args, companions=["worker-running", "worker-stopped"])

    added = selection.clauses[len(alone.clauses) :]
    names = ["worker-running", "worker-stopped"] if is_added else []
    assert [clause.exchange.rpartition("/")[2] for clause in added] == names
    assert (selection.clauses[0], selection.notes) == (alone.clauses[0], alone.notes)
    assert selection.optional == {clause.exchange for clause in added}


def test_companions_do_not_replace_what_a_flag_needs():
    """A flag that narrows only them is still wrong."""
    args = SelectionArgs(events=["task-running"], fields={"providerId": ["aws"]})

    with pytest.raises(UsageError, match="--provider-id cannot be used with task-running"):
        build_selection(args, companions=["worker-running"])
