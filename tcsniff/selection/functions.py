"""The functions that expressions have in addition to JMESPath's: matches() and age()."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from jmespath.functions import Functions, signature

from tcsniff.pulse.times import parse_seconds
from tcsniff.selection.regexes import Regex

# Typed by stubs that the library does not have at run time.
_TEXT: Any = {"types": ["string"]}
_TEXT_OR_NULL: Any = {"types": ["string", "null"]}

compile_regex = lru_cache(maxsize=64)(Regex)


class ExpressionFunctions(Functions):
    """The functions of an expression.

    Attributes:
        received: When the event that it is applied to was received, as in the record;
            None if unknown.
    """

    def __init__(self) -> None:
        super().__init__()
        self.received: str | None = None

    @signature(_TEXT_OR_NULL, _TEXT)
    def _func_matches(self, text: str | None, pattern: str) -> bool:
        # Null, the value of a missing field, matches nothing.
        return text is not None and compile_regex(pattern).matches(text)

    @signature(_TEXT_OR_NULL)
    def _func_age(self, timestamp: str | None) -> float | None:
        # When the event was received, so that a replay gives what was true then.
        seconds = parse_seconds(timestamp)
        if seconds is None:
            return None
        received = parse_seconds(self.received)
        return (time.time() if received is None else received) - seconds
