"""The checks of ``tcsniff doctor --web``, from the host's name to a first message.

The first steps are those of `probe`; the others use the same `WebStream` as listening does.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from tcsniff.errors import Refused, TcsniffError
from tcsniff.pipeline import ConnectionObserver
from tcsniff.pulse.deliveries import Delivery
from tcsniff.selection.select import Selection
from tcsniff.selection.subscriptions import plan_subscriptions
from tcsniff.settings.brokers import Broker
from tcsniff.settings.web_server import WebServer
from tcsniff.sources.doctor_step import DoctorStep
from tcsniff.sources.probe import Finding, ProbeConnection
from tcsniff.sources.web_connection import USER_AGENT, choose_proxy, open_http
from tcsniff.sources.web_failures import READ_SCOPE, NoWebExchange, explain_connect_failure
from tcsniff.sources.web_stream import WebStream

_MAX_BODY = 16 << 20  # bytes
_SETTLE = 1.0  # seconds in which a server that cannot bind says so
_STEP = 0.1  # seconds
_MAX_SERVER_NAME = 60  # characters

_ROOT_URL = "check the root URL: --root-url, TASKCLUSTER_ROOT_URL or the profile's"
_ADVICE = {
    "": "",
    "in message": "",  # the error's own text says what to do
    "unknown host": f"{_ROOT_URL}; you may need a VPN",
    "no dns": "the name server (DNS) does not answer: check this machine's network",
    "refused": f"nothing listens there; {_ROOT_URL}",
    "timeout": "the host is down, or a firewall drops packets: you may need a proxy "
    "(HTTPS_PROXY) or a VPN",
    "unreachable": "check this machine's network; you may need a proxy (HTTPS_PROXY) or a VPN",
    "files": "give PEM files to --tls-ca, --tls-cert and --tls-key, and a key that belongs to "
    "the certificate",
    "certificate required": "the server requires a client certificate that it trusts: give "
    "--tls-cert and --tls-key",
    "no tls": f"the server does not use TLS, or a firewall closes the connection; {_ROOT_URL}",
    "amqp": f"this is a broker, not a web server; {_ROOT_URL}",
    "http": "the server uses HTTP without TLS; if you trust the network, use http://",
    "insecure": "the certificate is not checked, so messages can be forged; use --tls-ca FILE "
    "to trust your own authority instead",
    "early": "check this machine's clock",
    "expired": "check this machine's clock; if it is right, ask the deployment's administrator "
    "to renew the certificate",
    "untrusted issuer": "if the authority is your own, use --tls-ca FILE or SSL_CERT_FILE=FILE; "
    "if not, a proxy may intercept TLS",
    "other host": f"the certificate is for other hosts; {_ROOT_URL}",
    "untrusted": "do not send credentials there; ask the deployment's administrator",
    "expires soon": "ask the deployment's administrator to renew the certificate",
    "no http": f"the server does not answer in HTTP; {_ROOT_URL}",
    "server error": "the server has a problem, or a proxy cannot reach it; try again later",
    "handshake": "a proxy may not let WebSockets through; if there is none, this is not a "
    f"Taskcluster deployment: {_ROOT_URL}",
    "older": "this is fine: the server is v106 or older",
    "optional": "skipped, as you did not name it; `tcsniff exchanges` lists Taskcluster's "
    "exchanges",
    "exchange": "`tcsniff exchanges` lists Taskcluster's exchanges",
    "no message": "this is not a failure: there may be no events now, or none that match; "
    "`tcsniff explain` shows the bindings, --wait DURATION waits longer",
}


class WebCheck:
    """A check of listening through a web server, step by step."""

    def __init__(self, server: WebServer, selection: Selection, *, wait: float) -> None:
        """Create a check without connecting.

        Args:
            server: The web server.
            selection: The messages to subscribe to.
            wait: Seconds to wait for a first message.
        """
        self._server = server
        self._selection = selection
        self._wait = wait
        self._plan = plan_subscriptions(selection)
        self._stream = WebStream(
            server, self._plan, max_body=_MAX_BODY, observer=ConnectionObserver()
        )
        self._deliveries: list[Delivery] = []
        self._left_out: list[str] = []

    def steps(self) -> Generator[DoctorStep]:
        """Run the steps in order, until one fails.

        Yields:
            Each step when it has ended.
        """
        with closing(self._stream):
            for name, check in self._list_checks():
                step = self._run_step(name, check)
                yield step
                if step.exit_status:
                    return

    def _list_checks(self) -> Iterator[tuple[str, Callable[[], Finding]]]:
        proxy = choose_proxy(self._server)
        host, port = self._server.host, self._server.port
        if proxy is not None:
            host, port = proxy.host, proxy.port
            yield "proxy", lambda: Finding(f"{host}:{port}, named by the environment")
        with closing(_create_probe(self._server, host, port)) as probe:
            yield "name", probe.resolve_host
            yield "port", probe.connect
            if self._server.tls and proxy is None:
                yield "tls", probe.start_tls
        yield "http", self._check_http
        yield "handshake", self._check_handshake
        yield "scope", self._check_scope
        yield "subscription", self._check_subscription
        yield "delivery", self._await_delivery

    def _run_step(self, name: str, check: Callable[[], Finding]) -> DoctorStep:
        started = time.perf_counter()
        try:
            finding = check()
        except TcsniffError as error:
            finding = Finding(str(error), "in message", error.exit_status)
        milliseconds = (time.perf_counter() - started) * 1000
        found, topic, status = finding
        # An error's text says after a semicolon what to do.
        found, _, hint = found.partition("; ") if topic else (found, "", "")
        advice = "; ".join(filter(None, (hint, _ADVICE[topic])))
        return DoctorStep(name, milliseconds, found, advice, status)

    def _check_http(self) -> Finding:
        try:
            with closing(open_http(self._server)) as connection:
                connection.request("GET", "/", headers={"User-Agent": USER_AGENT})
                answer = connection.getresponse()
        except OSError as error:
            failure = explain_connect_failure(error, self._server)
            return Finding(str(failure), "in message", failure.exit_status)
        except http.client.HTTPException as error:
            reason = str(error) or type(error).__name__
            return Finding(f"no HTTP at {self._server}: {reason}", "no http", 3)
        name = answer.headers.get("Server", "")[:_MAX_SERVER_NAME]
        text = f"status {answer.status}{f' from {name}' if name else ''}"
        if answer.status >= 500:
            return Finding(f"{self._server}: {text}", "server error", 3)
        return Finding(text)

    def _check_handshake(self) -> Finding:
        try:
            self._stream.connect()
        except TcsniffError as error:
            return Finding(str(error), "handshake", error.exit_status)
        protocol = self._stream.protocol
        topic = "" if protocol.confirms_subscriptions else "older"
        return Finding(f"{protocol.name} at {protocol.path}", topic)

    def _check_scope(self) -> Finding:
        self._stream.log_in()
        client = self._server.client_id
        if not client:
            return Finding(f"{READ_SCOPE} is given to everybody; no account is used")
        return Finding(f"{READ_SCOPE} is given to {client}")

    def _check_subscription(self) -> Finding:
        self._stream.subscribe_all()
        end = time.monotonic() + _SETTLE
        while time.monotonic() < end:
            try:
                self._read()
            except NoWebExchange as error:
                if error.exchange not in self._selection.optional:
                    return Finding(str(error), "exchange", Refused.exit_status)
                self._stream.leave_out(error)
                self._left_out.append(error.exchange)
        number = sum(len(subscription.bindings) for subscription in self._plan)
        found = f"{number} binding{'s' * (number != 1)}"
        if len(self._plan) > 1:
            found += f" in {len(self._plan)} subscriptions"
        if self._left_out:
            return Finding(f"{found}, without {', '.join(self._left_out)}", "optional")
        return Finding(found)

    def _await_delivery(self) -> Finding:
        end = time.monotonic() + self._wait
        while not self._deliveries and time.monotonic() < end:
            self._read()
            self._stream.check_alive()
        if not self._deliveries:
            return Finding(f"none within {self._wait:g} s", "no message")
        return Finding(f"{self._deliveries[0].exchange} {self._deliveries[0].routing_key}")

    def _read(self) -> None:
        self._deliveries += [delivery for _, delivery in self._stream.read()]
        if self._stream.connection.is_drained and not self._stream.has_data():
            self._stream.connection.wait(_STEP)


def _create_probe(server: WebServer, host: str, port: int) -> ProbeConnection:
    return ProbeConnection(
        Broker(
            host,
            host,
            port,
            "",
            "",
            tls=server.tls,
            ca=server.ca,
            cert=server.cert,
            key=server.key,
            insecure=server.insecure,
        )
    )
