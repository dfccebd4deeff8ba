"""Facts about a task group from files, the demo and the queue, in addition to its events.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path

from tcsniff.commands.console import ignore_message
from tcsniff.commands.options.group_options import GraphInputArgs
from tcsniff.commands.options.source_options import SourceArgs, is_deployment_named
from tcsniff.commands.wiring.open_source import find_api_server
from tcsniff.commands.wiring.run import Notify
from tcsniff.errors import ApiError, ApiUnknown, UsageError
from tcsniff.pulse.addresses import Address
from tcsniff.pulse.events import Event
from tcsniff.selection.select import build_selection
from tcsniff.selection.selection_args import SelectionArgs
from tcsniff.settings.web_server import WebServer
from tcsniff.sources.file_chunks import read_whole
from tcsniff.sources.group_pages import fetch_group_pages
from tcsniff.sources.queue_api import QueueApi
from tcsniff.sources.queue_polling import PageFetch
from tcsniff.sources.recording import Recording
from tcsniff.taskgraph.graph_files import parse_graph_files
from tcsniff.taskgraph.group import GroupState


class TaskOfGroup(UsageError):
    """The ID of a task where that of a task group was expected.

    Attributes:
        task_group_id: The group of the task.
    """

    def __init__(self, task_id: str, task_group_id: str) -> None:
        super().__init__(
            f"{task_id} is a task of the task group {task_group_id}: tcsniff graph {task_group_id}"
        )
        self.task_group_id = task_group_id


def find_group(address: Address, origin: SourceArgs, facts: GraphInputArgs, notify: Notify) -> str:
    """Return the ID of the group that a task belongs to.

    Args:
        address: The address of the task.
        origin: The source of events.
        facts: The source of dependencies.
        notify: Prints a message.

    Returns:
        The ID of the task, which is often that of its group, if nothing can be asked.

    Raises:
        ApiError: If the queue's API doesn't answer, or doesn't know the task.
    """
    server = find_api_server(origin)
    if server is None or facts.no_api or not (origin.is_live or is_deployment_named(origin)):
        return address.slug_id
    group = QueueApi(server).fetch_group_id(address.slug_id)
    if group != address.slug_id:
        notify(f"{address.slug_id} is a task of the task group {group}, which is shown")
    return group


def find_recorded_group(origin: SourceArgs, task_id: str) -> str | None:
    """Return the ID of the group of a recorded task.

    Args:
        origin: The recordings, which are read once more.
        task_id: What may be the ID of a task; empty for none.

    Returns:
        None if no event is about such a task, or the recordings can be read only once.
    """
    if not task_id or not all(Path(name).is_file() for name in origin.recordings):
        return None
    selection = build_selection(SelectionArgs(fields={"taskId": [task_id]}))
    with Recording(origin.recordings, ignore_message, selection=selection) as recording:
        for batch in recording.batches():
            for delivery in batch:
                if group := Event(delivery).routing.get("taskGroupId"):
                    return group
    return None


def load_demo_graph(
    task_group_id: str, seed: int | None, notify: Notify
) -> tuple[GroupState, int]:
    """Create the demo's group.

    Args:
        task_group_id: The group that the user named; empty for any.
        seed: Of the demo; None for a random one.
        notify: Prints a message.

    Returns:
        The group with the definitions of all its tasks, and the seed.
    """
    from tcsniff.simulator.planning import to_definitions  # 8 ms, for the demo only
    from tcsniff.simulator.simulation import plan_groups

    seed = random.randrange(1_000_000) if seed is None else seed
    plan = next(plan_groups(seed=seed))
    if task_group_id not in ("", plan.task_group_id):
        notify(f"the demo has its own task group: {plan.task_group_id}")
    group = GroupState(plan.task_group_id)
    group.add_facts(to_definitions(plan))
    group.mark_whole()
    return group, seed


def load_graph_files(files: Iterable[str], group: GroupState, notify: Notify) -> GroupState:
    """Read graph files into a group.

    Args:
        files: Their names.
        group: The group.
        notify: Prints a message.

    Returns:
        The group; the one in the files if it had no ID yet.

    Raises:
        UsageError: If the files are about other groups.
        RecordingError: If a file cannot be read.
    """
    found = parse_graph_files((name, read_whole(name, notify)) for name in files)
    for note in found.notes:
        notify(note)
    groups = {info.task_group_id: info for info in found.groups}
    wanted = group.task_group_id
    if groups and wanted and wanted not in groups:
        raise UsageError(f"--graph has task group {', '.join(groups)}, not {wanted}")
    if not wanted and len(groups) > 1:
        raise UsageError(
            f"--graph has the task groups {', '.join(groups)}; choose one: "
            "tcsniff graph TASK_GROUP_ID"
        )
    if not wanted and groups:
        group = GroupState(next(iter(groups)))
    info = groups.get(group.task_group_id)
    group.add_facts(found.definitions, found.statuses, info, found.unread)
    if group.task_group_id in found.whole:
        group.mark_whole()
    return group


def load_queue_graph(
    server: WebServer,
    group: GroupState,
    *,
    statuses: bool,
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    """Ask the queue's API for a group, and wait for the whole answer.

    Args:
        server: The deployment.
        group: The group.
        statuses: Whether to read the tasks' states in addition to their definitions.
        meanwhile: Called while the first answer is awaited.

    Raises:
        UsageError: If the group's ID is unknown, or that of a task.
        ApiError: If the API doesn't answer.
    """
    if not group.task_group_id:
        raise UsageError(
            "the task group to ask the queue for is missing: tcsniff graph TASK_GROUP_ID"
        )
    api, group_id = QueueApi(server), group.task_group_id
    # While a page is merged, the next one is fetched: 10,000 tasks take a quarter less time, on
    # a busy machine.
    fetch = PageFetch(fetch_group_pages(api, group_id) if statuses else api.fetch_pages(group_id))
    fetch.start()
    meanwhile()
    try:
        for page in fetch.wait_for_pages():
            if statuses:
                group.add_page(page)
            else:
                group.add_facts(page.definitions, group=page.group, unread=page.unread)
            group.graph()  # arranges these tasks now, instead of all of them at the end
        group.mark_whole()
    except ApiUnknown as error:
        raise explain_unknown_group(api, group.task_group_id, error) from error


def explain_unknown_group(
    api: QueueApi, task_group_id: str, error: ApiError
) -> ApiError | UsageError:
    """Return the error for an unknown group, whose ID may be that of a task.

    Args:
        api: The queue's API.
        task_group_id: The ID.
        error: The API's answer.
    """
    try:
        group = api.fetch_group_id(task_group_id)
    except ApiError:
        return error
    return TaskOfGroup(task_group_id, group)
