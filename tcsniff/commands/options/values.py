"""Types of the values of flags, and decorators for several flags."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable
from typing import Any

import click

from tcsniff.commands.options.option import Command
from tcsniff.pulse import times

_CENTURY = 36_500 * 86_400.0  # seconds; Python's clocks go a little further


class Duration(click.ParamType[float]):
    """A length of time, such as ``1h30m``, in seconds."""

    name = "duration"

    def __init__(
        self, *, may_be_nothing: bool = False, most: tuple[float, str] = (_CENTURY, "36500d")
    ) -> None:
        """Create the type.

        Args:
            may_be_nothing: Whether 0 is allowed.
            most: The longest one in seconds, and in the words of the error.
        """
        self._may_be_nothing = may_be_nothing
        self._most = most

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Parse a duration; return seconds."""
        if isinstance(value, float):
            return value
        try:
            seconds = times.parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds <= 0 and not self._may_be_nothing:
            self.fail("must be longer than 0", param, ctx)
        if seconds > self._most[0]:
            self.fail(f"must be at most {self._most[1]}", param, ctx)
        return seconds


class Moment(click.ParamType[float]):
    """A time, or a duration before now, in seconds since the Unix epoch."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Parse a time; return seconds since the Unix epoch."""
        if isinstance(value, float):
            return value
        try:
            return times.parse_moment(value, time.time())
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Size(click.ParamType[int]):
    """A number of bytes, such as ``500k``, ``16M``; in powers of 1024."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse a size; return bytes."""
        found = re.fullmatch(r"([0-9]{1,12})([kKmMgG]?)", str(value))
        if found is None or not int(found[1]):
            self.fail(f"{value!r} is not a size; write it like 500k, 16M or 1G", param, ctx)
        return int(found[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[found[2].lower()]


def split_values(given: tuple[str, ...]) -> list[str]:
    """Return the alternatives in the values of a flag; each may have several: ``a,b``."""
    return [value.strip() for text in given for value in text.split(",")]


def split_callback(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the alternatives of a flag, as the callback of its option."""
    return tuple(split_values(values))


def add_options(
    name: str, kind: Callable[..., Any], *options: Callable[[Command], Command]
) -> Callable[[Command], Command]:
    """Return a decorator that adds flags to a command, which receives them as one argument.

    Args:
        name: The name of the argument.
        kind: The class of the argument; its fields are the names of the parameters.
        options: The flags, in the order of the help.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def call_command(**values: Any) -> Any:
            fields = {field: values.pop(field) for field in kind.__annotations__}
            return command(**{name: kind(**fields)}, **values)

        return stack_decorators(*options)(call_command)

    return decorate


def stack_decorators(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Join decorators; the first one stands first in the help."""

    def decorate(command: Command) -> Command:
        return functools.reduce(lambda inner, wrap: wrap(inner), reversed(decorators), command)

    return decorate
