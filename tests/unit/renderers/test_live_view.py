"""The live view: when it draws."""

from __future__ import annotations

import pytest

from memory_terminal import MemoryTerminal
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
    ("seconds", "pause"), [(0.0, 0.26), (0.01, 0.26), (0.1, 0.71), (1.0, 7.01)]
)
def test_drawing_takes_at_most_a_seventh_of_the_time(seconds, pause):
    """A picture is due at its interval; one that takes long, later."""
    picture = SlowPicture(seconds)
    view = LiveView(
        Output(MemoryTerminal()),
        picture,
        StreamInfo("demo", ""),
        size=lambda: (80, 24),
        clock=lambda: picture.now,
    )
    view.flush()

    picture.now = pause - 0.02
    view.flush()
    assert picture.drawings == 1
    picture.now = pause
    view.flush()
    assert picture.drawings == 2
