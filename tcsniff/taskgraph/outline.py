"""The rows of a picture of a task group: which tasks stand in one row, and in which order.

Pure. Rows are data; `renderers.graph` draws them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nsmallest
from itertools import chain
from math import inf
from typing import NamedTuple

from tcsniff.pulse.payloads import Run
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.natural_order import get_node_key
from tcsniff.taskgraph.nodes import OPEN, Node
from tcsniff.taskgraph.timeline import Timeline
from tcsniff.taskgraph.waiting_tasks import Siblings

_OPEN_FIRST = ("running", "pending", "unscheduled", "unheard", "failed", "exception", "completed")
_FOLDED = ("unscheduled", "exception")  # states of tasks that may share a row
_UNKNOWN = ""  # stands for all other states, which come first
_MINUTE = 60.0  # seconds


class Row(NamedTuple):
    """Tasks of which the same can be said.

    Attributes:
        nodes: The tasks, in natural order; one unless they are equal.
        reason: Why their last runs ended; empty for one task and for tasks that wait.
        ended_at: When the first of them ended, in seconds since the Unix epoch; None for
            one task and for tasks that wait.
    """

    nodes: tuple[Node, ...]
    reason: str = ""
    ended_at: float | None = None

    @property
    def node(self) -> Node:
        """The first task."""
        return self.nodes[0]


def find_lost_run(node: Node) -> Run | None:
    """Return a task's last run that failed or ended in exception; None if there is none."""
    lost = (run for run in reversed(node.runs) if run.state in ("failed", "exception"))
    return next(lost, None)


def list_wrong(graph: Graph) -> list[Row]:
    """Return rows for the tasks that went wrong; those that are being retried did not.

    Tasks that ended in exception for one reason in one minute, and that no other task waits
    for, share a row: a user has canceled them, or their deadline has passed.

    Returns:
        First those that block the most tasks, then failures, then exceptions, each
        from new to old.
    """
    since = graph.index.list_wrong()
    if not since:
        return []
    blocks, timeline = graph.blocking.numbers, graph.index.timeline

    def get_order(row: Row) -> tuple[int, bool, float, str, str]:
        node = row.nodes[0]
        task_id = node.task_id
        ended = 0.0 if since[task_id] == inf else since[task_id]
        return -blocks.get(task_id, 0), node.state != "failed", -ended, *get_node_key(node)

    wrong = [graph.nodes[task_id] for task_id in since]
    alike = [node for node in wrong if node.state == "exception" and node.task_id not in blocks]
    rows = [Row((node,)) for node in wrong if node.state != "exception" or node.task_id in blocks]
    rows += [_build_row(some, timeline) for some in _fold_endings(alike, timeline)]
    return sorted(rows, key=get_order)


