"""The settings file in words: for tcsniff-config(5).

Pure.
"""

from __future__ import annotations

from tcsniff.manual.blocks import Block, Example, Heading, Prose, Terms

_DESCRIPTION = (
    """The settings file holds flags that you do not want to type, brokers to choose by name, and
    selections to choose by name. It is TOML (https://toml.io) in UTF-8, and is looked for at
    $XDG_CONFIG_HOME/tcsniff/config.toml, or else ~/.config/tcsniff/config.toml; `--config` or
    `TCSNIFF_CONFIG` name another, or - for none. Nobody has to have one.""",
    """Flags that were typed come first, then a saved selection, variables such as
    `TCSNIFF_WORKER_TYPE`, the profile that is in use, this file, and what is built in. `tcsniff
    config` shows what is in force and where it came from. A key that means nothing is an error
    that names the line.""",
)

_PARTS = {
    "FLAG = VALUE": "At the top, above the first table: any flag by its long name without dashes. "
    "A flag without a value is true or false; one that may be repeated takes a list.",
    "[profiles.NAME]": "A broker, for `--profile NAME`: broker (its URL), user, vhost, root-url, "
    "tls-ca, tls-cert, tls-key, tls-insecure and plaintext; password-file or password-command; "
    "and flags, a table of flags that hold while the profile is in use. What is built in, such as "
    "[profiles.firefox-ci], can be added to. A relative name of a file is relative to this file.",
    "[selections.NAME]": "A selection, for `@NAME` in place of an EVENT: events, a list of "
    "EVENTs, and any flags. Flags that are typed beside it replace its own; `--where` and `--tag` "
    "add.",
    "[colors]": "How events look, by EVENT or state, in words such as bold, dim, red and "
    "bright_red.",
}

_PASSWORDS = """No password stands in this file. password-file names a file whose first line it
    is; password-command is a command, run without a shell, that prints it as its first line."""


def sections(example: str) -> dict[str, list[Block]]:
    """Give the sections of the page, by their titles.

    Args:
        example: A file to start from.
    """
    return {
        "DESCRIPTION": [
            *map(Prose, _DESCRIPTION),
            Heading("What stands in it"),
            Terms(_PARTS),
            Heading("Passwords"),
            Prose(_PASSWORDS),
        ],
        "EXAMPLES": [
            Prose("What `tcsniff config --example` prints, to start from; all is commented out:"),
            Example(example),
        ],
    }
