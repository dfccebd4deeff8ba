"""The prefilter changes neither the result of an expression nor its failures."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jmespath.parser import Parser

from builders import delivery
from tcsniff.pulse.events import Event
from tcsniff.selection import expressions as language
from tcsniff.selection.evaluation import is_false
from tcsniff.selection.prefilter import build_prefilter

WORDS = st.sampled_from(["failed", "fail", "", "é", 'a"b', "a\\b", "a\nb", "état"])
PAYLOADS = st.recursive(
    WORDS | st.integers(0, 2) | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["state", "runs", "failed"]), inner, max_size=3)
    ),
    max_leaves=8,
)
PATHS = ["payload", "payload.state", "payload.runs[0]", "payload.runs[-1].state", "event"]


@st.composite
def expressions(draw):
    def comparison():
        path = draw(st.sampled_from([*PATHS, "payload.runs[*].state", "abs(payload.state)"]))
        sign = draw(st.sampled_from(["==", "==", "!="]))
        return f"{path} {sign} `{json.dumps(draw(WORDS))}`"

    parts = [comparison() for _ in range(draw(st.integers(1, 3)))]
    return f" {draw(st.sampled_from(['&&', '||']))} ".join(parts)


def spelled(value, ascii_only):
    return json.dumps(value, ensure_ascii=ascii_only).encode()


@given(text=expressions(), payload=PAYLOADS, ascii_only=st.booleans())
def test_an_expression_holds_exactly_if_its_result_is_true(text, payload, ascii_only):
    """For any body and any spelling of its strings; failures are counted alike."""
    made = delivery(body=spelled(payload, ascii_only))
    asked, told = (
        language.compile_expression(text, "--where"),
        language.compile_expression(text, "--where"),
    )

    assert asked.holds(Event(made)) == (not is_false(told.search(Event(made))))
    assert asked.failures == told.failures


@pytest.mark.parametrize("body", [b'{"state":"\\u0066ailed"}', b'{"state":"f\\u0061iled"}'])
def test_an_escape_may_spell_anything(body):
    """JSON allows it, so a body with escapes is decoded."""
    assert language.compile_expression("payload.state=='failed'", "--where").holds(
        Event(delivery(body=body))
    )


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("payload.status.state=='failed'", True),
        ("payload.status.runs[-1].reasonResolved=='claim-expired'", True),
        ("payload.a=='x' && payload.b!='y'", True),
        ("payload.b!='y' && payload.a=='x'", False),
        ("payload.a=='x' || payload.b=='y'", False),
        ("payload.a=='é'", False),
        ("payload.a==`1`", False),
        ("payload.runs[*].a=='x'", False),
        ("length(payload.a)=='x'", False),
        ("event=='task-failed'", False),
    ],
)
def test_the_prefilter_is_for_comparisons_with_plain_text(text, known):
    """For fields of the payload, alone or first in a chain of ``&&``."""
    assert (build_prefilter(Parser().parse(text).parsed) is not None) is known


def test_a_body_without_the_text_is_not_decoded():
    """That is what saves the time; with the text, or an escape, it is."""
    could_hold = build_prefilter(Parser().parse("payload.state=='failed'").parsed)

    assert not could_hold(b'{"state":"completed"}')
    assert could_hold(b'{"state":"failed"}')
    assert could_hold(b'{"state":"\\u0066ailed"}')
