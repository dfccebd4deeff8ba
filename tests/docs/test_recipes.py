"""The recipes of docs/recipes.md, run as they are, each once."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from datetime import datetime
from pathlib import Path

import orjson
import pytest

import oracle
from builders import delivery
from rabbitmq import RabbitMQ, Taskcluster
from recipes import (
    RECIPES,
    YESTERDAY,
    make_environment,
    record_yesterday,
    require_tools,
    run_block,
)
from running import Terminal, finished
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event

WAITING = [recipe for recipe in RECIPES if "tcsniff task" in recipe]
IN_TERMINAL = [recipe for recipe in RECIPES if "vd " in recipe]
(DUCKDB,) = [recipe for recipe in RECIPES if "duckdb " in recipe and "FROM 'yesterday" in recipe]
(PARQUET,) = [recipe for recipe in RECIPES if "parquet" in recipe]
(BIGQUERY,) = [recipe for recipe in RECIPES if "submission_date" in recipe]
(LNAV,) = [recipe for recipe in RECIPES if "lnav " in recipe]
(LOST_RUNS,) = [recipe for recipe in RECIPES if "--reason claim-expired" in recipe]
OTHERS = [
    recipe
    for recipe in RECIPES
    if recipe not in [*WAITING, *IN_TERMINAL, DUCKDB, PARQUET, BIGQUERY, LNAV, LOST_RUNS]
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with the recording `yesterday.jsonl`."""
    return record_yesterday(tmp_path)


def test_there_are_recipes_for_what_people_ask() -> None:
    """Recording and replaying, jq, a day's lost runs, a script that waits."""
    for word in (
        *("--record", "--from today", "--reason claim-expired", "--dedupe"),
        *("jq ", "duckdb ", "vd ", "lnav "),
    ):
        assert any(word in recipe for recipe in RECIPES), word
    assert len(WAITING) == 1


def run_recipe(
    recipe: str,
    place: Path,
    rabbitmq: RabbitMQ,
    taskcluster: Taskcluster,
    published: list[Delivery],
) -> str:
    """Run a recipe, check that it succeeds and reports no error, and return its output."""
    done = run_block(recipe, place, rabbitmq, taskcluster, published)

    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert not re.search("Traceback|error|no such|did you mean", done.stderr), done.stderr
    assert all(line.startswith(("tcsniff: ", "✔ ")) for line in done.stderr.splitlines())
    return done.stdout


