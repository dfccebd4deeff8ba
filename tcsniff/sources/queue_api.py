"""The queue's REST API as a source of definitions, through Taskcluster's own client.

The client is optional (``tcsniff[api]``) and takes 0.1 seconds to load, so it
comes in with the first request. Only what anybody may read on a public deployment
is asked for.
"""

from __future__ import annotations

import importlib
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

import msgspec
import orjson

from tcsniff.errors import ApiError, ApiMissing, ApiRefused, ApiUnknown, ApiUntrusted
from tcsniff.messages.parts import MessageStruct
from tcsniff.pulse.payloads import read_json
from tcsniff.pulse.urls import check_root_url, find_credentials
from tcsniff.taskgraph.definitions import Definition, Page, parse_definition, parse_page

TIMEOUT = 60.0  # seconds for an answer, tries and pauses between them included
RETRIES = 5  # after a failure of the line or the server; in all, 3 seconds of pauses

_REFUSED = (401, 403)  # HTTP's statuses: who are you; you may not
_UNKNOWN = 404
_BUSY = 429

_Told = TypeVar("_Told")


class _Client(NamedTuple):
    # What of the client and its libraries is used.
    queue: Any
    rest_failure: Any  # exception classes from here on
    auth_failure: Any
    connection_error: Any
    failures: tuple[Any, ...]
    tls_error: Any


