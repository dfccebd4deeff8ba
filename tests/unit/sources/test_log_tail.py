"""The ends of logs: bounded, decompressed while they are received, and never in the way."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator

import pytest

from builders import OTHER_TASK, TASK
from queue_server import QueueServer
from tcsniff.errors import ApiError
from tcsniff.settings.web_server import WebServer, build_web_server
from tcsniff.signals import signal_handler
from tcsniff.sources.log_tail import MAX_SIZE, TIMEOUT, fetch_log_tail
from tcsniff.sources.log_tails import MAX_LOGS, LogTails

LOG = f"/api/queue/v1/task/{TASK}/runs/1/artifacts/public/logs/live_backing.log"


@pytest.fixture
def server() -> Iterator[QueueServer]:
    with QueueServer() as running:
        yield running


def tail(server: QueueServer, body: bytes, lines: int = 3) -> list[str]:
    server.artifacts = {LOG: body}
    return fetch_log_tail(WebServer(server.url), TASK, 1, lines)


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b"a\nb\nc\nd\n", ["b", "c", "d"]),
        (b"a\r\n\n  \nb", ["a", "b"]),
        (b"\x1b[31merror:\x1b[0m no\n", ["error: no"]),
        (b"\xff\n", ["\ufffd"]),
        (b"", []),
    ],
)
def test_the_last_lines_are_read(server: QueueServer, body: bytes, lines: list[str]) -> None:
    """Behind a redirect, compressed; without empty lines and colors."""
    assert tail(server, body) == lines


def test_only_the_end_of_a_large_log_is_kept(server: QueueServer) -> None:
    """Even if a line is as long as the log."""
    assert tail(server, b"x" * (8 << 20) + b"\nlast", 5) == ["last"]
    assert tail(server, b"x" * (8 << 20), 5) == []


def test_no_credentials_are_sent(server: QueueServer) -> None:
    """The storage is not the queue."""
    tail(server, b"a")

    assert server.authorizations == ["", ""]


def test_a_log_behind_another_host_is_read_without_credentials(server: QueueServer) -> None:
    """The deployment gets a signature, the storage that it leads to does not."""
    server.tokens = {"me": "secret"}
    environment = {
        "TASKCLUSTER_ROOT_URL": server.url,
        "TASKCLUSTER_CLIENT_ID": "me",
        "TASKCLUSTER_ACCESS_TOKEN": "secret",
    }
    with QueueServer() as storage:
        storage.artifacts = {"/log": b"last"}
        server.redirects = {LOG: f"{storage.url}/storage/log"}
        found = fetch_log_tail(build_web_server(server.url, environment), TASK, 1, 3)

    assert found == ["last"]
    assert [header[:5] for header in server.authorizations] == ["Hawk "]
    assert storage.authorizations == [""]


def test_a_log_of_one_name_alone_is_read(server: QueueServer) -> None:
    """Some workers publish only ``live.log``."""
    server.artifacts = {LOG.replace("live_backing", "live"): b"last"}

    assert fetch_log_tail(WebServer(server.url), TASK, 1, 3) == ["last"]


def test_a_log_is_read_through_a_proxy(
    server: QueueServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the usual variables."""
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "")
    server.raw = b"last"

    assert fetch_log_tail(WebServer("http://tc.invalid"), TASK, 1, 3) == ["last"]
    assert server.requests == [f"http://tc.invalid{LOG}"]
    assert [headers["Accept-Encoding"] for headers in server.received_headers] == ["gzip"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (LOG, "too many redirects"),
        ("file:///etc/passwd", "an address that is not of the web"),
        ("http://[::1", "Invalid IPv6 URL"),
    ],
)
def test_a_redirect_to_nowhere_is_an_error(server: QueueServer, target: str, reason: str) -> None:
    """In a circle, to a file of this machine, or to something that is no address."""
    server.redirects = {LOG: target}

    with pytest.raises(ApiError, match=f"no log of run 1 of {TASK}: .*{reason}"):
        fetch_log_tail(WebServer(server.url), TASK, 1, 3)


def test_a_storage_that_fails_for_a_moment_is_asked_again(server: QueueServer) -> None:
    """A log is worth three attempts."""
    server.failures = 2

    assert tail(server, b"last") == ["last"]


def test_a_storage_that_goes_on_failing_is_left(server: QueueServer) -> None:
    """After the third attempt."""
    server.failures = 9

    with pytest.raises(ApiError, match="status 500"):
        tail(server, b"last")

    assert len(server.requests) == 3