@pytest.mark.parametrize("recipe", OTHERS, ids=lambda recipe: recipe[:40])
def test_a_recipe_works(
    recipe: str, place: Path, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """It prints something, and reports no error."""
    run_recipe(recipe, place, rabbitmq, taskcluster, YESTERDAY[:500])


def test_duckdb_finds_the_waiting_times(
    place: Path, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """Those that plain Python finds, in whole seconds."""
    waits: dict[str, list[int]] = {}
    for event in map(Event, YESTERDAY):
        if event.name == "task-running":
            texts = (event.run.scheduled, event.run.started)
            moments = [datetime.fromisoformat(text) for text in texts]
            began, ended = (int(moment.timestamp()) for moment in moments)
            waits.setdefault(event.payload["status"]["taskQueueId"], []).append(ended - began)
    longest = sorted((max(found), len(found)) for found in waits.values())[-10:]

    output = run_recipe(DUCKDB, place, rabbitmq, taskcluster, [])

    rows = [line.split("│")[1:-1] for line in output.splitlines() if "/" in line]
    shown = {
        pool.strip(): (int(started), float(typical), int(most))
        for pool, started, typical, most in rows
    }
    assert {most for _, _, most in shown.values()} == {most for most, _ in longest}
    for pool, (started, typical, most) in shown.items():
        assert started == len(waits[pool])
        assert typical == statistics.median(waits[pool])
        assert most == max(waits[pool])


def test_duckdb_has_every_run_once(
    place: Path, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """As many runs and lost ones in each pool as plain Python finds."""
    rows = oracle.list_rows(YESTERDAY)
    runs = Counter(row["taskQueueId"] for row in rows)
    lost = Counter(
        row["taskQueueId"]
        for row in rows
        if row["reasonResolved"] in ("claim-expired", "worker-shutdown")
    )

    output = run_recipe(PARQUET, place, rabbitmq, taskcluster, [])

    cells = [line.split("│")[1:-1] for line in output.splitlines() if "/" in line]
    shown = {pool.strip(): (int(number), int(gone)) for pool, number, gone, _ in cells}
    assert len(shown) == min(10, len(runs))
    assert shown == {pool: (runs[pool], lost[pool]) for pool in shown}
    assert (place / "runs.parquet").stat().st_size > 0


def test_bigquery_gets_its_columns(
    place: Path, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """A line for each run, with the names that the table has."""
    run_recipe(BIGQUERY, place, rabbitmq, taskcluster, [])

    lines = (place / "task_runs.jsonl").read_text(encoding="utf-8").splitlines()
    found = {(row["task_id"], row["run_id"]): row["resolved"] for row in map(orjson.loads, lines)}
    assert found == {
        (row["taskId"], row["runId"]): row["resolved"] for row in oracle.list_rows(YESTERDAY)
    }


def test_lnav_counts_what_failed(
    place: Path, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """By pool, as plain Python does; and the log has what failed as errors."""
    failed = Counter(
        event.payload["status"]["taskQueueId"]
        for event in map(Event, YESTERDAY)
        if event.name == "task-failed"
    )

    output = run_recipe(LNAV, place, rabbitmq, taskcluster, [])

    rows = [line.split() for line in output.splitlines() if "/" in line.split()[0]]
    assert {pool: int(number) for pool, number in rows} == failed
    assert failed


@pytest.mark.parametrize("recipe", IN_TERMINAL, ids=["visidata"] * len(IN_TERMINAL))
def test_visidata_shows_a_table(recipe: str, place: Path) -> None:
    """A row a record; Shift-F counts by column, q goes back."""
    require_tools(recipe, place)
    program = ["sh", "-euc", f"cd {place}; {recipe}"]
    reasons = {
        event.run.reason_resolved
        for event in map(Event, YESTERDAY)
        if event.name == "task-exception"
    }
    names = ["reason", "pool", "worker", "task", "run", "time"]
    selected = ("--from", str(place / "yesterday.jsonl"), "task-exception", "--dedupe")
    number = finished(*selected).stdout.count("\n")
    # VisiData would ask this address; and its threads race for making this folder.
    (place / ".visidatarc").write_text("options.motd_url = ''\n")
    (place / ".local" / "share" / "visidata").mkdir(parents=True)

    def is_shown(rows: list[str]) -> bool:
        headings = ([word for word in row.split() if word in names] for row in rows)
        return f" {number} rows" in rows[-1] and names in headings

    def is_counted(rows: list[str]) -> bool:
        of_reasons = all(any(reason in row for row in rows) for reason in reasons)
        return of_reasons and f" {number} rows" not in rows[-1]

    with Terminal(program=program, columns=150, env=make_environment(place)) as terminal:
        terminal.shows(is_shown)
        terminal.type("F")
        terminal.shows(is_counted)
        terminal.type("qq")
        status = terminal.status()

    assert status == 0


def test_all_lost_runs_of_the_day_are_found(
    place: Path, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """Each once: what plain Python finds, no more and no less."""
    lost = {}
    for event in map(Event, YESTERDAY):
        run_ = event.run
        if event.name == "task-exception" and run_.reason_resolved == "claim-expired":
            words = event.routing
            lost[words["taskId"], words["runId"]] = " ".join(
                [
                    run_.resolved,
                    *(words[name] for name in ("taskId", "runId", "workerType", "workerId")),
                ]
            )
    of_the_day = [line for line in lost.values() if line.startswith("2026-11-23")]

    output = run_recipe(LOST_RUNS, place, rabbitmq, taskcluster, [])

    assert (place / "lost.txt").read_text().splitlines() == of_the_day
    assert 0 < len(of_the_day) <= len(lost)
    assert sum(int(line.split()[0]) for line in output.splitlines()) == len(of_the_day)


@pytest.mark.parametrize(
    ("events", "limit", "status"),
    [
        (["task-running", "task-completed"], "1h", 0),
        (["task-running", "task-failed"], "1h", 10),
        (["task-exception"], "1h", 11),
        (["retried"], "3s", 124),
        (["other"], "3s", 124),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_a_script_can_wait_for_a_task(
    events: list[str],
    limit: str,
    status: int,
    place: Path,
    rabbitmq: RabbitMQ,
    taskcluster: Taskcluster,
) -> None:
    """It completed, it went wrong, it is not done: the status says which, and so does JSON."""
    (recipe,) = WAITING
    (task,) = re.findall(r"tcsniff task (\S+)", recipe)
    assert recipe.count("--timeout 1h") == 1
    published = [
        delivery("task-exception", task_id=task, retried=True)
        if name == "retried"
        else delivery("task-completed", task_id="A" + task[1:])
        if name == "other"
        else delivery(name, task_id=task)
        for name in events
    ]
    recipe = recipe.replace("--timeout 1h", f"--timeout {limit}")
    no_api = {"TCSNIFF_NO_API": "1"}

    done = run_block(recipe, place, rabbitmq, taskcluster, published, no_api)

    *_, last = map(orjson.loads, done.stdout.splitlines())
    assert done.returncode == last["summary"]["exitStatus"] == status
    assert last["summary"]["taskId"] == task


def test_a_script_that_waits_notices_when_it_cannot(
    place: Path, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """No broker: status 3, which is neither success nor failure of the task."""
    nowhere = {"PULSE_URL": "amqp://a:b@127.0.0.1:1/", "TCSNIFF_NO_API": "1"}

    done = run_block(WAITING[0], place, rabbitmq, taskcluster, [], nowhere)

    assert done.returncode == 3
