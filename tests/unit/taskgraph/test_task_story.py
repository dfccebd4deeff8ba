"""The story of a task: how it is doing, in one word that is never a guess, and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import TASK
from graphs import START, by_id, completed, in_state, node, run, waiting
from tcsniff.pulse.payloads import Run
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.nodes import ORDER, UNHEARD, Node
from tcsniff.taskgraph.task_rows import (
    FACTS,
    LOG,
    NEEDED_BY,
    REASON,
    ROUTES,
    RUN,
    TITLE,
    list_log_rows,
    list_rows,
)
from tcsniff.taskgraph.task_story import (
    _RULES,
    WORDS,
    PoolFacts,
    TaskFacts,
    TaskStory,
    build_story,
    find_exit_status,
)
from tcsniff.taskgraph.task_summary import summarize_task

ANY_WAY = "all-resolved"
DONE = node("done", runs=[completed(0, 10, 4320)])
FAILED = node("build-linux/opt", runs=[run("failed", 0, 10, 60)])
RUNNING = node("run", runs=[run("running", 0, 20)])
PENDING = node("pend", runs=[run("pending", 40)])
LOST = run("exception", 0, 40, 1240)
POOL = "gecko-t/t-linux-xlarge"


def tell(*nodes: Node, at: float = 200, about: str = "t", **facts: Any) -> TaskStory:
    return build_story(about, by_id(*nodes), TaskFacts(**facts), START + at)


def with_reasons(made: Run, **reasons: Any) -> Run:
    fields = {name: getattr(made, name) for name in made.__struct_fields__}
    return Run(**{**fields, **reasons})


def canceled(*times: Any, created: str = "scheduled", reason: str = "canceled") -> Run:
    made = run("exception", *times, reason=created)
    return with_reasons(made, reason_resolved=reason)


def said(story: TaskStory) -> tuple[str, str]:
    return story.verdict.word, story.verdict.text


@pytest.mark.parametrize(
    ("nodes", "word", "text"),
    [
        ((), "unknown", "nothing is known of it yet"),
        ((in_state("t", UNHEARD),), "unknown", "its state is unknown"),
        ((node("t", runs=[completed(0, 10, 4330)]),), "completed", "completed after 1 h 12 m"),
        ((node("t", runs=[run("failed", 0, 10, 371)]),), "failed", "failed after 6 m 01 s"),
        ((in_state("t", "failed"),), "failed", "failed"),
        ((node("t", runs=[canceled(0, 10, 70)]),), "exception", "canceled after 1 m 00 s"),
        (
            (node("t", runs=[canceled(60, None, 60, created="exception")]),),
            "exception",
            "canceled before a worker started it",
        ),
        (
            (node("t", runs=[canceled(0, None, 60, reason="deadline-exceeded")]),),
            "exception",
            "deadline-exceeded before a worker started it",
        ),
        ((in_state("t", "vanished"),), "exception", "vanished"),
        ((node("t", runs=[run("running", 0, 20)]),), "running", "running for 3 m 00 s"),
        ((in_state("t", "running"),), "running", "running"),
        ((node("t", runs=[run("pending", 140)]),), "pending", "waits for a worker for 1 m 00 s"),
        (
            (waiting("t", "build-linux/opt"), FAILED),
            "stuck",
            "can never run: build-linux/opt failed",
        ),
        (
            (waiting("t", "c"), node("c", runs=[canceled(0, None, 9)])),
            "stuck",
            "can never run: c ended as canceled",
        ),
        (
            (waiting("t", "b", "build-linux/opt"), waiting("b", "build-linux/opt"), FAILED),
            "stuck",
            "can never run: build-linux/opt failed",
        ),
        (
            (waiting("t", "b"), waiting("b", "build-linux/opt"), FAILED),
            "stuck",
            "can never run: b can never run",
        ),
        (
            (waiting("t", "build-linux/opt", "c"), FAILED, in_state("c", "exception")),
            "stuck",
            "can never run: build-linux/opt failed, and 1 other can't complete",
        ),
        (
            (waiting("t", "run", "pend", "done"), RUNNING, PENDING, DONE),
            "blocked",
            "waits for 2 of 3 tasks: run running for 3 m 00 s, pend pending for 2 m 40 s",
        ),
        (
            (waiting("t", "build-linux/opt", "run", requires=ANY_WAY), FAILED, RUNNING),
            "blocked",
            "waits for 1 of 2 tasks: run running for 3 m 00 s",
        ),
        (
            (waiting("t", "b", requires=ANY_WAY), waiting("b", "build-linux/opt"), FAILED),
            "blocked",
            "waits for 1 task: b unscheduled, can never run",
        ),
        ((waiting("t", "x"),), "blocked", "waits for 1 task: x of unknown state"),
        (
            (waiting("t", "a", "b", "c", "d", "e"),),
            "blocked",
            "waits for 5 tasks: a of unknown state, b of unknown state, c of unknown state"
            " and 2 more",
        ),
        ((waiting("t", "t"),), "blocked", "waits for itself, until it is scheduled by hand"),
        (
            (waiting("t", is_defined=False),),
            "unscheduled",
            "waits; its dependencies are unknown",
        ),
        ((waiting("t"),), "unscheduled", "waits to be scheduled"),
        (
            (waiting("t", "build-linux/opt", requires=ANY_WAY), FAILED),
            "unscheduled",
            "waits, although all its dependencies have ended",
        ),
        (
            (waiting("t", "d"), node("d", runs=[completed(0, 10, 190)])),
            "unscheduled",
            "is about to be scheduled",
        ),
    ],
)
def test_the_first_rule_that_applies_is_the_verdict(
    nodes: tuple[Node, ...], word: str, text: str
) -> None:
    """Each kind of task has a word and a sentence with its reason."""
    assert said(tell(*nodes)) == (word, text)


@pytest.mark.parametrize(
    ("pool", "text"),
    [
        (
            PoolFacts(POOL, pending=35, claimed=0, last_start=START - 7_360),
            "waits for a worker for 3 h 06 m: 34 others are pending and none running on "
            f"{POOL}, whose last task started 5 h 05 m ago",
        ),
        (
            PoolFacts(POOL, pending=2, claimed=7),
            f"waits for a worker for 3 h 06 m: 1 other is pending and 7 running on {POOL}",
        ),
        (
            PoolFacts(POOL, pending=0),
            f"waits for a worker for 3 h 06 m: no other is pending on {POOL}",
        ),
        (PoolFacts(POOL), f"waits for a worker of {POOL} for 3 h 06 m"),
        (
            PoolFacts(POOL, watched_since=START),
            f"waits for a worker of {POOL} for 3 h 06 m, where none has started for 3 h 02 m",
        ),
        (
            PoolFacts("p/\x1b[31m"),
            "waits for a worker of p/\\x1b[31m for 3 h 06 m",
        ),
    ],
)
def test_a_pending_task_says_what_is_known_of_its_pool(pool: PoolFacts, text: str) -> None:
    """How many others wait, and when the pool last started a task; unknown facts are left out."""
    task = node("t", runs=[run("pending", -200)], pool=pool.pool)

    assert tell(task, pool=pool, at=10_960).verdict.text == text


NAMES = ("a", "b", "c", "d")
STATES = st.sampled_from([*ORDER, "vanished"])


@st.composite
def groups(draw: st.DrawFn) -> list[Node]:
    """A few tasks in any states, with any dependencies, also on themselves and in cycles."""
    made = []
    for name in NAMES:
        state = draw(STATES)
        details = {
            "requires": draw(st.sampled_from(["all-completed", ANY_WAY])),
            "is_defined": draw(st.booleans()),
            "runs": () if state in ("unscheduled", UNHEARD) else (run(state, 0, 1, 2),),
        }
        others = draw(st.lists(st.sampled_from([*NAMES, "x"]), max_size=3, unique=True))
        made.append(node(name, *others, state=state, **details))
    return made


@given(groups(), st.booleans())
def test_every_task_has_exactly_one_verdict_and_rows(nodes: list[Node], doubted: bool) -> None:
    """Whatever is known, a task has a verdict, rows and a summary; 0 means completed."""
    doubts = ("a message",) if doubted else ()
    for name in (*NAMES, "x"):
        story = tell(*nodes, about=name, doubts=doubts)
        applying = [rule.word for rule in _RULES if rule.applies(story)]

        assert story.verdict.word == applying[0]
        assert set(WORDS) == {rule.word for rule in _RULES}
        assert list_rows(story)[0].kind == TITLE
        assert summarize_task(story, 12)["verdict"] == applying[0]
        is_certain = story.node.state == "completed" and not doubted
        assert (story.exit_status == 0) == is_certain


@given(groups())
def test_a_task_that_can_never_run_names_a_cause(nodes: list[Node]) -> None:
    """It is a dependency that did not complete, and can't any more."""
    for name in NAMES:
        story = tell(*nodes, about=name)
        if story.verdict.word == "stuck":
            by_task = {one.task_id: one for one in story.waits_for}

            assert story.causes
            assert all(by_task[cause.task_id].can_complete is False for cause in story.causes)


