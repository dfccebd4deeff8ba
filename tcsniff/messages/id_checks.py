"""A fast check of several IDs of a message at once. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from tcsniff.identifiers import NAME_END, PATTERNS


def compile_ids(*fields: str) -> Callable[[str], re.Match[str] | None]:
    """Return a function that matches the values of several fields, joined by spaces.

    No pattern matches a space. One search for each string, as msgspec does it,
    made decoding the samples 2.6 times as slow as orjson.loads;
    tests/benchmarks/decode.py measures it. For speed, nothing is captured, and
    the end of a name is checked by looking backwards.
    """
    patterns = (
        PATTERNS[field][1:-1].replace(NAME_END, "[-a-z0-9]{0,37}(?<!-)").replace("([", "(?:[")
        for field in fields
    )
    return re.compile(" ".join(patterns)).fullmatch


match_group_ids = compile_ids("task_group_id", "scheduler_id")
match_worker_ids = compile_ids("worker_group", "worker_id")
match_status_ids = compile_ids(
    "task_id",
    "task_group_id",
    "provisioner_id",
    "worker_type",
    "scheduler_id",
    "project_id",
    "task_queue_id",
)
