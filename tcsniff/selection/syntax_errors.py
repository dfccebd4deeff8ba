"""Errors in expressions, explained with their place.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from jmespath.exceptions import LexerError, ParseError

from tcsniff.errors import suggest
from tcsniff.sanitize import sanitize
from tcsniff.selection.evaluation import MAX_DEPTH, list_children
from tcsniff.selection.functions import ExpressionFunctions, compile_regex
from tcsniff.selection.regexes import RegexProblem

_MAX_SHOWN = 72  # characters of an expression in an error

TOO_DEEP = "the expression is nested too deep"
_CLOSING = {"lparen": ")", "lbracket": "]", "filter": "]", "lbrace": "}"}
_CLOSERS = {"rparen", "rbracket", "rbrace"}
_ENDS = {*_CLOSERS, "flatten", "star", "current", "literal", "number"}
_NAMES = {"unquoted_identifier", "quoted_identifier"}
_OTHER_LANGUAGES = {"and": "&&", "or": "||", "not": "!", "is": "=="}
_LEXER_REASONS = {
    "=": "'=' is not an operator; write == for equal",
    "-": "'-' is valid only before a number; write a name that contains it in double quotes",
    "~": "'~' is not an operator; use contains(), starts_with(), ends_with() or matches()",
    "/": "'/' is not an operator; write text in single quotes",
}


class SyntaxProblem(Exception):
    """An error at a place in an expression.

    Attributes:
        place: The place, in characters from the start.
        reason: What is wrong.
    """

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


def check_tree(tree: Any, tokens: Sequence[Any]) -> None:
    """Check a tree for errors that jmespath finds only during evaluation.

    Raises:
        SyntaxProblem: If a function is unknown or called with the wrong
            arguments, or the expression is nested too deep.
    """
    # jmespath's tree has no places, but its calls and & have the order of the tokens.
    calls = (
        token["start"]
        for token, after in pairwise(tokens)
        if token["type"] == "unquoted_identifier" and after["type"] == "lparen"
    )
    ampersands = (token["start"] for token in tokens if token["type"] == "expref")
    pending = [(tree, 1, 0, "")]  # node, level, place and name of the function that needs a &
    while pending:
        node, level, place, function = pending.pop()
        if level > MAX_DEPTH:
            raise SyntaxProblem(0, TOO_DEEP)
        if node["type"] == "expref":
            place = next(ampersands)
            if not function:
                raise SyntaxProblem(
                    place, "'&' is only valid before an argument of a function; write && for 'and'"
                )
        elif function:
            raise SyntaxProblem(place, f"{function}() needs an expression after '&', like &name")
        children = [(child, level + 1, 0, "") for child in list_children(node)]
        if node["type"] == "function_expression":
            place = next(calls)
            needs_expression = _check_call(node, place)
            children = [
                (child, level + 1, place, node["value"] if needs else "")
                for (child, *_), needs in zip(children, needs_expression, strict=True)
            ]
        pending.extend(reversed(children))


def _check_call(node: Any, place: int) -> list[bool]:
    # Returns for each argument whether it must be an expression after &.
    name, count = node["value"], len(node["children"])
    table = ExpressionFunctions.FUNCTION_TABLE
    if name not in table:
        hint = suggest(name, table) or f"; known functions: {', '.join(sorted(table))}"
        raise SyntaxProblem(place, f"unknown function {name}(){hint}")
    signature = table[name]["signature"]
    min_count, is_variadic = len(signature), signature[-1].get("variadic", False)
    if count < min_count or (count > min_count and not is_variadic):
        expected = f"{min_count} argument{'s' if min_count > 1 else ''}"
        at_least = "at least " if is_variadic else ""
        raise SyntaxProblem(place, f"{name}() takes {at_least}{expected}, not {count}")
    if name == "matches":
        _check_regex(node["children"][1], place)
    needs_expression = ["expref" in argument["types"] for argument in signature]
    return needs_expression + needs_expression[-1:] * (count - min_count)


def _check_regex(node: Any, place: int) -> None:
    if node["type"] == "literal" and isinstance(node["value"], str):
        try:
            compile_regex(node["value"])
        except RegexProblem as error:
            raise SyntaxProblem(place, str(error)) from None


def explain_lexer_error(error: LexerError) -> str:
    """Return why a part of the text is not a token."""
    message = error.message
    if message.startswith("Unclosed"):
        return f"missing closing {message.split()[1]}"
    if message.startswith("Bad token"):
        return "the text between ` and ` is not JSON"
    if error.lexer_value.startswith('"'):
        return f"the text in double quotes is not a name: {message}"
    return _LEXER_REASONS.get(error.lexer_value, f"unexpected {error.lexer_value!r}")


def explain_parse_error(error: ParseError, tokens: Sequence[Any], text: str) -> tuple[int, str]:
    """Return the place where tokens are not an expression, and why."""
    place = error.lex_position
    if error.msg.startswith("Quoted"):  # its position is always 0
        place = next(
            token["start"]
            for token, after in pairwise(tokens)
            if (token["type"], after["type"]) == ("quoted_identifier", "lparen")
        )
        return place, "write the name of a function without quotes"
    if not tokens[:-1]:
        return 0, "the expression is empty"
    if place >= len(text):
        return len(
            text
        ), f"expected {_describe_expected_token(tokens[:-1])}, but the expression ends"
    number = next(number for number, token in enumerate(tokens) if token["start"] == place)
    return place, _explain_token(tokens, number, text)


def _describe_expected_token(tokens: Sequence[Any]) -> str:
    last = tokens[-1]["type"]
    if last == "dot":
        return "the name of a field"
    if last not in _ENDS | _NAMES:
        return "a value"
    closing: list[str] = []
    for token in tokens:
        if token["type"] in _CLOSING:
            closing.append(_CLOSING[token["type"]])
        elif token["type"] in _CLOSERS:
            closing.pop()
    return closing[-1]  # not empty, because then the expression would be complete


def _explain_token(tokens: Sequence[Any], number: int, text: str) -> str:
    token, before = tokens[number], tokens[max(0, number - 1)]
    shown = text[token["start"] : tokens[number + 1]["start"]].strip()
    for word in (before, token):
        if word["type"] == "unquoted_identifier" and word["value"] in _OTHER_LANGUAGES:
            operator = _OTHER_LANGUAGES[word["value"]]
            return f"{word['value']!r} is not an operator; write {operator}"
    if token["type"] == "expref":
        return "unexpected &; write && for 'and'"
    if before["type"] == "lbracket":
        return f"expected a number, * or ? after '[', not {shown}; write a field after a dot"
    if token["type"] == "number" and before["type"] != "dot":
        return f"write a number in backticks: `{shown}`"
    return f"unexpected {shown}"


def point_at(text: str, place: int) -> str:
    """Return an expression, shortened around a place, with a caret under the place."""
    start = max(0, min(place - _MAX_SHOWN // 2, len(text) - _MAX_SHOWN))
    before, after = sanitize(text[start:place]), sanitize(text[place : start + _MAX_SHOWN])
    left = "…" if start else ""
    right = "…" if start + _MAX_SHOWN < len(text) else ""
    return f"  {left}{before}{after}{right}\n  {' ' * len(left + before)}^"
