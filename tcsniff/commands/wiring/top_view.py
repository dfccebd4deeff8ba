"""The counter and the views of `top`.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tcsniff.commands.options.top_options import TopArgs
from tcsniff.commands.wiring.make_renderer import (
    add_picture_saver,
    add_recorder,
    can_draw,
    is_ascii_only,
    use_color,
)
from tcsniff.pipeline import Renderer
from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamInfo
from tcsniff.sources.steady_clock import SteadyClock
from tcsniff.stats.run_counter import RunCounter

if TYPE_CHECKING:
    from tcsniff.renderers.live_view import LiveView


def make_counter(counts: TopArgs, *, is_live: bool) -> RunCounter:
    """Return the counter of a run of `top`; without a live source, it uses the events' time."""
    clock = SteadyClock() if is_live else None
    return RunCounter(
        counts.by,
        counts.sort,
        reverse=counts.reverse,
        clock=clock,
        every=counts.every,
        slo=counts.slo,
    )


def make_top_renderer(
    counts: TopArgs, counter: RunCounter, is_live: bool, stream: StreamInfo
) -> Renderer:
    """Return the renderer that the flags ask for, with the recorder and the picture's saver."""
    renderer = _make_view(counts, counter, stream)
    if counts.save_svg is not None:
        # A file has colors, even if the terminal has none.
        color = counts.color != "never"

        def make_table() -> LiveView:
            own_counter = make_counter(counts, is_live=is_live)
            return _make_table(own_counter, stream, Output(io.BytesIO()), color=color)

        renderer = add_picture_saver(counts.save_svg, renderer, make_table, "tcsniff top")
    if counts.record is not None:
        renderer = add_recorder(counts.record, renderer, has_gaps=False)
    return renderer


def _make_view(counts: TopArgs, counter: RunCounter, stream: StreamInfo) -> Renderer:
    output = Output()
    live = can_draw(output)
    if counts.as_json or (counts.output or ("table" if live else "json")) == "json":
        from tcsniff.renderers.top.top_lines import TopJsonRenderer

        return TopJsonRenderer(output, counter)
    color = use_color(counts.color, live=live)
    if live:
        return _make_table(counter, stream, output, color=color)
    from tcsniff.renderers.top.live_top import TopPageRenderer  # rich: 25 ms

    return TopPageRenderer(output, counter, color=color, ascii_only=is_ascii_only())


def _make_table(
    counter: RunCounter, stream: StreamInfo, output: Output, *, color: bool
) -> LiveView:
    from tcsniff.renderers.live_view import LiveView  # rich: 25 ms
    from tcsniff.renderers.top.live_top import TopPicture

    picture = TopPicture(counter, color=color)
    ascii_only = output.is_terminal and is_ascii_only()
    return LiveView(output, picture, stream, ascii_only=ascii_only)
