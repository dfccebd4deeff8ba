"""``tcsniff doctor`` as a process, against RabbitMQ and against other servers."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from rabbitmq import (
    ADMIN,
    COMMUNITY,
    FOREIGN_EXCHANGE,
    HOST,
    PULSE,
    WRONG_HOST,
    RabbitMQ,
    Taskcluster,
)
from running import Running, environment, finished

RUNNING = "exchange/taskcluster-queue/v1/task-running"
BRIEFLY = ("task-running", "--wait", "100ms")
UP_TO_LOGIN = ["configuration", "name", "port", "amqp", "login"]


WIDE = {"COLUMNS": "1000"}  # one line for each step


def run_doctor(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``tcsniff doctor`` with lines that are not wrapped."""
    return finished("doctor", *words, env=WIDE | (env or {}))


def examined(
    url: str, *words: str, env: dict[str, str] | None = None
) -> tuple[int, dict[str, dict[str, Any]]]:
    """Run it on a broker; returns the exit status, and the steps by name, the last of each."""
    done = run_doctor("--json", "--broker", url, *(words or BRIEFLY), env=env)
    assert done.stderr == ""
    assert PULSE[1] not in done.stdout
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row for row in rows if row["milliseconds"] < 0] == []
    return done.returncode, {row["step"]: row for row in rows}


