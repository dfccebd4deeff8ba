"""Recordings: written, torn, cut, compressed, and read again."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import threading

import orjson
import pytest

from builders import delivery
from recording_samples import (
    MANY,
    SAMPLES,
    SHORT,
    TEXT,
    Messages,
    keys,
    read,
    record,
)
from running import PATIENCE
from tcsniff.cli import main
from tcsniff.errors import RecordingError
from tcsniff.pipeline import Renderer
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.events import Event
from tcsniff.renderers.recorder import Recorder
from tcsniff.simulator.simulation import simulate
from tcsniff.sources import file_chunks
from tcsniff.sources.recording import Recording


def compressed(lines: list[bytes]) -> bytes:
    """Compress as ``--record`` does, a batch a line."""
    kept = io.BytesIO()
    with gzip.GzipFile(fileobj=kept, mode="wb", mtime=0) as file:
        for line in lines:
            file.write(line)
            file.flush()
    return kept.getvalue()


# There and back


def test_a_record_read_and_written_again_is_the_same_bytes(tmp_path, capfdbinary):
    """Through ``-o json``: numbers, repeated keys, order, spaces, base64, odd addresses."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(TEXT)

    status = main(["--from", str(path), "-o", "json"])

    assert (status, capfdbinary.readouterr().out) == (0, TEXT)


@pytest.mark.parametrize("name", ["copy.jsonl", "copy.jsonl.gz"])
def test_what_is_recorded_besides_is_the_same_bytes(name, tmp_path, capfdbinary):
    """``--record``, plain and compressed, besides another view; and back."""
    path, copy = tmp_path / "r.jsonl", tmp_path / name
    path.write_bytes(TEXT)

    assert main(["--from", str(path), "--record", str(copy), "-o", "raw"]) == 0
    raw = capfdbinary.readouterr().out
    assert main(["--from", str(copy), "-o", "json"]) == 0

    assert capfdbinary.readouterr().out == TEXT
    assert SAMPLES[0].body in raw
    assert (gzip.decompress if name.endswith(".gz") else bytes)(copy.read_bytes()) == TEXT


def test_a_body_comes_back_to_the_byte(tmp_path):
    """Whatever was delivered is delivered, unless line breaks stood between tokens."""
    (tmp_path / "r.jsonl").write_bytes(TEXT)

    found, messages = read(tmp_path / "r.jsonl")

    assert [one._replace(cc=set(one.cc)) for one in found] == [
        one._replace(cc=set(one.cc)) for one in MANY
    ]
    assert messages == []


def test_several_files_follow_one_another(tmp_path):
    """In the order given, compressed or not, the same one twice."""
    (tmp_path / "a").write_bytes(SHORT[0] + SHORT[1])
    (tmp_path / "b").write_bytes(gzip.compress(SHORT[2]))

    found, _ = read(tmp_path / "b", tmp_path / "a", tmp_path / "b")

    assert keys(found) == ["key.2", "key.0", "key.1", "key.2"]


def test_a_line_is_read_whatever_the_chunks(tmp_path, monkeypatch):
    """Lines across chunks, and lines longer than several of them."""
    (tmp_path / "a").write_bytes(TEXT)
    (tmp_path / "b").write_bytes(gzip.compress(TEXT))
    for size in (17, 4096):
        monkeypatch.setattr(file_chunks, "CHUNK", size)

        assert keys(read(tmp_path / "a")[0]) == keys(MANY)
        assert keys(read(tmp_path / "b")[0]) == keys(MANY)


def test_lines_may_end_as_on_windows(tmp_path):
    """And the last one without an end."""
    (tmp_path / "a").write_bytes(b"".join(SHORT).replace(b"\n", b"\r\n").removesuffix(b"\r\n"))

    assert keys(read(tmp_path / "a")[0]) == ["key.0", "key.1", "key.2", "key.3"]


@pytest.mark.parametrize("depth", [500, 900, 1000, 1023, 1024])
def test_what_was_written_can_be_read_however_deep_it_is(depth, tmp_path):
    """As payload or in base64: not one that the writer takes and the reader refuses."""
    body = b"[" * depth + b"]" * depth
    (tmp_path / "r").write_bytes(records.format_record(delivery(body=body)))

    found, messages = read(tmp_path / "r")

    assert ([one.body for one in found], messages) == ([body], [])


# Torn


def test_a_torn_last_line_is_told_and_passed_over(tmp_path):
    """Wherever it was cut: all lines before it count, and nothing else is reported."""
    path = tmp_path / "r.jsonl"
    whole = SHORT[0] + SHORT[1]
    for cut in range(len(SHORT[2]) - 1):
        path.write_bytes(whole + SHORT[2][:cut])

        found, messages = read(path)

        assert keys(found) == ["key.0", "key.1"]
        assert messages == ([f"{path}:3: skipped, not a record: incomplete line"] if cut else [])


