"""From the flags of `top` to what shows what it counts.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tcsniff.commands.counts import Counts
from tcsniff.commands.run import Showing
from tcsniff.commands.showing import can_draw, coloured, knows_only_ascii, recorded, saved
from tcsniff.pipeline import Renderer
from tcsniff.renderers.output import Output
from tcsniff.stats.counters import Counter


def showing(counts: Counts, *, is_live: bool) -> Showing:
    """Tell a run how to show what is counted.

    Args:
        counts: What to count, and how to show it.
        is_live: Whether time is that of the clock, and not of the events.
    """

    def counter() -> Counter:
        clock = time.time if is_live else None
        return Counter(counts.by, counts.sort, reverse=counts.reverse, clock=clock)

    def shown(*, source: str, selection: str, condition: Callable[[], str]) -> Renderer:
        def table(output: Output, **given: Any) -> Renderer:
            from tcsniff.renderers.top.live_top import TopRenderer  # rich: 25 ms

            # A file takes colours, whatever the terminal takes.
            given.setdefault("colour", counts.colour != "never")
            return TopRenderer(
                output,
                counter(),
                source=source,
                selection=selection,
                condition=condition,
                **given,
            )

        renderer = _view(counts, counter, table)
        if counts.save_svg is not None:
            renderer = saved(counts.save_svg, renderer, table, "tcsniff top")
        return renderer if counts.record is None else recorded(counts.record, renderer)

    return shown


def _view(
    counts: Counts, counter: Callable[[], Counter], table: Callable[..., Renderer]
) -> Renderer:
    output = Output()
    live = can_draw(output)
    if counts.as_json or (counts.output or ("table" if live else "json")) == "json":
        from tcsniff.renderers.top.top_lines import TopLines

        return TopLines(output, counter(), every=counts.every)
    colour, ascii_only = coloured(counts.colour, live=live), knows_only_ascii()
    if live:
        return table(output, colour=colour, ascii_only=ascii_only)
    from tcsniff.renderers.top.live_top import TopPage  # rich: 25 ms

    return TopPage(output, counter(), colour=colour, ascii_only=ascii_only)
