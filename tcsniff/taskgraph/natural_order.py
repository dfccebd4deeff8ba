"""The natural order of tasks by label, in which chunk 2 comes before chunk 10.

Pure.
"""

from __future__ import annotations

import re
from functools import lru_cache

from tcsniff.taskgraph.nodes import Node

_MAX_DIGITS = 18  # of a number; more digits are two numbers
_NUMBER = re.compile(rf"[0-9]{{1,{_MAX_DIGITS}}}")


@lru_cache(maxsize=65_536)  # takes 3 µs, and 0.1 µs from the cache
def get_natural_key(label: str) -> str:
    """Return a sort key by which chunk 2 comes before chunk 10."""
    return _NUMBER.sub(_mark_number, label)


def _mark_number(match: re.Match[str]) -> str:
    # Numbers come before all other characters, those with fewer digits first, and of those
    # that are equal the one with more leading zeros.
    number, digits = match[0], match[0].lstrip("0")
    return f"\0{chr(len(digits))}{digits}{chr(_MAX_DIGITS - len(number))}"


def get_node_key(node: Node) -> tuple[str, str]:
    """Return a sort key for tasks by label, in natural order."""
    return get_natural_key(node.label), node.task_id
