"""``tcsniff help`` as a process: its errors, and output that cannot be written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from running import command, finished


@pytest.mark.parametrize(
    "words",
    [
        ["help", "record"],
        ["exchanges"],
        ["schema"],
        ["completion", "zsh"],
        ["explain", "--all"],
        ["--columns", "help"],
        ["config"],
        ["config", "--example"],
        ["--version"],
        ["--help"],
        ["doctor", "--help"],
    ],
    ids=" ".join,
)
def test_a_list_that_cannot_be_written_ends_as_events_do(words):
    """Status 7 for a full disk, 141 for a reader that went away; no word of a bug."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command(*words), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    ends = os.pipe()
    os.close(ends[0])
    gone = subprocess.run(
        command(*words), stdout=ends[1], stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(ends[1])

    assert done.returncode == 7
    assert done.stderr.startswith("tcsniff: cannot write the output: ")
    assert (gone.returncode, gone.stderr) == (141, "")


def test_more_than_one_topic_is_an_error():
    """Status 2, and a line."""
    done = finished("help", "record", "recipes")

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
