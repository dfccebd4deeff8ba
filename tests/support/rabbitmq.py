"""A RabbitMQ for tests, and Taskcluster's side of it.

A `RabbitMQ` shares nothing with a server that may already run on this machine:
ports, node name, Erlang cookie, data, logs and even epmd (Erlang's registry of
nodes) are its own. A child process, the guard, ends it when the tests end, in
whatever way they end.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self
from urllib.parse import quote

import trustme
from amqp.basic_message import Message
from amqp.connection import Connection as Transport
from amqp.exceptions import AMQPError
from kombu.connection import Connection

from tcsniff.pulse.exchanges import CATALOG

HOST = "127.0.0.1"
ADMIN = ("guest", "guest")
PULSE = ("pulse", "pulse-password")
WRONG_HOST = "127.1"  # leads to HOST, but is not in the certificate
COMMUNITY = "communitytc"  # the vhost of Taskcluster's second deployment on Pulse

FOREIGN_EXCHANGE = "exchange/build/normalized"  # another project's, on the same server

START = 90  # seconds until a start has failed; it takes 5 to 7, and 11 at worst so far
STOP = 30  # seconds until an orderly stop has failed
POLL = 0.05  # seconds between two looks at a server that starts
WINDOW = 500  # messages published before their confirms are awaited

# The wrappers of the distributions in PATH change to another user and drop settings, so they
# come last.
_PROGRAMS = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server",
    "/usr/lib*/rabbitmq*/sbin/rabbitmq-server",
    "/opt/rabbitmq*/sbin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
)

# Below the ports that the kernel gives to outgoing connections: none of those can take our port
# while the server is down, nor can a client that tries again connect to itself.
_PORTS = range(20_000, 32_000)

# Reads process groups from stdin, a line each, 0 for none; at the end, which comes even if the
# tests are killed, kills the last group and then ends the epmd at a port.
_GUARD = r"""
import os, signal, socket, sys, time
group = 0
for line in sys.stdin:
    group = int(line)
if group:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
answer = b"NO"  # epmd's answer while it still knows a node
deadline = time.monotonic() + 10
while answer == b"NO" and time.monotonic() < deadline:
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5) as epmd:
            epmd.sendall(b"\0\1k")
            answer = epmd.recv(2)
    except OSError:
        break
