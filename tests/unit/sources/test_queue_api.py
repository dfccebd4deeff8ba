"""The queue's API on a server of this machine, and Taskcluster's client as an oracle."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import trustme

from queue_server import Content, QueueServer, content
from tcsniff.errors import (
    ApiError,
    ApiMisconfigured,
    ApiRefused,
    ApiUnknown,
    ApiUntrusted,
    TcsniffError,
    UsageError,
)
from tcsniff.settings.web_server import WebServer, build_web_server
from tcsniff.simulator.simulation import plan_groups, simulate
from tcsniff.sources.queue_api import QueueApi
from tcsniff.sources.queue_polling import PageFetch
from tcsniff.taskgraph.definitions import Page, TaskGroupInfo

PATIENCE = 30  # seconds until something that must happen has not

PLAN = next(plan_groups(seed=3, tasks=60))
GROUP = PLAN.task_group_id
HEARD = [delivery for _, delivery in simulate(seed=3, start=0, groups=1)]


@pytest.fixture
def known() -> Content:
    return content(PLAN, HEARD)


@pytest.fixture
def server(known: Content) -> Iterator[QueueServer]:
    with QueueServer(known, page_size=25) as running:
        yield running


def test_a_group_comes_page_by_page(server: QueueServer, known: Content) -> None:
    """With its definitions, the statuses as the queue has them, and what is said of the group."""
    pages = list(QueueApi(WebServer(server.url)).fetch_pages(GROUP))

    assert [len(page.definitions) for page in pages] == [25, 25, 10]
    found = {one.task_id: one.dependencies for page in pages for one in page.definitions}
    assert found == {one.task_id: one.dependencies for one in PLAN.tasks}
    statuses = [orjson.loads(status) for page in pages for status in page.statuses]
    assert statuses == [member.status for member in known.members]
    assert pages[0].group == TaskGroupInfo(
        GROUP, PLAN.scheduler_id, expires="2026-11-23T18:00:00.000Z"
    )


def test_pages_are_asked_for_as_they_are_taken(server: QueueServer) -> None:
    """Who has seen enough costs the queue no more."""
    next(QueueApi(WebServer(server.url)).fetch_pages(GROUP))

    assert len(server.requests) == 1


def test_tasks_may_come_on_two_pages(server: QueueServer) -> None:
    """As they do when others are created meanwhile."""
    server.overlap = 5

    pages = list(QueueApi(WebServer(server.url)).fetch_pages(GROUP))

    ids = [one.task_id for page in pages for one in page.definitions]
    assert len(ids) > len(PLAN.tasks)
    assert set(ids) == {one.task_id for one in PLAN.tasks}


def test_a_token_that_comes_again_ends_it(server: QueueServer) -> None:
    """Instead of an endless loop."""
    server.repeats_token = True

    with pytest.raises(ApiError, match="repeats the continuation token") as told:
        list(QueueApi(WebServer(server.url)).fetch_pages(GROUP))

    assert told.value.exit_status == 3
    assert len(server.requests) == 2


def test_one_task_is_asked_for_by_itself(server: QueueServer) -> None:
    """As for a dependency outside of the group."""
    wanted = PLAN.tasks[-1]

    found = QueueApi(WebServer(server.url)).fetch_task(wanted.task_id)

    assert (found.task_id, found.label, found.kind) == (
        wanted.task_id,
        wanted.label,
        wanted.kind,
    )
    assert found.dependencies == wanted.dependencies


def test_a_task_tells_its_group(server: QueueServer) -> None:
    """So that a task's id will do where a group's is wanted."""
    api = QueueApi(WebServer(server.url))

    assert api.fetch_group_id(PLAN.tasks[-1].task_id) == GROUP
    server.raw = b"{}"
    with pytest.raises(
        ApiError,
        match="Object missing required field `taskGroupId`",
    ):
        api.fetch_group_id(GROUP)


def test_what_fails_for_a_moment_is_tried_again(server: QueueServer) -> None:
    """A server that restarts is not the end."""
    server.failures = 2

    assert len(list(QueueApi(WebServer(server.url)).fetch_pages(GROUP))) == 3
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("status", "kind", "exit_status", "text"),
    [
        (500, ApiError, 3, "(500: Client ID static/example does not have sufficient scopes)"),
        (429, ApiError, 3, "try again later"),
        (404, ApiUnknown, 4, f"has no task group {GROUP}; it may have expired"),
        (403, ApiRefused, 4, "set TASKCLUSTER_ROOT_URL, TASKCLUSTER_CLIENT_ID"),
        (401, ApiRefused, 4, "set TASKCLUSTER_ROOT_URL, TASKCLUSTER_CLIENT_ID"),
    ],
)
def test_a_refusal_is_told_in_a_line(
    server: QueueServer, status: int, kind: type[ApiError], exit_status: int, text: str
) -> None:
    """Which server, what it was asked for, what it said, and what can be done."""
    server.status = status

    with pytest.raises(ApiError) as told:
        list(QueueApi(WebServer(server.url), retries=1).fetch_pages(GROUP))

    assert type(told.value) is kind
    assert told.value.exit_status == exit_status
    assert str(told.value).startswith(server.url)
    assert text in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"", "status 200 and something that is not JSON; check the root URL"),
        (b"<html>Welcome</html>", "status 200 and something that is not JSON; check the root URL"),
        (b'{"taskGroupId": "x", "tasks": [', "not JSON"),
        (
            b"[]",
            "invalid answer for task group EXkNcPHvSpSiF_2jFWXa1Q: Expected `object`, got `array`",
        ),
        (b"null", "sent an invalid answer"),
        (b"{}", "required field"),
        (b'{"response": 1}', "sent an invalid answer"),
        (b'{"taskGroupId": "\\ud800", "tasks": []}', "sent an invalid answer"),
        (b'{"taskGroupId": 18446744073709551616, "tasks": []}', "sent an invalid answer"),
        (b"\xff\xfe\x00", "not JSON"),
    ],
)
def test_an_answer_that_is_none_is_told(server: QueueServer, answer: bytes, text: str) -> None:
    """Whatever it is."""
    server.raw = answer

    with pytest.raises(ApiError, match=server.url) as told:
        list(QueueApi(WebServer(server.url)).fetch_pages(GROUP))

    assert text in str(told.value)


def test_a_redirect_is_told(server: QueueServer) -> None:
    """With where it leads: most likely the root URL is an old one."""
    server.raw, server.status = b"", 301
    server.headers = {"Location": "https://elsewhere.example/"}

    with pytest.raises(ApiError, match=r"it redirects to https://elsewhere\.example/"):
        list(QueueApi(WebServer(server.url)).fetch_pages(GROUP))


def test_who_does_not_answer_is_given_up(server: QueueServer) -> None:
    """A limit that includes all repetitions."""
    server.delay = PATIENCE

    with pytest.raises(ApiError, match=r"did not answer for task group .* within 0\.2 s"):
        list(QueueApi(WebServer(server.url), timeout=0.2).fetch_pages(GROUP))


def test_nobody_there_is_told() -> None:
    """In words, not in objects of a library."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ApiError, match=rf"^no connection to {url}: .*Connection refused$"):
            list(QueueApi(WebServer(url), retries=0).fetch_pages(GROUP))


