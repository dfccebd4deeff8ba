"""Waits that other threads, signals and keys end."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tcsniff.sources.wakeup import WakeUp

FOREVER = None


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_a_watched_file_ends_a_wait(pipe):
    """It is not one of those that were waited for, and ends each wait until it is read."""
    wake_up = WakeUp()
    wake_up.watch(lambda: pipe[0])
    os.write(pipe[1], b"q")

    assert not wake_up.wait(FOREVER)
    assert not wake_up.wait(FOREVER)
    assert os.read(pipe[0], 9) == b"q"
    assert not wake_up.is_triggered


def test_a_watched_file_may_be_missing(pipe):
    """As long as there is no keyboard; then only the other files count."""
    wake_up = WakeUp()
    wake_up.watch(lambda: None)
    os.write(pipe[1], b"q")

    assert not wake_up.wait(0)
    assert wake_up.wait(FOREVER, pipe[0])


def test_a_trigger_ends_the_next_wait(pipe):
    """Also if it comes first."""
    wake_up = WakeUp()
    wake_up.watch(lambda: pipe[0])
    wake_up.trigger()

    assert not wake_up.wait(FOREVER)
    assert wake_up.is_triggered
