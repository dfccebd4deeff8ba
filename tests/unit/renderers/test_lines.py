"""What is written line by line: readable lines, JSON, raw bodies, and the output under them."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import event, samples, time_zone
from tcsniff.errors import OutputClosed, OutputError
from tcsniff.pulse.events import Event
from tcsniff.pulse.exchanges import CATALOG
from tcsniff.pulse.records import format_record
from tcsniff.renderers.lines import LINE_FORMATS, ColumnFormatter, LineRenderer
from tcsniff.renderers.output import Output, get_terminal_size

CONTROLS = {"Cc", "Cf", "Zl", "Zp", "Cs"}
UNTRUSTED = "\x1b[31m\x9b1m\u202e\u2066\n\r\u2028\x00\u200b\x7f"
WICKED = st.text(
    st.sampled_from('ab"\\日') | st.characters(categories=["Cc", "Cf", "Zl", "Zp"]), max_size=20
)


@pytest.fixture(autouse=True)
def utc():
    with time_zone("UTC"):
        yield


class Place:
    """Where data goes: a pipe, or a terminal; remembers it."""

    def __init__(self, *, terminal=False):
        self.terminal = terminal
        self.data = b""
        self.flushed = b""

    def isatty(self):
        """As the test says."""
        return self.terminal

    def write(self, data):
        """Remember."""
        self.data += data

    def flush(self):
        """Remember what has left."""
        self.flushed = self.data


def written(line_format, *events, terminal=False, heading=b""):
    """Let a renderer write events."""
    place = Place(terminal=terminal)
    renderer = LineRenderer(Output(place), line_format, heading=heading)
    renderer.show(events)
    renderer.flush()
    return place.flushed


def lines(*events, color=False, ascii_only=False, heading=False):
    formatter = ColumnFormatter(color=color, ascii_only=ascii_only)
    first = formatter.format_heading() if heading else b""
    return written(formatter.line_format, *events, heading=first).decode().splitlines()


def controls(text):
    return {one for one in text if one != "\n" and unicodedata.category(one) in CONTROLS}


# Readable lines.


def test_an_event_is_a_line():
    """Its columns below each other, nothing cut off, and no blanks at the end."""
    long = "a-label-that-is-much-longer-than-its-column-is-wide"

    assert lines(
        event("task-running"), event("task-exception", retried=True, label=long), heading=True
    ) == [
        "TIME      EVENT             STATE        TASK                                      "
        "TASK ID                 RUN  POOL                      WORKER                      "
        "REASON",
        "18:00:03  ▶ running         running      test-linux/opt-1                          "
        "fN1SbArXTPSVFNUvaOlinQ    0  gecko-t/t-linux-large     us-east-1 i-0a1b2c3d",
        "18:01:05  ! exception       pending      "
        "a-label-that-is-much-longer-than-its-column-is-wide  "
        "fN1SbArXTPSVFNUvaOlinQ    0  gecko-t/t-linux-large     us-east-1 i-0a1b2c3d        "
        "claim-expired, retried",
    ]


def test_a_heading_is_written_once_and_only_when_asked_for():
    """At the very beginning."""
    place = Place()
    formatter = ColumnFormatter()
    renderer = LineRenderer(
        Output(place), formatter.line_format, heading=formatter.format_heading()
    )

    for _ in range(3):
        renderer.show([event()])
        renderer.flush()

    assert place.data.decode().startswith("TIME ")
    assert place.data.decode().count("TIME") == 1
    assert "TIME" not in "".join(lines(event()))


@pytest.mark.parametrize("name", [exchange.name for exchange in CATALOG])
def test_every_kind_of_event_is_one_line(name):
    """Whatever service publishes it."""
    (only,) = lines(event(name))

    assert only == only.rstrip()
    assert not controls(only)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("task-running", "\x1b[36m▶ running\x1b[0m"),
        ("task-failed", "\x1b[1;31m✖ failed\x1b[0m"),
        ("task-exception", "\x1b[1;35m! exception\x1b[0m"),
        ("task-completed", "\x1b[32m✔ completed\x1b[0m"),
        ("task-defined", "\x1b[2m○ defined\x1b[0m"),
        ("push", "· push"),
    ],
)
def test_what_happened_is_colored_when_asked_for(name, start):
    """And nothing else is, nor anything if not."""
    (colored,), (plain,) = lines(event(name), color=True), lines(event(name))

    assert start in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain
    assert colored.count("\x1b") == start.count("\x1b")
    assert "\x1b" not in plain


def test_lines_in_ascii_hold_our_symbols_in_ascii():
    """For logs and terminals that know no more."""
    assert "".join(lines(*(event(one.name) for one in CATALOG), ascii_only=True)).isascii()


@given(label=WICKED, key=st.none() | WICKED, color=st.booleans())
def test_no_untrusted_text_starts_a_line_or_commands_a_terminal(label, key, color):
    """Whatever a label or a routing key holds, it is shown in its line."""
    untrusted = event(label=label, key=key)

    found = lines(untrusted, color=color)

    assert len(found) == 1
    assert not controls(re.sub(r"\x1b\[[0-9;]*m", "", found[0]))


# JSON lines.


def test_json_lines_are_the_records():
    """One an event, in a pipe byte for byte what `records.line` promises."""
    data = written(LINE_FORMATS["json"], *map(Event, samples()))

    assert data == b"".join(map(format_record, samples()))


def test_json_on_a_terminal_has_the_same_value_and_commands_nothing():
    """C1 controls, DEL and bidi overrides, which JSON leaves as they are, are escaped."""
    untrusted = event(
        body=json.dumps({"\u202eé": UNTRUSTED}, ensure_ascii=False).encode(),
        routes=["a\x9b31m\u2066日本\U000e0041"],
        key="k\x85",
    )

    on_terminal = written(LINE_FORMATS["json"], untrusted, terminal=True)
    in_pipe = written(LINE_FORMATS["json"], untrusted)

    assert "\x9b" in in_pipe.decode()
    assert not controls(on_terminal.decode())
    assert on_terminal.count(b"\n") == 1
    assert json.loads(on_terminal) == json.loads(in_pipe)
    assert "日本" in on_terminal.decode()


@given(texts=st.lists(WICKED, max_size=3), raw=st.binary(max_size=10), terminal=st.booleans())
def test_every_line_of_json_can_be_read(texts, raw, terminal):
    """As many lines as events, wherever they go."""
    events = [event(body=json.dumps(text, ensure_ascii=False).encode()) for text in texts]

    data = written(LINE_FORMATS["json"], *events, event(body=raw), terminal=terminal)

    records = [json.loads(one) for one in data.removesuffix(b"\n").split(b"\n")]
    assert [record["payload"] for record in records[:-1]] == texts
    assert not terminal or not controls(data.decode())


# Raw bodies.


@given(bodies=st.lists(st.binary(), max_size=4))
def test_a_raw_body_is_byte_for_byte_in_a_pipe(bodies):
    """With a line feed after each, and whatever is in it."""
    data = written(LINE_FORMATS["raw"], *(event(body=body) for body in bodies))

    assert data == b"".join(body + b"\n" for body in bodies)


@given(bodies=st.lists(st.binary() | WICKED.map(str.encode), max_size=4))
def test_a_raw_body_commands_no_terminal(bodies):
    """It is shown in a line of its own, with escapes where it would."""
    data = written(LINE_FORMATS["raw"], *(event(body=body) for body in bodies), terminal=True)

    assert not controls(data.decode())
    assert data.count(b"\n") == len(bodies)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"\x1b[31m", rb"\x1b[31m"),
        ("\u202eé".encode(), r"\u202eé".encode()),
        (b"\xff\x9b", rb"\xff\x9b"),
        (b"a\nb", rb"a\x0ab"),
        (b'{"a":1}', b'{"a":1}'),
    ],
)
def test_a_raw_body_on_a_terminal_shows_what_it_is(body, shown):
    """Letters as they are, the rest as escapes."""
    assert written(LINE_FORMATS["raw"], event(body=body), terminal=True) == shown + b"\n"


# All of them, and the output.


FORMATS = [
    pytest.param(LINE_FORMATS["json"], id="json"),
    pytest.param(LINE_FORMATS["raw"], id="raw"),
    pytest.param(ColumnFormatter().line_format, id="lines"),
]


@pytest.mark.parametrize("line_format", FORMATS)
def test_nothing_is_written_before_it_is_flushed_nor_twice(line_format):
    """A batch leaves with its flush, in one write; a quiet moment writes nothing."""
    place = Place()
    renderer = LineRenderer(Output(place), line_format)

    renderer.show([event(), event()])
    assert place.data == b""
    renderer.flush()
    once = place.flushed
    renderer.show([])
    renderer.flush()
    renderer.close()

    assert once.count(b"\n") == 2
    assert place.data == once


def test_a_reader_that_went_away_is_told_apart():
    """`tcsniff | head` ends quietly."""
    reading, writing = os.pipe()
    os.close(reading)

    with os.fdopen(writing, "wb", buffering=0) as pipe, pytest.raises(OutputClosed) as closed:
        Output(pipe).write(b"lost\n")

    assert closed.value.exit_status == 141


def test_a_full_disk_is_told():
    """With the system's reason."""
    with (
        open("/dev/full", "wb", buffering=0) as full,  # noqa: PTH123 - no method of Path is unbuffered with less
        pytest.raises(OutputError, match="cannot write the output: No space left") as error,
    ):
        Output(full).write(b"lost\n")

    assert error.value.exit_status == 7


def test_a_pipe_is_no_terminal(tmp_path):
    """Nor is a file."""
    with (tmp_path / "file").open("wb") as file:
        assert not Output(file).is_terminal


def test_without_a_file_it_is_standard_output(capsysbinary):
    """Where data goes, and nothing else."""
    Output().write(b"data\n")

    assert capsysbinary.readouterr().out == b"data\n"


@pytest.mark.parametrize(
    ("columns", "lines", "size"),
    [
        (None, None, (80, 24)),
        ("100", "50", (100, 50)),
        ("0", "0", (80, 24)),
        ("", "", (80, 24)),
        ("-5", "many", (80, 24)),
        ("1" * 5, "1", (11111, 1)),
    ],
)
def test_without_a_terminal_the_environment_tells_the_size(monkeypatch, columns, lines, size):
    """And what makes no sense there is passed over."""
    for name, value in (("COLUMNS", columns), ("LINES", lines)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)

    with open(os.devnull, "w", encoding="ascii") as nowhere:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", nowhere)
        assert get_terminal_size() == size
