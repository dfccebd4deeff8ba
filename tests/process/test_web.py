"""Listening through a web server, without an account."""

from __future__ import annotations

import json
import signal
import ssl
import threading

import pytest
import trustme

from groups import EVENTS, PLAN
from queue_server import QueueServer, content
from running import PATIENCE, Running, finished
from tcsniff.cli import main
from web_server import (
    BOTH,
    FRAMES,
    GRAPHQL,
    WebServer,
    credentials_of,
    report_problem,
    respond,
)

QUEUE = "exchange/taskcluster-queue/v1/"
KEY = "primary.fN1SbArXTPSVFNUvaOlinQ.0.us.i-1.aws.gaia.sched.fN1SbArXTPSVFNUvaOlinQ._"


@pytest.mark.parametrize("paths", [BOTH, [GRAPHQL]])
def test_messages_are_printed(paths):
    """Both protocols work; the older one is used if the newer one is refused."""
    with (
        WebServer(paths) as server,
        Running("task-failed", "--root-url", server.root_url, "-n", "2") as run,
    ):
        run.listening()
        server.subscribed()
        server.publish(QUEUE + "task-failed", KEY, {"runId": 0, "n": 2**60})
        server.publish(QUEUE + "task-running", KEY, {"runId": 0})
        server.publish(QUEUE + "task-failed", KEY, {"runId": 1}, redelivered=True)

        lines = [json.loads(line) for line in run.lines(2)]
        assert run.status() == 0

    assert server.requested == ([FRAMES] if paths is BOTH else [FRAMES, GRAPHQL])
    assert [line["payload"] for line in lines] == [{"runId": 0, "n": 2**60}, {"runId": 1}]
    assert [line["routes"] for line in lines] == [None, None]
    assert [line["redelivered"] for line in lines] == [False, True]
    assert "through its web server (no account)" in run.said()


def test_a_route_is_bound_and_fields_are_checked():
    """The server never tells routes."""
    with (
        WebServer() as server,
        Running(
            *("task-failed", "--route", "index.a.#", "--worker-type", "gaia", "-n", "1"),
            *("--web", "--root-url", server.root_url),
        ) as run,
    ):
        run.listening()
        (subscription,) = server.subscribed()
        server.publish(QUEUE + "task-failed", KEY, {"runId": 0})
        server.publish(QUEUE + "task-failed", KEY.replace("gaia", "other"), {}, ["index.a.b"])
        server.publish(QUEUE + "task-failed", KEY, {"runId": 2}, ["index.a.b"])

        (line,) = run.lines(1)
        assert run.status() == 0

    assert subscription.bindings == [
        {"exchange": QUEUE + "task-failed", "pattern": "route.index.a.#"}
    ]
    assert json.loads(line)["payload"] == {"runId": 2}
    assert "2 received, 1 matched, 1 printed" in run.said()


def test_a_message_of_two_subscriptions_is_printed_once():
    """More than 100 routes need two subscriptions."""
    routes = [word for number in range(101) for word in ("--route", f"r{number}.#")]
    with (
        WebServer() as server,
        Running("task-failed", *routes, "--root-url", server.root_url, "-n", "2") as run,
    ):
        run.listening()
        server.subscribed(2)
        sent = server.publish(QUEUE + "task-failed", KEY, {"runId": 1}, ["r0.x", "r100.x"])
        server.publish(QUEUE + "task-failed", KEY, {"runId": 2}, ["r3.x"])

        lines = run.lines(2)

    assert sent == 2
    assert [json.loads(line)["payload"]["runId"] for line in lines] == [1, 2]


def test_a_missing_scope_is_named():
    """Status 4, with what to do."""
    answer = report_problem("InsufficientScopes", "oh dear", 4403)
    with WebServer(on_hello=answer) as server:
        done = finished("task-failed", "--root-url", server.root_url)

    assert done.returncode == 4
    assert "gives the scope web:read-pulse only to clients that log in" in done.stderr
    assert "TASKCLUSTER_CLIENT_ID" in done.stderr


@pytest.mark.parametrize("paths", [[FRAMES], [GRAPHQL]])
def test_an_unknown_exchange_is_refused(paths):
    """Status 4; its name is in the message."""
    with WebServer(paths) as server:
        done = finished("--exchange", "exchange/nobody/here", "--root-url", server.root_url)

    assert done.returncode == 4
    assert f"{server.root_url} has no exchange 'exchange/nobody/here'" in done.stderr


def test_without_a_network_the_next_steps_are_named():
    """Status 3, also for a newcomer who has set nothing."""
    done = finished("task-failed")

    assert (done.returncode, done.stdout) == (3, "")
    assert "https://firefox-ci-tc.services.mozilla.com" in done.stderr
    for words in ("--demo", "--from", "PULSE_USERNAME"):
        assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("flags", ["--queue q", "--resume 1m --web", "--prefetch 5", "--auto-ack"])
def test_flags_of_brokers_are_refused(flags, capsys):
    """Status 2, and why; nothing connects."""
    assert main(["task-failed", *flags.split()]) == 2

    assert f"{flags.split()[0]} needs a broker: a web server" in capsys.readouterr().err


