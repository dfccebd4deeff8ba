from __future__ import annotations

import json

import jmespath
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders import RECEIVED, STARTED, delivery, event, samples
from tcsniff.errors import UsageError
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.records import format_record
from tcsniff.pulse.task_memory import TaskMemory
from tcsniff.selection.evaluation import EXPRESSION_FIELDS, MAX_DEPTH
from tcsniff.selection.expressions import compile_expression

SAMPLES = samples()
FAILURES = (ValueError, TypeError, ArithmeticError)  # that jmespath may raise


def record(one):
    """Build, from the printed line, the fields that an expression sees according to design.md."""
    return json.loads(format_record(one.delivery)) | {
        "routing": one.routing,
        "event": one.name,
        "service": one.service,
        "time": one.time and f"{one.time:%Y-%m-%dT%H:%M:%S}.{one.time.microsecond // 1000:03d}Z",
        "lag": one.lag,
    }


def found(text, one):
    """Evaluate an expression; return the result as JSON, and the number of failures."""
    expression = compile_expression(text, "--where")
    value = expression.search(one)
    return json.dumps(value, sort_keys=True), expression.failures


def found_by_jmespath(text, one):
    try:
        value = jmespath.search(text, record(one))
    except FAILURES:
        return "null", 1
    return json.dumps(value, sort_keys=True), 0


LEAVES = [
    *["payload", "payload.a", "payload.a.b", 'payload."c-d"', "payload.b[0]", "payload.b[-1].a"],
    *["payload.b[9]", "payload[0]", "payload.b[0][1]", "@", "@.payload.a", "@[0]", "a", "b.a"],
    *["event", "routes", "routing.taskId", "nope.a", "payload | a", "payload.a | @", "lag"],
    *["'task-running'", "''", "'a'", "`1`", "`0`", "`1.0`", "`-0.0`", "`true`", "`false`"],
    *["`null`", "`[]`", "`{}`", "`[1]`", "`[true]`", '`{"a": 0}`', "`2`", '`"a"`'],
    *["payload.*", "payload.b[*].a", "payload.b[]", "payload.b[?a == `1`]", "payload.b[:1]"],
    *["[event, payload.a]", "{x: payload.a}", "length(payload.b)", "keys(@)", "type(payload.a)"],
    *["payload.a.type(@)", "payload.a.[b, a]", "sort_by(payload.b, &a)", "payload.b[0].length(@)"],
    *["payload.b[::0]", "`[[1]]`[0][0]", "payload.a.b.[a][0].b", "payload.b[0].*.a"],
]
FORMS = [
    *["({} == {})", "({} != {})", "({} < {})", "({} <= {})", "({} > {})", "({} >= {})"],
    *["({} && {})", "({} || {})", "({} | {})", "contains({}, {})", "starts_with({}, {})"],
    *["ends_with({}, {})", "!({})", "({}).a", "({})[0]", "({})[-1].b", "({}).a.b"],
    *["map(&({}), payload.b)", "payload.b[?{}]", "to_string({})", "[{}]", "max({})"],
]
EXPRESSIONS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.builds(str.format, st.sampled_from(FORMS), inner, inner),
    max_leaves=6,
)
SCALARS = st.sampled_from([None, True, False, 0, 1, -1, 2, 0.0, 1.0, 1.5, "", "a", "b", "ab"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "c-d"]), inner, max_size=3),
    ),
    max_leaves=8,
)
PAYLOADS = st.one_of(st.fixed_dictionaries({"a": VALUES, "b": VALUES}), VALUES)


@given(EXPRESSIONS, PAYLOADS)
@example("payload.a == payload.b", {"a": 1, "b": True})
@example("payload.a != payload.b", {"a": False, "b": 0.0})
@example("payload.a != 'a'", {"a": 0})
@example("payload.a < payload.b", {"a": "a", "b": 1})
@example("payload.a < payload.b", {"a": True, "b": 1})
@example("contains(payload.a, payload.b)", {"a": "1", "b": 1})
@example("!payload.a", {"a": 0})
@example("payload.a || 'x'", {"a": 0})
@example("payload.a && 'x'", {"a": 0})
@example("starts_with(payload.a, 'x') || `true`", {"a": None})
def test_an_expression_gives_what_jmespath_gives(text, payload):
    """For any JSON, also if it fails, although most does not use jmespath's interpreter."""
    one = event(body=json.dumps(payload).encode())

    assert found(text, one) == found_by_jmespath(text, one)


