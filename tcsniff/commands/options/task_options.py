"""The flags of `task`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from tcsniff.commands.options.group_options import (
    graph_files_option,
    no_api_option,
    no_wait_option,
    notify_option,
    timeout_option,
)
from tcsniff.commands.options.option import Command, output_flag
from tcsniff.commands.options.output_options import (
    ViewChoice,
    color_options,
    make_json_option,
    record_option,
    save_svg_option,
    utc_option,
)
from tcsniff.commands.options.values import add_options, stack_decorators
from tcsniff.errors import UsageError

_LOG_LINES, _MAX_LOG_LINES = 10, 200


class TaskInputArgs(NamedTuple):
    """The values of the flags of dependencies."""

    files: Sequence[str]
    no_api: bool


class TaskOutputArgs(NamedTuple):
    """The values of the output flags of `task`.

    Attributes:
        output: ``-o``: table, lines or json; None for a table on a terminal,
            else JSON lines.
        logs: How many lines of the log of a task that failed to show; 0 for none.
    """

    output: str | None
    color: str
    utc: bool
    record: str | None
    save_svg: str | None
    logs: int
    notify: bool
    verbose: bool


class TaskStopArgs(NamedTuple):
    """The values of the flags that stop `task`; times are in seconds.

    Attributes:
        wait: Whether to wait for the tasks' ends.
    """

    wait: bool
    timeout: float | None


_OPTIONS = stack_decorators(
    graph_files_option,
    no_api_option,
    no_wait_option,
    timeout_option,
    output_flag(
        "-o",
        "--output",
        is_common=True,
        rivals=("as_json",),
        type=ViewChoice(["table", "lines", "json"]),
        help="Print a live picture, a line per change, or a JSON object per change and a summary "
        "per task. Default: table on a terminal, else json.",
    ),
    make_json_option("output"),
    output_flag(
        "--logs",
        is_common=True,
        is_flag=False,
        flag_value=str(_LOG_LINES),
        default=_LOG_LINES,
        show_default=True,
        type=click.IntRange(0, _MAX_LOG_LINES),
        metavar="[=N]",
        help="Show the last N lines of the log of a task that failed; 0 for none.",
    ),
    utc_option,
    record_option,
    save_svg_option,
    notify_option,
    color_options,
)


def task_options(command: Command) -> Command:
    """Add the flags to a command, which receives `asking`, `showing` and `waiting`."""
    call_command = command
    for name, kind in (
        ("asking", TaskInputArgs),
        ("showing", TaskOutputArgs),
        ("waiting", TaskStopArgs),
    ):
        call_command = add_options(name, kind)(call_command)

    @functools.wraps(call_command)
    def choose_view(**values: Any) -> Any:
        values["wait"] = not values.pop("no_wait")
        if values.pop("as_json"):
            if values["output"] not in (None, "json"):
                raise UsageError(f"--json and -o {values['output']} contradict each other")
            values["output"] = "json"
        return call_command(**values)

    return _OPTIONS(choose_view)
