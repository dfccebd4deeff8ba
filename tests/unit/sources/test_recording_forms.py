"""Recordings in other forms than ours, and without end."""

from __future__ import annotations

import gzip
import json
import re
import tracemalloc

import pytest

from recording_samples import SHORT, keys, read
from tcsniff.errors import RecordingError
from tcsniff.sources.recording import Recording

# Forms of JSON


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: b"\xef\xbb\xbf" + b"".join(lines),
        lambda lines: b"".join(b"\xef\xbb\xbf" + line for line in lines),
        lambda lines: b"".join(b"\x1e" + line for line in lines),
        lambda lines: b"\xef\xbb\xbf" + b"".join(b"\x1e" + line for line in lines),
        lambda lines: b"\r\n".join(line.rstrip(b"\n") for line in lines),
        lambda lines: b"\xef\xbb\xbf[" + b",\n".join(lines) + b"]",
        lambda lines: gzip.compress(b"\xef\xbb\xbf" + b"".join(lines)),
    ],
    ids=["mark", "marks of joined files", "RFC 7464", "both", "CRLF", "array", "gz"],
)
def test_marks_of_other_programs_are_not_part_of_records(change, tmp_path):
    """Byte order marks, record separators and carriage returns."""
    path = tmp_path / "r"
    path.write_bytes(change(SHORT))

    found, messages = read(path)

    assert (keys(found), messages) == ([f"key.{number}" for number in range(4)], [])


@pytest.mark.parametrize(
    ("start", "advice"),
    [
        (b"\x28\xb5\x2f\xfd\x00", "zstd -dc"),
        (b"\xfd7zXZ\x00\x00", "xz -dc"),
        (b"BZh91AY", "bzip2 -dc"),
        (b"\x04\x22\x4d\x18\x40", "lz4 -dc"),
        (b"PK\x03\x04\x14", "unzip -p"),
        ('{"received"'.encode("utf-16"), "iconv -f UTF-16 -t UTF-8"),
        ('{"received"'.encode("utf-16-be"), "contains no record"),
        (json.dumps(json.loads(SHORT[0]), indent=2).encode(), "jq -c ."),
        (json.dumps(json.loads(SHORT[0]), indent="\t").encode(), "jq -c ."),
        (SHORT[0].replace(b',"exchange"', b',\n"exchange"'), "jq -c ."),
    ],
)
def test_other_formats_are_refused_with_what_to_do(start, advice, tmp_path):
    """One line names the program that converts the file; no line for each skipped one."""
    path = tmp_path / "r"
    path.write_bytes(start)
    messages = []

    with (
        pytest.raises(RecordingError, match=re.escape(advice)),
        Recording([str(path)], messages.append) as recording,
    ):
        list(recording.batches())

    assert "jq" not in advice or messages == []


# Bounds


@pytest.mark.parametrize("head", [b"", b'{"received":"', b"[{", b"\n", SHORT[0]])
def test_a_line_without_an_end_is_not_read_without_bound(head, tmp_path):
    """As that of /dev/zero, or of a small file that decompresses to a large one."""
    zeros = bytes(1 << 20)
    path = tmp_path / "r.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head)
        for _ in range(70):
            file.write(zeros)

    tracemalloc.start()
    try:
        with pytest.raises(RecordingError, match="64 MiB"):
            read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 256 << 20
