"""``tcsniff simulate``: simulated task groups on a broker of this machine."""

from __future__ import annotations

import random
import time

import click

from tcsniff.commands.console import ignore_message, print_message, print_output
from tcsniff.commands.options.account_options import AccountArgs, account_options
from tcsniff.commands.options.file_checks import FileUse, check_ending
from tcsniff.commands.options.option import OUTPUT, SectionedCommand, option
from tcsniff.commands.options.output_options import quiet_option
from tcsniff.commands.options.resolve_account import describe_exposed_password, resolve_broker
from tcsniff.commands.options.values import Duration, split_values
from tcsniff.errors import UsageError
from tcsniff.settings.brokers import NO_BROKER, Broker

SIMULATION = "Simulation"
_SPEED = 60.0  # simulated seconds per second, slow enough to watch
_NONE = "none"


@click.command(cls=SectionedCommand)
@option(
    "--groups",
    section=SIMULATION,
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Simulate N task groups; one starts every few simulated minutes.",
)
@option(
    "--tasks",
    section=SIMULATION,
    type=click.IntRange(1, 10_000),
    default=60,
    show_default=True,
    metavar="N",
    help="Simulate about N tasks in each group; the smallest groups have about 20.",
)
@option(
    "--fault",
    "faults",
    section=SIMULATION,
    multiple=True,
    metavar="NAME",
    help="Simulate only this fault instead of all; give several as a,b or repeat the flag, or "
    "give none. `--fault help` lists them.",
)
@option(
    "--seed",
    section=SIMULATION,
    type=click.IntRange(0),
    metavar="N",
    help="Simulate the same tasks each time; only the times differ.",
)
@option(
    "--speed",
    section=SIMULATION,
    type=click.FloatRange(0, min_open=True),
    metavar="FACTOR",
    help="Simulate FACTOR seconds per second. 1 is real time; above that, the times in the "
    "messages run ahead of the clock, and no pause is longer than 10 s. Default: 60, or as fast "
    "as --rate allows.",
)
@option(
    "--rate",
    section=SIMULATION,
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="Publish at most N messages per second.",
)
@option(
    "--delay",
    section=SIMULATION,
    type=Duration(),
    metavar="DURATION",
    help="Wait this long after printing the first group's ID, so that a listener can start.",
)
@option(
    "--graph",
    section=OUTPUT,
    metavar="FILE",
    callback=check_ending,
    file_use=FileUse.WRITE,
    help="Write the dependencies of all tasks to FILE, like the task-graph.json of a decision "
    "task; a name that ends in .gz compresses it.",
)
@quiet_option
@account_options
def simulate(
    *,
    account: AccountArgs,
    groups: int,
    tasks: int,
    faults: tuple[str, ...],
    seed: int | None,
    speed: float | None,
    rate: float | None,
    delay: float | None,
    graph: str | None,
    quiet: bool,
) -> int:
    """Publish simulated task groups to a broker on this machine.

    Declares Taskcluster's exchanges if they are missing, and publishes the
    messages that the queue and worker-manager would publish while task groups
    run, as --demo does. Prints the ID of each group when it starts. The broker must be
    on this machine, such as --broker amqp://localhost

    Redelivered messages are simulated by publishing a message twice.
    """
    from tcsniff.simulator import simulation  # orjson: 2 ms

    if "help" in faults:
        for name in simulation.FAULTS:
            print_output(name)
        return 0
    chosen = _parse_faults(faults, simulation.FAULTS)
    broker = _resolve_local_broker(account)
    notify = ignore_message if quiet else print_message
    if (warning := describe_exposed_password(account)) is not None:
        notify(warning)
    seed = random.randrange(1_000_000) if seed is None else seed
    delay = delay or 0.0
    messages = simulation.simulate(
        seed=seed,
        start=time.time() + delay,
        groups=groups,
        tasks=tasks,
        faults=chosen,
        workers=True,
    )

    from tcsniff.commands.wiring.simulate_run import SimulateRun, write_graph_file  # kombu: 50 ms
    from tcsniff.simulator.pacing import Pace

    if speed is None and rate is None:
        speed = _SPEED
    run = SimulateRun(broker, Pace(speed=speed, rate=rate), notify)
    if graph is not None:
        write_graph_file(graph, simulation.plan_groups(seed=seed, tasks=tasks, groups=groups))
    return run.run(messages, seed=seed, delay=delay)


def _resolve_local_broker(account: AccountArgs) -> Broker:
    try:
        return resolve_broker(account)
    except UsageError as error:
        if str(error) != NO_BROKER:
            raise
        raise UsageError(
            "no broker to publish to; give one on this machine, such as --broker amqp://localhost"
        ) from None


def _parse_faults(values: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    # The simulator checks the names.
    names = tuple(name for name in split_values(values) if name)
    if not values:
        return known
    if _NONE in names and len(set(names)) > 1:
        raise UsageError(f"--fault {_NONE} cannot be combined with other faults")
    return () if names == (_NONE,) * len(names) else names
