"""What a failure of kombu and py-amqp means."""

from __future__ import annotations

import ssl

import pytest
from amqp import exceptions as amqp

from tcsniff.errors import ConnectionFailed, Refused, TlsError
from tcsniff.settings.brokers import build_broker
from tcsniff.sources.failures import (
    LimitReached,
    NoExchange,
    explain_failure,
    explain_lost_connection,
    is_temporary,
)

BROKER = build_broker("amqps://me:secret@host.example/v", None, {})
DECLARE, BIND, CONSUME, OPEN, NONE = (50, 10), (50, 20), (60, 20), (10, 40), (0, 0)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            amqp.PreconditionFailed("PRECONDITION_FAILED - inequivalent arg 'durable'", DECLARE),
            Refused,
            "that queue with other settings",
        ),
        (
            amqp.PreconditionFailed(
                "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out", NONE
            ),
            ConnectionFailed,
            "timed out",
        ),
        (
            amqp.PreconditionFailed("PRECONDITION_FAILED - unknown delivery tag 5", (60, 80)),
            ConnectionFailed,
            "unknown delivery tag",
        ),
        (
            amqp.PreconditionFailed(
                "PRECONDITION_FAILED - cannot declare queue 'q' in vhost 'v': queue limit in "
                "vhost 'v' (5) is reached",
                DECLARE,
            ),
            LimitReached,
            "max-queues of vhost 'v'",
        ),
        (
            amqp.NotAllowed("NOT_ALLOWED - connection refused: node connection limit", OPEN),
            LimitReached,
            "connection_max of the broker",
        ),
        (
            amqp.NotFound("NOT_FOUND - no exchange 'exchange/x' in vhost 'v'", BIND),
            NoExchange,
            "no exchange 'exchange/x'",
        ),
        (amqp.NotFound("NOT_FOUND - no queue 'q' in vhost 'v'", CONSUME), ConnectionFailed, "q"),
        (
            amqp.NotFound("NOT_FOUND - home node 'a' of durable queue 'q' is down", DECLARE),
            ConnectionFailed,
            "home node",
        ),
        (amqp.ResourceLocked("RESOURCE_LOCKED - exclusive queue 'q'", DECLARE), Refused, "'me'"),
        (amqp.NotAllowed("NOT_ALLOWED - vhost 'v' not found", OPEN), Refused, "vhost 'v'"),
        (amqp.NotAllowed("INTERNAL_ERROR - vhost 'v' is down", OPEN), ConnectionFailed, "is down"),
        (amqp.ConnectionForced("CONNECTION_FORCED - maintenance"), ConnectionFailed, "mainten"),
        (amqp.AccessRefused("ACCESS_REFUSED - access to queue 'q'", DECLARE), Refused, "'me'"),
    ],
    ids=lambda value: getattr(value, "reply_text", None),
)
def test_a_failure_is_explained(error: Exception, kind: type[Exception], words: str) -> None:
    """Only what a declaration answers is about the queue's settings."""
    explained = explain_failure(error, BROKER)

    assert type(explained) is kind
    assert words in str(explained)
    assert "secret" not in str(explained)


def test_advice_to_delete_a_queue_says_that_its_messages_are_lost() -> None:
    """In the only explanation that mentions it."""
    error = amqp.PreconditionFailed("inequivalent arg 'x-expires'", DECLARE)

    assert "--delete-queue deletes the queue with all its messages" in str(
        explain_failure(error, BROKER)
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (amqp.NotAllowed("user connection limit (1) is reached", OPEN), True),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), True),
        (TimeoutError(), True),
        (ssl.SSLCertVerificationError("unable to get local issuer certificate"), False),
        (amqp.AccessRefused("ACCESS_REFUSED - Login was refused"), False),
        (amqp.NotFound("no exchange 'x'", BIND), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_some_failures_may_end_by_themselves(error: Exception, expected: bool) -> None:
    """Limits, silence and broken handshakes; not passwords, certificates and exchanges."""
    assert is_temporary(explain_failure(error, BROKER)) is expected


def test_no_tls_at_the_first_connection_is_a_failure_of_tls() -> None:
    """Status 5, although a later attempt may succeed."""
    explained = explain_failure(ssl.SSLError(1, "wrong version number"), BROKER)

    assert isinstance(explained, TlsError)
    assert explained.exit_status == 5


@pytest.mark.parametrize(
    "error", [amqp.ConsumerCancelled("tag"), amqp.NotFound("NOT_FOUND - no queue 'q'", DECLARE)]
)
def test_a_deleted_queue_is_a_lost_connection(error: Exception) -> None:
    """However it is noticed."""
    assert "deleted our queue" in str(explain_lost_connection(error, BROKER))
