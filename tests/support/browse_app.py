"""The app of `browse` without a terminal: keys are pressed, and its screen is read.

Textual's pilot waits until the process uses little of the processor, which it also does when
others use all of it. Here, a test waits for what the screen shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from textual import events

from running import PATIENCE
from tcsniff.browse.app import BrowseApp
from tcsniff.browse.event_buffer import EventBuffer
from tcsniff.browse.event_rows import EventRow
from tcsniff.browse.feed import PoolCounts
from tcsniff.browse.navigation import Deployment, Look
from tcsniff.renderers.stream import StreamInfo
from tcsniff.stats.run_counter import RunCounter

NAMES = {"/": "slash", "?": "question_mark", ":": "colon", " ": "space"}


def make_app(rows: Sequence[EventRow] = (), deployment: Deployment | None = None) -> BrowseApp:
    """Create an app to whose buffer some rows were added."""
    buffer = EventBuffer()
    buffer.put_rows(rows)
    return open_app(buffer, deployment)


def open_app(buffer: EventBuffer, deployment: Deployment | None = None) -> BrowseApp:
    """Create an app that reads from a buffer."""
    return BrowseApp(
        buffer,
        StreamInfo("here"),
        PoolCounts(RunCounter("pool", "pending")),
        deployment or Deployment(),
        Look(utc=True),
    )


def read_screen(app: BrowseApp) -> list[str]:
    """Return the lines of the screen."""
    strips = app.screen._compositor.render_strips()  # noqa: SLF001 - what is drawn
    return [strip.text.rstrip() for strip in strips]


def press(app: BrowseApp, *keys: str) -> None:
    """Press keys, named as textual names them, or characters, one after the other."""
    for key in keys:
        app.post_message(events.Key(NAMES.get(key, key), key if len(key) == 1 else None))


async def obeyed(app: BrowseApp) -> None:
    """Wait until all keys so far were obeyed: calls come after them in the app's queue."""
    done = asyncio.Event()
    app.call_later(done.set)
    await asyncio.wait_for(done.wait(), PATIENCE)


async def shown(app: BrowseApp, shows: Callable[[list[str]], bool]) -> list[str]:
    """Wait until the screen shows something, and return it."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        rows = read_screen(app)
        if shows(rows):
            return rows
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError("never shown; the screen is:\n" + "\n".join(rows))
        await asyncio.sleep(0.01)
