"""The last lines of the log of a task's run, from the deployment's storage.

Only public artifacts are read, without credentials. A log is decompressed while it is
received, and only its end is kept.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import urllib3

from tcsniff.errors import ApiError
from tcsniff.pulse.urls import build_artifact_url

_NAME = "public/logs/live_backing.log"
_MAX_SIZE = 256 << 20  # decompressed bytes that are read; logs of tests have up to 100 MB
_MAX_KEPT = 64 << 10  # bytes of the end that are kept
_CHUNK = 64 << 10
_TIMEOUT = 20.0  # seconds for the whole log
_CONNECT_TIMEOUT = 5.0
_COLORS = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")


def fetch_log_tail(root_url: str, task_id: str, run_id: int, lines: int) -> list[str]:
    """Return the last lines of the log of a run that has ended.

    Args:
        root_url: Root URL of the deployment.
        task_id: The task.
        run_id: The run.
        lines: The maximum number of lines. Empty ones don't count.

    Returns:
        The lines without colors; not safe for a terminal.

    Raises:
        ApiError: If the log is not received within 20 s, or is larger than 256 MB.
    """
    url = build_artifact_url(root_url, task_id, run_id, _NAME)
    if url is None:
        return []
    try:
        end = _read_end(url)
    except urllib3.exceptions.HTTPError as error:
        raise ApiError(f"no log of run {run_id} of {task_id}: {error}") from error
    found = _COLORS.sub(b"", end).decode(errors="replace").splitlines()
    return [line.rstrip() for line in found if line.strip()][-lines:]


def _read_end(url: str) -> bytes:
    timeout = urllib3.Timeout(connect=_CONNECT_TIMEOUT, read=_TIMEOUT)
    retries = urllib3.Retry(total=3, redirect=5, raise_on_status=False)
    with urllib3.PoolManager(timeout=timeout, retries=retries) as pool:
        response = pool.request(
            "GET", url, preload_content=False, headers={"Accept-Encoding": "gzip"}
        )
        try:
            if response.status != 200:
                raise urllib3.exceptions.HTTPError(f"status {response.status}")
            # Returns what has arrived, so that a log that drips ends, too.
            return _keep_end(iter(lambda: response.read1(_CHUNK, decode_content=True), b""))
        finally:
            response.close()


def _keep_end(chunks: Iterator[bytes]) -> bytes:
    end, size = b"", 0
    deadline = time.monotonic() + _TIMEOUT
    for chunk in chunks:
        size += len(chunk)
        if size > _MAX_SIZE:
            raise urllib3.exceptions.HTTPError("larger than 256 MB")
        if time.monotonic() > deadline:
            raise urllib3.exceptions.HTTPError(f"not received within {_TIMEOUT:g} s")
        end = (end + chunk)[-_MAX_KEPT:]
    # The first line is not whole.
    return end.partition(b"\n")[2] if size > _MAX_KEPT else end
