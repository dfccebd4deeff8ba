"""The flags of the source: a broker, a recording or the demo."""

from __future__ import annotations

from typing import NamedTuple

import click

from tcsniff.commands.options.account_options import (
    AccountArgs,
    account_options,
    root_url_option,
    web_option,
)
from tcsniff.commands.options.file_checks import FileUse
from tcsniff.commands.options.option import Command, connection_flag, recording_flag, stop_flag
from tcsniff.commands.options.values import Duration, Size, add_options
from tcsniff.errors import UsageError
from tcsniff.settings.value_sources import Rank


class SourceArgs(NamedTuple):
    """The values of the flags of the source; times are in seconds, sizes in bytes."""

    account: AccountArgs
    queue: str | None
    queue_expires: float | None
    queue_max_length: int | None
    delete_queue: bool
    drain: bool
    resume: float | None
    max_size: int
    prefetch: int
    auto_ack: bool
    demo: bool
    seed: int | None
    recordings: tuple[str, ...]
    follow: bool
    speed: float | None

    @property
    def is_live(self) -> bool:
        """Whether the source is a broker."""
        return not (self.demo or self.recordings)


_MAX_EXPIRY = (4_294_967.295, "49d")  # of RabbitMQ's x-expires: 32 bits of milliseconds
_MAX_LENGTH = (1 << 63) - 1  # of x-max-length: 64 bits

_OPTIONS = add_options(
    "origin",
    SourceArgs,
    connection_flag(
        "--queue",
        is_common=True,
        rivals=("resume",),
        metavar="NAME",
        help="Use a durable queue that stays and can be shared.",
    ),
    connection_flag(
        "--queue-expires",
        needs="queue",
        type=Duration(most=_MAX_EXPIRY),
        help="Let the broker delete the --queue after this long without a consumer.",
    ),
    connection_flag(
        "--queue-max-length",
        needs="queue",
        type=click.IntRange(1, _MAX_LENGTH),
        metavar="N",
        help="Let the broker drop the oldest messages of the --queue above N.",
    ),
    connection_flag(
        "--delete-queue",
        needs="queue",
        is_flag=True,
        help="Delete the --queue with its messages, and exit.",
    ),
    stop_flag(
        "--drain",
        needs="queue",
        is_flag=True,
        help="Stop when the --queue is empty, with status 0.",
    ),
    connection_flag(
        "--resume",
        rivals=("queue",),
        type=Duration(most=_MAX_EXPIRY),
        help="Keep the temporary queue this long after a lost connection.",
    ),
    connection_flag(
        "--max-size",
        type=Size(),
        default="16M",
        show_default=True,
        help="Skip larger messages, with a warning.",
    ),
    connection_flag(
        "--prefetch",
        type=click.IntRange(1, 65535),
        default=1000,
        show_default=True,
        metavar="N",
        help="Let the broker send N messages ahead; limits the memory.",
    ),
    connection_flag(
        "--auto-ack",
        is_flag=True,
        help="Let the broker forget a message when it is sent; faster, but not safe.",
    ),
    recording_flag(
        "--from",
        "recordings",
        is_common=True,
        rivals=("demo", "url", "profile", "web"),
        multiple=True,
        metavar="FILE",
        file_use=FileUse.READ,
        help="Replay a recording; - is standard input.",
    ),
    recording_flag(
        "--follow",
        needs="recordings",
        else_hint="the events of a broker are followed without it",
        is_flag=True,
        help="Wait for more at the end, like tail -F.",
    ),
    recording_flag(
        "--speed",
        needs="recordings",
        type=click.FloatRange(0, min_open=True),
        metavar="FACTOR",
        help="Replay at N times the recorded pace. Default: as fast as possible.",
    ),
    recording_flag(
        "--demo",
        is_common=True,
        is_flag=True,
        rivals=("recordings", "url", "profile", "web"),
        help="Watch simulated tasks; needs no broker.",
    ),
    recording_flag(
        "--seed",
        needs="demo",
        type=click.IntRange(0),
        metavar="N",
        help="Simulate the same tasks each time, at the same times.",
    ),
)


def source_options(command: Command) -> Command:
    """Add the flags of the source to a command, which receives them as `origin`."""
    return account_options(web_option(root_url_option(_OPTIONS(command))))


def is_deployment_named(origin: SourceArgs) -> bool:
    """Return whether a root URL is named for this command.

    Not so by a variable that other programs read too, and for recordings and the demo
    not by the page that names the group: nothing is asked then unless a user wants it.
    """
    source = origin.account.sources.get("root_url")
    weak = {Rank.SHARED_VARIABLE} if origin.is_live else {Rank.SHARED_VARIABLE, Rank.PAGE}
    return source is not None and source.rank not in weak


def settle_no_api(origin: SourceArgs, *, no_api: bool) -> bool:
    """Return whether the queue's API is not to be asked.

    A deployment that is named is asked, unless ``--no-api`` is from a stronger source.

    Args:
        origin: The flags of the source.
        no_api: Whether ``--no-api`` is set.

    Raises:
        UsageError: If both were typed.
    """
    if not no_api or not is_deployment_named(origin):
        return no_api
    sources = origin.account.sources
    named, refused = sources["root_url"].rank, sources["no_api"].rank
    if named is Rank.TYPED and refused is Rank.TYPED:
        raise UsageError("--no-api and --root-url contradict each other")
    return refused <= named


def check_source(origin: SourceArgs) -> None:
    """Check that the flags do not contradict each other.

    Raises:
        UsageError: If they do.
    """
    from tcsniff.commands.options.resolve_account import is_web  # 6 ms, not for a flag's error

    if origin.demo and origin.recordings:
        raise UsageError("--demo and --from both name a source; use one of them")
    if not origin.is_live and origin.account.is_typed:
        other = "--demo" if origin.demo else "--from"
        raise UsageError(f"{other} needs no connection; leave --broker, --profile and --web out")
    if origin.account.web and origin.account.url and origin.account.is_typed:
        raise UsageError("--broker and --web both name a source; use one of them")
    if origin.is_live and is_web(origin.account):
        _check_web(origin)
    if origin.queue and origin.resume is not None:
        raise UsageError("--resume is for temporary queues; a --queue is always kept")


# The flags that only a broker can obey, and why.
_BROKER_FLAGS = {
    "queue": "a web server keeps no queue for its clients",
    "resume": "a web server keeps no queue for its clients",
    "delete_queue": "a web server keeps no queue for its clients",
    "drain": "a web server does not report how many messages are waiting",
    "prefetch": "a web server sends without waiting for acknowledgements",
    "auto_ack": "a web server's messages are not acknowledged",
}
_HARMLESS = {"prefetch", "auto_ack"}  # if a variable or the settings file sets them


def _check_web(origin: SourceArgs) -> None:
    sources = origin.account.sources
    for name, reason in _BROKER_FLAGS.items():
        if name not in sources:
            continue
        if name not in _HARMLESS or sources[name].rank <= Rank.SAVED:
            raise UsageError(
                f"--{name.replace('_', '-')} needs a broker: {reason}; set PULSE_USERNAME and "
                "PULSE_PASSWORD, or name a --broker"
            )
