"""Connections of kombu: addresses, TLS, and what a broker's administrator sees of them."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from collections.abc import Callable
from typing import Any

from kombu.connection import Connection as KombuConnection

from tcsniff import __version__
from tcsniff.errors import UsageError
from tcsniff.settings.brokers import Broker
from tcsniff.sources.interruptible import call_interruptibly

CONNECTION_NAME = f"tcsniff-{__version__}-{socket.gethostname()}-{os.getpid()}"
"""What a broker's administrator sees as the name of our connections and consumers."""


def is_remote(broker: Broker) -> bool:
    """Return whether a broker's host name leads to any machine but this one.

    Raises:
        OSError: If the name cannot be resolved.
    """
    answers = call_interruptibly(
        lambda: socket.getaddrinfo(broker.host, broker.port, type=socket.SOCK_STREAM), "look-up"
    )
    addresses = {str(address[0]).partition("%")[0] for *_, address in answers}
    return not all(ipaddress.ip_address(address).is_loopback for address in addresses)


def check_encryption(broker: Broker) -> None:
    """Check that no password goes to another machine without TLS.

    Raises:
        UsageError: If it would, and the user has not asked for it.
        OSError: If the host's name cannot be resolved.
    """
    if broker.tls or broker.plaintext or not broker.password:
        return
    if is_remote(broker):
        raise UsageError(
            f"{broker} would send the password unencrypted to another machine; use amqps://, "
            "or --plaintext to send it anyway"
        )


def build_kombu_connection(
    broker: Broker,
    frame_handler: Callable[..., Any] | None,
    *,
    heartbeat: float,
    connect_timeout: float,
) -> KombuConnection:
    """Create a connection of kombu that is not open yet.

    Args:
        broker: Where to connect.
        frame_handler: Reads frames for py-amqp; None for its own.
        heartbeat: Seconds between two signs of life.
        connect_timeout: Seconds for each step of connecting.
    """
    properties = {
        "product": "tcsniff",
        "version": __version__,
        "connection_name": CONNECTION_NAME,
    }
    options: dict[str, Any] = {"client_properties": properties}
    if frame_handler is not None:
        options["frame_handler"] = frame_handler
    return KombuConnection(
        hostname=broker.host,
        port=broker.port,
        userid=broker.user,
        password=broker.password,
        virtual_host=broker.vhost,
        ssl=_build_tls_options(broker) if broker.tls else False,
        login_method="PLAIN" if broker.password else "EXTERNAL",
        transport="pyamqp",
        heartbeat=heartbeat,
        connect_timeout=connect_timeout,
        transport_options=options,
    )


def build_memory_connection() -> KombuConnection:
    """Create a connection to kombu's broker inside this process."""
    return KombuConnection(transport="memory", transport_options={"polling_interval": 0.01})


def _build_tls_options(broker: Broker) -> dict[str, Any]:
    files = {"ca_certs": broker.ca, "certfile": broker.cert, "keyfile": broker.key}
    if broker.insecure:
        return {**files, "cert_reqs": ssl.CERT_NONE}
    # py-amqp checks the host name only if it gets one.
    return {**files, "server_hostname": broker.host}
