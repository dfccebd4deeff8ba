"""The patterns of Taskcluster's IDs.

Pure. Source: the queue's schemas, ``services/queue/schemas/v1`` of the
taskcluster repository, at v106.0.0 (August 2026). At the root, because commands
that need only an ID's form should not import `messages`: 10 ms.
"""

from __future__ import annotations

import re

SLUG_ID = "[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]"
"""A version 4 UUID: 22 characters of URL-safe base64 (RFC 4648, section 5), without padding."""
SLUG_ID_EXAMPLE = "fN1SbArXTPSVFNUvaOlinQ"
ID_CHARACTER = "[a-zA-Z0-9-_]"
NAME_END = "([-a-z0-9]{0,36}[a-z0-9])?"
PROVISIONER_ID = ID_CHARACTER + "{1,38}"
WORKER_TYPE = "[a-z]" + NAME_END

_IDENTIFIER = f"^({ID_CHARACTER}*)$"
PATTERNS = {
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
"""The patterns of a message's fields, as the JSON schemas have them."""
MAX_RUN_ID = 1000  # by the schemas; the queue allows 50 runs


_match_slug_id = re.compile(SLUG_ID).fullmatch


def is_slug_id(text: str) -> bool:
    """Return whether a text has the form of a task ID or task group ID."""
    return _match_slug_id(text) is not None
