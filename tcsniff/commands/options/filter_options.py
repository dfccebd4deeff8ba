"""Selection by content, and when to stop: the flags for both."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import click

from tcsniff.commands.options.selection_options import (
    STOPPING,
    Command,
    Duration,
    option,
    split_values,
    stack_decorators,
)

CONTENT = "Selection by content, checked on arrival"


class FilterArgs(NamedTuple):
    """What must be true of an event besides its routing key, as the flags say.

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
        section=CONTENT,
        adds=True,
        multiple=True,
        metavar="EXPR",
        help="Of which this JMESPath expression is true, such as \"event=='task-failed'\"; "
        "all must hold.",
    ),
    option(
        "--state",
        "states",
        section=CONTENT,
        multiple=True,
        metavar="STATE",
        help="Whose task is in this state, such as failed,exception.",
    ),
    option(
        "--reason",
        "reasons",
        section=CONTENT,
        multiple=True,
        metavar="REASON",
        help="About a run that was resolved for this reason, such as claim-expired.",
    ),
    option(
        "--tag",
        "tags",
        section=CONTENT,
        adds=True,
        multiple=True,
        metavar="NAME=VALUE",
        help="Whose task has this tag, such as kind=build.",
    ),
    option(
        "--dedupe",
        section=CONTENT,
        is_flag=True,
        help="Drop what was seen already; Taskcluster repeats messages.",
    ),
)

_ENDING = stack_decorators(
    option(
        "-n",
        "--count",
        section=STOPPING,
        type=click.IntRange(1),
        metavar="N",
        help="End after N events.",
    ),
    option(
        "--timeout",
        section=STOPPING,
        type=Duration(),
        metavar="DURATION",
        help="End after so long, such as 500ms, 30s, 10m or 1h30m, with exit status 124.",
    ),
    option(
        "--idle-timeout",
        section=STOPPING,
        type=Duration(),
        metavar="DURATION",
        help="End after so long without an event, with exit status 124.",
    ),
    option(
        "--until",
        section=STOPPING,
        multiple=True,
        metavar="EXPR",
        help="End after an event of which this JMESPath expression is true.",
    ),
    option(
        "--fail-on",
        section=STOPPING,
        multiple=True,
        metavar="EXPR",
        help="The same, with exit status 10.",
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
