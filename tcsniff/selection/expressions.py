"""Expressions: JMESPath (https://jmespath.org) over an event.

Pure. An expression sees the record (`records`) and besides ``routing``,
``event``, ``service``, ``time`` and ``lag``; of these only what it looks at is
made. What stands in most expressions - fields, comparisons, ``&&``, ``||``,
``!`` - is made into closures, ten times as fast as jmespath's own interpreter,
which does the rest; that both agree in all is a property test.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
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

from tcsniff.errors import UsageError
from tcsniff.pulse.events import Event
from tcsniff.sanitize import sanitize
from tcsniff.selection.evaluation import (
    DEEPEST,
    EXPRESSION_FIELDS,
    compile_node,
    is_false,
    list_names,
)
from tcsniff.selection.syntax_errors import (
    TOO_DEEP,
    Misplaced,
    check_tree,
    explain_lexer_error,
    explain_parse_error,
    find_hint,
    point_at,
)

__all__ = ["DEEPEST", "EXPRESSION_FIELDS", "Expression", "compile_expression"]


class Expression:
    """An expression, ready to be asked about events.

    Attributes:
        text: As it was written.
        hint: What is probably wrong with it though it is valid, for the person;
            None if nothing is.
        failures: For how many events it could not be evaluated, as when
            ``starts_with`` finds a null.
        reason: Why, the first time; None if it never happened.
    """

    def __init__(self, text: str, tree: Any, hint: str | None) -> None:
        self.text = text
        self.hint = hint
        self.failures = 0
        self.reason: str | None = None
        self._find = compile_node(tree, top=True)
        self._could_hold = needle_of(tree)

    def search(self, event: Event) -> Any:
        """Evaluate it over an event.

        Returns:
            JSON; None also where it fails, which is counted.
        """
        try:
            return self._find(event)
        except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            self.failures += 1
            self.reason = self.reason or _reason(error)
            return None

    def holds(self, event: Event) -> bool:
        """Tell whether it finds something that is not false.

        False are, as everywhere in JMESPath: false, null, and the empty string,
        array and object. It does not hold where it fails.
        """
        if self._could_hold is not None and not self._could_hold(event.delivery.body):
            return False
        return not is_false(self.search(event))


def _reason(error: Exception) -> str:
    if isinstance(error, JMESPathTypeError):
        wanted = " or ".join(error.expected_types)
        return f"{error.function_name}() takes {wanted}, not {error.actual_type}"
    if isinstance(error, TypeError):
        return "a string and something else do not compare"
    return "JSON is nested too deep" if isinstance(error, RecursionError) else str(error)


def compile_expression(text: str, flag: str) -> Expression:
    """Read an expression, and check all that needs no event.

    Args:
        text: The expression.
        flag: Which flag it was given with, for the error.

    Raises:
        UsageError: If it is no expression. Its text has three lines: what is
            wrong, the expression, and a caret under the place.
    """
    try:
        tree, tokens = _read(text)
        check_tree(tree, tokens)
    except Misplaced as error:
        place, words = error.place, error.words
    except RecursionError:
        place, words = 0, TOO_DEEP
    except EmptyExpressionError:
        place, words = 0, "the expression is empty"
    except LexerError as error:
        place, words = error.lexer_position, explain_lexer_error(error)
    except ValueError:  # of int(): more digits than Python reads
        place, words = 0, "a number in it has too many digits"
    else:
        return Expression(text, tree, find_hint(tokens, list_names(tree)))
    raise UsageError(f"{flag}: {sanitize(words)}\n{point_at(text, place)}")


def _read(text: str) -> tuple[Any, list[Any]]:
    with warnings.catch_warnings():
        # Text in backticks without double quotes: old, but people write it.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        tokens: list[Any] = list(Lexer().tokenize(text))  # LexerError comes from here
        try:
            return Parser().parse(text).parsed, tokens
        except ParseError as error:
            raise Misplaced(*explain_parse_error(error, tokens, text)) from None


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
