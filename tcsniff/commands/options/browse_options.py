"""The flags of `browse`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tcsniff.commands.options.option import output_flag
from tcsniff.commands.options.output_options import color_options, record_option, utc_option
from tcsniff.commands.options.values import add_options, split_callback


class BrowseArgs(NamedTuple):
    """The values of the output flags of `browse`."""

    columns: Sequence[str]
    utc: bool
    record: str | None
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
    utc_option,
    record_option,
    color_options,
)
