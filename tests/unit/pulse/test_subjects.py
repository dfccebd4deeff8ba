"""Who or what an event of another service is about."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.exchanges import CATALOG, find_exchange
from tcsniff.pulse.subjects import describe_details, find_pool, find_subject

POOL = "proj/gaia-static"
NO_WORKER, WORKER = "primary._._._._._._._", "primary.static.proj.gaia-static.wg.wid._._"


def event(name: str, key: str, payload: Any) -> Event:
    return Event(Delivery(find_exchange(name).address, key, orjson.dumps(payload)))


@pytest.mark.parametrize(
    ("name", "key", "payload", "expected"),
    [
        ("client-created", "_", {"clientId": "project/x"}, ("project/x", "", "")),
        ("role-deleted", "_", {"roleId": "repo:github.com/x/*"}, ("repo:github.com/x/*", "", "")),
        ("hook-updated", "_", {"hookGroupId": "p", "hookId": "nightly"}, ("p/nightly", "", "")),
        ("notification", "primary.a.b", {"message": {}}, ("a.b", "", "")),
        (
            "worker-pool-created",
            NO_WORKER,
            {"workerPoolId": POOL, "providerId": "static"},
            (POOL, POOL, "static"),
        ),
        (
            "worker-pool-updated",
            NO_WORKER,
            {"workerPoolId": POOL, "providerId": "b", "previousProviderId": "a"},
            (POOL, POOL, "a → b"),
        ),
        (
            "worker-pool-updated",
            NO_WORKER,
            {"workerPoolId": POOL, "providerId": "a", "previousProviderId": "a"},
            (POOL, POOL, "a"),
        ),
        (
            "worker-pool-error",
            WORKER,
            {"workerPoolId": POOL, "kind": "worker-error", "title": "Out of disk"},
            (POOL, POOL, "worker-error: Out of disk"),
        ),
        (
            "worker-removed",
            WORKER,
            {"workerPoolId": POOL, "workerGroup": "wg", "workerId": "wid", "reason": "idle"},
            ("wg wid", POOL, "idle"),
        ),
        ("worker-running", WORKER, {}, ("wg wid", "", "")),
        (
            "launch-config-archived",
            "primary._._._._._.lc1._",
            {"workerPoolId": POOL, "launchConfigId": "lc1"},
            ("lc1", POOL, ""),
        ),
        ("pull-request", "primary.mozilla.a%b.opened", {}, ("mozilla/a.b", "", "opened")),
        (
            "push",
            "primary.mozilla.a%b",
            {"organization": "mozilla", "repository": "a.b", "branch": "main"},
            ("mozilla/a.b", "", "main"),
        ),
        (
            "task-group-creation-requested",
            "primary.mozilla.app",
            {"taskGroupId": "fN1SbArXTPSVFNUvaOlinQ"},
            ("mozilla/app", "", "fN1SbArXTPSVFNUvaOlinQ"),
        ),
        ("task-failed", "primary", {"workerPoolId": POOL, "clientId": "x"}, ("", "", "")),
    ],
)
def test_an_event_says_what_it_is_about(
    name: str, key: str, payload: Any, expected: tuple[str, str, str]
) -> None:
    """Most routing keys say nothing; the payload does."""
    one = event(name, key, payload)

    assert (find_subject(one), find_pool(one), describe_details(one)) == expected


@pytest.mark.parametrize("name", [one.name for one in CATALOG if one.service != "queue"])
@pytest.mark.parametrize("payload", [None, [], "x", {"clientId": 5, "hookId": {}, "kind": [1]}])
def test_nonsense_is_about_nothing(name: str, payload: Any) -> None:
    """And no failure."""
    one = event(name, "_", payload)

    assert (find_subject(one), find_pool(one), describe_details(one)) == ("", "", "")


def test_every_service_has_subjects() -> None:
    """No exchange of another service than the queue's is left out."""
    payload = dict.fromkeys(
        ("clientId", "roleId", "hookId", "workerPoolId", "workerId", "launchConfigId"), "x"
    )

    missing = [
        one.name
        for one in CATALOG
        if one.service != "queue"
        and not find_subject(event(one.name, "primary.a.b", payload | {"organization": "o"}))
    ]

    assert missing == []


def test_an_unknown_exchange_has_no_subject() -> None:
    """Names of other publishers may be the same."""
    one = Event(Delivery("exchange/elsewhere/push", "a", b'{"organization": "x"}'))

    assert (find_subject(one), describe_details(one)) == ("", "")
