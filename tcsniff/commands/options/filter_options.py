"""Selection by content, and when to stop: the flags for both."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import click

from tcsniff.commands.options.option import STOPPING, Command, option
from tcsniff.commands.options.values import Duration, split_values, stack_decorators

CONTENT = "Selection by content, checked on arrival"


class FilterArgs(NamedTuple):
    """The values of the flags that select by content.

    Attributes:
        where: ``--where``.
        states: ``--state``.
        reasons: ``--reason``.
        tags: ``--tag``.
        dedupe: ``--dedupe``.
    """

    where: tuple[str, ...]
    states: tuple[str, ...]
    reasons: tuple[str, ...]
    tags: tuple[str, ...]
    dedupe: bool


@dataclass(frozen=True)
class StopArgs:
    """When to stop, as the flags say.

    Attributes:
        count: ``--count``.
        timeout: ``--timeout``, in seconds.
        idle_timeout: ``--idle-timeout``, in seconds.
        until: ``--until``.
        fail_on: ``--fail-on``.
    """

    count: int | None
    timeout: float | None
    idle_timeout: float | None
    until: tuple[str, ...]
    fail_on: tuple[str, ...]


_CONTENT = stack_decorators(
    option(
        "--where",
        is_common=True,
        section=CONTENT,
        adds=True,
        multiple=True,
        metavar="EXPR",
        help="Match events for which this JMESPath is true.",
    ),
    option(
        "--state",
        "states",
        is_common=True,
        section=CONTENT,
        multiple=True,
        metavar="STATE",
        help="Match tasks in this state: failed,exception.",
    ),
    option(
        "--reason",
        "reasons",
        is_common=True,
        section=CONTENT,
        multiple=True,
        metavar="REASON",
        help="Match runs that were resolved for this reason.",
    ),
    option(
        "--tag",
        "tags",
        section=CONTENT,
        adds=True,
        multiple=True,
        metavar="NAME=VALUE",
        help="Match tasks with this tag, such as kind=build.",
    ),
    option(
        "--dedupe",
        section=CONTENT,
        is_flag=True,
        help="Skip repeated messages; Taskcluster sends some twice.",
    ),
)

_ENDING = stack_decorators(
    option(
        "-n",
        "--count",
        is_common=True,
        section=STOPPING,
        type=click.IntRange(1),
        metavar="N",
        help="Stop after N events.",
    ),
    option(
        "--timeout",
        is_common=True,
        section=STOPPING,
        type=Duration(),
        metavar="DURATION",
        help="Stop after 500ms, 30s, 1h30m, with status 124.",
    ),
    option(
        "--idle-timeout",
        section=STOPPING,
        type=Duration(),
        metavar="DURATION",
        help="Stop after this long without an event, with status 124.",
    ),
    option(
        "--until",
        is_common=True,
        section=STOPPING,
        multiple=True,
        metavar="EXPR",
        help="Stop after an event for which this is true.",
    ),
    option(
        "--fail-on",
        is_common=True,
        section=STOPPING,
        multiple=True,
        metavar="EXPR",
        help="Stop like --until, with status 10.",
    ),
)


def filter_options(command: Command) -> Command:
    """Give a command the flags for content; it gets them as `content`."""

    @functools.wraps(command)
    def with_content(**given: Any) -> Any:
        content = FilterArgs(
            where=given.pop("where"),
            states=tuple(split_values(given.pop("states"))),
            reasons=tuple(split_values(given.pop("reasons"))),
            tags=given.pop("tags"),
            dedupe=given.pop("dedupe"),
        )
        return command(content=content, **given)

    return _CONTENT(with_content)


def stop_options(command: Command) -> Command:
    """Give a command the flags that say when to stop; it gets them as `ending`."""

    @functools.wraps(command)
    def with_ending(**given: Any) -> Any:
        ending = StopArgs(**{name: given.pop(name) for name in StopArgs.__annotations__})
        return command(ending=ending, **given)

    return _ENDING(with_ending)