@pytest.mark.parametrize(
    "text",
    [
        "payload.status.state=='failed'",
        "payload.status.runs[-1].reasonResolved=='claim-expired'",
        "payload.status.runs[?state=='exception'].workerId | [0]",
        "event=='task-exception' && contains(['claim-expired'], payload.status.runs[0].state)",
        "starts_with(payload.task.tags.kind || '', 'b')",
        "{task: routing.taskId, group: payload.status.taskGroupId, at: time}",
        "max_by(payload.status.runs, &runId)",
        "payload.status.state != 'failed' && payload.version == `1`",
        "payload.runId >= `1` || payload.status.runs[1] || payload.runId[0] || `[2]`[0]",
        "!(payload.runId < payload.status.priority) && ends_with(event, 'd')",
        "payload.status | runs[0] | [workerId, taskId, state == 'failed']",
        "payload.status.[taskId, state].length(@)",
        "@",
        "*",
    ],
)
def test_the_samples_give_what_jmespath_gives(text):
    """Real messages, and expressions as people write them."""
    for sample in SAMPLES:
        assert found(text, Event(sample)) == found_by_jmespath(text, Event(sample))


def test_an_expression_sees_the_record_and_more():
    """All names, in the order of the printed line; those for errors only if there is one."""
    one = event("task-completed", routes=["index.x"])

    seen = compile_expression("@", "--select").search(one)

    assert seen == record(one)
    assert list(seen) == [
        name for name in EXPRESSION_FIELDS if name not in ("error", "body", "cc")
    ]


def test_a_body_that_is_not_json_is_null_with_the_reason():
    """As in the record."""
    one = event(body=b'{"a"')

    seen = compile_expression("[payload, error, body]", "--select").search(one)

    assert seen == [None, json.loads(format_record(one.delivery))["error"], "eyJhIg=="]
    assert compile_expression("@", "--select").search(one) == record(one)


@pytest.mark.parametrize("body", [b"null", b"{}"])
def test_json_has_no_error_and_no_body(body):
    """Null is also a valid body."""
    assert compile_expression("[error, body]", "--select").search(event(body=body)) == [None, None]


def test_cc_keys_that_are_not_routes_are_visible():
    """As in the record, and only if there are some."""
    one = event(cc=["other.key"], routes=["index.x"])

    assert compile_expression("[cc, routes]", "--select").search(one) == [
        ["other.key"],
        ["index.x"],
    ]
    assert compile_expression("@", "--select").search(one) == record(one)


@pytest.mark.parametrize(
    ("started", "time"),
    [
        (STARTED, STARTED),
        ("2026-11-23T18:00:03.123Z", "2026-11-23T18:00:03.123Z"),
        ("2026-11-23T19:00:03.123999+01:00", "2026-11-23T18:00:03.123Z"),
        ("2026-11-23T18:00:03Z", "2026-11-23T18:00:03.000Z"),
        ("yesterday", None),
    ],
)
def test_time_has_taskclusters_form(started, time):
    """In UTC, with three digits of a second, so that it can be compared as text."""
    one = event(payload={"status": {"runs": [{"started": started}]}})

    assert compile_expression("time", "--select").search(one) == time


def test_lag_is_in_seconds():
    """From the event's time to the time when it was received."""
    one = event("task-completed", received=RECEIVED)

    assert compile_expression("lag", "--select").search(one) == 0.25


