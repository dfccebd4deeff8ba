"""Facts about named tasks from files, the demo and the queue, in addition to their events.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from contextlib import suppress

from tcsniff.commands.wiring.run import Notify
from tcsniff.errors import ApiUnknown, UsageError
from tcsniff.selection.select import Selection, build_selection
from tcsniff.selection.selection_args import SelectionArgs
from tcsniff.settings.web_server import WebServer
from tcsniff.simulator.planning import Plan, to_definitions
from tcsniff.simulator.simulation import plan_groups
from tcsniff.sources.file_chunks import read_whole
from tcsniff.sources.queue_api import QueueApi
from tcsniff.sources.queue_polling import PageFetch
from tcsniff.sources.task_answers import fetch_task_answers
from tcsniff.taskgraph.graph_files import parse_graph_files
from tcsniff.taskgraph.named_tasks import MissingTask, NamedTasks
from tcsniff.taskgraph.tracker import Change

_MAX_DEFINITIONS = 50  # of tasks that named ones depend on


def load_demo_tasks(
    task_ids: Sequence[str], seed: int | None, notify: Notify
) -> tuple[NamedTasks, int]:
    """Create the demo's tasks.

    Args:
        task_ids: The tasks that the user named; empty for any.
        seed: Of the demo; None for a random one.
        notify: Prints a message.

    Returns:
        The tasks with all definitions of their group, and the seed.
    """
    seed = random.randrange(1_000_000) if seed is None else seed
    plan = next(plan_groups(seed=seed))
    known = {task.task_id for task in plan.tasks}
    if not task_ids or not known.issuperset(task_ids):
        if task_ids:
            notify(f"the demo has its own tasks; its task group is {plan.task_group_id}")
        task_ids = (_choose_task(plan),)
    tasks = NamedTasks(task_ids)
    tasks.add_definitions(to_definitions(plan))
    tasks.mark_dependents()
    return tasks, seed


def _choose_task(plan: Plan) -> str:
    # A build waits for others, and others wait for it.
    return next(task.task_id for task in plan.tasks if task.kind == "build")


def load_task_files(files: Iterable[str], tasks: NamedTasks, notify: Notify) -> None:
    """Read graph files into named tasks.

    Args:
        files: Their names.
        tasks: The tasks.
        notify: Prints a message.

    Raises:
        RecordingError: If a file cannot be read.
    """
    found = parse_graph_files((name, read_whole(name, notify)) for name in files)
    for note in found.notes:
        notify(note)
    tasks.add_definitions(found.definitions)
    tasks.add_statuses(found.statuses)
    if found.whole:
        tasks.mark_dependents()


def load_definitions(server: WebServer, tasks: NamedTasks) -> None:
    """Ask the queue's API for the definitions of tasks, and of those that they depend on.

    Raises:
        ApiError: If the API doesn't answer, or does not know one of the tasks.
    """
    api = QueueApi(server)
    named = [api.fetch_task(task_id) for task_id in tasks.task_ids]
    tasks.add_definitions(named)
    others = dict.fromkeys(other for one in named for other in one.dependencies)
    for task_id in [one for one in others if one not in tasks.task_ids][:_MAX_DEFINITIONS]:
        try:
            tasks.add_definitions([api.fetch_task(task_id)])
        except ApiUnknown:
            continue  # it has expired


def load_queue_tasks(server: WebServer, tasks: NamedTasks) -> None:
    """Ask the queue's API for tasks, and wait for the whole answer.

    Args:
        server: The deployment.
        tasks: The tasks.

    Raises:
        UsageError: If one of the IDs is that of a task group.
        ApiError: If the API doesn't answer, or knows none of the tasks.
    """
    api = QueueApi(server)
    for answer in fetch_task_answers(api, tasks.task_ids, {}, ()):
        tasks.add_answer(answer)
    for missing in tasks.missing.values():
        check_missing_task(missing)
        if len(tasks.missing) == len(tasks.task_ids):
            raise ApiUnknown(missing.reason)


def look_ahead(api: QueueApi, tasks: NamedTasks, seconds: float) -> list[Change]:
    """Ask the queue's API for tasks before messages are received.

    What it answers says which other messages are of use: those about tasks that are waited
    for. It is asked again when messages are received, so nothing is lost in between, and a
    failure is reported then.

    Args:
        api: The queue's API.
        tasks: The tasks, which receive the answers.
        seconds: The longest time to wait.

    Returns:
        The changes of the tasks.

    Raises:
        UsageError: If one of the IDs is that of a task group.
    """
    fetch = PageFetch(fetch_task_answers(api, tasks.task_ids, {}, ()))
    fetch.start()
    fetch.wait(seconds)
    fetch.stop()
    changes = [change for answer in fetch.pop_pages() for change in tasks.add_answer(answer)]
    for missing in tasks.missing.values():
        check_missing_task(missing)
    return changes


def select_tasks(task_ids: Iterable[str], pools: Iterable[str] = ()) -> Selection:
    """Return the selection of all messages about tasks, and about starts in worker pools.

    Args:
        task_ids: The tasks.
        pools: Names of worker pools; those that can't be in a routing key are left out.
    """
    selection = build_selection(SelectionArgs(fields={"taskId": list(task_ids)}))
    clauses = selection.clauses
    for pool in pools:
        provisioner_id, _, worker_type = pool.partition("/")
        fields = {"provisionerId": [provisioner_id], "workerType": [worker_type]}
        with suppress(UsageError):
            clauses += build_selection(SelectionArgs(("task-running",), fields)).clauses
    return selection._replace(clauses=tuple(dict.fromkeys(clauses)))


def check_missing_task(missing: MissingTask) -> None:
    """Check that an ID that is not a task's is not that of a task group.

    Raises:
        UsageError: If it is.
    """
    if missing.is_group:
        raise UsageError(
            f"{missing.task_id} is a task group, not a task: tcsniff graph {missing.task_id}"
        )
