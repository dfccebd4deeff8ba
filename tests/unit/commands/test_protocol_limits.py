"""Values that the protocol has no room for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

RunLine = Callable[..., tuple[str, str]]


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ("--queue bad/name/../", "is not a name for a queue"),
        (f"--queue {'x' * 300}", "names have at most 255"),
        (f"--exchange {'x' * 256} --routing-key a", "at most 255 are possible"),
        (f"--bind {'x' * 256}:#", "at most 255 are possible"),
        ("--queue x --queue-expires 50d", "must be at most 49d"),
        ("--resume 50d", "must be at most 49d"),
        ("--queue x --queue-max-length 9223372036854775808", "is not in the range"),
        ("--prefetch 65536", "is not in the range"),
        ("--timeout 40000d", "must be at most 36500d"),
        ("--idle-timeout 999999999999999999999", "must be at most 36500d"),
    ],
)
def test_a_value_out_of_range_is_refused_before_anything_connects(
    run_line: RunLine, flags: str, reason: str
) -> None:
    """Status 2; connecting to this port would be 3."""
    event = "" if "--exchange" in flags or "--bind" in flags else "task-failed "

    _, err = run_line(f"{event}{flags} --broker amqp://u:p@127.0.0.1:1", status=2)

    assert reason in " ".join(err.split())


@pytest.mark.parametrize("command", ["top", "graph fN1SbArXTPSVFNUvaOlinQ"])
def test_other_commands_refuse_it_too(run_line: RunLine, command: str) -> None:
    """They use the same queue."""
    _, err = run_line(f"{command} --queue a/../b --broker amqp://u:p@127.0.0.1:1", status=2)

    assert "is not a name for a queue" in err
