"""A connection that is given up while another thread still makes it."""

from __future__ import annotations

import socket

import amqp
from amqp.transport import TCPTransport

from tcsniff.sources.connection import close_at_once


class _ClosedMeanwhile(socket.socket):
    # Its shutdown wakes the other thread, which closes it first.
    transport: TCPTransport

    def shutdown(self, how: int, /) -> None:
        super().shutdown(how)
        self.transport.sock.close()
        self.transport.sock = None


def test_a_connection_may_be_closed_by_two_threads_at_once() -> None:
    """Ctrl-C while a broker does not answer ended with status 1."""
    near, far = socket.socketpair()
    connection = amqp.Connection()
    transport = TCPTransport("localhost", connect_timeout=1)
    transport.sock = _ClosedMeanwhile(fileno=near.detach())
    transport.sock.transport = transport
    connection._transport = transport  # noqa: SLF001 - as after its handshake began

    with far:
        close_at_once(connection)

        assert far.recv(1) == b""
    assert transport.sock is None
