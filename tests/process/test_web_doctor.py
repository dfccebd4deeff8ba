"""``tcsniff doctor`` without an account: each step, and what to do when it fails."""

from __future__ import annotations

import json
import ssl

import pytest
import trustme

from tcsniff.cli import main
from web_server import BOTH, FRAMES, GRAPHQL, WebServer, report_problem, respond

QUEUE = "exchange/taskcluster-queue/v1/"
STEPS = ["configuration", "name", "port", "http", "handshake", "scope", "subscription", "delivery"]


@pytest.fixture
def run_doctor(capsys):
    """Return a function that runs doctor; it returns the status and the steps."""

    def run(root_url, *flags):
        status = main(["doctor", "--json", "--root-url", root_url, "--wait", "10ms", *flags])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.mark.parametrize(
    ("paths", "handshake"),
    [(BOTH, "JSON frames at /subscription/raw"), ([GRAPHQL], "GraphQL at /subscription")],
)
def test_every_step_is_reported(paths, handshake, run_doctor):
    """With the protocol that the server speaks."""
    with WebServer(paths) as server:
        status, steps = run_doctor(server.root_url)

    found = {step["step"]: step["found"] for step in steps}
    assert (status, list(found)) == (0, STEPS)
    assert found["configuration"].endswith("(from --root-url; no account)")
    assert found["handshake"] == handshake
    assert found["scope"] == "web:read-pulse is given to everybody; no account is used"
    assert found["subscription"] == "11 bindings"


@pytest.mark.parametrize(
    ("options", "step", "status", "words", "advice"),
    [
        (
            {"on_hello": report_problem("InsufficientScopes", "oh dear", 4403)},
            *("scope", 4, "gives the scope web:read-pulse only", "TASKCLUSTER_CLIENT_ID"),
        ),
        (
            {"on_request": lambda request: respond(404) if "Upgrade" in request.headers else None},
            *("handshake", 3, "HTTP status 404", "a proxy may not let WebSockets through"),
        ),
        (
            {"on_request": lambda _: respond(502)},
            *("http", 3, "status 502", "try again later"),
        ),
    ],
    ids=["scope", "handshake", "http"],
)
def test_the_first_failure_ends_the_check(options, step, status, words, advice, run_doctor):
    """With the exit status that listening would have, and what to do."""
    with WebServer(**options) as server:
        found_status, steps = run_doctor(server.root_url)

    assert (found_status, steps[-1]["step"]) == (status, step)
    assert words in steps[-1]["found"]
    assert advice in steps[-1]["advice"]


def test_an_unknown_exchange_fails_the_subscription(run_doctor):
    """Also where the server confirms the subscription first."""
    with WebServer([FRAMES]) as server:
        status, steps = run_doctor(server.root_url, "--exchange", "exchange/nobody/here")

    assert (status, steps[-1]["step"]) == (4, "subscription")
    assert "has no exchange 'exchange/nobody/here'" in steps[-1]["found"]


def test_certificates_are_checked(run_doctor, tmp_path):
    """As when listening."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with WebServer(context=context) as server:
        status, steps = run_doctor(server.root_url)
        assert (status, steps[-1]["step"]) == (5, "tls")
        assert "--tls-ca FILE" in steps[-1]["advice"]

        status, steps = run_doctor(server.root_url, "--tls-ca", str(tmp_path / "ca.pem"))
        assert (status, steps[-1]["step"]) == (0, "delivery")


def test_a_closed_port_is_named(run_doctor):
    """Before anything else is tried."""
    status, steps = run_doctor("http://localhost:9")

    assert (status, steps[-1]["step"]) == (3, "port")
    assert "check the root URL" in steps[-1]["advice"]


def test_a_proxy_is_checked_first(run_doctor, monkeypatch):
    """The one that the environment names."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")

    status, steps = run_doctor("https://tc.example.org")

    assert [step["step"] for step in steps] == ["configuration", "proxy", "name", "port"]
    assert status == 3
    assert steps[1]["found"] == "127.0.0.1:9, named by the environment"


def test_explain_shows_what_a_web_server_binds(capsys):
    """Routes are bound, keys are checked; without an account a line says so."""
    words = ["explain", "failed", "--route", "a.#", "--task-id", "fN1SbArXTPSVFNUvaOlinQ"]

    assert main([*words, "--web", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "exchange": QUEUE + "task-failed",
        "routingKeyPattern": "route.a.#",
        "subscription": 1,
        "checked": ["primary.fN1SbArXTPSVFNUvaOlinQ.*.*.*.*.*.*.*.#"],
    }

    main([*words, "--web"])
    text = capsys.readouterr().out
    assert text.startswith("1 binding through a web server\n")
    assert "checked on arrival: routing key of" in text

    main(words)
    assert "--web shows those through the web server" in capsys.readouterr().err
