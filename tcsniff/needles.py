"""What must stand in a body for an expression to hold, so that most stay closed.

Pure. ``payload.status.state == 'failed'`` can only hold if the bytes ``"failed"``
are somewhere in the body, or an escape that could spell them. To look for bytes
takes a twentieth of the time of decoding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_STEPS = {"field", "index", "subexpression", "index_expression"}
_ESCAPE = ord("\\")


def needle_of(node: Any) -> Callable[[bytes], bool] | None:
    """Make a test that says of a body whether an expression could hold.

    Args:
        node: A node of jmespath's tree, asked of an event.

    Returns:
        A function of the body, which is false only if evaluating the
        expression would neither fail nor find anything that is not false;
        None if no such test is known.
    """
    needles = _needles(node)
    if not needles:
        return None

    def could_hold(body: bytes) -> bool:
        if _ESCAPE in body:
            return True
        for needle in needles:  # noqa: SIM110 - all() with a generator takes longer
            if needle not in body:
                return False
        return True

    return could_hold


def _needles(node: Any) -> list[bytes]:
    if node["type"] == "and_expression":
        left, right = node["children"]
        # What stands on the right is only asked if the left holds, which may also fail.
        return _needles(left) + (_needles(right) if _needles(left) else [])
    if node["type"] != "comparator" or node["value"] != "eq":
        return []
    left, right = node["children"]
    text = right.get("value") if right["type"] == "literal" else None
    if not isinstance(text, str) or not _is_plain(text) or not _is_in_payload(left):
        return []
    return [b'"%b"' % text.encode()]


def _is_plain(text: str) -> bool:
    # Whether JSON has one way to write it, but for escapes that it does not need.
    return text.isascii() and text.isprintable() and not {'"', "\\"} & set(text)


def _is_in_payload(node: Any) -> bool:
    # Whether it only steps into the payload, which finds something or null.
    if not _only_steps(node):
        return False
    while node["children"]:
        node = node["children"][0]
    return bool(node["type"] == "field" and node["value"] == "payload")


def _only_steps(node: Any) -> bool:
    return node["type"] in _STEPS and all(map(_only_steps, node["children"]))
