"""Addresses of Taskcluster's web page that shows messages, `<root URL>/pulse-messages`.

Pure. The page keeps its bindings in its address:
``?bindings[0][exchange]=…&bindings[0][pattern]=…``
(``ui/src/views/PulseMessages`` of the taskcluster repository).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

from tcsniff.bindings import ANY_WORDS, Binding
from tcsniff.errors import UsageError

_PAGE = "/pulse-messages"
_NAME = re.compile(r"bindings\[([0-9]{1,6})\]\[(exchange|pattern)\]")
_LIKE = "https://HOST/pulse-messages?bindings[0][exchange]=…&bindings[0][pattern]=…"


def is_address(word: str) -> bool:
    """Tell whether a word is the address of a page, of whichever."""
    return word.lower().startswith(("http://", "https://"))


def root_of(url: str) -> str:
    """Tell the root URL of a page: its address up to the host, in lower case."""
    parts = _split(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def bindings_at(url: str) -> list[Binding]:
    """Read the bindings off the address of the page.

    Args:
        url: The address, percent-encoded or not.

    Returns:
        In the page's order; a binding without a pattern takes all messages of
        its exchange, as on the page.

    Raises:
        UsageError: If it is the address of another page, or has no bindings.
    """
    parts = _split(url)
    if not parts.path.rstrip("/").endswith(_PAGE):
        raise UsageError(f"{url} is not the page that shows messages, which looks like {_LIKE}")
    # A pattern's `#` starts what browsers do not send, if it is not encoded.
    query = parts.query + (f"#{parts.fragment}" if parts.fragment or url.endswith("#") else "")
    found: dict[int, dict[str, str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, separator="&"):
        if (place := _NAME.fullmatch(name)) is not None:
            found.setdefault(int(place[1]), {})[place[2]] = value
    bindings = [
        Binding(found[number]["exchange"], found[number].get("pattern") or ANY_WORDS)
        for number in sorted(found)
        if found[number].get("exchange")
    ]
    if not bindings:
        raise UsageError(f"{url} holds no bindings; it looks like {_LIKE}")
    return list(dict.fromkeys(bindings))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise UsageError(f"{url} is no address of a page; that looks like {_LIKE}") from None


def address(root_url: str, bindings: Iterable[Binding]) -> str:
    """Word the address of the page that shows what is bound.

    Args:
        root_url: Of the Taskcluster deployment.
        bindings: What to show there.
    """
    pairs = [
        f"bindings%5B{number}%5D%5B{name}%5D={quote(value, safe='', errors='surrogateescape')}"
        for number, binding in enumerate(bindings)
        for name, value in zip(("exchange", "pattern"), binding, strict=True)
    ]
    return f"{root_url.rstrip('/')}{_PAGE}?{'&'.join(pairs)}"
