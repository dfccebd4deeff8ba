"""From the flags of `runs` to its output, and its rows from the queue's API.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

from contextlib import closing

from tcsniff.commands.options.runs_options import RunsArgs
from tcsniff.commands.wiring.make_renderer import (
    add_recorder,
    can_draw,
    is_ascii_only,
    use_color,
)
from tcsniff.commands.wiring.run import Notify
from tcsniff.pipeline import Renderer
from tcsniff.pulse.payloads import Tags, decode_status
from tcsniff.renderers.output import Output
from tcsniff.renderers.runs.run_formats import ROW_FORMATS, RowFormat
from tcsniff.renderers.runs.runs_renderer import RunsRenderer
from tcsniff.renderers.stream import StreamInfo
from tcsniff.settings.web_server import WebServer
from tcsniff.sources.queue_api import QueueApi
from tcsniff.stats.run_ledger import RunLedger


def make_runs_renderer(asked: RunsArgs, ledger: RunLedger, _: StreamInfo) -> Renderer:
    """Create the renderer that the flags ask for.

    Raises:
        OutputError: If the recording cannot be opened.
    """
    renderer = _make_rows(asked, ledger)
    return add_recorder(asked.record, renderer, has_gaps=False) if asked.record else renderer


def print_group_runs(
    asked: RunsArgs, task_group_id: str, server: WebServer, notify: Notify
) -> int:
    """Print the runs of a group that have ended, as the queue's API knows them.

    Returns:
        The exit status.

    Raises:
        ApiError: If the API does not answer or refuses.
    """
    ledger = RunLedger()
    tasks = unread = 0
    with closing(_make_rows(asked, ledger)) as renderer:
        for page in QueueApi(server).fetch_pages(task_group_id):
            for definition, text in zip(page.definitions, page.statuses, strict=True):
                names = Tags(definition.label, definition.kind or None)
                try:
                    rows = ledger.add_status(decode_status(text), names)
                except ValueError:
                    unread += 1
                    continue
                tasks += 1
                renderer.add_rows(rows)
            renderer.flush()
    if unread:
        notify(f"{unread:,} of {tasks + unread:,} tasks could not be decoded")
    notify(f"{renderer.rows:,} runs of {tasks:,} tasks")
    return 0


def _make_rows(asked: RunsArgs, ledger: RunLedger) -> RunsRenderer:
    output = Output()
    live = can_draw(output)
    form = "json" if asked.as_json else asked.row_form or ("table" if live else "json")
    if form != "table":
        return RunsRenderer(output, ledger, ROW_FORMATS[form]())
    return RunsRenderer(output, ledger, _make_table(asked, live=live))


def _make_table(asked: RunsArgs, *, live: bool) -> RowFormat:
    from tcsniff.renderers.runs.run_table import RowTable  # rich: 25 ms

    color = use_color(asked.color, live=live)
    table = RowTable(color=color, ascii_only=is_ascii_only(), utc=asked.utc)
    return table.row_format
