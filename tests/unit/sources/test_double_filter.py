"""Copies of a message that arrive through several subscriptions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tcsniff.pulse.deliveries import Delivery
from tcsniff.sources.double_filter import DoubleFilter


def message(text):
    return Delivery("exchange/x", "a.b", text.encode(), None)


@given(st.lists(st.sampled_from("abc"), max_size=9), st.randoms(use_true_random=False))
def test_each_message_is_new_once(texts, random):
    """In whatever order the subscriptions deliver; a message that is published twice is two."""
    queues = {name: list(texts) for name in ("old", "new")}
    double_filter, shown = DoubleFilter(), []

    while any(queues.values()):
        name = random.choice([name for name, queue in queues.items() if queue])
        text = queues[name].pop(0)
        if double_filter.is_new(name, message(text)):
            shown.append(text)

    assert sorted(shown) == sorted(texts)


def test_a_message_of_one_subscription_is_new():
    """What only one of them receives is not lost."""
    double_filter = DoubleFilter()

    assert double_filter.is_new("old", message("a"))
    assert double_filter.is_new("new", message("b"))
    assert not double_filter.is_new("new", message("a"))
    assert not double_filter.is_new("old", message("b"))
