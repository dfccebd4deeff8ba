"""Fixtures that tests of several folders use."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from builders import samples
from tcsniff.cli import main
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery

CLOSED_PORT = "amqp://user:secret@127.0.0.1:1/"  # nothing listens at port 1
SENT = [one._replace(received="2026-11-23T18:00:00.000Z") for one in samples()]
SETTINGS = """
worker-type = "of-file"
profile = "mine"

[profiles.mine]
broker = "amqps://mine.example/v"
user = "somebody"
password-command = ["false"]
root-url = "https://tc.mine.example/"
flags = { worker-type = "of-profile" }

[profiles.other]
broker = "amqps://other.example"

[profiles.community.flags]
worker-type = "of-community"

[selections.saved]
events = ["task-failed", "task-exception"]
worker-type = "of-selection"
where = "lag"
reason = "claim-expired"
tag = "kind=build"

[selections.plain]
events = "task-failed"

[selections.gaia]
worker-type = "gaia"

[selections.elsewhere]
events = "task-running"
profile = "community"
"""


class Done(NamedTuple):
    """The result of a run."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Standard output, in lines."""
        return self.out.splitlines()


@pytest.fixture
def tcsniff(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Done]:
    """Return a function that runs tcsniff with a recording, by default of the samples."""

    def run(*words: str, over: list[Delivery] | None = None, live: bool = False) -> Done:
        path = tmp_path / "r.jsonl"
        path.write_bytes(b"".join(map(records.format_record, SENT if over is None else over)))
        source = ("--broker", CLOSED_PORT) if live else ("--from", str(path))
        status = main([*words, *source])
        done = capfdbinary.readouterr()
        return Done(status, done.out.decode(), done.err.decode())

    return run


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset every variable that tcsniff reads."""
    for name in [*os.environ]:
        if name.startswith(("TCSNIFF_", "PULSE_", "TASKCLUSTER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TCSNIFF_CONFIG", "-")


@pytest.fixture
def write_settings(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_settings: None,  # noqa: ARG001 - for its effect
) -> Callable[..., Path]:
    """Return a function that writes the settings file, and makes it the one that is read."""
    path = tmp_path / "config.toml"

    def write(text: str = SETTINGS) -> Path:
        path.write_text(text)
        monkeypatch.setenv("TCSNIFF_CONFIG", str(path))
        return path

    return write


@pytest.fixture
def run_line(
    capsys: pytest.CaptureFixture[str],
    no_settings: None,  # noqa: ARG001 - for its effect
) -> Callable[..., tuple[str, str]]:
    """Return a function that runs a command line in this process: its output and messages."""

    def run(line: str, *, status: int = 0) -> tuple[str, str]:
        ended = main(shlex.split(line))
        out, err = capsys.readouterr()
        assert ended == status, err
        return out, err

    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 64 KiB; only root can."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = f"skipped; it needs a full disk: {done.stderr.strip()}"
        if os.environ.get("TCSNIFF_TESTS_COMPLETE") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
