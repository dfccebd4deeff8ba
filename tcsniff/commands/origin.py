"""Where events come from: the flags for it."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import click

from tcsniff.commands.options import CONNECTION, DEMO, Command, option, stacked


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
