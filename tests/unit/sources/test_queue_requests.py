"""Requests to the queue's API: signatures, limits, repetitions, proxies, and what is said."""

from __future__ import annotations

import base64
import gzip
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import taskcluster
import trustme

from builders import TASK
from queue_server import Content, QueueServer, content
from tcsniff.errors import ApiError, ApiMisconfigured, ApiRefused, ApiUnknown, ApiUntrusted
from tcsniff.settings.web_server import WebServer, build_web_server
from tcsniff.simulator.simulation import plan_groups, simulate
from tcsniff.sources import queue_api, queue_requests
from tcsniff.sources.http_client import Answer
from tcsniff.sources.proxies import find_proxy
from tcsniff.sources.queue_api import QueueApi
from tcsniff.sources.queue_requests import compute_pause, parse_retry_after, read_reason
from tcsniff.taskgraph.definitions import Page, parse_page
from tcsniff.taskgraph.group import GroupState
from tcsniff.taskgraph.listed_runs import ListedRun
from tcsniff.taskgraph.queue_answers import Artifact, PendingCounts

PLAN = next(plan_groups(seed=3, tasks=30))
GROUP = PLAN.task_group_id
HEARD = [delivery for _, delivery in simulate(seed=3, start=0, groups=1)]
POOL = "gecko-t/t-linux-xlarge"
LOGS = [
    {
        "name": f"public/logs/{number}.log",
        "storageType": "s3",
        "contentType": "text/plain",
        "expires": "2027-11-23T18:00:00.000Z",
    }
    for number in range(7)
]
CERTIFICATE = {"version": 1, "scopes": ["*"], "seed": "x", "signature": "y", "expiry": 1}


@pytest.fixture
def known() -> Content:
    return content(PLAN, HEARD)


@pytest.fixture
def server(known: Content) -> Iterator[QueueServer]:
    with QueueServer(known, page_size=7) as running:
        running.counts = {POOL: (35, 2)}
        running.artifact_lists = {(TASK, 0): LOGS[:1], (TASK, 1): LOGS}
        yield running


def credentials(server: QueueServer, **more: str) -> dict[str, str]:
    server.tokens = {"me": "secret"}
    return {
        "TASKCLUSTER_ROOT_URL": server.url,
        "TASKCLUSTER_CLIENT_ID": "me",
        "TASKCLUSTER_ACCESS_TOKEN": "secret",
        **more,
    }


def ask_oracle(server: QueueServer, call: str, *args: str, **options: Any) -> Any:
    """Ask with Taskcluster's own client; a list of answers if there are pages."""
    asked = getattr(taskcluster.Queue({"rootUrl": server.url, **options}), call)
    if not call.startswith("list"):
        return asked(*args)
    pages = [asked(*args)]
    while token := pages[-1].get("continuationToken"):
        pages.append(asked(*args, query={"continuationToken": token}))
    return pages


def compact_statuses(page: Page) -> Page:
    statuses = tuple(orjson.dumps(orjson.loads(status)) for status in page.statuses)
    return page._replace(statuses=statuses)


def parse_oracle(artifacts: list[dict[str, Any]]) -> list[Artifact]:
    return [
        Artifact(one["name"], one["storageType"], one["contentType"], one["expires"])
        for one in artifacts
    ]


def test_answers_are_those_of_taskclusters_client(server: QueueServer, known: Content) -> None:
    """Each call, on the same server."""
    api, task_id = QueueApi(WebServer(server.url)), known.members[3].status["taskId"]

    pages = [parse_page(orjson.dumps(page)) for page in ask_oracle(server, "listTaskGroup", GROUP)]
    assert [compact_statuses(page) for page in api.fetch_pages(GROUP)] == pages
    assert orjson.loads(api.fetch_task_json(task_id)) == ask_oracle(server, "task", task_id)
    status = ask_oracle(server, "status", task_id)["status"]
    assert orjson.loads(api.fetch_status(task_id)) == status
    group = ask_oracle(server, "getTaskGroup", GROUP)
    info = api.fetch_group_info(GROUP)
    assert (info.task_group_id, info.scheduler_id, info.expires, info.sealed) == (
        group["taskGroupId"],
        group["schedulerId"],
        group["expires"],
        group.get("sealed", ""),
    )
    counts = ask_oracle(server, "taskQueueCounts", POOL)
    assert api.fetch_pending_counts(POOL) == PendingCounts(
        POOL, counts["pendingTasks"], counts["claimedTasks"]
    )
    for run_id, words in ((0, ("0",)), (1, ("1",)), (None, ())):
        call = "listArtifacts" if words else "listLatestArtifacts"
        artifacts = [
            one for page in ask_oracle(server, call, TASK, *words) for one in page["artifacts"]
        ]
        assert api.fetch_artifacts(TASK, run_id) == parse_oracle(artifacts)


