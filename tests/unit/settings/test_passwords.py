"""Passwords of files and programs: what is read, and for how long."""

from __future__ import annotations

import os
import re
import time

import pytest

from tcsniff.errors import UsageError
from tcsniff.settings.passwords import is_exposed, read_password_file, run_password_command

QUICK = 10  # seconds; the programs below would run for 100


@pytest.mark.parametrize(
    "content",
    [
        b"secret",
        b"secret\n",
        b"secret\r\nmore\n",
        b"\xef\xbb\xbfsecret\n",
        b"secret\n" + b"x" * 9999,
    ],
)
def test_the_first_line_of_a_file_is_the_password(content, tmp_path):
    """Without its end, and without the byte order mark of some editors."""
    path = tmp_path / "password"
    path.write_bytes(content)

    assert read_password_file(str(path), "--password-file") == "secret"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/dev/zero", "the first line is longer than 4,096 bytes"),
        ("/nowhere", "No such file or directory"),
        ("/", "Is a directory"),
    ],
)
def test_a_file_that_is_no_password_is_reported(path, reason):
    """Also one without an end."""
    with pytest.raises(UsageError, match=re.escape(f"--password-file {path}: {reason}")):
        read_password_file(path, "--password-file")


@pytest.mark.parametrize(
    "script",
    [
        "echo secret",
        "printf secret",
        "printf 'secret\\r\\n'",
        "printf '\\357\\273\\277secret\\n'",
        "echo secret; seq 100000",
        "echo secret; sleep 100 &",
        "printf secret; sleep 100 &",
        "sleep 100 & echo secret",
        "echo secret; exec sleep 100",
        "printf sec; sleep 0.2; echo ret",
    ],
)
def test_the_first_line_of_a_command_is_the_password(script):
    """As soon as it is there, whatever keeps running or keeps the pipe open."""
    started = time.monotonic()

    assert run_password_command(["sh", "-c", script], "profile x") == "secret"
    assert time.monotonic() - started < QUICK


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo secret; exit 3", "sh ended with status 3"),
        ("exit 4", "sh ended with status 4"),
        ("true", "sh printed no password"),
        ("echo; echo secret", "sh printed no password"),
        ("exec sleep 100", "sh printed no line within 0.5 s"),
        ("printf secret; exec sleep 100", "sh printed no line within 0.5 s"),
        ("exec cat /dev/zero", "sh: the first line is longer than 4,096 bytes"),
        ("printf '\\377\\n'", "the output of sh is not valid UTF-8"),
    ],
)
def test_a_command_without_a_password_is_reported(script, reason):
    """It failed, printed nothing, too much or in time nothing; never with what it printed."""
    started = time.monotonic()
    with pytest.raises(UsageError) as caught:
        run_password_command(["sh", "-c", script], "profile x", timeout=0.5)

    assert reason in str(caught.value)
    assert "secret" not in str(caught.value)
    assert time.monotonic() - started < QUICK


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)]
)
def test_a_file_that_others_can_read_is_exposed(mode, expected, tmp_path):
    """The group or everybody."""
    path = tmp_path / "password"
    path.touch()
    path.chmod(mode)

    assert is_exposed(str(path)) is expected


def test_pipes_and_missing_files_are_not_exposed(tmp_path):
    """As of ``--password-file <(pass show pulse)``."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o644)

    assert not is_exposed(str(pipe))
    assert not is_exposed(str(tmp_path / "missing"))
