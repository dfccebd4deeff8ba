"""What `top` counts, and how it shows it: the flags for it."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import click

from tcsniff.commands.options.selection_options import (
    OUTPUT,
    Command,
    Duration,
    option,
    stack_decorators,
)
from tcsniff.errors import UsageError

_COUNTING = "What is counted"
_NAMES = ("pool", "worker", "kind", "scheduler", "group", "reason")
_SORTS = ("pending", "running", "finished", "failed", "rate", "wait", "run", "name")


class TopArgs(NamedTuple):
    """What to count, and how to show it, as the flags say.

    Attributes:
        by: ``--by``.
        sort: ``--sort``.
        reverse: ``--reverse``.
        every: ``--every``, in seconds.
        output: ``--output``; None for a table on a terminal, else JSON lines.
        as_json: ``--json``.
        record: ``--record``.
        save_svg: ``--save-svg``.
        colour: ``--color``.
    """

    by: str
    sort: str
    reverse: bool
    every: float
    output: str | None
    as_json: bool
    record: str | None
    save_svg: str | None
    colour: str


_OPTIONS = stack_decorators(
    option(
        "--by",
        section=_COUNTING,
        type=click.Choice(_NAMES),
        default="pool",
        show_default=True,
        help="What a row stands for: a worker pool, a worker, a kind of task, a scheduler, a "
        "task group, or why a run was resolved.",
    ),
    option(
        "--sort",
        section=_COUNTING,
        type=click.Choice(_SORTS),
        default="pending",
        show_default=True,
        help="What comes first: the largest number, the highest rate, the longest half of waiting "
        "or running times, or the name.",
    ),
    option("--reverse", section=_COUNTING, is_flag=True, help="Sort the other way round."),
    option(
        "--every",
        section=_COUNTING,
        type=Duration(),
        default="10s",
        show_default=True,
        metavar="DURATION",
        help="How often there is a JSON line; in a recording, of the time that is recorded.",
    ),
    option(
        "-o",
        "--output",
        section=OUTPUT,
        rivals=("as_json",),
        type=click.Choice(["table", "json"]),
        help="table: live, or in a pipe once at the end; json: one object a line. "
        "Default: table on a terminal, else json.",
    ),
    option(
        "--json",
        "as_json",
        section=OUTPUT,
        is_flag=True,
        rivals=("output",),
        help="Short for -o json.",
    ),
    option(
        "--record",
        section=OUTPUT,
        metavar="FILE",
        help="Write events to this file as JSON lines besides; .gz is compressed.",
    ),
    option(
        "--save-svg",
        section=OUTPUT,
        metavar="FILE",
        help="Write the last picture of the table to this file besides, as SVG.",
    ),
    option(
        "--color",
        "colour",
        section=OUTPUT,
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colours; auto follows the terminal, NO_COLOR and FORCE_COLOR.",
    ),
)


def top_options(command: Command) -> Command:
    """Give a command the flags for what is counted; it gets them as `counts`."""

    @functools.wraps(command)
    def with_counts(**given: Any) -> Any:
        return command(
            counts=TopArgs(**{name: given.pop(name) for name in TopArgs._fields}), **given
        )

    return _OPTIONS(with_counts)


def check_top(counts: TopArgs) -> None:
    """Refuse flags that contradict each other.

    Raises:
        UsageError: If they do.
    """
    if counts.as_json and counts.output == "table":
        raise UsageError("--json and -o table contradict each other")
