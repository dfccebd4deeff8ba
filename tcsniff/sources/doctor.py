"""What stands between us and the messages of a broker, step by step.

The steps up to the broker's greeting are `sources.diagnosis`; from the login on
it is the `Link` that listens, too. It asks for no more than listening does:
nothing is declared but a temporary queue.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from tcsniff.errors import ConnectionFailed, Refused, TcsniffError
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.routing import Binding
from tcsniff.settings.brokers import Broker
from tcsniff.sources.connection import Connection
from tcsniff.sources.failures import NoExchange
from tcsniff.sources.probe import Finding, ProbeConnection, is_about_vhost
from tcsniff.sources.queue_policy import TEMPORARY, build_queue
from tcsniff.sources.receive_buffer import Receiver

BIND = "bind"
_QUIET = 0.25  # seconds between two looks at the heartbeat
_PULSE = "pulse.mozilla.org"

_PORT = "check the port: it is usually 5671 for amqps:// and 5672 for amqp://"
_ADVICE = {
    "": "",
    "told": "",  # the failure says it itself
    "lost": "try again; if it stays so, ask who runs the broker",
    "unknown": "check the spelling, and this network's name server (DNS); a VPN may be needed",
    "unresolved": "the name server (DNS) does not answer: check this machine's network",
    "refused": f"nothing listens there; {_PORT}",
    "timeout": "the host is down, or a firewall drops what goes to port {0.port}: have it opened; "
    f"{_PORT}",
    "unreachable": "check this machine's network; a VPN may be needed",
    "files": "--tls-ca, --tls-cert and --tls-key take PEM, and a key has to fit its certificate",
    "wanted": "the broker wants a certificate of yours that it trusts: --tls-cert and --tls-key",
    "no tls": f"what listens there speaks no TLS, or a firewall cuts it off; {_PORT}",
    "amqp": "AMQP without TLS is spoken there: take the port for TLS, usually 5671; or amqp://, "
    "which anybody on the line can read",
    "insecure": "whoever is on the line can read the password; --tls-ca FILE trusts an authority "
    "of your own instead",
    "early": "check this machine's clock",
    "expired": "whoever runs the broker has to renew it, unless this machine's clock is wrong",
    "unsigned": "if the authority is your own: --tls-ca FILE, or SSL_CERT_FILE=FILE; if not, "
    "somebody on the way opens the encryption, or the broker sends half of the chain",
    "other name": "connect to a host that it is for; if none is right, somebody else is there",
    "distrusted": "no password should go there; ask who runs the broker",
    "soon": "whoever runs the broker has to renew the certificate",
    "tls": "TLS is spoken there: take amqps://",
    "http": f"a web server is there, perhaps RabbitMQ's management page; {_PORT}",
    "no amqp": f"what listens there is no broker, or one that hangs; {_PORT}",
    "EXTERNAL": "without a password the certificate is the login: set PULSE_PASSWORD, or have the "
    "broker's plugin for such logins enabled",
    "PLAIN": "passwords are not accepted there: try a certificate, --tls-cert, without a password",
    "login": "the first line says where user and password are from",
    "pulse login": "accounts and new passwords: https://pulseguardian.mozilla.org",
    "guest login": "RabbitMQ lets guest in from its own machine only",
    "certificate login": "the broker takes the user's name from the certificate",
    "vhost": "it stands behind the host, as in amqps://USER@HOST/VHOST; whoever runs the broker "
    "has to grant {0.user} access to it",
    "pulse vhost": "Firefox CI is at / (--profile firefox-ci), Community at communitytc "
    "(--profile community), which needs a grant for {0.user}: ask for it at "
    "https://github.com/taskcluster/community-tc-config/issues",
    "limit": "end other connections of {0.user}, or have the limit raised",
    "queue": "Pulse permits queues named queue/{0.user}/... alone; elsewhere {0.user} needs "
    "permission to configure, write and read queue/{0.user}/.* and to read exchange/.*",
    "exchange": "`tcsniff exchanges` lists Taskcluster's; they are at the vhost / for Firefox CI, "
    "at communitytc for Community, and this is {0.vhost}",
    "optional": "left out, as nobody named it; `tcsniff exchanges` lists Taskcluster's",
    "read": "Pulse permits exchange/... alone; elsewhere {0.user} needs permission to read the "
    "exchange and to write queue/{0.user}/.*",
    "quiet": "no failure: perhaps nothing happens just now, perhaps nothing matches; `tcsniff "
    "explain` shows what is asked for, --wait DURATION waits longer",
}


class DoctorStep(NamedTuple):
    """A step that was tried.

    Attributes:
        name: What was tried, in a word.
        milliseconds: How long it took.
        found: In words; may hold text of strangers.
        advice: What to do, or what to know; empty if all is well.
        exit_status: That which listening would end with; 0 if it could go on.
    """

    name: str
    milliseconds: float
    found: str
    advice: str = ""
    exit_status: int = 0


class Examination:
    """A connection that is tried step by step."""

    def __init__(
        self,
        broker: Broker,
        bindings: Sequence[Binding],
        *,
        optional: Collection[str],
        wait: float,
    ) -> None:
        """Nothing is tried yet.

        Args:
            broker: Where to connect.
            bindings: What to ask for.
            optional: Exchanges that may be missing, as long as there are others.
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
        self._refusal: TcsniffError | None = None  # of the vhost, which comes with the login
        self._is_bound = False

    def steps(self) -> Generator[DoctorStep]:
        """Try one step after the other, until one has failed.

        Yields:
            Each, when it has been tried. Bindings do not depend on each other:
            a refused one ends it only after all of them.
        """
        refused = False
        try:
            for name, attempt in self._attempts():
                if refused and name != BIND:
                    return
                step = self._tried(name, attempt)
                yield step
                refused = refused or bool(step.exit_status)
                if step.exit_status and (name, step.exit_status) != (BIND, Refused.exit_status):
                    return
        finally:
            self._probe.close()
            self._connection.close()

    def _attempts(self) -> Iterator[tuple[str, Callable[[], Finding]]]:
        yield "name", self._probe.name
        yield "port", self._probe.port
        if self._broker.tls:
            yield "tls", self._probe.tls
        yield "amqp", self._probe.greeting
        yield "login", self._login
        yield "vhost", self._vhost
        yield "queue", self._declare
        for exchange in dict.fromkeys(one.exchange for one in self._bindings):
            yield BIND, partial(self._bind, exchange)
        if not self._is_bound:
            yield "exchanges", self._nothing
        yield "delivery", self._delivery

    def _tried(self, name: str, attempt: Callable[[], Finding]) -> DoctorStep:
        started = time.perf_counter()
        try:
            finding = attempt()
        except TcsniffError as error:
            finding = _failed(error, "lost" if isinstance(error, ConnectionFailed) else "told")
        milliseconds = (time.perf_counter() - started) * 1000
        found, about, status = finding
        # A message says behind a semicolon what to do.
        found, _, told = found.partition("; ") if about else (found, "", "")
        advice = "; ".join(filter(None, (told, _ADVICE[about].format(self._broker))))
        return DoctorStep(name, milliseconds, found, advice, status)

    def _login(self) -> Finding:
        self._probe.close()  # the link has a connection of its own
        try:
            self._connection.open()
        except (Refused, ConnectionFailed) as error:
            if not is_about_vhost(error):
                return _failed(error, self._about_login(error))
            self._refusal = error
        by = "password" if self._broker.password else "certificate"
        return Finding(f"{self._broker.user} by {by}")

    def _about_login(self, error: TcsniffError) -> str:
        if not isinstance(error, Refused):
            return "lost"
        if not self._broker.password:
            return "certificate login"
        if self._broker.user == "guest":
            return "guest login"
        return "pulse login" if self._broker.host == _PULSE else "login"

    def _vhost(self) -> Finding:
        if self._refusal is not None:
            about = "pulse vhost" if self._broker.host == _PULSE else "vhost"
            if "limit" in str(self._refusal):
                about = "limit"
            return _failed(self._refusal, about if isinstance(self._refusal, Refused) else "lost")
        self._connection.count_messages(self._queue.name)  # the first question in it
        return Finding(f"{self._broker.vhost} answers")

    def _declare(self) -> Finding:
        try:
            self._connection.declare_queue(self._queue)
        except Refused as error:
            return _failed(error, "queue")
        return Finding(f"{self._queue.name}, deleted at exit")

    def _bind(self, exchange: str) -> Finding:
        bindings = [one for one in self._bindings if one.exchange == exchange]
        try:
            self._connection.bind(self._queue.name, bindings)
        except NoExchange as error:
            if exchange in self._optional:
                return Finding(str(error), "optional")
            return _failed(error, "exchange")
        except Refused as error:
            return _failed(error, "read")
        self._is_bound = True
        by = bindings[0].pattern if len(bindings) == 1 else f"{len(bindings)} patterns"
        return Finding(f"{exchange} by {by}")

    def _nothing(self) -> Finding:
        return _failed(NoExchange("none of the exchanges is there"), "exchange")

    def _delivery(self) -> Finding:
        heard = self._collector.deliveries
        self._connection.consume(self._queue.name, prefetch=1, auto_ack=False)
        end = time.monotonic() + self._wait
        while not heard and (left := end - time.monotonic()) > 0:
            self._connection.drain(min(left, _QUIET))
            self._connection.check_heartbeat()
        if not heard:
            return Finding(f"none within {self._wait:g} s", "quiet")
        return Finding(f"{heard[0].exchange} {heard[0].routing_key}")


class _DeliveryCollector(Receiver):
    # What was delivered, whatever its size.

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    def add(self, tags: Sequence[int], deliveries: Sequence[Delivery]) -> None:
        del tags
        self.deliveries += deliveries

    def skip(self, tag: int, delivery: Delivery, size: int) -> None:
        del tag, size
        self.deliveries.append(delivery)


def _failed(error: TcsniffError, about: str) -> Finding:
    return Finding(str(error), about, error.exit_status)