def test_a_last_line_without_a_line_feed_is_whole(tmp_path):
    """All of the record is there."""
    (tmp_path / "r").write_bytes((SHORT[0] + SHORT[1]).removesuffix(b"\n"))

    assert read(tmp_path / "r")[1] == []
    assert keys(read(tmp_path / "r")[0]) == ["key.0", "key.1"]


def test_a_compressed_file_is_readable_up_to_where_it_was_cut(tmp_path):
    """Every batch that had been flushed is there, the damage is reported."""
    path = tmp_path / "r.gz"
    text = compressed(SHORT)
    flushed = [len(compressed(SHORT[:number])) - 10 for number in range(len(SHORT) + 1)]
    for cut in range(flushed[1], len(text)):
        path.write_bytes(text[:cut])

        found, messages = read(path)

        least = sum(size <= cut for size in flushed[1:])
        assert keys(found)[:least] == [f"key.{number}" for number in range(least)]
        assert keys(found) == [f"key.{number}" for number in range(len(found))]
        assert f"{path}: the compressed data is incomplete" in messages


def test_a_session_after_a_torn_one_is_whole(tmp_path):
    """Plain: ``--record`` starts a new line after a torn one."""
    path = tmp_path / "r.jsonl"
    for cut in range(1, len(SHORT[1]), 7):
        path.write_bytes(SHORT[0] + SHORT[1][:cut])
        record(path, [delivery(key="new.0"), delivery(key="new.1"), delivery(key="new.2")])

        found, messages = read(path)

        assert keys(found) == ["key.0", "new.0", "new.1", "new.2"]
        assert [text.partition(": ")[0] for text in messages] == [f"{path}:2"]


def test_a_compressed_session_after_a_torn_one_is_whole(tmp_path):
    """Wherever the first was cut, no record of the second is lost, the first one neither."""
    path = tmp_path / "r.gz"
    text = compressed(SHORT)
    lost = {}
    for cut in range(12, len(text)):
        path.write_bytes(text[:cut])
        record(path, [delivery(key="new.0"), delivery(key="new.1"), delivery(key="new.2")])

        found = keys(read(path)[0])

        if [key for key in found if key.startswith("new")] != ["new.0", "new.1", "new.2"]:
            lost[cut] = found
    assert lost == {}


def test_a_compressed_session_is_found_across_chunks(tmp_path, monkeypatch):
    """A pipe hands out any number of bytes at a time: a member may begin at the seam of two."""
    path = tmp_path / "r.gz"
    torn = compressed(SHORT)[:-20]
    path.write_bytes(torn)
    record(path, [delivery(key="new.0"), delivery(key="new.1"), delivery(key="new.2")])
    lost = {}
    for size in (len(torn) + 1, len(torn) + 2, 7):
        monkeypatch.setattr(file_chunks, "CHUNK", size)

        found = keys(read(path)[0])

        if "new.1" not in found or "new.2" not in found:
            lost[size] = found
    assert lost == {}


