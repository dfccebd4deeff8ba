"""The checks of ``tcsniff doctor``, from the host's name to a first message.

`sources.probe` has the steps up to the broker's greeting. The steps from the
login on use the same `Connection` as listening does, and declare only a
temporary queue.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from functools import partial

from tcsniff.errors import ConnectionFailed, Refused, TcsniffError
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.routing import Binding
from tcsniff.settings.brokers import Broker
from tcsniff.sources.connection import Connection
from tcsniff.sources.doctor_step import DoctorStep
from tcsniff.sources.failures import NoExchange
from tcsniff.sources.probe import Finding, ProbeConnection, is_about_vhost
from tcsniff.sources.queue_policy import TEMPORARY, build_queue
from tcsniff.sources.receive_buffer import Receiver

BIND = "bind"
_HEARTBEAT_INTERVAL = 0.25  # seconds between two checks of the heartbeat
_PULSE_HOST = "pulse.mozilla.org"

_PORT = "check the port: it is usually 5671 for amqps:// and 5672 for amqp://"
_ADVICE = {
    "": "",
    "in message": "",  # the error's own text says what to do
    "lost": "try again; if it fails again, ask the broker's administrator",
    "unknown host": "check the spelling and this network's name server (DNS); you may need a VPN",
    "no dns": "the name server (DNS) does not answer: check this machine's network",
    "refused": f"nothing listens there; {_PORT}",
    "timeout": "the host is down, or a firewall drops packets to port {0.port}: ask for it to be "
    f"opened; {_PORT}",
    "unreachable": "check this machine's network; you may need a VPN",
    "files": "give PEM files to --tls-ca, --tls-cert and --tls-key, and a key that belongs to "
    "the certificate",
    "certificate required": "the broker requires a client certificate that it trusts: give "
    "--tls-cert and --tls-key",
    "no tls": f"the server does not use TLS, or a firewall closes the connection; {_PORT}",
    "amqp": "the server uses AMQP without TLS: use its TLS port, usually 5671, or amqp://, which "
    "sends the password unencrypted",
    "insecure": "the certificate is not checked, so the password can be intercepted; use "
    "--tls-ca FILE to trust your own authority instead",
    "early": "check this machine's clock",
    "expired": "check this machine's clock; if it is right, ask the broker's administrator to "
    "renew the certificate",
    "untrusted issuer": "if the authority is your own, use --tls-ca FILE or SSL_CERT_FILE=FILE; "
    "if not, a proxy may intercept TLS, or the broker sends an incomplete certificate chain",
    "other host": "connect to a host that the certificate names; if none is right, this is not "
    "your broker",
    "untrusted": "do not send a password there; ask the broker's administrator",
    "expires soon": "ask the broker's administrator to renew the certificate",
    "tls": "the server uses TLS: use amqps://",
    "http": f"this is a web server, perhaps RabbitMQ's management page; {_PORT}",
    "no amqp": f"the server is not a broker, or it hangs; {_PORT}",
    "EXTERNAL": "without a password the certificate is the login: set PULSE_PASSWORD, or ask for "
    "the broker's plugin for certificate logins to be enabled",
    "PLAIN": "the broker does not accept passwords: try a certificate, --tls-cert, without a "
    "password",
    "login": "check the user and password; the configuration step shows where they are set",
    "pulse login": "create accounts and set passwords at https://pulseguardian.mozilla.org",
    "guest login": "check the password; if it is right, use another user: RabbitMQ accepts guest "
    "only from its own machine",
    "certificate login": "check the certificate: the broker reads the user's name from it",
    "vhost": "check the vhost, which follows the host, as in amqps://USER@HOST/VHOST, or ask the "
    "broker's administrator to grant {0.user} access to it",
    "pulse vhost": "Firefox CI uses / (--profile firefox-ci), Community uses communitytc "
    "(--profile community), which needs a grant for {0.user}: ask for it at "
    "https://github.com/taskcluster/community-tc-config/issues",
    "limit": "close other connections of {0.user}, or ask for a higher limit",
    "queue": "on Pulse, use a queue named queue/{0.user}/...; elsewhere, ask for permission to "
    "configure, write and read queue/{0.user}/.* and to read exchange/.*",
    "exchange": "`tcsniff exchanges` lists Taskcluster's exchanges; they are in vhost / for "
    "Firefox CI and in communitytc for Community; this vhost is {0.vhost}",
    "optional": "skipped, as you did not name it; `tcsniff exchanges` lists Taskcluster's "
    "exchanges",
    "read": "on Pulse, use exchanges named exchange/...; elsewhere, ask for permission to read "
    "the exchange and to write queue/{0.user}/.*",
    "no message": "this is not a failure: there may be no events now, or none that match; "
    "`tcsniff explain` shows the bindings, --wait DURATION waits longer",
}


class ConnectionCheck:
    """A check of a connection, step by step."""

    def __init__(
        self,
        broker: Broker,
        bindings: Sequence[Binding],
        *,
        optional: Collection[str],
        wait: float,
    ) -> None:
        """Create a check without connecting.

        Args:
            broker: The broker to connect to.
            bindings: The bindings to try.
            optional: Exchanges that may be missing if at least one other exists.
            wait: Seconds to wait for a first delivery.
        """
        self._broker = broker
        self._bindings = bindings
        self._optional = optional
        self._wait = wait
        self._queue = build_queue(broker.user, TEMPORARY)
        self._probe = ProbeConnection(broker)
        self._collector = _DeliveryCollector()
        self._connection = Connection(broker, receiver=self._collector, max_body=0)
        self._vhost_error: TcsniffError | None = None  # raised during the login
        self._is_bound = False

    def steps(self) -> Generator[DoctorStep]:
        """Run the steps in order, until one fails.

        Yields:
            Each step when it has ended. Bindings do not depend on each other:
            if one is refused, the others are still tried.
        """
        has_failed = False
        try:
            for name, check in self._list_checks():
                if has_failed and name != BIND:
                    return
                step = self._run_step(name, check)
                yield step
                has_failed = has_failed or bool(step.exit_status)
                if step.exit_status and (name, step.exit_status) != (BIND, Refused.exit_status):
                    return
        finally:
            self._probe.close()
            self._connection.close()

    def _list_checks(self) -> Iterator[tuple[str, Callable[[], Finding]]]:
        yield "name", self._probe.resolve_host
        yield "port", self._probe.connect
        if self._broker.tls:
            yield "tls", self._probe.start_tls
        yield "amqp", self._probe.read_greeting
        yield "login", self._log_in
        yield "vhost", self._check_vhost
        yield "queue", self._declare_queue
        for exchange in dict.fromkeys(binding.exchange for binding in self._bindings):
            yield BIND, partial(self._bind_exchange, exchange)
        if not self._is_bound:
            yield "exchanges", self._report_no_exchange
        yield "delivery", self._await_delivery

    def _run_step(self, name: str, check: Callable[[], Finding]) -> DoctorStep:
        started = time.perf_counter()
        try:
            finding = check()
        except TcsniffError as error:
            topic = "lost" if isinstance(error, ConnectionFailed) else "in message"
            finding = _describe_failure(error, topic)
        milliseconds = (time.perf_counter() - started) * 1000
        found, topic, status = finding
        # An error's text says after a semicolon what to do.
        found, _, hint = found.partition("; ") if topic else (found, "", "")
        advice = "; ".join(filter(None, (hint, _ADVICE[topic].format(self._broker))))
        return DoctorStep(name, milliseconds, found, advice, status)

    def _log_in(self) -> Finding:
        self._probe.close()  # `Connection` opens its own socket
        try:
            self._connection.open()
        except (Refused, ConnectionFailed) as error:
            if not is_about_vhost(error):
                return _describe_failure(error, self._choose_login_advice(error))
            self._vhost_error = error
        method = "password" if self._broker.password else "certificate"
        return Finding(f"{self._broker.user} by {method}")

    def _choose_login_advice(self, error: TcsniffError) -> str:
        if not isinstance(error, Refused):
            return "lost"
        if not self._broker.password:
            return "certificate login"
        if self._broker.user == "guest":
            return "guest login"
        return "pulse login" if self._broker.host == _PULSE_HOST else "login"

    def _check_vhost(self) -> Finding:
        if self._vhost_error is not None:
            topic = "pulse vhost" if self._broker.host == _PULSE_HOST else "vhost"
            if "limit" in str(self._vhost_error):
                topic = "limit"
            return _describe_failure(
                self._vhost_error, topic if isinstance(self._vhost_error, Refused) else "lost"
            )
        self._connection.count_messages(self._queue.name)  # a first request in the vhost
        return Finding(f"{self._broker.vhost} answers")

    def _declare_queue(self) -> Finding:
        try:
            self._connection.declare_queue(self._queue)
        except Refused as error:
            return _describe_failure(error, "queue")
        return Finding(f"{self._queue.name}, deleted at exit")

    def _bind_exchange(self, exchange: str) -> Finding:
        bindings = [binding for binding in self._bindings if binding.exchange == exchange]
        try:
            self._connection.bind(self._queue.name, bindings)
        except NoExchange as error:
            if exchange in self._optional:
                return Finding(str(error), "optional")
            return _describe_failure(error, "exchange")
        except Refused as error:
            return _describe_failure(error, "read")
        self._is_bound = True
        patterns = bindings[0].pattern if len(bindings) == 1 else f"{len(bindings)} patterns"
        return Finding(f"{exchange} by {patterns}")

    def _report_no_exchange(self) -> Finding:
        return _describe_failure(NoExchange("none of the exchanges exists"), "exchange")

    def _await_delivery(self) -> Finding:
        deliveries = self._collector.deliveries
        self._connection.consume(self._queue.name, prefetch=1, auto_ack=False)
        end = time.monotonic() + self._wait
        while not deliveries and (left := end - time.monotonic()) > 0:
            self._connection.drain(min(left, _HEARTBEAT_INTERVAL))
            self._connection.check_heartbeat()
        if not deliveries:
            return Finding(f"none within {self._wait:g} s", "no message")
        return Finding(f"{deliveries[0].exchange} {deliveries[0].routing_key}")


class _DeliveryCollector(Receiver):
    # Keeps all deliveries, of any size.

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    def add(self, tags: Sequence[int], deliveries: Sequence[Delivery]) -> None:
        del tags
        self.deliveries += deliveries

    def skip(self, tag: int, delivery: Delivery, size: int) -> None:
        del tag, size
        self.deliveries.append(delivery)


def _describe_failure(error: TcsniffError, topic: str) -> Finding:
    return Finding(str(error), topic, error.exit_status)
