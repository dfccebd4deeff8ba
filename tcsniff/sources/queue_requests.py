"""Requests to the queue's REST API: signed, repeated after failures, and explained."""

from __future__ import annotations

import email.utils
import importlib
import random
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple, TypeVar

import msgspec

from tcsniff.errors import ApiError, ApiMisconfigured, ApiRefused, ApiUnknown, ApiUntrusted
from tcsniff.messages.parts import MessageStruct
from tcsniff.pulse.payloads import read_json
from tcsniff.sanitize import sanitize
from tcsniff.settings.credentials import VARIABLES, Credentials
from tcsniff.settings.web_server import WebServer
from tcsniff.signals import signal_handler
from tcsniff.sources.http_client import (
    Answer,
    Deadline,
    HttpClient,
    HttpError,
    HttpTimeout,
    HttpTooLarge,
    HttpUntrusted,
)
from tcsniff.sources.interruptible import call_interruptibly

MAX_SIZE = 64 << 20  # bytes of an answer, decompressed

_HAWK = "tcsniff.sources.hawk"
_API = "/api/queue/v1"
_FIRST_PAUSE = 0.1  # seconds before the first repetition; doubled each time
_MAX_REASON = 2_000  # characters of the API's own words that are shown
_OWN_AUTHORITY = "; if its authority is your own, use --tls-ca FILE"
_UNAUTHORIZED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)

_Result = TypeVar("_Result")


class _ErrorAnswer(MessageStruct, frozen=True):
    message: str = ""


class _Failure(NamedTuple):
    # Why a request failed.
    error: ApiError
    is_passing: bool  # whether to try again
    pause: float = 0.0  # seconds to wait before, at least, as the server says


_decode_error = msgspec.json.Decoder(_ErrorAnswer).decode


class QueueRequests:
    """Sends requests to the queue of a deployment. Thread-safe."""

    def __init__(self, server: WebServer, *, timeout: float, retries: int) -> None:
        """Create a client; the first request connects.

        Args:
            server: The deployment; its credentials sign the requests.
            timeout: Seconds for an answer, including repetitions and pauses.
            retries: How often a failed request is repeated.
        """
        self._root_url = server.root_url
        self._credentials = server.credentials
        self._timeout = timeout
        self._retries = retries
        self._http = HttpClient(server)

    def get(self, path: str, subject: str) -> bytes:
        """Return the body of the answer to a request.

        Args:
            path: The path and query below the queue's API.
            subject: What is asked for, for messages.

        Raises:
            ApiError: If there is no answer, or it is a refusal; of the class for that.
        """
        url = f"{self._root_url}{_API}{path}"
        deadline = Deadline(self._timeout)
        try:
            return _wait_interruptibly(lambda: self._repeat(url, subject, deadline), self._timeout)
        except TimeoutError:
            raise self._build_timeout_error(subject) from None

    def _repeat(self, url: str, subject: str, deadline: Deadline) -> bytes:
        attempt = 0
        while True:
            answer = self._try(url, subject, deadline)
            if isinstance(answer, bytes):
                return answer
            pause = max(answer.pause, compute_pause(attempt))
            if not answer.is_passing or attempt >= self._retries:
                raise answer.error
            if pause >= deadline.remaining:
                raise answer.error
            time.sleep(pause)
            attempt += 1

    def _try(self, url: str, subject: str, deadline: Deadline) -> bytes | _Failure:
        headers = {}
        if self._credentials is not None:
            try:
                # Each time, since a signature is valid once.
                headers["Authorization"] = sign_request(url, self._credentials)
            except ValueError as error:
                raise ApiMisconfigured(
                    f"the credentials in {VARIABLES} are not valid; set them again, or unset them"
                ) from error
        try:
            answer = self._http.get(url, headers, deadline=deadline, max_size=MAX_SIZE)
        except HttpError as error:
            return self._explain_error(subject, error, deadline)
        if answer.status == HTTPStatus.OK:
            return answer.body
        return self._explain_answer(subject, answer)

    def _explain_error(self, subject: str, error: HttpError, deadline: Deadline) -> _Failure:
        root_url = self._root_url
        if isinstance(error, HttpUntrusted):
            hint = _OWN_AUTHORITY if "certificate verify failed" in str(error) else ""
            return _Failure(
                ApiUntrusted(f"the TLS of {root_url} cannot be trusted: {error}{hint}"),
                is_passing=False,
            )
        if isinstance(error, HttpTooLarge):
            return _Failure(
                ApiError(f"the answer of {root_url} for {subject} is {error}"), is_passing=False
            )
        if isinstance(error, HttpTimeout):
            is_passing = deadline.remaining > 0
            return _Failure(self._build_timeout_error(subject), is_passing=is_passing)
        return _Failure(ApiError(f"no connection to {root_url}: {error}"), is_passing=True)

    def _build_timeout_error(self, subject: str) -> ApiError:
        return ApiError(
            f"{self._root_url} did not answer for {subject} within {self._timeout:g} s"
        )

    def _explain_answer(self, subject: str, answer: Answer) -> _Failure:
        status = answer.status
        if 300 <= status < 400:
            location = sanitize(answer.headers.get("Location", "nowhere"))
            error = ApiError(
                f"{self._root_url} answered for {subject} with status {status} and something "
                f"that is not JSON; it redirects to {location}"
            )
            return _Failure(error, is_passing=False)
        pause = parse_retry_after(answer.headers.get("Retry-After", ""), time.time())
        return _Failure(
            self._explain_status(subject, status, read_reason(answer), pause),
            is_passing=status >= 500 or status == HTTPStatus.TOO_MANY_REQUESTS,
            pause=pause,
        )

    def _explain_status(self, subject: str, status: int, reason: str, pause: float) -> ApiError:
        if status == HTTPStatus.NOT_FOUND:
            return ApiUnknown(
                f"{self._root_url} has no {subject}; it may have expired, or belong to another "
                "deployment"
            )
        if status in _UNAUTHORIZED:
            hint = (
                "the credentials in TASKCLUSTER_CLIENT_ID lack a scope, or have expired"
                if self._credentials
                else "set TASKCLUSTER_ROOT_URL, TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN"
            )
            return ApiRefused(
                f"{self._root_url} refused access to {subject} ({status}: {reason}); {hint}"
            )
        hint = ""
        if pause:
            hint = f"; try again in {pause:.0f} s"
        elif status == HTTPStatus.TOO_MANY_REQUESTS:
            hint = "; try again later"
        return ApiError(f"{self._root_url} failed for {subject} ({status}: {reason}){hint}")


