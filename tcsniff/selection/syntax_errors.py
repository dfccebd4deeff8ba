"""What may be wrong with an expression, in words and with the place.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from jmespath.exceptions import (
    LexerError,
    ParseError,
)
from jmespath.functions import Functions

from tcsniff.errors import suggest
from tcsniff.messages import STATES
from tcsniff.sanitize import sanitize
from tcsniff.selection.evaluation import DEEPEST, EXPRESSION_FIELDS, WHOLE_RECORD, list_children

_WIDEST = 72  # characters of an expression that an error shows

TOO_DEEP = "the expression is nested too deep"
_COMPARISONS = {"eq", "ne", "lt", "lte", "gt", "gte"}
_CLOSING = {"lparen": ")", "lbracket": "]", "filter": "]", "lbrace": "}"}
_CLOSERS = {"rparen", "rbracket", "rbrace"}
_ENDS = {*_CLOSERS, "flatten", "star", "current", "literal", "number"}
_NAMES = {"unquoted_identifier", "quoted_identifier"}
_ELSEWHERE = {"and": "&&", "or": "||", "not": "!", "is": "=="}
_LEXER_WORDS = {
    "=": "'=' is no operator; equal is written ==",
    "-": "'-' stands only before a number; a name that has one goes in double quotes",
    "~": "'~' is no operator; there are contains(), starts_with() and ends_with()",
    "/": "'/' is no operator; text goes in single quotes",
}
_VALUES = {"true", "false", "null"}
_GOES_ON = {"dot", "lbracket", "flatten", "filter", "lparen"}


class Misplaced(Exception):
    """Something is wrong with an expression, at a place in it.

    Attributes:
        place: Where, in characters from the start.
        words: What.
    """

    def __init__(self, place: int, words: str) -> None:
        super().__init__(words)
        self.place = place
        self.words = words


def check_tree(tree: Any, tokens: Sequence[Any]) -> None:
    """Find what jmespath would find only in evaluating.

    Raises:
        Misplaced: If a function is unknown or called wrongly, or it is nested too deep.
    """
    # jmespath's tree has no places: its calls and & come in the order of the text's.
    calls = (
        token["start"]
        for token, after in pairwise(tokens)
        if token["type"] == "unquoted_identifier" and after["type"] == "lparen"
    )
    ampersands = (token["start"] for token in tokens if token["type"] == "expref")
    waiting = [(tree, 1, 0, "")]  # node, level, place and name of the function that wants a &
    while waiting:
        node, level, place, function = waiting.pop()
        if level > DEEPEST:
            raise Misplaced(0, TOO_DEEP)
        if node["type"] == "expref":
            place = next(ampersands)
            if not function:
                raise Misplaced(place, "'&' goes with an argument of a function; 'and' is &&")
        elif function:
            raise Misplaced(place, f"{function}() wants an expression after '&', as in &name")
        children = [(child, level + 1, 0, "") for child in list_children(node)]
        if node["type"] == "function_expression":
            place = next(calls)
            wants = _signature(node, place)
            children = [
                (child, level + 1, place, node["value"] if want else "")
                for (child, *_), want in zip(children, wants, strict=True)
            ]
        waiting.extend(reversed(children))


def _signature(node: Any, place: int) -> list[bool]:
    # For each argument, whether it is an expression after &.
    name, given = node["value"], len(node["children"])
    table = Functions.FUNCTION_TABLE
    if name not in table:
        near = suggest(name, table) or f"; known: {', '.join(sorted(table))}"
        raise Misplaced(place, f"no function {name}(){near}")
    signature = table[name]["signature"]
    least, variadic = len(signature), signature[-1].get("variadic", False)
    if given < least or (given > least and not variadic):
        count = f"{'at least ' if variadic else ''}{least} argument{'s' if least > 1 else ''}"
        raise Misplaced(place, f"{name}() takes {count}, not {given}")
    wants = ["expref" in argument["types"] for argument in signature]
    return wants + wants[-1:] * (given - least)


def explain_lexer_error(error: LexerError) -> str:
    """Say what is no token."""
    message = error.message
    if message.startswith("Unclosed"):
        return f"no closing {message.split()[1]}"
    if message.startswith("Bad token"):
        return "what stands between ` and ` is no JSON"
    if error.lexer_value.startswith('"'):
        return f"what stands between double quotes is no name: {message}"
    return _LEXER_WORDS.get(error.lexer_value, f"unexpected {error.lexer_value!r}")


def explain_parse_error(error: ParseError, tokens: Sequence[Any], text: str) -> tuple[int, str]:
    """Say where tokens make no expression, and why."""
    place = error.lex_position
    if error.msg.startswith("Quoted"):  # says 0 for where
        pairs = pairwise(tokens)
        place = next(
            one["start"]
            for one, after in pairs
            if (one["type"], after["type"]) == ("quoted_identifier", "lparen")
        )
        return place, "a function's name has no quotes"
    if not tokens[:-1]:
        return 0, "the expression is empty"
    if place >= len(text):
        return len(text), f"expected {_wanted(tokens[:-1])}, found the end"
    number = next(number for number, token in enumerate(tokens) if token["start"] == place)
    return place, _unexpected(tokens, number, text)


def _wanted(tokens: Sequence[Any]) -> str:
    # What could follow these, all of which could be read, in words.
    last = tokens[-1]["type"]
    if last == "dot":
        return "a field's name"
    if last not in _ENDS | _NAMES:
        return "a value"
    opened: list[str] = []
    for token in tokens:
        if token["type"] in _CLOSING:
            opened.append(_CLOSING[token["type"]])
        elif token["type"] in _CLOSERS:
            opened.pop()
    return opened[-1]  # where nothing is open, nothing is wanted


def _unexpected(tokens: Sequence[Any], number: int, text: str) -> str:
    token, before = tokens[number], tokens[max(0, number - 1)]
    shown = text[token["start"] : tokens[number + 1]["start"]].strip()
    for one in (before, token):
        if one["type"] == "unquoted_identifier" and one["value"] in _ELSEWHERE:
            return f"{one['value']!r} is no operator; it is written {_ELSEWHERE[one['value']]}"
    if token["type"] == "expref":
        return "unexpected &; 'and' is written &&"
    if before["type"] == "lbracket":
        return f"expected a number, * or ? after '[', found {shown}; a field follows a dot"
    if token["type"] == "number" and before["type"] != "dot":
        return f"a number goes in backticks: `{shown}`"
    return f"unexpected {shown}"


def point_at(text: str, place: int) -> str:
    """Show an expression, of a long one what is around a place, and a caret under it."""
    start = max(0, min(place - _WIDEST // 2, len(text) - _WIDEST))
    before, after = sanitize(text[start:place]), sanitize(text[place : start + _WIDEST])
    left = "…" if start else ""
    right = "…" if start + _WIDEST < len(text) else ""
    return f"  {left}{before}{after}{right}\n  {' ' * len(left + before)}^"


def find_hint(tokens: Sequence[Any], names: set[str]) -> str | None:
    """Tell what is probably wrong with a valid expression, if anything."""
    unknown = sorted(names - EXPRESSION_FIELDS.keys() - {WHOLE_RECORD})
    for sign, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        name, kind = token["value"], token["type"]
        if sign["type"] not in _COMPARISONS or kind not in _NAMES or after["type"] in _GOES_ON:
            continue
        if kind == "quoted_identifier":
            return f"\"{name}\" is a field's name; text is written '{name}'"
        if name in _VALUES:
            return f"{name} is a field's name; the value is written `{name}`"
        if name in STATES or name in unknown:
            return f"{name} is a field's name; text is written '{name}'"
    if not unknown:
        return None
    near = suggest(unknown[0], EXPRESSION_FIELDS) or "; what the message says is under payload"
    return f"no event has a field {unknown[0]!r}{near}"