def test_a_certificate_that_nobody_vouches_for_is_told() -> None:
    """With the status that it has at a broker too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_shake, args=(listener, context), daemon=True).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ApiUntrusted, match=f"the TLS of {url} cannot be trusted") as told:
            list(QueueApi(WebServer(url), retries=0).fetch_pages(GROUP))

    assert told.value.exit_status == 5


def test_authorities_of_its_own_can_be_trusted(known: Content, tmp_path: Path) -> None:
    """Those that ``--tls-ca`` names, in addition to the system's; or anybody."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    with QueueServer(known, page_size=25, tls=context) as server:
        for settings in ({"ca": str(tmp_path / "ca.pem")}, {"insecure": True}):
            api = QueueApi(build_web_server(server.url, {}, **settings), retries=0)
            assert len(list(api.fetch_pages(GROUP))) == 3


def _shake(listener: socket.socket, context: ssl.SSLContext) -> None:
    line, _ = listener.accept()
    try:
        context.wrap_socket(line, server_side=True).close()
    except OSError:  # what the test is about
        line.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "firefox-ci-tc.services.mozilla.com",
        "ftp://example.com",
        "https://",
        "https://a b/",
        "https://[::1",
        "https://a:99999999",
        "https://a\n.example",
        "https://me:secret@a.example",
    ],
)
def test_what_is_no_root_url_is_told(url: str) -> None:
    """Before anything is asked; a password is not shown."""
    with pytest.raises(UsageError, match="like https://firefox-ci-tc") as told:
        build_web_server(url, {})

    assert "secret" not in str(told.value)


@pytest.mark.parametrize("root", ["itself", "another", "none"])
def test_credentials_go_to_their_own_deployment_alone(server: QueueServer, root: str) -> None:
    """Those of the environment are good for its root URL, and a secret to all others."""
    roots = {"itself": server.url + "/", "another": "https://other.example", "none": ""}
    environment = {
        "TASKCLUSTER_ROOT_URL": roots[root],
        "TASKCLUSTER_CLIENT_ID": "me",
        "TASKCLUSTER_ACCESS_TOKEN": "secret",
        "TASKCLUSTER_CERTIFICATE": '{"version": 1}',
    }

    list(QueueApi(build_web_server(server.url, environment)).fetch_pages(GROUP))

    sent = [header.startswith('Hawk mac="') for header in server.authorizations]
    assert sent == [root == "itself"] * 3
    assert "secret" not in "".join(server.authorizations)


