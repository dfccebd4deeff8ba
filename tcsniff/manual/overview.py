"""What tcsniff(1) says by hand.

Pure data.
"""

from __future__ import annotations

SYNOPSIS = "show Taskcluster's task events as they happen"

DESCRIPTION = (
    """Taskcluster announces on a message broker, called Pulse, whatever happens to a task: that it
    is defined, pending, running, completed, failed or in exception. `tcsniff` listens there and
    shows what it hears, as a live table on a terminal, as one JSON object a line in a pipe.""",
    """If the first word is the name of a command, it is that command; else all words belong to
    `sniff`, which shows events. Flags and EVENTs mix in any order.""",
    """`tcsniff` is a reader. On a broker that others use it declares nothing but a queue of its
    own, which goes when it ends, and publishes nothing.""",
    """Standard output holds data and nothing else; everything said to the person goes to standard
    error.""",
)

COMMANDS = """Each has a page of its own, such as tcsniff-explain(1)."""

EVENTS = """What can be listened for, by the service that announces it. `tcsniff exchanges` tells
    the fields of each. An EVENT may be written with its service in front, as in
    `queue/task-running`, and as Taskcluster's reference spells it, as in `taskRunning`."""

EXAMPLES = (
    ("See it work, without a broker:", "tcsniff --demo"),
    (
        "Watch a worker type of Mozilla's Firefox CI; the account is in the environment:",
        "tcsniff --worker-type b-linux-large task-running task-failed",
    ),
    (
        "Follow a task group:",
        "tcsniff --task-group fN1SbArXTPSVFNUvaOlinQ",
    ),
    (
        "The ids of tasks that fail:",
        "tcsniff task-failed --scheduler-id gecko-level-3 | jq -r .payload.status.taskId",
    ),
    (
        "Wait until a task is completed, for half an hour at most:",
        "tcsniff task-completed --task G41B6K1FS32lXqJrVoB7Yw -n 1 --timeout 30m",
    ),
    (
        "Give each EVENT fields of its own:",
        "tcsniff task-defined:worker-type=gaia,provisioner-id=aws-provisioner "
        "task-running:worker-type=b2g",
    ),
    (
        "Listen to an exchange that is not Taskcluster's:",
        "tcsniff --exchange exchange/build/normalized --routing-key '#' -o raw",
    ),
    (
        "See what the broker would be asked for, without asking it:",
        "tcsniff explain --task-queue gecko-t/t-linux-large task-exception",
    ),
)
"""What for, and the line for a shell."""

ABROAD = (
    "Taskcluster's messages: https://docs.taskcluster.net/docs/manual/design/apis/pulse",
    "Accounts for Mozilla's broker: https://pulseguardian.mozilla.org",
)
