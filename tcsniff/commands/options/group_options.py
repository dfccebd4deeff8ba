"""What a task group is made from, and what becomes of it: the flags for it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import click

from tcsniff.commands.options.selection_options import (
    OUTPUT,
    STOPPING,
    Command,
    Duration,
    option,
    stack_decorators,
)
from tcsniff.errors import UsageError

DEPENDENCIES = "Dependencies, which no event tells"
FORMATS = ("json", "dot", "mermaid", "profile")


class GraphInputArgs(NamedTuple):
    """Where dependencies come from, as the flags say.

    Attributes:
        files: ``--graph``.
        root_url: ``--root-url``.
        no_api: ``--no-api``.
    """

    files: tuple[str, ...]
    root_url: str | None
    no_api: bool


class GraphOutputArgs(NamedTuple):
    """What becomes of the group, as the flags say.

    Attributes:
        output: ``-o``: table, lines or json; None for a table on a terminal,
            else JSON lines.
        document: What to write in the end instead: one of `FORMATS`,
            ``critical-path`` or ``blocked``; None for none.
        colour: ``always``, ``never`` or ``auto``.
        utc: ``--utc``.
        record: ``--record``.
        save_svg: ``--save-svg``.
        notify: ``--notify``.
    """

    output: str | None
    document: str | None
    colour: str
    utc: bool
    record: str | None
    save_svg: str | None
    notify: bool


@dataclass(frozen=True)
class GraphStopArgs:
    """When to end, as the flags say.

    Attributes:
        wait: Whether to wait for the group's end.
        settle: For how long nothing may begin anew, in seconds.
        timeout: After how many seconds to give up; None for never.
        count: After how many events to end; None for never.
    """

    wait: bool
    settle: float
    timeout: float | None
    count: int | None = None


_OPTIONS = stack_decorators(
    option(
        "--graph",
        "files",
        section=DEPENDENCIES,
        multiple=True,
        metavar="FILE",
        help="Read them from task-graph.json of the decision task, from full-task-graph.json and "
        "label-to-taskid.json, or from a saved answer of listTaskGroup.",
    ),
    option(
        "--root-url",
        section=DEPENDENCIES,
        rivals=("no_api",),
        metavar="URL",
        help="Ask the queue of this deployment; else TASKCLUSTER_ROOT_URL, or the profile's.",
    ),
    option(
        "--no-api",
        section=DEPENDENCIES,
        is_flag=True,
        rivals=("root_url",),
        help="Do not ask the queue.",
    ),
    option(
        "--no-wait",
        section=STOPPING,
        is_flag=True,
        help="Show how it is now, and end; needs no broker if the queue can be asked.",
    ),
    option(
        "--settle",
        section=STOPPING,
        type=Duration(may_be_nothing=True),
        default="10s",
        show_default=True,
        metavar="DURATION",
        help="End when all has ended and nothing was run again for so long.",
    ),
    option(
        "-n",
        "--count",
        section=STOPPING,
        type=click.IntRange(1),
        metavar="N",
        help="End after N events, however the group is by then.",
    ),
    option(
        "--timeout",
        section=STOPPING,
        type=Duration(),
        metavar="DURATION",
        help="End after so long, such as 30s, 10m or 1h30m, with exit status 124.",
    ),
    option(
        "-o",
        "--output",
        section=OUTPUT,
        rivals=("as_json", "form"),
        type=click.Choice(["table", "lines", "json"]),
        help="table: one live picture; lines: one a change of state; json: one object a change, "
        "and a summary. Default: table on a terminal, else json.",
    ),
    option(
        "--json",
        "as_json",
        section=OUTPUT,
        is_flag=True,
        rivals=("output", "form"),
        help="Short for -o json.",
    ),
    option(
        "--format",
        "form",
        section=OUTPUT,
        rivals=("output", "as_json", "critical_path", "blocked"),
        type=click.Choice(FORMATS),
        help="In the end, write the graph: as JSON, for Graphviz, for Mermaid, or a profile for "
        "profiler.firefox.com.",
    ),
    option(
        "--critical-path",
        section=OUTPUT,
        rivals=("form", "blocked"),
        is_flag=True,
        help="In the end, write the chain of tasks that took the time.",
    ),
    option(
        "--blocked",
        section=OUTPUT,
        rivals=("form", "critical_path"),
        is_flag=True,
        help="In the end, write which tasks wait, and for what.",
    ),
    option("--utc", section=OUTPUT, is_flag=True, help="Show times in UTC."),
    option(
        "--record",
        section=OUTPUT,
        metavar="FILE",
        help="Write the events to this file besides, after what is there; .gz is compressed.",
    ),
    option(
        "--save-svg",
        section=OUTPUT,
        metavar="FILE",
        help="In the end, write the picture to this file besides, as SVG.",
    ),
    option(
        "--notify",
        section=OUTPUT,
        is_flag=True,
        help="Ring the terminal in the end: its bell, and a notification where it can.",
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


def graph_options(command: Command) -> Command:
    """Give a command the flags; it gets them as `asking`, `showing` and `waiting`."""

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
        raise UsageError(f"--format {form} is a view of its own; leave -o and --json out")
    return GraphOutputArgs(
        "json" if as_json else output,
        documents[0] if documents else None,
        *(given.pop(name) for name in GraphOutputArgs._fields[2:]),
    )
