"""Listening through a web server, without an account."""

from __future__ import annotations

import json
import ssl

import pytest
import trustme

from running import Running, finished
from tcsniff.cli import main
from web_server import (
    BOTH,
    FRAMES,
    GRAPHQL,
    WebServer,
    credentials_of,
    report_problem,
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
