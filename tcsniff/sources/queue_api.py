"""The queue's REST API: what it knows about tasks, groups, artifacts and worker pools.

Only calls that read. On a public deployment they need no credentials.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec
import orjson

from tcsniff.errors import ApiError, ApiRefused, ApiUnknown
from tcsniff.messages.parts import MessageStruct
from tcsniff.pulse.payloads import read_json
from tcsniff.settings.web_server import WebServer
from tcsniff.sources.queue_requests import QueueRequests
from tcsniff.taskgraph.definitions import (
    Definition,
    Page,
    TaskGroupInfo,
    parse_definition,
    parse_dependents,
    parse_group_info,
    parse_page,
)
from tcsniff.taskgraph.listed_runs import ListedPage, parse_listed_runs
from tcsniff.taskgraph.queue_answers import (
    Artifact,
    PendingCounts,
    parse_artifacts,
    parse_pending_counts,
)

TIMEOUT = 60.0  # seconds for an answer, including retries and the pauses between them
RETRIES = 5  # after a failure of the network or the server; 3 seconds of pauses in all
MAX_PAGES = 2_000  # of one list; the queue's own have up to 1,000 tasks each
MAX_TOTAL_SIZE = 1 << 30  # bytes of all pages of one list

_Parsed = TypeVar("_Parsed")

# IDs are written by anyone who may create a task: none may lead to another path.
_is_id = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch
_is_pool = re.compile(r"[A-Za-z0-9_-]{1,64}/[A-Za-z0-9_-]{1,64}").fullmatch


class _Membership(MessageStruct, frozen=True):
    task_group_id: str


class _StatusAnswer(MessageStruct, frozen=True):
    status: msgspec.Raw


_decode_membership = msgspec.json.Decoder(_Membership).decode
_decode_status = msgspec.json.Decoder(_StatusAnswer).decode


class QueueApi:
    """The queue of a deployment, over HTTP. Thread-safe.

    Failures of the network and the server are retried a few times before they
    are raised. In the main thread a signal ends the wait for an answer.
    """

    def __init__(
        self,
        server: WebServer,
        *,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
    ) -> None:
        """Create a client; the first request connects.

        Args:
            server: The deployment; its credentials sign the requests.
            timeout: Seconds for an answer.
            retries: How often a failed request is repeated.
        """
        self.root_url = server.root_url
        self._requests = QueueRequests(server, timeout=timeout, retries=retries)

    def fetch_pages(self, task_group_id: str) -> Iterator[Page]:
        """Yield the tasks of a group, page by page.

        A task can be on two pages if tasks are created meanwhile.

        Raises:
            ApiError: If a page is not received; of its own class if it was
                refused, or the group does not exist.
        """
        subject = f"task group {task_group_id}"
        path = f"/task-group/{_check_id(task_group_id)}/list"
        return self._fetch_list(path, subject, parse_page, lambda page: page.continuation)

    def fetch_dependents(self, task_id: str) -> Iterator[Page]:
        """Yield the tasks that depend on a task, page by page; they may be of any groups.

        Raises:
            ApiError: As for `fetch_pages`.
        """
        subject = f"tasks that depend on task {task_id}"
        path = f"/task/{_check_id(task_id)}/dependents"
        return self._fetch_list(path, subject, parse_dependents, lambda page: page.continuation)

    def fetch_group_info(self, task_group_id: str) -> TaskGroupInfo:
        """Return what the queue knows about a group, without its tasks.

        Raises:
            ApiError: As for `fetch_pages`.
        """
        subject = f"task group {task_group_id}"
        return self._fetch(f"/task-group/{_check_id(task_group_id)}", subject, parse_group_info)

    def fetch_task(self, task_id: str) -> Definition:
        """Return the definition of a task.

        Raises:
            ApiError: As for `fetch_pages`.
        """
        return self._fetch_task(task_id, lambda text: parse_definition(task_id, text))

    def fetch_task_json(self, task_id: str) -> bytes:
        """Return the definition of a task as the queue sends it: a JSON object.

        Raises:
            ApiError: As for `fetch_pages`.
        """
        return self._fetch_task(task_id, _check_object)

    def fetch_status(self, task_id: str) -> bytes:
        """Return the status of a task, as JSON.

        Raises:
            ApiError: As for `fetch_pages`.
        """
        return self._fetch(
            f"/task/{_check_id(task_id)}/status",
            f"the status of task {task_id}",
            lambda text: bytes(read_json(_decode_status, text).status),
        )

    def fetch_group_id(self, task_id: str) -> str:
        """Return the ID of the task group that a task belongs to.

        Raises:
            ApiError: As for `fetch_pages`.
        """
        return self._fetch_task(
            task_id, lambda text: read_json(_decode_membership, text).task_group_id
        )

    def fetch_artifacts(self, task_id: str, run_id: int | None = None) -> list[Artifact]:
        """Return the artifacts of a run of a task.

        Args:
            task_id: The task.
            run_id: The run, counted from 0; None for the last one.

        Raises:
            ApiError: As for `fetch_pages`.
        """
        run = "" if run_id is None else f"/runs/{run_id}"
        subject = f"artifacts of {f'run {run_id} of ' if run else ''}task {task_id}"
        path = f"/task/{_check_id(task_id)}{run}/artifacts"
        pages = self._fetch_list(
            path, subject, parse_artifacts, lambda page: page.continuation_token
        )
        return [artifact for page in pages for artifact in page.artifacts]

    def fetch_pending_counts(self, task_queue_id: str) -> PendingCounts:
        """Return how many tasks of a worker pool wait, and how many run.

        Args:
            task_queue_id: The pool, ``<provisionerId>/<workerType>``. An unknown one has
                no tasks.

        Raises:
            ApiError: As for `fetch_pages`.
        """
        subject = f"worker pool {task_queue_id}"
        if not _is_pool(task_queue_id):
            raise ApiUnknown(f"{task_queue_id!r} is not a worker pool")
        name = quote(task_queue_id, safe="")

        def parse(text: bytes) -> PendingCounts:
            return parse_pending_counts(task_queue_id, text)

        try:
            return self._fetch(f"/task-queues/{name}/counts", subject, parse)
        except (ApiUnknown, ApiRefused):  # an older deployment, or fewer scopes
            return self._fetch(f"/pending/{name}", subject, parse)

    def fetch_listed_runs(self, task_queue_id: str, state: str) -> Iterator[ListedPage]:
        """Yield the pending or running tasks of a worker pool, page by page.

        Args:
            task_queue_id: The pool, ``<provisionerId>/<workerType>``. An unknown one has
                no tasks.
            state: ``pending`` or ``claimed``.

        Raises:
            ApiError: As for `fetch_pages`. It is refused without the scope
                ``queue:pending-list:<pool>`` or ``queue:claimed-list:<pool>``.
        """
        if not _is_pool(task_queue_id):
            raise ApiUnknown(f"{task_queue_id!r} is not a worker pool")
        subject = f"{state} tasks of worker pool {task_queue_id}"
        path = f"/task-queues/{quote(task_queue_id, safe='')}/{state}"

        def parse(text: bytes) -> ListedPage:
            return parse_listed_runs(task_queue_id, text)

        return self._fetch_list(path, subject, parse, lambda page: page.continuation)

    def _fetch_task(self, task_id: str, parse: Callable[[bytes], _Parsed]) -> _Parsed:
        return self._fetch(f"/task/{_check_id(task_id)}", f"task {task_id}", parse)

    def _fetch_list(
        self,
        path: str,
        subject: str,
        parse: Callable[[bytes], _Parsed],
        get_token: Callable[[_Parsed], str | None],
    ) -> Iterator[_Parsed]:
        query, tokens, size = "", set(), 0
        while True:
            text = self._requests.get(path + query, subject)
            size += len(text)
            page = self._parse(subject, parse, text)
            yield page
            token = get_token(page)
            if not token:
                return
            if token in tokens:
                raise ApiError(
                    f"{self.root_url} repeats the continuation token {token!r} for {subject}"
                )
            tokens.add(token)
            if len(tokens) >= MAX_PAGES or size >= MAX_TOTAL_SIZE:
                raise ApiError(
                    f"{self.root_url} has more than {len(tokens):,} pages ({size >> 20:,} MB) "
                    f"for {subject}"
                )
            query = f"?{urlencode({'continuationToken': token})}"

    def _fetch(self, path: str, subject: str, parse: Callable[[bytes], _Parsed]) -> _Parsed:
        return self._parse(subject, parse, self._requests.get(path, subject))

    def _parse(self, subject: str, parse: Callable[[bytes], _Parsed], text: bytes) -> _Parsed:
        try:
            return parse(text)
        except ValueError as error:
            if not _is_json(text):  # a proxy's page, perhaps
                raise ApiError(
                    f"{self.root_url} answered for {subject} with status 200 and something that "
                    "is not JSON; check the root URL"
                ) from error
            raise ApiError(
                f"{self.root_url} sent an invalid answer for {subject}: {error}"
            ) from error


def _check_id(text: str) -> str:
    if not _is_id(text):
        raise ApiUnknown(f"{text!r} is not an ID of a task or task group")
    return text


def _check_object(text: bytes) -> bytes:
    if not isinstance(orjson.loads(text), dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - a bad answer, not a bug
    return text


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