@pytest.mark.parametrize(
    ("states", "status"),
    [
        (("completed",), 0),
        (("completed", "running"), 12),
        (("completed", UNHEARD), 12),
        (("exception", "running"), 11),
        (("completed", "vanished"), 11),
        (("running", "exception", "failed"), 10),
        ((), 12),
    ],
)
def test_the_status_is_that_of_the_worst_task(states: tuple[str, ...], status: int) -> None:
    """First failures, then exceptions, then what has not ended or is not known."""
    stories = [tell(in_state("t", state)) for state in states]

    assert find_exit_status(stories) == status


def test_a_message_that_cannot_be_read_never_gives_0() -> None:
    """A completed task with a doubt is 12; a failed one stays failed."""
    doubts = ("1 message could not be decoded: task-exception of t",)

    assert tell(DONE, about="done", doubts=doubts).exit_status == 12
    assert tell(FAILED, about="build-linux/opt", doubts=doubts).exit_status == 10


RETRIED = node(
    "t",
    runs=[
        with_reasons(LOST, reason_resolved="claim-expired", worker_group="us", worker_id="i-1"),
        with_reasons(
            run("failed", 1240, 1252, 1613, reason="retry"), run_id=1, reason_resolved="failed"
        ),
        with_reasons(run("running", 2000, 2030, reason="rerun"), run_id=2),
    ],
    label="build-win64/opt",
    pool="gecko-3/b-win2022",
    deadline="2026-11-24T17:42:00.000Z",
)