class ObservedEvent(Event):
    """An event that knows whether its body was decoded."""

    opened = False

    @property
    def payload(self):
        """Note that the payload was used."""
        self.opened = True
        return super().payload


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("event == 'task-failed'", False),
        ("event == 'task-failed' && payload.status.state == 'failed'", False),
        ("event == 'task-running' && payload.status.state == 'failed'", True),
        ("length(routes) == `0`", False),
        ("length(payload.status.runs) == `1`", True),
        ("routing.taskId == 'x' || nope", False),
        ("lag > `1`", True),
        ("keys(@)", True),
    ],
)
def test_a_body_is_decoded_only_if_it_is_used(text, decoded):
    """The right side of a false && is not evaluated."""
    one = ObservedEvent(delivery())

    compile_expression(text, "--where").search(one)

    assert one.opened is decoded


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        *[(value, False) for value in (False, None, "", [], {})],
        *[(value, True) for value in (True, 0, 0.0, 1, "0", [None], {"a": None})],
    ],
)
def test_an_expression_holds_if_the_result_is_not_false(value, holds):
    """By JMESPath's rule, for which zero is true."""
    one = event(body=json.dumps(value).encode())

    assert compile_expression("payload", "--where").holds(one) is holds
    assert compile_expression("!payload", "--where").holds(one) is not holds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("starts_with(payload.nope, 'a')", "starts_with() takes string, not null"),
        ("contains(lag, 'a')", "contains() takes array or string, not number"),
        ("event < `1`", "a string cannot be compared with another type"),
        ("routes[::0]", "slice step cannot be zero"),
        ("ceil(`Infinity`)", "cannot convert float infinity to integer"),
    ],
)
def test_an_expression_that_fails_does_not_hold_and_is_counted(text, reason):
    """A run never ends because a message lacks a field."""
    expression = compile_expression(text, "--where")

    held = [expression.holds(event()) for _ in range(2)]

    assert (held, expression.failures, expression.reason) == ([False, False], 2, reason)


def test_the_first_reason_is_kept():
    """And success is not counted."""
    expression = compile_expression("starts_with(payload, 'a')", "--where")

    held = [expression.holds(event(body=body)) for body in (b'"ab"', b"1", b"{}", b'"b"')]

    assert held == [True, False, False, False]
    assert expression.failures == 2
    assert expression.reason == "starts_with() takes string, not number"


def test_a_time_before_the_calendar_is_null():
    """In UTC it would be in the year 0."""
    runs = [{"started": "0001-01-01T00:00:00+05:00"}]
    expression = compile_expression("time == `null`", "--where")

    assert expression.holds(event(payload={"runId": 0, "status": {"runs": runs}})) is True


def test_json_too_deep_for_python_is_a_failure():
    """Orjson accepts more levels than Python can compare."""
    body = b"[" * 1000 + b"]" * 1000
    expression = compile_expression("payload == `1` || to_string(payload)", "--where")

    assert expression.holds(event(body=body)) is False
    assert expression.reason == "JSON is nested too deep"


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("", "the expression is empty", 0),
        ("  ", "the expression is empty", 0),
        ("a ==", "expected a value, but the expression ends", 4),
        ("a && ", "expected a value, but the expression ends", 5),
        ("a.", "expected the name of a field, but the expression ends", 2),
        ("a[", "expected a value, but the expression ends", 2),
        ("a[0", "expected ], but the expression ends", 3),
        ("a[?b[0] == 'c'", "expected ], but the expression ends", 14),
        ("contains(a, (b)", "expected ), but the expression ends", 15),
        ("contains(a[0]", "expected ), but the expression ends", 13),
        ("{a: b", "expected }, but the expression ends", 5),
        ("a = 'b'", "'=' is not an operator; write == for equal", 2),
        ("a=", "'=' is not an operator; write == for equal", 1),
        ("a === b", "'=' is not an operator; write == for equal", 4),
        (
            "worker-id",
            "'-' is valid only before a number; write a name that contains it in double quotes",
            6,
        ),
        (
            "a ~ 'b'",
            "'~' is not an operator; use contains(), starts_with(), ends_with() or matches()",
            2,
        ),
        ("a == /b/", "'/' is not an operator; write text in single quotes", 5),
        ("a == €", "unexpected '€'", 5),
        ("a == 'b", "missing closing '", 5),
        ('"a', 'missing closing "', 0),
        ("a == `1", "missing closing `", 5),
        ('a == `"b`', "the text between ` and ` is not JSON", 5),
        (r'"\x"', r"the text in double quotes is not a name: Invalid \escape", 0),
        ("a and b", "'and' is not an operator; write &&", 2),
        ("a == b or c", "'or' is not an operator; write ||", 7),
        ("not a", "'not' is not an operator; write !", 4),
        ("a is b", "'is' is not an operator; write ==", 2),
        ("a & b", "unexpected &; write && for 'and'", 2),
        ("a == 1", "write a number in backticks: `1`", 5),
        ("a == -12 ", "write a number in backticks: `-12`", 5),
        ("a.0", "unexpected 0", 2),
        ("a[b]", "expected a number, * or ? after '[', not b; write a field after a dot", 2),
        ("a b c", "unexpected b", 2),
        ("a == 'b' 'c d'", "unexpected 'c d'", 9),
        ("|a", "unexpected |", 0),
        ("a)", "unexpected )", 1),
        ("b || @(a)", "unexpected @", 5),
        ('b && "a"(b)', "write the name of a function without quotes", 5),
        ("a && lenght(b)", "unknown function lenght(); did you mean 'length'?", 5),
        ("b[?contains(x, y)].zzz(@)", "unknown function zzz(); known functions: ", 19),
        ("zzz(a)[?length()]", "unknown function zzz(); known functions: ", 0),
        ("length(a) == length(b, c)", "length() takes 1 argument, not 2", 13),
        ("starts_with(a)", "starts_with() takes 2 arguments, not 1", 0),
        ("not_null()", "not_null() takes at least 1 argument, not 0", 0),
        ("a[?length()].length(b, c)", "length() takes 1 argument, not 0", 3),
        (
            "map(&a, b) && not_null(b, &a)",
            "'&' is only valid before an argument of a function; write && for 'and'",
            26,
        ),
        ("&a", "'&' is only valid before an argument of a function; write && for 'and'", 0),
        ("a || sort_by(a, b)", "sort_by() needs an expression after '&', like &name", 5),
        ("a[" + "9" * 5000 + "]", "a number has too many digits", 0),
        ("(" * 5000 + "a", "the expression is nested too deep", 0),
        ("!" * MAX_DEPTH + "a", "the expression is nested too deep", 0),
        ("a||" * MAX_DEPTH + "a", "the expression is nested too deep", 0),
        ("`" + "[" * 5000 + "`", "the expression is nested too deep", 0),
    ],
)
def test_an_invalid_expression_is_refused_with_the_place(text, words, place):
    """What is wrong, the expression, and a caret under the place: three lines, exit status 2."""
    with pytest.raises(UsageError) as refused:
        compile_expression(text, "--until")

    first, shown, caret = str(refused.value).split("\n")
    assert first.startswith(f"--until: {words}")
    assert shown.startswith("  " + text[:70])
    assert caret == " " * (place + 2) + "^"


