"""The topic about worker pools has the columns and fields of `top`."""

from __future__ import annotations

from builders import event
from man.blocks import Heading, Terms, parse_topic
from tcsniff.commands.help_format import list_topics
from tcsniff.renderers.top import top_table
from tcsniff.stats.run_counter import RunCounter
from tcsniff.stats.run_statistics import Uncertainty
from tcsniff.stats.snapshots import SNAPSHOT_FIELDS


def read_terms(title: str) -> list[str]:
    """Return the names of the terms under a heading."""
    _, blocks = parse_topic(list_topics()["pools"])
    places = [place for place, block in enumerate(blocks) if isinstance(block, Heading)]
    start = next(place for place in places if blocks[place].text == title)  # type: ignore[union-attr]
    end = next((place for place in places if place > start), len(blocks))
    terms = [block for block in blocks[start:end] if isinstance(block, Terms)]
    return [name for block in terms for name in block.rows]


def take_snapshots(*, by: str) -> list[dict]:
    counter = RunCounter(by, "name", slo=60)
    snapshots: list[dict] = []
    counter.listen(snapshots.append)
    counter.add(event("task-failed"))
    counter.finish()
    return snapshots


def test_the_fields_of_a_line_are_those_of_the_topic() -> None:
    """Also those that are left out if they say nothing."""
    assert sorted(read_terms("JSON LINES")) == sorted(SNAPSHOT_FIELDS)
    text = list_topics()["pools"]
    assert all(f"`{name}`" in text for name in Uncertainty._fields)


def test_the_fields_of_a_row_are_those_of_the_topic() -> None:
    """Whatever a row stands for."""
    (pools,), (workers,) = (take_snapshots(by=by) for by in ("pool", "worker"))

    fields = {*pools["rows"][0], *workers["rows"][0], *pools["total"]}

    assert fields == set(read_terms("A ROW"))
    text = list_topics()["pools"]
    assert all(f"`{name}`" in text for name in pools["total"]["workers"])


def test_the_columns_of_the_table_are_those_of_the_topic() -> None:
    """By their titles, without symbols and percentiles."""
    _, gauges = top_table.fit_gauges(
        1000, (top_table.IN_TIME, *top_table.WORKER_GAUGES), has_workers=True
    )

    titles = {gauge.title.lstrip("◷▶✔✖! ").removesuffix(" p50") for gauge in gauges}

    titles = {"10 MIN" if title == "20 MIN" else title for title in titles}
    assert titles - {"p95", "p99"} == set(read_terms("COLUMNS"))
