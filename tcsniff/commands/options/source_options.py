"""Where events come from: the flags for it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple

import click

from tcsniff.commands.options.account_options import AccountArgs, account_options
from tcsniff.commands.options.option import CONNECTION, DEMO, RECORDING, Command, option
from tcsniff.commands.options.values import Duration, Size, stack_decorators
from tcsniff.errors import UsageError


class SourceArgs(NamedTuple):
    """Where events come from, as the flags say.

    Attributes:
        account: Which broker, as whom.
        queue: ``--queue``.
        queue_expires: ``--queue-expires``, in seconds.
        queue_max_length: ``--queue-max-length``.
        delete_queue: ``--delete-queue``.
        resume: ``--resume``, in seconds.
        max_size: ``--max-size``, in bytes.
        prefetch: ``--prefetch``.
        auto_ack: ``--auto-ack``.
        demo: ``--demo``.
        seed: ``--seed``.
        recordings: ``--from``.
        follow: ``--follow``.
        speed: ``--speed``.
    """

    account: AccountArgs
    queue: str | None
    queue_expires: float | None
    queue_max_length: int | None
    delete_queue: bool
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
        """Whether it is a broker."""
        return not (self.demo or self.recordings)


_OPTIONS = stack_decorators(
    option(
        "--queue",
        is_common=True,
        section=CONNECTION,
        rivals=("resume",),
        metavar="NAME",
        help="Use a durable queue that stays and can be shared.",
    ),
    option(
        "--queue-expires",
        section=CONNECTION,
        needs="queue",
        type=Duration(),
        metavar="DURATION",
        help="Let the broker delete the --queue after this long without a consumer.",
    ),
    option(
        "--queue-max-length",
        section=CONNECTION,
        needs="queue",
        type=click.IntRange(1),
        metavar="N",
        help="Let the broker drop the oldest messages of the --queue above N.",
    ),
    option(
        "--delete-queue",
        section=CONNECTION,
        needs="queue",
        is_flag=True,
        help="Delete the --queue and exit.",
    ),
    option(
        "--resume",
        section=CONNECTION,
        rivals=("queue",),
        type=Duration(),
        metavar="DURATION",
        help="Keep the temporary queue this long after a lost connection.",
    ),
    option(
        "--max-size",
        section=CONNECTION,
        type=Size(),
        default="16M",
        show_default=True,
        metavar="SIZE",
        help="Skip larger messages, with a warning.",
    ),
    option(
        "--prefetch",
        section=CONNECTION,
        type=click.IntRange(1, 65535),
        default=1000,
        show_default=True,
        metavar="N",
        help="Let the broker send N messages ahead; limits the memory.",
    ),
    option(
        "--auto-ack",
        section=CONNECTION,
        is_flag=True,
        help="Let the broker forget a message when it is sent; faster, but not safe.",
    ),
    option(
        "--from",
        "recordings",
        is_common=True,
        section=RECORDING,
        rivals=("demo", "url", "profile"),
        multiple=True,
        metavar="FILE",
        help="Replay a recording; - is standard input.",
    ),
    option(
        "--follow",
        section=RECORDING,
        needs="recordings",
        is_flag=True,
        help="Wait for more at the end, like tail -f.",
    ),
    option(
        "--speed",
        section=RECORDING,
        needs="recordings",
        type=click.FloatRange(0, min_open=True),
        metavar="FACTOR",
        help="Replay at N times the recorded pace. Default: as fast as possible.",
    ),
    option(
        "--demo",
        is_common=True,
        section=DEMO,
        is_flag=True,
        rivals=("recordings", "url", "profile"),
        help="Watch simulated tasks; needs no broker.",
    ),
    option(
        "--seed",
        section=DEMO,
        needs="demo",
        type=click.IntRange(0),
        metavar="N",
        help="Simulate the same tasks each time, at the same times.",
    ),
)


def check_source(origin: SourceArgs) -> None:
    """Refuse flags that contradict each other.

    Raises:
        UsageError: If they do.
    """
    if origin.demo and origin.recordings:
        raise UsageError("--demo and --from both say where events come from; give one of them")
    if not origin.is_live and origin.account.is_typed:
        other = "--demo" if origin.demo else "--from"
        raise UsageError(f"{other} needs no broker; leave --broker and --profile out")
    if origin.queue and origin.resume is not None:
        raise UsageError("--resume is for temporary queues; a --queue is always kept")


def check_recording(path: str | None, origin: SourceArgs, flag: str = "--record") -> None:
    """Refuse to write into a file that is read.

    Args:
        path: What to write; None for nothing.
        origin: Where events come from.
        flag: The flag that gave the path.

    Raises:
        UsageError: If it is the same.
    """
    if path is None:
        return
    for other in origin.recordings:
        if Path(other).exists() and Path(path).exists() and Path(other).samefile(path):
            raise UsageError(f"{flag} {path} is also what --from reads")


def source_options(command: Command) -> Command:
    """Give a command the flags for a source; it gets them as `origin`."""

    @functools.wraps(command)
    def with_origin(**given: Any) -> Any:
        origin = SourceArgs(**{name: given.pop(name) for name in SourceArgs._fields})
        return command(origin=origin, **given)

    return account_options(_OPTIONS(with_origin))
