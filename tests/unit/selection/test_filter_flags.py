"""Selection by content, stop conditions and output, end to end, with a recording."""

from __future__ import annotations

import json
import re

import orjson
import pytest

from builders import OTHER_TASK, TASK, delivery
from shared_fixtures import SENT, Done
from tcsniff.cli import main
from tcsniff.pulse import records
from tcsniff.pulse.events import Event
from tcsniff.renderers import columns


def expected(test) -> list[str]:
    """Return the routing keys of the samples that a test accepts."""
    return [one.routing_key for one in SENT if test(Event(one))]


def keys(done: Done) -> list[str]:
    return [orjson.loads(line)["routingKey"] for line in done.lines]


# Selection by content


def runs(event: Event) -> list[dict]:
    return (event.payload.get("status") or {}).get("runs") or []


def tags(event: Event) -> dict[str, str]:
    """Return the tags of the event's task from all samples: its messages have all or none."""
    payloads = [orjson.loads(one.body) for one in SENT if Event(one).task_id == event.task_id]
    return next(filter(None, [(one.get("task") or {}).get("tags") for one in payloads]), {})


@pytest.mark.parametrize(
    ("words", "test"),
    [
        (["--where", "event=='task-failed'"], lambda e: e.name == "task-failed"),
        (
            ["--where", "event=='task-failed'", "--where", "routing.runId=='0'"],
            lambda e: e.name == "task-failed" and e.routing["runId"] == "0",
        ),
        (
            ["--where", "payload.status.runs[-1].reasonResolved=='claim-expired'"],
            lambda e: bool(runs(e)) and runs(e)[-1].get("reasonResolved") == "claim-expired",
        ),
        (["--where", "service!='queue'"], lambda _: False),
        (["--where", "lag > `1000`"], lambda e: e.lag is not None and e.lag > 1000),
        (["--where", "time < '2026-08-20T09:10:00.000Z'"],
         lambda e: e.time is not None and f"{e.time:%H:%M}" < "09:10"),
        (["--where", "received"], lambda _: True),
        (["--where", "routes[?starts_with(@, 'index.')]"],
         lambda e: any(route.startswith("index.") for route in e.routes)),
        (["--state", "failed,exception"],
         lambda e: (e.payload.get("status") or {}).get("state") in ("failed", "exception")),
        (["--state", "failed", "--state", "exception"],
         lambda e: (e.payload.get("status") or {}).get("state") in ("failed", "exception")),
        (["--reason", "claim-expired"],
         lambda e: e.run is not None and e.run.reason_resolved == "claim-expired"),
        (["--since", "2026-08-20T09:10:00Z"],
         lambda e: f"{e.time or e.received:%H:%M}" >= "09:10"),
        (["--since", "2026-08-20T09:05:00Z", "--before", "2026-08-20T09:10:00Z"],
         lambda e: "09:05" <= f"{e.time or e.received:%H:%M}" < "09:10"),
        (["--where", "matches(event, '-(failed|exception)$')"],
         lambda e: e.name in ("task-failed", "task-exception")),
        (["--grep", "(?i)FAILED +failed"], lambda e: e.name == "task-failed"),
        (["--grep", TASK], lambda e: e.task_id == TASK),
        (["--tag", "kind=build"],
         lambda e: tags(e).get("kind") == "build"),
        (["--tag", "kind"], lambda e: "kind" in tags(e)),
        (
            ["task-completed", "--tag", "kind=build", "--state", "completed"],
            lambda e: e.name == "task-completed"
            and tags(e).get("kind") == "build",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_content_flags_select_events(words, test, tcsniff):
    """Each flag alone, and all of them together."""
    done = tcsniff(*words)

    assert (done.status, keys(done)) == (0, expected(test))
    assert f"{len(SENT)} received, {len(done.lines)} matched" in done.err


def test_the_selections_of_the_table_find_something(tcsniff):
    """Otherwise the samples would be useless for these tests; some are repeats."""
    for words in ("--state failed,exception", "--reason claim-expired", "--tag kind=build"):
        assert 0 < len(tcsniff(*words.split()).lines) < len(SENT)


def test_repeats_can_be_dropped(tcsniff):
    """Repeats are counted, not printed; without the flag they are printed."""
    twice = [*SENT, *SENT]

    once = tcsniff("--dedupe", over=twice)
    again = tcsniff("--dedupe", over=SENT)

    assert once.lines == again.lines
    assert len(again.lines) < len(SENT)  # the samples repeat themselves
    assert f"{len(twice) - len(once.lines)} repeated" in once.err
    assert len(tcsniff(over=twice).lines) == len(twice)


def test_only_selected_events_are_remembered(tcsniff):
    """The first selected event is printed, even if an equal one was skipped before."""
    pending = delivery("task-exception", retried=True)
    resolved = delivery("task-exception")

    done = tcsniff("--dedupe", "--state", "exception", over=[pending, resolved, resolved])

    assert len(done.lines) == 1
    assert "3 received, 1 matched, 1 printed, 1 repeated" in done.err


@pytest.mark.parametrize("flag", ["--where", "--until", "--fail-on", "--select"])
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("event=='task-failed", 7),
        ("payload.", 8),
        ("", 0),
        ("a b", 2),
        ("nope(@)", 0),
        ("foo[", 4),
    ],
)
def test_a_wrong_expression_is_an_error_before_anything_connects(flag, text, place, tcsniff):
    """Status 2, three lines, a caret under the place; nothing is opened or connected."""
    for live in (True, False):
        done = tcsniff("--all", flag, text, live=live)

        assert (done.status, done.out) == (2, "")
        first, shown, caret = done.err.splitlines()
        assert first.startswith(f"tcsniff: {flag}: ")
        assert shown.strip() == text
        assert caret.index("^") == 2 + place


def test_a_field_that_is_probably_misspelt_is_reported(tcsniff):
    """The expression is valid, but would never hold."""
    done = tcsniff("--where", "paylod.status.state=='failed'")

    assert (done.status, done.out) == (0, "")
    assert "payload" in done.err.splitlines()[0]


def test_a_line_that_takes_forever_to_search_is_given_up(tcsniff):
    """It does not match, which is reported; the run continues."""
    slow = delivery("task-failed")._replace(routing_key="a" * 60 + "!")

    done = tcsniff("--columns", "key", "-o", "lines", "--grep", "^(a+)+$", over=[slow])

    assert (done.status, done.out) == (0, "")
    assert "--grep could not be evaluated for 1 events: the regular expression takes too l" in (
        done.err
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--grep", "("], "--grep: '(' is not a regular expression: missing ), unterminated"),
        (["--since", "x"], "invalid value for '--since': 'x' is neither a time nor a duration"),
        (["--since", "1m", "--before", "2m"], "no time is both after --since and before"),
        (["--state", "canceled"], "--state: 'canceled' is a reason, not a state; --reason"),
        (["--where", 'payload.status.state == "failed"'], '--where: "failed" is the name of a'),
    ],
)
def test_a_filter_that_can_never_match_is_refused(words, reason, tcsniff):
    """Before anything connects, and with what to write instead."""
    done = tcsniff("failed", *words, live=True)

    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"tcsniff: {reason}")