def test_each_run_has_its_times_its_reason_and_its_sequel() -> None:
    """Waiting and running times, why it was created, how it ended, and what came after."""
    first, second, third = tell(RETRIED, at=2090).runs

    assert (first.waited, first.ran, first.reason) == (40, 1200, "claim-expired")
    assert (first.worker, first.sequel, first.is_lost) == ("us i-1", "retried", True)
    assert (second.created, second.waited, second.ran) == ("retry", 12, 361)
    assert (second.reason, second.sequel) == ("failed", "rerun")
    assert (third.created, third.state, third.reason) == ("rerun", "running", "")
    assert (third.waited, third.ran, third.sequel) == (30, 60, "")


def test_a_run_that_never_started_did_not_run() -> None:
    """A run that only holds the end of a task neither waited nor ran."""
    held, waited = tell(
        node(
            "t",
            runs=[canceled(60, None, 60, created="exception"), canceled(70, None, 100)],
        )
    ).runs

    assert (held.waited, held.ran) == (None, None)
    assert (waited.waited, waited.ran) == (30, None)


def test_times_that_are_missing_or_wrong_leave_their_lengths_out() -> None:
    """Text that is not a time, and clocks that go backwards, do no harm."""
    broken, backwards = tell(
        node("t", runs=[run("completed", "x", None, 5), run("completed", 10, 5, 1)])
    ).runs

    assert (broken.waited, broken.ran) == (None, None)
    assert (backwards.waited, backwards.ran) == (0, 0)


def rows_of(story: TaskStory) -> dict[str, str]:
    return {row.kind: row.text for row in list_rows(story, utc=True)}


def test_the_rows_of_a_task_that_failed() -> None:
    """Name, facts, a row for each run, who needs it, its routes; in this order."""
    failed = RETRIED._replace(runs=RETRIED.runs[:2], state="failed")
    story = tell(
        failed,
        waiting("s", "t", label="sign-2"),
        waiting("u", "s", label="upload"),
        waiting("v", "t", label="sign-10"),
        waiting("w", "t", label="report", requires=ANY_WAY),
        task_group_id="group",
        priority="low",
        routes=("index.a", "tc.b"),
    )
    rows = list_rows(story, utc=True)

    assert [row.kind for row in rows] == [TITLE, FACTS, RUN, RUN, NEEDED_BY, ROUTES]
    assert rows[0].text == "task t   build-win64/opt   ✖ failed"
    assert rows[1].text == (
        "group group   pool gecko-3/b-win2022   priority low   deadline tomorrow 17:42"
    )
    assert rows[2].text == (
        "run 0   claim-expired   scheduled 18:00   waited 40 s   claimed 18:00   ran 20 m 00 s"
        "   ended 18:20   us i-1   retried"
    )
    assert rows[4].text == (
        "needed by 2 tasks that can no longer run: sign-2, -10; also by 1 task: report"
    )
    assert rows[5].text == "routes index.a, tc.b"


