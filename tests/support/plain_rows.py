"""The rows of a picture of a group, by walking all its tasks; see `plain_graph`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from plain_graph import rank_nodes
from tcsniff.taskgraph.blocking import Blocked
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.outline import Row

_OPEN_FIRST = ("running", "pending", "unscheduled", "unheard", "failed", "exception", "completed")
_STATE_ORDER = {state: place for place, state in enumerate(_OPEN_FIRST)}
_NUMBER = re.compile(r"([0-9]{1,18})")
_MINUTE = 60.0
NaturalKey = tuple[tuple[int, int, str], ...]


def get_natural_key(label: str) -> NaturalKey:
    """Return a sort key by which chunk 2 comes before chunk 10."""
    return tuple(
        (0, int(part), part) if number % 2 else (1, 0, part)
        for number, part in enumerate(_NUMBER.split(label))
    )


def get_node_key(node: Node) -> tuple[NaturalKey, str]:
    """Return a sort key for tasks by label, in natural order."""
    return get_natural_key(node.label), node.task_id


def get_age_order(node: Node) -> tuple[bool, float, NaturalKey, str]:
    """Return a sort key for tasks of one state, the oldest first."""
    since = node.since
    return since is None, since or 0.0, *get_node_key(node)


def list_wrong(nodes: Iterable[Node], blocks: Mapping[str, int]) -> list[Row]:
    """Return rows for the tasks that went wrong; those that are being retried did not.

    Tasks that ended in exception for one reason in one minute, and that no other task waits
    for, share a row: a user has canceled them, or their deadline has passed.

    Args:
        nodes: All tasks.
        blocks: How many tasks wait for each, by its ID.

    Returns:
        First those that block the most tasks, then failures, then exceptions, each
        from new to old.
    """

    def get_key(node: Node) -> object:
        return node.task_id if node.task_id in blocks else _get_ending_key(node)

    def get_order(row: Row) -> tuple[int, bool, float, NaturalKey, str]:
        node = row.node
        blocked = blocks.get(node.task_id, 0)
        return -blocked, node.state != "failed", -(node.since or 0.0), *get_node_key(node)

    wrong = sorted((node for node in nodes if node.went_wrong), key=get_node_key)
    return sorted(_fold(wrong, get_key), key=get_order)


def list_tasks(nodes: Iterable[Node], blocked: Mapping[str, Blocked]) -> list[Row]:
    """Return rows for the tasks of a kind.

    Tasks that wait for the same, and those that ended in exception for one reason in one
    minute, share a row.

    Args:
        nodes: The tasks.
        blocked: The tasks that wait, by ID.

    Returns:
        By state, open ones first; of those that run or are pending the oldest first, the
        others in natural order.
    """

    def get_key(node: Node) -> object:
        if node.state == "unscheduled":
            waits = blocked.get(node.task_id)
            is_folded = node.is_defined and waits is not None and waits.by
            return ("waits", waits.by) if waits and is_folded else node.task_id
        return _get_ending_key(node)

    def get_order(node: Node) -> tuple[object, ...]:
        place = _STATE_ORDER.get(node.state, 0)
        if node.state in ("running", "pending"):
            return (place, *get_age_order(node))
        return (place, False, 0.0, *get_node_key(node))

    return _fold(sorted(nodes, key=get_order), get_key)


def _fold(nodes: Iterable[Node], get_key: Callable[[Node], object]) -> list[Row]:
    # In the order of the first task of each row.
    groups: dict[object, list[Node]] = {}
    for node in nodes:
        groups.setdefault(get_key(node), []).append(node)
    return [_build_row(group) for group in groups.values()]


def _get_ending_key(node: Node) -> object:
    # Equal for tasks that ended in exception for one reason in one minute.
    run = node.run
    if node.state != "exception" or run is None:
        return node.task_id
    ended_at = run.resolved_at
    return run.reason_resolved, None if ended_at is None else ended_at // _MINUTE


def _build_row(nodes: list[Node]) -> Row:
    if len(nodes) == 1:
        return Row((nodes[0],))
    ends = [node.since for node in nodes if node.went_wrong and node.since is not None]
    run = nodes[0].run
    reason = (run.reason_resolved or run.state) if run and nodes[0].went_wrong else ""
    return Row(tuple(nodes), reason, min(ends, default=None))


def group_by_kind(graph: Graph) -> dict[str, list[Node]]:
    ranks = rank_nodes(graph.nodes)
    kinds: dict[str, list[Node]] = {}
    for node in graph.nodes.values():
        kinds.setdefault(node.kind, []).append(node)
    decision = graph.nodes.get(graph.task_group_id)

    def get_order(kind: str) -> tuple[int, bool, str]:
        # The median rank, so that a few tasks without dependencies don't move a kind.
        in_order = sorted(ranks[node.task_id] for node in kinds[kind])
        is_decision = decision is not None and kind == decision.kind
        return in_order[len(in_order) // 2], not is_decision, kind

    return {kind: kinds[kind] for kind in sorted(kinds, key=get_order)}
