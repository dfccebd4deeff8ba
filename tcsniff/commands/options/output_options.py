"""What becomes of events: the flags for it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import click

from tcsniff.commands.options.selection_options import (
    OUTPUT,
    Command,
    option,
    split_values,
    stack_decorators,
)
from tcsniff.errors import UsageError
from tcsniff.settings.config_file import check_colors
from tcsniff.settings.precedence import get_layers

VIEWS = ("table", "lines", "json", "raw")


class OutputArgs(NamedTuple):
    """What becomes of events, as the flags say.

    Attributes:
        output: One of `VIEWS`; None for a table on a terminal, else JSON lines.
        as_json: ``--json``.
        colour: ``always``, ``never`` or ``auto``.
        columns: ``--columns``, of the table and the lines.
        select: ``--select``.
        bare: ``--raw-output``, of what is selected.
        utc: ``--utc``.
        record: ``--record``.
        gaps: ``--gaps``.
        save_svg: ``--save-svg``.
        colors: Styles of events, by name, as the settings file has them.
    """

    output: str | None = None
    as_json: bool = False
    colour: str = "auto"
    columns: tuple[str, ...] = ()
    select: str | None = None
    bare: bool = False
    utc: bool = False
    record: str | None = None
    gaps: bool = False
    save_svg: str | None = None
    colors: Mapping[str, str] = MappingProxyType({})


def _shows_no_columns(given: Mapping[str, Any]) -> bool:
    # Typed ones make lines of what goes into a pipe; those of the settings do
    # not, or no program could read our output any more.
    if given["as_json"] or given["select"] or given["output"] in ("json", "raw"):
        return True
    return given["output"] is None and not sys.stdout.isatty()


_OPTIONS = stack_decorators(
    option(
        "-o",
        "--output",
        section=OUTPUT,
        type=click.Choice(VIEWS),
        rivals=("as_json", "select"),
        help="table: live; lines: one an event; json: one object a line; raw: bodies as "
        "they came. Default: table on a terminal, else json.",
    ),
    option(
        "--json",
        "as_json",
        section=OUTPUT,
        is_flag=True,
        rivals=("output", "columns"),
        help="Short for -o json.",
    ),
    option(
        "--columns",
        section=OUTPUT,
        multiple=True,
        metavar="A,B,C",
        idle=_shows_no_columns,
        help="What the table and the lines show; `--columns help` lists what there is.",
    ),
    option(
        "--select",
        section=OUTPUT,
        rivals=("output", "columns"),
        metavar="EXPR",
        help="What to show of each event, as JSON: a JMESPath expression over its record.",
    ),
    option(
        "-r",
        "--raw-output",
        "bare",
        section=OUTPUT,
        idle=lambda given: given["select"] is None,
        is_flag=True,
        help="Show strings that --select gives without quotes, as jq -r does.",
    ),
    option("--utc", section=OUTPUT, is_flag=True, help="Show times in UTC."),
    option(
        "--record",
        section=OUTPUT,
        metavar="FILE",
        help="Write JSON lines to this file besides, after what is there; .gz is compressed.",
    ),
    option(
        "--save-svg",
        section=OUTPUT,
        metavar="FILE",
        help="Write the last picture of the table to this file besides, as SVG.",
    ),
    option(
        "--gaps",
        section=OUTPUT,
        is_flag=True,
        help="Show a time in which nothing could be heard as a line of its own, also in JSON.",
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


def output_options(command: Command) -> Command:
    """Give a command the flags for a view; it gets them as `view`."""

    @functools.wraps(command)
    def with_view(**given: Any) -> Any:
        given["columns"] = tuple(split_values(given["columns"]))
        settings = get_layers(click.get_current_context()).settings
        if settings.colors:
            check_colors(settings)
        given["colors"] = settings.colors
        return command(
            view=OutputArgs(**{name: given.pop(name) for name in OutputArgs._fields}), **given
        )

    return _OPTIONS(with_view)


def check_output(view: OutputArgs) -> None:
    """Refuse flags that contradict each other.

    Raises:
        UsageError: If they do.
    """
    if view.as_json and view.output not in (None, "json"):
        raise UsageError(f"--json and -o {view.output} contradict each other")
    if view.select is not None and view.output not in (None, "json"):
        raise UsageError(f"--select gives JSON; it contradicts -o {view.output}")
    if view.bare and view.select is None:
        raise UsageError("--raw-output goes with --select; bodies as they came are -o raw")
    if view.columns and (view.as_json or view.select or view.output in ("json", "raw")):
        raise UsageError("--columns are of the table and the lines: -o table or -o lines")