def test_damage_in_the_middle_is_told_and_passed_over(tmp_path):
    """What stands before it counts, and so does the next session."""
    path = tmp_path / "r.gz"
    first = bytearray(gzip.compress(TEXT))
    first[len(first) // 2 :] = b"\xff" * (len(first) - len(first) // 2)
    path.write_bytes(bytes(first) + compressed([b"\n", *SHORT]))

    found, messages = read(path)

    assert keys(found)[-4:] == ["key.0", "key.1", "key.2", "key.3"]
    assert len(found) > 10
    assert any("skipped damage in the compressed data" in text for text in messages)


# Lines that are no record


def test_what_is_no_record_is_told_and_does_not_stop_it(tmp_path, capfdbinary):
    """File and line number for the first few, the number of all, and the records."""
    path = tmp_path / "r.jsonl"
    bad = [b"nonsense", b"{}", b"[1]", b'{"exchange":1}', b"\xff\xfe", b"1", b'"x"', b'{"a":']
    lines = [part for line in bad for part in (SHORT[0], line + b"\n", b"\n")]
    path.write_bytes(b"".join(lines))

    status = main(["--from", str(path)])
    done = capfdbinary.readouterr()

    said = done.err.decode()
    assert (status, done.out) == (0, SHORT[0] * len(bad))
    for number in range(5):
        assert f"tcsniff: {path}:{3 * number + 2}: skipped, not a record: " in said
    assert f"{path}:17:" not in said
    assert f"tcsniff: {path}: skipped 8 lines without a record" in said
    assert "8 invalid lines skipped" in said


@pytest.mark.parametrize("first", ["[12:00:00] starting", "[]", "[1,", " [x]"])
def test_a_first_line_that_is_no_record_does_not_stop_it_either(first, tmp_path):
    """Not even one that could be the beginning of an array."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(first.encode() + b"\n" + SHORT[0] + SHORT[1])

    found, messages = read(path)

    assert keys(found) == ["key.0", "key.1"]
    assert [text.partition(": ")[0] for text in messages] == [f"{path}:1"]


@pytest.mark.parametrize("text", [b"", b"\n\n", b"nonsense\n", b"[]", b"[1]", b"[{", b"{}\n{}\n"])
def test_a_file_without_a_record_cannot_be_read(text, tmp_path, capfdbinary):
    """Status 6: it is not what somebody meant."""
    (tmp_path / "r").write_bytes(text)

    assert main(["--from", str(tmp_path / "r")]) == 6
    done = capfdbinary.readouterr()
    assert done.out == b""
    assert (
        done.err.decode()
        .splitlines()[-1]
        .startswith(f"tcsniff: {tmp_path / 'r'}: contains no record")
    )


def test_a_selection_that_fits_nothing_is_no_failure(tmp_path, capfdbinary):
    """There are records; just not those."""
    (tmp_path / "r").write_bytes(TEXT)

    assert main(["--from", str(tmp_path / "r"), "--worker-type", "no-such"]) == 0
    done = capfdbinary.readouterr()
    assert done.out == b""
    assert f"tcsniff: {len(MANY)} received, 0 matched, 0 printed" in done.err.decode()


def test_what_cannot_be_opened_is_named_before_anything_is_shown(tmp_path, capfdbinary):
    """Missing, or a directory: status 6."""
    (tmp_path / "good").write_bytes(TEXT)
    for bad in (tmp_path / "missing", tmp_path, tmp_path / "good" / "below"):
        assert main(["--from", str(tmp_path / "good"), "--from", str(bad)]) == 6

        done = capfdbinary.readouterr()
        assert done.out == b""
        assert done.err.decode().startswith(f"tcsniff: {bad}: ")


# Other formats


def message(one: Delivery, **more: object) -> dict[str, object]:
    return {
        "payload": orjson.loads(one.body),
        "exchange": one.exchange,
        "routingKey": one.routing_key,
        "redelivered": one.redelivered,
        **more,
    }


@pytest.mark.parametrize("option", [0, orjson.OPT_INDENT_2], ids=["compact", "indented"])
def test_the_web_pages_download_can_be_read(option, tmp_path):
    """``pulse-messages.json``: an array, with ``cc`` as the broker has it, or without."""
    path = tmp_path / "pulse-messages.json"
    messages = [
        message(one, **({"cc": list(one.cc)} if place % 2 else {}))
        for place, one in enumerate(SAMPLES)
    ]
    path.write_bytes(orjson.dumps(messages, option=option))

    found, messages = read(path)

    assert messages == []
    assert [
        (one.exchange, one.routing_key, one.redelivered, orjson.loads(one.body)) for one in found
    ] == [
        (one.exchange, one.routing_key, one.redelivered, orjson.loads(one.body)) for one in SAMPLES
    ]
    assert [one.cc for one in found[1::2]] == [one.cc for one in SAMPLES[1::2]]


def test_a_download_becomes_a_recording(tmp_path, capfdbinary):
    """Selected by a route, and written as lines that read the same."""
    path = tmp_path / "pulse-messages.json"
    path.write_bytes(orjson.dumps([message(one, cc=list(one.cc)) for one in SAMPLES], option=2))
    wanted = ["task-defined", "--route", "index.#"]

    assert main(["--from", str(path), *wanted]) == 0
    first = capfdbinary.readouterr().out
    (tmp_path / "r.jsonl").write_bytes(first)
    assert main(["--from", str(tmp_path / "r.jsonl"), *wanted]) == 0

    assert capfdbinary.readouterr().out == first
    assert first.count(b"\n") == sum(
        one.exchange.endswith("task-defined") and any(r.startswith("index.") for r in one.routes)
        for one in SAMPLES
    )


def test_what_is_no_message_in_a_download_is_passed_over(tmp_path):
    """Told by its number in the array."""
    path = tmp_path / "pulse-messages.json"
    path.write_bytes(orjson.dumps([message(SAMPLES[0]), 1, {"payload": {}}, message(SAMPLES[1])]))

    found, messages = read(path)

    assert keys(found) == keys(SAMPLES[:2])
    assert [text.partition(": ")[0] for text in messages] == [f"{path}:2", f"{path}:3"]


UNTOLD = {"task-group-resolved", "task-group-sealed"}  # one schema for both


def test_a_bare_payload_tells_where_it_came_from(tmp_path):
    """For all samples the routing key, and the exchange wherever the payload tells it."""
    path = tmp_path / "payloads.jsonl"
    made = [one for _, one in itertools.islice(simulate(seed=4, start=1.795e9), 3000)]
    sent = [*SAMPLES, *made]
    path.write_bytes(b"".join(one.body + b"\n" for one in sent))

    found, messages = read(path)

    assert messages == []
    assert keys(found) == keys(sent)
    assert [one.body for one in found] == [one.body for one in sent]
    for one, other in zip(found, sent, strict=True):
        if Event(other).name not in UNTOLD:
            assert one.exchange == other.exchange


@pytest.mark.parametrize("state", ["pending", "unscheduled", "running", "completed", "failed"])
def test_a_payload_without_a_run_is_of_a_definition(state):
    """task-pending, -completed and -failed always name a run; task-defined does not."""
    given = orjson.loads(SAMPLES[0].body)
    given["status"]["state"] = state

    found = records.rebuild_delivery(orjson.dumps(given))

    assert found.exchange == "exchange/taskcluster-queue/v1/task-defined"


# Files that grow


def test_a_file_that_grows_is_followed(tmp_path):
    """Line by line, and a line that comes in pieces when it is whole."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(SHORT[0])
    steps = iter([SHORT[1], SHORT[2][:20], SHORT[2][20:], b"nonsense\n", SHORT[3][:5]])
    seen: list[list[str]] = [[]]

    def sleep(_seconds: float) -> None:
        seen.append([])
        step = next(steps, None)
        if step is None:
            recording.stop()
            return
        with path.open("ab") as file:
            file.write(step)

    messages = Messages()
    with Recording([str(path)], messages, follow=True, sleep=sleep) as recording:
        for batch in recording.batches():
            seen[-1] += keys(list(batch))

    assert seen == [["key.0"], ["key.1"], [], ["key.2"], [], [], []]
    assert [text.partition(": ")[0] for text in messages] == [f"{path}:4"]


def test_only_the_last_file_is_followed(tmp_path):
    """The one before is finished; an empty one that is followed is no failure."""
    (tmp_path / "a").write_bytes(SHORT[0])
    (tmp_path / "b").write_bytes(b"")
    waits = iter(range(3))

    def sleep(_seconds: float) -> None:
        if next(waits) == 2:
            recording.stop()

    recording = Recording(
        [str(tmp_path / "a"), str(tmp_path / "b")], Messages(), follow=True, sleep=sleep
    )

    assert [one.routing_key for batch in recording.batches() for one in batch] == ["key.0"]


@pytest.mark.parametrize("torn", [b"", SHORT[1][:30]], ids=["whole", "torn"])
def test_a_file_that_is_cut_is_read_from_its_start(torn, tmp_path):
    """As when it is rotated: it is reported, and no record after it is lost."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(SHORT[0] + SHORT[0] + torn)
    steps = iter([SHORT[2], b"", None])

    def sleep(_seconds: float) -> None:
        step = next(steps)
        if step is None:
            recording.stop()
        elif step:
            path.write_bytes(step)

    messages = Messages()
    with Recording([str(path)], messages, follow=True, sleep=sleep) as recording:
        found = [key for batch in recording.batches() for key in keys(list(batch))]

    assert found == ["key.0", "key.0", "key.2"]
    assert f"{path}: the file was truncated; reading it from its start" in messages


# The recorded pace


class Clock:
    """Time that passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("speed", [1.0, 10.0, 0.5])
def test_a_recording_can_be_replayed_at_its_pace(speed, tmp_path):
    """Each event as long after the first as then, divided by the speed."""
    seconds = [0, 0, 1, 61, 61, 55, 3661]  # one came with an older time: nobody waits for it
    stamps = [f"2026-11-23T{18 + s // 3600}:{s // 60 % 60:02}:{s % 60:02}.000Z" for s in seconds]
    deliveries = [delivery(received=stamp) for stamp in stamps]
    deliveries.insert(3, delivery(received=None))
    (tmp_path / "r").write_bytes(b"".join(map(records.format_record, deliveries)))
    clock = Clock()

    shown = []
    recording = Recording(
        [str(tmp_path / "r")], Messages(), speed=speed, clock=clock, sleep=clock.sleep
    )
    for batch in recording.batches():
        shown += [clock.now - 1000 for _ in batch]

    expected = [second / speed for second in (0, 0, 1, 1, 61, 61, 61, 3661)]
    assert shown == pytest.approx(expected, abs=1e-3)


def test_a_paced_replay_goes_on_after_a_clock_that_was_set_back(tmp_path):
    """The next records follow at their pace, neither at once nor after an hour."""
    stamps = [
        f"2026-11-23T{time}.000Z" for time in ("18:00:00", "18:00:10", "17:00:10", "17:00:20")
    ]
    (tmp_path / "r").write_bytes(
        b"".join(records.format_record(delivery(received=stamp)) for stamp in stamps)
    )
    clock = Clock()
    shown = []
    recording = Recording(
        [str(tmp_path / "r")], Messages(), speed=1, clock=clock, sleep=clock.sleep
    )
    for batch in recording.batches():
        shown += [clock.now - 1000 for _ in batch]

    assert shown == pytest.approx([0, 10, 10, 20], abs=1e-3)


def test_a_paced_replay_can_be_stopped(tmp_path):
    """It looks up often enough for Ctrl-C and ``--timeout``."""
    stamps = ("2026-11-23T18:00:00.000Z", "2026-11-24T18:00:00.000Z")
    (tmp_path / "r").write_bytes(
        b"".join(records.format_record(delivery(received=stamp)) for stamp in stamps)
    )
    clock = Clock()
    recording = Recording(
        [str(tmp_path / "r")], Messages(), speed=1, clock=clock, sleep=clock.sleep
    )
    found = []
    for batch in recording.batches():
        found += batch
        if clock.now > 1003:
            recording.stop()

    assert len(found) == 1
    assert clock.now < 1004


def test_gaps_keep_their_place(tmp_path, capfdbinary):
    """A recording with gaps, shown with ``--gaps``, is the same recording."""
    gap = records.format_gap(
        Gap("2026-11-23T18:00:00.000Z", "2026-11-23T18:00:09.000Z", True, "x")
    )
    path = tmp_path / "r.jsonl"
    path.write_bytes(SHORT[0] + gap + SHORT[1] + SHORT[2])

    assert main(["--from", str(path), "--gaps", "-o", "json"]) == 0

    assert capfdbinary.readouterr().out == SHORT[0] + gap + SHORT[1] + SHORT[2]


@pytest.mark.parametrize("name", ["missing/r.jsonl", "."])
def test_a_recording_that_cannot_be_opened_is_told(name, tmp_path, capfdbinary):
    """Status 7, before anything is shown."""
    (tmp_path / "r").write_bytes(TEXT)

    assert main(["--from", str(tmp_path / "r"), "--record", str(tmp_path / name)]) == 7
    assert capfdbinary.readouterr().out == b""


def test_a_recording_is_not_read_and_written_at_once(tmp_path, capfdbinary):
    """It would never end: each line it reads it would write behind the last."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(TEXT)

    status = main(["--from", str(path), "--record", str(path), "--timeout", "200ms"])

    assert (status, path.read_bytes()) == (2, TEXT)
    assert capfdbinary.readouterr().out == b""


def test_a_recording_can_go_into_a_pipe(tmp_path):
    """As of ``--record >(xz > FILE)``."""
    (tmp_path / "r").write_bytes(TEXT)
    heard, told = os.pipe()
    with os.fdopen(heard, "rb") as pipe:
        taken: list[bytes] = []
        reader = threading.Thread(target=lambda: taken.append(pipe.read()))
        reader.start()
        status = main(["--from", str(tmp_path / "r"), "--record", f"/dev/fd/{told}", "-o", "raw"])
        os.close(told)
        reader.join(PATIENCE)

    assert (status, taken) == (0, [TEXT])


def test_nothing_is_shown_that_was_not_recorded(tmp_path):
    """The file comes first: what a person saw is on the disk."""
    path = tmp_path / "r.jsonl"

    class View(Renderer):
        def show(self, events: object) -> None:
            self.events = events

        def flush(self) -> None:
            sizes.append(path.read_bytes().count(b"\n"))

        def close(self) -> None:
            sizes.append(-1)

    sizes: list[int] = []
    recorder = Recorder(str(path), View())
    for number in range(3):
        recorder.show([Event(one) for one in MANY[:number]])
        recorder.flush()
    recorder.close()

    assert sizes == [0, 1, 3, -1]


def test_a_broken_file_is_a_recording_error(tmp_path):
    """What the reader raises is what the command line turns into status 6."""
    with pytest.raises(RecordingError, match="No such file"):
        read(tmp_path / "missing")