@pytest.mark.parametrize(
    "text", ["!" * (MAX_DEPTH - 1) + "payload", "routes" + "[*]" * (MAX_DEPTH - 1)]
)
def test_the_deepest_valid_expression_can_be_evaluated(text):
    """Even from as deep in Python's stack as a command is."""
    expression = compile_expression(text, "--where")

    expression.holds(event(routes=["x"]))

    assert expression.reason is None


@pytest.mark.parametrize(
    ("text", "shown", "caret"),
    [
        ("a" * 100 + " = 1", "…" + "a" * 68 + " = 1", 70),
        ("a = " + "b" * 100, "a = " + "b" * 68 + "…", 2),
        ("a" * 50 + " = " + "b" * 50, "…" + "a" * 35 + " = " + "b" * 34 + "…", 37),
        ("a\n= b", r"a\x0a= b", 5),
        ("\x1b", r"\x1b", 0),
        ("a \u202e", r"a \u202e", 2),
    ],
)
def test_a_long_expression_is_shown_around_the_place(text, shown, caret):
    """In one line of a terminal, and without characters that a terminal would obey."""
    with pytest.raises(UsageError) as refused:
        compile_expression(text, "--where")

    assert str(refused.value).split("\n")[1:] == [f"  {shown}", "  " + " " * caret + "^"]


SIGNS = [
    *"ab.[]{}()|&!=<>*?@-0,: ~\\\n'\"`€",
    "==",
    "&&",
    "length(",
    "sort_by(",
    "'a'",
    "`1`",
    "[?",
]