@pytest.mark.parametrize(
    ("name", "value"), [("TASKCLUSTER_CERTIFICATE", "{"), ("TASKCLUSTER_ACCESS_TOKEN", "ü")]
)
def test_credentials_that_cannot_be_sent_are_told(
    server: QueueServer, name: str, value: str
) -> None:
    """By the names of their variables, and without what is in them."""
    environment = {
        "TASKCLUSTER_ROOT_URL": server.url,
        "TASKCLUSTER_CLIENT_ID": "me",
        "TASKCLUSTER_ACCESS_TOKEN": "secret",
        name: value,
    }

    with pytest.raises(ApiMisconfigured, match="TASKCLUSTER_CERTIFICATE ") as told:
        list(QueueApi(build_web_server(server.url, environment)).fetch_pages(GROUP))

    assert told.value.exit_status == 2


def collect_pages(fetch: PageFetch) -> list[Page]:
    """Start the fetch, and return all of its pages."""
    pages: list[Page] = []
    fetch.start()
    deadline = time.monotonic() + PATIENCE
    while not fetch.is_over:
        assert time.monotonic() < deadline
        time.sleep(0.001)  # leave the processor to the server
        pages += fetch.pop_pages()
    return pages


def test_pages_come_in_the_background(server: QueueServer) -> None:
    """In the order of the API."""
    fetch = PageFetch(QueueApi(WebServer(server.url)).fetch_pages(GROUP))

    pages = collect_pages(fetch)

    assert [len(page.definitions) for page in pages] == [25, 25, 10]
    assert fetch.error is None
    assert fetch.pop_pages() == []


def test_a_failure_in_the_background_is_kept(server: QueueServer) -> None:
    """After the pages that came before it."""
    server.repeats_token = True
    fetch = PageFetch(QueueApi(WebServer(server.url)).fetch_pages(GROUP))

    pages = collect_pages(fetch)

    assert len(pages) == 2
    assert isinstance(fetch.error, TcsniffError)


def test_fetching_pages_never_waits(server: QueueServer) -> None:
    """Also while the queue takes its time."""
    server.delay = PATIENCE
    fetch = PageFetch(QueueApi(WebServer(server.url), retries=0).fetch_pages(GROUP))

    fetch.start()

    assert fetch.pop_pages() == []
    assert not fetch.is_over
    fetch.stop()


def test_each_page_can_be_merged_before_the_next_one_arrives() -> None:
    """Who waits for pages does not wait for the last of them."""
    merged = threading.Event()

    def pages() -> Iterator[str]:
        yield "first"
        assert merged.wait(PATIENCE)
        yield "second"

    fetch = PageFetch(pages())
    fetch.start()
    arrived = []
    for page in fetch.wait_for_pages():
        arrived.append(page)
        merged.set()

    assert arrived == ["first", "second"]


def test_waiting_for_pages_ends_with_the_failure(server: QueueServer) -> None:
    """After the pages that came before it."""
    server.repeats_token = True
    fetch = PageFetch(QueueApi(WebServer(server.url)).fetch_pages(GROUP))
    fetch.start()
    arrived: list[Page] = []

    with pytest.raises(ApiError, match="repeats the continuation token"):
        arrived.extend(fetch.wait_for_pages())

    assert len(arrived) == 2


def test_a_bug_in_the_background_is_not_taken_for_the_end() -> None:
    """Else a group with half of its tasks would be complete."""

    def pages() -> Iterator[str]:
        yield "first"
        raise ZeroDivisionError

    fetch = PageFetch(pages())
    fetch.start()

    with pytest.raises(ZeroDivisionError):
        list(fetch.wait_for_pages())
    assert isinstance(fetch.error, ZeroDivisionError)


def test_a_stop_ends_it(server: QueueServer) -> None:
    """No further page is requested."""
    fetch: PageFetch

    def pages() -> Iterator[Page]:
        for page in QueueApi(WebServer(server.url)).fetch_pages(GROUP):
            fetch.stop()
            yield page

    fetch = PageFetch(pages())

    assert len(collect_pages(fetch)) <= 1
    assert len(server.requests) == 1


@pytest.mark.parametrize("pool", ["a", "a/b/c", "../a/b", "a/b?x=1", ""])
def test_only_a_worker_pool_is_asked_for(pool: str, server: QueueServer) -> None:
    """Nothing else gets into the path."""
    with pytest.raises(ApiUnknown, match="not a worker pool"):
        list(QueueApi(WebServer(server.url)).fetch_listed_runs(pool, "pending"))

    assert server.requests == []


def test_lists_of_a_pool_that_need_a_scope_are_refused(server: QueueServer) -> None:
    """With what was asked for; an older deployment has no such lists."""
    api = QueueApi(WebServer(server.url), retries=0)
    server.refused_lists = {"pending"}

    with pytest.raises(ApiRefused, match="pending tasks of worker pool a/b"):
        list(api.fetch_listed_runs("a/b", "pending"))
    server.is_old = True
    with pytest.raises(ApiUnknown):
        list(api.fetch_listed_runs("a/b", "claimed"))
