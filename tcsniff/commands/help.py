"""``tcsniff help``: what does not fit beside a flag, and the help of commands."""

from __future__ import annotations

import click

from tcsniff.commands.console import print_output
from tcsniff.commands.options.selection_options import SectionedCommand
from tcsniff.errors import UsageError, suggest


@click.command("help", cls=SectionedCommand)
@click.argument("topic", required=False)
@click.pass_context
def help(context: click.Context, *, topic: str | None) -> None:  # noqa: A001 - the command's name
    """Tell of a TOPIC, or of a command.

    Without one, list what there is to be told of. The texts are those of the
    manual pages.
    """
    from tcsniff.manual import plain, topics  # msgspec and orjson: 25 ms

    top = context.find_root()
    commands = _commands(top)
    if topic is None:
        summaries = {name: one.summary for name, one in topics.TOPICS.items()}
        print_output(plain.listing({"Topics": summaries, "Commands": _summaries(commands)}))
    elif topic in commands:
        command = commands[topic]
        print_output(command.get_help(command.context_class(command, parent=top, info_name=topic)))
    elif topic in topics.TOPICS:
        print_output(plain.text(topics.TOPICS[topic].blocks()))
    else:
        near = suggest(topic, [*topics.TOPICS, *commands])
        raise UsageError(f"no topic {topic!r}{near or '; `tcsniff help` lists them'}")


def _commands(top: click.Context) -> dict[str, click.Command]:
    root = top.command
    if not isinstance(root, click.Group):
        return {}
    found = {name: root.get_command(top, name) for name in root.list_commands(top)}
    return {name: command for name, command in found.items() if command is not None}


def _summaries(commands: dict[str, click.Command]) -> dict[str, str]:
    return {name: command.get_short_help_str(200) for name, command in commands.items()}
