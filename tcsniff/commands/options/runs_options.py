"""The flags of `runs`."""

from __future__ import annotations

from typing import NamedTuple

import click

from tcsniff.commands.options.option import option, output_flag
from tcsniff.commands.options.output_options import (
    color_options,
    make_json_option,
    record_option,
    utc_option,
)
from tcsniff.commands.options.values import add_options

RUN_FORMATS = ("table", "json", "csv", "tsv")


class RunsArgs(NamedTuple):
    """The values of the flags of `runs`."""

    group: str | None
    row_form: str | None
    as_json: bool
    utc: bool
    record: str | None
    color: str
    verbose: bool


runs_options = add_options(
    "asked",
    RunsArgs,
    option(
        "--group",
        section="Rows",
        is_common=True,
        metavar="ID|URL",
        help="Ask the queue's API for the runs of this task group, print them and exit.",
    ),
    output_flag(
        "--format",
        "row_form",
        is_common=True,
        rivals=("as_json",),
        type=click.Choice(RUN_FORMATS),
        help="Print a table, JSON lines, CSV or TSV. Default: table on a terminal, else json.",
    ),
    make_json_option("row_form"),
    utc_option,
    record_option,
    color_options,
)
