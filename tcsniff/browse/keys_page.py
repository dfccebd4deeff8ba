"""The page that lists all keys in words."""

from __future__ import annotations

from collections.abc import Hashable

from rich.text import Text

from tcsniff.browse.keys import TABS, list_keys
from tcsniff.browse.page import Page

_ROOM = 8  # cells for a key


class KeysPage(Page):
    """The keys of a page."""

    def __init__(self, tab: int) -> None:
        super().__init__()
        self.tab = tab
        self._keys = list_keys(tab)

    def __len__(self) -> int:
        return len(self._keys)

    def get_key(self, index: int) -> Hashable:
        """Return the key."""
        return self._keys[index].action

    def find_key(self, key: Hashable) -> int | None:
        """Return the place of a key."""
        return next((i for i, one in enumerate(self._keys) if one.action == key), None)

    def draw_heading(self, width: int) -> list[Text]:  # noqa: ARG002 - as for all pages
        """Draw the title."""
        return [Text(f"Keys of the page {TABS[self.tab]}; Esc goes back", style="bold")]

    def draw_row(self, index: int, width: int) -> Text:  # noqa: ARG002
        """Draw a key with its meaning."""
        key = self._keys[index]
        return Text(key.shown.ljust(_ROOM), style="bold").append(key.meaning, style="not bold")
