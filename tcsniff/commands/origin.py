"""Where events come from: the flags for it, and the source that they name."""

from __future__ import annotations

import functools
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import click

from tcsniff.commands.options import CONNECTION, DEMO, Command, option, stacked
from tcsniff.config import broker
from tcsniff.deliveries import Delivery
from tcsniff.errors import UsageError
from tcsniff.selection import QUEUE, Selection
from tcsniff.stream import Source

_SEEDED = 1_795_456_800.0  # 2026-11-23T18:00:00Z, where demos with a seed begin
_WATCHED = 60.0  # simulated seconds a second, for a person
_PIPED = 1200.0  # the same for a program

Say = Callable[[str], None]
"""Tells the person something, on standard error."""


class Origin(NamedTuple):
    """Where events come from, as the flags say.

    Attributes:
        url: ``--broker``.
        profile: ``--profile``.
        prefetch: ``--prefetch``.
        auto_ack: ``--auto-ack``.
        demo: ``--demo``.
        seed: ``--seed``.
    """

    url: str | None
    profile: str | None
    prefetch: int
    auto_ack: bool
    demo: bool
    seed: int | None


class Opened(NamedTuple):
    """A source that listens.

    Attributes:
        source: The source.
        name: What to call it, in a word.
        keep: Which of its deliveries are selected; None for all.
    """

    source: Source
    name: str
    keep: Callable[[Delivery], bool] | None


_OPTIONS = stacked(
    option(
        "--broker",
        "url",
        section=CONNECTION,
        metavar="URL",
        help="amqps://USER@HOST:PORT/VHOST; else TCSNIFF_BROKER or PULSE_URL. "
        "PULSE_USERNAME and PULSE_PASSWORD give the account.",
    ),
    option(
        "--profile",
        section=CONNECTION,
        metavar="NAME",
        help="firefox-ci or community: Mozilla's two deployments.",
    ),
    option(
        "--prefetch",
        section=CONNECTION,
        type=click.IntRange(1, 65535),
        default=1000,
        show_default=True,
        metavar="N",
        help="Messages that the broker may send ahead; bounds the memory.",
    ),
    option(
        "--auto-ack",
        section=CONNECTION,
        is_flag=True,
        help="Let the broker forget a message as soon as it is sent.",
    ),
    option("--demo", section=DEMO, is_flag=True, help="Watch made-up tasks; needs no broker."),
    option(
        "--seed",
        section=DEMO,
        type=click.IntRange(0),
        metavar="N",
        help="Make up the same tasks each time, at the same times.",
    ),
)


def origin_options(command: Command) -> Command:
    """Give a command the flags for a source; it gets them as `origin`."""

    @functools.wraps(command)
    def with_origin(**given: Any) -> Any:
        origin = Origin(**{name: given.pop(name) for name in Origin._fields})
        return command(origin=origin, **given)

    return _OPTIONS(with_origin)


@contextmanager
def opened(origin: Origin, selection: Selection, say: Say) -> Iterator[Opened]:
    """Open the source, and say so when it listens.

    Args:
        origin: Which.
        selection: What to ask for.
        say: Where to tell the person.

    Yields:
        The source; it is closed afterwards.

    Raises:
        UsageError: If flags contradict each other, or name no broker.
        ConnectionFailed: If the broker cannot be reached.
        Refused: If it says no.
        TlsError: If its certificate is not to be trusted.
    """
    if origin.seed is not None and not origin.demo:
        raise UsageError("--seed goes with --demo")
    if origin.demo and (origin.url or origin.profile):
        raise UsageError("--demo needs no broker; leave --broker and --profile out")
    with (_demo if origin.demo else _live)(origin, selection, say) as source:
        yield source


@contextmanager
def _live(origin: Origin, selection: Selection, say: Say) -> Iterator[Opened]:
    to = broker(origin.url, origin.profile, os.environ)

    from tcsniff.sources.pulse import Listener  # kombu: 50 ms

    listener = Listener(
        to,
        selection.bindings,
        prefetch=origin.prefetch,
        auto_ack=origin.auto_ack,
        implied=selection.implied,
    )
    with listener:
        for exchange in listener.missing:
            say(f"{to.name} has no exchange {exchange}: left out")
        say(f"listening on {to} ({_count(selection)}, queue {listener.queue}); Ctrl-C ends")
        yield Opened(listener, to.name, None if selection.is_bound else selection.test())


@contextmanager
def _demo(origin: Origin, selection: Selection, say: Say) -> Iterator[Opened]:
    exchanges = {binding.exchange for binding in selection.bindings}
    for strange in sorted(exchanges - {exchange.address for exchange in QUEUE}):
        say(f"the demo has no {strange}: it simulates the queue alone")

    from tcsniff.simulator import simulate
    from tcsniff.sources.demo import Demo  # kombu: 50 ms

    seed = random.randrange(1_000_000) if origin.seed is None else origin.seed
    start = time.time() if origin.seed is None else _SEEDED
    pace = _WATCHED if sys.stdout.isatty() else _PIPED
    with Demo(simulate(seed=seed, start=start), exchanges, pace=pace) as demo:
        say(f"listening to the demo, seed {seed} ({_count(selection)}); Ctrl-C ends")
        yield Opened(demo, "demo", selection.test())


def _count(selection: Selection) -> str:
    number = len(selection.bindings)
    return f"{number} binding{'s' * (number != 1)}"
