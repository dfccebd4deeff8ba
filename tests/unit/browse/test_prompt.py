from __future__ import annotations

import pytest

from tcsniff.browse.prompt import Prompt


def edited(*keys, text=""):
    prompt = Prompt("/", text, "hint", str)
    for key in keys:
        prompt.press(key, key if len(key) == 1 else None)
    return prompt


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("abc", "abc"),
        (["a", "b", "left", "x"], "axb"),
        (["a", "b", "home", "x", "end", "y"], "xaby"),
        (["a", "b", "backspace"], "a"),
        (["a", "b", "home", "delete"], "b"),
        (["backspace", "left", "delete"], ""),
        ([*"one two", "ctrl+w"], "one "),
        ([*"one two", "ctrl+u", "x"], "x"),
        ([*"ab", "left", "ctrl+k"], "a"),
        ([*"ab", "up", "f5", "tab"], "ab"),
    ],
)
def test_a_line_is_edited(keys, text):
    """By the keys that shells have; other keys do nothing."""
    assert edited(*keys).text == text


def test_pasted_text_is_one_line_and_has_a_limit():
    """And is safe on the screen."""
    prompt = edited()
    prompt.insert("a\x1b[31m\nsecond")
    prompt.insert("x" * 5_000)

    assert len(prompt.text) == 1_000
    assert prompt.text.startswith("a\x1b[31mx")
    assert "\x1b" not in prompt.draw(80).plain


def test_a_long_line_shows_its_cursor():
    """The start leaves the screen."""
    line = edited(text="x" * 100 + "end").draw(20)

    assert line.plain.rstrip().endswith("end")
    assert line.cell_len <= 20


def test_an_empty_line_has_a_hint():
    """What can be typed."""
    assert edited().draw(20).plain == "/ hint"
