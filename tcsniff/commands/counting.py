"""From the flags of `top` to what shows what it counts.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tcsniff.commands.counts import Counts
from tcsniff.commands.run import Showing
from tcsniff.commands.showing import can_draw, coloured, knows_only_ascii, recorded
from tcsniff.counter import Counter
from tcsniff.renderers.output import Output
from tcsniff.stream import Renderer


def showing(counts: Counts, *, is_live: bool) -> Showing:
    """Tell a run how to show what is counted.

    Args:
        counts: What to count, and how to show it.
        is_live: Whether time is that of the clock, and not of the events.
    """

    def shown(*, source: str, selection: str, condition: Callable[[], str]) -> Renderer:
        clock = time.time if is_live else None
        counter = Counter(counts.by, counts.sort, reverse=counts.reverse, clock=clock)
        renderer = _view(counts, counter, source, selection, condition)
        return renderer if counts.record is None else recorded(counts.record, renderer)

    return shown


def _view(
    counts: Counts, counter: Counter, source: str, selection: str, condition: Callable[[], str]
) -> Renderer:
    output = Output()
    live = can_draw(output)
    if counts.as_json or (counts.output or ("table" if live else "json")) == "json":
        from tcsniff.renderers.toplines import TopLines

        return TopLines(output, counter, every=counts.every)
    from tcsniff.renderers.top import TopPage, TopRenderer  # rich: 25 ms

    colour, ascii_only = coloured(counts.colour, live=live), knows_only_ascii()
    if not live:
        return TopPage(output, counter, colour=colour, ascii_only=ascii_only)
    return TopRenderer(
        output,
        counter,
        source=source,
        selection=selection,
        condition=condition,
        colour=colour,
        ascii_only=ascii_only,
    )