def trouble(url: str, *words: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Run it; returns the exit status, and of what failed the step, the finding and the advice."""
    status, steps = examined(url, *words, env=env)
    (bad,) = [row for row in steps.values() if not row["ok"]]
    assert bad is list(steps.values())[-1]
    return status, bad["step"], f"{bad['found']} | {bad['advice']}"


def temporary(rabbitmq: RabbitMQ) -> list[str]:
    """List the queues that are ours and should be gone."""
    return [name for name in rabbitmq.queues() if name.startswith("queue/pulse/tcsniff/")]


# With RabbitMQ


def test_the_output_fits_80_columns(rabbitmq: RabbitMQ) -> None:
    """Longer texts are wrapped, and indented below the text of their step."""
    done = run_doctor("--broker", rabbitmq.url(), *BRIEFLY, env={"COLUMNS": "80"})

    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line[0] not in "✔! "] == []
    assert "--wait DURATION waits longer" in " ".join(done.stdout.split())


def test_all_is_well(rabbitmq: RabbitMQ) -> None:
    """Each step is a line, the queue is gone afterwards, and no delivery is not a failure."""
    done = run_doctor("--broker", rabbitmq.url(), *BRIEFLY)

    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert [line.split()[1] for line in lines] == [
        *UP_TO_LOGIN,
        "vhost",
        "queue",
        "bind",
        "delivery",
    ]
    assert [line[0] for line in lines] == ["✔"] * 8 + ["!"]
    assert all(line.endswith(" ms") for line in lines)
    assert "there may be no events now" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")
    assert temporary(rabbitmq) == []


def test_without_a_selection_the_exchanges_of_the_queue_are_tried(rabbitmq: RabbitMQ) -> None:
    """All of them."""
    done = run_doctor("--broker", rabbitmq.url(), "--wait", "100ms")

    assert done.stdout.count("✔ bind") == 11
    assert done.returncode == 0


def test_a_first_delivery_is_waited_for(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """And named, made safe for terminals."""
    words = ("--broker", rabbitmq.url(), "--exchange", FOREIGN_EXCHANGE, "--wait", "1m")
    with Running("doctor", *words, env=WIDE) as examining:
        examining.lines(8)
        taskcluster.publish(FOREIGN_EXCHANGE, "a.\x1b[31m", b"{}")
        status = examining.status()
        (last,) = examining.lines(9)[8:]

    assert status == 0
    assert f"{FOREIGN_EXCHANGE} a.\\x1b[31m" in last


@pytest.mark.parametrize("given", ["PULSE_URL", "TCSNIFF_BROKER"])
def test_it_says_where_the_configuration_is_from(rabbitmq: RabbitMQ, given: str) -> None:
    """By name, without the values that are secret."""
    url = f"amqp://{HOST}:{rabbitmq.port}"
    env = {given: url, "PULSE_USERNAME": PULSE[0], "PULSE_PASSWORD": PULSE[1]}

    done = run_doctor(*BRIEFLY, env=env)

    assert done.stdout.splitlines()[0].startswith(
        f"✔ configuration  amqp://pulse@{HOST}:{rabbitmq.port} "
        f"(from {given}; user: PULSE_USERNAME; password: PULSE_PASSWORD)   "
    )
    assert PULSE[1] not in done.stdout + done.stderr
    assert done.returncode == 0


def test_a_password_file_is_named(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    """As that is where the password is from."""
    file = tmp_path / "password"
    file.write_text(PULSE[1])

    status, steps = examined(
        f"amqp://pulse@{HOST}:{rabbitmq.port}", "--password-file", str(file), *BRIEFLY
    )

    assert (
        "user: in the URL from --broker; password: --password-file"
        in steps["configuration"]["found"]
    )
    assert status == 0


@pytest.mark.parametrize(
    ("account", "step", "words"),
    [
        ({"password": "wrong-secret"}, "login", "| check the user and password"),
        (
            {"user": ADMIN[0], "password": "wrong-secret"},
            "login",
            "| check the password; if it is right, use another user",
        ),
        (
            {"vhost": "none"},
            "vhost",
            "vhost none not found | check the vhost, which follows the host",
        ),
    ],
    ids=["password", "guest", "vhost"],
)
def test_a_refusal_comes_with_advice(
    rabbitmq: RabbitMQ, account: dict[str, str], step: str, words: str
) -> None:
    """With the step at which it happens, and status 4."""
    status, failed, said = trouble(rabbitmq.url(**account))

    assert (status, failed) == (4, step)
    assert words in said
    assert "secret" not in said


def test_a_vhost_without_permission_is_refused(rabbitmq: RabbitMQ) -> None:
    """User and password are right, as the line above says."""
    rabbitmq.add_user("newcomer", "newcomer-password", vhosts=[])

    status, steps = examined(rabbitmq.url("newcomer", "newcomer-password"))

    assert status == 4
    assert steps["login"]["ok"]
    assert "grant newcomer access" in steps["vhost"]["advice"]


def test_a_queue_without_permission_is_refused(rabbitmq: RabbitMQ) -> None:
    """The user may only read."""
    rabbitmq.add_user("reader", "reader-password")
    rabbitmq.ctl("set_permissions", "-p", "/", "reader", "^$", "^$", ".*")

    status, step, said = trouble(rabbitmq.url("reader", "reader-password"))

    assert (status, step) == (4, "queue")
    assert "on Pulse, use a queue named queue/reader/..." in said


def test_an_exchange_without_permission_is_refused(rabbitmq: RabbitMQ) -> None:
    """Pulse permits exchange/... alone."""
    status, step, said = trouble(rabbitmq.url(), "--exchange", "amq.topic", "--wait", "100ms")

    assert (status, step) == (4, "bind")
    assert "access to exchange 'amq.topic'" in said
    assert "permission to read the exchange" in said


def test_a_missing_exchange_is_named_with_what_was_meant(rabbitmq: RabbitMQ) -> None:
    """After the others have been tried, too; nothing is waited for then."""
    words = ("--exchange", f"{RUNNING}s", "--exchange", FOREIGN_EXCHANGE, "--wait", "1m")

    done = run_doctor("--broker", rabbitmq.url(), *words)

    *_, missing, advice, bound = done.stdout.splitlines()
    assert done.returncode == 4
    assert missing.startswith(f"✖ bind           {HOST} has no exchange '{RUNNING}s'   ")
    assert f"did you mean '{RUNNING}'?; `tcsniff exchanges` lists" in advice
    assert bound.startswith(f"✔ bind           {FOREIGN_EXCHANGE} by #   ")


def test_exchanges_that_are_not_named_may_be_missing(rabbitmq: RabbitMQ) -> None:
    """But not all of them, as where a vhost is not Taskcluster's."""
    done = run_doctor("--broker", rabbitmq.url(vhost=COMMUNITY), "--wait", "1m")

    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert [line[:6] for line in lines[7:]] == ["! bind"] * 11 + ["✖ exch"]
    assert "this vhost is communitytc" in done.stdout.splitlines()[-1]
    assert done.returncode == 4


def test_ctrl_c_ends_it_in_order(rabbitmq: RabbitMQ) -> None:
    """While it waits: no message, no queue left."""
    with Running(
        "doctor", "--broker", rabbitmq.url(), "task-running", "--wait", "1m", env=WIDE
    ) as examining:
        examining.lines(8)
        status = examining.signal(signal.SIGINT)

        assert (status, examining.said().strip()) == (130, "")
    assert temporary(rabbitmq) == []


# TLS


def test_a_trusted_certificate_is_described(rabbitmq: RabbitMQ) -> None:
    """Version, names, issuer and how long it will do."""
    trusted = {ssl.get_default_verify_paths().openssl_cafile_env: str(rabbitmq.ca_file)}

    status, steps = examined(rabbitmq.url(tls=True), env=trusted)

    assert status == 0
    found = steps["tls"]["found"]
    assert found.startswith(f"TLSv1.3, certificate for localhost, {HOST}, issued by trustme")
    assert found.endswith(" days")
    assert steps["tls"]["advice"] is None


def test_an_unknown_authority_is_reported(rabbitmq: RabbitMQ) -> None:
    """With the certificate that is there, and how to trust it."""
    status, step, said = trouble(rabbitmq.url(tls=True))

    assert (status, step) == (5, "tls")
    assert f"(certificate for localhost, {HOST}, issued by trustme" in said
    assert "--tls-ca FILE" in said


def test_a_wrong_host_is_reported_with_the_right_ones(rabbitmq: RabbitMQ) -> None:
    """So that the user can choose one of them."""
    words = ("--tls-ca", str(rabbitmq.ca_file), *BRIEFLY)

    status, step, said = trouble(rabbitmq.url(tls=True, host=WRONG_HOST), *words)

    assert (status, step) == (5, "tls")
    assert f"Hostname mismatch, certificate is not valid for '{WRONG_HOST}' (cert" in said
    assert f"for localhost, {HOST}," in said
    assert "connect to a host that the certificate names" in said


def test_an_unchecked_certificate_is_not_a_failure(rabbitmq: RabbitMQ) -> None:
    """But there is a note."""
    status, steps = examined(rabbitmq.url(tls=True), "--tls-insecure", *BRIEFLY)

    assert status == 0
    assert "the password can be intercepted" in steps["tls"]["advice"]


def test_a_login_method_that_the_broker_lacks_is_reported(rabbitmq: RabbitMQ) -> None:
    """A certificate, where only passwords are accepted."""
    files = {"ca": "ca.pem", "cert": "certificate.pem", "key": "key.pem"}
    flags = [
        word for name, file in files.items() for word in (f"--tls-{name}", rabbitmq.folder / file)
    ]

    status, step, said = trouble(
        f"amqps://pulse@localhost:{rabbitmq.tls_port}", *map(str, flags), *BRIEFLY
    )

    assert (status, step) == (3, "amqp")
    assert "accepts logins by " in said
    assert "PLAIN, not by EXTERNAL | " in said or "AMQPLAIN, not by EXTERNAL | " in said


def test_a_file_without_a_certificate_is_reported(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    """The exit status is the sniffer's."""
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")

    status, step, said = trouble(rabbitmq.url(tls=True), "--tls-ca", str(file), *BRIEFLY)

    assert (status, step) == (5, "tls")
    assert "cannot read a TLS file" in said


def test_tls_at_a_port_without_is_recognised(rabbitmq: RabbitMQ) -> None:
    """And the reverse."""
    plain, tls = str(rabbitmq.port), str(rabbitmq.tls_port)

    reverse = trouble(rabbitmq.url().replace(plain, tls))
    status, step, said = trouble(rabbitmq.url(tls=True).replace(tls, plain))

    assert (status, step) == (5, "tls")
    assert "the server uses AMQP without TLS" in said
    assert reverse[:2] == (3, "amqp")
    assert "the server uses TLS: use amqps://" in reverse[2]


# Without RabbitMQ


@contextmanager
def serving(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """Listen, and answer each connection; yields the port."""
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                with sock, suppress(OSError):
                    answer(sock)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)  # closing alone does not wake who accepts
        thread.join()


@pytest.mark.parametrize(
    ("days", "words"),
    [((-9, -2), "to renew the certificate"), ((2, 9), "check this machine's clock")],
    ids=["expired", "early"],
)
def test_a_certificate_that_is_not_valid_now_is_reported(
    days: tuple[int, int], words: str, tmp_path: Path
) -> None:
    """With the dates between which it is valid."""
    begin, end = (datetime.now(UTC) + timedelta(days=day) for day in days)
    url, ca = f"amqps://u:{PULSE[1]}@localhost:", tmp_path / "ca.pem"
    with serving(_tls_server(ca, begin, end)) as port:
        status, step, said = trouble(f"{url}{port}", "--tls-ca", str(ca), *BRIEFLY)

    assert (status, step) == (5, "tls")
    assert f"{end:%b} {end.day:2} " in said
    assert words in said


def test_a_certificate_that_expires_soon_is_reported(tmp_path: Path) -> None:
    """That is not a failure; a server that is not a broker is one."""
    begin, end = (datetime.now(UTC) + timedelta(days=day) for day in (-1, 7))
    ca = tmp_path / "ca.pem"
    with serving(_tls_server(ca, begin, end)) as port:
        status, steps = examined(f"amqps://u:p@localhost:{port}", "--tls-ca", str(ca), *BRIEFLY)

    assert steps["tls"]["ok"]
    assert steps["tls"]["found"].endswith("expires in 6 days")
    assert "to renew the certificate" in steps["tls"]["advice"]
    assert "connection closed" in steps["amqp"]["found"]
    assert status == 3


def _tls_server(ca: Path, begin: datetime, end: datetime) -> Callable[[socket.socket], object]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", not_before=begin, not_after=end).configure_cert(context)

    def answer(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as secured:
            secured.recv(8)

    return answer


@pytest.mark.parametrize("scheme", ["amqp", "amqps"])
def test_a_web_server_is_recognised(scheme: str) -> None:
    """RabbitMQ's own is often mistaken for the broker."""

    def answer(sock: socket.socket) -> None:
        sock.recv(8)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with serving(answer) as port:
        status, step, said = trouble(f"{scheme}://u:p@{HOST}:{port}")

    assert (status, step) == {"amqp": (3, "amqp"), "amqps": (5, "tls")}[scheme]
    assert "this is a web server" in said


def test_what_a_server_says_is_shown_as_text() -> None:
    """Control characters are escaped, also in the login methods."""

    def answer(sock: socket.socket) -> None:
        table = b"\x07productS\x00\x00\x00\x06\x1b]0;\x07\xff"
        parts = b"".join(
            len(part).to_bytes(4) + part for part in (table, b"A\xe2\x80\xaeB", b"en")
        )
        method = b"\x00\x0a\x00\x0a\x00\x09" + parts
        sock.sendall(b"\x01\x00\x00" + len(method).to_bytes(4) + method + b"\xce")
        sock.recv(8)

    with serving(answer) as port:
        done = run_doctor("--broker", f"amqp://u:p@{HOST}:{port}", *BRIEFLY)

    assert (
        "✖ amqp           \\x1b]0;\\x07\ufffd accepts logins by A\\u202eB, not by PLAIN"
        in done.stdout
    )
    assert done.returncode == 3


@pytest.mark.parametrize("scheme", ["amqp", "amqps"])
def test_a_server_that_hangs_up_is_not_a_broker(scheme: str) -> None:
    """Nor one that says something else."""
    with serving(lambda sock: sock.recv(8)) as port:
        _, step, said = trouble(f"{scheme}://u:p@{HOST}:{port}")

    assert step == {"amqp": "amqp", "amqps": "tls"}[scheme]
    assert "check the port: it is usually 5671" in said


def test_a_server_that_says_nothing_is_not_waited_for_for_ever() -> None:
    """As long as listening would wait, and a little more to see what it is."""
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]
        urls = [f"{scheme}://u:p@{HOST}:{port}" for scheme in ("amqp", "amqps")]
        with (
            Running("doctor", "--broker", urls[0], *BRIEFLY, env=WIDE) as plain,
            Running("doctor", "--broker", urls[1], *BRIEFLY, env=WIDE) as secured,
        ):
            statuses = [one.status() for one in (plain, secured)]
            said = [one.lines(1)[-2:] for one in (plain, secured)]

    assert statuses == [3, 3]
    assert f"✖ amqp           no AMQP at port {port}: timed out" in said[0][0]
    assert f"✖ tls            no TLS at port {port}: " in said[1][0]
    assert all("check the port: it is usually 5671" in advice for _, advice in said)


def test_an_unreachable_server_is_reported() -> None:
    """A port where nothing listens, and hosts that cannot be."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]

    for host, step, words in (
        (f"{HOST}:{port}", "port", "Connection refused | nothing listens there"),
        ("no-such-host.invalid", "name", "check the spelling"),
    ):
        status, failed, said = trouble(f"amqp://u:p@{host}")

        assert (status, failed) == (3, step)
        assert words in said or "name server (DNS) does not answer" in said


def test_a_wrong_selection_is_reported_at_once() -> None:
    """As by the other commands."""
    done = run_doctor("task-runing", "--broker", f"amqp://u:p@{HOST}")

    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'task-running'?" in done.stderr


def test_its_help_loads_nothing_heavy() -> None:
    """Only a run pays for kombu."""
    program = "import sys; from tcsniff.cli import main; main(); print('LOADED', *sys.modules)"
    env = {name: value for name, value in environment().items() if "COVERAGE" not in name}

    shown = subprocess.run(
        [sys.executable, "-c", program, "doctor", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**env, "PYTHONPATH": os.pathsep.join(sys.path)},
    ).stdout

    loaded = set(shown.rpartition("LOADED")[2].split())
    assert "tcsniff.commands.doctor" in loaded
    assert loaded & {"kombu", "amqp", "ssl", "msgspec", "rich"} == set()
