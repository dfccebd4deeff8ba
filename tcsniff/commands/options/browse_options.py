"""The flags of `browse`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import click

from tcsniff.commands.options.group_options import graph_files_option
from tcsniff.commands.options.option import connection_flag, output_flag, stop_flag
from tcsniff.commands.options.output_options import (
    color_options,
    record_option,
    save_svg_option,
    utc_option,
)
from tcsniff.commands.options.values import add_options, split_callback


class BrowseArgs(NamedTuple):
    """The values of the output flags of `browse`."""

    columns: Sequence[str]
    files: Sequence[str]
    no_api: bool
    utc: bool
    record: str | None
    save_svg: str | None
    max_count: int | None
    color: str
    verbose: bool


browse_options = add_options(
    "look",
    BrowseArgs,
    output_flag(
        "--columns",
        is_common=True,
        multiple=True,
        callback=split_callback,
        metavar="A,B,C",
        help="Show these columns of events; `tcsniff --columns help` lists them.",
    ),
    graph_files_option,
    connection_flag(
        "--no-api", is_common=True, is_flag=True, help="Do not ask the queue about groups."
    ),
    utc_option,
    record_option,
    save_svg_option,
    stop_flag(
        "-n",
        "--count",
        "max_count",
        type=click.IntRange(1),
        metavar="N",
        help="Stop after N events.",
    ),
    color_options,
)
