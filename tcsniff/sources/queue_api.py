"""The queue's REST API, through Taskcluster's official client.

The client is optional (``tcsniff[api]``) and takes 0.1 s to import, so it is
imported with the first request. Only what is public on a public deployment is
asked for.
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

TIMEOUT = 60.0  # seconds for an answer, including retries and the pauses between them
RETRIES = 5  # after a failure of the network or the server; 3 seconds of pauses in all

_UNAUTHORIZED = (401, 403)  # HTTP statuses
_NOT_FOUND = 404
_TOO_MANY_REQUESTS = 429

_Parsed = TypeVar("_Parsed")


class _Client(NamedTuple):
    # What is used of the client and its libraries.
    queue: Any
    rest_failure: Any  # exception classes from here on
    auth_failure: Any
    connection_error: Any
    failures: tuple[Any, ...]
    tls_error: Any


class _Membership(MessageStruct, frozen=True):
    task_group_id: str


_decode_membership = msgspec.json.Decoder(_Membership).decode


class QueueApi:
    """The queue of a deployment, over HTTP. Thread-safe.

    Failures of the network and the server are retried a few times before they
    are raised.
    """

    def __init__(
        self,
        root_url: str,
        *,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Create a client; the first request connects.

        Args:
            root_url: The deployment, such as
                ``https://firefox-ci-tc.services.mozilla.com``.
            timeout: Seconds for an answer.
            retries: How often a failed request is repeated.
            environment: Contains the credentials in ``TASKCLUSTER_CLIENT_ID``,
                ``TASKCLUSTER_ACCESS_TOKEN`` and ``TASKCLUSTER_CERTIFICATE``;
                used only if its ``TASKCLUSTER_ROOT_URL`` is `root_url`.

        Raises:
            UsageError: If the root URL is not valid.
        """
        self.root_url = check_root_url(root_url)
        self._timeout = timeout
        self._retries = retries
        self._credentials = find_credentials(self.root_url, environment)
        self._client: _Client | None = None

    def fetch_pages(self, task_group_id: str) -> Iterator[Page]:
        """Yield the tasks of a group, page by page.

        A task can be on two pages if tasks are created meanwhile.

        Raises:
            ApiError: If a page is not received; of its own class if it was
                refused, or the group does not exist.
        """
        query: dict[str, str] = {}
        tokens = set()
        while True:
            subject = f"task group {task_group_id}"
            answer = self._request("listTaskGroup", subject, task_group_id, query=query)
            page = self._parse(subject, parse_page, answer)
            yield page
            token = page.continuation
            if not token:
                return
            if token in tokens:
                raise ApiError(
                    f"{self.root_url} repeats the continuation token {token!r} for {subject}"
                )
            tokens.add(token)
            query = {"continuationToken": token}

    def fetch_task(self, task_id: str) -> Definition:
        """Return the definition of a task.

        Raises:
            ApiError: As for `fetch_pages`.
        """
        subject = f"task {task_id}"
        answer = self._request("task", subject, task_id)
        return self._parse(subject, lambda text: parse_definition(task_id, text), answer)

    def fetch_status(self, task_id: str) -> bytes:
        """Return the status of a task, as JSON.

        Raises:
            ApiError: As for `fetch_pages`.
        """
        subject = f"the status of task {task_id}"
        answer = self._request("status", subject, task_id)
        return self._parse(
            subject, lambda text: orjson.dumps(orjson.loads(text)["status"]), answer
        )

    def fetch_group_id(self, task_id: str) -> str:
        """Return the ID of the task group that a task belongs to.

        Raises:
            ApiError: As for `fetch_pages`.
        """
        subject = f"task {task_id}"
        answer = self._request("task", subject, task_id)
        return self._parse(
            subject, lambda text: read_json(_decode_membership, text), answer
        ).task_group_id

    def _parse(self, subject: str, parse: Callable[[bytes], _Parsed], answer: Any) -> _Parsed:
        # The client wraps what is not JSON, such as a proxy's page or a redirect.
        wrapped: Any = answer.get("response") if isinstance(answer, dict) else None
        if hasattr(wrapped, "status_code"):
            location = wrapped.headers.get("Location")
            hint = f"it redirects to {location}" if location else "check the root URL"
            raise ApiError(
                f"{self.root_url} answered for {subject} with status {wrapped.status_code} and "
                f"something that is not JSON; {hint}"
            )
        try:
            return parse(orjson.dumps(answer))
        except (ValueError, TypeError) as error:  # TypeError: what orjson cannot encode
            raise ApiError(
                f"{self.root_url} sent an invalid answer for {subject}: {error}"
            ) from error

    def _request(self, method: str, subject: str, *args: str, **kwargs: Any) -> Any:
        # The client has no timeout: a request that hangs is left to its thread.
        if self._client is None:
            self._client = self._create_client()
        client = self._client
        done: SimpleQueue[tuple[Any, Exception | None]] = SimpleQueue()

        def call() -> None:
            answer, failure = None, None
            try:
                answer = getattr(client.queue, method)(*args, **kwargs)
            except client.failures as error:
                failure = error
            finally:  # also after an unexpected exception, so that the caller does not wait
                done.put((answer, failure))

        threading.Thread(target=call, name="queue API", daemon=True).start()
        try:
            answer, error = done.get(timeout=self._timeout)
        except Empty:
            raise ApiError(
                f"{self.root_url} did not answer for {subject} within {self._timeout:g} s"
            ) from None
        if error is not None:
            raise self._explain_failure(client, subject, error) from error
        return answer

    def _create_client(self) -> _Client:
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
            raise _build_credentials_error() from error
        return _Client(
            queue,
            taskcluster.TaskclusterRestFailure,
            taskcluster.TaskclusterAuthFailure,
            taskcluster.TaskclusterConnectionError,
            failures,
            requests.exceptions.SSLError,
        )

    def _explain_failure(self, client: _Client, subject: str, error: Any) -> ApiError:
        if isinstance(error, client.connection_error):
            cause = _find_cause(error.superExc)
            if isinstance(error.superExc, client.tls_error):
                return ApiUntrusted(f"the TLS of {self.root_url} cannot be trusted: {cause}")
            return ApiError(f"no connection to {self.root_url}: {cause}")
        if not isinstance(error, client.rest_failure | client.auth_failure):
            if self._credentials:
                return _build_credentials_error()
            return ApiError(f"cannot ask {self.root_url} for {subject}: {error}")
        # The queue's messages continue with lines about debugging them.
        reason = str(error).strip().partition("\n")[0]
        return self._explain_status(subject, error.status_code, reason)

    def _explain_status(self, subject: str, status: int, reason: str) -> ApiError:
        if status == _NOT_FOUND:
            return ApiUnknown(
                f"{self.root_url} has no {subject}; it may have expired, or belong to another "
                "deployment"
            )
        if status in _UNAUTHORIZED:
            hint = (
                "the credentials in TASKCLUSTER_CLIENT_ID lack a scope, or have expired"
                if self._credentials
                else "set TASKCLUSTER_ROOT_URL, TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN"
            )
            return ApiRefused(
                f"{self.root_url} refused access to {subject} ({status}: {reason}); {hint}"
            )
        hint = "; try again later" if status == _TOO_MANY_REQUESTS else ""
        return ApiError(f"{self.root_url} failed for {subject} ({status}: {reason}){hint}")


def _build_credentials_error() -> ApiMissing:
    return ApiMissing(
        "the credentials in TASKCLUSTER_CLIENT_ID, TASKCLUSTER_ACCESS_TOKEN and "
        "TASKCLUSTER_CERTIFICATE are not valid; set them again, or unset them"
    )


def _find_cause(error: Any) -> str:
    # The innermost reason: the others repeat it, each with addresses of objects.
    while (inner := getattr(error, "reason", None) or _find_inner_error(error)) is not None:
        error = inner
    # urllib3's start with the connection's repr.
    return re.sub(r"^\W*\w*Connection\b.*?[>)]: ", "", str(error))


def _find_inner_error(error: Any) -> BaseException | None:
    args = getattr(error, "args", ())
    return next((argument for argument in args if isinstance(argument, BaseException)), None)
