"""The pages of a task group and of its tasks, from a simulated group."""

from __future__ import annotations

import functools

import pytest

from tcsniff.browse.event_rows import build_rows
from tcsniff.browse.event_store import EventStore
from tcsniff.browse.feed import PoolCounts
from tcsniff.browse.graph_page import GraphPage
from tcsniff.browse.group_watch import GroupFacts, GroupWatch
from tcsniff.browse.pools_page import SORTS, PoolsPage
from tcsniff.browse.task_page import TaskPage
from tcsniff.pulse.events import Event
from tcsniff.simulator.planning import to_definitions
from tcsniff.simulator.simulation import plan_groups, simulate
from tcsniff.stats.run_counter import RunCounter
from tcsniff.taskgraph.group import GroupState

SEED = 14  # a group in which tasks fail


@functools.cache
def simulated(number=None):
    found = [delivery for _, delivery in simulate(seed=SEED, start=1.7e9, groups=1)]
    return found if number is None else found[:number]


class Planned(GroupFacts):
    """The definitions of the simulated group."""

    def create_group(self, group_id):
        plan = next(plan_groups(seed=SEED))
        group = GroupState(group_id)
        group.add_facts(to_definitions(plan))
        group.mark_whole()
        return group


def watched(deliveries):
    plan = next(plan_groups(seed=SEED))
    watch = GroupWatch(plan.task_group_id, Planned(), utc=True)
    watch.add(build_rows(deliveries))
    watch.step()
    return watch


def stored(deliveries):
    store = EventStore()
    store.add(build_rows(deliveries))
    return store


def opened(deliveries, height=30):
    page = GraphPage(watched(deliveries), stored(deliveries))
    page.update()
    page.settle(height)
    return page


def drawn(page, width=120):
    heading = page.draw_heading(width)
    page.settle(200)
    rows = [page.draw_row(index, width) for index in range(len(page))]
    return [line.plain for line in (*heading, *rows)]


def failed_task():
    layout = watched(simulated()).layout
    return layout.scene.wrong[0].node


def test_a_group_is_shown_as_graph_shows_it():
    """Title, verdict, bar; what went wrong first; kinds; the critical path."""
    lines = drawn(opened(simulated()))

    assert lines[0].startswith("task group ")
    assert "failed" in lines[1]
    assert lines[3].startswith("✖ ")
    assert any(line.startswith("▸ ") and "test " in line for line in lines)
    assert lines[-1].startswith("▸ critical path")


def test_a_kind_shows_its_tasks():
    """And hides them again; the kind stays selected."""
    page = opened(simulated())
    page.select_key(("kind", "test"))
    before = len(page)
    page.toggle_kind()
    during = len(page), page.selected.key
    page.move(2)
    page.expand(is_open=False)

    assert during[0] > before
    assert during[1] == page.selected.key == ("kind", "test")
    assert len(page) == before


def test_the_critical_path_shows_its_steps():
    """Each with its task."""
    page = opened(simulated())
    page.select(len(page) - 1)
    page.toggle_kind()
    page.move(1)

    assert page.selected.part == "step"
    assert page.get_subject().task_id


def test_what_is_selected_stays_while_the_group_goes_on():
    """Also when rows are added before it."""
    page = opened(simulated(120))
    page.select_key(("kind", "test"))
    page.toggle_kind()
    page.move(3)
    before = page.selected.key
    page.watch.add(build_rows(simulated()[120:]))
    page.watch.step()
    page.update()

    assert page.selected.key == before


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("start", [40, 120, 200, 260])
def test_the_selected_task_stays_whatever_becomes_of_it(start, is_open):
    """Its row, that of the tasks it is folded with, or its kind, if it has none any more."""
    deliveries = simulated()
    page = opened(deliveries[:start])
    if is_open:
        for kind in page.watch.layout.kinds:
            page.select_key(("kind", kind))
            page.expand(is_open=True)
    keys = [page.get_key(index) for index in range(len(page))]
    for end in range(start, len(deliveries), 25):
        page.watch.add(build_rows(deliveries[end : end + 25]))
        page.watch.step()
        page.update()
        rows = [page.get_row(page.find_key(key)) for key in keys]
        kinds = page.watch.layout.kinds
        assert all(is_about(row, key, kinds) for row, key in zip(rows, keys, strict=True))


def is_about(row, key, kinds):
    if row.row is None:
        tasks = {node.task_id for one in kinds.get(row.kind, ()) for node in one.nodes}
        return row.key == key or key[1] in tasks
    return key[1] in {node.task_id for node in row.row.nodes}


def test_the_next_failure_is_found():
    """And the first one after the last one."""
    page = opened(simulated())
    assert page.select_failure()
    first = page.selected.key
    for _ in range(50):
        page.select_failure()

    assert first[0] == page.selected.key[0] == "wrong"


