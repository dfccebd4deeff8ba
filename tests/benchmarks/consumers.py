"""What a user would write instead of tcsniff, as a child process of the benchmark.

``python consumers.py KIND URL QUEUE COUNT`` writes the same record for each of
COUNT messages of a queue to standard output.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from datetime import UTC, datetime
from typing import Any

import orjson

PREFETCH = 1000  # tcsniff's own


def stamp() -> str:
    """When a message was received, as people write it."""
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
        if left == 0:  # sent ahead: goes back to the queue
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


def aiormq(url: str, queue: str, count: int) -> None:
    """Consume as aiormq's documentation does."""
    asyncio.run(_aiormq(url, queue, count))


async def _aiormq(url: str, queue: str, count: int) -> None:
    import aiormq as library

    left = count
    over = asyncio.Event()
    connection = await library.connect(url)
    channel = await connection.channel()
    await channel.basic_qos(prefetch_count=PREFETCH)

    async def take(message: Any) -> None:
        nonlocal left
        if left == 0:
            return
        where = message.delivery
        write(
            where.exchange,
            where.routing_key,
            message.header.properties.headers,
            where.redelivered,
            orjson.loads(message.body),
        )
        await channel.basic_ack(where.delivery_tag)
        left -= 1
        if left == 0:
            over.set()

    await channel.basic_consume(queue, take)
    await over.wait()
    await connection.close()


def limit(url: str, queue: str, count: int) -> None:
    """Have the broker send, throw the bytes away, and acknowledge nothing."""
    connection = _connection(url)
    connection.connect()
    sock: socket.socket = connection.sock
    connection.channel().basic_consume(queue, no_ack=True, consumer_tag="limit")
    tail = b"\x05limit" + count.to_bytes(8, "big")  # how the last message begins
    rest = b""
    while tail not in rest:
        rest = rest[-len(tail) :] + sock.recv(1 << 18)
    os._exit(0)  # what still comes is in the way of a goodbye


def start(url: str, queue: str, count: int) -> None:
    """Tell how many seconds it takes py-amqp to connect, and to ask for a queue."""
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


KINDS = {one.__name__: one for one in (kombu, pika, aiormq, limit, start, bare)}

if __name__ == "__main__":
    kind, address, name, number = sys.argv[1:]
    KINDS[kind](address, name, int(number))
