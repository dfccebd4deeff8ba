"""Consumers that users would write instead of tcsniff; child processes of the benchmark.

``python consumers.py KIND URL QUEUE COUNT`` writes a record for each of COUNT
messages of a queue to standard output.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from datetime import UTC, datetime
from typing import Any

import orjson

PREFETCH = 1000  # tcsniff's own


def stamp() -> str:
    """Return the current time."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write(exchange: str, key: str, headers: Any, redelivered: bool, payload: Any) -> None:
    """Write the record of a message."""
    record = {
        "received": stamp(),
        "exchange": exchange,
        "routingKey": key,
        "routes": [cc.removeprefix("route.") for cc in (headers or {}).get("CC", ())],
        "redelivered": redelivered,
        "payload": payload,
    }
    sys.stdout.buffer.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def kombu(url: str, queue: str, count: int) -> None:
    """Consume as kombu's documentation does: a callback, and an ack for each message."""
    from kombu import Connection, Consumer, Queue

    left = count

    def take(body: Any, message: Any) -> None:
        nonlocal left
        if left == 0:  # prefetched: returns to the queue
            return
        where = message.delivery_info
        payload = orjson.loads(body) if isinstance(body, str | bytes) else body
        write(
            where["exchange"],
            where["routing_key"],
            message.headers,
            where["redelivered"],
            payload,
        )
        message.ack()
        left -= 1

    with (
        Connection(url) as connection,
        Consumer(
            connection.channel(),
            [Queue(queue, no_declare=True)],
            callbacks=[take],
            prefetch_count=PREFETCH,
        ),
    ):
        while left > 0:
            connection.drain_events()


def first(url: str, queue: str, count: int) -> None:
    """Print messages at once, with kombu; for the start."""
    kombu(url, queue, count)
    sys.stdout.flush()


def pika(url: str, queue: str, count: int) -> None:
    """Consume as pika's documentation does."""
    import pika as library

    left = count
    connection = library.BlockingConnection(library.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=PREFETCH)

    def take(channel: Any, method: Any, properties: Any, body: bytes) -> None:
        nonlocal left
        write(
            method.exchange,
            method.routing_key,
            properties.headers,
            method.redelivered,
            orjson.loads(body),
        )
        channel.basic_ack(method.delivery_tag)
        left -= 1
        if left == 0:
            channel.stop_consuming()

    channel.basic_consume(queue, take)
    channel.start_consuming()
    connection.close()


def limit(url: str, queue: str, count: int) -> None:
    """Discard the bytes that the broker sends, and acknowledge nothing."""
    connection = _connection(url)
    connection.connect()
    sock: socket.socket = connection.sock
    connection.channel().basic_consume(queue, no_ack=True, consumer_tag="limit")
    tail = b"\x05limit" + count.to_bytes(8, "big")  # how the last message begins
    rest = b""
    while tail not in rest:
        rest = rest[-len(tail) :] + sock.recv(1 << 18)
    os._exit(0)  # without closing: the socket is still full


def start(url: str, queue: str, count: int) -> None:
    """Print how many seconds py-amqp needs to connect and to look up a queue."""
    del count
    connection = _connection(url)
    begin = time.perf_counter()
    connection.connect()
    channel = connection.channel()
    channel.queue_declare(queue, passive=True)
    sys.stdout.write(f"{time.perf_counter() - begin}\n")
    connection.close()


def _connection(url: str) -> Any:
    from amqp.connection import Connection

    account, _, place = url.removeprefix("amqp://").partition("@")
    user, _, password = account.partition(":")
    return Connection(place.partition("/")[0], user, password)


def bare(url: str, queue: str, count: int) -> None:
    """Print each message at once, with py-amqp and nothing else; for the latency."""
    left = count
    connection = _connection(url)
    connection.connect()
    channel = connection.channel()
    channel.basic_qos(0, PREFETCH, False)

    def take(message: Any) -> None:
        nonlocal left
        if left == 0:
            return
        body = message.body
        sys.stdout.buffer.write((body.encode() if isinstance(body, str) else body) + b"\n")
        sys.stdout.buffer.flush()
        channel.basic_ack(message.delivery_tag)
        left -= 1

    channel.basic_consume(queue, callback=take)
    sys.stderr.write("listening\n")
    sys.stderr.flush()
    while left > 0:
        connection.drain_events()
    connection.close()


KINDS = {one.__name__: one for one in (kombu, first, pika, limit, start, bare)}

if __name__ == "__main__":
    kind, address, name, number = sys.argv[1:]
    KINDS[kind](address, name, int(number))