def test_failed_evaluations_are_counted_and_reported(tcsniff):
    """The expression does not hold then, and the run continues."""
    done = tcsniff("--where", "starts_with(payload.status.schedulerId, 'gecko')")

    lacking = sum("status" not in orjson.loads(one.body) for one in SENT)
    assert done.status == 0
    assert (
        f"--where could not be evaluated for {lacking} events: starts_with() takes string"
        in done.err
    )
    assert 0 < len(done.lines) < len(SENT)


# When to stop


TASKS = [
    delivery("task-pending"),
    delivery("task-running"),
    delivery("task-running", task_id=OTHER_TASK),
    delivery("task-failed", task_id=OTHER_TASK),
    delivery("task-completed"),
    delivery("task-group-resolved"),
]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    "view",
    [
        ["-o", "json"],
        ["-o", "lines"],
        ["-o", "raw"],
        ["--select", "routingKey"],
        ["--select", "routingKey", "-r"],
        ["--columns", "event,task-id"],
    ],
    ids=" ".join,
)
def test_a_count_counts_printed_events(view, count, tcsniff):
    """After every selection, in every format: the first N, and not a line more."""
    words = ["task-running", "task-completed", "--where", "routing.taskId", "--dedupe", *view]
    all_of_them = tcsniff(*words, over=[*TASKS, *TASKS])

    done = tcsniff(*words, "-n", str(count), over=[*TASKS, *TASKS])

    assert done.status == 0
    assert done.lines == all_of_them.lines[:count]
    assert len(all_of_them.lines) == 3
    assert f"{count} matched, {count} printed" in done.err


def test_a_count_counts_rows_of_the_table(tcsniff):
    """Also on a terminal: N rows, and the picture stays."""
    done = tcsniff("-n", "1000", over=TASKS)

    assert (done.status, len(done.lines)) == (0, len(TASKS))


