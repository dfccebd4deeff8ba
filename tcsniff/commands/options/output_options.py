"""The flags of the output of events, and those that all commands with a view share."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from tcsniff.commands.options.file_checks import FileUse, check_ending
from tcsniff.commands.options.option import Command, output_flag
from tcsniff.commands.options.values import add_options, split_callback, stack_decorators
from tcsniff.errors import UsageError
from tcsniff.settings.value_sources import get_layers

if TYPE_CHECKING:
    from tcsniff.settings.model import Settings

VIEWS = ("table", "lines", "json", "raw")


class OutputArgs(NamedTuple):
    """The values of the output flags.

    Attributes:
        output: One of `VIEWS`; None for a table on a terminal, else JSON lines.
        bare: ``--raw-output``.
        colors: The styles of events, by name, from the settings file.
    """

    output: str | None = None
    as_json: bool = False
    color: str = "auto"
    columns: tuple[str, ...] = ()
    select: str | None = None
    bare: bool = False
    utc: bool = False
    record: str | None = None
    gaps: bool = False
    save_svg: str | None = None
    verbose: bool = False
    colors: Mapping[str, str] = MappingProxyType({})


def make_json_option(*rivals: str) -> Callable[[Command], Command]:
    """Return the flag ``--json``, which loses to stronger sources of its rivals."""
    return output_flag(
        "--json", "as_json", is_flag=True, rivals=rivals, help="Print JSON lines, like -o json."
    )


json_option = output_flag(
    "--json", "as_json", is_flag=True, help="Print one JSON object per line."
)
utc_option = output_flag("--utc", is_flag=True, help="Show times in UTC.")
record_option = output_flag(
    "--record",
    is_common=True,
    metavar="FILE",
    callback=check_ending,
    file_use=FileUse.WRITE,
    help="Append events to FILE as JSON lines, or .gz.",
)
save_svg_option = output_flag(
    "--save-svg",
    metavar="FILE",
    file_use=FileUse.WRITE,
    help="Write the last picture to FILE as SVG, beside any view.",
)
quiet_option = output_flag("-q", "--quiet", is_flag=True, help="Print only errors.")
_color_flags = stack_decorators(
    output_flag(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Use colors; auto follows the terminal, NO_COLOR and FORCE_COLOR.",
    ),
    output_flag(
        "--no-color", is_flag=True, rivals=("color",), help="Use no colors: --color never."
    ),
    output_flag(
        "-v",
        "--verbose",
        is_flag=True,
        help="Print more to standard error: queue, bindings, connection.",
    ),
    quiet_option,
)


def color_options(command: Command) -> Command:
    """Add the flags of colors and messages: a command receives `color`, `verbose` and `quiet`."""

    @functools.wraps(command)
    def call_command(**values: Any) -> Any:
        if values.pop("no_color"):
            values["color"] = "never"
        return command(**values)

    return _color_flags(call_command)


class ViewChoice(click.Choice[str]):
    """The views of a command; other commands' views are ignored if they were not typed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the view; None for a view of another command."""
        is_typed = param is None or ctx is None or _is_typed(ctx, param.name)
        if not is_typed and value in VIEWS and value not in self.choices:
            return None
        return super().convert(value, param, ctx)


def _is_typed(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


_OPTIONS = stack_decorators(
    output_flag(
        "-o",
        "--output",
        is_common=True,
        type=ViewChoice(VIEWS),
        rivals=("as_json", "select"),
        help="Choose the view; default: table or json.",
    ),
    make_json_option("output", "columns"),
    output_flag(
        "--columns",
        is_common=True,
        multiple=True,
        callback=split_callback,
        metavar="A,B,C",
        help="Show these columns; `help` lists them.",
    ),
    output_flag(
        "--select",
        is_common=True,
        rivals=("output", "columns"),
        metavar="EXPR",
        help="Print the result of this JMESPath.",
    ),
    output_flag(
        "-r",
        "--raw-output",
        "bare",
        needs="select",
        is_flag=True,
        help="Print --select's strings without quotes.",
    ),
    utc_option,
    record_option,
    save_svg_option,
    output_flag(
        "--gaps", is_flag=True, help="Print a line for each time without connection, also in JSON."
    ),
    color_options,
)


def output_options(command: Command) -> Command:
    """Add the output flags to a command, which receives them as `view`."""
    call_command = add_options("view", OutputArgs)(command)

    @functools.wraps(call_command)
    def read_settings(**values: Any) -> Any:
        context = click.get_current_context()
        # Typed --columns turn the output in a pipe into lines. Those of the settings do
        # not, because programs that read the output expect JSON.
        prints_json = values["as_json"] or values["select"] or values["output"] in ("json", "raw")
        is_pipe = values["output"] is None and not sys.stdout.isatty()
        if (prints_json or is_pipe) and not _is_typed(context, "columns"):
            values["columns"] = ()
        settings = get_layers(context).settings
        if settings.colors:
            check_colors(settings)
        return call_command(colors=settings.colors, **values)

    return _OPTIONS(read_settings)


def check_output(view: OutputArgs) -> None:
    """Check that the flags do not contradict each other.

    Raises:
        UsageError: If they do.
    """
    if view.as_json and view.output not in (None, "json"):
        raise UsageError(f"--json and -o {view.output} contradict each other")
    if view.select is not None and view.output not in (None, "json"):
        raise UsageError(f"--select prints JSON; it contradicts -o {view.output}")
    if view.columns and (view.as_json or view.select or view.output in ("json", "raw")):
        raise UsageError("--columns needs -o table or -o lines")


def check_colors(settings: Settings) -> None:
    """Check that the colors of the settings exist.

    Raises:
        UsageError: If one does not.
    """
    from tcsniff.pulse.styles import apply_colors  # msgspec: 20 ms

    for key, style in settings.colors.items():
        try:
            apply_colors({key: style})
        except UsageError as error:
            raise UsageError(f"{settings.place('colors', key)}: colors.{error}") from None
