"""Text from strangers, made safe for terminals.

Pure. Task labels, worker ids, reasons and routes are written by whoever may
create a task. What a terminal would obey or hide is shown as an escape:
C0 and C1 controls and DEL (ECMA-48), and of Unicode the format characters
(bidi overrides, zero-width, tags), line and paragraph separators, lone
surrogates, and the two noncharacters that XML has no place for.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"  # format characters (Cf)
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero-width, bidi, separators
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tags and other ignorables
    "\ufffe\uffff"  # in XML, not even by number
    "\ud800-\udfff]"  # surrogates, which stand alone in a str
)


def sanitize(text: str) -> str:
    r"""Replace what a terminal would obey by its escape, such as ``\x1b`` or ``\u202e``."""
    return _UNSAFE.sub(_visible, text)


def _visible(unsafe: re.Match[str]) -> str:
    code = ord(unsafe[0])
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def sanitize_json(line: str) -> str:
    r"""Escape what is unsafe in a line of JSON, as JSON of the same value.

    Args:
        line: JSON, whose controls below U+0020 are escaped already: outside of
            strings nothing unsafe can stand.
    """
    # The one control that JSON may hold as it is: a tab between tokens.
    return _UNSAFE.sub(_json_escape, line.replace("\t", " "))


def _json_escape(unsafe: re.Match[str]) -> str:
    utf16 = unsafe[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{utf16[at]:02x}{utf16[at + 1]:02x}" for at in range(0, len(utf16), 2))