@pytest.mark.parametrize(("state", "number"), [("pending", 60), ("claimed", 80)])
def test_lists_of_a_pool_are_those_of_taskclusters_client(state: str, number: int) -> None:
    """Page by page: the run, since when, its worker, and what selects the task."""
    some = content(PLAN, HEARD[:number])  # when some are in that state
    states = {"pending": "pending", "claimed": "running"}
    pools = {
        member.status["taskQueueId"]
        for member in some.members
        if member.status["state"] == states[state]
    }
    assert pools
    with QueueServer(some, page_size=1) as server:
        api = QueueApi(WebServer(server.url))
        for pool in pools:
            call = f"list{state.capitalize()}Tasks"
            items = [one for page in ask_oracle(server, call, pool) for one in page["tasks"]]

            runs = [run for page in api.fetch_listed_runs(pool, state) for run in page.runs]

            assert [describe_run(run) for run in runs] == [
                (
                    item["taskId"],
                    item["runId"],
                    states[state],
                    item.get("inserted"),
                    item.get("claimed"),
                    item.get("workerId"),
                    item["task"]["schedulerId"],
                    item["task"]["taskGroupId"],
                    item["task"]["tags"].get("label", ""),
                    tuple(item["task"]["routes"]),
                )
                for item in items
            ]


def describe_run(listed: ListedRun) -> tuple[Any, ...]:
    status, run = listed.task.status, listed.task.runs[-1]
    return (
        status.task_id,
        run.run_id,
        run.state,
        run.scheduled,
        run.started,
        run.worker_id,
        status.scheduler_id,
        status.task_group_id,
        listed.task.label,
        listed.routes,
    )


@pytest.mark.parametrize("certificate", [None, CERTIFICATE], ids=["permanent", "temporary"])
def test_requests_are_signed_as_by_taskclusters_client(
    server: QueueServer, certificate: dict[str, Any] | None
) -> None:
    """The server checks the signature, which is another one for each request."""
    text = orjson.dumps(certificate).decode() if certificate else ""
    environment = credentials(server, TASKCLUSTER_CERTIFICATE=text)

    list(QueueApi(build_web_server(server.url, environment)).fetch_pages(GROUP))
    mine = len(server.requests)
    ask_oracle(
        server,
        "listTaskGroup",
        GROUP,
        credentials={"clientId": "me", "accessToken": "secret", "certificate": text or None},
    )

    assert (mine, len(server.requests)) == (5, 10)
    assert len(set(server.authorizations)) == 10
    certificates = [(one or {}).get("certificate") for one in server.certificates]
    assert certificates == [certificate] * 10


def test_a_wrong_token_is_refused(server: QueueServer) -> None:
    """With what the queue says about it, and no part of the token."""
    environment = {**credentials(server), "TASKCLUSTER_ACCESS_TOKEN": "s3cr3t"}

    with pytest.raises(ApiRefused, match="Unauthorized") as refusal:
        QueueApi(build_web_server(server.url, environment)).fetch_status(TASK)

    assert "s3cr3t" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TASKCLUSTER_CERTIFICATE", "[1]"),
        ("TASKCLUSTER_CERTIFICATE", "[" * 100_000),
        ("TASKCLUSTER_CLIENT_ID", "ü"),
        ("TASKCLUSTER_CLIENT_ID", 'a"b\\'),
        ("TASKCLUSTER_CLIENT_ID", "a\nb"),
    ],
)
def test_credentials_that_cannot_be_sent_are_wrong_settings(
    server: QueueServer, name: str, value: str
) -> None:
    """Before anything is sent."""
    environment = {**credentials(server), name: value}

    with pytest.raises(ApiMisconfigured) as failure:
        QueueApi(build_web_server(server.url, environment)).fetch_status(TASK)

    assert (failure.value.exit_status, server.requests) == (2, [])


