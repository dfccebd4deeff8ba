"""What pages say of single commands by hand, as far as the commands do not know it themselves.

Pure. A command without an entry has a page made of its help alone.
"""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """What is said of a command.

    Attributes:
        more: Paragraphs to follow its help.
        examples: What for, and lines for a shell.
        statuses: Exit statuses that its flags do not tell of.
        variables: Variables that its flags do not tell of.
        see: Other pages, with their sections.
        connects: Whether flags such as ``--broker`` have it connect.
    """

    more: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    statuses: tuple[int, ...] = ()
    variables: tuple[str, ...] = ()
    see: tuple[str, ...] = ()
    connects: bool = True


NOTHING = Words()

WORDS = {
    "sniff": Words(
        more=(
            """This is the default command: `tcsniff task-running` and `tcsniff sniff task-running`
            are the same. Only if the first word is the name of a command it is that command. All
            that it takes is told in tcsniff(1).""",
        ),
        examples=(("See it work, without a broker:", "tcsniff sniff --demo"),),
    ),
    "explain": Words(
        examples=(
            (
                "See what the broker would be asked for, without asking it:",
                "tcsniff explain --task-queue gecko-t/t-linux-large task-exception",
            ),
            (
                "The same for a program:",
                "tcsniff explain --json --worker-type gaia task-running | jq -r .pattern",
            ),
            (
                "Check an expression before it has to wait for an event:",
                "tcsniff explain --all --where \"payload.status.state=='failed'\"",
            ),
        ),
    ),
    "exchanges": Words(
        examples=(
            ("All that can be listened for, and what with:", "tcsniff exchanges"),
            ("That of one service:", "tcsniff exchanges worker-manager"),
            (
                "The fields of a routing key, in order:",
                "tcsniff exchanges --json queue/task-running | jq -r '.fields[].name'",
            ),
        ),
        variables=("COLUMNS",),
    ),
    "doctor": Words(
        more=(
            """Each line has a mark: that it went well, that there is advice, or that it failed;
            then what was tried, what was found, and how long it took. Advice stands below.""",
        ),
        examples=(
            ("Can I listen at Mozilla's Firefox CI?", "tcsniff doctor"),
            (
                "May this account bind this exchange?",
                "tcsniff doctor --profile community task-running",
            ),
            (
                "A broker of my own with a certificate of my own:",
                "tcsniff doctor --broker amqps://me@broker.example --tls-ca ca.pem",
            ),
            (
                "The steps that failed, for a program:",
                "tcsniff doctor --json | jq -r 'select(.ok | not) | .advice'",
            ),
        ),
    ),
    "schema": Words(
        examples=(
            ("The record that `-o json` prints:", "tcsniff schema > record.schema.json"),
            (
                "The fields of a payload:",
                "tcsniff schema task-failed | jq -r '.\"$defs\".TaskFailedMessage.properties'",
            ),
        ),
        see=("tcsniff-record(5)",),
    ),
    "completion": Words(
        more=(
            """Installed from a wheel, the scripts are where the shells look for them, below
            share/bash-completion/completions, share/zsh/site-functions and
            share/fish/vendor_completions.d of that place. Tab starts no Python: whatever is known
            beforehand stands in the script, and the names of your own profiles and selections are
            read from the configuration file by the shell itself.""",
        ),
        examples=(("For this shell, now:", "source <(tcsniff completion bash)"),),
        see=("bash(1)", "zsh(1)", "fish(1)"),
    ),
    "help": Words(
        examples=(
            ("What there is to be told of:", "tcsniff help"),
            ("What a script can tell by the exit status:", "tcsniff help exit-status"),
            ("What a command takes:", "tcsniff help doctor"),
        ),
    ),
    "graph": Words(
        examples=(
            (
                "Follow a task group until it is resolved; the status tells how it went:",
                "tcsniff graph fN1SbArXTPSVFNUvaOlinQ",
            ),
            ("See it work, without a broker:", "tcsniff graph --demo"),
            (
                "How is it now? Needs no broker where the queue can be asked:",
                "tcsniff graph --no-wait --root-url https://firefox-ci-tc.services.mozilla.com "
                "fN1SbArXTPSVFNUvaOlinQ",
            ),
            (
                "Which chain of tasks took the time, in what was recorded?",
                "tcsniff graph --from yesterday.jsonl --critical-path",
            ),
        ),
        statuses=(10, 11),
    ),
    "top": Words(
        examples=(
            ("What goes on in all worker pools:", "tcsniff top"),
            ("See it work, without a broker:", "tcsniff top --demo"),
        ),
    ),
    "simulate": Words(
        examples=(
            (
                "Have something to listen to:",
                "tcsniff simulate --broker amqp://guest:guest@localhost",
            ),
            (
                "and listen to it, elsewhere:",
                "tcsniff --all --broker amqp://guest:guest@localhost",
            ),
        ),
    ),
    "config": Words(
        connects=False,
        examples=(
            ("What is in force, and why?", "tcsniff config"),
            (
                "Start a settings file:",
                "tcsniff config --example > ~/.config/tcsniff/config.toml",
            ),
        ),
        see=("tcsniff-config(5)",),
    ),
}
"""By the names of commands."""
