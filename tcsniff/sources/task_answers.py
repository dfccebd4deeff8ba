"""What the queue's API says about named tasks, and about the tasks and pools around them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from tcsniff.errors import ApiError, ApiUnknown
from tcsniff.pulse.payloads import TaskState, decode_status
from tcsniff.sources.group_pages import fetch_outside
from tcsniff.sources.queue_api import QueueApi
from tcsniff.taskgraph.definitions import Definition, Page, TaskGroupInfo
from tcsniff.taskgraph.named_tasks import Answer, Dependents, MissingTask

MAX_DEPENDENTS = 1_000  # tasks that depend on a named one
_MAX_POOLS = 20  # that are asked about
_NO_GROUP = TaskGroupInfo("")  # of a page about a task, whose status names its group


def fetch_task_answers(
    api: QueueApi,
    task_ids: Sequence[str],
    definitions: Mapping[str, Definition],
    completed: Collection[str],
) -> Iterator[Answer]:
    """Yield what the queue knows about tasks, the most important answers first.

    First the tasks themselves. Then what unscheduled ones wait for, also in other groups,
    how many tasks are pending where the tasks are, and the tasks that depend on them. Of
    these later answers, those that are not received are left out.

    Args:
        api: The queue's API.
        task_ids: The tasks.
        definitions: Definitions that are known, by task ID; they never change.
        completed: IDs of other tasks that have completed.

    Raises:
        ApiError: If there is no answer about one of the tasks themselves.
    """
    found: list[tuple[Definition, TaskState | None]] = []
    for task_id in task_ids:
        try:
            page = _fetch_task(api, task_id, definitions.get(task_id))
        except ApiUnknown as error:
            yield MissingTask(task_id, str(error), _is_group(api, task_id))
            continue
        yield page
        found.append((page.definitions[0], _read_status(page.statuses[0])))
    wanted = dict.fromkeys(
        other
        for definition, status in found
        if status is not None and status.state == "unscheduled"
        for other in definition.dependencies
    )
    yield from fetch_outside(api, wanted, {*task_ids, *completed})
    yield from _fetch_counts(api, found)
    for definition, _ in found:
        yield from _fetch_dependents(api, definition.task_id)


def _fetch_task(api: QueueApi, task_id: str, definition: Definition | None) -> Page:
    definition = definition or api.fetch_task(task_id)
    return Page(_NO_GROUP, (definition,), (api.fetch_status(task_id),))


def _is_group(api: QueueApi, slug_id: str) -> bool:
    try:
        api.fetch_group_info(slug_id)
    except ApiError:
        return False
    return True


def _read_status(text: bytes) -> TaskState | None:
    try:
        return decode_status(text)
    except ValueError:  # reported where the page is merged
        return None


def _fetch_counts(
    api: QueueApi, found: Sequence[tuple[Definition, TaskState | None]]
) -> Iterator[Answer]:
    pools = dict.fromkeys(
        definition.pool
        for definition, status in found
        if status is not None and status.state == "pending" and definition.pool
    )
    for pool in list(pools)[:_MAX_POOLS]:
        try:
            yield api.fetch_pending_counts(pool)
        except ApiUnknown:
            continue
        except ApiError:
            return


def _fetch_dependents(api: QueueApi, task_id: str) -> Iterator[Answer]:
    pages: list[Page] = []
    try:
        for page in api.fetch_dependents(task_id):
            pages.append(page)
            if sum(len(one.definitions) for one in pages) > MAX_DEPENDENTS:
                yield Dependents(task_id, tuple(pages), is_whole=False)
                return
    except ApiError:
        return
    yield Dependents(task_id, tuple(pages))
