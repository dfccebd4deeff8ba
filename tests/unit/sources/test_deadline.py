"""When connecting has to be given up."""

from __future__ import annotations

import time

import pytest

from tcsniff.errors import TimedOut
from tcsniff.sources.deadline import NEVER, Deadline


def test_a_deadline_that_is_over_ends_the_run() -> None:
    """With 124 and what has been done; a step gets no time, but never none at all."""
    over = Deadline(time.monotonic() - 1)

    with pytest.raises(TimedOut, match="stopped by --timeout, 5 bindings made") as raised:
        over.check("5 bindings made")

    assert raised.value.exit_status == 124
    assert 0 < over.limit(45) < 1


def test_a_deadline_to_come_only_shortens_steps() -> None:
    """To the time that is left."""
    later = Deadline(time.monotonic() + 1_000)
    later.check("nothing")

    assert later.limit(45) == 45
    assert 900 < later.limit(5_000) <= 1_000


def test_without_a_deadline_nothing_is_limited() -> None:
    """As without --timeout."""
    NEVER.check("nothing")

    assert NEVER.limit(45) == 45
