"""Untrusted text, made safe for terminals.

Pure. Task labels, worker IDs, reasons and routes are written by users who may
create tasks. Characters that a terminal would obey or hide are replaced by
escapes: C0 and C1 controls and DEL (ECMA-48), and of Unicode the format
characters (bidi overrides, zero-width, tags), line and paragraph separators,
lone surrogates, and the two noncharacters that XML forbids.
"""

from __future__ import annotations

import re
from functools import cache

_UNSAFE = (
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"  # format characters (Cf)
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero-width, bidi, separators
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tags and other ignorables
    "\ufffe\uffff"  # forbidden in XML, even as a character reference
    "\ud800-\udfff]"  # surrogates, which are always lone in a str
)


def sanitize(text: str) -> str:
    r"""Replace unsafe characters by their escapes, such as ``\x1b`` or ``\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    return _compile_unsafe().sub(_escape_character, text)


@cache
def _compile_unsafe() -> re.Pattern[str]:
    # When it is needed: it takes 1 ms of the start.
    return re.compile(_UNSAFE)


def _escape_character(unsafe: re.Match[str]) -> str:
    code = ord(unsafe[0])
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def sanitize_json(line: str) -> str:
    r"""Replace unsafe characters in a line of JSON by JSON escapes, without changing its value.

    Args:
        line: Valid JSON, so that only its strings can contain unsafe characters.
    """
    # Except for a tab between tokens, the only unescaped control in a line of JSON.
    return _compile_unsafe().sub(_escape_json_character, line.replace("\t", " "))


def _escape_json_character(unsafe: re.Match[str]) -> str:
    utf16 = unsafe[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{utf16[at]:02x}{utf16[at + 1]:02x}" for at in range(0, len(utf16), 2))
