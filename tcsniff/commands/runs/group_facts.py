"""What is known of a task group besides its events: from files, the demo and the queue.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from typing import Any

from tcsniff.commands.options.account_options import resolve_root_url
from tcsniff.commands.options.group_options import GraphInputArgs
from tcsniff.commands.options.source_options import SourceArgs
from tcsniff.commands.runs.open_source import ROOT_URL, Notify
from tcsniff.errors import ApiError, ApiUnknown, UsageError
from tcsniff.simulator.planning import to_definitions
from tcsniff.simulator.simulation import plans
from tcsniff.sources.file_chunks import read_whole
from tcsniff.taskgraph.graph_files import parse_graph_files
from tcsniff.taskgraph.group import GroupState


def load_demo_graph(task_group_id: str, seed: int | None, say: Notify) -> tuple[GroupState, int]:
    """Begin to follow the group that the demo has.

    Args:
        task_group_id: The group that was asked for; empty for any.
        seed: Of the demo; None for any.
        say: Tells the person something.

    Returns:
        The group, all of whose tasks are known, and the seed.
    """
    seed = random.randrange(1_000_000) if seed is None else seed
    plan = next(plans(seed=seed))
    if task_group_id not in ("", plan.task_group_id):
        say(f"the demo has its own task group: {plan.task_group_id}")
    following = GroupState(plan.task_group_id)
    following.add_facts(to_definitions(plan))
    following.mark_whole()
    return following, seed


def load_graph_files(files: Iterable[str], following: GroupState, say: Notify) -> GroupState:
    """Take in what files tell of a group.

    Args:
        files: Their names.
        following: The group.
        say: Tells the person something.

    Returns:
        The group; another one if it was not known which, and the files tell.

    Raises:
        UsageError: If they tell of other groups.
        RecordingError: If one cannot be read.
    """
    found = parse_graph_files((name, read_whole(name, say)) for name in files)
    for note in found.notes:
        say(note)
    groups = {group.task_group_id: group for group in found.groups}
    wanted = following.task_group_id
    if groups and wanted and wanted not in groups:
        raise UsageError(f"--graph tells of task group {', '.join(groups)}, not of {wanted}")
    if not wanted and len(groups) > 1:
        raise UsageError(
            f"--graph tells of the task groups {', '.join(groups)}: which one? "
            "tcsniff graph TASK_GROUP_ID"
        )
    if not wanted and groups:
        following = GroupState(next(iter(groups)))
    following.add_facts(found.definitions, found.statuses, groups.get(following.task_group_id))
    return following


def load_queue_graph(root_url: str, following: GroupState, *, statuses: bool) -> None:
    """Ask the queue for a group, and wait for all of its answer.

    Args:
        root_url: The deployment.
        following: The group.
        statuses: Whether to take in how its tasks are; else what they wait for alone.

    Raises:
        UsageError: If it is not known which group, or what was named is a task.
        ApiError: If the queue does not answer.
    """
    from tcsniff.sources.queue_api import QueueApi

    if not following.task_group_id:
        raise UsageError("which task group is the queue asked for? tcsniff graph TASK_GROUP_ID")
    api = QueueApi(root_url)
    try:
        for page in api.pages(following.task_group_id):
            following.add_facts(page.definitions, page.statuses if statuses else (), page.group)
        following.mark_whole()
    except ApiUnknown as error:
        raise explain_unknown_group(api, following.task_group_id, error) from error


def explain_unknown_group(api: Any, task_group_id: str, error: ApiError) -> ApiError | UsageError:
    """Word why there is no such group: it may be a task, whose id looks the same.

    Args:
        api: The queue.
        task_group_id: What was asked for.
        error: What it answered.
    """
    try:
        group = api.group_of(task_group_id)
    except ApiError:
        return error
    return UsageError(
        f"{task_group_id} is a task of the task group {group}: tcsniff graph {group}"
    )


def find_root_url(origin: SourceArgs, asking: GraphInputArgs) -> str | None:
    """Tell which deployment is meant; None if nothing tells.

    A broker or profile that somebody names goes before the environment, and
    that before the profile that nobody names.

    Raises:
        UsageError: If what was given is no root URL.
    """
    account, typed = origin.account, asking.root_url
    is_named = bool(account.url or account.profile)
    if typed is not None or (is_named and origin.is_live):
        found = resolve_root_url(account, typed)
    else:
        found = None
    found = found or os.environ.get(ROOT_URL)
    if found is None and origin.is_live and not is_named:
        return resolve_root_url(account, None)
    return found
