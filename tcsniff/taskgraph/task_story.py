"""The story of one task: its runs, what it waits for, who needs it, and what is not known.

Pure. How the task is doing is a table of rules: the first one that applies is the verdict,
and the last one always applies. The words are fixed, because scripts depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from tcsniff.pulse.payloads import Run
from tcsniff.pulse.times import format_duration, parse_seconds
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.blocking import find_hopeless
from tcsniff.taskgraph.definitions import REQUIRES
from tcsniff.taskgraph.graph import ALL_COMPLETED, EXCEPTION, FAILED, INCOMPLETE
from tcsniff.taskgraph.nodes import UNHEARD, WAITING, Node
from tcsniff.taskgraph.summary import format_worker
from tcsniff.taskgraph.verdict import Verdict

RETRIES = {"retry": "retried", "task-retry": "retried", "rerun": "rerun"}
"""By the reason why a run was created, what became of the run before it."""
_NO_RUN = "exception"  # reason of a run that only holds the end of a task without a run
_MAX_DELAY = 60.0  # seconds; the queue schedules tasks every 5


class RunStory(NamedTuple):
    """A run of a task; times are in seconds since the Unix epoch, lengths in seconds.

    Attributes:
        run_id: Its number, from 0.
        state: One of `messages.RUN_STATES`, or an unknown word; empty if unknown.
        created: Why it was created, such as ``retry``; empty if unknown.
        reason: Why it ended, such as ``claim-expired``; empty before.
        scheduled: When it became pending; None if unknown.
        started: When a worker claimed it; None before, and if unknown.
        resolved: When it ended; None before, and if unknown.
        waited: How long it waited for a worker, so far; None if unknown.
        ran: How long it ran, so far; None if it did not start, and if unknown.
        worker: Its worker, group and ID; empty before a claim.
        sequel: What came after it: ``retried``, ``rerun``, or nothing.
    """

    run_id: int
    state: str
    created: str
    reason: str
    scheduled: float | None
    started: float | None
    resolved: float | None
    waited: float | None
    ran: float | None
    worker: str
    sequel: str

    @property
    def is_lost(self) -> bool:
        """Whether it failed or ended in exception."""
        return self.state in ("failed", "exception")


class Dependency(NamedTuple):
    """A task that the task waits for.

    Attributes:
        task_id: Its ID.
        node: The task; None if nothing is known of it.
        is_met: Whether it has ended as required.
        can_complete: Whether it completed, or can still do so; None if unknown.
    """

    task_id: str
    node: Node | None
    is_met: bool
    can_complete: bool | None

    @property
    def label(self) -> str:
        """Its name; its ID if the name is unknown."""
        return self.node.label if self.node else self.task_id


class PoolFacts(NamedTuple):
    """What is known about a worker pool.

    Attributes:
        pool: Its name.
        pending: How many tasks are pending, by the queue's last answer; None if unknown.
        claimed: How many tasks run, by the same answer; None if unknown.
        last_start: When the last task started of which that is known, in seconds since
            the Unix epoch; None if none is known.
        watched_since: The time since which all starts are received; None if they are not.
    """

    pool: str
    pending: int | None = None
    claimed: int | None = None
    last_start: float | None = None
    watched_since: float | None = None


class TaskFacts(NamedTuple):
    """What is known about a task, apart from its `Node`.

    Attributes:
        task_group_id: Its group; empty if unknown.
        scheduler_id: Its scheduler; empty if unknown.
        priority: Its priority; empty if unknown.
        routes: Its routes, without ``route.``; None if unknown.
        doubts: Why its state may be other than it is here; each a few words for people.
        pool: About its worker pool; None for nothing.
        has_dependents: Whether all tasks that depend on it are known.
    """

    task_group_id: str = ""
    scheduler_id: str = ""
    priority: str = ""
    routes: tuple[str, ...] | None = None
    doubts: tuple[str, ...] = ()
    pool: PoolFacts | None = None
    has_dependents: bool = False


class TaskStory(NamedTuple):
    """Everything that is known about a task at one moment.

    Attributes:
        node: The task; its state is `UNHEARD` if nothing was received about it.
        facts: What else is known about it.
        now: The moment, in seconds since the Unix epoch.
        verdict: How it is doing.
        runs: Its runs, in order.
        waits_for: Its dependencies, in their order, whether they have ended or not.
        causes: The tasks because of which it can never run: those that went wrong, else
            those that can never run themselves; all of them direct dependencies. Empty if
            it can run, or did.
        needed_by: The tasks that depend on it and have no run yet.
        hopeless: IDs of those among `needed_by` that can never run.
    """

    node: Node
    facts: TaskFacts
    now: float
    verdict: Verdict
    runs: tuple[RunStory, ...]
    waits_for: tuple[Dependency, ...]
    causes: tuple[Node, ...]
    needed_by: tuple[Node, ...]
    hopeless: Collection[str]

    @property
    def has_ended(self) -> bool:
        """Whether it has ended for now: it may run again."""
        return self.node.state != UNHEARD and not self.node.is_open

    @property
    def deadline(self) -> float | None:
        """When it must have ended, in seconds since the Unix epoch; None if unknown."""
        return parse_seconds(self.node.deadline)

    @property
    def lost_run(self) -> RunStory | None:
        """The run that made the task go wrong, and that has a log; None for no such run."""
        if not self.node.went_wrong or not self.runs:
            return None
        last = self.runs[-1]
        return last if last.is_lost and last.started is not None else None

    @property
    def exit_status(self) -> int:
        """The exit status for this task alone: 0 only if it is known and completed."""
        if self.node.state == "failed":
            return FAILED
        if self.node.went_wrong:
            return EXCEPTION
        is_certain = self.node.state == "completed" and not self.facts.doubts
        return ALL_COMPLETED if is_certain else INCOMPLETE


class Surroundings(NamedTuple):
    """The tasks around a task, and what follows from them; for several stories at once.

    Attributes:
        nodes: Tasks by ID.
        hopeless: Those that can never run, by ID.
        dependents: The tasks that depend on a task and have no run, by its ID.
    """

    nodes: Mapping[str, Node]
    hopeless: Mapping[str, Node]
    dependents: Mapping[str, Sequence[Node]]


def build_surroundings(nodes: Mapping[str, Node]) -> Surroundings:
    """Return what follows from tasks.

    Args:
        nodes: The tasks, by ID.
    """
    dependents: dict[str, list[Node]] = {}
    for node in nodes.values():
        if node.state in WAITING:
            for task_id in node.dependencies:
                dependents.setdefault(task_id, []).append(node)
    return Surroundings(nodes, find_hopeless(nodes), dependents)


def build_story(
    task_id: str, nodes: Mapping[str, Node] | Surroundings, facts: TaskFacts, now: float
) -> TaskStory:
    """Build the story of a task.

    Args:
        task_id: The task.
        nodes: The task, the tasks that it depends on, and those that depend on it, as far
            as they are known; others do no harm.
        facts: What else is known about the task.
        now: The time, in seconds since the Unix epoch.
    """
    around = nodes if isinstance(nodes, Surroundings) else build_surroundings(nodes)
    node = around.nodes.get(task_id) or _build_unknown_node(task_id)
    dependencies = tuple(
        _build_dependency(other, around.nodes.get(other), node, around.hopeless)
        for other in node.dependencies
    )
    needed_by = tuple(
        other for other in around.dependents.get(task_id, ()) if other.task_id != task_id
    )
    story = TaskStory(
        node,
        facts,
        now,
        Verdict("", ""),
        tuple(_build_runs(node.runs, now)),
        dependencies,
        _find_causes(node, dependencies) if task_id in around.hopeless else (),
        needed_by,
        {other.task_id for other in needed_by if other.task_id in around.hopeless},
    )
    rule = next(rule for rule in _RULES if rule.applies(story))
    return story._replace(verdict=Verdict(rule.word, rule.format_text(story)))


def find_exit_status(stories: Sequence[TaskStory]) -> int:
    """Return the exit status for several tasks: 0 only if all are known and completed."""
    statuses = {story.exit_status for story in stories}
    return next((status for status in _WORST_FIRST if status in statuses), INCOMPLETE)


_WORST_FIRST = (FAILED, EXCEPTION, INCOMPLETE, ALL_COMPLETED)


def _build_unknown_node(task_id: str) -> Node:
    return Node(task_id, task_id, "", "", (), REQUIRES, UNHEARD, (), is_defined=False)


def _build_runs(runs: Sequence[Run], now: float) -> list[RunStory]:
    followers = (*runs[1:], None)
    return [
        _build_run(run, RETRIES.get((follower and follower.reason_created) or "", ""), now)
        for run, follower in zip(runs, followers, strict=False)
    ]


def _build_run(run: Run, sequel: str, now: float) -> RunStory:
    scheduled, started, resolved = run.scheduled_at, run.started_at, run.resolved_at
    is_open = run.state in ("pending", "running")
    end = now if is_open else resolved
    is_waiting = run.reason_created != _NO_RUN and (started is not None or run.state != "running")
    return RunStory(
        run.run_id,
        run.state,
        run.reason_created or "",
        "" if is_open else run.reason_resolved or run.state,
        scheduled,
        started,
        resolved,
        _subtract(end if started is None else started, scheduled) if is_waiting else None,
        _subtract(end, started),
        format_worker(run) or "",
        sequel,
    )


def _subtract(end: float | None, start: float | None) -> float | None:
    return None if end is None or start is None else max(0.0, end - start)


def _build_dependency(
    task_id: str, other: Node | None, node: Node, hopeless: Mapping[str, Node]
) -> Dependency:
    if other is None or other.state == UNHEARD:
        return Dependency(task_id, other, is_met=False, can_complete=_can_wait(task_id, hopeless))
    has_ended = not other.is_open
    is_met = has_ended and (other.state == "completed" or node.requires != REQUIRES)
    can_complete = not other.went_wrong and task_id not in hopeless
    return Dependency(task_id, other, is_met, can_complete)


def _can_wait(task_id: str, hopeless: Mapping[str, Node]) -> bool | None:
    return False if task_id in hopeless else None


def _find_causes(node: Node, dependencies: Sequence[Dependency]) -> tuple[Node, ...]:
    known = [one.node for one in dependencies if one.node and one.can_complete is False]
    wrong = [other for other in known if other.went_wrong and other.task_id != node.task_id]
    return tuple(wrong or known)


class _Rule(NamedTuple):
    word: str
    applies: Callable[[TaskStory], bool]
    format_text: Callable[[TaskStory], str]


def _format_ended(story: TaskStory) -> str:
    last = story.runs[-1] if story.runs else None
    reason = sanitize((last and last.reason) or story.node.state)
    if last is None:
        return reason
    if last.ran is not None:
        return f"{reason} after {format_duration(last.ran)}"
    if last.resolved is None:
        return reason
    return f"{reason} before a worker started it"


def _format_running(story: TaskStory) -> str:
    ran = story.runs[-1].ran if story.runs else None
    return "running" if ran is None else f"running for {format_duration(ran)}"


def _format_pending(story: TaskStory) -> str:
    waited = story.runs[-1].waited if story.runs else None
    length = "" if waited is None else f" for {format_duration(waited)}"
    pool = story.facts.pool
    if pool is None or not pool.pool:
        return f"waits for a worker{length}"
    name = sanitize(pool.pool)
    start = _format_last_start(pool, story.now)
    if pool.pending is None:
        return f"waits for a worker of {name}{length}{start}"
    running = "" if pool.claimed is None else f" and {pool.claimed:,} running"
    if pool.claimed == 0:
        running = " and none running"
    others = f"{_count_others(pool.pending - 1)} pending{running} on {name}{start}"
    return f"waits for a worker{length}: {others}"


def _count_others(number: int) -> str:
    if number <= 0:
        return "no other is"
    return "1 other is" if number == 1 else f"{number:,} others are"


def _format_last_start(pool: PoolFacts, now: float) -> str:
    if pool.last_start is not None:
        return f", whose last task started {format_duration(now - pool.last_start)} ago"
    if pool.watched_since is not None and now - pool.watched_since >= _MAX_DELAY:
        return f", where none has started for {format_duration(now - pool.watched_since)}"
    return ""


def _format_stuck(story: TaskStory) -> str:
    return f"can never run: {_describe_causes(story.causes)}"


def _describe_causes(causes: Sequence[Node]) -> str:
    first, number = causes[0], len(causes) - 1
    ended = _describe_end(first)
    more = f", and {number:,} other{'s' * (number != 1)} can't complete" if number else ""
    return f"{sanitize(first.label)} {ended}{more}"


def _describe_end(node: Node) -> str:
    if not node.went_wrong:
        return "can never run"
    if node.state == "failed":
        return "failed"
    reason = (node.run and node.run.reason_resolved) or node.state
    return f"ended as {sanitize(reason)}"


def _format_blocked(story: TaskStory) -> str:
    left = [one for one in story.waits_for if not one.is_met]
    if any(one.task_id == story.node.task_id for one in left):
        return "waits for itself, until it is scheduled by hand"
    total = len(story.waits_for)
    of = f"{len(left):,} of {total:,}" if len(left) < total else f"{total:,}"
    names = ", ".join(describe_dependency(one, story.now) for one in left[:_MAX_NAMES])
    more = f" and {len(left) - _MAX_NAMES:,} more" if len(left) > _MAX_NAMES else ""
    return f"waits for {of} task{'s' * (total != 1)}: {names}{more}"


_MAX_NAMES = 3


def describe_dependency(dependency: Dependency, now: float) -> str:
    """Return a dependency's name, its state, and since when it is in that state.

    Args:
        dependency: The dependency.
        now: The time, in seconds since the Unix epoch.
    """
    return f"{sanitize(dependency.label)} {describe_progress(dependency, now)}"


def describe_progress(dependency: Dependency, now: float) -> str:
    """Return the state of a dependency and since when it is in it, without its name."""
    node = dependency.node
    if node is None or node.state == UNHEARD:
        return "can never run" if dependency.can_complete is False else "of unknown state"
    state = sanitize(node.state)
    if not node.went_wrong and dependency.can_complete is False:
        return f"{state}, can never run"
    since = node.since
    if not node.is_open or since is None:
        return state
    return f"{state} for {format_duration(now - since)}"


def _is_due(story: TaskStory) -> bool:
    # All dependencies have ended, and the queue has had time to notice.
    ends = [one.node.since for one in story.waits_for if one.node and one.node.since is not None]
    return bool(ends) and story.now - max(ends) <= _MAX_DELAY


def _format_unscheduled(story: TaskStory) -> str:
    if not story.node.is_defined:
        return "waits; its dependencies are unknown"
    if not story.waits_for:
        return "waits to be scheduled"
    if _is_due(story):
        return "is about to be scheduled"
    return "waits, although all its dependencies have ended"


def _format_unknown(story: TaskStory) -> str:
    return "its state is unknown" if story.node.is_defined else "nothing is known of it yet"


def _is_in(state: str) -> Callable[[TaskStory], bool]:
    return lambda story: story.node.state == state


_RULES = (
    _Rule("unknown", _is_in(UNHEARD), _format_unknown),
    _Rule("completed", _is_in("completed"), _format_ended),
    _Rule("failed", _is_in("failed"), _format_ended),
    _Rule("running", _is_in("running"), _format_running),
    _Rule("pending", _is_in("pending"), _format_pending),
    _Rule("exception", lambda story: story.node.went_wrong, _format_ended),
    # The others have no run.
    _Rule("stuck", lambda story: bool(story.causes), _format_stuck),
    _Rule(
        "blocked",
        lambda story: any(not dependency.is_met for dependency in story.waits_for),
        _format_blocked,
    ),
    _Rule("unscheduled", lambda _story: True, _format_unscheduled),
)

WORDS = tuple(rule.word for rule in _RULES)
"""All verdicts about a task."""
