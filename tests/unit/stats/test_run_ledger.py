from __future__ import annotations

import itertools
import tracemalloc

import pytest

from builders import RESOLVED, SCHEDULED, STARTED, TASK, delivery
from tcsniff.stats.run_ledger import RunLedger


def make_rows(*messages, **options):
    ledger = RunLedger(**options)
    return [row for message in messages for row in ledger.add(message)] + ledger.finish()


def test_a_row_has_what_the_messages_say():
    """Times as they are, durations in seconds."""
    tags = {"label": "build-linux/opt", "kind": "build", "project": "try"}
    failed = delivery("task-failed", payload={"task": {"tags": tags}})

    (row,) = make_rows(failed)

    assert row._asdict() == {
        "taskId": TASK,
        "runId": 0,
        "taskGroupId": "JFjlQCTkRuWyz2yqxLnGNw",
        "label": "build-linux/opt",
        "kind": "build",
        "project": "try",
        "taskQueueId": "gecko-t/t-linux-large",
        "workerGroup": "us-east-1",
        "workerId": "i-0a1b2c3d",
        "schedulerId": "gecko-level-1",
        "state": "failed",
        "reasonCreated": "scheduled",
        "reasonResolved": "failed",
        "scheduled": SCHEDULED,
        "started": STARTED,
        "resolved": RESOLVED,
        "waited": 3.0,
        "ran": 62.0,
        "retried": False,
    }


def test_open_runs_have_no_row():
    """Nor have tasks without runs."""
    opens = ("task-defined", "task-pending", "task-running", "artifact-created")

    assert make_rows(*map(delivery, opens), delivery("task-group-resolved")) == []


def test_a_retried_run_is_marked_in_any_order():
    """The message about its end has the new run; every later one has both."""
    messages = [
        delivery("task-running"),
        delivery("task-exception", retried=True),
        delivery("task-pending", run=1),
        delivery("task-completed", run=1),
    ]
    for order in itertools.permutations(messages):
        rows = make_rows(*order, *order[:2])

        assert sorted((row.runId, row.state, row.retried) for row in rows) == [
            (0, "exception", True),
            (1, "completed", False),
        ]


def test_a_rerun_does_not_change_the_row_before_it():
    """It comes later, so whether it is known must not decide."""
    rerun = delivery("task-pending", run=1)
    rerun = rerun._replace(body=rerun.body.replace(b'"retry"', b'"rerun"'))

    for order in ([delivery("task-exception"), rerun], [rerun, delivery("task-exception")]):
        assert [(row.runId, row.retried) for row in make_rows(*order)] == [(0, False)]


def test_a_task_that_ended_without_a_run_has_a_row():
    """Once, and another one for a run that a user asks for later."""
    ended = delivery("task-exception")
    status = {"taskId": TASK, "taskGroupId": "g", "state": "exception", "runs": []}
    ended = delivery("task-exception", payload={"status": status})

    rows = make_rows(ended, ended, delivery("task-failed"), ended)

    assert [(row.runId, row.state, row.resolved) for row in rows] == [
        (None, "exception", None),
        (0, "failed", RESOLVED),
    ]


def test_names_come_from_any_message_of_the_task():
    """Those of a canceled group have no tags."""
    named = delivery("task-defined", payload={"task": {"tags": {"kind": "build"}}})
    canceled = delivery("task-exception", payload={"task": {"tags": {}}})

    assert [row.kind for row in make_rows(named, canceled)] == ["build"]
    assert [row.kind for row in make_rows(canceled, named)] == [None]
    assert [row.kind for row in make_rows(canceled, named, waits_for_names=True)] == ["build"]
    assert [row.kind for row in make_rows(canceled, waits_for_names=True)] == [None]


def test_rows_are_not_held_back_without_bound():
    """The oldest are given without names."""
    ledger = RunLedger(waits_for_names=True, max_held=2)
    nameless = [delivery("task-failed", task_id=f"{number:022}", label="") for number in range(5)]

    given = [row for message in nameless for row in ledger.add(message)]

    assert [int(row.taskId) for row in given] == [0, 1, 2]
    assert [int(row.taskId) for row in ledger.finish()] == [3, 4]


def test_a_task_of_long_ago_gets_no_second_row():
    """Only its number of rows is kept."""
    ledger = RunLedger(max_named=3)
    messages = [delivery("task-failed", task_id=f"{number:022}") for number in range(10)]

    rows = [len(ledger.add(message)) for message in [*messages, *messages]]

    assert rows == [1] * 10 + [0] * 10


def test_memory_does_not_grow():
    """However many tasks there are."""
    ledger = RunLedger(max_named=10)
    ledger.add(delivery("task-failed"))
    for number in range(10):
        ledger.add(delivery("task-failed", task_id=f"first {number}"))
    tracemalloc.start()

    for number in range(2000):
        ledger.add(delivery("task-failed", task_id=f"task {number}"))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert grown < 100_000


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"status":5}'])
def test_messages_that_cannot_be_decoded_are_counted(body):
    """They have no row."""
    ledger = RunLedger()

    assert (ledger.add(delivery("task-failed", body=body)), ledger.unread) == ([], 1)
