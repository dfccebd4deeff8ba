"""Bindings: topic patterns on exchanges, and the rule by which they match.

Pure. The rule is AMQP's, as RabbitMQ applies it; here it serves recordings
and the simulator, which no broker filters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tcsniff.exchanges import Exchange

ANY_WORD = "*"  # exactly one word
ANY_WORDS = "#"  # any number of words, also none
MOST_BYTES = 255  # of a routing key or pattern: it is a shortstr (AMQP 0-9-1, section 4.2.5.3)


class Binding(NamedTuple):
    """What the broker is asked to deliver: an exchange's messages whose key matches a pattern.

    Attributes:
        exchange: The exchange's name on the broker.
        pattern: Words between dots; ``*`` stands for one word, ``#`` for any
            number of them.
    """

    exchange: str
    pattern: str


def pattern_of(exchange: Exchange, wanted: Mapping[str, str]) -> str:
    """Word the pattern for the messages whose routing key holds given values.

    Args:
        exchange: Where to listen.
        wanted: Field name to required value. A field left out may hold
            anything; constants stand by themselves.
    """
    return ".".join(
        field.constant or wanted.get(field.name, field.wildcard) for field in exchange.fields
    )


def matches(pattern: str, key: str) -> bool:
    """Tell whether a topic pattern accepts a routing key.

    The rule: https://www.rabbitmq.com/tutorials/tutorial-five-python; empty
    words count, so ``a..b`` has three; an empty key or pattern has none.
    """
    return matcher(pattern)(key)


def matcher(pattern: str) -> Callable[[str], bool]:
    """Prepare a pattern for many keys.

    Returns:
        A function that tells whether the pattern accepts a routing key, in
        time proportional to the words of the key times those of the pattern
        at worst.
    """
    wanted = _words(pattern)
    if ANY_WORDS not in wanted[:-1]:
        return _matcher_in_place(wanted)
    return lambda key: _accepts(wanted, _words(key))


def _words(key: str) -> list[str]:
    return key.split(".") if key else []


def _matcher_in_place(wanted: list[str]) -> Callable[[str], bool]:
    # The pattern of nearly every selection: each word has its place, and only
    # the end is open.
    is_open = wanted[-1:] == [ANY_WORDS]
    if is_open:
        wanted = wanted[:-1]
    length = len(wanted)
    fixed = [(place, word) for place, word in enumerate(wanted) if word != ANY_WORD]

    def accepts(key: str) -> bool:
        words = _words(key)
        if len(words) < length or (len(words) > length and not is_open):
            return False
        for place, word in fixed:  # noqa: SIM110 - all() with a generator takes twice as long
            if words[place] != word:
                return False
        return True

    return accepts


def _accepts(wanted: list[str], words: list[str]) -> bool:
    # As for file globs: an `#` takes no word at first; on a mismatch the last
    # `#` takes one word more. Earlier ones never need to, so no exponential time.
    at = place = 0
    hash_at = hash_place = -1
    while place < len(words):
        word = wanted[at] if at < len(wanted) else None
        if word == ANY_WORDS:
            hash_at, hash_place = at, place
            at += 1
        elif word is not None and word in (ANY_WORD, words[place]):
            at += 1
            place += 1
        elif hash_at >= 0:
            hash_place += 1
            at, place = hash_at + 1, hash_place
        else:
            return False
    return all(word == ANY_WORDS for word in wanted[at:])
