"""What the queue's API says about the pending and running tasks of worker pools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tcsniff.errors import ApiError, ApiRefused, ApiUnknown
from tcsniff.pulse.payloads import TaskState, decode_status
from tcsniff.sources.queue_api import QueueApi
from tcsniff.taskgraph.listed_runs import ListedPage

STATES = ("pending", "claimed")
"""The lists of a worker pool, in the order in which they are asked for."""


class PoolPage(NamedTuple):
    """A part of a list.

    Attributes:
        pool: The worker pool.
        page: The part.
    """

    pool: str
    page: ListedPage


class PoolRefusal(NamedTuple):
    """A list that is refused, or that the deployment is too old for.

    Attributes:
        pool: The worker pool.
        state: One of `STATES`.
        error: The answer.
    """

    pool: str
    state: str
    error: ApiError


class PoolEnd(NamedTuple):
    """The end of the answers about a worker pool.

    Attributes:
        pool: The worker pool.
        states: The lists that were received as a whole.
    """

    pool: str
    states: tuple[str, ...]


PoolAnswer = PoolPage | PoolRefusal | PoolEnd
"""An answer about a worker pool."""


def fetch_pool_answers(api: QueueApi, pools: Iterable[str]) -> Iterator[PoolAnswer]:
    """Yield the pending, then the claimed tasks of each worker pool.

    In this order, a task that is claimed meanwhile is in both lists, and not in none.

    Args:
        api: The queue's API.
        pools: The worker pools.

    Raises:
        ApiError: If there is no answer; not if one is refused.
    """
    for pool in pools:
        received = []
        for state in STATES:
            try:
                for page in api.fetch_listed_runs(pool, state):
                    yield PoolPage(pool, page)
            except (ApiRefused, ApiUnknown) as error:
                yield PoolRefusal(pool, state, error)
            else:
                received.append(state)
        yield PoolEnd(pool, tuple(received))


def fetch_statuses(api: QueueApi, task_ids: Iterable[str]) -> Iterator[TaskState]:
    """Yield the status of each task; tasks that have expired are left out.

    Raises:
        ApiError: If there is no answer.
    """
    for task_id in task_ids:
        try:
            yield decode_status(api.fetch_status(task_id))
        except (ApiUnknown, ValueError):
            continue