def test_credentials_go_to_their_own_deployment_only():
    """A token for one deployment is not sent to another."""
    account = {"TASKCLUSTER_CLIENT_ID": "me", "TASKCLUSTER_ACCESS_TOKEN": "s3cret"}
    with WebServer() as ours, WebServer() as other:
        env = {**account, "TASKCLUSTER_ROOT_URL": ours.root_url}
        with Running("task-failed", env=env) as run:
            run.listening()
        with Running("task-failed", "--root-url", other.root_url, env=env) as stranger:
            stranger.listening()

    assert credentials_of(ours.hellos[0]["authorization"]) == {
        "clientId": "me",
        "accessToken": "s3cret",
    }
    assert "authorization" not in other.hellos[0]
    assert "(as me)" in run.said()
    assert "(no account)" in stranger.said()


def test_a_foreign_certificate_is_not_trusted(tmp_path):
    """Status 5; with --tls-ca of its authority it is, if it names the host."""
    authority = trustme.CA()
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    for host, flags in (("localhost", []), ("other.example", ["--tls-ca", str(ca)])):
        with WebServer(context=make_context(authority, host)) as server:
            done = finished("task-failed", "--root-url", server.root_url, *flags)

        assert done.returncode == 5
        assert f"the certificate of {server.root_url} cannot be trusted" in done.stderr
    with (
        WebServer(context=make_context(authority, "localhost")) as server,
        Running("task-failed", "--root-url", server.root_url, "--tls-ca", str(ca)) as run,
    ):
        run.listening()


def make_context(authority, host):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


@pytest.fixture
def deployment():
    """Return a web server that answers as the queue, too, and its queue."""
    queue = QueueServer(content(PLAN), page_size=15)

    def answer(request):
        if not request.path.startswith("/api/queue/"):
            return None
        status, body = queue.answer(request.path, "")
        return respond(status, body, Content_Type="application/json")

    with WebServer(on_request=answer) as server, queue:
        yield server, queue


def test_a_group_is_followed_across_a_gap(deployment):
    """What a lost connection misses is asked for, so the end is the same."""
    server, queue = deployment
    half = len(EVENTS) // 2
    words = ("graph", PLAN.task_group_id, "--root-url", server.root_url, "--settle", "1s")
    with Running(*words) as run:
        run.listening().lines(len(PLAN.tasks))  # all of them unscheduled, as the queue says
        (first,) = server.subscribed()
        for event in EVENTS[:half]:
            server.publish(event.exchange, event.routing_key, json.loads(event.body))
        server.cut()
        server.gone(first)
        for event in EVENTS[half:]:
            server.publish(event.exchange, event.routing_key, json.loads(event.body))
        queue.groups[PLAN.task_group_id] = content(PLAN, EVENTS)
        run.mentions("; trying again").mentions("messages may be missing")

        status = run.status()
        summary = json.loads(run.lines(1)[-1])["summary"]

    assert (summary["resolved"], summary["tasks"]) == (True, len(PLAN.tasks))
    assert status == summary["exitStatus"] == 10


def test_a_task_is_followed_to_its_end(deployment):
    """Its routes are the queue's answer, as messages have none."""
    server, queue = deployment
    task = PLAN.tasks[0]
    with Running("task", task.task_id, "--root-url", server.root_url) as run:
        run.listening().lines(1)
        server.subscribed()
        queue.groups[PLAN.task_group_id] = content(PLAN, EVENTS)
        for event in EVENTS:
            server.publish(event.exchange, event.routing_key, json.loads(event.body))

        status = run.status()
        *changes, last = map(json.loads, run.lines(1))

    assert {change["taskId"] for change in changes} == {task.task_id}
    assert status == last["summary"]["exitStatus"] == 0
    assert last["summary"]["routes"] == list(task.routes)


def test_gaps_are_in_the_stream_and_the_recording(tmp_path):
    """The recording replays as it was received, and routes stay unknown."""
    path = tmp_path / "web.jsonl"
    words = ("task-failed", "-o", "json", "--gaps", "--record", str(path), "-n", "2")
    with WebServer() as server, Running(*words, "--root-url", server.root_url) as run:
        run.listening()
        server.subscribed()
        server.publish(QUEUE + "task-failed", KEY, {"runId": 0}, ["index.a"])
        run.lines(1)
        server.cut()
        server.connected(2)
        run.lines(2)  # the gap
        server.publish(QUEUE + "task-failed", KEY, {"runId": 1})
        assert run.status() == 0
        lines = run.lines(3)

    replayed = finished("--from", str(path), "-o", "json", "--gaps")
    by_route = finished("--from", str(path), "task-failed", "--route", "index.a")
    assert json.loads(lines[1])["gap"]["missed"] is True
    assert replayed.stdout.splitlines() == lines
    assert json.loads(lines[2])["routes"] is None
    assert by_route.stderr.count("routes are unknown, because it was recorded") == 1


def test_ctrl_c_ends_a_handshake_at_once():
    """130, though the server never answers."""
    release = threading.Event()
    with WebServer(on_hello=lambda _: release.wait(PATIENCE)) as server:
        with Running("task-failed", "--root-url", server.root_url) as run:
            server.greeted()
            assert run.signal(signal.SIGINT) == 130
        release.set()


def test_top_counts_what_a_web_server_sends():
    """Any view works."""
    with WebServer() as server:
        words = ("top", "-o", "json", "-n", "20", "--root-url", server.root_url)
        with Running(*words) as run:
            run.listening()
            server.subscribed()
            for event in EVENTS:
                server.publish(event.exchange, event.routing_key, json.loads(event.body))
            assert run.status() == 0
            rows = run.lines(1)

    assert rows
