"""Selections that no message can match, as far as that is known before connecting.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from tcsniff.errors import UsageError
from tcsniff.pulse.exchanges import BY_ADDRESS, KEYS_WITHOUT_VALUES, PLACEHOLDER, ROUTE, Exchange
from tcsniff.pulse.routing import (
    ANY_WORDS,
    Binding,
    build_pattern,
    compile_pattern,
    patterns_overlap,
)

# RabbitMQ's own exchanges of other types, which have no patterns: AMQP 0-9-1, section 3.1.3.
_NO_TOPICS = {
    "": "the default exchange",
    "amq.direct": "a direct exchange",
    "amq.fanout": "a fanout exchange",
    "amq.headers": "a headers exchange",
    "amq.match": "a headers exchange",
}


def check_topic_exchanges(names: Iterable[str]) -> None:
    """Check that exchanges have patterns.

    Raises:
        UsageError: If one is known to be of another type than topic.
    """
    for name in names:
        if name in _NO_TOPICS:
            raise UsageError(
                f"--exchange {name!r}: this is {_NO_TOPICS[name]}, and only topic exchanges "
                "match patterns"
            )


def list_impossible(bindings: Iterable[Binding]) -> Iterator[str]:
    """Yield a note for each exchange with a binding whose pattern matches none of its keys.

    Only exchanges of the catalog are checked.
    """
    reported = set()
    for binding in bindings:
        exchange = BY_ADDRESS.get(binding.exchange)
        if exchange is None or exchange in reported or _can_match(exchange, binding.pattern):
            continue
        reported.add(exchange)
        yield (
            f"no message can match the pattern {binding.pattern}: routing keys of "
            f"{exchange.name} are like {_describe_key(exchange)}{_give_advice(exchange)}"
        )


def _give_advice(exchange: Exchange) -> str:
    if exchange.name not in KEYS_WITHOUT_VALUES:
        return ""
    return "; select by content: --where \"payload.workerPoolId == 'PROVISIONER/TYPE'\""


def _can_match(exchange: Exchange, pattern: str) -> bool:
    if _match_words_of(exchange)(pattern):  # quick, for those that flags make
        return True
    keys = [_describe_key(exchange)]
    if exchange.routes:
        keys.append(f"{ROUTE}{ANY_WORDS}")
    return any(patterns_overlap(pattern, key) for key in keys)


@cache
def _match_words_of(exchange: Exchange) -> Callable[[str], bool]:
    return compile_pattern(_describe_key(exchange))


def _describe_key(exchange: Exchange) -> str:
    values = {}
    if exchange.name in KEYS_WITHOUT_VALUES:
        values = {field.name: PLACEHOLDER for field in exchange.fields if not field.many}
    return build_pattern(exchange, values)
