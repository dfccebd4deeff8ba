"""The README's recipes are run as they stand there."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest
from builders import delivery
from rabbitmq import Publication, RabbitMQ, Taskcluster
from running import PATIENCE, environment

from tcsniff import records
from tcsniff.deliveries import Delivery
from tcsniff.events import Event
from tcsniff.simulator import simulate

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
START = 1_795_456_800.0  # 2026-11-23T18:00:00Z
SECTION = re.search(r"^## Recipes\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
RECIPES = re.findall(
    r"^```sh\n(.*?)^```$", SECTION[1] if SECTION else "", re.MULTILINE | re.DOTALL
)
WAITING = [recipe for recipe in RECIPES if "--until" in recipe]


def yesterday() -> list[Delivery]:
    """Give what somebody has recorded: some hours, each message a little late."""
    made = itertools.islice(simulate(seed=5, start=START), 6000)
    return [
        one._replace(received=f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(when + 2))}.000Z")
        for when, one in made
    ]


YESTERDAY = yesterday()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a folder with a recording, `yesterday.jsonl`."""
    if shutil.which("jq") is None:
        reason = "left out, as it needs jq: `apt-get install jq`"
        if os.environ.get("TCSNIFF_TESTS_COMPLETE") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    (tmp_path / "yesterday.jsonl").write_bytes(b"".join(map(records.line, YESTERDAY)))
    return tmp_path


def run(
    recipe: str,
    place: Path,
    rabbitmq: RabbitMQ,
    taskcluster: Taskcluster,
    published: list[Delivery],
) -> subprocess.CompletedProcess[str]:
    """Run a recipe in a shell, while messages come again and again."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (place / "stdout").open("wb") as out, (place / "stderr").open("wb") as err:
        process = subprocess.Popen(
            ["sh", "-euc", recipe],
            cwd=place,
            env=environment({"PATH": path, "PULSE_URL": rabbitmq.url(), "TZ": "UTC"}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
    deadline = time.monotonic() + PATIENCE
    try:
        while process.poll() is None and time.monotonic() < deadline:
            taskcluster.publish_all(
                Publication(one.exchange, one.routing_key, one.body, one.cc) for one in published
            )
            if len(published) < 10:
                process_ended(process)
    finally:
        process.kill()
        process.wait()
    return subprocess.CompletedProcess(
        recipe, process.returncode, (place / "stdout").read_text(), (place / "stderr").read_text()
    )


def process_ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(0.1)
    except subprocess.TimeoutExpired:
        return


def test_there_are_recipes_for_what_people_ask() -> None:
    """Recording and replaying, jq, a day's lost runs, a script that waits."""
    for word in ("--record", "--from today", "jq ", "--reason claim-expired", "--dedupe"):
        assert any(word in recipe for recipe in RECIPES), word
    for word in ("--fail-on", "--timeout", "0)", "10)", "124)"):
        assert all(word in recipe for recipe in WAITING), word
    assert WAITING


@pytest.mark.parametrize(
    "recipe", [one for one in RECIPES if one not in WAITING], ids=lambda recipe: recipe[:40]
)
def test_a_recipe_does_what_it_says(
    recipe: str, place: Path, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """It ends with success, gives something, and nothing is amiss on the way."""
    done = run(recipe, place, rabbitmq, taskcluster, YESTERDAY[:500])

    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert not re.search("Traceback|error|no such|did you mean", done.stderr), done.stderr
    assert all(line.startswith("tcsniff: ") for line in done.stderr.splitlines())


def test_all_lost_runs_of_the_day_are_found(
    place: Path, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """Each once: what plain Python finds, no more and no less."""
    (recipe,) = [one for one in RECIPES if "claim-expired" in one and "--until" not in one]
    lost = {}
    for event in map(Event, YESTERDAY):
        run_ = event.run
        if event.name == "task-exception" and run_.get("reasonResolved") == "claim-expired":
            words = event.routing
            lost[words["taskId"], words["runId"]] = " ".join(
                [
                    run_["resolved"],
                    *(words[name] for name in ("taskId", "runId", "workerType", "workerId")),
                ]
            )
    of_the_day = [line for line in lost.values() if line.startswith("2026-11-23")]

    done = run(recipe, place, rabbitmq, taskcluster, [])

    assert (place / "lost.txt").read_text().splitlines() == of_the_day
    assert 0 < len(of_the_day) <= len(lost)
    assert sum(int(line.split()[0]) for line in done.stdout.splitlines()) == len(of_the_day)


@pytest.mark.parametrize("recipe", WAITING, ids=["wait"] * len(WAITING))
@pytest.mark.parametrize(
    ("events", "limit", "word"),
    [
        (["task-running", "task-completed"], "1h", "completed"),
        (["task-running", "task-failed"], "1h", "wrong"),
        (["task-exception"], "1h", "wrong"),
        (["retried"], "500ms", "not done"),
        (["other"], "500ms", "not done"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_a_script_can_wait_for_a_task(
    recipe: str,
    events: list[str],
    limit: str,
    word: str,
    place: Path,
    rabbitmq: RabbitMQ,
    taskcluster: Taskcluster,
) -> None:
    """It completed, it went wrong, it is not done: three statuses, three branches."""
    (task,) = re.findall(r"^task=(\S+)$", recipe, re.MULTILINE)
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

    done = run(recipe, place, rabbitmq, taskcluster, published)

    *shown, told = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(rf"^{task}\b.*\b{word}\b", told)
    assert set(shown) <= {orjson.loads(one.body) and Event(one).name for one in published}


def test_a_script_that_waits_tells_when_it_cannot(
    place: Path, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """No broker: status 3, which is neither success nor failure of the task."""
    for recipe in WAITING:
        nowhere = f"PULSE_URL=amqp://a:b@127.0.0.1:1/\n{recipe}"

        done = run(nowhere, place, rabbitmq, taskcluster, [])

        assert done.returncode == 0
        assert done.stdout.endswith("status 3\n")
