"""From flags to a source that listens.

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

from tcsniff.commands.options.account_options import resolve_broker
from tcsniff.commands.options.source_options import SourceArgs
from tcsniff.commands.runs.run import Notify
from tcsniff.pipeline import ConnectionObserver, Source
from tcsniff.pulse.deliveries import Delivery
from tcsniff.selection.select import QUEUE_EXCHANGES, Selection
from tcsniff.settings.brokers import Broker

_SEEDS = 1_000_000  # to choose from
ROOT_URL = "TASKCLUSTER_ROOT_URL"
"""The deployment, as Taskcluster's own clients call it in the environment."""
_SEEDED = 1_795_456_800.0  # 2026-11-23T18:00:00Z, where demos with a seed begin
_WATCHED = 60.0  # simulated seconds a second, for a person
_PIPED = 1200.0  # the same for a program


def choose_pace(origin: SourceArgs) -> float:
    """Tell how fast time passes between two events, in their seconds a second of ours.

    Returns:
        0 for a recording that is read as fast as can be: there none passes.
    """
    if origin.demo:
        return _WATCHED if sys.stdout.isatty() else _PIPED
    return 1.0 if origin.is_live or origin.follow else origin.speed or 0.0


class OpenSource(NamedTuple):
    """A source that listens.

    Attributes:
        source: The source.
        name: What to call it, in a word.
        accepts: Whether a delivery is selected; None selects all.
        root_url: Of the Taskcluster deployment whose messages it has; None if
            that is not known.
    """

    source: Source
    name: str
    accepts: Callable[[Delivery], bool] | None
    root_url: str | None = None


@contextmanager
def open_source(
    origin: SourceArgs,
    selection: Selection,
    say: Notify,
    watch: ConnectionObserver,
    *,
    seed: int | None = None,
    groups: int | None = None,
) -> Iterator[OpenSource]:
    """Open the source, and say so when it listens.

    Args:
        origin: Which.
        selection: What to ask for.
        say: Where to tell the person.
        watch: Is told what happens to a connection.
        seed: Of the demo, if the flags name none; None for any.
        groups: How many task groups the demo has; None for no end.

    Yields:
        The source; it is closed afterwards.

    Raises:
        UsageError: If they name no broker.
        RecordingError: If a recording cannot be read.
        ConnectionFailed: If the broker cannot be reached.
        Refused: If it says no.
        TlsError: If its certificate is not to be trusted.
    """
    if origin.demo:
        opening = _demo(origin, selection, say, seed, groups)
    else:
        opening = (_live if origin.is_live else _recorded)(origin, selection, say, watch)
    with opening as source:
        yield source


@contextmanager
def _live(
    origin: SourceArgs, selection: Selection, say: Notify, watch: ConnectionObserver
) -> Iterator[OpenSource]:
    to = _broker(origin, say)

    from tcsniff.sources.consumer import Consumer, QueuePolicy

    listener = Consumer(
        to,
        selection.bindings,
        keeping=QueuePolicy(
            origin.queue, origin.resume, origin.queue_expires, origin.queue_max_length
        ),
        prefetch=origin.prefetch,
        auto_ack=origin.auto_ack,
        optional=selection.optional,
        most=origin.max_size,
        watch=watch,
    )
    with listener:
        for exchange in listener.missing:
            say(f"{to.name} has no exchange {exchange}: left out")
        if listener.waiting:
            say(f"{listener.waiting:,} messages wait in {listener.queue}")
        say(f"listening on {to} ({_count(selection)}, queue {listener.queue}); Ctrl-C ends")
        root_url = to.root_url or os.environ.get(ROOT_URL)
        yield OpenSource(listener, to.name, _keep(origin, selection, watch), root_url)


def _keep(
    origin: SourceArgs, selection: Selection, watch: ConnectionObserver
) -> Callable[[Delivery], bool] | None:
    if origin.queue is None:
        return None if selection.is_bound else selection.accepts()
    # A queue that was there before may be bound to more than is asked for now;
    # the bindings of a queue cannot be listed, but what comes through them shows.
    accepts = selection.accepts()
    told: set[str] = set()

    def keep(delivery: Delivery) -> bool:
        if accepts(delivery):
            return True
        if delivery.exchange not in told:
            told.add(delivery.exchange)
            watch.notify(
                f"the queue also gets messages of {delivery.exchange} that are not selected, such "
                f"as {delivery.routing_key}: an earlier run has bound them; they are passed over, "
                "and --delete-queue starts anew"
            )
        return False

    return keep


def _broker(origin: SourceArgs, say: Notify) -> Broker:
    to = resolve_broker(origin.account)
    if to.insecure:
        say(f"--tls-insecure: nobody has checked that {to} is who it says it is")
    return to


def delete_queue(origin: SourceArgs, say: Notify) -> None:
    """Delete the named queue.

    Raises:
        UsageError: If the flags name no broker.
        ConnectionFailed: If the broker cannot be reached.
        Refused: If it says no.
        TlsError: If its certificate is not to be trusted.
    """
    to = _broker(origin, say)

    from tcsniff.sources.connection import Connection  # kombu: 50 ms

    name = f"queue/{to.user}/{origin.queue}"
    link = Connection(to)
    try:
        link.open()
        if link.waiting(name) is None:
            say(f"{to.name} has no queue {name}")
        else:
            say(f"{name} deleted, with {link.delete(name):,} messages")
    finally:
        link.close()


@contextmanager
def _demo(
    origin: SourceArgs, selection: Selection, say: Notify, seed: int | None, groups: int | None
) -> Iterator[OpenSource]:
    exchanges = {binding.exchange for binding in selection.bindings}
    for strange in sorted(exchanges - {exchange.address for exchange in QUEUE_EXCHANGES}):
        say(f"the demo has no {strange}: it simulates the queue alone")

    from tcsniff.simulator.simulation import simulate
    from tcsniff.sources.demo import Demo  # kombu: 50 ms

    if seed is None:
        seed = random.randrange(_SEEDS) if origin.seed is None else origin.seed
    start = time.time() if origin.seed is None else _SEEDED
    simulated = simulate(seed=seed, start=start, groups=groups)
    with Demo(simulated, exchanges, pace=choose_pace(origin)) as demo:
        say(f"listening to the demo, seed {seed} ({_count(selection)}); Ctrl-C ends")
        yield OpenSource(demo, "demo", selection.accepts())


@contextmanager
def _recorded(
    origin: SourceArgs, selection: Selection, say: Notify, watch: ConnectionObserver
) -> Iterator[OpenSource]:
    from tcsniff.sources.recording import Recording

    recording = Recording(
        origin.recordings,
        say,
        selection=selection if selection.clauses else None,
        on_gap=watch.add_gap,
        follow=origin.follow,
        speed=origin.speed,
    )
    with recording:
        name = Path(origin.recordings[0]).name if len(origin.recordings) == 1 else "recordings"
        yield OpenSource(recording, name, None, os.environ.get(ROOT_URL))


def _count(selection: Selection) -> str:
    number = len(selection.bindings)
    return f"{number} binding{'s' * (number != 1)}"
