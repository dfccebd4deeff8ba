"""Files that are read and written at once, by one tcsniff or two, or while they are rotated."""

from __future__ import annotations

import gzip
import os
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from recording_samples import SHORT, read
from running import PATIENCE, Running, command, environment, finished
from tcsniff.pulse import records

DEMO = ("--demo", "--seed", "1", "--utc")
TEXT = b"".join(SHORT)
GRAPH = b'{"A": {"label": "a", "dependencies": {}, "task": {}}}'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Go to a folder with a file, and other names for it."""
    monkeypatch.chdir(tmp_path)
    Path("F").write_bytes(TEXT)
    Path("symlink").symlink_to("F")
    Path("hardlink").hardlink_to("F")
    Path("settings.toml").write_text("", encoding="ascii")
    Path("settings").write_text("# nothing\n", encoding="ascii")
    Path("password").write_text("secret\n", encoding="ascii")
    Path("profile.toml").write_text(
        '[profiles.mine]\nbroker = "amqp://u@localhost"\npassword-file = "password"\n',
        encoding="ascii",
    )
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {name: data for name, data in files.items() if data}


@pytest.mark.parametrize(
    "words",
    [
        "--from F --record F",
        "--from F --record ./F",
        "--from F --record symlink",
        "--from symlink --record hardlink",
        "--from hardlink --save-svg F",
        "--from F --record /dev/fd/0 <>F",
        "--from F >>F",
        "--from symlink >>F",
        "--from - <F >>F",
        "--from - --record F <F",
        "top --from F >>F",
        "top --from F --record hardlink",
        "graph --from F >>F",
        "graph --graph F --save-svg F",
        "browse --graph F --save-svg F",
        "graph --demo --graph F --record symlink",
        "graph --graph F --no-wait >>F",
        "--demo --config settings --record settings",
        "--demo --config settings.toml --save-svg settings.toml",
        "--demo --config settings.toml >>settings.toml",
        "top --demo --config settings.toml --save-svg settings.toml",
        "explain task-failed --config settings.toml >>settings.toml",
        "config --config settings.toml >>settings.toml",
        "exchanges --config settings.toml >>settings.toml",
        "doctor --broker amqp://u@localhost --password-file password >>password",
        "task-failed --broker amqp://u@localhost --password-file password --record password",
        "task-failed --broker amqps://u@localhost --tls-ca F --record F",
        "--demo --config profile.toml --profile mine --record password",
        "simulate --broker amqp://u@localhost --password-file F --graph F",
        "--demo --record new --save-svg new",
        "--demo --record F --save-svg hardlink",
        "--demo --record new >>new",
        "top --demo --record new --save-svg ./new",
        "graph --demo --record new --save-svg new",
        "simulate --broker amqp://localhost --graph new >>new",
    ],
)
def test_no_file_is_used_twice(words, folder):
    """Not read and written, nor written twice, under any name: status 2, and nothing changes."""
    before = content(folder)
    line = f'"$0" -m tcsniff {words}'
    done = subprocess.run(
        ["sh", "-c", line, command()[0]],
        env=environment({"PYTHONPATH": str(Path(__file__).parents[2])}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 2
    assert " is also what " in done.stderr
    assert content(folder) == before


@pytest.mark.parametrize(
    "words",
    [
        "--demo -n 5 --record /dev/null >/dev/null",
        "--demo -n 5 --record /dev/null --save-svg /dev/null",
        "--from F --from F --record copy",
        "--from F --record copy --save-svg picture",
        "config --example --config settings.toml >settings.toml",
    ],
)
def test_files_that_can_be_used_twice(words, folder):
    """Devices, two inputs, and the example that becomes the settings file."""
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m tcsniff {words}', command()[0]],
        env=environment({"PYTHONPATH": str(Path(__file__).parents[2])}),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        cwd=folder,
    )

    assert done.returncode == 0


@pytest.mark.parametrize("ending", ["zst", "xz", "bz2", "lz4", "zip", "gzip", "Z", "svg", "csv"])
@pytest.mark.parametrize("words", [("--record",), ("simulate", "--graph")], ids=" ".join)
def test_an_ending_of_another_format_is_refused(ending, words, tmp_path):
    """The file would not be what its name says."""
    path = tmp_path / f"r.jsonl.{ending}"
    source = ("--broker", "amqp://localhost") if "simulate" in words else DEMO
    done = finished(*words, str(path), *source)

    assert done.returncode == 2
    assert f"{path}: the ending .{ending} is unknown" in done.stderr.replace(".z ", ".Z ")
    assert not path.exists()


@pytest.mark.parametrize("name", ["r", "r.json", "r.JSONL", "r.log", "r.jsonl.1", "r.2026.11.25"])
def test_plain_names_are_recorded(name, tmp_path):
    """Without an ending, with one for text, with a number or a date."""
    done = finished(*DEMO, "-n", "3", "--record", str(tmp_path / name))

    assert done.returncode == 0
    assert (tmp_path / name).read_bytes().count(b"\n") == 3


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
def test_two_cannot_record_to_one_file(name, tmp_path):
    """The second is refused and says why; the first goes on."""
    path = tmp_path / name
    with Running(*DEMO, "--all", "-o", "json", "--record", str(path)) as first:
        first.lines(10)
        second = finished(*DEMO, "-n", "3", "--record", str(path))

        assert second.returncode == 7
        assert f"another tcsniff records to {path}" in second.stderr
        first.lines(60)
        assert first.signal(signal.SIGINT) == 130
    assert read(path)[1] == []
    assert finished(*DEMO, "-n", "3", "--record", str(path)).returncode == 0


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
@pytest.mark.parametrize("change", ["rename", "remove", "replace"])
def test_a_recording_opens_its_name_again(name, change, tmp_path):
    """Within seconds, when another program has renamed, removed or replaced the file."""
    path, old = tmp_path / name, tmp_path / f"old-{name}"
    with Running(*DEMO, "--all", "-o", "json", "--record", str(path)) as running:
        running.lines(5)
        path.rename(old)
        if change == "remove":
            old.unlink()
        if change == "replace":
            path.touch()
        deadline = time.monotonic() + 10
        number = 5
        while not path.exists() or not path.stat().st_size:
            assert time.monotonic() < deadline
            number += 5
            running.lines(number)
        shown = running.lines(number + 100)
        assert running.signal(signal.SIGINT) == 130

    kept = [] if change == "remove" else read(old)[0]
    found, messages = read(path)
    lines = [records.format_record(one).decode().rstrip("\n") for one in [*kept, *found]]
    assert messages == []
    assert set(shown[-20:]) <= set(lines)
    if change != "remove":
        assert lines[: len(shown)] == shown


def test_a_recording_whose_folder_is_gone_ends(tmp_path):
    """Status 7, with the reason."""
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "r.jsonl"
    with Running(*DEMO, "-o", "raw", "--record", str(path)) as running:
        running.lines(3)
        path.unlink()
        folder.rmdir()

        assert running.status() == 7
    assert f"cannot write the recording {path}: No such file or directory" in running.said()


# Following a name


@pytest.mark.parametrize("change", ["rename", "truncate", "remove"])
@pytest.mark.parametrize("is_compressed", [False, True], ids=["plain", "gz"])
def test_a_file_is_followed_by_its_name(change, is_compressed, tmp_path):
    """As by `tail -F`: all of the old file, then all of the new one."""
    pack = gzip.compress if is_compressed else bytes
    path = tmp_path / "r.jsonl"
    path.write_bytes(pack(SHORT[0]))
    with Running("--from", str(path), "--follow", "-o", "raw") as following:
        following.lines(1)
        if change == "truncate":
            path.write_bytes(b"")
            following.mentions("was truncated")
        elif change == "rename":
            path.rename(tmp_path / "r.jsonl.1")
            following.mentions("is gone")
        else:
            path.unlink()
            following.mentions("is gone")
        with path.open("ab") as file:
            file.write(pack(SHORT[1]))
        following.lines(2)
        with path.open("ab") as file:
            file.write(pack(SHORT[2]))

        assert following.lines(3) == ["0", "1", "2"]
        assert following.signal(signal.SIGINT) == 130


def test_the_rest_of_a_rotated_file_is_read(tmp_path):
    """What was written after the last look, before the new file; a torn line is not joined."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(SHORT[0])
    with Running("--from", str(path), "--follow", "-o", "raw") as following:
        following.lines(1)
        new = tmp_path / "new"
        new.write_bytes(SHORT[2])
        with path.open("ab") as file:
            file.write(SHORT[1] + SHORT[3][:20])
        new.rename(path)

        assert following.lines(3) == ["0", "1", "2"]
        following.mentions("was replaced")


