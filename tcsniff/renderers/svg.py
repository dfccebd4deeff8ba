"""A picture of a terminal as SVG, for bug reports, documents and CI.

The file needs no font, script or network, and equal pictures are equal bytes.
Rich's `export_svg` isn't used: it squeezes wide characters into one cell, and
pads lines, which makes the file half as large again (22 kB instead of 15 kB for a
table of 24 lines).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape

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
from tcsniff.renderers.live_view import LiveView
from tcsniff.renderers.output import get_terminal_size
from tcsniff.renderers.output_files import check_writable, replace_file
from tcsniff.renderers.wrapper import RendererWrapper
from tcsniff.sanitize import sanitize

WIDTH, HEIGHT = 100, 24
"""The size of a picture without a terminal, in cells and lines."""

# In pixels. Most monospaced fonts have cells that are 0.602 times as wide as high.
_FONT_SIZE, _CELL, _LINE = 14, 8.43, 20
_MARGIN, _TITLE_BAR = 18, 40
_FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"


def _parse_colors(text: str) -> list[tuple[int, int, int]]:
    return [(int(c[:2], 16), int(c[2:4], 16), int(c[4:], 16)) for c in text.split()]


_THEME = TerminalTheme(
    (13, 17, 23),
    (230, 237, 243),
    _parse_colors("6e7681 ff7b72 3fb950 d29922 58a6ff db8cff 39c5cf b1bac4"),
    _parse_colors("8b949e ffa198 56d364 e3b341 79c0ff e2a9ff 56d4dd ffffff"),
)
_LINK = re.compile(r"\x1b\]8;[^\x1b]*\x1b\\")
_PHRASE = re.compile(r"\S+(?: \S+)*")  # words with single spaces between them


def draw_svg(lines: Sequence[str], width: int, title: str) -> str:
    """Draw the window of a terminal as an SVG document.

    Args:
        lines: The content, with escape sequences for colors; text in it must be safe.
        width: Of the terminal, in cells.
        title: Of the window.
    """
    right = f"{width * _CELL + 2 * _MARGIN:.0f}"
    bottom = _TITLE_BAR + len(lines) * _LINE + _MARGIN
    name = escape(sanitize(title))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{right}" height="{bottom}" '
        f'viewBox="0 0 {right} {bottom}" role="img" aria-label="{name}">\n'
        f"<title>{name}</title>\n"
        f"<style>text{{font:{_FONT_SIZE}px {_FONT};fill:{_THEME.foreground_color.hex};"
        "font-variant-emoji:text;white-space:pre}.b{font-weight:700}.d{fill-opacity:.62}"
        ".i{font-style:italic}.u{text-decoration:underline}</style>\n"
        f'<rect x=".5" y=".5" width="{int(right) - 1}" height="{bottom - 1}" rx="9" '
        f'fill="{_THEME.background_color.hex}" stroke="#30363d"/>\n'
    )
    dots = "".join(
        f'<circle cx="{_MARGIN + 5 + 20 * place}" cy="19" r="6" fill="{color}"/>'
        for place, color in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    heading = f'<text x="{int(right) / 2:g}" y="24" text-anchor="middle" class="d">{name}</text>'
    console = Console(width=max(1, width), force_terminal=True, legacy_windows=False)
    tags = [
        tag
        for number, line in enumerate(lines)
        for tag in _draw_line(console, line, _TITLE_BAR + number * _LINE)
    ]
    return head + "\n".join([dots + heading, *tags, "</svg>"]) + "\n"


def _draw_line(console: Console, line: str, top: int) -> Iterator[str]:
    column = 0
    text = Text.from_ansi(_LINK.sub("", line))
    for segment in Segment.simplify(text.render(console)):
        style = segment.style or Style.null()
        cells = cell_len(segment.text)
        color, background = style.color, style.bgcolor
        if style.reverse:
            yield _draw_box(column, top, cells, _to_hex(color, is_background=False))
        elif background is not None and not background.is_default:
            yield _draw_box(column, top, cells, _to_hex(background, is_background=True))
        attributes = _format_style(style)
        for phrase in _PHRASE.finditer(segment.text):
            words = sanitize(phrase[0])
            # With its length, so that another font moves nothing.
            yield (
                f'<text x="{_to_x(column + cell_len(segment.text[: phrase.start()]))}" '
                f'y="{top + _FONT_SIZE}" textLength="{cell_len(words) * _CELL:.2f}" '
                f'lengthAdjust="spacingAndGlyphs"{attributes}>{escape(words, quote=False)}</text>'
            )
        column += cells


def _draw_box(column: int, top: int, cells: int, color: str) -> str:
    return (
        f'<rect x="{_to_x(column)}" y="{top}" fill="{color}" '
        f'width="{cells * _CELL:.2f}" height="{_LINE}"/>'
    )


def _to_x(column: int) -> str:
    return f"{_MARGIN + column * _CELL:.2f}"


def _format_style(style: Style) -> str:
    flags = (("b", style.bold), ("d", style.dim), ("i", style.italic), ("u", style.underline))
    classes = " ".join(name for name, is_on in flags if is_on)
    attributes = f' class="{classes}"' if classes else ""
    if style.reverse:
        attributes += f' style="fill:{_to_hex(style.bgcolor, is_background=True)}"'
    elif style.color is not None and not style.color.is_default:
        attributes += f' style="fill:{_to_hex(style.color, is_background=False)}"'
    return attributes


def _to_hex(color: Color | None, *, is_background: bool) -> str:
    color = color or Color.default()
    return color.get_truecolor(_THEME, foreground=not is_background).hex


class PictureSaver(RendererWrapper):
    """Shows events with another renderer, and finally writes a picture."""

    def __init__(
        self, path: str, renderer: Renderer, make_view: Callable[[], LiveView], *, title: str
    ) -> None:
        """Check whether the file can be written; its content stays until the end.

        Args:
            path: The file.
            renderer: Shows the events. If it is a live view, it also draws the
                picture, in the terminal's size.
            make_view: Creates the view that draws the picture otherwise.
            title: Of the picture.

        Raises:
            OutputError: If the file cannot be opened.
        """
        super().__init__(renderer)
        self._path = path
        self._has_own_view = not isinstance(renderer, LiveView)
        self._view = renderer if isinstance(renderer, LiveView) else make_view()
        self._title = title
        check_picture_path(path)

    def show(self, events: Sequence[Event]) -> None:
        """Add a batch of events."""
        if self._has_own_view:
            self._view.show(events)
        super().show(events)

    def show_gap(self, gap: Gap) -> None:
        """Add a gap."""
        if self._has_own_view:
            self._view.show_gap(gap)
        super().show_gap(gap)

    def close(self) -> None:
        """Close the other renderer and write the picture, even if closing fails.

        Raises:
            OutputError: If the picture cannot be written.
        """
        try:
            super().close()
        finally:
            width, height = (WIDTH, HEIGHT) if self._has_own_view else get_terminal_size()
            lines = self._view.draw_last(width, height)
            save_picture_file(self._path, lines, width, self._title)


def check_picture_path(path: str) -> None:
    """Check whether a picture can be written, without changing the file.

    Raises:
        OutputError: If it cannot.
    """
    with _explain_failures(path):
        check_writable(path)


def save_picture_file(path: str, lines: Sequence[str], width: int, title: str) -> None:
    """Write a picture; see `draw_svg`. It replaces its file when it is written whole.

    Raises:
        OutputError: If it cannot be written.
    """
    with _explain_failures(path):
        replace_file(path, draw_svg(lines, width, title).encode(errors="replace"))


@contextmanager
def _explain_failures(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"cannot write the picture {path}: {reason}") from error
