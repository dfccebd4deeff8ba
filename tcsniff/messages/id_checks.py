"""A fast check of several IDs of a message at once. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property

from tcsniff.identifiers import NAME_END, PATTERNS


class IdPattern:
    """A pattern for the values of several fields, joined by spaces.

    No pattern matches a space. One search for each string, as msgspec does it,
    made decoding the samples 2.6 times as slow as orjson.loads;
    tests/benchmarks/decode.py measures it. For speed, nothing is captured, and
    the end of a name is checked by looking backwards.
    """

    def __init__(self, *fields: str) -> None:
        """Create it for these fields, in this order."""
        self._fields = fields

    @cached_property
    def fullmatch(self) -> Callable[[str], re.Match[str] | None]:
        """A function that matches joined values.

        The pattern is compiled at its first use, since most runs use no typed messages.
        """
        patterns = (
            PATTERNS[field][1:-1].replace(NAME_END, "[-a-z0-9]{0,37}(?<!-)").replace("([", "(?:[")
            for field in self._fields
        )
        return re.compile(" ".join(patterns)).fullmatch


GROUP_IDS = IdPattern("task_group_id", "scheduler_id")
WORKER_IDS = IdPattern("worker_group", "worker_id")
STATUS_IDS = IdPattern(
    "task_id",
    "task_group_id",
    "provisioner_id",
    "worker_type",
    "scheduler_id",
    "project_id",
    "task_queue_id",
)
