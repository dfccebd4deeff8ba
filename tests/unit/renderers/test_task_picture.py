"""The picture of named tasks: in the order of the story, and never larger than the screen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from builders import OTHER_TASK, TASK
from graphs import START, by_id, completed, in_state, node, run, waiting
from tcsniff.pulse.payloads import Run
from tcsniff.renderers.task.task_picture import TaskScene, draw_tasks, list_failed_runs
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.task_story import TaskFacts, TaskStory, build_story

ROOT = "https://tc.example.com"
LOG = f"{ROOT}/api/queue/v1/task/{TASK}/runs/1/artifacts/public/logs/live.log"
ROUTES = tuple(f"index.gecko.v2.try.revision.{number:040x}.firefox" for number in range(3))


def with_worker(made: Run, **details: Any) -> Run:
    fields = {name: getattr(made, name) for name in made.__struct_fields__}
    return Run(
        **{**fields, "worker_group": "us-west1-b", "worker_id": "5141261704494663220"} | details
    )


BUILD = node(
    TASK,
    label="build-win64/opt",
    pool="gecko-3/b-win2022",
    deadline="2026-11-24T17:42:00.000Z",
    runs=[
        with_worker(run("exception", 0, 40, 1240), reason_resolved="claim-expired"),
        with_worker(run("failed", 1240, 1252, 1613, reason="retry"), run_id=1),
    ],
)
AROUND = [waiting(f"s{number}", TASK, label=f"sign-{number}") for number in range(40)]
TAIL = {(TASK, 1): [f"[taskcluster 2026-11-23T18:26:53.000Z] line {n}" for n in range(10)]}


def tell(*nodes: Node, about: str = TASK, **facts: Any) -> TaskStory:
    return build_story(about, by_id(*nodes), TaskFacts(**facts), START + 2_000)


def drawn(
    *stories: TaskStory, width: int = 120, height: int = 60, color: bool = False, **details: Any
) -> list[str]:
    scene = TaskScene(stories, ROOT, utc=True, **details)
    return draw_tasks(scene, None, width, height, color=color)


FAILED = tell(BUILD, *AROUND[:2], task_group_id=OTHER_TASK, priority="low", routes=ROUTES[:1])


def test_the_picture_of_a_task_that_failed() -> None:
    """Everything in its order; the state stands at the right, runs stand in columns."""
    assert drawn(FAILED, tails={(TASK, 1): ["one", "two"]}) == [
        f"task {TASK}   build-win64/opt" + " " * 67 + "✖ failed",
        f"group {OTHER_TASK}   pool gecko-3/b-win2022   priority low   deadline tomorrow 17:42",
        "run 0   claim-expired   scheduled 18:00   waited 40 s   ran 20 m 00 s"
        "   us-west1-b 5141261704494663220   retried",
        "run 1   failed          retry 18:20       waited 12 s   ran 6 m 01 s "
        "   us-west1-b 5141261704494663220",
        "needed by 2 tasks that can no longer run: sign-0, -1",
        f"routes {ROUTES[0]}",
        "log of run 1, last lines",
        f"  {LOG}",
        "  │ one",
        "  │ two",
    ]


def test_a_dumb_terminal_changes_no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich would cut lines at 80 columns."""
    expected = drawn(FAILED)

    monkeypatch.setenv("TERM", "dumb")

    assert drawn(FAILED) == expected


def test_a_narrow_screen_shortens_workers_first() -> None:
    """Waiting and running times stay; times of day go, and what is too long is wrapped."""
    rows = drawn(FAILED, width=80)

    assert rows[0].endswith("✖ failed")
    assert rows[2] == (
        "run 0   claim-expired   waited 40 s   ran 20 m 00 s   us-we…4494663220   retried"
    )
    assert {len(row) <= 80 for row in rows} == {True}


