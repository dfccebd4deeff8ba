"""A picture of a terminal, as SVG: for bug reports, documents and CI.

It needs nothing but itself, no font and no script from anywhere, and equal
pictures are equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path

from rich.cells import cell_len
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tcsniff.errors import OutputError
from tcsniff.pipeline import Renderer
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.sanitize import sanitize

# In pixels. A cell is as wide as most monospaced fonts have it, 0.602 of their size.
_SIZE, _CELL, _LINE = 14, 8.43, 20
_MARGIN, _BAR = 18, 40
_FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_THEME = TerminalTheme(
    (13, 17, 23),
    (230, 237, 243),
    [
        (110, 118, 129),
        (255, 123, 114),
        (63, 185, 80),
        (210, 153, 34),
        (88, 166, 255),
        (219, 140, 255),
        (57, 197, 207),
        (177, 186, 196),
    ],
    [
        (139, 148, 158),
        (255, 161, 152),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (226, 169, 255),
        (86, 212, 221),
        (255, 255, 255),
    ],
)
_WORDS = re.compile(r"\S+(?: \S+)*")  # what single spaces join stays one


def draw_svg(lines: Sequence[str], width: int, title: str) -> str:
    """Draw a terminal's window.

    Args:
        lines: What it shows, with the escape sequences of colours; what strangers
            have written in them must be safe.
        width: Of the terminal, in cells.
        title: Of the window.

    Returns:
        An SVG document.
    """
    across = f"{width * _CELL + 2 * _MARGIN:.0f}"
    down = _BAR + len(lines) * _LINE + _MARGIN
    background = _hex(_THEME.background_color)
    name = escape(sanitize(title))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{down}" '
        f'viewBox="0 0 {across} {down}" role="img" aria-label="{name}">\n'
        f"<title>{name}</title>\n"
        f"<style>text{{font:{_SIZE}px {_FONT};fill:{_hex(_THEME.foreground_color)};"
        "font-variant-emoji:text;white-space:pre}.b{font-weight:700}.d{fill-opacity:.62}"
        ".i{font-style:italic}.u{text-decoration:underline}</style>\n"
        f'<rect x=".5" y=".5" width="{int(across) - 1}" height="{down - 1}" rx="9" '
        f'fill="{background}" stroke="#30363d"/>\n'
    )
    dots = "".join(
        f'<circle cx="{_MARGIN + 5 + 20 * place}" cy="19" r="6" fill="{colour}"/>'
        for place, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    middle = f'<text x="{int(across) / 2:g}" y="24" text-anchor="middle" class="d">{name}</text>'
    console = Console(width=max(1, width), force_terminal=True, legacy_windows=False)
    drawn = [
        piece
        for number, line in enumerate(lines)
        for piece in _line(console, line, _BAR + number * _LINE)
    ]
    return head + "\n".join([dots + middle, *drawn, "</svg>"]) + "\n"


def _line(console: Console, line: str, top: int) -> Iterator[str]:
    cells = 0
    for segment in Segment.simplify(Text.from_ansi(line).render(console)):
        style = segment.style or Style.null()
        if back := _back(style):
            yield (
                f'<rect x="{_across(cells)}" y="{top}" fill="{back}" '
                f'width="{cell_len(segment.text) * _CELL:.2f}" height="{_LINE}"/>'
            )
        styles = _looks(style)
        for found in _WORDS.finditer(segment.text):
            text = sanitize(found[0])
            # The length, so that a font of another width moves nothing.
            yield (
                f'<text x="{_across(cells + cell_len(segment.text[: found.start()]))}" '
                f'y="{top + _SIZE}" textLength="{cell_len(text) * _CELL:.2f}" '
                f'lengthAdjust="spacingAndGlyphs"{styles}>{escape(text, quote=False)}</text>'
            )
        cells += cell_len(segment.text)


def _across(cells: int) -> str:
    return f"{_MARGIN + cells * _CELL:.2f}"


def _looks(style: Style) -> str:
    wanted = (("b", style.bold), ("d", style.dim), ("i", style.italic), ("u", style.underline))
    classes = " ".join(name for name, has in wanted if has)
    styles = f' class="{classes}"' if classes else ""
    if style.reverse:
        return f'{styles} style="fill:{_colour(style.bgcolor, _THEME.background_color)}"'
    if style.color is not None and not style.color.is_default:
        styles += f' style="fill:{_colour(style.color, _THEME.foreground_color)}"'
    return styles


def _back(style: Style) -> str | None:
    if style.reverse:
        return _colour(style.color, _THEME.foreground_color)
    if style.bgcolor is None or style.bgcolor.is_default:
        return None
    return _colour(style.bgcolor, _THEME.background_color)


def _colour(colour: Color | None, otherwise: tuple[int, int, int]) -> str:
    if colour is None or colour.is_default:
        return _hex(otherwise)
    return _hex(colour.get_truecolor(_THEME))


def _hex(colour: tuple[int, int, int]) -> str:
    red, green, blue = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


WIDTH, HEIGHT = 100, 24
"""Of a picture that no terminal shows, in cells and lines."""


class Drawing(Renderer):
    """A renderer that draws pictures."""

    def still(self, width: int, height: int) -> list[str]:
        """Draw the last picture, as it is when all is over; in cells and lines."""
        raise NotImplementedError


class Saver(Renderer):
    """Shows events by another renderer, and writes a picture in the end.

    Attributes:
        renderer: The other one.
        drawing: Draws the picture; may be the same.
    """

    def __init__(
        self,
        path: str,
        renderer: Renderer,
        drawing: Drawing,
        *,
        title: str,
        size: Callable[[], tuple[int, int]] = lambda: (WIDTH, HEIGHT),
    ) -> None:
        """See whether the file can be written; what it holds stays until the end.

        Args:
            path: The file.
            renderer: Shows the events.
            drawing: Draws the picture; may be the renderer itself.
            title: Of the picture.
            size: Tells how large the picture is to be, in cells and lines.

        Raises:
            OutputError: If it cannot be opened.
        """
        self.renderer = renderer
        self._path = path
        self.drawing = drawing
        self._beside = drawing is not renderer
        self._title = title
        self._size = size
        check_picture_path(path)

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        if self._beside:
            self.drawing.show(events)
        self.renderer.show(events)

    def show_gap(self, gap: Gap) -> None:
        """Take a gap in."""
        if self._beside:
            self.drawing.show_gap(gap)
        self.renderer.show_gap(gap)

    def flush(self) -> None:
        """Have the other renderer let out what it has."""
        self.renderer.flush()

    def close(self) -> None:
        """Finish, and write the picture, even where the view could not be finished.

        Raises:
            OutputError: If the picture cannot be written.
        """
        try:
            self.renderer.close()
        finally:
            width, height = self._size()
            save_picture_file(self._path, self.drawing.still(width, height), width, self._title)


def check_picture_path(path: str) -> None:
    """See whether a picture can be written there; what the file holds stays.

    Raises:
        OutputError: If it cannot.
    """
    _write(path, b"", mode="ab")


def save_picture_file(path: str, lines: Sequence[str], width: int, title: str) -> None:
    """Write a picture; the arguments are those of `picture.svg`.

    Raises:
        OutputError: If it cannot be written.
    """
    _write(path, draw_svg(lines, width, title).encode(errors="replace"), mode="wb")


def _write(path: str, data: bytes, *, mode: str) -> None:
    try:
        with Path(path).open(mode) as file:
            file.write(data)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"cannot write the picture {path}: {reason}") from error
