"""Answers of the queue's API about artifacts and worker pools.

Pure. Sources: the queue's schemas ``list-artifacts-response``,
``task-queue-counts-response`` and ``pending-tasks-response``, ``services/queue/schemas/v1``
of the taskcluster repository at v106.0.0.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from tcsniff.messages.parts import MessageStruct
from tcsniff.pulse.payloads import read_json


class Artifact(MessageStruct, frozen=True):
    """A file that a run of a task has published.

    Attributes:
        name: Its name, such as ``public/logs/live.log``.
        storage_type: Where it is: ``s3``, ``object``, ``reference``, ``link`` or
            ``error``.
        content_type: Its MIME type; empty if unknown.
        expires: When the queue deletes it, as an RFC 3339 time; empty if unknown.
    """

    name: str
    storage_type: str = ""
    content_type: str = ""
    expires: str = ""


class ArtifactPage(MessageStruct, frozen=True):
    """An answer of ``listArtifacts`` or ``listLatestArtifacts``.

    Attributes:
        artifacts: Some artifacts of a run.
        continuation_token: The token for the next page; None for the last page.
    """

    artifacts: tuple[Artifact, ...]
    continuation_token: str | None = None


class PendingCounts(NamedTuple):
    """How many tasks a worker pool has now; both numbers are approximate.

    Attributes:
        pool: The worker pool, ``<provisionerId>/<workerType>``.
        pending: Tasks that wait for a worker.
        claimed: Tasks that workers have claimed; None if the deployment is too old to
            say so.
    """

    pool: str
    pending: int
    claimed: int | None = None


class _Counts(MessageStruct, frozen=True):
    pending_tasks: int
    claimed_tasks: int | None = None


def parse_artifacts(text: bytes) -> ArtifactPage:
    """Parse an answer of ``listArtifacts`` or ``listLatestArtifacts``.

    Raises:
        ValueError: If the text is not such an answer.
    """
    return read_json(_decode_artifacts, text)


def parse_pending_counts(pool: str, text: bytes) -> PendingCounts:
    """Parse an answer of ``taskQueueCounts`` or ``pendingTasks``.

    Args:
        pool: The worker pool that was asked for.
        text: The answer, JSON.

    Raises:
        ValueError: If the text is not such an answer.
    """
    counts = read_json(_decode_counts, text)
    return PendingCounts(pool, counts.pending_tasks, counts.claimed_tasks)


_decode_artifacts = msgspec.json.Decoder(ArtifactPage).decode
_decode_counts = msgspec.json.Decoder(_Counts).decode
