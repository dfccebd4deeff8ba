"""The file of a recording that other programs change meanwhile."""

from __future__ import annotations

import gzip
import os
from contextlib import closing
from pathlib import Path

from tcsniff.renderers.record_file import RecordFile


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_truncated_compressed_recording_can_be_read_from_its_new_start(tmp_path: Path) -> None:
    """The rest of the old gzip member would be unreadable without its start."""
    path, clock = tmp_path / "events.jsonl.gz", Clock()
    with closing(RecordFile(str(path), clock=clock)) as file:
        file.append(b'"lost"\n' * 1000)
        os.truncate(path, 0)
        clock.now += 60
        file.follow_name()
        file.append(b'"kept"\n')

    assert gzip.decompress(path.read_bytes()) == b'"kept"\n'


def test_a_truncated_recording_goes_on_with_whole_lines(tmp_path: Path) -> None:
    """What was cut off is gone; nothing is written after a hole of zeros."""
    path, clock = tmp_path / "events.jsonl", Clock()
    with closing(RecordFile(str(path), clock=clock)) as file:
        file.append(b"1\n2\n")
        os.truncate(path, 0)
        clock.now += 60
        file.follow_name()
        file.append(b"3\n")

    assert path.read_bytes() == b"3\n"
