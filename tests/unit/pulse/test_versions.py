"""Payloads of a version that is not known."""

from __future__ import annotations

import pytest

from builders import event, samples
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.versions import VersionCheck

ADDRESS = "exchange/taskcluster-{}/v1/{}"


def make(service, name, body):
    return Event(Delivery(ADDRESS.format(service, name), "", body))


def test_known_versions_are_not_reported():
    """Nor is a missing one, nor what is not JSON, nor another publisher's version."""
    events = [
        *map(Event, samples()),
        event("task-failed"),
        make("queue", "task-failed", b'{"version" : 1}'),
        make("hooks", "hook-created", b'{"hookId":"a"}'),
        make("queue", "task-failed", b'{"version":'),
        make("queue", "task-failed", b"[]"),
        Event(Delivery("exchange/other/v1", "", b'{"version":7}')),
    ]

    assert list(VersionCheck().find_unknown(events)) == []


def test_an_unknown_version_is_reported_once_per_exchange():
    """With the version; also one that starts like the known one, or is no number."""
    check = VersionCheck()

    texts = list(
        check.find_unknown(
            [
                make("queue", "task-failed", b'{"version":2}'),
                make("queue", "task-failed", b'{"version":3}'),
                make("queue", "task-running", b'{"version":12,"a":1}'),
                make("auth", "role-created", b'{"version":"\\u001b[2J' + b"x" * 999 + b'"}'),
            ]
        )
    )
    later = list(check.find_unknown([make("queue", "task-running", b'{"version":2}')]))

    assert texts[0] == (
        "messages of task-failed have the payload version 2, tcsniff knows 1: fields may be "
        "missing or have another meaning"
    )
    assert "task-running have the payload version 12," in texts[1]
    assert len(texts) == 3
    assert "\x1b" not in texts[2]
    assert len(texts[2]) < 200
    assert later == []


@pytest.mark.parametrize("version", [b"true", b"1.0"])
def test_what_equals_the_known_version_is_known(version):
    """As JSON Schema compares; true is near enough."""
    body = b'{"version":%s}' % version

    assert list(VersionCheck().find_unknown([make("queue", "task-failed", body)])) == []