@pytest.mark.parametrize(("redirects", "is_read"), [(5, True), (6, False)])
def test_redirects_are_limited(server: QueueServer, redirects: int, is_read: bool) -> None:
    """Each may lead to the next."""
    server.redirects = {LOG: "/1"} | {f"/{n}": f"/{n + 1}" for n in range(1, redirects - 1)}
    server.redirects[f"/{redirects - 1}"] = "/storage/log"
    server.artifacts = {"/log": b"last"}

    if is_read:
        assert fetch_log_tail(WebServer(server.url), TASK, 1, 3) == ["last"]
        return
    with pytest.raises(ApiError, match="too many redirects"):
        fetch_log_tail(WebServer(server.url), TASK, 1, 3)


def test_a_log_that_drips_ends(server: QueueServer) -> None:
    """Each byte comes in time, the log as a whole does not."""
    server.drip = 0.05
    server.artifacts = {LOG: bytes(random.Random(1).randbytes(50_000))}

    with pytest.raises(ApiError, match=r"not received within 0\.3 s"):
        fetch_log_tail(WebServer(server.url), TASK, 1, 3, timeout=0.3)


def test_a_storage_that_is_silent_is_left(server: QueueServer) -> None:
    """Before it has sent anything."""
    server.delay = 30

    with pytest.raises(ApiError, match=r"not received within 0\.3 s"):
        fetch_log_tail(WebServer(server.url), TASK, 1, 3, timeout=0.3)


def test_a_log_is_limited(server: QueueServer) -> None:
    """After decompression; a byte less is read."""
    server.artifacts = {LOG: b"\n" + b"x" * ((1 << 20) - 1)}
    assert fetch_log_tail(WebServer(server.url), TASK, 1, 3, max_size=1 << 20) == []

    server.artifacts = {LOG: b"x" * ((1 << 20) + 1)}
    with pytest.raises(ApiError, match="larger than 1 MB"):
        fetch_log_tail(WebServer(server.url), TASK, 1, 3, max_size=1 << 20)
    assert len(server.requests) == 4


def test_the_limits_are_those_of_large_logs() -> None:
    """A person waits 20 s; logs of tests have up to 100 MB."""
    assert (TIMEOUT, MAX_SIZE) == (20, 256 << 20)


def test_a_log_that_is_missing_is_an_error(server: QueueServer) -> None:
    """With its run and its task, after both names were tried."""
    with pytest.raises(ApiError, match=f"no log of run 1 of {TASK}: status 404"):
        fetch_log_tail(WebServer(server.url), TASK, 1, 3)

    assert len(server.requests) == 2


def test_nothing_is_asked_for_that_is_not_an_id(server: QueueServer) -> None:
    """IDs are written by anybody who may create a task."""
    assert fetch_log_tail(WebServer(server.url), "../../x", 1, 3) == []
    assert server.requests == []


def test_each_log_is_fetched_once_in_the_background() -> None:
    """A picture is drawn four times a second, and waits for none of them."""
    asked: list[tuple[str, int]] = []
    released = threading.Event()

    def fetch(task_id: str, run_id: int) -> list[str]:
        asked.append((task_id, run_id))
        released.wait(30)
        if task_id == OTHER_TASK:
            raise ApiError("none")
        return ["last"]

    tails = LogTails(fetch)
    runs = [(TASK, 1), (OTHER_TASK, 0)]

    first = tails.get(runs, wait=False)
    released.set()
    second = tails.get(runs, wait=True)

    assert (first, second) == ({}, {(TASK, 1): ["last"], (OTHER_TASK, 0): []})
    assert asked == runs


def test_a_group_with_thousands_of_failures_has_a_few_logs() -> None:
    """The first ones are the most important."""
    tails = LogTails(lambda _task_id, run_id: [str(run_id)])

    found = tails.get([(TASK, number) for number in range(1_000)], wait=True)

    assert list(found) == [(TASK, number) for number in range(MAX_LOGS)]


def test_a_signal_ends_the_wait_for_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """One Ctrl-C is enough, whatever the storage does."""
    released = threading.Event()

    def fetch(_task_id: str, _run_id: int) -> list[str]:
        released.wait(60)
        return []

    tails = LogTails(fetch)
    monkeypatch.setattr(signal_handler, "received", signal.SIGINT)

    assert tails.get([(TASK, 1)], wait=True) == {}
    assert not released.is_set()
    released.set()
