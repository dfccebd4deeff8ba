"""Pictures of the terminal: those of runs, and those that the documents show."""

from __future__ import annotations

import re
import shlex
import signal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paths import ROOT
from running import Running, Terminal, finished
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.records import format_gap
from tcsniff.renderers.svg import draw_svg
from tcsniff.sanitize import sanitize

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
DRAWN = {
    found[2]: shlex.split(found[1])
    for found in re.finditer(
        r"^\t\$\(BIN\)/tcsniff (.*--save-svg (man/pictures/\S+).*?) *> */dev/null.*$",
        MAKEFILE,
        re.MULTILINE,
    )
}
DEMO = ("--demo", "--seed", "1", "--utc")
SVG = "{http://www.w3.org/2000/svg}"


def texts(drawing):
    """Give what a picture shows, line by line: places in pixels, and texts."""
    lines = {}
    for one in ET.fromstring(drawing).iter(f"{SVG}text"):  # noqa: S314 - our own
        lines.setdefault(float(one.get("y")), []).append((float(one.get("x")), one.text))
    return [lines[y] for y in sorted(lines)][1:]  # without the title


def rows(drawing):
    return [" ".join(text for _, text in line) for line in texts(drawing)]


def squeezed(line):
    return " ".join(line.split())


# Of the documents.


def test_make_draws_every_picture_that_there_is():
    """And there is every picture that it draws."""
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "man" / "pictures").iterdir()}

    assert there == DRAWN.keys() != set()


@pytest.mark.parametrize("path", DRAWN)
def test_no_picture_is_old(path, tmp_path):
    """What make draws today is what is there; where it is not, `make pictures` is to be run."""
    new = tmp_path / "new.svg"
    drawn = [str(new) if word == path else word for word in DRAWN[path]]

    done = finished(*drawn)

    assert done.stderr == ""
    assert done.returncode in (0, 10)  # of a group in which a task failed
    assert new.read_bytes() == (ROOT / path).read_bytes(), f"{path}: `make pictures` draws it anew"


@pytest.mark.parametrize("path", DRAWN)
def test_a_picture_needs_nothing_from_elsewhere(path):
    """No font, no script, no style, and tells nothing of the machine that drew it."""
    drawing = (ROOT / path).read_text(encoding="utf-8")

    root = ET.fromstring(drawing)  # noqa: S314 - our own
    tags = {one.tag.removeprefix(SVG) for one in root.iter()}
    assert tags <= {"svg", "title", "style", "rect", "circle", "text"}
    assert drawing.count("://") == 1  # the name of the format
    assert not re.search(r"url\(|@import|href|/home/|/root/|/tmp/", drawing)


# Of lines.


@given(st.lists(st.text(max_size=20).map(sanitize), max_size=5), st.text(max_size=9))
def test_a_picture_shows_the_text_that_it_is_given(lines, title):
    """Whatever it holds, it is a document, and has the words and nothing else."""
    drawing = draw_svg(lines, 30, title)

    assert [squeezed(row) for row in rows(drawing)] == [
        squeezed(sanitize(line)) for line in lines if re.search(r"\S", line)
    ]


def test_words_stand_where_they_stood():
    """Two or more spaces set apart; wide letters are two cells."""
    [line] = texts(draw_svg(["ab c  d 日本  e"], 40, ""))

    cells = [(round((x - 18) / 8.43, 2), text) for x, text in line]
    assert cells == [(0, "ab c"), (6, "d 日本"), (14, "e")]


@pytest.mark.parametrize(
    ("codes", "styles"),
    [
        ("1", 'class="b"'),
        ("2", 'class="d"'),
        ("1;31", 'class="b" style="fill:#ff7b72"'),
        ("92", 'style="fill:#56d364"'),
        ("38;5;208", 'style="fill:#ff8700"'),
        ("38;2;1;2;3", 'style="fill:#010203"'),
    ],
)
def test_colors_are_kept(codes, styles):
    """As the terminal has them, of a theme of our own."""
    assert f"{styles}>x</text>" in draw_svg([f"\x1b[{codes}mx\x1b[0m"], 9, "")


@pytest.mark.parametrize(
    ("codes", "fill", "letters"), [("44", "#58a6ff", ""), ("7", "#e6edf3", "fill:#0d1117")]
)
def test_backgrounds_are_kept(codes, fill, letters):
    """As boxes behind the text, also behind spaces."""
    drawing = draw_svg([f"a\x1b[{codes}m bc \x1b[0m"], 9, "")

    assert f'<rect x="26.43" y="40" fill="{fill}" width="33.72" height="20"/>' in drawing
    assert letters in drawing


# Of runs.


@pytest.mark.parametrize("view", ["json", "lines", "table", "raw"])
def test_a_run_saves_its_last_picture_in_addition_to_any_view(view, tmp_path):
    """Also without a terminal, 100 cells wide; what is printed is what would be without."""
    picture = tmp_path / "x.svg"

    done = finished(*DEMO, "-n", "50", "-o", view, "--save-svg", str(picture))
    plain = finished(*DEMO, "-n", "50", "-o", view)

    assert (done.returncode, done.stdout) == (0, plain.stdout)
    drawn = rows(picture.read_text(encoding="utf-8"))
    assert drawn[0].startswith("TIME EVENT TASK RUN POOL")
    assert len(drawn) == 24
    assert drawn[-1].startswith("● demo 50 events")


