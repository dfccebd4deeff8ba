"""A line of text that is typed at the bottom of the screen.

Pure, except that `Prompt` has state. Not textual's `Input`: keys that are typed ahead, in one
write after the key that opens the prompt, would reach the list as commands.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text

from tcsniff.sanitize import sanitize

_MAX_TEXT = 1_000  # characters


class Prompt:
    """A line with a cursor.

    Attributes:
        text: What was typed so far.
        cursor: The place in it where characters are inserted.
    """

    def __init__(self, mark: str, text: str, hint: str, answer: Callable[[str], None]) -> None:
        """Create a prompt.

        Args:
            mark: Stands before the text.
            text: To begin with.
            hint: Is shown while there is no text.
            answer: Receives the text.
        """
        self.text = text
        self.cursor = len(text)
        self.answer = answer
        self._mark = mark
        self._hint = hint

    def press(self, key: str, character: str | None) -> bool:
        """Edit the text by a key, named as textual names it; return whether the text changed."""
        before = self.text
        if character is not None and character.isprintable() and key != "enter":
            self.insert(character)
        elif (edit := _EDITS.get(key)) is not None:
            self.text, self.cursor = edit(self.text, self.cursor)
        return self.text != before

    def insert(self, text: str) -> None:
        """Insert text at the cursor; only its first line."""
        added = (text.splitlines() or [""])[0][: _MAX_TEXT - len(self.text)]
        self.text = self.text[: self.cursor] + added + self.text[self.cursor :]
        self.cursor += len(added)

    def draw(self, width: int) -> Text:
        """Draw the line; the part around the cursor if it is long."""
        line = Text(self._mark, style="bold")
        start = max(0, self.cursor - max(1, width - len(self._mark) - 2))
        line.append(sanitize(self.text[start : self.cursor]), style="not bold")
        under, after = self.text[self.cursor : self.cursor + 1], self.text[self.cursor + 1 :]
        line.append(sanitize(under) or " ", style="not bold reverse")
        line.append(sanitize(after), style="not bold")
        return line if self.text else line.append(self._hint, style="not bold dim")


def _delete_word(text: str, cursor: int) -> tuple[str, int]:
    kept = text[:cursor].rstrip()
    kept = kept[: kept.rfind(" ") + 1]
    return kept + text[cursor:], len(kept)


_EDITS: dict[str, Callable[[str, int], tuple[str, int]]] = {
    "backspace": lambda text, at: (text[: max(0, at - 1)] + text[at:], max(0, at - 1)),
    "delete": lambda text, at: (text[:at] + text[at + 1 :], at),
    "left": lambda text, at: (text, max(0, at - 1)),
    "right": lambda text, at: (text, min(len(text), at + 1)),
    "home": lambda text, _at: (text, 0),
    "end": lambda text, _at: (text, len(text)),
    "ctrl+a": lambda text, _at: (text, 0),
    "ctrl+e": lambda text, _at: (text, len(text)),
    "ctrl+u": lambda text, at: (text[at:], 0),
    "ctrl+k": lambda text, at: (text[:at], at),
    "ctrl+w": _delete_word,
}
