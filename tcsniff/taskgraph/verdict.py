"""How a task group is doing, in one word and one line.

Pure. The rules are a table: the first one that applies is the verdict, and the last one
always applies. The words are fixed, because scripts depend on them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from math import inf
from typing import NamedTuple

from tcsniff.pulse.times import format_duration, format_minute, parse_seconds
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.forecast import estimate_time_left
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.nodes import WAITING, Node

_MAX_REASONS = 4  # why tasks ended in exception; others are only counted


class Verdict(NamedTuple):
    """How a group is doing.

    Attributes:
        word: One of `WORDS`.
        text: A line for people; safe for a terminal.
    """

    word: str
    text: str


class _Facts:
    # What the rules ask about a group at one moment.

    def __init__(self, graph: Graph, now: float, *, utc: bool) -> None:
        self.graph = graph
        self.now = now
        self._utc = utc
        counts = graph.states
        self.tasks = len(graph.nodes)
        self.completed = counts.get("completed", 0)
        self.failed = counts.get("failed", 0)
        self.running = counts.get("running", 0)
        self.pending = counts.get("pending", 0)
        self.waiting = sum(counts.get(state, 0) for state in WAITING)
        self.ended = self.tasks - self.running - self.pending - self.waiting
        self.exceptions = self.ended - self.completed - self.failed

    @cached_property
    def hopeless(self) -> list[Node]:
        nodes = self.graph.nodes
        return [node for node in self.graph.blocking.hopeless.values() if node.task_id in nodes]

    @property
    def has_ended(self) -> bool:
        return self.ended == self.tasks

    @property
    def is_stuck(self) -> bool:
        return not self.running and not self.pending and len(self.hopeless) == self.waiting

    @property
    def length(self) -> str:
        return format_duration(self.graph.measure_span(self.now))

    def format_clock(self, seconds: float) -> str:
        return format_minute(seconds, utc=self._utc)

    def format_since(self) -> str:
        since = self.graph.since
        return "" if since is None else f" since {self.format_clock(since)}"

    def format_left(self) -> str:
        if self.graph.blocking.waits_outside:
            return ""  # how long tasks of other groups take can't be estimated
        left = estimate_time_left(self.graph, self.now)
        return f", about {format_duration(left)} left" if left else ""


class _Rule(NamedTuple):
    word: str
    applies: Callable[[_Facts], bool]
    format_text: Callable[[_Facts], str]


def judge_group(graph: Graph, now: float, *, utc: bool = False) -> Verdict:
    """Return how a group is doing.

    Args:
        graph: The group.
        now: The time, in seconds since the Unix epoch.
        utc: Whether times of day are in UTC instead of the local time zone.
    """
    facts = _Facts(graph, now, utc=utc)
    rule = next(rule for rule in _RULES if rule.applies(facts))
    return Verdict(rule.word, rule.format_text(facts))


def describe_unknown(graph: Graph, *, utc: bool = False) -> str | None:
    """Return which tasks of a group are not known at the end; None if all are."""
    facts = _Facts(graph, 0.0, utc=utc)
    if graph.nodes and not graph.is_certain:
        return _format_partial(facts)
    if number := graph.unheard_count:
        return f"{number:,} of {_count(facts.tasks, 'task')} {_have(number)} not been heard of"
    return None if graph.nodes else f"nothing is known about task group {graph.task_group_id}"


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _format_unknown(facts: _Facts) -> str:
    return f"nothing known yet: waiting for this group's first event{facts.format_since()}"


def _format_partial(facts: _Facts) -> str:
    reasons = sanitize("; ".join(facts.graph.unknowns))
    announced = f"{_count(facts.tasks, 'task')} announced{facts.format_since()}"
    return f"known in part: {announced} ({reasons})"


def _format_completed(facts: _Facts) -> str:
    return f"completed in {facts.length}"


def _format_failed(facts: _Facts) -> str:
    exceptions = f", {_count(facts.exceptions, 'exception')}" if facts.exceptions else ""
    of = f"{facts.failed:,} of {_count(facts.tasks, 'task')}"
    return f"failed: {of} failed{exceptions}, in {facts.length}"


def _format_exception(facts: _Facts) -> str:
    reasons = Counter(
        sanitize((node.run and node.run.reason_resolved) or node.state)
        for node in facts.graph.nodes.values()
        if node.went_wrong
    )
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{number:,} {reason}" for reason, number in ordered[:_MAX_REASONS])
    if len(ordered) > _MAX_REASONS:
        listed += f", {sum(number for _, number in ordered[_MAX_REASONS:]):,} others"
    return (
        f"ended with exceptions: {facts.exceptions:,} of {facts.tasks:,} ({listed}), "
        f"in {facts.length}"
    )


def _format_stuck(facts: _Facts) -> str:
    number = len(facts.hopeless)
    causes = facts.graph.blocking.list_causes()
    names = sanitize(causes[0].label)
    if len(causes) > 1:
        names += f" and {_count(len(causes) - 1, 'other')}"
    ended = "failed" if causes[0].state == "failed" else "ended in exception"
    it_waits = "it waits" if number == 1 else "they wait"
    text = f"stuck: {_count(number, 'task')} can never run; {it_waits} for {names}, which {ended}"
    deadlines = [parse_seconds(node.deadline) for node in facts.hopeless]
    known = [deadline for deadline in deadlines if deadline is not None]
    return f"{text} (deadline {facts.format_clock(max(known))})" if known else text


def _format_waiting(facts: _Facts) -> str:
    if not facts.pending:
        return f"waiting to be scheduled: {_count(facts.waiting, 'task')}, none running"
    pending = facts.graph.index.list_members("pending")
    since = min(pending.values())
    age = "" if since == inf else f" up to {format_duration(facts.now - since)}"
    nodes = facts.graph.nodes
    pools = Counter(nodes[task_id].pool for task_id in pending if nodes[task_id].pool)
    where = ""
    if pools:
        where = f" on {sanitize(min(pools, key=lambda pool: (-pools[pool], pool)))}"
        if len(pools) > 1:
            where += f" and {_count(len(pools) - 1, 'other pool')}"
    number = _count(len(pending), "task")
    return f"waiting for machines: {number} pending{age}{where}, none running"


def _format_failing(facts: _Facts) -> str:
    wrong = f"{facts.failed:,} failed" if facts.failed else _count(facts.exceptions, "exception")
    number = len(facts.hopeless)
    hopeless = f"; {_count(number, 'task')} can no longer run" if number else ""
    return f"failing: {wrong}, {facts.running:,} running{hopeless}{facts.format_left()}"


def _format_running(facts: _Facts) -> str:
    return f"on its way: {facts.ended:,} of {facts.tasks:,} done{facts.format_left()}"


_RULES = (
    _Rule("unknown", lambda facts: not facts.tasks, _format_unknown),
    _Rule("partial", lambda facts: not facts.graph.is_certain, _format_partial),
    _Rule("completed", lambda facts: facts.completed == facts.tasks, _format_completed),
    _Rule("failed", lambda facts: facts.has_ended and facts.failed > 0, _format_failed),
    _Rule("exception", lambda facts: facts.has_ended, _format_exception),
    _Rule("stuck", lambda facts: facts.is_stuck, _format_stuck),
    # Nothing pending, and yet something can be scheduled: at once, or when a task of
    # another group has ended, or at a deadline.
    _Rule("waiting", lambda facts: not facts.running, _format_waiting),
    _Rule("failing", lambda facts: facts.failed + facts.exceptions > 0, _format_failing),
    _Rule("running", lambda _facts: True, _format_running),
)

WORDS = tuple(rule.word for rule in _RULES)
"""All verdicts."""
