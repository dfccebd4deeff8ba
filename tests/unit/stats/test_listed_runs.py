"""What the queue's API lists as pending or running, counted together with messages."""

from __future__ import annotations

import functools
import itertools

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracle
from builders import GROUP, OTHER_TASK, TASK, delivery
from queue_server import Member, list_runs
from tcsniff.pulse.payloads import decode_status
from tcsniff.simulator.simulation import simulate
from tcsniff.stats.groupings import GROUPINGS, TAGS
from tcsniff.stats.memory import StatisticsBounds, hash_task
from tcsniff.stats.run_statistics import RunStatistics
from tcsniff.stats.snapshots import format_row
from tcsniff.taskgraph.listed_runs import parse_listed_runs

NOW = 1_795_456_800.0  # 2026-11-23T18:00:00Z
SLO = 10.0
POOL = "gecko-t/t-linux-large"


def list_tasks(statuses, pool=POOL):
    """Return the runs that the API lists, from statuses of tasks with their tags."""
    members = []
    for status in statuses:
        definition = {
            name: status[name] for name in ("schedulerId", "taskGroupId", "deadline")
        } | {"tags": status.get("tags", {}), "routes": []}
        members.append(Member(status, definition))
    return [
        run
        for state in ("pending", "claimed")
        for run in parse_listed_runs(
            pool, orjson.dumps({"tasks": list_runs(members, pool, state)})
        ).runs
    ]


def list_messages(*messages):
    """Return the runs that the API lists after these messages were published."""
    statuses = oracle.read_tasks(messages).values()
    return list_tasks(statuses)


def read_totals(statistics):
    return statistics.total.build_reading(NOW, NOW)[1:8]


def count(*messages, listed=(), by="pool"):
    statistics = RunStatistics(by)
    for message in messages:
        statistics.add(message, NOW)
    for run in listed:
        assert statistics.add_listed(run.task, NOW)
    return statistics


def test_what_waited_before_counts_as_pending():
    """With the time since when it has been waiting; in the row of its pool."""
    statistics = count(listed=list_messages(delivery("task-pending")))

    (row,) = statistics.list_rows("name", NOW + 60)
    reading = row.build_reading(NOW + 60, NOW)
    assert (reading.name, reading.pending, reading.oldest) == (POOL, 1, 60.0)


def test_what_ran_before_counts_as_running():
    """It has started when it was claimed; how long it waited is unknown."""
    statistics = count(listed=list_messages(delivery("task-running")))

    (row,) = statistics.list_rows("name", NOW + 60)
    reading = row.build_reading(NOW + 60, NOW)
    assert (reading.running, reading.last, reading.wait_times.number) == (1, 57.0, 0)


@pytest.mark.parametrize("event", ["task-pending", "task-running", "task-completed"])
def test_a_message_replaces_what_was_listed(event):
    """It knows more: earlier runs count, too."""
    statistics = count(listed=list_messages(delivery("task-pending", run=1)))

    statistics.add(delivery(event, run=1), NOW)

    alone = count(delivery(event, run=1))
    assert read_totals(statistics) == read_totals(alone)


@pytest.mark.parametrize("event", ["task-pending", "task-running", "task-completed"])
def test_what_messages_have_said_is_not_counted_again(event):
    """The list was made before, or says the same."""
    statistics = count(delivery(event))

    assert statistics.add_listed(list_messages(delivery("task-pending"))[0].task, NOW)

    assert read_totals(statistics) == read_totals(count(delivery(event)))


@pytest.mark.parametrize(
    ("early", "late"), [("task-pending", "task-running"), ("task-defined", "task-pending")]
)
def test_messages_that_are_older_than_the_list_need_the_status(early, late):
    """Nothing is counted twice until it has come."""
    statistics = count(delivery(early))
    listed = list_messages(delivery(late))
    if early == "task-defined":  # a task without runs is not kept by pool
        statistics = count(delivery(early), by="label")

    assert not statistics.add_listed(listed[0].task, NOW)

    statistics.add_status(decode_status(orjson.dumps(status_of(delivery(late)))), NOW)
    assert read_totals(statistics) == read_totals(count(delivery(late)))


def status_of(message):
    return orjson.loads(message.body)["status"]


def test_a_late_message_does_not_replace_what_was_listed():
    """The run has started since."""
    statistics = count(listed=list_messages(delivery("task-running")))

    statistics.add(delivery("task-pending"), NOW)

    assert read_totals(statistics)[:2] == (0, 1)