def test_the_rows_of_runs_are_columns() -> None:
    """Every run has the same number of cells, whatever is known of it."""
    rows = [row for row in list_rows(tell(RETRIED)) if row.kind == RUN]

    assert len({len(row.parts) for row in rows}) == 1


def test_the_row_of_a_task_that_waits_names_its_dependencies() -> None:
    """With their states, and last those that have ended."""
    story = tell(waiting("t", "done", "run", "pend"), RUNNING, PENDING, DONE)

    assert rows_of(story)[REASON] == (
        "waits for 2 of 3 tasks: run ▶ running for 3 m 00 s, pend ◷ pending for 2 m 40 s"
        "; ended: done ✔"
    )


def test_a_task_that_can_never_run_also_says_what_else_it_waits_for() -> None:
    """A rerun of the cause alone would not be enough."""
    story = tell(waiting("t", "build-linux/opt", "run"), FAILED, RUNNING)

    assert rows_of(story)[REASON] == (
        "can never run: build-linux/opt failed; waits also for run ▶ running for 3 m 00 s"
    )


def test_a_deadline_that_has_passed_is_said() -> None:
    """The queue resolves such tasks with a delay, or not at all if it lost them."""
    late = node("t", runs=[run("pending", 0)], deadline="2026-11-23T18:01:00Z")

    assert rows_of(tell(late))[FACTS] == "deadline 18:01, 2 m 20 s ago"


def test_the_log_is_that_of_the_run_that_made_the_task_fail() -> None:
    """A run that was retried, or never started, has no log here."""
    failed = RETRIED._replace(runs=RETRIED.runs[:2], state="failed")

    rows = list_log_rows(tell(failed), "https://x/live.log", ["one\x1b[2J", "two"])

    assert [row.text for row in rows] == [
        "log of run 1, last lines   https://x/live.log",
        "one\\x1b[2J",
        "two",
    ]
    assert rows[0].kind == LOG
    assert list_log_rows(tell(RETRIED), "https://x/live.log", ["one"]) == []
    assert list_log_rows(tell(node("t", runs=[canceled(0, None, 1)])), "https://x", []) == []


@given(st.text(max_size=20))
def test_text_from_messages_is_safe_in_rows(text: str) -> None:
    """Names, pools, routes, reasons and workers are written by users."""
    broken = with_reasons(
        run("failed", 0, 1, 2), state=text or "x", reason_resolved=text, worker_id=text
    )
    story = tell(
        node("t", "d", label=text, pool=text, runs=[broken], state=text or "x"),
        waiting("u", "t", label=text),
        waiting("d", label=text),
        task_group_id=text,
        priority=text,
        routes=(text,),
        doubts=(text,),
        pool=PoolFacts(text),
    )

    for row in list_rows(story):
        assert sanitize(row.text) == row.text
    assert sanitize(story.verdict.text) == story.verdict.text


def test_the_summary_says_everything_in_fields() -> None:
    """Times are text, lengths are seconds; what is unknown is null."""
    failed = RETRIED._replace(runs=RETRIED.runs[:2], state="failed", task_id=TASK)
    story = tell(failed, about=failed.task_id)

    summary = summarize_task(story, 10, "https://tc.example.com", ["last"])

    assert summary["runs"][1] == {
        "run": 1,
        "state": "failed",
        "created": "retry",
        "reason": "failed",
        "scheduled": "2026-11-23T18:20:40.000Z",
        "started": "2026-11-23T18:20:52.000Z",
        "resolved": "2026-11-23T18:26:53.000Z",
        "waiting": 12.0,
        "running": 361.0,
        "worker": None,
        "sequel": None,
    }
    assert summary["log"].startswith(f"https://tc.example.com/api/queue/v1/task/{TASK}")
    assert summary["logLines"] == ["last"]
    assert (summary["routes"], summary["neededBy"], summary["poolState"]) == (None, None, None)
    assert (summary["verdict"], summary["exitStatus"], summary["waitsFor"]) == ("failed", 10, [])


def test_the_summary_of_a_task_that_waits_lists_its_dependencies() -> None:
    """With their states, and whether they can still complete."""
    story = tell(waiting("t", "run", "build-linux/opt", "x"), RUNNING, FAILED, has_dependents=True)

    summary = summarize_task(story, 12)

    facts = [(one["taskId"], one["met"], one["canComplete"]) for one in summary["waitsFor"]]
    assert facts == [
        ("run", False, True),
        ("build-linux/opt", False, False),
        ("x", False, None),
    ]
    assert (summary["causes"], summary["neededBy"]) == (["build-linux/opt"], [])