def test_facts_are_wrapped_on_a_narrow_screen() -> None:
    """No part is cut: the pool has a line of its own, and columns of runs stand closer."""
    ended = run("failed", 1240, 1260, 1496)
    story = tell(BUILD._replace(runs=(ended,)), task_group_id=OTHER_TASK)

    assert drawn(story, width=40)[1:4] == [
        f"group {OTHER_TASK}",
        "pool gecko-3/b-win2022",
        "run 0  failed  waited 20 s  ran 3 m 56 s",
    ]


def test_names_are_wrapped_between_names() -> None:
    """And indented, so that each stays whole."""
    rows = drawn(tell(BUILD, *AROUND), width=60)
    start = next(number for number, row in enumerate(rows) if row.startswith("needed by 40"))

    assert all(row.startswith("  ") for row in rows[start + 1 : start + 3])
    assert " and 10 more" in " ".join(rows)


@pytest.mark.parametrize("height", range(1, 20))
def test_less_room_means_less_detail(height: int) -> None:
    """The name and the state are always there."""
    story = tell(BUILD, *AROUND, routes=ROUTES)
    rows = drawn(story, width=80, height=height, tails=TAIL)

    assert len(rows) <= height
    assert "build-win64/opt" in rows[0]
    assert "✖" in rows[0]


def test_the_last_lines_of_a_log_are_kept() -> None:
    """If there is no room for all."""
    rows = drawn(tell(BUILD), width=80, height=12, tails=TAIL)

    assert "  │ line 9" in rows
    assert "  │ line 0" not in rows


def test_many_tasks_have_a_line_each() -> None:
    """Those that went wrong first, then those that have not ended; the others are counted."""
    nodes = [
        *(node(f"d{number}", runs=[completed(0, 1, 2)]) for number in range(30)),
        in_state("r", "running"),
        in_state("f", "failed"),
    ]
    stories = [tell(*nodes, about=one.task_id) for one in nodes]

    rows = drawn(*stories, width=80, height=10)

    assert [row.split()[0] for row in rows] == ["✖", "▶", *["✔"] * 7, "…"]
    assert rows[-1] == "… 23 more:  ✔ 23"


def test_sections_are_apart() -> None:
    """Each task has its own."""
    rows = drawn(tell(BUILD), tell(in_state(OTHER_TASK, "running"), about=OTHER_TASK))

    assert rows.count("") == 1
    assert rows[rows.index("") + 1].startswith(f"task {OTHER_TASK}")


def test_names_are_links_where_links_are_enabled() -> None:
    """To pages of the task, its group and its log, and to those of other tasks."""
    story = tell(BUILD, waiting(OTHER_TASK, TASK), task_group_id=OTHER_TASK)

    linked = "\n".join(drawn(story, has_links=True, color=True))

    for url in (f"{ROOT}/tasks/{TASK}", f"{ROOT}/tasks/groups/{OTHER_TASK}", LOG):
        assert f";{url}\x1b\\" in linked
    assert f";{ROOT}/tasks/{OTHER_TASK}\x1b\\" in linked
    assert "\x1b" not in "".join(drawn(story))


def test_only_logs_of_runs_that_made_tasks_fail_are_wanted() -> None:
    """Not of tasks that completed or run."""
    done = tell(node(TASK, runs=[run("exception", 0, 1, 2), completed(3, 4, 5)]))

    assert list_failed_runs([FAILED, done]) == [(TASK, 1)]


@given(
    st.lists(st.text(max_size=40), min_size=6, max_size=6),
    st.integers(1, 200),
    st.integers(1, 60),
)
def test_any_text_fits_any_screen(texts: list[str], width: int, height: int) -> None:
    """Wide and unsafe characters, too."""
    label, pool, worker, route, reason, line = texts
    task = BUILD._replace(
        label=label,
        pool=pool,
        runs=tuple(
            with_worker(one, worker_id=worker, reason_resolved=reason) for one in BUILD.runs
        ),
    )
    story = tell(task, waiting("u", TASK, label=label), routes=(route,), doubts=(reason,))

    rows = drawn(story, width=width, height=height, tails={(TASK, 1): [line]})

    assert len(rows) <= height
    assert all(cell_len(row) <= width for row in rows)
    assert not any(set(row) & {"\x1b", "\r", "\n"} for row in rows)
