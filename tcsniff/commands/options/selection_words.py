"""IDs and addresses of pages among the words and values of a selection.

Apart from the flags, because checking the words of a command needs none of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcsniff.errors import UsageError
from tcsniff.pulse.addresses import Kind, find_address
from tcsniff.pulse.urls import is_url, parse_bindings

_ID_KINDS: dict[str, Kind] = {"--task-id": "task", "--task-group-id": "group"}
_KIND_NAMES = {"task": "task", "group": "task group"}


def check_words(words: Sequence[str]) -> None:
    """Check that no word of a selection is an ID.

    Raises:
        UsageError: If one is.
    """
    for word in words:
        if (address := find_address(word)) is not None:
            slug_id = address.slug_id
            raise UsageError(
                f"{word} is an ID, not an EVENT; `tcsniff graph {slug_id}` shows a task group, "
                f"`tcsniff task {slug_id}` a task; --task-id and --task-group-id select events"
            )


def split_pages(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the words that are not addresses of a page, and the bindings of the pages.

    Returns:
        The words, and the bindings as values of ``--bind``.

    Raises:
        UsageError: If an address has no bindings, or one that ``--bind`` cannot name.
    """
    pages = [word for word in words if is_url(word) and find_address(word) is None]
    bindings = [binding for url in pages for binding in parse_bindings(url)]
    for exchange, _ in bindings:
        if ":" in exchange:
            raise UsageError(
                f"exchange {exchange!r} of the page has a colon, which --bind does not accept"
            )
    others = [word for word in words if word not in pages]
    return others, tuple(f"{exchange}:{pattern}" for exchange, pattern in bindings)


def read_id(text: str, flag: str) -> str:
    """Return the ID in a value of ``--task-id`` or ``--task-group-id``, also from an address.

    Returns:
        The ID; the text itself if there is none, which is checked with all other values.

    Raises:
        UsageError: If it is the address of the other kind.
    """
    address = find_address(text)
    if address is None:
        return text
    wanted = _ID_KINDS[flag]
    if address.kind not in (wanted, "unknown"):
        kind = _KIND_NAMES[address.kind]
        raise UsageError(
            f"{flag}: {text} is the address of a {kind}, not of a "
            f"{_KIND_NAMES[wanted]}; `tcsniff graph` accepts both"
        )
    return address.slug_id