def test_the_same_events_give_the_same_picture(tmp_path):
    """Of the demo and of its recording; the name of the source alone differs."""
    recording = tmp_path / "x.jsonl"
    first, second = tmp_path / "1.svg", tmp_path / "2.svg"
    finished(*DEMO, "-n", "60", "--record", str(recording), "--save-svg", str(first))

    finished("--from", str(recording), "--utc", "--save-svg", str(second))

    drawn = [rows(path.read_text(encoding="utf-8")) for path in (first, second)]
    assert drawn[0][:-1] == drawn[1][:-1]
    assert drawn[1][-1].startswith(f"● {recording.name} 60 events")


def test_the_picture_of_a_terminal_is_what_it_shows(tmp_path):
    """In its size: the same columns and the same events."""
    picture = tmp_path / "x.svg"
    words = (*DEMO, "-n", "40", "--save-svg", str(picture))
    with Terminal(*words, columns=72, lines=14) as terminal:
        assert terminal.status() == 0
        shown = [squeezed(row) for row in terminal.shows(lambda _: True)]

    drawn = rows(picture.read_text(encoding="utf-8"))

    events = [row for row in shown if re.match(r"\d\d:\d\d:\d\d ", row)]
    assert len(events) > 8
    assert drawn[-1 - len(events) : -1] == events
    assert drawn[0] == "TIME EVENT TASK RUN"
    assert drawn[-1].startswith("● demo 40 events")
    assert "Ctrl-C" not in drawn[-1]


def test_a_picture_is_saved_after_ctrl_c(tmp_path):
    """That is how most runs end."""
    picture = tmp_path / "x.svg"
    with Running(*DEMO, "--save-svg", str(picture)) as run:
        run.lines(20)
        assert run.signal(signal.SIGINT) == 130

    assert len(rows(picture.read_text(encoding="utf-8"))) == 24


def test_without_color_the_picture_has_none(tmp_path):
    """``--color never`` is about the picture, too; a pipe is not."""
    pictures = {color: tmp_path / f"{color}.svg" for color in ("never", "auto")}
    for color, path in pictures.items():
        finished(*DEMO, "-n", "50", "--color", color, "--save-svg", str(path))

    has = {name: 'style="fill' in path.read_text("utf-8") for name, path in pictures.items()}
    assert has == {"never": False, "auto": True}


@pytest.mark.parametrize("view", [("-o", "table"), ("--json",), ("--format", "dot")], ids="".join)
def test_graph_saves_its_last_picture_in_addition_to_any_view(view, tmp_path):
    """What is printed, and the exit status, are what they would be without."""
    picture = tmp_path / "x.svg"
    words = ("graph", "--demo", "--seed", "4", *view)

    done = finished(*words, "--save-svg", str(picture))
    plain = finished(*words)

    assert (done.returncode, done.stdout) == (10, plain.stdout)
    drawn = rows(picture.read_text(encoding="utf-8"))
    assert drawn[0].startswith("task group ")
    assert "60 tasks" in drawn[0]
    assert any(row.startswith("✖ build-win64/opt") for row in drawn)


def test_graph_saves_the_picture_of_a_terminal_in_its_size(tmp_path):
    """As wide and as high as what it shows."""
    picture = tmp_path / "x.svg"
    words = ("graph", "--demo", "--seed", "4", "--save-svg", str(picture))
    with Terminal(*words, columns=64, lines=16) as terminal:
        terminal.shows(lambda screen: any("task group" in row for row in screen))
        terminal.type("\x03")
        assert terminal.status() == 130

    drawing = picture.read_text(encoding="utf-8")
    assert 'width="576"' in drawing  # 64 cells, and margins
    assert 3 < len(rows(drawing)) <= 16


@pytest.mark.parametrize("command", [(), ("graph",)])
def test_a_place_that_cannot_be_written_to_is_told_at_once(command, tmp_path):
    """Before anything is listened to, not after hours."""
    path = tmp_path / "missing" / "x.svg"

    done = finished(*command, "--demo", "--save-svg", str(path))

    assert (done.returncode, done.stdout) == (7, "")
    assert f"tcsniff: cannot write the picture {path}: No such file or directory\n" in done.stderr


def test_a_full_disk_is_told():
    """With the status for output that cannot be written."""
    done = finished(*DEMO, "-n", "5", "--save-svg", "/dev/full")

    assert done.returncode == 7
    assert "cannot write the picture /dev/full: No space left on device" in done.stderr
    assert len(done.stdout.splitlines()) == 5


def test_a_recording_is_not_drawn_over(tmp_path):
    """The file that is read is not the one to write."""
    recording = tmp_path / "x.jsonl"
    finished(*DEMO, "-n", "5", "--record", str(recording))
    before = recording.read_bytes()

    done = finished("--from", str(recording), "--save-svg", str(recording))

    assert done.returncode == 2
    assert done.stderr == f"tcsniff: --save-svg {recording} is also what --from reads\n"
    assert recording.read_bytes() == before


@pytest.mark.parametrize("gaps", [(), ("--gaps",)])
def test_a_picture_counts_gaps(gaps, tmp_path):
    """As the table on a terminal does, whether or not they are shown as lines, too."""
    recording, picture = tmp_path / "x.jsonl", tmp_path / "x.svg"
    gap = Gap("2026-11-23T18:00:00.000Z", "2026-11-23T18:01:00.000Z", True, "lost")
    finished(*DEMO, "-n", "5", "--record", str(recording))
    recording.write_bytes(recording.read_bytes() + format_gap(gap))

    finished("--from", str(recording), *gaps, "--save-svg", str(picture))

    assert "5 events" in rows(picture.read_text(encoding="utf-8"))[-1]
    assert rows(picture.read_text(encoding="utf-8"))[-1].endswith(" 1 gap")
