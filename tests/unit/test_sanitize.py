from __future__ import annotations

import json
import re
import sys
import unicodedata

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcsniff.sanitize import sanitize, sanitize_json

OBEYED = {"Cc", "Cf", "Zl", "Zp", "Cs"}  # controls, format characters, separators, surrogates
TEXTS = st.text(st.characters() | st.characters(categories=sorted(OBEYED)))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def obeyed(text):
    return {letter for letter in text if unicodedata.category(letter) in OBEYED}


def test_no_unsafe_character_is_left():
    """For every code point of Unicode."""
    every = "".join(map(chr, range(sys.maxunicode + 1)))

    left = [f"U+{ord(letter):04X}" for letter in obeyed(sanitize(every))]

    assert left == []


def test_safe_characters_are_kept():
    """Letters, marks, symbols and spaces of all scripts, except for Unicode's own ignorables."""
    every = map(chr, range(sys.maxunicode + 1))
    safe = [letter for letter in every if unicodedata.category(letter) not in {*OBEYED, "Cn"}]

    changed = set(safe) - set(sanitize("".join(safe)))

    assert {unicodedata.name(letter).rpartition("-")[0] for letter in changed} <= {
        "VARIATION SELECTOR"  # of the supplement: invisible, and used to hide text
    }


@given(TEXTS)
def test_the_result_is_safe_for_any_text(text):
    """And a text that was safe already is not changed."""
    result = sanitize(text)

    assert not obeyed(result)
    assert sanitize(result) == result
    if not re.search(r"[^\x20-\x7e]", text):
        assert result == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("\x00\x07\x08\t\n\r\x7f", r"\x00\x07\x08\x09\x0a\x0d\x7f"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("a\u202eb\u2066", r"a\u202eb\u2066"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\xad", r"\xad"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("日本é \U0001f600", "日本é \U0001f600"),
        (r"\x1b", r"\x1b"),
        ("", ""),
    ],
)
def test_unsafe_characters_become_escapes(text, shown):
    """In the form of Python and C."""
    assert sanitize(text) == shown


@given(JSON)
def test_json_is_made_safe_without_a_change_of_value(value):
    """Two parsers agree on the value, before and after."""
    line = json.dumps(value, ensure_ascii=False)

    result = sanitize_json(line)

    assert not obeyed(result)
    assert json.loads(result) == value
    assert orjson.loads(result) == orjson.loads(line)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_names_and_strings_of_json_are_kept(text):
    """Including names of members, and all characters that orjson does not escape."""
    line = orjson.dumps({text: [text]}).decode()

    assert orjson.loads(sanitize_json(line)) == {text: [text]}


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ('"\x9b"', r'"\u009b"'),
        ('"\u202e"', r'"\u202e"'),
        ('"\x7f"', r'"\u007f"'),
        ('"\U000e0041"', r'"\udb40\udc41"'),
        ('"\ud800"', r'"\ud800"'),
        ('{"a": "é日本"}', '{"a": "é日本"}'),
    ],
)
def test_json_is_escaped_as_json(line, result):
    """Characters beyond U+FFFF become a pair of surrogates."""
    assert sanitize_json(line) == result