def test_the_missing_scope_is_named(server: QueueServer) -> None:
    """It is on a later line of what the queue says."""
    server.status = 403
    server.error_text = (
        "Client ID static/me does not have sufficient scopes and is missing the following "
        "scopes:\n\n```\nqueue:list-task-group:abc\x1b[31m\n```\n\n---\n\n* method: listTaskGroup"
    )

    with pytest.raises(ApiRefused) as refusal:
        list(QueueApi(WebServer(server.url)).fetch_pages(GROUP))

    text = str(refusal.value)
    assert "following scopes: ``` queue:list-task-group:abc\\x1b[31m ```" in text
    assert "\n" not in text
    assert "method" not in text


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, b"<html>", "Not Found"),
        (599, b"", "no reason"),
        (400, b'{"message": 5}', "Bad Request"),
        (400, b'{"message": "' + b"x" * 9_000 + b'"}', "x" * 2_000 + "…"),
    ],
)
def test_a_refusal_without_words_has_its_status(status: int, body: bytes, reason: str) -> None:
    """A proxy answers with a page, and nothing is shown without bound."""
    assert read_reason(Answer(status, {}, body)) == reason


def test_a_refusal_for_now_is_tried_again(server: QueueServer) -> None:
    """Too many requests, and a server that restarts."""
    server.refusals = [(429, "0"), (503, "")]

    QueueApi(WebServer(server.url)).fetch_group_info(GROUP)

    assert len(server.requests) == 3


def test_what_will_not_change_is_not_asked_again(server: QueueServer) -> None:
    """A refusal stays one."""
    server.status = 403

    with pytest.raises(ApiRefused):
        QueueApi(WebServer(server.url)).fetch_group_info(GROUP)

    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_is_too_long_ends_it(server: QueueServer, status: int) -> None:
    """The server says how long; nothing is gained by asking earlier."""
    server.refusals = [(status, "1000")] * 2

    with pytest.raises(ApiError, match="try again in 1000 s"):
        QueueApi(WebServer(server.url)).fetch_group_info(GROUP)

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("", 0),
        ("-5", 0),
        ("soon", 0),
        ("\u0667", 0),
        ("9" * 400, 999_999_999),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0),
        ("Thu, 01 Jan 99999 00:00:01 GMT", 0),
    ],
)
def test_servers_say_how_long_to_wait(value: str, seconds: float) -> None:
    """In seconds, or as a date; here it is ten seconds past the start of 1970."""
    assert parse_retry_after(value, 10.0) == seconds


def test_pauses_double_and_differ() -> None:
    """So that a thousand clients do not come back at the same moment."""
    assert [compute_pause(attempt, lambda: 0.5) for attempt in range(3)] == [0.1, 0.2, 0.4]
    assert compute_pause(0, lambda: 0.0) < 0.1 < compute_pause(0, lambda: 1.0)


def test_an_answer_that_drips_ends(server: QueueServer) -> None:
    """Each byte comes in time, the answer as a whole does not."""
    server.raw, server.drip = b" " * 100_000, 0.05

    with pytest.raises(ApiError, match=r"did not answer .* within 0\.3 s"):
        QueueApi(WebServer(server.url), timeout=0.3).fetch_group_info(GROUP)


def test_headers_that_drip_end() -> None:
    """Before there is an answer, each byte comes in time, too."""
    ended = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not ended.wait(0.05):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ApiError, match=r"did not answer .* within 0\.3 s"):
            QueueApi(WebServer(url), timeout=0.3).fetch_group_info(GROUP)
        ended.set()
        thread.join(60)


@pytest.mark.parametrize("is_compressed", [True, False])
def test_an_answer_is_limited(server: QueueServer, is_compressed: bool) -> None:
    """After decompression: 64 kB may be 64 MB."""
    body = b" " * (queue_requests.MAX_SIZE + 1)
    if is_compressed:
        server.headers = {"Content-Encoding": "gzip"}
    server.raw = gzip.compress(body, 1) if is_compressed else body

    with pytest.raises(ApiError, match="is larger than 64 MB"):
        QueueApi(WebServer(server.url)).fetch_group_info(GROUP)

    assert len(server.requests) == 1


