"""Events whose table and lines have links, and a reader of the links."""

from __future__ import annotations

import re

from builders import TASK, event
from tcsniff.renderers.columns import find_columns
from tcsniff.renderers.lines import ColumnFormatter, LineRenderer
from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamStatus
from tcsniff.renderers.table import draw_table

ROOT = "https://firefox-ci-tc.services.mozilla.com"
LOG = f"{ROOT}/api/queue/v1/task/{TASK}/runs/1/artifacts/public/logs/live.log"
STATUS = StreamStatus("firefox-ci", 1, 1.0, 0.2, 0.4, "")
LINK = re.compile(r"\x1b\]8;([^;\x1b]*);([^\x1b]*)\x1b\\")
COLOR = re.compile(r"\x1b\[[0-9;]*m")


def links(text):
    """Return the text, ID and URL of each link."""
    pieces = LINK.split(COLOR.sub("", text))
    return [
        (shown, id_, url)
        for id_, url, shown in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True)
        if url
    ]


EVENTS = [
    event("task-running", run=1),
    event("task-pending", run=2),
    event("task-defined", label="build/opt"),
    event("task-exception", run=1, retried=True),
    event("task-group-resolved"),
    event("task-failed", label=""),
]


CHOSEN = find_columns(("task", "task-id", "run", "group", "pool"))


def table(events, root, *, color=True, width=150):
    return draw_table(events, STATUS, width, color=color, columns=CHOSEN, root_url=root)


def lines(events, root, *, color=True):
    class Paper:
        def __init__(self):
            self.written = b""

        def isatty(self):
            return True

        def write(self, data):
            self.written += data

        def flush(self):
            pass

    paper = Paper()
    formatter = ColumnFormatter(CHOSEN, color=color, root_url=root)
    renderer = LineRenderer(Output(paper), formatter.line_format)
    renderer.show(events)
    renderer.flush()
    return paper.written.decode().splitlines()
