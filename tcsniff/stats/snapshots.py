"""A snapshot of the statistics, as ``top`` prints it in a JSON line and tests it.

Pure.
"""

from __future__ import annotations

from typing import Any

from tcsniff.stats.histogram import HistogramSummary
from tcsniff.stats.rows import Reading
from tcsniff.stats.worker_counts import WorkerReading

Snapshot = dict[str, Any]
"""The JSON object of a period: its time and length, rows and their total."""

SNAPSHOT_FIELDS = (
    "time",
    "seconds",
    "by",
    "events",
    "api",
    "undecodable",
    "uncertain",
    "uncounted",
    "rows",
    "total",
)
"""The fields of a snapshot; ``api``, and those with ``un``, are there if they say something."""


def format_row(reading: Reading) -> Snapshot:
    """Return the JSON object of a row; durations are in seconds."""
    row = {
        "name": reading.name,
        "pending": reading.pending,
        "running": reading.running,
        "completed": reading.completed,
        "failed": reading.failed,
        "lost": reading.lost,
        "canceled": reading.canceled,
        "exception": reading.exception,
        "started": reading.started,
        "finished": reading.ended,
        "rate": round(reading.per_minute, 2),
        "oldest": _round_time(reading.oldest),
        "last": _round_time(reading.last),
        "waiting": _format_times(reading.wait_times),
        "runningTime": _format_times(reading.run_times),
    }
    if reading.in_time is not None:
        row["inTime"] = round(reading.in_time, 4)
    if reading.health is not None:
        pool, heard, streak = reading.health
        row |= {"pool": pool, "heard": _round_time(heard), "streak": streak}
    if reading.workers is not None:
        row["workers"] = _format_workers(reading.workers)
    return row


def _format_workers(workers: WorkerReading) -> Snapshot:
    return {
        "requested": workers.requested,
        "running": workers.running,
        "stopped": workers.stopped,
        "removed": workers.removed,
        "errors": workers.errors,
        "errorKinds": dict(workers.kinds),
        "startTime": _format_times(workers.start_times),
    }


def _format_times(summary: HistogramSummary) -> dict[str, float | None]:
    names = ("count", "p50", "p95", "p99", "max")
    return dict(zip(names, map(_round_time, summary), strict=True))


def _round_time(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