def test_a_claim_between_the_lists_counts_once():
    """A task that is in both is running."""
    statistics = count()
    for event in ("task-pending", "task-running", "task-pending"):
        statistics.add_listed(list_messages(delivery(event))[0].task, NOW)

    assert read_totals(statistics)[:2] == (0, 1)


def test_what_is_not_listed_any_more_is_dropped():
    """Unless a message has come meanwhile."""
    listed = list_messages(delivery("task-pending"), delivery("task-pending", task_id=OTHER_TASK))
    statistics = count(listed=listed)
    statistics.add(delivery("task-running", task_id=OTHER_TASK), NOW)

    statistics.drop_listed([hash_task(TASK), hash_task(OTHER_TASK), hash_task(GROUP)])

    assert read_totals(statistics)[:2] == (0, 1)


def test_tasks_that_messages_know_are_listed_by_pool():
    """Those that are pending or running, to be compared with what the API lists."""
    statistics = count(
        delivery("task-running"),
        delivery("task-pending", task_id=OTHER_TASK),
        delivery("task-completed", task_id=GROUP),
        delivery("task-pending", task_id="x" * 22, worker_type="other"),
    )

    assert statistics.list_open_tasks(POOL) == [(TASK, "running"), (OTHER_TASK, "pending")]


def test_a_run_that_ended_long_ago_is_not_listed_again():
    """The task was forgotten, except for its number of runs."""
    statistics = RunStatistics("pool", bounds=StatisticsBounds(ended=1))
    for number in range(3):
        statistics.add(delivery("task-completed", task_id=f"{number:022}"), NOW)

    for run in list_messages(delivery("task-pending", task_id=f"{0:022}")):
        statistics.add_listed(run.task, NOW)

    assert read_totals(statistics)[:3] == (0, 0, 3)


def test_listed_runs_are_bounded():
    """What was dropped is reported."""
    listed = list_messages(*(delivery("task-pending", task_id=f"{n:022}") for n in range(10)))
    statistics = RunStatistics("pool", bounds=StatisticsBounds(parked=4))

    for run in listed:
        statistics.add_listed(run.task, NOW)

    assert (read_totals(statistics)[0], statistics.uncertain.open) == (4, 6)


@functools.cache
def history(seed):
    """Simulate a while of three small groups."""
    messages = simulate(seed=seed, start=NOW, groups=3, tasks=25)
    return [message for _, message in itertools.islice(messages, 150 + 40 * seed)]


@pytest.mark.parametrize("by", GROUPINGS)
@given(
    seed=st.sampled_from(range(8)),
    share=st.floats(0, 1),
    merged=st.floats(0, 1),
    random=st.randoms(use_true_random=False),
)
def test_every_number_is_that_of_the_api_and_the_messages_since(by, seed, share, merged, random):
    """Whenever top joined, and whenever the answer arrived among messages in any order."""
    messages = history(seed)
    joined = int(share * len(messages))
    before = oracle.read_tasks(messages[:joined])
    pools = sorted({f"{task['provisionerId']}/{task['workerType']}" for task in before.values()})
    # Messages without tags have the names of the list, if that came first.
    since = [one for one in messages[joined:] if by not in TAGS or b'"tags":{"' in one.body]
    rest = random.sample(since, len(since))
    answered = int(merged * len(rest))
    now = NOW + 5 * 3600
    statistics = RunStatistics(by, slo=SLO)
    for message in rest[:answered]:
        statistics.add(message, now)
    asked = [
        run.task.status.task_id
        for pool in pools
        for run in list_tasks(before.values(), pool)
        if not statistics.add_listed(run.task, now)
    ]
    for task_id in asked:
        status = {name: before[task_id][name] for name in before[task_id] if name != "age"}
        statistics.add_status(decode_status(orjson.dumps(status)), now)
    for message in rest[answered:]:
        statistics.add(message, now)

    tasks = oracle.add_listed_runs(oracle.read_tasks(rest), before, asked)
    expected = oracle.count_tasks(tasks, by, now, SLO)

    rows = [
        format_row(row.build_reading(now, now, SLO))
        for row in statistics.list_rows("name", now)
        if any(row.states)
    ]
    assert [row["name"] for row in rows] == sorted(expected)
    for row in rows:
        for name in ("pending", "running", "completed", "failed", "lost", "oldest", "last"):
            wanted = expected[row["name"]][name]
            assert row[name] == (wanted if wanted is None else pytest.approx(wanted, abs=0.002)), (
                name
            )
