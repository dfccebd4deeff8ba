"""``tcsniff simulate``: made-up task groups on a broker of this machine."""

from __future__ import annotations

import random
import time

import click

from tcsniff.commands.console import ignore_message, print_message, print_output
from tcsniff.commands.options.account_options import AccountArgs, account_options, resolve_broker
from tcsniff.commands.options.selection_options import (
    OUTPUT,
    Duration,
    SectionedCommand,
    option,
    split_values,
)
from tcsniff.errors import UsageError
from tcsniff.settings.brokers import NO_BROKER, Broker

MADE_UP = "What is made up"
_SPEED = 60.0  # simulated seconds a second, for a person to watch
_NONE = "none"


@click.command(cls=SectionedCommand)
@option(
    "--groups",
    section=MADE_UP,
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="So many task groups; one begins every few simulated minutes.",
)
@option(
    "--tasks",
    section=MADE_UP,
    type=click.IntRange(1, 10_000),
    default=60,
    show_default=True,
    metavar="N",
    help="About so many tasks in each; there is none with fewer than some 20.",
)
@option(
    "--fault",
    "faults",
    section=MADE_UP,
    multiple=True,
    metavar="NAME",
    help="Let only this go wrong, out of all that may; a,b or repeated for several, none for "
    "nothing. `--fault help` lists them.",
)
@option(
    "--seed",
    section=MADE_UP,
    type=click.IntRange(0),
    metavar="N",
    help="Make up the same each time, but for when it happens.",
)
@option(
    "--speed",
    section=MADE_UP,
    type=click.FloatRange(0, min_open=True),
    metavar="FACTOR",
    help="Simulated seconds a second. 1 is as real, with the times of now; above that, the "
    "times in the messages run ahead, and no pause is longer than 10 s. Default: 60, or with "
    "--rate as fast as that allows.",
)
@option(
    "--rate",
    section=MADE_UP,
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="At most so many messages a second.",
)
@option(
    "--delay",
    section=MADE_UP,
    type=Duration(),
    metavar="DURATION",
    help="Wait so long between the first id and its first message, for whoever listens then.",
)
@option(
    "--graph",
    section=OUTPUT,
    metavar="FILE",
    help="Write the dependencies of all tasks there, as the task-graph.json of a decision task; "
    "one that ends in .gz is compressed.",
)
@option("-q", "--quiet", section=OUTPUT, is_flag=True, help="Say nothing but errors.")
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

    It declares Taskcluster's exchanges there, if they are missing, and
    publishes what the queue would while task groups run: the same messages as
    --demo shows. The id of each group is printed when it begins. To another
    machine it publishes nothing: --broker has to be on this one, such as
    amqp://localhost

    What a real broker marks as redelivered is published twice instead.
    """
    from tcsniff.simulator import simulation  # orjson: 2 ms

    if "help" in faults:
        for name in simulation.FAULTS:
            print_output(name)
        return 0
    chosen = _chosen(faults, simulation.FAULTS)
    broker = _broker(account)
    seed = random.randrange(1_000_000) if seed is None else seed
    delay = delay or 0.0
    messages = simulation.simulate(
        seed=seed, start=time.time() + delay, groups=groups, tasks=tasks, faults=chosen
    )

    from tcsniff.commands.runs.simulate_run import SimulateRun, write_graph_file  # kombu: 50 ms
    from tcsniff.simulator.pacing import Pace

    if speed is None and rate is None:
        speed = _SPEED
    notify = ignore_message if quiet else print_message
    run = SimulateRun(broker, Pace(speed=speed, rate=rate), notify)
    if graph is not None:
        write_graph_file(graph, simulation.plan_groups(seed=seed, tasks=tasks, groups=groups))
    return run.run(messages, seed=seed, delay=delay)


def _broker(account: AccountArgs) -> Broker:
    try:
        return resolve_broker(account)
    except UsageError as error:
        if str(error) != NO_BROKER:
            raise
        raise UsageError(
            "no broker to publish to; give one on this machine, as --broker amqp://localhost"
        ) from None


def _chosen(given: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    # Whether there are such, the simulator sees.
    names = tuple(name for name in split_values(given) if name)
    if not given:
        return known
    if _NONE in names and len(set(names)) > 1:
        raise UsageError(f"--fault {_NONE} goes with no other")
    return () if names == (_NONE,) * len(names) else names
