"""The page of a task: its story, the tasks before and after it, its log, and its last message."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NamedTuple

from rich.text import Text

from tcsniff.browse.event_rows import EventRow
from tcsniff.browse.event_store import EventStore
from tcsniff.browse.events_page import describe_event
from tcsniff.browse.group_watch import GroupLayout, GroupWatch
from tcsniff.browse.json_text import format_json_lines
from tcsniff.browse.keys import TASK
from tcsniff.browse.page import Page, Subject
from tcsniff.browse.task_lines import (
    draw_dependencies,
    draw_dependents,
    draw_log,
    draw_task_summary,
    tell_story,
)
from tcsniff.pulse.payloads import get_path
from tcsniff.pulse.styles import get_event_style
from tcsniff.pulse.urls import build_log_url
from tcsniff.renderers.columns import format_clock_time
from tcsniff.renderers.task.row_text import format_rows
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.graph import INCOMPLETE
from tcsniff.taskgraph.task_rows import NEEDED_BY, RUN, Part, list_rows
from tcsniff.taskgraph.task_story import TaskFacts, TaskStory

RunKey = tuple[str, int]
GetTails = Callable[[Sequence[RunKey]], Mapping[RunKey, Sequence[str]]]
"""Returns the last lines of the logs of runs, as far as they were fetched."""


class TaskLine(NamedTuple):
    """A row of the page.

    Attributes:
        key: What identifies it.
        text: The line.
        subject: What it is about.
    """

    key: Hashable
    text: Text
    subject: Subject


class TaskPage(Page):
    """A task."""

    tab = TASK
    has_pane = True

    def __init__(
        self,
        task_id: str,
        watch: GroupWatch,
        store: EventStore,
        get_tails: GetTails | None = None,
        root_url: str | None = None,
        *,
        utc: bool = False,
    ) -> None:
        """Create a page.

        Args:
            task_id: The task.
            watch: Its group.
            store: All events, for the task's last message.
            get_tails: Returns the ends of logs; None for no logs.
            root_url: Root URL of the deployment; None if unknown.
            utc: Whether to show times in UTC instead of the local time zone.
        """
        super().__init__()
        self.task_id = task_id
        self.watch = watch
        self._store = store
        self._get_tails = get_tails
        self._root_url = root_url
        self._utc = utc
        self._searched = 0
        self._last: EventRow | None = None
        self._layout: GroupLayout | None = None
        self._tail: Sequence[str] = ()
        self._width = 80
        self._lines: list[TaskLine] = []
        self._places: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def get_key(self, index: int) -> Hashable:
        """Return what the line is about."""
        return self._lines[index].key

    def find_key(self, key: Hashable) -> int | None:
        """Return the place of a line."""
        return self._places.get(key)

    def get_subject(self) -> Subject:
        """Return the task or run of the selected line."""
        if 0 <= self.index < len(self._lines):
            return self._lines[self.index].subject
        return Subject(self.task_id, self.watch.group_id)

    @property
    def story(self) -> TaskStory | None:
        """The task's story; None while nothing is known of its group."""
        if self._layout is None:
            return None
        return tell_story(self.task_id, self._layout, self._read_facts())

    @property
    def exit_status(self) -> int:
        """The result, as of `tcsniff task`."""
        story = self.story
        return story.exit_status if story else INCOMPLETE

    def update(self) -> bool:
        """Take a new layout of the group, a new message, and the log."""
        layout, last, tail = self.watch.layout, self._last, self._tail
        self._find_last_message()
        self._update_tail()
        if layout is self._layout and last is self._last and tail == self._tail:
            return False
        self._layout = layout
        self._build_lines()
        return True

    def select_failure(self) -> bool:
        """Select the next task or run on the page that went wrong, or the log of a run."""
        story, count = self.story, len(self._lines)
        lost = {("run", run.run_id) for run in (story.runs if story else ()) if run.is_lost}
        for step in range(1, count + 1):
            place = (self.index + step) % count
            key, text, _ = self._lines[place]
            if key in lost or key == "log" or text.plain.lstrip().startswith(("✖", "!")):
                self.select(place)
                return True
        return False

    def draw_heading(self, width: int) -> list[Text]:
        """Lay the lines out for the width; there is no heading."""
        if width != self._width:
            self._width = width
            self._build_lines()
        return []

    def draw_row(self, index: int, width: int) -> Text:  # noqa: ARG002 - `draw_heading`
        """Return a line."""
        return self._lines[index].text

    def draw_pane(self, width: int, height: int, *, raw: bool) -> list[Text]:
        """Draw more about the selected task: the end of its log, or its last message."""
        subject = self.get_subject()
        if raw and self._last is not None:
            return format_json_lines(self._last.delivery, height)
        if subject.task_id == self.task_id and self._tail:
            return draw_log(self._tail)[-height:]
        if subject.task_id == self.task_id and self._last is not None:
            event = self._last.event
            node = self._layout.scene.graph.find_task(self.task_id) if self._layout else None
            event.label = event.label or (node.label if node is not None else "")
            return list(describe_event(event, width))[:height]
        if self._layout is None or not subject.task_id:
            return []
        return draw_task_summary(subject.task_id, self._layout, width)[:height]

    # What is known.

    def _find_last_message(self) -> None:
        self._last = self._store.find_last(self.task_id, since=self._searched) or self._last
        self._searched = self._store.end

    def _read_facts(self) -> TaskFacts:
        if self._last is None:
            return TaskFacts()
        event = self._last.event
        priority = get_path(event.payload, "status", "priority")
        return TaskFacts(
            priority=priority if isinstance(priority, str) else "",
            routes=None if event.routes is None else tuple(event.routes),
        )

    def _update_tail(self) -> None:
        node = self._layout.scene.graph.find_task(self.task_id) if self._layout else None
        run = node.run if node is not None and node.went_wrong else None
        if self._get_tails is None or run is None or not run.started:
            return
        key = (self.task_id, run.run_id)
        self._tail = self._get_tails([key]).get(key, ())

    # The lines.

    def _build_lines(self) -> None:
        story = self.story
        lines: list[TaskLine] = []
        if story is None:
            lines.append(self._make_line("wait", Text(f"task {self.task_id}", style="bold")))
        else:
            lines += self._list_story(story)
            lines += self._list_neighbours(story)
            lines += self._list_log(story)
        lines += self._list_message()
        self._lines = lines
        self._places = {line.key: place for place, line in enumerate(lines)}
        self.settle()

    def _make_line(
        self, key: Hashable, text: Text, task_id: str = "", run_id: int | None = None
    ) -> TaskLine:
        return TaskLine(key, text, Subject(task_id or self.task_id, self.watch.group_id, run_id))

    def _list_story(self, story: TaskStory) -> list[TaskLine]:
        # The tasks that need this one are listed below, a line each.
        rows = [
            row._replace(parts=_keep_numbers(row.parts)) if row.kind == NEEDED_BY else row
            for row in list_rows(story, utc=self._utc)
        ]
        places = [place for place, row in enumerate(rows) if row.kind == RUN]
        first = places[0] if places else len(rows)
        end = first + len(places)
        lines = [
            self._make_line(("head", number), text)
            for number, text in enumerate(format_rows(rows[:first], self._width, None))
        ]
        runs = format_rows(rows[first:end], self._width, None)
        lines += [
            self._make_line(("run", run.run_id), text, run_id=run.run_id)
            for run, text in zip(story.runs, runs, strict=True)
        ]
        return lines + [
            self._make_line(("more", number), text)
            for number, text in enumerate(format_rows(rows[end:], self._width, None))
        ]

    def _list_neighbours(self, story: TaskStory) -> list[TaskLine]:
        layout, lines = self._layout, []
        before = story.waits_for
        if before:
            lines.append(self._make_title("depends on", len(before)))
            texts = draw_dependencies(before, story.now, self._width)
            for one, text in zip(before, texts, strict=True):
                lines.append(self._make_line(("before", one.task_id), text, one.task_id))
        after = layout.dependents.get(self.task_id, ()) if layout else ()
        if after:
            lines.append(self._make_title("needed by", len(after)))
            for node, text in zip(
                after, draw_dependents(after, story.now, self._width), strict=True
            ):
                lines.append(self._make_line(("after", node.task_id), text, node.task_id))
        return lines

    def _make_title(self, words: str, number: int) -> TaskLine:
        text = Text(f"{words} {number:,} task{'s' * (number != 1)}", style="bold")
        return self._make_line(words, text)

    def _list_log(self, story: TaskStory) -> list[TaskLine]:
        run = story.lost_run
        url = build_log_url(self._root_url, self.task_id, run.run_id) if run else None
        if run is None or url is None:
            return []
        title = Text(f"log of run {run.run_id}", style="bold").append(f"   {url}", "not bold dim")
        lines = [self._make_line("log", title, run_id=run.run_id)]
        return lines + [
            self._make_line(("log", number), text, run_id=run.run_id)
            for number, text in enumerate(draw_log(self._tail))
        ]

    def _list_message(self) -> list[TaskLine]:
        if self._last is None:
            return []
        event = self._last.event
        style = get_event_style(event)
        time = format_clock_time(event.time or event.received, utc=self._utc)
        title = Text("last message ", style="bold")
        title.append(f"{style.symbol} {sanitize(style.word)}", style=f"not bold {style.style}")
        title.append(f"  {time}", style="not bold")
        lines = [self._make_line("message", title)]
        return lines + [
            self._make_line(("message", number), text)
            for number, text in enumerate(format_json_lines(self._last.delivery))
        ]


def _keep_numbers(parts: Sequence[Part]) -> tuple[Part, ...]:
    return tuple(
        part._replace(text=part.text.removesuffix(_BEFORE_NAMES))
        for part in parts
        if part.text.endswith(_BEFORE_NAMES)
    )


_BEFORE_NAMES = ": "
