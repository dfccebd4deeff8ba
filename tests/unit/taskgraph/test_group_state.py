"""A group that is followed: events and answers of the queue, in any order, end in one graph."""

from __future__ import annotations

import functools
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import GROUP, OTHER_TASK, RECEIVED, TASK, delivery
from queue_server import content
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.times import parse_seconds
from tcsniff.renderers.graph.graph_picture import draw_graph
from tcsniff.renderers.graph.scene import build_scene
from tcsniff.simulator.simulation import plan_groups, simulate
from tcsniff.taskgraph.definitions import Page, parse_page
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.group import GroupState, QuietPeriod
from tcsniff.taskgraph.summary import summarize_group
from tcsniff.taskgraph.tracker import Change

OTHER_GROUP = "WTRHGgi7TNaxn5lBTOzXTg"
FAULTS = ("failure", "claim-expired", "worker-shutdown", "rerun", "cancel")
END = 1_795_500_000.0  # after all that happens


@functools.cache
def history(seed: int) -> tuple[list[Delivery], list[Page]]:
    """Make up what is told of a group, and what the queue answers in its middle and at its end."""
    plan = next(plan_groups(seed=seed, tasks=25))
    made = simulate(seed=seed, start=1_795_456_800.0, groups=1, tasks=25, faults=FAULTS)
    events = [one for _, one in made]
    answers = [content(plan, events[: len(events) // 2]), content(plan, events)]
    pages = [parse_page(orjson.dumps(page)) for known in answers for page in known.pages(10)]
    return events, pages


def followed(told: list[Delivery | Page], group: str = "") -> GroupState:
    """Take all in, in the order given."""
    following = GroupState(group)
    for one in told:
        if isinstance(one, Page):
            following.add_facts(one.definitions, one.statuses, one.group)
        else:
            following.apply(one)
    following.mark_whole()
    return following


def shown(graph: Graph) -> tuple[dict[str, Any], list[str]]:
    """What is seen of a graph: by programs and by people."""
    scene = build_scene(graph, END)
    path = scene.path
    return summarize_group(graph, path, END), draw_graph(scene, None, 120, 60, color=False)


@given(st.integers(0, 7), st.data())
def test_no_order_of_events_and_pages_changes_what_is_shown(
    seed: int, data: st.DataObject
) -> None:
    """Subscribe, fetch, merge: whatever comes first, late or twice, the end is the same."""
    events, pages = history(seed)
    again = data.draw(st.lists(st.sampled_from([*events, *pages]), max_size=20))
    shuffled = data.draw(st.randoms(use_true_random=False)).sample
    everything = [*events, *pages, *again]

    mixed = followed(shuffled(everything, len(everything)), pages[0].group.task_group_id)

    assert shown(mixed.graph()) == shown(followed([*pages, *events]).graph())


@given(st.integers(0, 7), st.data())
def test_who_joins_late_ends_in_the_same_graph(seed: int, data: st.DataObject) -> None:
    """With the queue's answer, whichever events were missed before it."""
    events, pages = history(seed)
    start = data.draw(st.integers(0, len(events)))
    group = pages[0].group.task_group_id

    joined = followed([*events[start:], *pages], group)

    assert shown(joined.graph()) == shown(followed([*events, *pages], group).graph())
    assert joined.is_over == followed([*events, *pages], group).is_over


def test_the_first_group_is_meant_if_none_is_named() -> None:
    """And the tasks of all others leave nothing behind."""
    following = GroupState()

    first = following.apply(delivery("task-pending"))
    second = following.apply(delivery("task-failed", task_id=OTHER_TASK, group=OTHER_GROUP))

    assert (first is not None, second) == (True, None)
    assert following.task_group_id == GROUP
    assert list(following.graph().nodes) == [TASK]
    assert (following.other_events, list(following.other_groups)) == (1, [OTHER_GROUP])


def test_a_message_about_a_group_names_it_too() -> None:
    """As when a recording begins at the end of a group."""
    following = GroupState()

    following.apply(delivery("task-group-resolved"))

    assert following.task_group_id == GROUP


def test_strangers_are_counted_and_not_remembered_without_end() -> None:
    """A recording of a whole deployment has thousands of groups."""
    following = GroupState(GROUP)

    for number in range(300):
        following.apply(delivery("task-running", task_id=f"t{number}", group=f"g{number}"))

    assert following.other_events == 300
    assert len(following.other_groups) == 100
    assert following.version == 0
    assert following.graph().nodes == {}


def test_nobody_else_takes_a_task_away() -> None:
    """A task never changes its group; a message that says so is wrong."""
    following = GroupState(GROUP)
    following.apply(delivery("task-pending"))

    following.apply(delivery("task-failed", group=OTHER_GROUP))

    assert [node.state for node in following.graph().nodes.values()] == ["pending"]


def test_an_answer_about_another_group_leaves_nothing_behind() -> None:
    """Its definitions would else stand in the picture as tasks that nobody has heard of."""
    (_, ours), (_, theirs) = history(1), history(2)
    following = GroupState(ours[0].group.task_group_id)

    for page in (*theirs, *ours):
        following.add_facts(page.definitions, page.statuses, page.group)

    assert set(following.graph().nodes) == {
        one.task_id for page in ours for one in page.definitions
    }


def test_what_the_queue_says_of_the_group_is_kept() -> None:
    """The message that sealed it may have gone out before anybody listened."""
    _, pages = history(0)
    group = pages[0].group
    following = GroupState(group.task_group_id)

    following.add_facts((), (), group._replace(sealed="2026-11-23T18:00:00.000Z"))
    following.add_facts((), (), group)
    following.add_facts((), (), group._replace(task_group_id=OTHER_GROUP, scheduler_id="zzz"))

    graph = following.graph()
    assert (graph.is_sealed, graph.scheduler_id) == (True, group.scheduler_id)


def test_definitions_are_lacking_until_they_are_told() -> None:
    """Tasks are added while a group runs."""
    _, pages = history(0)
    first = pages[0].definitions[0]
    group = pages[0].group.task_group_id
    following = GroupState(group)

    following.apply(delivery("task-pending", task_id=first.task_id, group=group))
    before = following.lacks_definitions
    following.add_facts([first])

    assert (before, following.lacks_definitions) == (True, False)


def test_a_status_that_is_none_is_counted() -> None:
    """An answer that is broken in one place is good in the others."""
    following = GroupState(GROUP)

    changes = following.add_facts((), [b"{}", b"\xff", b"[" * 100_000])

    assert changes == []
    assert following.unread == 3


def test_a_change_that_the_queue_told_is_a_change() -> None:
    """Programs are told of it as of any other, and not twice."""
    following = GroupState(GROUP)
    status = orjson.dumps(orjson.loads(delivery("task-running").body)["status"])

    told = [following.add_facts((), [status]), following.add_facts((), [status])]

    assert [len(changes) for changes in told] == [1, 0]
    assert isinstance(told[0][0], Change)


def test_it_is_over_when_nothing_is_open_and_the_queue_says_so() -> None:
    """And no longer when a task is run once more, until that has ended as well."""
    following = GroupState(GROUP)
    styles = []

    for event in (
        delivery("task-failed", run=0),
        delivery("task-group-resolved"),
        delivery("task-pending", run=1),
        delivery("task-completed", run=1),
    ):
        following.apply(event)
        styles.append(
            (following.is_over, following.is_contradicted, following.graph().exit_status)
        )

    assert styles == [(False, False, 10), (True, False, 10), (False, True, 12), (True, False, 12)]


def test_the_latest_time_is_the_newest_that_anything_tells() -> None:
    """In recordings made by others nobody wrote down when a message came."""
    following = GroupState(GROUP)
    styles = [following.latest]

    following.apply(delivery("task-pending", received=None))
    styles.append(following.latest)
    following.apply(delivery("task-completed", received=RECEIVED))
    following.apply(delivery("task-running", received="no time"))
    styles.append(following.latest)

    assert styles == [0.0, parse_seconds("2026-11-23T18:00:00.000Z"), parse_seconds(RECEIVED)]


def test_a_graph_is_put_together_once() -> None:
    """It is asked for with every look, and most looks find nothing new."""
    following = GroupState(GROUP)
    following.apply(delivery("task-pending"))

    first = following.graph()
    again = following.graph()
    following.apply(delivery("task-running"))

    assert again is first
    assert following.graph() is not first


@pytest.mark.parametrize(
    ("styles", "settled"),
    [
        ([(0, True), (9, True)], [False, False]),
        ([(0, True), (9, True), (10, True)], [False, False, True]),
        ([(0, True), (5, False), (11, True), (20, True)], [False, False, False, False]),
        ([(0, True), (5, False), (11, True), (21, True)], [False, False, False, True]),
    ],
)
def test_it_has_settled_when_nothing_began_anew_for_long_enough(
    styles: list[tuple[int, bool]], settled: list[bool]
) -> None:
    """A rerun starts the waiting anew."""
    now = 0.0
    group = QuietPeriod(10, lambda: now)
    found = []

    for now, is_over in styles:  # noqa: B007 - the clock reads it
        found.append(group.is_settled(is_over=is_over))

    assert found == settled


def test_without_a_pause_it_has_settled_at_once() -> None:
    """``--settle 0s``."""
    assert QuietPeriod(0, lambda: 5.0).is_settled(is_over=True)