def test_a_recording_is_followed_through_its_rotation(tmp_path):
    """One tcsniff records, another follows the name: nothing is missing."""
    path = tmp_path / "r.jsonl"
    path.touch()
    with (
        Running(*DEMO, "--all", "-o", "json", "--record", str(path)) as recording,
        Running("--from", str(path), "--follow", "-o", "json") as following,
    ):
        following.lines(5)
        path.rename(tmp_path / "old.jsonl")
        shown = recording.lines(300)

        assert following.lines(300)[:300] == shown[:300]


# Pictures


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def picture_of(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return finished(*DEMO, "-n", "20", "-o", "raw", "--save-svg", str(path), *words)


@pytest.mark.parametrize("words", [DEMO, ("graph", *DEMO), ("top", "--demo", "--seed", "1")])
def test_a_picture_replaces_its_file_whole(words, tmp_path):
    """Until the end the old one is there; permissions and links stay; nothing else is left."""
    path, link = tmp_path / "p.svg", tmp_path / "link.svg"
    path.write_text("old", encoding="ascii")
    path.chmod(0o640)
    link.symlink_to(path)
    reader = path.open(encoding="utf-8")
    done = finished(*words, "-n", "20", "--save-svg", str(link))

    with reader:
        assert reader.read() == "old"  # a new file has taken the name
    assert done.returncode in (0, 12)
    assert path.read_text(encoding="utf-8").endswith("</svg>\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert list_names(tmp_path) == ["link.svg", "p.svg"]


def test_a_new_picture_has_the_usual_permissions(tmp_path):
    """Those of the user's mask."""
    (tmp_path / "usual").touch()
    picture_of(tmp_path / "p.svg")

    assert (tmp_path / "p.svg").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_run_that_is_killed_leaves_the_old_picture(tmp_path):
    """And no part of a new one."""
    path = tmp_path / "p.svg"
    path.write_text("old", encoding="ascii")
    with Running(*DEMO, "--save-svg", str(path)) as running:
        running.lines(1)
        running.process.kill()
        running.process.wait(PATIENCE)

    assert path.read_text(encoding="ascii") == "old"
    assert list_names(tmp_path) == ["p.svg"]


def test_a_full_disk_leaves_the_old_picture(small_disk):
    """Status 7; half a picture is worse than none."""
    path = small_disk / "p.svg"
    path.write_text("old", encoding="ascii")
    fill = small_disk / "fill"
    try:
        with fill.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
    except OSError:
        pass
    done = picture_of(path)
    fill.unlink()

    assert done.returncode == 7
    assert "No space left on device" in done.stderr
    assert path.read_text(encoding="ascii") == "old"
    assert list_names(small_disk) == ["p.svg"]


def test_a_picture_goes_into_a_named_pipe(tmp_path):
    """It is written there, not in its place."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE, text=True) as reader:
        done = picture_of(path)
        picture = reader.communicate(timeout=PATIENCE)[0]

    assert done.returncode == 0
    assert picture.startswith("<svg")
    assert picture.endswith("</svg>\n")
    assert path.is_fifo()