def sign_request(url: str, credentials: Credentials) -> str:
    """Return the header ``Authorization`` of a GET request, as `hawk.sign_request`."""
    header: str = importlib.import_module(_HAWK).sign_request(url, credentials)
    return header


def compute_pause(attempt: int, spread: Callable[[], float] = random.random) -> float:
    """Return the seconds to wait after a failed attempt.

    Args:
        attempt: How many attempts failed before this one.
        spread: Returns a number from 0 to 1, so that many clients do not repeat their
            requests at the same moment.
    """
    return _FIRST_PAUSE * 2.0**attempt * (0.75 + spread() / 2)


def parse_retry_after(value: str, now: float) -> float:
    """Return the seconds that a server asks to wait.

    Args:
        value: The header ``Retry-After``: seconds, or an HTTP date.
        now: The time in seconds since the Unix epoch.

    Returns:
        The seconds, not negative; 0 if the header is missing or not valid.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError, OSError):
        return 0.0


def read_reason(answer: Answer) -> str:
    """Return what the API says about a failure, in one line that is safe for a terminal.

    What follows the first rule repeats the request, for debugging, and is left out.
    """
    try:
        message = read_json(_decode_error, answer.body).message
    except ValueError:  # of a proxy, perhaps
        message = ""
    text = " ".join(message.partition("\n---\n")[0].split())
    if not text:
        text = HTTPStatus(answer.status).phrase if answer.status in _KNOWN else "no reason"
    return sanitize(text if len(text) <= _MAX_REASON else f"{text[:_MAX_REASON]}…")


_KNOWN = frozenset(HTTPStatus)


def _wait_interruptibly(function: Callable[[], _Result], timeout: float) -> _Result:
    # Signals that only wake the run's loop would not end this wait.
    if threading.current_thread() is not threading.main_thread():
        return call_interruptibly(function, "queue API", timeout)
    if signal_handler.received is not None:
        signal_handler.raise_received()
    with signal_handler.immediate():
        return call_interruptibly(function, "queue API", timeout)
