"""The flags that select by content, and those that stop a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import click

from tcsniff.commands.options.option import Command, option, stop_flag
from tcsniff.commands.options.values import Duration, Moment, add_options, split_callback

filter_flag = partial(option, section="Selection by content, checked on arrival")


class FilterArgs(NamedTuple):
    """The values of the flags that select by content.

    Attributes:
        since: Seconds since the Unix epoch, inclusive; None for no limit.
        before: The same, exclusive.
        grep: A regular expression; None for none.
    """

    where: Sequence[str]
    states: Sequence[str]
    reasons: Sequence[str]
    tags: Sequence[str]
    dedupe: bool
    since: float | None
    before: float | None
    grep: str | None


class StopArgs(NamedTuple):
    """The values of the flags that stop a run; times are in seconds."""

    max_count: int | None
    timeout: float | None
    idle_timeout: float | None
    until: Sequence[str]
    fail_on: Sequence[str]


filter_options = add_options(
    "content",
    FilterArgs,
    filter_flag(
        "--where",
        is_common=True,
        adds=True,
        multiple=True,
        metavar="EXPR",
        help="Match events for which this JMESPath is true.",
    ),
    filter_flag(
        "--state",
        "states",
        is_common=True,
        multiple=True,
        callback=split_callback,
        metavar="STATE",
        help="Match tasks in this state: failed,exception.",
    ),
    filter_flag(
        "--reason",
        "reasons",
        multiple=True,
        callback=split_callback,
        metavar="REASON",
        help="Match runs that were resolved for this reason.",
    ),
    filter_flag(
        "--tag",
        "tags",
        adds=True,
        multiple=True,
        metavar="NAME=VALUE",
        help="Match tasks with this tag, such as kind=build.",
    ),
    filter_flag(
        "--dedupe", is_flag=True, help="Skip repeated messages; Taskcluster sends some twice."
    ),
    filter_flag(
        "--since",
        is_common=True,
        type=Moment(),
        metavar="TIME",
        help="Match events since 18:00, 2026-11-23T18:00, or 90m ago.",
    ),
    filter_flag(
        "--before", type=Moment(), metavar="TIME", help="Match events before a time, like --since."
    ),
    filter_flag(
        "--grep",
        is_common=True,
        metavar="REGEX",
        help="Match events by their line, as -o lines prints it.",
    ),
)


def _make_stop_options(matched: str) -> Callable[[Command], Command]:
    return add_options(
        "ending",
        StopArgs,
        stop_flag(
            "-n",
            "--count",
            "max_count",
            is_common=True,
            type=click.IntRange(1),
            metavar="N",
            help="Stop after N events.",
        ),
        stop_flag(
            "--timeout",
            is_common=True,
            type=Duration(),
            help="Stop after 500ms, 30s, 1h30m, with status 124.",
        ),
        stop_flag(
            "--idle-timeout",
            type=Duration(),
            help="Stop after this long without an event, with status 124.",
        ),
        stop_flag(
            "--until",
            is_common=True,
            multiple=True,
            metavar="EXPR",
            help=f"Stop after {matched} for which this is true.",
        ),
        stop_flag(
            "--fail-on",
            is_common=True,
            multiple=True,
            metavar="EXPR",
            help="Stop like --until, with status 10.",
        ),
    )


stop_options = _make_stop_options("an event")
snapshot_stop_options = _make_stop_options("a JSON line")
"""For commands that print counts: ``--until`` and ``--fail-on`` see these."""
