"""The flags of `top`."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import click

from tcsniff.commands.options.option import OUTPUT, Command, option
from tcsniff.commands.options.output_options import (
    ViewChoice,
    color_options,
    make_json_option,
    pop_color,
    record_option,
    save_svg_option,
)
from tcsniff.commands.options.values import Duration, stack_decorators
from tcsniff.errors import UsageError

_COUNTING = "Rows"
_NAMES = ("pool", "worker", "kind", "scheduler", "group", "reason")
_SORTS = ("pending", "running", "finished", "failed", "rate", "wait", "run", "name")


class TopArgs(NamedTuple):
    """The values of the flags of `top`.

    Attributes:
        by: ``--by``.
        sort: ``--sort``.
        reverse: ``--reverse``.
        every: ``--every``, in seconds.
        output: ``--output``; None for a table on a terminal, else JSON lines.
        as_json: ``--json``.
        record: ``--record``.
        save_svg: ``--save-svg``.
        color: ``--color``.
        verbose: ``--verbose``.
    """

    by: str
    sort: str
    reverse: bool
    every: float
    output: str | None
    as_json: bool
    record: str | None
    save_svg: str | None
    color: str
    verbose: bool


_OPTIONS = stack_decorators(
    option(
        "--by",
        is_common=True,
        section=_COUNTING,
        type=click.Choice(_NAMES),
        default="pool",
        show_default=True,
        help="Count by worker pool, worker, kind of task, scheduler, task group, or "
        "reason resolved.",
    ),
    option(
        "--sort",
        is_common=True,
        section=_COUNTING,
        type=click.Choice(_SORTS),
        default="pending",
        show_default=True,
        help="Sort by a number, by rate, by median waiting or running time, or by name.",
    ),
    option("--reverse", section=_COUNTING, is_flag=True, help="Reverse the order."),
    option(
        "--every",
        is_common=True,
        section=_COUNTING,
        type=Duration(),
        default="10s",
        show_default=True,
        metavar="DURATION",
        help="Print a JSON line this often; in a recording, by recorded time.",
    ),
    option(
        "-o",
        "--output",
        is_common=True,
        section=OUTPUT,
        rivals=("as_json",),
        type=ViewChoice(["table", "json"]),
        help="Print a live table (in a pipe once, at the end), or a JSON object per line. "
        "Default: table on a terminal, else json.",
    ),
    make_json_option("output"),
    record_option,
    save_svg_option,
    *color_options,
)


def top_options(command: Command) -> Command:
    """Add the flags to a command, which receives them as `counts`."""

    @functools.wraps(command)
    def with_counts(**given: Any) -> Any:
        given["color"] = pop_color(given)
        return command(
            counts=TopArgs(**{name: given.pop(name) for name in TopArgs._fields}), **given
        )

    return _OPTIONS(with_counts)


def check_top(counts: TopArgs) -> None:
    """Check that the flags do not contradict each other.

    Raises:
        UsageError: If they do.
    """
    if counts.as_json and counts.output == "table":
        raise UsageError("--json and -o table contradict each other")
