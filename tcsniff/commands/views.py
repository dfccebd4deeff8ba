"""What becomes of events: the flags for it."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import click

from tcsniff.commands.options import OUTPUT, Command, option, stacked
from tcsniff.errors import UsageError

VIEWS = ("table", "lines", "json", "raw")


class View(NamedTuple):
    """What becomes of events, as the flags say.

    Attributes:
        output: One of `VIEWS`; None for a table on a terminal, else JSON lines.
        as_json: ``--json``.
        colour: ``always``, ``never`` or ``auto``.
    """

    output: str | None
    as_json: bool
    colour: str


_OPTIONS = stacked(
    option(
        "-o",
        "--output",
        section=OUTPUT,
        type=click.Choice(VIEWS),
        help="table: live; lines: one an event; json: one object a line; raw: bodies as "
        "they came. Default: table on a terminal, else json.",
    ),
    option("--json", "as_json", section=OUTPUT, is_flag=True, help="Short for -o json."),
    option(
        "--color",
        "colour",
        section=OUTPUT,
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colours; auto follows the terminal, NO_COLOR and FORCE_COLOR.",
    ),
)


def view_options(command: Command) -> Command:
    """Give a command the flags for a view; it gets them as `view`."""

    @functools.wraps(command)
    def with_view(**given: Any) -> Any:
        return command(view=View(**{name: given.pop(name) for name in View._fields}), **given)

    return _OPTIONS(with_view)


def check_view(view: View) -> None:
    """Refuse flags that contradict each other.

    Raises:
        UsageError: If they do.
    """
    if view.as_json and view.output not in (None, "json"):
        raise UsageError(f"--json and -o {view.output} contradict each other")