@given(st.lists(st.sampled_from(SIGNS), max_size=10).map("".join))
@example("a'\n'")
def test_any_text_is_an_expression_or_refused(text):
    """With our own error, and the caret under the text or just after it."""
    try:
        compile_expression(text, "--where").search(event())
    except UsageError as refused:
        first, shown, caret = str(refused).split("\n")
        assert first.startswith("--where: ")
        assert len(caret) <= len(shown) + 1


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            'payload.r[?scheduled == "started"]',
            "\"started\" is the name of a field; write text like 'started'",
        ),
        (
            "payload.status.state == failed",
            "failed is the name of a field; write text like 'failed'",
        ),
        ("event == other", "other is the name of a field; write text like 'other'"),
        ("payload.r[?state == failed]", "failed is the name of a field; write text like 'failed'"),
        ("payload.a == true", "true is the name of a field; write the value like `true`"),
        ("routingkey", "events have no field 'routingkey'; did you mean 'routingKey'?"),
        (
            "map(&a, status.runs)",
            "events have no field 'status'; the status of a task is payload.status",
        ),
        ("x.y == 'a'", "events have no field 'x'; fields of the message are under payload"),
        ("event == x.y", "events have no field 'x'; fields of the message are under payload"),
        (
            "state == 'failed'",
            "events have no field 'state'; the state of a task is payload.status.state",
        ),
        ("taskId == 'a'", "events have no field 'taskId'; the ID of a task is routing.taskId"),
        ("payload.status.state == 'failed'", None),
        ("payload.status.runs[-1].reasonResolved != 'canceled'", None),
        ("event == 'task-failed' || service == 'auth'", None),
        ("payload.event == 'other'", None),
        ("payload.state == 'other'", None),
        ('payload."worker-id" == routing.workerId', None),
        ('payload.a == "payload".b', None),
        ('payload.a == "payload"[0]', None),
        ("payload.r[?a == b].c", None),
        ("payload.a[0].b || @.c | d", None),
        ("event == length(routes)", None),
        ("{a: event, b: lag} | a", None),
        ("sort_by(routes, &a)[*].b", None),
        ("*.a", None),
    ],
)
def test_a_frequent_mistake_that_is_valid_gets_a_hint(text, hint):
    """A name where text was meant, or a name that events do not have."""
    assert compile_expression(text, "--where").hint == hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("payload.status.state == 'failled'", "no state of a task is 'failled'; did you mean 'fa"),
        ("'failled' != payload.status.state", "no state of a task is 'failled'; did you mean 'fa"),
        ("payload.status.state == 'canceled'", "no state of a task is 'canceled'; it is a reason"),
        ("payload.status.state == 'x'", "no state of a task is 'x'; there are unscheduled, pend"),
        ("payload.status.runs[0].state == 'runing'", "no state of a task is 'runing'; did you"),
        ("payload.status.runs[?state=='runing']", "no state of a task is 'runing'; did you mean"),
        ("payload.status.runs[-1].reasonResolved == 'cancelled'", "no reason resolved is 'cance"),
        ("payload.status.runs[0].reasonCreated == 'retri'", "no reason created is 'retri'; did"),
        ("event == 'failed'", "no event is 'failed'; did you mean 'task-failed'?"),
        ("!(event == 'xyz') || `true`", "no event is 'xyz'; `tcsniff exchanges` lists all eve"),
        ("service == 'queu'", "no service is 'queu'; did you mean 'queue'?"),
    ],
)
def test_a_value_that_never_comes_gets_a_hint(text, hint):
    """States, reasons, events and services are known, wherever they are compared."""
    assert compile_expression(text, "--where").hint.startswith(hint)


@pytest.mark.parametrize(
    ("text", "name", "place"),
    [
        ('payload.status.state == "failed"', "failed", 24),
        ('"failed" == payload.status.state', "failed", 0),
        ('payload.a != "b" && event', "b", 13),
        ('contains(routes, "index.x")', "index.x", 17),
        ('payload.r[?state == "failed"]', "failed", 20),
        ('payload.r[?a == "claim-expired"]', "claim-expired", 16),
    ],
)
def test_text_in_double_quotes_is_an_error(text, name, place):
    """A field of that name is null, and null equals any other missing field."""
    with pytest.raises(UsageError) as refused:
        compile_expression(text, "--where")

    first, _, caret = str(refused.value).split("\n")
    assert first == (
        f"--where: \"{name}\" is the name of a field; write text in single quotes, '{name}', and "
        "other values in backticks"
    )
    assert caret == f"  {' ' * place}^"


