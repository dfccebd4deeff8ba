"""The flags of `graph`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import click

from tcsniff.commands.options.file_checks import FileUse
from tcsniff.commands.options.option import (
    Command,
    SectionedCommand,
    option,
    output_flag,
    stop_flag,
)
from tcsniff.commands.options.output_options import (
    ViewChoice,
    color_options,
    make_json_option,
    record_option,
    save_svg_option,
    utc_option,
)
from tcsniff.commands.options.values import Duration, add_options, stack_decorators
from tcsniff.errors import UsageError

dependency_flag = partial(option, section="Dependencies")
MISSING_ID = (
    "missing task group ID; run `tcsniff graph TASK_GROUP_ID`; the ID is in the address "
    "of the group's page (/tasks/groups/...), and `tcsniff --all --columns group,task` "
    "shows the IDs of active groups; or try `tcsniff graph --demo`"
)
"""The message for a group without an ID."""
_LOG_LINES, _MAX_LOG_LINES = 10, 200
FORMATS = ("json", "dot", "mermaid", "profile")


class GraphInputArgs(NamedTuple):
    """The values of the flags of dependencies."""

    files: Sequence[str]
    no_api: bool


class GraphOutputArgs(NamedTuple):
    """The values of the output flags of `graph`.

    Attributes:
        output: ``-o``: table, lines or json; None for a table on a terminal,
            else JSON lines.
        document: What to print at exit instead: one of `FORMATS`,
            ``critical-path`` or ``blocked``; None for none.
        logs: How many lines of the logs of failures to show; None for none.
    """

    output: str | None
    document: str | None
    color: str
    utc: bool
    record: str | None
    save_svg: str | None
    logs: int | None
    notify: bool
    verbose: bool


class GraphStopArgs(NamedTuple):
    """The values of the flags that stop `graph`; times are in seconds.

    Attributes:
        wait: Whether to wait for the group's end.
        settle: The time without a new run after which an ended group is final.
    """

    wait: bool
    settle: float
    timeout: float | None
    max_count: int | None


graph_files_option = dependency_flag(
    "--graph",
    "files",
    is_common=True,
    multiple=True,
    metavar="FILE",
    file_use=FileUse.READ,
    help="Read dependencies from task-graph.json, from full-task-graph.json and "
    "label-to-taskid.json, or from saved answers of listTaskGroup.",
)
no_api_option = dependency_flag(
    "--no-api",
    is_common=True,
    is_flag=True,
    help="Do not ask the queue.",
)
no_wait_option = stop_flag(
    "--no-wait",
    is_common=True,
    is_flag=True,
    help="Show the present state and exit; needs no broker.",
)
timeout_option = stop_flag(
    "--timeout",
    is_common=True,
    type=Duration(),
    help="Stop after this long, such as 30s, 10m or 1h30m, with exit status 124.",
)
notify_option = output_flag(
    "--notify",
    is_common=True,
    is_flag=True,
    help="Notify at exit: the terminal's bell, and a notification if it can.",
)

_OPTIONS = stack_decorators(
    graph_files_option,
    no_api_option,
    no_wait_option,
    stop_flag(
        "--settle",
        type=Duration(may_be_nothing=True),
        default="10s",
        show_default=True,
        help="Wait this long for new runs after all tasks have ended.",
    ),
    stop_flag(
        "-n",
        "--count",
        "max_count",
        type=click.IntRange(1),
        metavar="N",
        help="Stop after N events.",
    ),
    timeout_option,
    output_flag(
        "-o",
        "--output",
        is_common=True,
        rivals=("as_json", "form"),
        type=ViewChoice(["table", "lines", "json"]),
        help="Print a live picture, a line per change, or a JSON object per change and a summary. "
        "Default: table on a terminal, else json.",
    ),
    make_json_option("output", "form"),
    output_flag(
        "--format",
        "form",
        is_common=True,
        rivals=("output", "as_json", "critical_path", "blocked"),
        type=click.Choice(FORMATS),
        help="Print the whole graph at exit: as JSON, for Graphviz, for Mermaid, or for "
        "profiler.firefox.com.",
    ),
    output_flag(
        "--critical-path",
        is_common=True,
        rivals=("form", "blocked"),
        is_flag=True,
        help="Print the chain of tasks that took the time, at exit.",
    ),
    output_flag(
        "--blocked",
        is_common=True,
        rivals=("form", "critical_path"),
        is_flag=True,
        help="Print the tasks that wait and what they wait for, at exit.",
    ),
    output_flag(
        "--logs",
        is_common=True,
        is_flag=False,
        flag_value=str(_LOG_LINES),
        type=click.IntRange(0, _MAX_LOG_LINES),
        metavar="[=N]",
        help="Show the last lines of failures' logs; 10 without N.",
    ),
    utc_option,
    record_option,
    save_svg_option,
    notify_option,
    color_options,
)


class GraphCommand(SectionedCommand):
    """A command with the flag ``--logs``, whose number is optional."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what follows ``--logs``, such as an ID, from being its number."""
        return super().parse_args(
            ctx, [f"--logs={_LOG_LINES}" if word == "--logs" else word for word in args]
        )


def graph_options(command: Command) -> Command:
    """Add the flags to a command, which receives `asking`, `showing` and `waiting`."""
    call_command = command
    for name, kind in (
        ("asking", GraphInputArgs),
        ("showing", GraphOutputArgs),
        ("waiting", GraphStopArgs),
    ):
        call_command = add_options(name, kind)(call_command)

    @functools.wraps(call_command)
    def choose_view(**values: Any) -> Any:
        values["wait"] = not values.pop("no_wait")
        values["document"] = _choose_document(values)
        if values.pop("as_json"):
            values["output"] = "json"
        return call_command(**values)

    return _OPTIONS(choose_view)


def _choose_document(values: dict[str, Any]) -> str | None:
    output, as_json, form = values["output"], values["as_json"], values.pop("form")
    flags = {"critical-path": values.pop("critical_path"), "blocked": values.pop("blocked")}
    documents = [*filter(None, [form]), *(name for name, is_set in flags.items() if is_set)]
    if len(documents) > 1:
        raise UsageError("--format, --critical-path and --blocked exclude each other")
    if as_json and output not in (None, "json"):
        raise UsageError(f"--json and -o {output} contradict each other")
    if form is not None and (output is not None or as_json):
        raise UsageError(f"--format {form} excludes -o and --json")
    return documents[0] if documents else None
