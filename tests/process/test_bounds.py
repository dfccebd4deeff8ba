"""Inputs without end, little memory, and password files that others can read."""

from __future__ import annotations

import resource
import subprocess

import orjson
import pytest

from builders import delivery
from running import PATIENCE, command, environment, finished
from tcsniff.pulse import records

NOWHERE = "amqp://u@127.0.0.1:1"  # nothing listens there
PROFILE = '[profiles.mine]\nbroker = "amqp://u@127.0.0.1:1"\npassword-file = "{}"\n'


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (("--from", "/dev/zero"), 6, "/dev/zero:1: the line is longer than 64 MiB"),
        (("top", "--from", "/dev/zero"), 6, "the line is longer than 64 MiB"),
        (("graph", "--from", "/dev/zero"), 6, "the line is longer than 64 MiB"),
        (("graph", "--graph", "/dev/zero", "--no-wait"), 6, "/dev/zero: larger than 512 MiB"),
        (("config", "--config", "/dev/zero"), 2, "/dev/zero is larger than 1 MiB"),
        (("explain", "--config", "/dev/zero", "task-failed"), 2, "is larger than 1 MiB"),
        (("--broker", NOWHERE, "task-failed", "--password-file", "/dev/zero"), 2, "4,096 bytes"),
        (("simulate", "--broker", NOWHERE, "--password-file", "/dev/zero"), 2, "4,096 bytes"),
        (("doctor", "--broker", NOWHERE, "--password-file", "/dev/zero"), 2, "4,096 bytes"),
    ],
    ids=str,
)
def test_a_file_without_an_end_is_refused(words, status, reason):
    """In each place that reads one."""
    done = finished(*words)

    assert done.returncode == status
    assert reason in " ".join((done.stdout + done.stderr).split())


def test_a_settings_file_may_have_a_byte_order_mark(tmp_path):
    """As some editors write it."""
    path = tmp_path / "config.toml"
    path.write_bytes(b'\xef\xbb\xbfworker-type = "gaia"\r\n')

    done = finished("explain", "task-failed", "--config", str(path))

    assert done.returncode == 0, done.stderr
    assert "gaia" in done.stdout


@pytest.mark.parametrize("megabytes", [110, 160])
@pytest.mark.parametrize("view", ["json", "lines"])
def test_running_out_of_memory_is_reported(view, megabytes):
    """As what it is: not as a bug."""
    limit = megabytes << 20
    process = subprocess.Popen(
        command("--from", "-", "-o", view),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),  # noqa: PLW1509
    )
    record = records.format_record(delivery(body=b'"%b"' % (b"x" * (60 << 20))))
    out, said = process.communicate(record, timeout=PATIENCE)

    assert (process.returncode, out) == (6, b"")
    assert said.startswith(b"tcsniff: out of memory; ")
    assert b"bug" not in said


@pytest.mark.parametrize("mode", [0o600, 0o644])
@pytest.mark.parametrize("source", ["flag", "profile", "variable"])
@pytest.mark.parametrize("name", ["sniff", "top", "simulate", "doctor"])
def test_a_password_file_that_others_can_read_is_reported(name, source, mode, tmp_path):
    """With what to do, wherever the file's name is from."""
    path, settings = tmp_path / "password", tmp_path / "config.toml"
    path.write_text("secret\n", encoding="ascii")
    path.chmod(mode)
    settings.write_text(PROFILE.format(path), encoding="ascii")
    words = {
        "flag": ("--broker", NOWHERE, "--password-file", str(path)),
        "profile": ("--profile", "mine", "--config", str(settings)),
        "variable": ("--broker", NOWHERE),
    }[source]
    events = () if name == "simulate" else ("task-failed",)
    variables = {"TCSNIFF_PASSWORD_FILE": str(path)} if source == "variable" else {}

    done = finished(
        name, *events, *words, *(("--json",) if name == "doctor" else ()), env=variables
    )

    said = done.stderr
    if name == "doctor":
        said = orjson.loads(done.stdout.splitlines()[0])["advice"] or ""
    assert done.returncode == 3
    assert (f"other users can read the password file {path}; protect it" in said) == (
        mode == 0o644
    )
    assert "secret" not in done.stdout + done.stderr
