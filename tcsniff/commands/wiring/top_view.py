"""The counter and the views of `top`.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tcsniff.commands.options.top_options import TopArgs
from tcsniff.commands.wiring.make_renderer import (
    add_picture_saver,
    add_recorder,
    can_draw,
    choose_output,
    is_ascii_only,
    use_color,
)
from tcsniff.pipeline import Renderer
from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamInfo
from tcsniff.sources.steady_clock import SteadyClock
from tcsniff.stats.run_counter import RunCounter

if TYPE_CHECKING:
    from tcsniff.commands.wiring.event_run import EventRun
    from tcsniff.commands.wiring.pool_watch import PoolWatch
    from tcsniff.renderers.live_view import LiveView
    from tcsniff.settings.web_server import WebServer


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


def watch_pools(
    server: WebServer | None, pools: Sequence[str], counter: RunCounter, run: EventRun
) -> PoolWatch | None:
    """Return the watch that asks the queue for worker pools; None if there is nothing to ask.

    Args:
        server: The deployment's web server; None if unknown.
        pools: The worker pools.
        counter: Counts the runs.
        run: Selects the events, and prints messages.
    """
    if not pools or server is None:
        return None
    from tcsniff.commands.wiring.pool_watch import PoolWatch  # urllib3: 40 ms
    from tcsniff.sources.queue_api import QueueApi

    api = QueueApi(server)
    return PoolWatch(api, pools, counter, is_wanted=run.make_test(), notify=run.notify)


def make_top_renderer(
    counts: TopArgs,
    counter: RunCounter,
    is_live: bool,
    stream: StreamInfo,
    watch: PoolWatch | None = None,
) -> Renderer:
    """Return the renderer that the flags ask for, with the recorder and the picture's saver.

    Args:
        counts: The flags.
        counter: Counts the runs.
        is_live: Whether the source is live.
        stream: The source of events.
        watch: Asks the queue for worker pools; None for nothing.
    """
    if watch is None:
        return _make_renderer(counts, counter, is_live, stream)
    from tcsniff.commands.wiring.pool_watch import PoolWatchRenderer

    conditions = (stream.condition, lambda: watch.condition)
    stream = stream._replace(
        condition=lambda: "  ".join(filter(None, (describe() for describe in conditions)))
    )
    return PoolWatchRenderer(_make_renderer(counts, counter, is_live, stream), watch)


def _make_renderer(
    counts: TopArgs, counter: RunCounter, is_live: bool, stream: StreamInfo
) -> Renderer:
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
    if counts.as_json or (counts.output or choose_output(output)) == "json":
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
