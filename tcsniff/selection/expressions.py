"""Expressions: JMESPath (https://jmespath.org) over an event.

Pure. An expression sees the record (see `pulse.records`) and in addition
``routing``, ``event``, ``service``, ``time`` and ``lag``; only the fields that it
uses are computed. The common parts of expressions - fields, comparisons, ``&&``,
``||``, ``!`` - are compiled to closures, ten times as fast as jmespath's own
interpreter, which evaluates the rest. A property test compares both.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import Any

from jmespath.exceptions import (
    EmptyExpressionError,
    JMESPathError,
    JMESPathTypeError,
    LexerError,
    ParseError,
)
from jmespath.lexer import Lexer
from jmespath.parser import Parser

from tcsniff.errors import UsageError, suggest
from tcsniff.sanitize import sanitize
from tcsniff.selection.evaluation import WHOLE_RECORD, compile_node, is_false, list_names
from tcsniff.selection.functions import ExpressionFunctions
from tcsniff.selection.mistakes import check_quotes, find_hint
from tcsniff.selection.prefilter import build_prefilter
from tcsniff.selection.syntax_errors import (
    TOO_DEEP,
    SyntaxProblem,
    check_tree,
    explain_lexer_error,
    explain_parse_error,
    point_at,
)

_MAX_OUTPUT_DEPTH = 250  # levels: orjson writes 254
_TOO_DEEP_JSON = "JSON is nested too deep"


class Expression:
    """A compiled expression.

    Attributes:
        text: The expression as the user wrote it.
        hint: A probable mistake in an expression that is valid, for the user;
            None if there is none.
        failures: The number of events for which evaluation failed, as when
            ``starts_with`` is applied to null.
        reason: Why it failed for the first time; None if it never failed.
    """

    def __init__(
        self, text: str, tree: Any, hint: str | None = None, *, is_over_events: bool = True
    ) -> None:
        self.text = text
        self.hint = hint
        self.failures = 0
        self.reason: str | None = None
        self._is_over_events = is_over_events
        self._functions = ExpressionFunctions()
        self._evaluate = compile_node(tree, self._functions, top=is_over_events)
        self._could_hold = build_prefilter(tree) if is_over_events else None

    def search(self, event: Any) -> Any:
        """Evaluate the expression over an event, or over other decoded JSON.

        Returns:
            The result as decoded JSON; None if evaluation fails, which is counted.
        """
        # What `age` counts from; other objects have the field ``time``.
        is_event = self._is_over_events
        self._functions.received = event.delivery.received if is_event else event.get("time")
        try:
            return self._evaluate(event)
        except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            self._count_failure(_explain_failure(error))
            return None

    def select(self, event: Any) -> Any:
        """Evaluate the expression for output.

        Returns:
            The same as `search`, but None, which is counted as a failure, for a value that
            is nested too deep to be written as JSON.
        """
        value = self.search(event)
        body = event.delivery.body
        if body.count(b"[") + body.count(b"{") > _MAX_OUTPUT_DEPTH and _is_deep(value):
            self._count_failure(_TOO_DEEP_JSON)
            return None
        return value

    def holds(self, event: Any) -> bool:
        """Return whether the result is true, by JMESPath's rule.

        Where the event's message has no tags of its task, the expression sees those of
        an earlier message. False values are false, null, and an empty string, array or object. An
        expression that fails does not hold.
        """
        if self._is_over_events and event.earlier_body is not None:
            return not is_false(self.search(event.with_earlier_tags()))
        if self._could_hold is not None and not self._could_hold(event.delivery.body):
            return False
        return not is_false(self.search(event))

    def _count_failure(self, reason: str) -> None:
        self.failures += 1
        self.reason = self.reason or reason


def _is_deep(value: Any) -> bool:
    # Level by level: recursion would fail for the values that this looks for.
    level = [value]
    for _ in range(_MAX_OUTPUT_DEPTH):
        level = [
            item
            for one in level
            if isinstance(one, list | dict)
            for item in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _explain_failure(error: Exception) -> str:
    if isinstance(error, JMESPathTypeError):
        expected = " or ".join(error.expected_types)
        return f"{error.function_name}() takes {expected}, not {error.actual_type}"
    if isinstance(error, TypeError):
        return "a string cannot be compared with another type"
    return _TOO_DEEP_JSON if isinstance(error, RecursionError) else str(error)


def compile_expression(
    text: str, flag: str, *, fields: Collection[str] | None = None
) -> Expression:
    """Compile an expression, and check everything that does not depend on events.

    Args:
        text: The expression.
        flag: The flag it is the value of, for the error.
        fields: The fields of the objects that it is for; None if it is for events.

    Raises:
        UsageError: If it is not valid. The error has three lines: what is wrong,
            the expression, and a caret under the place.
    """
    try:
        tree, tokens = _parse(text)
        check_tree(tree, tokens)
        check_quotes(tokens)
    except SyntaxProblem as error:
        place, reason = error.place, error.reason
    except RecursionError:
        place, reason = 0, TOO_DEEP
    except EmptyExpressionError:
        place, reason = 0, "the expression is empty"
    except LexerError as error:
        place, reason = error.lexer_position, explain_lexer_error(error)
    except ValueError:  # from int(): more digits than Python accepts
        place, reason = 0, "a number has too many digits"
    else:
        if fields is None:
            return Expression(text, tree, find_hint(tree, tokens))
        _check_fields(list_names(tree), flag, fields)
        return Expression(text, tree, is_over_events=False)
    raise UsageError(f"{flag}: {sanitize(reason)}\n{point_at(text, place)}")


def _check_fields(names: set[str], flag: str, fields: Collection[str]) -> None:
    for name in sorted(names - {*fields, WHOLE_RECORD}):
        hint = suggest(name, fields) or f"; the fields are {', '.join(fields)}"
        raise UsageError(f"{flag}: unknown field {sanitize(name)!r}{hint}")


def _parse(text: str) -> tuple[Any, list[Any]]:
    with warnings.catch_warnings():
        # For text in backticks without double quotes: deprecated, but widely used.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        tokens: list[Any] = list(Lexer().tokenize(text))  # raises LexerError
        try:
            return Parser().parse(text).parsed, tokens
        except ParseError as error:
            raise SyntaxProblem(*explain_parse_error(error, tokens, text)) from None