"""


def program() -> Path | None:
    """Find the program that starts a server; None if it is not installed."""
    for pattern in _PROGRAMS:
        if found := sorted(Path("/").glob(pattern.removeprefix("/"))):
            return found[-1]
    in_path = shutil.which("rabbitmq-server")
    return Path(in_path) if in_path else None


class RabbitMQ:
    """A server with all it has below one folder.

    When it runs for the first time there are the vhosts ``/`` and
    ``communitytc``, the administrator guest/guest and the user
    pulse/pulse-password with Pulse's permissions in both vhosts.

    Use it in a ``with`` block: it starts on entry and is killed on exit.

    Attributes:
        folder: Where it keeps everything.
        node: The Erlang node's name.
        host: Where it listens.
        port: Where it listens for AMQP.
        tls_port: Where it listens for AMQP over TLS, with a certificate for
            ``localhost`` and ``127.0.0.1``.
        ca: What issued the certificate.
        ca_file: The certificate of `ca`, in PEM.
    """

    host = HOST

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.node = f"tcsniff-{uuid.uuid4().hex[:12]}@localhost"
        self.port, self.tls_port, self._dist_port, self._epmd_port = _free_ports(4)
        self.ca = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False
        self._configure()
        self._guard = _start_guard(self._epmd_port)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Make it accept connections, whatever state it is in.

        Starts it, on the data that a stopped or killed one left; resumes a
        paused one; does nothing if it runs.

        Raises:
            RuntimeError: If it ends instead, or does not accept connections in time.
        """
        if self._paused:
            self.resume()
        if self.is_running:
            return
        with (self.folder / "output.log").open("wb") as output:
            self._process = subprocess.Popen(
                [_installed()],
                env=self._environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group to signal, and no Ctrl-C of ours
            )
        self._tell_guard(self._process.pid)
        self._await_connections()

    def stop(self) -> None:
        """Shut it down: clients get a reason, durable objects remain. Takes 1 to 2 s."""
        if self._paused:
            self.resume()
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it, like a power failure; durable objects remain."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it and start it again with the same data and ports."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze it: connections stay open without answers."""
        self._signal(signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        """Continue after `pause`."""
        self._signal(signal.SIGCONT)
        self._paused = False

    def close(self) -> None:
        """Kill it permanently, with all its processes."""
        # The guard does it, so that the way taken when the tests are killed is taken every time.
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait(STOP)
        if self._process is not None:
            self._process.wait(STOP)
        self._process = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended; also while paused."""
        return self._process is not None and self._process.poll() is None

    def url(
        self,
        user: str = PULSE[0],
        password: str = PULSE[1],
        vhost: str = "/",
        *,
        host: str = HOST,
        tls: bool = False,
    ) -> str:
        """Return the URL for a client."""
        scheme, port = ("amqps", self.tls_port) if tls else ("amqp", self.port)
        account = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"{scheme}://{account}@{host}:{port}/{quote(vhost, safe='')}"

    def ctl(self, *args: str, timeout: float = 60) -> str:
        """Run rabbitmqctl; takes 0.5 s.

        Args:
            args: The command and its arguments.
            timeout: Seconds until it has failed, as it does on a paused server.

        Returns:
            What it wrote to stdout.

        Raises:
            RuntimeError: If it fails.
        """
        done = subprocess.run(
            [_installed().with_name("rabbitmqctl"), "--silent", "-n", self.node, *args],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"rabbitmqctl {' '.join(args)}: {done.stdout}{done.stderr}")
        return done.stdout

    def rows(self, command: str, *columns: str, vhost: str | None = None) -> list[dict[str, Any]]:
        """Run one of rabbitmqctl's ``list_...`` commands.

        Args:
            command: Such as ``list_queues``.
            columns: Such as ``name``; none for the command's own choice.
            vhost: For the commands that take one.
        """
        where = () if vhost is None else ("-p", vhost)
        listed: list[dict[str, Any]] = json.loads(
            self.ctl(command, "--formatter", "json", *where, *columns)
        )
        return listed

    def queues(self, vhost: str = "/") -> dict[str, int]:
        """Return the queues: name to number of messages, ready or not acknowledged."""
        rows = self.rows("list_queues", "name", "messages", vhost=vhost)
        return {row["name"]: row["messages"] for row in rows}

    def add_user(self, name: str, password: str, *, vhosts: Iterable[str] = ("/",)) -> None:
        """Create a user as PulseGuardian does, or change one."""
        self._import(_definitions(users=[_user(name, password)], pulse={name: vhosts}))

    def add_vhost(self, name: str) -> None:
        """Create a vhost in which guest has every permission."""
        self._import(_definitions(vhosts=[name]))

    def close_connections(self, reason: str = "closed by the test", user: str = "") -> None:
        """Close the connections of one user, or all, as an operator does, with a reason."""
        if user:
            self.ctl("close_all_user_connections", user, reason)
        else:
            self.ctl("close_all_connections", "--global", reason)

    def log(self, *, lines: int = 40) -> str:
        """Return the last lines of its logs and output."""
        texts = []
        for path in (self.folder / "output.log", *sorted(self.folder.glob("log/*.log"))):
            if path.exists():
                with path.open(encoding="utf-8", errors="replace") as file:
                    texts.append(f"--- {path}\n{''.join(deque(file, lines))}")
        return "\n".join(texts)

    def _configure(self) -> None:
        certificate = self.ca.issue_cert("localhost", HOST)
        self.ca.cert_pem.write_to_path(self.ca_file)
        certificate.cert_chain_pems[0].write_to_path(self.folder / "certificate.pem")
        certificate.private_key_pem.write_to_path(self.folder / "key.pem")
        (self.folder / "conf.d").mkdir()
        for name, text in {
            "rabbitmq.conf": self._settings,
            "advanced.config": "[].\n",
            "enabled_plugins": "[].\n",
            "rabbitmq-env.conf": "",
            "definitions.json": json.dumps(
                _definitions(
                    users=[_user(*ADMIN, tags="administrator"), _user(*PULSE)],
                    vhosts=["/", COMMUNITY],
                    pulse={PULSE[0]: ["/", COMMUNITY]},
                )
            ),
        }.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    @property
    def _settings(self) -> str:
        return f"""
            listeners.tcp.1 = {HOST}:{self.port}
            listeners.ssl.1 = {HOST}:{self.tls_port}
            ssl_options.cacertfile = {self.ca_file}
            ssl_options.certfile = {self.folder}/certificate.pem
            ssl_options.keyfile = {self.folder}/key.pem
            ssl_options.verify = verify_none
            ssl_options.fail_if_no_peer_cert = false
            load_definitions = {self.folder}/definitions.json
            disk_free_limit.absolute = 50MB
            """

    @cached_property
    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RABBITMQ_", "ERL_")) and name != "NOTIFY_SOCKET"
        }
        own = {
            "CONFIG_FILE": "rabbitmq.conf",
            "CONFIG_FILES": "conf.d",
            "ADVANCED_CONFIG_FILE": "advanced.config",
            "CONF_ENV_FILE": "rabbitmq-env.conf",
            "ENABLED_PLUGINS_FILE": "enabled_plugins",
            "MNESIA_BASE": "mnesia",
            "LOG_BASE": "log",
            "PID_FILE": "pid",
        }
        return {
            **inherited,
            **{f"RABBITMQ_{name}": str(self.folder / place) for name, place in own.items()},
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": HOST,
            "HOME": str(self.folder),  # the Erlang cookie is made there
            "LC_ALL": "C.UTF-8",
            # The start script then becomes the Erlang VM instead of waiting for it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _await_connections(self) -> None:
        deadline = time.monotonic() + START
        while not self._accepts_connections():
            if not self.is_running or time.monotonic() > deadline:
                state = "does not answer" if self.is_running else "ended"
                self.kill()
                raise RuntimeError(f"RabbitMQ {state} instead of starting:\n{self.log()}")
            time.sleep(POLL)

    def _accepts_connections(self) -> bool:
        connection = Transport(f"{HOST}:{self.port}", *ADMIN, connect_timeout=5)
        try:
            connection.connect()
        except (OSError, AMQPError):
            return False
        connection.close()
        return True

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.is_running:
            os.killpg(self._process.pid, number)

    def _end(self, number: signal.Signals) -> None:
        self._signal(number)
        if self._process is not None:
            self._process.wait(STOP)
        self._process = None
        self._paused = False
        self._tell_guard(0)

    def _tell_guard(self, group: int) -> None:
        _pipe(self._guard.stdin).write(b"%d\n" % group)
        _pipe(self._guard.stdin).flush()

    def _import(self, definitions: Mapping[str, Any]) -> None:
        path = self.folder / "import.json"
        path.write_text(json.dumps(definitions), encoding="utf-8")
        self.ctl("import_definitions", str(path))


class Publication(NamedTuple):
    """A message to publish.

    Attributes:
        exchange: Where to.
        routing_key: The primary key.
        body: As is.
        cc: Further routing keys, which consumers see in the header ``CC``.
        content_type: None for a message without.
        headers: Other headers than ``CC``.
    """

    exchange: str
    routing_key: str
    body: bytes
    cc: Sequence[str] = ()
    content_type: str | None = "application/json"
    headers: Mapping[str, Any] = {}


class Taskcluster:
    """Publishes on a broker as Taskcluster does, and waits for confirms.

    Args:
        connection: Of a user who may; open as long as this is used.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._channel = connection.default_channel
        self._channel.events["basic_ack"].add(self._confirmed)
        self._channel.confirm_select()
        self._published = 0
        self._unconfirmed: set[int] = set()

    def declare(self) -> None:
        """Declare the exchanges of the catalog, and one of another project, as durable."""
        for name in (*(exchange.address for exchange in CATALOG), FOREIGN_EXCHANGE):
            self._channel.exchange_declare(name, "topic", durable=True, auto_delete=False)

    def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        cc: Sequence[str] = (),
        content_type: str | None = "application/json",
        headers: Mapping[str, Any] | None = None,
    ) -> None:
        """Publish a message, as in `Publication`; on return it is in its queues."""
        message = Publication(exchange, routing_key, body, cc, content_type, headers or {})
        self.publish_all([message])

    def publish_all(self, messages: Iterable[Publication]) -> None:
        """Publish many, in order; on return all are in their queues."""
        for message in messages:
            self._publish(message)
            if len(self._unconfirmed) >= WINDOW:
                self._await_confirms()
        self._await_confirms()

    def _publish(self, message: Publication) -> None:
        headers = {**message.headers, **({"CC": list(message.cc)} if message.cc else {})}
        properties = {"content_type": message.content_type, "delivery_mode": 2}
        self._published += 1
        self._unconfirmed.add(self._published)
        self._channel.basic_publish(
            Message(message.body, application_headers=headers, **properties),
            exchange=message.exchange,
            routing_key=message.routing_key,
        )

    def _await_confirms(self) -> None:
        while self._unconfirmed:
            self._connection.drain_events(timeout=30)

    def _confirmed(self, tag: int, multiple: bool) -> None:
        # In no order: what must reach the disk is confirmed later.
        if multiple:
            self._unconfirmed = {later for later in self._unconfirmed if later > tag}
        else:
            self._unconfirmed.discard(tag)


def release(connection: Connection) -> None:
    """Close a connection that its server may have closed already."""
    with suppress(OSError, AMQPError):
        connection.release()


def _free_ports(count: int) -> list[int]:
    # Workers of pytest-xdist look at the same time, so each has a share of the range.
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = _PORTS[number::workers]
    found: list[int] = []
    for port in random.sample(share, len(share)):
        with socket.socket() as listener, suppress(OSError):
            listener.bind((HOST, port))
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError(f"no {count} free ports between {_PORTS.start} and {_PORTS.stop}")


def _start_guard(epmd_port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _GUARD, str(epmd_port)],
        stdin=subprocess.PIPE,
        start_new_session=True,  # it must outlive a Ctrl-C
    )


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise RuntimeError("the guard was started without a pipe")
    return stream


def _installed() -> Path:
    found = program()
    if found is None:
        raise RuntimeError("RabbitMQ is not installed")
    return found


def _user(name: str, password: str, *, tags: str = "") -> dict[str, Any]:
    return {"name": name, "password": password, "tags": tags}


def _definitions(
    *,
    users: Sequence[Mapping[str, Any]] = (),
    vhosts: Sequence[str] = (),
    pulse: Mapping[str, Iterable[str]] | None = None,
) -> dict[str, Any]:
    # https://www.rabbitmq.com/docs/definitions
    permissions = [_permission(ADMIN[0], vhost, ".*", ".*") for vhost in vhosts]
    for user, places in (pulse or {}).items():
        own = f"^(queue/{user}/.*|exchange/{user}/.*)"
        readable = f"^(queue/{user}/.*|exchange/.*)"
        permissions += [_permission(user, vhost, own, readable) for vhost in places]
    return {
        "users": list(users),
        "vhosts": [{"name": name} for name in vhosts],
        "permissions": permissions,
    }


def _permission(user: str, vhost: str, own: str, readable: str) -> dict[str, str]:
    return {"user": user, "vhost": vhost, "configure": own, "write": own, "read": readable}
