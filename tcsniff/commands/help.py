"""``tcsniff help``: topics, and the help of commands."""

from __future__ import annotations

import click

from tcsniff.commands.help_format import list_topics, print_long_text, wrap_list
from tcsniff.commands.options.option import SectionedCommand
from tcsniff.errors import UsageError, suggest


@click.command("help", cls=SectionedCommand)
@click.argument("topic", required=False)
@click.pass_context
def help(context: click.Context, *, topic: str | None) -> None:  # noqa: A001 - the command's name
    """Show the help of a command or a topic.

    Without TOPIC, list all topics and commands. The manual pages contain the
    same texts.
    """
    root = context.find_root()
    topics, commands = list_topics(), _load_commands(root)
    if topic is None:
        print_long_text("\n".join(_list_all(topics, commands)))
    elif topic in commands:
        command = commands[topic]
        print_long_text(
            command.get_help(command.context_class(command, parent=root, info_name=topic))
        )
    elif topic in topics:
        print_long_text(topics[topic].rstrip("\n"))
    else:
        hint = suggest(topic, [*topics, *commands]) or "; `tcsniff help` lists all topics"
        raise UsageError(f"unknown topic {topic!r}{hint}")


def _load_commands(root: click.Context) -> dict[str, click.Command]:
    if not isinstance(root.command, click.Group):
        return {}
    names = root.command.list_commands(root)
    commands = {name: root.command.get_command(root, name) for name in names}
    return {name: command for name, command in commands.items() if command is not None}


def _list_all(topics: dict[str, str], commands: dict[str, click.Command]) -> list[str]:
    summaries = {name: text.partition("\n")[0] for name, text in topics.items()}
    helps = {name: command.get_short_help_str(200) for name, command in commands.items()}
    return ["Topics:", *wrap_list(summaries), "", "Commands:", *wrap_list(helps)]
