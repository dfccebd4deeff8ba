"""The keys of a live view: quit, pause, list."""

from __future__ import annotations

from rich.text import Text

from tcsniff.renderers.ansi import paint_lines
from tcsniff.renderers.stream import StreamControl, StreamStatus
from tcsniff.renderers.terminal_input import TerminalInput

_QUIT, _PAUSE, _LIST, _REFRESH = "q", " ", "?", "\f"
_MEANINGS = (
    ("q", "quit; the picture stays"),
    ("space", "pause the picture, or resume; events are still received"),
    ("?", "list the keys, or hide the list"),
    ("Ctrl-L", "draw everything again"),
    ("Ctrl-Z", "stop the program; fg continues it"),
    ("Ctrl-C", "quit with status 130"),
)


class LiveKeys:
    """What the keys of a live view have changed; other keys than these do nothing.

    Attributes:
        is_paused: Whether the picture stands still.
    """

    def __init__(self, control: StreamControl | None) -> None:
        """Prepare for keys; the terminal is changed by the first `read`.

        Args:
            control: The run; None if keys are not read.
        """
        self.is_paused = False
        self._control = control
        self._input = TerminalInput()
        self._is_listed = False
        self._total = 0  # events before the pause
        if control is not None:
            control.watch(self._input.find_file)

    def read(self, total: int) -> bool:
        """Obey the keys that were pressed.

        Args:
            total: The number of events so far.

        Returns:
            Whether to draw again.
        """
        if self._control is None:
            return False
        self._input.enter()
        keys = self._input.read_keys()
        for key in keys:
            if key == _QUIT:
                self._control.quit()
            elif key == _PAUSE:
                self.is_paused = not self.is_paused
                self._total = total
            elif key == _LIST:
                self._is_listed = not self._is_listed
        return any(key in (_PAUSE, _LIST, _REFRESH) for key in keys)

    def leave(self) -> None:
        """Restore the terminal; the next `read` takes it again."""
        self._input.leave()

    def forget(self) -> None:
        """Note that another program may have changed the terminal."""
        self._input.forget()

    def describe(self, status: StreamStatus) -> StreamStatus:
        """Add to a status which keys there are, and how many events a pause has missed."""
        if self._input.is_active:
            resumes = ("space resumes",) if self.is_paused else ()
            status = status._replace(hints=(*resumes, "q quits", "? keys"))
        if self.is_paused:
            paused = f"paused, +{status.total - self._total:,}"
            status = status._replace(notes=(paused, *status.notes))
        return status

    def draw_list(self, width: int, *, color: bool) -> list[str]:
        """Return the list of the keys, if it is asked for.

        Args:
            width: Of the screen, in cells.
            color: Whether to use colors.
        """
        if not self._is_listed:
            return []
        rows = [
            Text().append(f"{key:>8}", style="bold").append(f"  {meaning}")
            for key, meaning in _MEANINGS
        ]
        return paint_lines(rows, width, color=color)
