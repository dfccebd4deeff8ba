"""The rows of a picture of one task, in the order in which they are read.

Pure. Rows are data; `renderers.task` draws them, and so does the interactive app.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tcsniff.pulse.styles import get_state_style
from tcsniff.pulse.times import format_day_minute, format_duration, format_minute
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.natural_order import get_node_key
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.outline import join_labels
from tcsniff.taskgraph.task_story import (
    Dependency,
    RunStory,
    TaskStory,
    describe_progress,
)

TITLE, FACTS, RUN, REASON, NEEDED_BY, ROUTES, LOG, LINE, UNKNOWN = (
    "title",
    "facts",
    "run",
    "reason",
    "neededBy",
    "routes",
    "log",
    "line",
    "unknown",
)
"""The kinds of rows."""
_MAX_NAMES = 30  # in a row; the others are counted
_MAX_LINE = 1_000  # characters of a line of a log


class Part(NamedTuple):
    """A part of a row.

    Attributes:
        text: Safe for a terminal.
        style: Words of `styles.SGR_CODES`; may be empty.
        task_id: The task that it names; empty for none.
        task_group_id: The task group that it names; empty for none.
        run_id: The run whose log it names; None for none.
        rank: Where there is no room, parts of the highest rank are left out first; those
            of rank 0 stay.
    """

    text: str
    style: str = ""
    task_id: str = ""
    task_group_id: str = ""
    run_id: int | None = None
    rank: int = 0


class StoryRow(NamedTuple):
    """A row.

    Attributes:
        kind: One of the kinds above.
        parts: What it says. Those of runs are cells: each in a column of its own.
    """

    kind: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The row without styles."""
        gap = "   " if self.kind in _APART else ""
        return gap.join(part.text for part in self.parts if part.text)


_APART = frozenset({TITLE, FACTS, RUN, LOG})
"""The kinds whose parts stand apart from each other."""


def list_rows(story: TaskStory, *, utc: bool = False) -> list[StoryRow]:
    """Return the rows of a task, without its log.

    Args:
        story: The task.
        utc: Whether times of day are in UTC instead of the local time zone.
    """
    rows = [
        StoryRow(TITLE, tuple(_list_title(story))),
        StoryRow(FACTS, tuple(_list_facts(story, utc=utc))),
        *(StoryRow(RUN, tuple(_list_run(run, utc=utc))) for run in story.runs),
        StoryRow(REASON, tuple(_list_reason(story))),
        StoryRow(NEEDED_BY, tuple(_list_needed_by(story))),
        StoryRow(ROUTES, tuple(_list_routes(story))),
        *(
            StoryRow(UNKNOWN, (Part(f"not known: {sanitize(doubt)}", "yellow"),))
            for doubt in story.facts.doubts
        ),
    ]
    return [row for row in rows if row.parts]


def list_log_rows(story: TaskStory, url: str | None, lines: Sequence[str]) -> list[StoryRow]:
    """Return the rows about the log of the run that made the task go wrong.

    Args:
        story: The task; no rows if it has no such run.
        url: Address of the log; None if unknown, then there are no rows.
        lines: Its last lines, not safe for a terminal; empty if they are unknown.
    """
    run = story.lost_run
    if run is None or url is None:
        return []
    title = f"log of run {run.run_id}" + (", last lines" if lines else "")
    address = Part(url, "dim", task_id=story.node.task_id, run_id=run.run_id)
    rows = [StoryRow(LOG, (Part(title, "bold"), address))]
    return rows + [StoryRow(LINE, (Part(sanitize(line[:_MAX_LINE])),)) for line in lines]


def _list_title(story: TaskStory) -> Iterator[Part]:
    node = story.node
    yield Part(f"task {sanitize(node.task_id)}", task_id=node.task_id)
    if node.label != node.task_id:
        yield Part(sanitize(node.label), "bold", task_id=node.task_id)
    style = get_state_style(node.state)
    yield Part(f"{style.symbol} {style.word}", style.style)


def _list_facts(story: TaskStory, *, utc: bool) -> Iterator[Part]:
    facts, node = story.facts, story.node
    if facts.task_group_id:
        group = sanitize(facts.task_group_id)
        yield Part(f"group {group}", task_group_id=facts.task_group_id)
    if node.pool:
        yield Part(f"pool {sanitize(node.pool)}")
    if facts.priority:
        yield Part(f"priority {sanitize(facts.priority)}", rank=2)
    deadline = story.deadline
    if deadline is None:
        return
    text = f"deadline {format_day_minute(deadline, story.now, utc=utc)}"
    if not story.has_ended and deadline < story.now:
        yield Part(f"{text}, {format_duration(story.now - deadline)} ago", "bold red")
    else:
        yield Part(text, rank=3 if story.has_ended else 1)


