"""The flags of `top`."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import click

from tcsniff.commands.options.option import connection_flag, option, output_flag
from tcsniff.commands.options.output_options import (
    ViewChoice,
    color_options,
    make_json_option,
    record_option,
    save_svg_option,
)
from tcsniff.commands.options.values import Duration, add_options
from tcsniff.errors import UsageError

row_flag = partial(option, section="Rows")
_NAMES = ("pool", "worker", "label", "kind", "project", "scheduler", "group", "reason")
_SORTS = (
    *("pending", "running", "finished", "failed", "lost", "rate"),
    *("wait", "oldest", "run", "streak", "name"),
)


class TopArgs(NamedTuple):
    """The values of the flags of `top`; `every` is in seconds."""

    by: str
    sort: str
    reverse: bool
    every: float
    slo: float | None
    no_api: bool
    output: str | None
    as_json: bool
    record: str | None
    save_svg: str | None
    color: str
    verbose: bool


top_options = add_options(
    "counts",
    TopArgs,
    row_flag(
        "--by",
        is_common=True,
        type=click.Choice(_NAMES),
        default="pool",
        show_default=True,
        help="Count by worker pool, worker, a tag of the task, scheduler, task group, or "
        "reason resolved.",
    ),
    row_flag(
        "--sort",
        is_common=True,
        type=click.Choice(_SORTS),
        default="pending",
        show_default=True,
        help="Sort by a number, a rate, a time or by name. wait: by the median waiting time or "
        "that of the oldest pending run, whichever is longer.",
    ),
    row_flag("--reverse", is_flag=True, help="Reverse the order."),
    row_flag(
        "--every",
        is_common=True,
        type=Duration(),
        default="10s",
        show_default=True,
        help="Print a JSON line this often, and test --until and --fail-on; in a recording, by "
        "recorded time.",
    ),
    row_flag(
        "--slo",
        is_common=True,
        type=Duration(),
        help="Show the share of runs that started within this time, such as 30m.",
    ),
    connection_flag(
        "--no-api",
        is_flag=True,
        help="Do not ask the queue what waited and ran in the pools of --pool before.",
    ),
    output_flag(
        "-o",
        "--output",
        is_common=True,
        rivals=("as_json",),
        type=ViewChoice(["table", "json"]),
        help="Print a live table (in a pipe once, at the end), or a JSON object per line. "
        "Default: table on a terminal, else json.",
    ),
    make_json_option("output"),
    record_option,
    save_svg_option,
    color_options,
)


def check_top(counts: TopArgs) -> None:
    """Check that the flags do not contradict each other.

    Raises:
        UsageError: If they do.
    """
    if counts.as_json and counts.output == "table":
        raise UsageError("--json and -o table contradict each other")
