"""The live view: when it draws."""

from __future__ import annotations

import pytest

from builders import event
from memory_terminal import MemoryTerminal
from tcsniff.renderers.ansi import cut_line
from tcsniff.renderers.live_view import LiveView, Picture
from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamInfo


class SlowPicture(Picture):
    """A picture that takes seconds to draw, of a clock that the test holds."""

    interval = 0.25

    def __init__(self, seconds):
        self.now = 0.0
        self.drawings = 0
        self._seconds = seconds

    def draw(self, width, height, status):  # noqa: ARG002 - a picture's signature
        self.now += self._seconds
        self.drawings += 1
        return ["x"]


@pytest.mark.parametrize(
    ("seconds", "pause"),
    [(0.0, 0.26), (0.01, 0.26), (0.05, 0.36), (0.1, 0.51), (0.2, 0.51), (1.0, 2.01)],
)
def test_a_slow_picture_is_drawn_less_often_but_twice_a_second(seconds, pause):
    """Drawing takes a seventh of the time, or half of it if a picture would be too old."""
    picture = SlowPicture(seconds)
    view = LiveView(
        Output(MemoryTerminal()),
        picture,
        StreamInfo("demo", ""),
        size=lambda: (80, 24),
        clock=lambda: picture.now,
    )
    view.flush()
    view.mark_changed()

    picture.now = pause - 0.02
    view.flush()
    assert picture.drawings == 1
    picture.now = pause
    view.flush()
    assert picture.drawings == 2


class Clock(Picture):
    """A picture that counts how often it is drawn."""

    def __init__(self, *, has_clocks):
        self.has_clocks = has_clocks
        self.drawings = 0

    def draw(self, width, height, status):  # noqa: ARG002 - a picture's signature
        self.drawings += 1
        return [f"picture {self.drawings}", "stays", f"{status.total} events"]


class Shown:
    """A live view of a `Clock`, whose time the test holds."""

    def __init__(self, *, has_clocks):
        self.now = 0.0
        self.picture = Clock(has_clocks=has_clocks)
        self.terminal = MemoryTerminal()
        self.view = LiveView(
            Output(self.terminal),
            self.picture,
            StreamInfo("demo", ""),
            size=lambda: (80, 24),
            clock=lambda: self.now,
        )

    def wait(self, seconds, *events):
        """Flush four times a second, as while nothing is received."""
        self.view.show(events)
        for _ in range(seconds * 4):
            self.now += 0.25
            self.view.flush()


@pytest.mark.parametrize(("has_clocks", "drawings"), [(True, 11), (False, 1)])
def test_without_events_only_clocks_are_drawn_once_a_second(has_clocks, drawings):
    """A picture without clocks is not drawn again at all; the status line still is."""
    shown = Shown(has_clocks=has_clocks)

    shown.wait(11, event("task-running"))

    assert shown.picture.drawings == drawings
    assert 10 <= len(shown.terminal.writes) <= 11


def test_lines_that_stay_are_not_written_again():
    """Of a picture whose first line has changed, the second one is left alone."""
    shown = Shown(has_clocks=True)
    shown.wait(1)
    written = len(shown.terminal.writes)

    shown.wait(1, event("task-running"))

    text = b"".join(shown.terminal.writes[written:]).decode()
    assert "picture 2" in text
    assert "1 event" in text
    assert "stays" not in text


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (9, "\x1b[1mab\x1b[0m cd日本"),
        (8, "\x1b[1mab\x1b[0m cd日 "),
        (4, "\x1b[1mab\x1b[0m c"),
        (0, "\x1b[1m\x1b[0m"),
    ],
)
def test_a_line_is_cut_by_its_cells(width, shown):
    """Its colors end all the same."""
    assert cut_line("\x1b[1mab\x1b[0m cd日本", width) == shown
