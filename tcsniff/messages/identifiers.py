"""The patterns of Taskcluster's IDs, and a fast check of several IDs at once.

Pure. Source: the queue's schemas, ``services/queue/schemas/v1`` of the
taskcluster repository, at v106.0.0 (August 2026).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

SLUG_ID = "[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]"
"""A version 4 UUID: 22 characters of URL-safe base64 (RFC 4648, section 5), without padding."""
SLUG_ID_EXAMPLE = "fN1SbArXTPSVFNUvaOlinQ"
ID_CHARACTER = "[a-zA-Z0-9-_]"
_NAME_END = "([-a-z0-9]{0,36}[a-z0-9])?"
PROVISIONER_ID = ID_CHARACTER + "{1,38}"
WORKER_TYPE = "[a-z]" + _NAME_END

_IDENTIFIER = f"^({ID_CHARACTER}*)$"
_PATTERNS = {
    "task_id": f"^{SLUG_ID}$",
    "task_group_id": f"^{SLUG_ID}$",
    "provisioner_id": f"^{PROVISIONER_ID}$",
    "worker_type": f"^{WORKER_TYPE}$",
    "scheduler_id": _IDENTIFIER,
    "project_id": "^([a-zA-Z0-9._/-]*)$",
    "worker_group": _IDENTIFIER,
    "worker_id": _IDENTIFIER,
    "task_queue_id": f"^{PROVISIONER_ID}/{WORKER_TYPE}$",
}


def get_pattern(field: str) -> str:
    """Return the pattern of a field as its JSON schema has it."""
    return _PATTERNS[field]


def compile_ids(*fields: str) -> Callable[[str], re.Match[str] | None]:
    """Return a function that matches the values of several fields, joined by spaces.

    No pattern matches a space. One search for each string, as msgspec does it,
    made decoding the samples 2.6 times as slow as orjson.loads;
    tests/benchmarks/decode.py measures it. For speed, nothing is captured, and
    the end of a name is checked by looking backwards.
    """
    patterns = (
        _PATTERNS[field][1:-1].replace(_NAME_END, "[-a-z0-9]{0,37}(?<!-)").replace("([", "(?:[")
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
_match_slug_id = re.compile(SLUG_ID).fullmatch


def is_slug_id(text: str) -> bool:
    """Return whether a text has the form of a task ID or task group ID."""
    return _match_slug_id(text) is not None


class IdError(ValueError):
    """An ID does not match its pattern. msgspec makes it the cause of its own error.

    Attributes:
        field: The field's name in JSON.
    """

    def __init__(self, message: Struct) -> None:
        """Find the field of a message whose value does not match."""
        names = dict(zip(message.__struct_fields__, message.__struct_encode_fields__, strict=True))
        # None becomes 'None', which every pattern but that of the task queue
        # matches; the task queue is checked last.
        field = next(
            field
            for field in _PATTERNS
            if field in names and not compile_ids(field)(str(getattr(message, field)))
        )
        super().__init__(f"Expected `str` matching regex {_PATTERNS[field]!r}")
        self.field = names[field]