def _list_run(run: RunStory, *, utc: bool) -> Iterator[Part]:
    # Always the same number of parts, so that they are columns.
    style = get_state_style(run.state).style
    yield Part(f"run {run.run_id}")
    yield Part(sanitize(run.reason or run.state or "unknown"), style)
    yield Part(_join(sanitize(run.created), _format_time(run.scheduled, utc=utc)), rank=2)
    yield Part("" if run.waited is None else f"waited {format_duration(run.waited)}")
    yield Part(_join("claimed", _format_time(run.started, utc=utc)), rank=4)
    yield Part("" if run.ran is None else f"ran {format_duration(run.ran)}")
    yield Part(_join("ended", _format_time(run.resolved, utc=utc)), rank=3)
    yield Part(sanitize(run.worker), "dim", rank=1)
    yield Part(run.sequel, "yellow")


def _format_time(seconds: float | None, *, utc: bool) -> str:
    return "" if seconds is None else format_minute(seconds, utc=utc)


def _join(word: str, time: str) -> str:
    return f"{word} {time}" if word and time else ""


def _list_reason(story: TaskStory) -> Iterator[Part]:
    word, text = story.verdict
    if word == "blocked" and all(one.task_id != story.node.task_id for one in story.waits_for):
        yield from _list_dependencies(story)
    elif word == "stuck":
        yield Part(text, "bold red")
        yield from _list_others(story)
    elif not story.has_ended and word != "running":
        yield Part(text, "yellow" if word in ("unknown", "pending") else "")


def _list_dependencies(story: TaskStory) -> Iterator[Part]:
    left = [one for one in story.waits_for if not one.is_met]
    met = [one for one in story.waits_for if one.is_met]
    total = len(story.waits_for)
    of = f"{len(left):,} of {total:,}" if met else f"{total:,}"
    yield Part(f"waits for {of} task{'s' * (total != 1)}: ")
    yield from _separate([_name_dependency(one, story.now) for one in left])
    if met:
        yield Part("; ended: ")
        yield from _separate([_name_dependency(one, story.now) for one in met])


def _list_others(story: TaskStory) -> Iterator[Part]:
    # What a task that can never run also waits for.
    others = [one for one in story.waits_for if not one.is_met and one.can_complete is not False]
    if others:
        yield Part("; waits also for ")
        yield from _separate([_name_dependency(one, story.now) for one in others])


def _name_dependency(dependency: Dependency, now: float) -> tuple[Part, Part]:
    node = dependency.node
    style = get_state_style(node.state) if node else get_state_style("unheard")
    progress = "" if dependency.is_met else f" {describe_progress(dependency, now)}"
    return (
        Part(f"{sanitize(dependency.label)} ", task_id=dependency.task_id),
        Part(f"{style.symbol}{progress}", style.style),
    )


def _separate(pairs: Sequence[tuple[Part, Part]]) -> Iterator[Part]:
    for number, pair in enumerate(pairs[:_MAX_NAMES]):
        separator = ", " if number + 1 < min(len(pairs), _MAX_NAMES) else ""
        name, state = pair
        yield name
        yield state._replace(text=state.text + separator)
    if len(pairs) > _MAX_NAMES:
        yield Part(f" and {len(pairs) - _MAX_NAMES:,} more")


def _list_needed_by(story: TaskStory) -> Iterator[Part]:
    if not story.needed_by or story.node.state == "completed":
        return
    lost = [node for node in story.needed_by if node.task_id in story.hopeless]
    others = [node for node in story.needed_by if node.task_id not in story.hopeless]
    if lost:
        yield Part(f"needed by {_count_tasks(lost)} that can no longer run: ", "red")
        yield from _list_names(lost)
    if others:
        yield Part(f"{'; also by' if lost else 'needed by'} {_count_tasks(others)}: ")
        yield from _list_names(others)


def _count_tasks(nodes: Sequence[Node]) -> str:
    return f"{len(nodes):,} task{'s' * (len(nodes) != 1)}"


def _list_names(nodes: Iterable[Node]) -> Iterator[Part]:
    ordered = sorted(nodes, key=get_node_key)
    labels = join_labels([sanitize(node.label) for node in ordered[:_MAX_NAMES]])
    for number, (node, label) in enumerate(zip(ordered, labels, strict=False)):
        separator = ", " if number + 1 < len(labels) else ""
        yield Part(f"{label}{separator}", task_id=node.task_id)
    if len(ordered) > _MAX_NAMES:
        yield Part(f" and {len(ordered) - _MAX_NAMES:,} more")


def _list_routes(story: TaskStory) -> Iterator[Part]:
    routes = story.facts.routes or ()
    for number, route in enumerate(routes):
        start, end = ("" if number else "routes "), (", " if number + 1 < len(routes) else "")
        yield Part(f"{start}{sanitize(route)}{end}", "dim")
