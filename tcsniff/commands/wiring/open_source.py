"""From flags to an open source of events.

Imported when a command runs, not for its help.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from tcsniff.commands.options.resolve_account import (
    describe_account_source,
    describe_exposed_password,
    is_web,
    resolve_api_server,
    resolve_broker,
    resolve_root_url,
    resolve_web_server,
)
from tcsniff.commands.options.source_options import SourceArgs, is_deployment_named
from tcsniff.commands.wiring.run import Notify
from tcsniff.errors import ConnectionFailed, TimedOut, UsageError, WrongCredentials
from tcsniff.pipeline import ConnectionObserver, Source
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import WORKER_EVENTS, find_exchange
from tcsniff.pulse.times import format_duration
from tcsniff.selection.select import QUEUE_EXCHANGES, Selection
from tcsniff.settings.brokers import Broker
from tcsniff.settings.web_server import WebServer
from tcsniff.signals import signal_handler

_SEEDED_START = 1_795_456_800.0  # 2026-11-23T18:00:00Z, for demos with a seed
_TERMINAL_PACE = 60.0  # simulated seconds a second
_PIPE_PACE = 1200.0


def choose_pace(origin: SourceArgs) -> float:
    """Return how many seconds of the events pass in a second.

    Returns:
        0 for a recording that is read as fast as possible.
    """
    if origin.demo:
        return _TERMINAL_PACE if sys.stdout.isatty() else _PIPE_PACE
    return 1.0 if origin.is_live or origin.follow else origin.speed or 0.0


def find_api_server(origin: SourceArgs) -> WebServer | None:
    """Return the web server of the deployment; None if unknown, as for most recordings.

    Raises:
        UsageError: If the root URL is not valid, or a file for TLS is missing.
    """
    if origin.is_live or origin.account.root_url is not None:
        return resolve_api_server(origin.account)
    return None


def _find_link_root(origin: SourceArgs) -> str | None:
    # Links are a bonus: a variable that other programs read too does not end the run.
    try:
        if origin.is_live or origin.account.root_url is not None:
            return resolve_root_url(origin.account)
    except UsageError:
        if is_deployment_named(origin):
            raise
    return None


class OpenSource(NamedTuple):
    """An open source.

    Attributes:
        source: The source.
        name: Its name, for status lines.
        accepts: Whether a delivery is selected; None selects all.
        root_url: Root URL of the Taskcluster deployment; None if unknown.
    """

    source: Source
    name: str
    accepts: Callable[[Delivery], bool] | None
    root_url: str | None = None


@contextmanager
def open_source(
    origin: SourceArgs,
    selection: Selection,
    notify: Notify,
    observer: ConnectionObserver,
    *,
    seed: int | None = None,
    groups: int | None = None,
    deadline: float | None = None,
) -> Iterator[OpenSource]:
    """Open a source, and close it afterwards.

    Args:
        origin: The flags for the source.
        selection: The selection by routing key.
        notify: Prints a message.
        observer: Receives what happens to a connection.
        seed: Of the demo, if the flags have none; None for a random one.
        groups: How many task groups the demo has; None for no limit.
        deadline: When to give up connecting, by the monotonic clock; None for
            never.

    Raises:
        UsageError: If no broker is set.
        RecordingError: If a recording cannot be read.
        ConnectionFailed: If the broker cannot be reached.
        Refused: If the broker refuses the user or a request.
        TlsError: If the broker's certificate is not trusted.
        Exit: At the deadline, after the message.
    """
    if origin.demo:
        opening = _open_demo(origin, selection, notify, seed, groups)
    elif not origin.is_live:
        opening = _open_recording(origin, selection, notify, observer)
    else:
        open_live = _open_web if is_web(origin.account) else _open_broker
        opening = open_live(origin, selection, notify, observer, deadline)
    try:
        with opening as source:
            yield source
    except TimedOut as error:  # a result, not a failure: nothing to say if the run is quiet
        notify(str(error))
        raise click.exceptions.Exit(error.exit_status) from error


@contextmanager
def _open_broker(
    origin: SourceArgs,
    selection: Selection,
    notify: Notify,
    observer: ConnectionObserver,
    deadline: float | None,
) -> Iterator[OpenSource]:
    broker = _get_broker(origin, notify)

    from tcsniff.sources.consumer import Consumer
    from tcsniff.sources.queue_policy import QueuePolicy

    consumer = Consumer(
        broker,
        selection.bindings,
        queue_policy=QueuePolicy(
            origin.queue, origin.resume, origin.queue_expires, origin.queue_max_length
        ),
        prefetch=origin.prefetch,
        auto_ack=origin.auto_ack,
        optional=selection.optional,
        max_body=origin.max_size,
        observer=observer,
        until_empty=origin.drain,
        deadline=deadline,
    )
    with signal_handler.unwinding(), _explain_login(origin), consumer:
        if missing := consumer.missing_exchanges:
            notify(f"{broker.name} has no exchange {', '.join(missing)}, which is left out")
        if consumer.waiting:
            notify(f"{consumer.waiting:,} messages are waiting in {consumer.queue}")
        notify(consumer.describe_listening())
        root_url = _find_link_root(origin)
        is_accepted = _make_queue_filter(origin, selection, observer)
        try:
            yield OpenSource(consumer, broker.name, is_accepted, root_url)
        finally:
            if origin.queue is not None:
                notify(_describe_kept_queue(consumer.queue, origin))


def _describe_kept_queue(name: str, origin: SourceArgs) -> str:
    end = "" if origin.queue_expires is None else f" for {format_duration(origin.queue_expires)}"
    delete = f"to delete it with its messages: --queue {origin.queue} --delete-queue"
    return f"{name} stays and collects messages{end}; {delete}"


@contextmanager
def _open_web(
    origin: SourceArgs,
    selection: Selection,
    notify: Notify,
    observer: ConnectionObserver,
    deadline: float | None,
) -> Iterator[OpenSource]:
    server = resolve_web_server(origin.account)
    if server.insecure:
        notify(f"--tls-insecure: the certificate of {server} is not checked")

    from tcsniff.sources.websocket import WebListener  # websockets: 30 ms

    listener = WebListener(
        server, selection, max_body=origin.max_size, observer=observer, deadline=deadline
    )
    brokers = origin.account.brokers.items()
    names = [name for name, one in brokers if (one.root_url or "").rstrip("/") == server.root_url]
    with signal_handler.unwinding(), _explain_network(), listener:
        notify(listener.describe_listening())
        if merging := listener.describe_merging():
            notify(merging)
        yield OpenSource(listener, names[0] if names else server.host, None, server.root_url)


@contextmanager
def _explain_network() -> Iterator[None]:
    try:
        yield
    except ConnectionFailed as error:
        raise ConnectionFailed(
            f"{error}; without a network: --demo, or --from FILE to replay a recording; to use "
            "a broker: set PULSE_USERNAME and PULSE_PASSWORD"
        ) from error


@contextmanager
def _explain_login(origin: SourceArgs) -> Iterator[None]:
    # A wrong password is easier to find if the message says where it came from.
    try:
        yield
    except WrongCredentials as error:
        source = describe_account_source(origin.account, os.environ)
        raise WrongCredentials(
            f"{error} (user: {source.user or 'unknown'}; password: {source.password or 'none'})"
        ) from error


def _make_queue_filter(
    origin: SourceArgs, selection: Selection, observer: ConnectionObserver
) -> Callable[[Delivery], bool] | None:
    if origin.queue is None:
        return None if selection.is_bound else selection.accepts()
    # An existing queue may have more bindings than this selection. They cannot be
    # listed, but the messages that arrive through them show it.
    is_selected = selection.accepts()
    reported: set[str] = set()

    def accepts(delivery: Delivery) -> bool:
        if is_selected(delivery):
            return True
        if delivery.exchange not in reported:
            reported.add(delivery.exchange)
            observer.notify(
                f"the queue also receives messages of {delivery.exchange} that are not selected, "
                f"such as {delivery.routing_key}: an earlier run has bound them; they are "
                "skipped; --delete-queue deletes the queue with all its messages"
            )
        return False

    return accepts


def _get_broker(origin: SourceArgs, notify: Notify) -> Broker:
    broker = resolve_broker(origin.account)
    if (warning := describe_exposed_password(origin.account)) is not None:
        notify(warning)
    if broker.insecure:
        notify(f"--tls-insecure: the certificate of {broker} is not checked")
    return broker


def delete_queue(origin: SourceArgs, notify: Notify) -> None:
    """Delete the named queue.

    Raises:
        UsageError: If no broker is set.
        ConnectionFailed: If the broker cannot be reached.
        Refused: If the broker refuses the user or the request.
        TlsError: If the broker's certificate is not trusted.
    """
    broker = _get_broker(origin, notify)

    from tcsniff.sources.connection import Connection  # kombu: 50 ms
    from tcsniff.sources.queue_policy import build_queue_name

    name = build_queue_name(broker.user, origin.queue or "")
    connection = Connection(broker)
    try:
        connection.open()
        if connection.count_messages(name) is None:
            notify(f"{broker.name} has no queue {name}")
        else:
            notify(f"{name} deleted, with {connection.delete_queue(name):,} messages")
    finally:
        connection.close()


@contextmanager
def _open_demo(
    origin: SourceArgs, selection: Selection, notify: Notify, seed: int | None, groups: int | None
) -> Iterator[OpenSource]:
    exchanges = {binding.exchange for binding in selection.bindings}
    known = {exchange.address for exchange in QUEUE_EXCHANGES}
    known |= {find_exchange(name).address for name in WORKER_EVENTS}
    for unknown in sorted(exchanges - known):
        notify(f"the demo has no {unknown}; it simulates the queue, and the workers of pools")

    from tcsniff.simulator.simulation import simulate
    from tcsniff.sources.demo import Demo  # kombu: 50 ms

    if seed is None:
        seed = random.randrange(1_000_000) if origin.seed is None else origin.seed
    start = time.time() if origin.seed is None else _SEEDED_START
    simulated = simulate(seed=seed, start=start, groups=groups, workers=True)
    with Demo(simulated, exchanges, pace=choose_pace(origin)) as demo:
        notify(f"listening to the demo, seed {seed} ({_count_bindings(selection)}); Ctrl-C ends")
        yield OpenSource(demo, "demo", selection.accepts())


@contextmanager
def _open_recording(
    origin: SourceArgs, selection: Selection, notify: Notify, observer: ConnectionObserver
) -> Iterator[OpenSource]:
    from tcsniff.sources.recording import Recording

    recording = Recording(
        origin.recordings,
        notify,
        selection=selection if selection.clauses else None,
        on_gap=observer.add_gap,
        follow=origin.follow,
        speed=origin.speed,
    )
    with recording:
        name = Path(origin.recordings[0]).name if len(origin.recordings) == 1 else "recordings"
        yield OpenSource(recording, name, None, _find_link_root(origin))


def _count_bindings(selection: Selection) -> str:
    number = len(selection.bindings)
    return f"{number} binding{'s' * (number != 1)}"