def test_the_status_is_that_of_graph():
    """10 for a group with failures, 12 for one that has not ended."""
    assert opened(simulated()).exit_status == 10
    assert opened(simulated(30)).exit_status == 12


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_pane_tells_the_story_of_a_task(width):
    """Its runs; with `x` its last message."""
    page = opened(simulated())
    page.select_failure()

    story = "\n".join(line.plain for line in page.draw_pane(width, 20, raw=False))
    raw = "\n".join(line.plain for line in page.draw_pane(width, 20, raw=True))
    assert "run 0" in story
    assert "exchange/taskcluster-queue" in raw


def test_a_task_has_its_story_its_neighbours_and_its_message():
    """Its runs, the tasks before and after it, and the message as JSON."""
    node = failed_task()
    page = TaskPage(node.task_id, watched(simulated()), stored(simulated()), utc=True)
    page.update()
    lines = drawn(page)

    text = "\n".join(lines)
    assert node.label in lines[0]
    assert "run 0" in text
    assert f"depends on {len(node.dependencies)} task" in text
    assert '"taskId": ' in text
    assert page.exit_status == 10


def test_a_task_before_it_can_be_opened():
    """A row about another task has it as its subject."""
    node = failed_task()
    page = TaskPage(node.task_id, watched(simulated()), stored(simulated()), utc=True)
    page.update()
    page.select_key(("before", node.dependencies[0]))

    assert page.get_subject().task_id == node.dependencies[0]
    assert page.draw_pane(100, 9, raw=False)


def test_a_watch_knows_whether_it_shows_everything():
    """So that a picture at the end, and its exit status, are those of the last event."""
    watch = watched(simulated())
    assert watch.is_current

    watch.add(build_rows(simulated()[:1]))
    assert not watch.is_current

    watch.step()
    assert watch.is_current


def test_the_pane_of_a_kind_shows_what_is_below_it():
    """Without opening it; its first task, and for the critical path its steps."""
    page = opened(simulated())
    for part, words in (("build", "build-"), ("critical path", " ran ")):
        page.select_key(("kind", part))
        lines = [line.plain for line in page.draw_pane(100, 5, raw=False)]

        assert words in lines[0]
        page.expand(is_open=True)
        assert not page.draw_pane(100, 5, raw=False)


def test_the_pane_of_a_task_shows_its_last_message():
    """On lines about the task itself, which are all but those of its neighbours."""
    node = failed_task()
    page = TaskPage(node.task_id, watched(simulated()), stored(simulated()), utc=True)
    page.update()
    page.select(0)

    text = "\n".join(line.plain for line in page.draw_pane(100, 5, raw=False))
    assert f"task {node.task_id}" in text
    assert node.label in text


def test_a_row_of_a_kind_is_not_dim():
    """Only the mark before it is."""
    page = opened(simulated())
    [place] = [n for n in range(len(page)) if page.get_key(n) == ("kind", "build")]

    row = page.draw_row(place, 100)

    assert not row.style
    assert row.spans[0].style == "dim"
    assert row.spans[0].end == 2


def test_the_end_of_the_log_is_shown():
    """When it was fetched, with its address; its text is not interpreted."""
    node = failed_task()
    tails = {(node.task_id, node.run.run_id): ["make: *** Error 2", "[red]\x1b[31mx"]}
    page = TaskPage(
        node.task_id,
        watched(simulated()),
        stored(simulated()),
        lambda _runs: tails,
        "https://tc.example.org",
        utc=True,
    )
    page.update()
    page.update()
    text = "\n".join(drawn(page))

    assert f"log of run {node.run.run_id}" in text
    assert "│ make: *** Error 2" in text
    assert "[red]\\x1b[31mx" in text


def test_a_task_of_an_unknown_group_waits():
    """The page is there before anything is known."""
    watch = GroupWatch("x", GroupFacts())
    page = TaskPage("G41B6K1FS32lQTjXgb4J2g", watch, EventStore())
    page.update()

    assert page.exit_status == 12
    assert len(drawn(page)) <= 1


def test_pools_are_counted_and_sorted():
    """By every column, the selected one staying selected."""
    counts = PoolCounts(RunCounter("pool", "pending"))
    counts.add([Event(delivery) for delivery in simulated()])
    times = iter(range(0, 1_000, 10))
    page = PoolsPage(counts, clock=lambda: next(times))
    page.update()
    page.settle(20)
    page.select(1)
    name = page.get_subject().pool
    for _ in SORTS:
        page.sort_next()
        lines = drawn(page)

    assert page.get_subject().pool == name
    assert "POOL" in lines[0]
    assert any(name in line for line in lines)
    assert page.describe_state() == f"sorted by {SORTS[0]}"


def test_paused_pools_stand_still():
    """Until the page goes on."""
    counts = PoolCounts(RunCounter("pool", "pending"))
    times = iter(range(0, 1_000, 10))
    page = PoolsPage(counts, clock=lambda: next(times))
    page.update()
    page.toggle_pause()

    assert not page.update()
    assert "paused" in page.describe_state()


def test_an_error_of_the_thread_is_kept():
    """The screen's thread raises it again."""

    class Broken(GroupFacts):
        def create_group(self, group_id):
            raise RuntimeError(group_id)

    watch = GroupWatch("x", Broken())
    watch._run()  # noqa: SLF001 - without a thread

    assert isinstance(watch.failure, RuntimeError)
