"""What a manual is made of, before it is roff or plain text.

Pure. Texts are running text: line breaks are spaces there, and what stands in
backquotes is something to type.
"""

from __future__ import annotations

from typing import NamedTuple


class Prose(NamedTuple):
    """A paragraph.

    Attributes:
        text: Running text.
    """

    text: str


class Example(NamedTuple):
    """Lines to be shown as they are.

    Attributes:
        text: The lines; a line feed at either end does not count.
    """

    text: str


class Terms(NamedTuple):
    """Things, and what each means.

    Attributes:
        rows: Each thing as it is typed, and running text.
    """

    rows: dict[str, str]


class Heading(NamedTuple):
    """The title of what follows, up to the next.

    Attributes:
        text: A few words.
    """

    text: str


Block = Prose | Example | Terms | Heading
