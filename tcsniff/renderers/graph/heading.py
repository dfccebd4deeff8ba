"""The heading of a picture of a task graph: title, verdict, and the bar of states."""

from __future__ import annotations

import re

from rich.cells import cell_len
from rich.text import Text

from tcsniff.pulse.styles import get_state_style
from tcsniff.pulse.times import format_duration, format_minute
from tcsniff.pulse.urls import build_group_url
from tcsniff.renderers.ansi import join_words
from tcsniff.renderers.graph.scene import Scene
from tcsniff.sanitize import sanitize

_BLOCKS = {
    "completed": "█",
    "running": "▓",
    "pending": "▒",
    "unscheduled": "░",
    "failed": "✖",
    "exception": "!",
}
_CLAUSE = re.compile(r"([,;] [^,;()]*| \([^()]*\))$")  # at the end of a verdict
_MIN_BAR, _MAX_BAR = 8, 60  # cells


def format_title(scene: Scene, width: int) -> Text:
    """Format the group's ID, scheduler, size and age.

    Args:
        scene: The group.
        width: Of the screen, in cells; the time of day is left out first.
    """
    begin, taken = _format_begin(scene), format_duration(scene.length) if scene.length else ""
    scheduler = scene.graph.scheduler_id
    last = "", "", ""
    tries = (
        ("task group ", scheduler, begin),
        ("task group ", scheduler, taken),
        ("task group ", "", taken),
        ("", "", taken),
    )
    titles = (_format_title(scene, *parts) for parts in tries)
    fitting = next((title for title in titles if title.cell_len <= width), None)
    return fitting or _format_title(scene, *last)


def _format_title(scene: Scene, prefix: str, scheduler: str, time: str) -> Text:
    graph = scene.graph
    url = build_group_url(scene.link_root, graph.task_group_id)
    name = join_words(sanitize(graph.task_group_id) or "?", "bold", url)
    text = Text(prefix).append_text(name)
    number = len(graph.nodes)
    for part in (
        sanitize(scheduler),
        f"{number:,} task{'s' * (number != 1)}",
        time,
        "resolved" if graph.is_over else "",
        "sealed" if graph.is_sealed else "",
    ):
        if part:
            text.append(f"   {part}", style="green" if part == "resolved" else "")
    return text


def _format_begin(scene: Scene) -> str:
    if scene.began is None:
        return ""
    begun = f"began {format_minute(scene.began, utc=scene.utc)}"
    if scene.graph.is_over:
        return f"{begun}, took {format_duration(scene.length)}"
    if scene.has_times:
        return f"{begun}, now {format_minute(scene.now, utc=scene.utc)}"
    return f"{begun}, {format_duration(scene.now - scene.began)} ago"


def format_verdict(scene: Scene, width: int) -> Text:
    """Format how the group is doing.

    Args:
        scene: The group.
        width: Of the screen, in cells; clauses are left out from the end, and no number
            is cut.
    """
    word, text = scene.verdict
    while cell_len(text) > width and _CLAUSE.search(text):
        text = _CLAUSE.sub("", text)
    return Text(text, style=_VERDICT_STYLES.get(word, "bold"))


_VERDICT_STYLES = {
    "completed": "green",
    "failed": "bold red",
    "failing": "bold red",
    "stuck": "bold red",
    "exception": "bold magenta",
    "waiting": "yellow",
    "partial": "yellow",
    "unknown": "yellow",
}


def format_progress(scene: Scene, width: int) -> Text:
    """Draw the bar of states, with their numbers."""
    tail = Text()
    for state, number in scene.graph.states.items():
        style = get_state_style(state)
        tail.append(f"  {style.symbol} {number:,}", style=style.style)
    room = min(_MAX_BAR, width - tail.cell_len)
    return _draw_bar(scene.graph.states, room).append(tail) if room >= _MIN_BAR else tail


def _draw_bar(counts: dict[str, int], width: int) -> Text:
    bar = Text()
    total = sum(counts.values())
    if not total:
        return bar.append("░" * width, style="dim")
    # At least one cell for each state.
    cells = {state: max(1, number * width // total) for state, number in counts.items()}
    largest = max(cells, key=cells.__getitem__)
    cells[largest] += width - sum(cells.values())
    for state, number in cells.items():
        bar.append(_BLOCKS.get(state, "·") * max(0, number), style=get_state_style(state).style)
    return bar