def test_a_field_may_be_written_in_double_quotes():
    """Where events have it, below another field, and as an element's."""
    for text in (
        "\"event\" == 'task-failed'",
        "payload.\"state\" == 'x'",
        'length("routes") > `0`',
        'sort_by(payload.r, &"runId")',
        '{"a": event}',
    ):
        compile_expression(text, "--where")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("matches(event, '^task-(failed|exception)$')", True),
        ("matches(event, 'FAILED')", False),
        ("matches(event, '(?i)FAILED')", True),
        ("matches(payload.missing, 'a')", False),
        ("payload.status.runs[?matches(workerGroup, 'east')] | length(@)", 1),
        ("age(payload.status.runs[-1].resolved)", 0.123),
        ("age(payload.missing)", None),
        ("age(event)", None),
        ("age('2026-11-23T17:00:00Z') > `3600`", True),
    ],
)
def test_functions_of_our_own(text, result):
    """A regular expression found in a text; seconds from a time to the event's receipt."""
    failed = event("task-failed", received="2026-11-23T18:01:05.123Z")

    expression = compile_expression(text, "--where")
    found = expression.search(failed)

    assert found == (pytest.approx(result) if isinstance(result, float) else result)
    assert expression.failures == 0


def test_the_age_of_a_time_is_counted_to_now_if_the_receipt_is_unknown():
    """As in recordings of other programs."""
    found = compile_expression("age('2020-01-01T00:00:00Z')", "--where").search(
        event("task-failed", received=None)
    )

    assert found > 5 * 365 * 86400


@pytest.mark.parametrize(
    ("text", "reason", "place"),
    [
        ("matches(event, '(')", "'(' is not a regular expression: missing )", 0),
        ("event && matches(event, '*')", "'*' is not a regular expression: nothing to repeat", 9),
        ("matches(event)", "matches() takes 2 arguments, not 1", 0),
        ("age()", "age() takes 1 argument, not 0", 0),
    ],
)
def test_a_wrong_regular_expression_is_refused(text, reason, place):
    """Before anything connects, with its place."""
    with pytest.raises(UsageError) as refused:
        compile_expression(text, "--where")

    first, _, caret = str(refused.value).split("\n")
    assert first.startswith(f"--where: {reason}")
    assert caret == f"  {' ' * place}^"


def test_a_regular_expression_that_takes_forever_is_ended():
    """It fails for this text, and goes on with the next."""
    expression = compile_expression("matches(payload.x, '^(a+)+$')", "--where")

    results = [
        expression.search(Event(Delivery("x", "", b'{"x":"%s"}' % text)))
        for text in (b"a" * 60 + b"b", b"aaa")
    ]

    assert results == [None, True]
    assert expression.failures == 1
    assert expression.reason == "the regular expression takes too long for some texts"


def test_text_in_backticks_needs_no_quotes():
    """The old form, which people know from other tools, works without a warning."""
    assert compile_expression("event == `task-running`", "--where").holds(event())


def test_an_expression_knows_its_text():
    """Callers use it in messages."""
    assert compile_expression("event", "--where").text == "event"


def test_the_record_of_a_delivery_without_time_has_nulls():
    """As in a recording that does not have the time of receipt."""
    one = Event(delivery("task-defined", received=None))

    assert compile_expression("[received, time, lag]", "--select").search(one) == [
        None,
        None,
        None,
    ]


def test_conditions_see_the_tags_of_earlier_messages():
    """Where a message has none; also where its own bytes rule the text out."""
    memory = TaskMemory()
    memory.make_event(delivery("task-defined", label="a"))
    bare = memory.make_event(delivery("task-exception", payload={"task": {"tags": {}}}))
    artifact = memory.make_event(delivery("artifact-created"))
    expression = compile_expression("payload.task.tags.label == 'a'", "--where")

    assert [expression.holds(one) for one in (bare, artifact)] == [True, True]
    assert bare.payload["task"] == {"tags": {}}
    assert compile_expression("payload.task.tags", "--select").search(bare) == {}


@pytest.mark.parametrize("depth", [249, 250, 251, 900])
def test_a_value_that_is_nested_too_deep_to_be_written_is_null_and_counted(depth):
    """Above 250 levels, for output only."""
    compiled = compile_expression("payload", "--select")
    nested = event(body=b"[" * depth + b"]" * depth)

    value = compiled.select(nested)

    assert (value is None) == (depth > 250)
    assert compiled.failures == (depth > 250)
    assert compiled.search(nested) is not None
