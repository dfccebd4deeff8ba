"""The last lines of the log of a task's run, from the deployment's storage.

A log is decompressed while it is received, and only its end is kept.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urljoin

from urllib3 import BaseHTTPResponse

from tcsniff.errors import ApiError
from tcsniff.pulse.urls import build_artifact_url
from tcsniff.settings.web_server import WebServer
from tcsniff.sources.http_client import Deadline, HttpClient, HttpError, HttpTimeout, read_chunks
from tcsniff.sources.interruptible import call_interruptibly
from tcsniff.sources.queue_requests import compute_pause, sign_request

TIMEOUT = 20.0  # seconds for the whole log
MAX_SIZE = 256 << 20  # decompressed bytes that are read; logs of tests have up to 100 MB

# When a run has ended, its worker uploads the first, and the second leads there. Some
# workers publish only the second.
_NAMES = ("public/logs/live_backing.log", "public/logs/live.log")
_MAX_KEPT = 64 << 10  # bytes of the end that are kept
_MAX_REDIRECTS = 5
_RETRIES = 2
_REDIRECTS = (301, 302, 303, 307, 308)
_COLORS = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")


class _NoLog(HttpError):
    # Another answer than a log, which will not change at another attempt.
    is_passing = False


class _Missing(_NoLog):
    pass


def fetch_log_tail(
    server: WebServer,
    task_id: str,
    run_id: int,
    lines: int,
    *,
    timeout: float = TIMEOUT,
    max_size: int = MAX_SIZE,
) -> list[str]:
    """Return the last lines of the log of a run that has ended.

    Args:
        server: The deployment. Only itself gets its credentials, not the storage that it
            leads to.
        task_id: The task.
        run_id: The run.
        lines: The maximum number of lines. Empty ones don't count.
        timeout: Seconds for the whole log.
        max_size: The maximum size of the log, in bytes.

    Returns:
        The lines without colors; not safe for a terminal.

    Raises:
        ApiError: If the log is not received in time, or is too large.
    """
    urls = [build_artifact_url(server.root_url, task_id, run_id, name) for name in _NAMES]
    reader = _LogReader(server, Deadline(timeout), max_size)
    try:
        end = call_interruptibly(lambda: reader.read_first(filter(None, urls)), "log", timeout)
    except (HttpTimeout, TimeoutError):
        raise ApiError(
            f"no log of run {run_id} of {task_id}: not received within {timeout:g} s"
        ) from None
    except (HttpError, ValueError) as error:
        raise ApiError(f"no log of run {run_id} of {task_id}: {error}") from error
    found = _COLORS.sub(b"", end).decode(errors="replace").splitlines()
    return [line.rstrip() for line in found if line.strip()][-lines:]


class _LogReader:
    # Reads the end of a log, within limits.

    def __init__(self, server: WebServer, deadline: Deadline, max_size: int) -> None:
        self._root_url = server.root_url
        self._deadline = deadline
        self._max_size = max_size
        self._credentials = server.credentials
        self._http = HttpClient(server)

    def read_first(self, urls: Iterable[str]) -> bytes:
        # Return the end of the first log that exists; empty if there are no addresses.
        missing = None
        for url in urls:
            try:
                return self._repeat(url)
            except _Missing as error:
                missing = error
        if missing is not None:
            raise missing
        return b""

    def _repeat(self, url: str) -> bytes:
        attempt = 0
        while True:
            try:
                return self._follow(url)
            except HttpError as error:
                if not error.is_passing or attempt >= _RETRIES:
                    raise
            time.sleep(min(compute_pause(attempt), self._deadline.remaining))
            attempt += 1

    def _follow(self, url: str) -> bytes:
        for _ in range(_MAX_REDIRECTS + 1):
            with self._http.open(url, self._sign(url), deadline=self._deadline) as response:
                if response.status == HTTPStatus.OK:
                    return self._keep_end(response)
                url = self._find_target(url, response)
        raise _NoLog("too many redirects")

    def _find_target(self, url: str, response: BaseHTTPResponse) -> str:
        status = response.status
        if status not in _REDIRECTS:
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise HttpError(f"status {status}")
            raise (_Missing if status == HTTPStatus.NOT_FOUND else _NoLog)(f"status {status}")
        target = urljoin(url, response.headers.get("Location", ""))
        if not target.startswith(("http://", "https://")):
            raise _NoLog("it leads to an address that is not of the web")
        return target

    def _sign(self, url: str) -> dict[str, str]:
        if self._credentials is None or not url.startswith(f"{self._root_url}/"):
            return {}
        return {"Authorization": sign_request(url, self._credentials)}

    def _keep_end(self, response: BaseHTTPResponse) -> bytes:
        end, size = b"", 0
        for chunk in read_chunks(response, deadline=self._deadline, max_size=self._max_size):
            size += len(chunk)
            end = (end + chunk)[-_MAX_KEPT:]
        # The first line is not whole.
        return end.partition(b"\n")[2] if size > _MAX_KEPT else end