class KindOutline:
    """The tasks of a kind.

    Attributes:
        name: The kind.
        counts: How many are in each state, as `count_states`.
        waiting: The unscheduled ones, in the order of the graph.
    """

    def __init__(self, name: str, graph: Graph, waiting: Sequence[Siblings]) -> None:
        """Create an outline; rows are found when they are asked for.

        Args:
            name: The kind.
            graph: Its group.
            waiting: Its unscheduled tasks, in the order of the graph.
        """
        self.name = name
        self.counts = graph.index.count_states(name)
        self.waiting = waiting
        self._graph = graph

    def __len__(self) -> int:
        return sum(self.counts.values())

    @property
    def open_count(self) -> int:
        """How many have not ended."""
        return sum(number for state, number in self.counts.items() if state in OPEN)

    @property
    def min_rows(self) -> int:
        """The minimum number of rows: one for each task that shares its row with no other."""
        return len(self) - sum(self.counts.get(state, 0) for state in _FOLDED)

    def list_oldest(self, state: str, limit: int | None = None) -> list[Node]:
        """Return the tasks that are in a state, the first that entered it first.

        Args:
            state: The state.
            limit: The maximum number of tasks; None for all.
        """
        pools = self._graph.index.members[self.name].values()
        parts = [states[state] for states in pools if state in states]
        last = inf
        if limit is not None and limit < self.counts.get(state, 0):
            # Most tasks are not shown: only the oldest are put in order, and those that are
            # as old as the last of them.
            times = chain.from_iterable(members.values() for members in parts)
            last = max(nsmallest(max(1, limit), times))
        nodes = self._graph.nodes
        oldest = sorted(
            (since, *get_node_key(nodes[task_id]))
            for members in parts
            for task_id, since in members.items()
            if since <= last
        )
        return [nodes[task_id] for _, _, task_id in oldest[:limit]]

    def list_rows(self, limit: int | None = None, *, only_open: bool = False) -> list[Row]:
        """Return rows for the tasks.

        Tasks that wait for the same, and those that ended in exception for one reason in one
        minute, share a row.

        Args:
            limit: The maximum number of rows; None for all.
            only_open: Whether to leave out tasks that have ended.

        Returns:
            By state, open ones first; of those that run or are pending the oldest first, the
            others in natural order.
        """
        rows: list[Row] = []
        for state in self._order_states(only_open=only_open):
            left = None if limit is None else limit - len(rows)
            if left is not None and left <= 0:
                break
            rows += self._list_state(state, left)
        return rows

    def _order_states(self, *, only_open: bool) -> list[str]:
        unknown = [state for state in self.counts if state not in _OPEN_FIRST]
        states = [_UNKNOWN] if unknown else []
        states += [state for state in _OPEN_FIRST if state in self.counts]
        return [state for state in states if state in OPEN or not only_open]

    def _list_state(self, state: str, limit: int | None) -> list[Row]:
        timeline = self._graph.index.timeline
        if state in ("running", "pending"):
            return [Row((node,)) for node in self.list_oldest(state, limit)]
        if state == "unscheduled":
            return self._list_waiting(limit)
        if state == "exception":
            groups = _fold_endings(self._list_nodes(state), timeline)
            groups.sort(key=lambda group: min(map(get_node_key, group)))
            return [_build_row(group, timeline) for group in groups[:limit]]
        return [Row((node,)) for node in sorted(self._list_nodes(state), key=get_node_key)[:limit]]

    def _list_nodes(self, state: str) -> list[Node]:
        states = [state]
        if state == _UNKNOWN:
            states = [other for other in self.counts if other not in _OPEN_FIRST]
        index, nodes = self._graph.index, self._graph.nodes
        return [nodes[one] for state in states for one in index.list_members(state, self.name)]

    def _list_waiting(self, limit: int | None) -> list[Row]:
        # Each row's tasks are in several lists, each of them in order.
        rows: list[list[list[tuple[str, str]]]] = []
        by_blockers: dict[tuple[str, ...], list[list[tuple[str, str]]]] = {}
        for siblings in self.waiting:
            by = self._graph.blocking.list_blockers(siblings)
            if by:
                by_blockers.setdefault(by, []).append(siblings.list_keys())
            else:
                rows += [[[key]] for key in siblings.list_keys()]
        rows += by_blockers.values()
        rows.sort(key=lambda lists: min(keys[0] for keys in lists))
        nodes = self._graph.nodes
        return [
            Row(tuple([nodes[task_id] for _, task_id in sorted(chain.from_iterable(lists))]))
            for lists in rows[:limit]
        ]


def outline_kinds(graph: Graph) -> dict[str, KindOutline]:
    """Return the tasks of each kind, in the order of the graph."""
    waiting: dict[str, list[Siblings]] = {}
    for siblings in graph.blocking.groups:
        if siblings.state == "unscheduled":
            waiting.setdefault(siblings.kind, []).append(siblings)
    names = graph.index.sort_kinds(graph.task_group_id)
    return {name: KindOutline(name, graph, waiting.get(name, ())) for name in names}


def count_tasks(rows: Iterable[Row]) -> int:
    """Return the number of tasks in rows."""
    return sum(len(row.nodes) for row in rows)


def join_labels(labels: Sequence[str]) -> list[str]:
    """Return labels, without what a label has in common with the first of its chunks.

    Args:
        labels: In natural order.

    Returns:
        Such as ``test-a-1``, ``-2``, ``-3``, ``test-b-1``.
    """
    joined: list[str] = []
    stem = None
    for label in labels:
        start, dash, chunk = label.rpartition("-")
        if dash and start == stem and chunk.isdigit():
            joined.append(f"-{chunk}")
        else:
            joined.append(label)
            stem = start if dash and chunk.isdigit() else None
    return joined


def _fold_endings(nodes: Iterable[Node], timeline: Timeline) -> list[list[Node]]:
    # Tasks that ended in exception.
    groups: dict[object, list[Node]] = {}
    for node in nodes:
        groups.setdefault(_get_ending_key(node, timeline), []).append(node)
    return list(groups.values())


def _get_ending_key(node: Node, timeline: Timeline) -> object:
    # Equal for tasks that ended for one reason in one minute.
    if not node.runs:
        return node.task_id
    ended_at = timeline.runs[node.task_id][-1].resolved
    return node.runs[-1].reason_resolved, None if ended_at is None else ended_at // _MINUTE


def _build_row(nodes: list[Node], timeline: Timeline) -> Row:
    if len(nodes) == 1:
        return Row((nodes[0],))
    in_order = tuple(sorted(nodes, key=get_node_key))
    ends = [end for node in nodes if (end := timeline.get_changed(node)) is not None]
    run = in_order[0].runs[-1]
    return Row(in_order, run.reason_resolved or run.state, min(ends, default=None))