def test_the_largest_answer_is_read(server: QueueServer) -> None:
    """Compressed, as the queue sends it."""
    text = orjson.dumps({"taskGroupId": GROUP, "schedulerId": "s"})
    server.headers = {"Content-Encoding": "gzip"}
    server.raw = gzip.compress(text + b" " * (queue_requests.MAX_SIZE - len(text)), 1)

    assert QueueApi(WebServer(server.url)).fetch_group_info(GROUP).scheduler_id == "s"


def test_pages_are_limited(server: QueueServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may hand out another token each time."""
    monkeypatch.setattr(queue_api, "MAX_PAGES", 3)

    with pytest.raises(ApiError, match="more than 3 pages"):
        list(QueueApi(WebServer(server.url)).fetch_pages(GROUP))

    assert len(server.requests) == 3


def test_the_size_of_all_pages_is_limited(
    server: QueueServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page may be 64 MB."""
    monkeypatch.setattr(queue_api, "MAX_TOTAL_SIZE", 1)

    with pytest.raises(ApiError, match="more than 1 pages"):
        list(QueueApi(WebServer(server.url)).fetch_pages(GROUP))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_do_not_go_where_a_redirect_leads(server: QueueServer, status: int) -> None:
    """The other host is named, and not asked."""
    environment = credentials(server)
    server.status, server.raw = status, b""
    with QueueServer() as other:
        server.headers = {"Location": f"{other.url}/\x1b[31m"}
        with pytest.raises(ApiError, match=f"it redirects to {other.url}") as failure:
            QueueApi(build_web_server(server.url, environment)).fetch_group_info(GROUP)

    assert other.requests == []
    assert "\x1b" not in str(failure.value)


def test_requests_go_through_a_proxy(server: QueueServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its password, which is for the proxy alone; hosts of NO_PROXY are asked directly."""
    monkeypatch.setenv("http_proxy", server.url.replace("//", "//user:p%40ss@"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    QueueApi(WebServer("http://tc.invalid")).fetch_group_info(GROUP)
    QueueApi(WebServer(server.url)).fetch_group_info(GROUP)

    assert server.requests == [
        f"http://tc.invalid/api/queue/v1/task-group/{GROUP}",
        f"/api/queue/v1/task-group/{GROUP}",
    ]
    proxy_words = [headers.get("Proxy-Authorization", "") for headers in server.received_headers]
    assert proxy_words == [f"Basic {base64.b64encode(b'user:p@ss').decode()}", ""]


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "https://tc.invalid", ""),
        ({"HTTPS_PROXY": "http://p:1"}, "https://tc.invalid", "http://p:1"),
        ({"HTTPS_PROXY": "p:1"}, "https://tc.invalid", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "http://tc.invalid", ""),
        ({"ALL_PROXY": "http://p:1"}, "https://tc.invalid", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".invalid"}, "https://tc.invalid", ""),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, "https://tc.invalid", ""),
    ],
)
def test_the_environment_names_proxies(
    environment: dict[str, str], url: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the usual variables."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert find_proxy(url) == proxy


def test_a_proxy_of_an_unknown_kind_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bug of tcsniff."""
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")

    with pytest.raises(ApiError, match=r"^no connection to http://tc\.invalid: "):
        QueueApi(WebServer("http://tc.invalid"), retries=0).fetch_group_info(GROUP)


def test_an_authority_of_ones_own_is_trusted(
    known: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE names it, as for other programs; without it the server is not trusted."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with QueueServer(known, tls=context) as server:
        with pytest.raises(ApiUntrusted) as failure:
            QueueApi(WebServer(server.url)).fetch_group_info(GROUP)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        info = QueueApi(WebServer(server.url)).fetch_group_info(GROUP)

    assert (failure.value.exit_status, info.task_group_id) == (5, GROUP)
    assert "use --tls-ca FILE" in str(failure.value)


def test_a_server_that_ends_the_handshake_says_nothing_about_trust() -> None:
    """It may be starting: status 3, as for other lost connections, after more attempts."""
    accepted = []

    def hang_up(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            accepted.append(connection.recv(1 << 16))
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hang_up, args=(listener,))
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ApiError, match=f"^no connection to {url}: ") as failure:
            QueueApi(WebServer(url), retries=2).fetch_group_info(GROUP)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(60)

    assert (failure.value.exit_status, len(accepted)) == (3, 3)


def test_a_server_without_tls_is_not_trusted(server: QueueServer) -> None:
    """Status 5, as at a broker."""
    url = server.url.replace("http:", "https:")

    with pytest.raises(ApiUntrusted, match=f"the TLS of {url} cannot be trusted"):
        QueueApi(WebServer(url)).fetch_group_info(GROUP)


@pytest.mark.parametrize("task_id", ["..", "a/b/c", "", "a?b", "a%2fb", "ü", "x" * 100])
def test_what_is_no_id_is_not_asked_for(server: QueueServer, task_id: str) -> None:
    """Dependencies are written by anyone who may create a task."""
    api = QueueApi(WebServer(server.url))
    calls: list[Callable[[str], object]] = [
        api.fetch_task,
        api.fetch_status,
        api.fetch_artifacts,
        api.fetch_group_info,
        api.fetch_pending_counts,
    ]

    for call in calls:
        with pytest.raises(ApiUnknown):
            call(task_id)
    assert server.requests == []


def test_an_older_deployment_knows_how_many_wait(server: QueueServer) -> None:
    """By the call that is deprecated now."""
    server.is_old = True

    assert QueueApi(WebServer(server.url)).fetch_pending_counts(POOL) == PendingCounts(POOL, 35)


def test_a_pool_without_tasks_has_none(server: QueueServer) -> None:
    """The queue doesn't know which pools there are."""
    assert QueueApi(WebServer(server.url)).fetch_pending_counts("a/b") == PendingCounts(
        "a/b", 0, 0
    )


def test_threads_ask_at_the_same_time(server: QueueServer) -> None:
    """Through one client."""
    api, found = QueueApi(WebServer(server.url)), []
    threads = [
        threading.Thread(target=lambda: found.append(len(list(api.fetch_pages(GROUP)))))
        for _ in range(12)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert found == [5] * 12


ODD = {
    "a tag that is a number": ("task", {"tags": {"label": 5}}),
    "a huge run": ("status", {"runs": [{"runId": 1 << 80, "state": "completed"}]}),
    "half a surrogate pair": ("task", {"metadata": {"name": "\ud800"}}),
    "half a pair in a state": ("status", {"state": "\ud800"}),
    "a task of another kind": ("task", []),
    "a number of thousands of digits": ("status", {"runs": 10**4_000}),
}


@pytest.mark.parametrize(("part", "value"), ODD.values(), ids=ODD)
def test_an_odd_task_leaves_the_others_readable(
    server: QueueServer, known: Content, part: str, value: Any
) -> None:
    """It is reported once, however often it is asked for, and the result is not 0."""
    for member in known.members:
        member.status.update(state="completed", runs=[{"runId": 0, "state": "completed"}])
    odd = known.members[3]
    task_id = odd.status["taskId"]
    changed = {**getattr(odd, part), **value} if isinstance(value, dict) else value
    known.members[3] = odd._replace(**{part: changed})
    group = GroupState(GROUP)

    for _ in range(2):
        for page in QueueApi(WebServer(server.url)).fetch_pages(GROUP):
            group.add_page(page)
        group.mark_whole()

    graph = group.graph()
    assert len(graph.nodes) == len(known.members)
    others = {node.state for node in graph.nodes.values() if node.task_id != task_id}
    assert (others, graph.exit_status) == ({"completed"}, 12)
    if (part, value) != ("status", {"state": "\ud800"}):
        assert (graph.nodes[task_id].state, group.is_over) == ("completed", True)
    assert len(graph.doubts) == 1
    assert f"of task {task_id}" in graph.doubts[0]
    assert graph.doubts[0].startswith("1 ")


def test_a_task_without_an_id_is_counted(server: QueueServer, known: Content) -> None:
    """Nobody knows which one it is."""
    del known.members[3].status["taskId"]

    page, *_ = QueueApi(WebServer(server.url)).fetch_pages(GROUP)

    assert (len(page.statuses), page.unread) == (6, ("task 4 of an answer of the queue",))


def test_a_very_large_answer_with_an_odd_task_is_invalid(
    server: QueueServer, known: Content
) -> None:
    """To find the task would take hundreds of megabytes."""
    known.members[3].task["metadata"] = {"name": "\ud800"}
    known.members[4].task["payload"] = {"command": "x" * (16 << 20)}

    with pytest.raises(ApiError, match="sent an invalid answer"):
        list(QueueApi(WebServer(server.url)).fetch_pages(GROUP))
