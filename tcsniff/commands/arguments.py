"""The words of a command line: which are flags, values of flags, and arguments.

click decides this while it parses. What is here has to know before: the command,
which may stand behind flags, and IDs that start with a hyphen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from tcsniff.identifiers import is_slug_id

END_OF_FLAGS = "--"


def list_flags_with_value(command: click.Command) -> dict[str, bool]:
    """Return the flags of a command, each with whether the next word is its value."""
    return {
        name: _takes_word(parameter)
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


def list_argument_places(words: Sequence[str], flags: Mapping[str, bool]) -> list[int]:
    """Return the places of the words that are neither flags nor values of flags.

    Args:
        words: The words of a command line.
        flags: From `list_flags_with_value`. Unknown flags have no value.
    """
    places: list[int] = []
    is_value = False
    for place, word in enumerate(words):
        if is_value:
            is_value = False
        elif word == END_OF_FLAGS:
            return [*places, *range(place + 1, len(words))]
        elif is_flag(word):
            is_value = _needs_value(word, flags)
        else:
            places.append(place)
    return places


def is_flag(word: str) -> bool:
    """Return whether a word has the form of a flag; an ID has not, nor has ``-``.

    No flag has the form of an ID: 22 characters, of which the ninth is from Q to T.
    """
    return word.startswith("-") and word != "-" and not is_slug_id(word)


def move_ids_behind_flags(words: Sequence[str], flags: Mapping[str, bool]) -> list[str]:
    """Return the words with IDs that start with a hyphen behind ``--``, as arguments."""
    if not any(map(_is_dashed_id, words)):
        return list(words)
    places = list_argument_places(words, flags)
    ids = [place for place in places if _is_dashed_id(words[place])]
    rest = [word for place, word in enumerate(words) if place not in ids]
    if END_OF_FLAGS not in rest:
        rest.append(END_OF_FLAGS)
    return [*rest, *(words[place] for place in ids)]


def _is_dashed_id(word: str) -> bool:
    return word.startswith("-") and is_slug_id(word)


def _takes_word(option: click.Option) -> bool:
    # A flag with an optional value, such as --logs, has it behind `=` only.
    has_optional_value = not option.is_flag and isinstance(option.flag_value, str)
    return not (option.is_flag or option.count or has_optional_value)


def _needs_value(word: str, flags: Mapping[str, bool]) -> bool:
    # Whether the next word is the value of a flag, or of the last in a cluster: -vn 5.
    if word.startswith("--"):
        return "=" not in word and flags.get(word, False)
    for place, letter in enumerate(word[1:], 2):
        if flags.get(f"-{letter}", False):
            return place == len(word)
    return False
