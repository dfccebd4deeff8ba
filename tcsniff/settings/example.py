"""A settings file to start from, in which everything is commented out.

Pure data.
"""

EXAMPLE_SETTINGS = """\
# Settings of tcsniff. This file's place is ~/.config/tcsniff/config.toml; another is read
# with --config FILE or TCSNIFF_CONFIG, and `tcsniff config` shows what is in force.
# Flags beat variables (TCSNIFF_WORKER_TYPE for --worker-type), which beat this file.

# Any flag by its long name; these have to stand above the first [table].
#profile = "mine"
#columns = ["time", "event", "task", "pool", "reason"]
#utc = true
#prefetch = 200

# A broker of your own: tcsniff --profile mine. No password stands in this file.
# A relative name of a file is relative to this one.
#[profiles.mine]
#broker = "amqps://pulse.example.org:5671/my-vhost"
#user = "me"
#password-command = ["pass", "show", "pulse"]    # its first line; it runs without a shell
#root-url = "https://taskcluster.example.org"
#tls-ca = "ca.pem"
#flags = { queue = "debugging", max-size = "64M" }

# What is built in can be added to: an account for Mozilla's Firefox CI.
#[profiles.firefox-ci]
#user = "me"
#password-file = "~/.config/tcsniff/pulse-password"

# A selection: tcsniff @infra-failures. Flags beside it replace its own, --where and --tag add.
#[selections.infra-failures]
#events = ["task-exception"]
#reason = ["claim-expired", "worker-shutdown", "internal-error"]
#scheduler-id = "gecko-level-3"

# How events look, by EVENT or state.
#[colors]
#failed = "bold bright_red"
#completed = "dim"
"""
"""Settings start with ``#``, words about them with ``#`` and a space."""