class QueueApi:
    """The queue of a deployment, asked over HTTP.

    For any number of threads. Failures of the line and of the server are tried
    again a few times before they are told.
    """

    def __init__(
        self,
        root_url: str,
        *,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Nothing is connected yet.

        Args:
            root_url: The deployment, such as
                ``https://firefox-ci-tc.services.mozilla.com``.
            timeout: Seconds until an answer has failed to come.
            retries: How often a request is made again.
            environment: Where ``TASKCLUSTER_CLIENT_ID``,
                ``TASKCLUSTER_ACCESS_TOKEN`` and ``TASKCLUSTER_CERTIFICATE`` are
                taken from; only if ``TASKCLUSTER_ROOT_URL``, for which they are
                good, is `root_url`.

        Raises:
            UsageError: If the root URL is none.
        """
        self.root_url = check_root_url(root_url)
        self._timeout = timeout
        self._retries = retries
        self._credentials = find_credentials(self.root_url, environment)
        self._client: _Client | None = None

    def pages(self, task_group_id: str) -> Iterator[Page]:
        """List the tasks of a group.

        Tasks that are created meanwhile may move others to a page on which they
        are seen again.

        Yields:
            Page after page, until there is no further one.

        Raises:
            ApiError: If one does not come; in a class of its own if it was
                refused, or there is no such group.
        """
        query: dict[str, str] = {}
        tokens = set()
        while True:
            what = f"task group {task_group_id}"
            answer = self._answer("listTaskGroup", what, task_group_id, query=query)
            page = self._read(what, parse_page, answer)
            yield page
            token = page.continuation
            if not token:
                return
            if token in tokens:
                raise ApiError(
                    f"{self.root_url} goes round in circles with {what}: it hands out the "
                    f"continuation token {token!r} again"
                )
            tokens.add(token)
            query = {"continuationToken": token}

    def task(self, task_id: str) -> Definition:
        """Ask for one task.

        Raises:
            ApiError: As for `pages`.
        """
        what = f"task {task_id}"
        answer = self._answer("task", what, task_id)
        return self._read(what, lambda text: parse_definition(task_id, text), answer)

    def group_of(self, task_id: str) -> str:
        """Ask which task group a task belongs to.

        Raises:
            ApiError: As for `pages`.
        """
        what = f"task {task_id}"
        answer = self._answer("task", what, task_id)
        return self._read(what, lambda text: read_json(_GROUPS, text), answer).task_group_id

    def _read(self, what: str, parsed: Callable[[bytes], _Told], answer: Any) -> _Told:
        # The client wraps what is no JSON, as a page of a proxy or a redirect.
        wrapped: Any = answer.get("response") if isinstance(answer, dict) else None
        if hasattr(wrapped, "status_code"):
            where = wrapped.headers.get("Location")
            said = f"status {wrapped.status_code} and no JSON"
            raise ApiError(
                f"{self.root_url} answers for {what} with {said}"
                + (f"; it points to {where}" if where else "; is it the root URL?")
            )
        try:
            return parsed(orjson.dumps(answer))
        except (ValueError, TypeError) as error:  # the latter of orjson, for what it cannot word
            raise ApiError(f"{self.root_url} answers for {what} with nonsense: {error}") from error

    def _answer(self, method: str, what: str, *args: str, **kwargs: Any) -> Any:
        # The client knows no time-out: a request that hangs is left to its thread.
        if self._client is None:
            self._client = self._connected()
        client = self._client
        done: SimpleQueue[tuple[Any, Exception | None]] = SimpleQueue()

        def ask() -> None:
            found, failure = None, None
            try:
                found = getattr(client.queue, method)(*args, **kwargs)
            except client.failures as error:
                failure = error
            finally:  # whatever it is, nobody is to wait in vain
                done.put((found, failure))

        threading.Thread(target=ask, name="queue API", daemon=True).start()
        try:
            answer, error = done.get(timeout=self._timeout)
        except Empty:
            raise ApiError(
                f"{self.root_url} did not answer for {what} within {self._timeout:g} s"
            ) from None
        if error is not None:
            raise self._explained(client, what, error) from error
        return answer

    def _connected(self) -> _Client:
        try:
            taskcluster = importlib.import_module("taskcluster")
            requests = importlib.import_module("requests")
            hawk = importlib.import_module("mohawk.exc")
        except ImportError as error:
            raise ApiMissing(
                f"the queue's API needs Taskcluster's client ({error}); pip install 'tcsniff[api]'"
            ) from error
        failures = (
            taskcluster.TaskclusterFailure,
            requests.RequestException,
            hawk.HawkFail,
            ValueError,  # credentials that cannot be sent
        )
        options = {"rootUrl": self.root_url, "maxRetries": self._retries}
        try:
            queue = taskcluster.Queue({**options, "credentials": self._credentials})
        except failures as error:
            raise _unusable() from error
        return _Client(
            queue,
            taskcluster.TaskclusterRestFailure,
            taskcluster.TaskclusterAuthFailure,
            taskcluster.TaskclusterConnectionError,
            failures,
            requests.exceptions.SSLError,
        )

    def _explained(self, client: _Client, what: str, error: Any) -> ApiError:
        if isinstance(error, client.connection_error):
            cause = _cause(error.superExc)
            if isinstance(error.superExc, client.tls_error):
                return ApiUntrusted(f"no trust in the TLS of {self.root_url}: {cause}")
            return ApiError(f"no connection to {self.root_url}: {cause}")
        if not isinstance(error, client.rest_failure | client.auth_failure):
            if self._credentials:
                return _unusable()
            return ApiError(f"{self.root_url} cannot be asked for {what}: {error}")
        # The queue's messages go on about how to debug them.
        return self._answered(what, error.status_code, str(error).strip().partition("\n")[0])

    def _answered(self, what: str, status: int, said: str) -> ApiError:
        if status == _UNKNOWN:
            return ApiUnknown(
                f"{self.root_url} knows no {what}; it may have expired, or belong to another "
                "deployment"
            )
        if status in _REFUSED:
            return ApiRefused(
                f"{self.root_url} refused to tell of {what} ({status}: {said}); "
                + (
                    "the credentials in TASKCLUSTER_CLIENT_ID lack a scope, or are old"
                    if self._credentials
                    else "set TASKCLUSTER_ROOT_URL, TASKCLUSTER_CLIENT_ID and "
                    "TASKCLUSTER_ACCESS_TOKEN"
                )
            )
        again = "; try again later" if status == _BUSY else ""
        return ApiError(f"{self.root_url} failed to tell of {what} ({status}: {said}){again}")


class _Member(MessageStruct, frozen=True):
    task_group_id: str


_GROUPS = msgspec.json.Decoder(_Member).decode


def _unusable() -> ApiMissing:
    return ApiMissing(
        "the credentials in TASKCLUSTER_CLIENT_ID, TASKCLUSTER_ACCESS_TOKEN and "
        "TASKCLUSTER_CERTIFICATE cannot be used; set them anew, or unset them"
    )


def _cause(error: Any) -> str:
    # The innermost reason: the others repeat it, each with addresses of objects.
    while (inner := getattr(error, "reason", None) or _first(error)) is not None:
        error = inner
    # urllib3's begin with the connection's repr.
    return re.sub(r"^\W*\w*Connection\b.*?[>)]: ", "", str(error))


def _first(error: Any) -> BaseException | None:
    return next(
        (one for one in getattr(error, "args", ()) if isinstance(one, BaseException)), None
    )
