"""The flags of `graph`."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import click

from tcsniff.commands.options.option import OUTPUT, STOPPING, Command, option
from tcsniff.commands.options.output_options import (
    ViewChoice,
    color_options,
    make_json_option,
    pop_color,
    record_option,
    save_svg_option,
    utc_option,
)
from tcsniff.commands.options.values import Duration, stack_decorators
from tcsniff.errors import UsageError

DEPENDENCIES = "Dependencies"
FORMATS = ("json", "dot", "mermaid", "profile")


class GraphInputArgs(NamedTuple):
    """The values of the flags of dependencies.

    Attributes:
        files: ``--graph``.
        root_url: ``--root-url``.
        no_api: ``--no-api``.
    """

    files: tuple[str, ...]
    root_url: str | None
    no_api: bool


class GraphOutputArgs(NamedTuple):
    """The values of the output flags of `graph`.

    Attributes:
        output: ``-o``: table, lines or json; None for a table on a terminal,
            else JSON lines.
        document: What to print at exit instead: one of `FORMATS`,
            ``critical-path`` or ``blocked``; None for none.
        color: ``always``, ``never`` or ``auto``.
        utc: ``--utc``.
        record: ``--record``.
        save_svg: ``--save-svg``.
        notify: ``--notify``.
        verbose: ``--verbose``.
    """

    output: str | None
    document: str | None
    color: str
    utc: bool
    record: str | None
    save_svg: str | None
    notify: bool
    verbose: bool


@dataclass(frozen=True)
class GraphStopArgs:
    """The values of the flags that stop `graph`.

    Attributes:
        wait: Whether to wait for the group's end.
        settle: Seconds without a new run after which an ended group is final.
        timeout: Seconds after which to stop; None for never.
        count: Number of events after which to stop; None for never.
    """

    wait: bool
    settle: float
    timeout: float | None
    count: int | None = None


_OPTIONS = stack_decorators(
    option(
        "--graph",
        "files",
        is_common=True,
        section=DEPENDENCIES,
        multiple=True,
        metavar="FILE",
        help="Read dependencies from task-graph.json, from full-task-graph.json and "
        "label-to-taskid.json, or from saved answers of listTaskGroup.",
    ),
    option(
        "--root-url",
        is_common=True,
        section=DEPENDENCIES,
        rivals=("no_api",),
        metavar="URL",
        help="Ask the queue of this deployment; default: TASKCLUSTER_ROOT_URL, or the profile's.",
    ),
    option(
        "--no-api",
        is_common=True,
        section=DEPENDENCIES,
        is_flag=True,
        rivals=("root_url",),
        help="Do not ask the queue.",
    ),
    option(
        "--no-wait",
        is_common=True,
        section=STOPPING,
        is_flag=True,
        help="Show the present state and exit; needs no broker if the queue can be asked.",
    ),
    option(
        "--settle",
        section=STOPPING,
        type=Duration(may_be_nothing=True),
        default="10s",
        show_default=True,
        metavar="DURATION",
        help="Wait this long for new runs after all tasks have ended.",
    ),
    option(
        "-n",
        "--count",
        section=STOPPING,
        type=click.IntRange(1),
        metavar="N",
        help="Stop after N events.",
    ),
    option(
        "--timeout",
        is_common=True,
        section=STOPPING,
        type=Duration(),
        metavar="DURATION",
        help="Stop after this long, such as 30s, 10m or 1h30m, with exit status 124.",
    ),
    option(
        "-o",
        "--output",
        is_common=True,
        section=OUTPUT,
        rivals=("as_json", "form"),
        type=ViewChoice(["table", "lines", "json"]),
        help="Print a live picture, a line per change, or a JSON object per change and a summary. "
        "Default: table on a terminal, else json.",
    ),
    make_json_option("output", "form"),
    option(
        "--format",
        "form",
        is_common=True,
        section=OUTPUT,
        rivals=("output", "as_json", "critical_path", "blocked"),
        type=click.Choice(FORMATS),
        help="Print the whole graph at exit: as JSON, for Graphviz, for Mermaid, or for "
        "profiler.firefox.com.",
    ),
    option(
        "--critical-path",
        is_common=True,
        section=OUTPUT,
        rivals=("form", "blocked"),
        is_flag=True,
        help="Print the chain of tasks that took the time, at exit.",
    ),
    option(
        "--blocked",
        is_common=True,
        section=OUTPUT,
        rivals=("form", "critical_path"),
        is_flag=True,
        help="Print the tasks that wait and what they wait for, at exit.",
    ),
    utc_option,
    record_option,
    save_svg_option,
    option(
        "--notify",
        is_common=True,
        section=OUTPUT,
        is_flag=True,
        help="Notify at exit: the terminal's bell, and a notification if it can.",
    ),
    *color_options,
)


def graph_options(command: Command) -> Command:
    """Add the flags to a command, which receives `asking`, `showing` and `waiting`."""

    @functools.wraps(command)
    def with_group(**given: Any) -> Any:
        asking = GraphInputArgs(**{name: given.pop(name) for name in GraphInputArgs._fields})
        waiting = GraphStopArgs(
            not given.pop("no_wait"),
            given.pop("settle"),
            given.pop("timeout"),
            given.pop("count"),
        )
        return command(asking=asking, showing=_showing(given), waiting=waiting, **given)

    return _OPTIONS(with_group)


def _showing(given: dict[str, Any]) -> GraphOutputArgs:
    output, as_json, form = given.pop("output"), given.pop("as_json"), given.pop("form")
    chosen = {"critical-path": given.pop("critical_path"), "blocked": given.pop("blocked")}
    documents = [*filter(None, [form]), *(name for name, is_on in chosen.items() if is_on)]
    if len(documents) > 1:
        raise UsageError("--format, --critical-path and --blocked exclude each other")
    if as_json and output not in (None, "json"):
        raise UsageError(f"--json and -o {output} contradict each other")
    if form is not None and (output is not None or as_json):
        raise UsageError(f"--format {form} excludes -o and --json")
    given["color"] = pop_color(given)
    return GraphOutputArgs(
        "json" if as_json else output,
        documents[0] if documents else None,
        *(given.pop(name) for name in GraphOutputArgs._fields[2:]),
    )