def test_received_events_are_counted_up_to_the_end(tcsniff):
    """Whether a flag or an expression skipped them."""
    over = [delivery("task-running"), *[delivery("task-pending")] * 10]

    by_flag = tcsniff("task-running", "-n", "1", over=over)
    by_expression = tcsniff("--where", "event=='task-running'", "-n", "1", over=over)

    assert by_expression.err == "tcsniff: 1 received, 1 matched, 1 printed\n"
    assert by_flag.err == by_expression.err


FAILED, COMPLETED = "event=='task-failed'", "event=='task-completed'"
FOR_ME = f"routing.taskId=='{TASK}'"


@pytest.mark.parametrize(
    ("words", "status", "shown"),
    [
        (["--until", COMPLETED], 0, 5),
        (["--fail-on", FAILED], 10, 4),
        (["--until", COMPLETED, "--fail-on", FAILED], 10, 4),
        (["--fail-on", COMPLETED, "--until", FAILED], 0, 4),
        (["--until", FAILED, "--fail-on", FAILED], 10, 4),
        (["--until", "event=='nope'", "--until", "event=='task-running'"], 0, 2),
        (["--fail-on", "event=='nope'", "--fail-on", "event=='task-running'"], 10, 2),
        (["--until", "event=='nope'", "--fail-on", "event=='nope'"], 0, 6),
        (["--until", COMPLETED, "-n", "2"], 0, 2),
        (["--fail-on", FAILED, "-n", "4"], 10, 4),
        (["--fail-on", FAILED, "-n", "3"], 0, 3),
        (["--until", COMPLETED, "--fail-on", FAILED, "--where", FOR_ME], 0, 3),
        (["task-completed", "task-running", "--fail-on", FAILED, "--until", COMPLETED], 0, 3),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_first_to_match_decides(words, status, shown, tcsniff):
    """The event that matched is the last one printed; only selected events can match."""
    done = tcsniff(*words, over=TASKS)

    assert (done.status, len(done.lines)) == (status, shown)
    assert f"{shown} printed" in done.err
    assert ("--fail-on matched" in done.err) == (status == 10)


@pytest.mark.parametrize("view", [["-o", "raw"], ["-o", "lines"], ["--select", "event"]])
def test_the_event_that_ends_the_run_is_printed_in_every_format(view, tcsniff):
    """It is the last one, and the status is 10."""
    done = tcsniff(*view, "--fail-on", FAILED, over=TASKS)

    assert done.status == 10
    assert len(done.lines) == 4
    assert "failed" in done.lines[-1]


@pytest.mark.parametrize("flag", ["--timeout", "--idle-timeout"])
def test_a_timeout_ends_a_file_that_grows(flag, tcsniff):
    """With 124, after its content was printed."""
    done = tcsniff("--follow", flag, "1s", over=TASKS)

    assert (done.status, len(done.lines)) == (124, len(TASKS))
    assert f"tcsniff: stopped by {flag}" in done.err


@pytest.mark.parametrize("flag", ["--timeout", "--idle-timeout"])
def test_a_timeout_ends_a_paced_replay(flag, tcsniff):
    """A recorded hour does not take an hour."""
    later = TASKS[0]._replace(received="2026-11-23T19:01:05.250Z")

    done = tcsniff("--speed", "1", flag, "1s", over=[TASKS[0], later])

    assert (done.status, len(done.lines)) == (124, 1)


def test_a_timeout_ends_a_silent_pipe(tcsniff):
    """As in ``command | tcsniff --from -``, if the command prints nothing."""
    done = tcsniff("--follow", "--idle-timeout", "50ms", "--where", "`false`", over=TASKS)

    assert (done.status, done.out) == (124, "")


def test_a_projection_is_written_as_jq_writes_it(tcsniff):
    """One line each, compact, text unescaped; with ``-r``, strings without quotes."""
    done = tcsniff("--select", "[payload, error, body]", over=[delivery(body=b"\xff")])

    assert done.lines == [
        '[null,"not JSON: str is not valid UTF-8: surrogates not allowed: '
        'line 1 column 1 (char 0)","/w=="]'
    ]


def test_a_projection_sees_more_than_the_record(tcsniff):
    """The event's time, lag, name and service."""
    words = ("--select", "[event, service, time, lag, routing.workerType, received]")
    done = tcsniff(*words, over=[delivery("task-completed")])

    assert orjson.loads(done.out) == [
        "task-completed", "queue", "2026-11-23T18:01:05.000Z", 0.25, "t-linux-large",
        "2026-11-23T18:01:05.250Z",
    ]  # fmt: skip


def test_columns_can_be_chosen(tcsniff):
    """For lines, and without ``-o`` if there is no terminal."""
    words = ("--columns", "lag,event,task-id", "--columns", "reason", "--utc")
    over = [delivery("task-exception")]
    for view in ([], ["-o", "lines"]):
        done = tcsniff(*words, *view, over=over)

        assert done.status == 0
        assert done.out.split() == ["0.2", "s", "!", "exception", TASK, "claim-expired"]


def test_columns_are_listed(tcsniff):
    """All of them, with their meaning; no source is read."""
    done = tcsniff("--columns", "help", live=True)

    assert done.status == 0
    assert [line.split()[0] for line in done.lines] == list(columns.COLUMN_MEANINGS)
    assert {"time", "lag"} <= set(columns.COLUMN_MEANINGS)


@pytest.mark.parametrize("live", [False, True], ids=["recorded", "live"])
@pytest.mark.parametrize("view", [[], ["-o", "lines"], ["-o", "table"]], ids=str)
def test_a_wrong_column_is_refused(view, live, tcsniff):
    """Before anything connects, with a hint."""
    done = tcsniff("--all", "--columns", "event,reson", *view, live=live)

    assert (done.status, done.out) == (2, "")
    assert done.err == "tcsniff: unknown column 'reson'; did you mean 'reason'?\n"


# At the end


def counts(done: Done) -> dict[str, int]:
    found = json.loads(done.err.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def test_the_summary_can_be_json(tcsniff):
    """One object on the last line: received, matched, printed, repeated, undecodable."""
    over = [*TASKS, TASKS[1], delivery(body=b"{"), delivery("task-running", body=b"\xff")]
    words = ("task-running", "--dedupe", "--summary", "json")

    done = tcsniff(*words, over=over)

    assert done.err.count("\n") == 1
    found = counts(done)
    assert found["received"] == len(over)
    assert found["matched"] == found["printed"] == len(done.lines) == 2
    assert found["repeated"] == 3
    assert found["undecodable"] == 0
    assert counts(tcsniff("--summary", "json", over=over))["undecodable"] == 2


def test_the_summary_is_printed_unless_quiet(tcsniff):
    """If it is requested, it is printed even with --quiet."""
    over = [*TASKS, delivery(body=b"{")]

    assert "7 received, 7 matched, 7 printed, 1 undecodable" in tcsniff(over=over).err
    assert tcsniff("--quiet", over=over).err == ""
    assert "7 received" in tcsniff("--quiet", "--summary", "text", over=over).err
    assert counts(tcsniff("-q", "--summary", "json", over=over))["received"] == 7


def test_lines_that_are_not_records_are_in_the_summary(tmp_path, capfdbinary):
    """In text and in JSON."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"x\n" + records.format_record(TASKS[0]) + b"y\n")

    assert main(["--from", str(path), "--summary", "json"]) == 0

    assert json.loads(capfdbinary.readouterr().err.splitlines()[-1])["skipped"] == 2


@pytest.mark.parametrize(
    "words",
    [
        "--demo --from r",
        "--from r --broker amqp://localhost",
        "--from r --profile community",
        "--demo --broker amqp://localhost",
        "--follow --demo",
        "--speed 2 --demo",
        "--seed 1 --from r",
        "--json -o raw --demo",
        "--select a -o raw --demo",
        "--select a -o lines --demo",
        "--select a --columns event --demo",
        "-r --demo",
        "--columns event -o json --demo",
        "--columns event --json --demo",
        "--columns event -o raw --demo",
        "--speed 0 --from r",
        "--speed -1 --from r",
        "--count 0 --demo",
        "--timeout soon --demo",
        "--state frozen --demo",
        "--reason cancelled --demo",
        "--tag =x --demo",
        "--summary yaml --demo",
    ],
)
def test_flags_that_contradict_each_other_are_refused(words, capfdbinary):
    """Status 2, one line that names a flag; no source is opened."""
    status = main(words.split())
    done = capfdbinary.readouterr()

    assert (status, done.out) == (2, b"")
    assert re.fullmatch(r"tcsniff: [^\n]*-[^\n]*\n", done.err.decode())


def test_all_flags_work_together(tcsniff):
    """A realistic question: the label and reason of lost runs of a worker type, once each."""
    done = tcsniff(
        "task-exception", "--reason", "claim-expired", "--dedupe", "--where", "routing.runId",
        "--select", "payload.task.tags.label", "-r",
    )  # fmt: skip

    lost = dict.fromkeys(
        (event.task_id, event.routing["runId"], event.label)
        for event in map(Event, SENT)
        if event.run is not None and event.run.reason_resolved == "claim-expired"
    )
    assert done.lines == [label or "null" for _, _, label in lost]
    assert done.lines
