"""The tasks of a group, and those of other groups that they wait for, from the queue's API."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from tcsniff.errors import ApiError, ApiUnknown
from tcsniff.pulse.payloads import TaskState, decode_status
from tcsniff.sources.queue_api import QueueApi
from tcsniff.taskgraph.definitions import Definition, Page, TaskGroupInfo

MAX_OUTSIDE = 50  # tasks of other groups; two requests each


def fetch_group_pages(
    api: QueueApi, task_group_id: str, ended: Collection[str] = ()
) -> Iterator[Page]:
    """Yield the pages of a group, then a page for each task outside of it that it waits for.

    Only what unscheduled tasks wait for is asked for: all other tasks wait for nothing any
    more. If a task outside is unscheduled itself, so are those that it waits for, because
    they decide whether it can still complete. At most `MAX_OUTSIDE` are asked for. A failure
    to receive one of them does not end it.

    Args:
        api: The queue's API.
        task_group_id: The group.
        ended: IDs of tasks outside that need not be asked for again.

    Raises:
        ApiError: If a page of the group is not received, as `QueueApi.fetch_pages`.
    """
    known = set(ended)
    wanted: dict[str, None] = {}
    for page in api.fetch_pages(task_group_id):
        yield page
        for definition, status in _list_members(page):
            known.add(definition.task_id)
            if _is_unscheduled(status):
                wanted.update(dict.fromkeys(definition.dependencies))
    yield from fetch_outside(api, wanted, known)


def fetch_outside(api: QueueApi, wanted: Iterable[str], known: set[str]) -> Iterator[Page]:
    """Yield a page for each task that others wait for, and for those that it waits for itself.

    Args:
        api: The queue's API.
        wanted: IDs of tasks.
        known: IDs of tasks that need not be asked for.
    """
    waiting = [task_id for task_id in wanted if task_id not in known]
    asked: set[str] = set()
    for task_id in waiting:  # grows while it is walked
        if task_id in asked or task_id in known:
            continue
        if len(asked) >= MAX_OUTSIDE:
            return
        asked.add(task_id)
        try:
            page = _fetch_task(api, task_id)
        except (ApiUnknown, ValueError):
            continue  # it has expired, or its status is not valid
        except ApiError:
            return
        yield page
        for definition, status in _list_members(page):
            if _is_unscheduled(status):
                waiting += definition.dependencies


def _fetch_task(api: QueueApi, task_id: str) -> Page:
    status = api.fetch_status(task_id)
    found = decode_status(status)
    group = TaskGroupInfo(found.task_group_id, found.scheduler_id)
    return Page(group, (api.fetch_task(task_id),), (status,))


def _list_members(page: Page) -> list[tuple[Definition, TaskState | None]]:
    return [
        (definition, _read_status(status))
        for definition, status in zip(page.definitions, page.statuses, strict=True)
    ]


def _read_status(text: bytes) -> TaskState | None:
    if b"unscheduled" not in text:  # no other states matter here, and to decode takes 2 µs
        return None
    try:
        return decode_status(text)
    except ValueError:  # counted where the page is merged
        return None


def _is_unscheduled(status: TaskState | None) -> bool:
    return status is not None and status.state == "unscheduled"
