"""What is asked of the queue about a group: its tasks, and what they wait for outside of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from queue_server import Content, Member, QueueServer
from tcsniff.errors import ApiRefused
from tcsniff.settings.web_server import WebServer
from tcsniff.sources.group_pages import MAX_OUTSIDE, fetch_group_pages
from tcsniff.sources.queue_api import QueueApi
from tcsniff.taskgraph.group import GroupState
from tcsniff.taskgraph.verdict import judge_group

GROUP, OTHER_GROUP = "fN1SbArXTPSVFNUvaOlinQ", "JFjlQCTkRuWyz2yqxLnGNw"
TIME = "2026-11-23T18:00:00.000Z"


def slug(name: str) -> str:
    """Return a task ID that contains a name."""
    return f"{name:A<21}A"


def member(name: str, state: str, *dependencies: str, group: str = GROUP) -> Member:
    """Make a task whose dependencies are named."""
    runs: list[dict[str, Any]] = []
    if state != "unscheduled":
        runs = [{"runId": 0, "state": state, "reasonCreated": "scheduled", "scheduled": TIME}]
    status = {"taskId": slug(name), "taskGroupId": group, "state": state, "runs": runs}
    task = {"metadata": {"name": name}, "dependencies": [slug(one) for one in dependencies]}
    return Member(status, task)


def group_of(group: str, *members: Member) -> Content:
    return Content({"taskGroupId": group, "schedulerId": "s", "expires": TIME}, list(members))


@pytest.fixture
def server() -> Iterator[QueueServer]:
    with QueueServer() as running:
        yield running


def asked(server: QueueServer, *members: Member, outside: tuple[Member, ...] = ()) -> GroupState:
    """Ask about a group whose tasks wait for tasks of another one."""
    server.groups = {
        GROUP: group_of(GROUP, *members),
        OTHER_GROUP: group_of(OTHER_GROUP, *outside),
    }
    group = GroupState(GROUP)
    for page in fetch_group_pages(QueueApi(WebServer(server.url), retries=0), GROUP):
        group.add_page(page)
    group.mark_whole()
    return group


def outside(name: str, state: str, *dependencies: str) -> Member:
    return member(name, state, *dependencies, group=OTHER_GROUP)


@pytest.mark.parametrize(
    ("state", "verdict", "blockers"),
    [
        ("running", "waiting", ["image"]),
        ("unscheduled", "waiting", ["image"]),
        ("failed", "stuck", ["image"]),
        ("completed", "waiting", []),
    ],
)
def test_a_task_of_another_group_is_asked_for(
    server: QueueServer, state: str, verdict: str, blockers: list[str]
) -> None:
    """Its state and its name decide what becomes of the task that waits for it."""
    group = asked(
        server, member("build", "unscheduled", "image"), outside=(outside("image", state),)
    )

    graph = group.graph()
    (blocked,) = graph.blocking.list_blocked()
    assert graph.outside[slug("image")].label == "image"
    assert list(blocked.by) == [slug(one) for one in blockers]
    assert (blocked.is_hopeless, judge_group(graph, 0).word) == (state == "failed", verdict)
    assert list(graph.nodes) == [slug("build")]


def test_whether_it_can_still_complete_is_asked_for_too(server: QueueServer) -> None:
    """It waits itself for a task that failed, in a third place."""
    group = asked(
        server,
        member("build", "unscheduled", "image"),
        outside=(outside("image", "unscheduled", "base"), outside("base", "failed")),
    )

    verdict = judge_group(group.graph(), 0)
    assert verdict.word == "stuck"
    assert "it waits for base, which failed" in verdict.text


def test_only_what_is_waited_for_is_asked_for(server: QueueServer) -> None:
    """A task that was scheduled waits for nothing any more; two requests for each that is left."""
    asked(
        server,
        member("a", "running", "gone"),
        member("b", "unscheduled", "a", "image"),
        member("c", "unscheduled", "image"),
        outside=(outside("image", "running", "base"),),
    )

    assert [path.split("/")[4:6] for path in server.requests] == [
        ["task-group", GROUP],
        ["task", slug("image")],
        ["task", slug("image")],
    ]


def test_what_has_completed_is_not_asked_for_again(server: QueueServer) -> None:
    """It stays so."""
    group = asked(server, member("b", "unscheduled", "i"), outside=(outside("i", "completed"),))

    ended = group.list_ended_outside()
    pages = list(fetch_group_pages(QueueApi(WebServer(server.url)), GROUP, ended))

    assert (ended, len(pages)) == ([slug("i")], 1)


@pytest.mark.parametrize("dependencies", [("gone",), ("b",)], ids=["expired", "itself"])
def test_what_the_queue_does_not_know_stays_unknown(
    server: QueueServer, dependencies: tuple[str, ...]
) -> None:
    """The group is known all the same."""
    group = asked(server, member("b", "unscheduled", *dependencies))

    assert (group.graph().is_certain, dict(group.graph().outside)) == (True, {})


def test_a_group_with_thousands_of_dependencies_outside_is_asked_about_in_time(
    server: QueueServer,
) -> None:
    """The number of requests is limited."""
    names = [f"i{number}" for number in range(3 * MAX_OUTSIDE)]

    group = asked(
        server,
        member("b", "unscheduled", *names),
        outside=tuple(outside(name, "running") for name in names),
    )

    assert len(group.graph().outside) == MAX_OUTSIDE
    assert group.waits_outside


def test_what_is_outside_is_followed_up_to_the_limit(server: QueueServer) -> None:
    """A chain of tasks of other groups, each waiting for the next: as many as for a crowd."""
    chain = [
        outside(f"i{number}", "unscheduled", f"i{number + 1}") for number in range(2 * MAX_OUTSIDE)
    ]

    group = asked(server, member("b", "unscheduled", "i0"), outside=tuple(chain))

    assert list(group.graph().outside) == [slug(f"i{number}") for number in range(MAX_OUTSIDE)]
    assert len(server.requests) == 1 + 2 * MAX_OUTSIDE


def test_exactly_as_many_as_the_limit_are_asked_for(server: QueueServer) -> None:
    """None is left out, and an expired one counts."""
    names = [f"i{number}" for number in range(MAX_OUTSIDE)]

    group = asked(
        server,
        member("b", "unscheduled", *names),
        outside=tuple(outside(name, "running") for name in names[1:]),
    )

    assert len(group.graph().outside) == MAX_OUTSIDE - 1


def test_a_status_outside_that_is_not_valid_leaves_the_next(server: QueueServer) -> None:
    """What is known of the others is worth having."""
    odd = outside("odd", "running")
    odd.status["runs"] = [{"runId": 1 << 70, "state": "running"}]

    group = asked(
        server,
        member("b", "unscheduled", "odd", "image"),
        outside=(odd, outside("image", "running")),
    )

    assert list(group.graph().outside) == [slug("image")]


def test_an_api_that_fails_meanwhile_leaves_the_group_known(server: QueueServer) -> None:
    """Nothing more is asked for; the tasks outside are tried again with the next answer."""
    server.groups = {
        GROUP: group_of(GROUP, member("b", "unscheduled", "x", "y")),
        OTHER_GROUP: group_of(OTHER_GROUP, outside("x", "running"), outside("y", "running")),
    }
    pages = fetch_group_pages(QueueApi(WebServer(server.url), retries=0), GROUP)
    next(pages)

    server.status = 500
    rest = list(pages)

    assert (rest, len(server.requests)) == ([], 2)


def test_a_group_that_is_refused_is_a_failure(server: QueueServer) -> None:
    """As before."""
    server.status = 403

    with pytest.raises(ApiRefused):
        asked(server, member("b", "unscheduled"))
