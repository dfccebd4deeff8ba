"""Names, workers and reasons that try to control the terminal, in every view and picture."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from running import Terminal

GROUP = "fN1SbArXTPSVFNUvaOlinQ"
TASKS = ("AAAAAAAAQAGAAAAAAAAAAA", "AAAAAAAAQAGAAAAAAAAAAQ")
TEXT = (
    "[red]x[/red]\x1b[31m\x9b1m\x1b]8;;http://evil.example\x1b\\L\x1b]8;;\x1b\\"
    "\u202eright\nnew\rline\x00\u200b[@click=app.bell]c[/] 日本👍e\u0301"
)
# What a terminal may be told: styles, movements, modes, and links that we make ourselves.
OURS = re.compile(
    r"\x1b(\[[0-9;?=<>]*\$?[A-Za-z]|[78=>]|\(B|\]22;default\x07"
    r"|\]8;(id=[^;\x1b]*)?;(https://[^\x1b]*)?\x1b\\)"
)


def write_recording(path: Path) -> str:
    """Write events of two tasks, of which one fails; all their text is untrusted."""
    lines = []
    for second, task_id in enumerate(TASKS):
        run = {
            "runId": 0,
            "state": "running",
            "reasonCreated": TEXT,
            "scheduled": "2026-11-23T18:00:00.000Z",
            "started": "2026-11-23T18:00:03.000Z",
            "workerGroup": TEXT,
            "workerId": TEXT,
        }
        runs = {"task-running": run}
        if not second:
            ended = {"resolved": "2026-11-23T18:00:50.000Z", "reasonResolved": TEXT}
            runs["task-failed"] = {**run, **ended, "state": "failed"}
        for name, last in runs.items():
            status = {
                "taskId": task_id,
                "taskGroupId": GROUP,
                "taskQueueId": f"pool/{TEXT}",
                "provisionerId": "pool",
                "workerType": TEXT,
                "schedulerId": TEXT,
                "priority": TEXT,
                "state": last["state"],
                "runs": [last],
            }
            tags = {"label": f"{TEXT}-{second}", "kind": TEXT}
            record = {
                "received": f"2026-11-23T18:00:5{second}.000Z",
                "exchange": f"exchange/taskcluster-queue/v1/{name}",
                "routingKey": f"primary.{task_id}.0.g.w.pool.type.s.{GROUP}._",
                "routes": [TEXT],
                "redelivered": False,
                "payload": {"status": status, "runId": 0, "task": {"tags": tags}},
            }
            lines.append(json.dumps(record))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "words",
    [
        ("-o", "table"),
        ("-o", "lines"),
        ("graph", GROUP),
        ("graph", GROUP, "-o", "lines"),
        ("task", TASKS[0]),
        ("task", TASKS[0], "-o", "lines"),
        ("top",),
        ("top", "--by", "worker"),
    ],
    ids=" ".join,
)
def test_no_text_controls_a_terminal_or_a_picture(words: tuple[str, ...], tmp_path: Path) -> None:
    """It is shown as escapes, on one row each; the picture is a document without links."""
    recording, picture = write_recording(tmp_path / "evil.jsonl"), tmp_path / "picture.svg"

    with Terminal(*words, "--from", recording, "--save-svg", str(picture), columns=100) as run:
        run.status()

    written = OURS.sub("", run.written.decode())
    assert "[red]" in written
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202e]", written)
    assert "\n" not in written.replace("\r\n", "")
    drawing = picture.read_text(encoding="utf-8")
    tags = {one.tag.rpartition("}")[2] for one in ET.fromstring(drawing).iter()}  # noqa: S314 - our own
    assert tags <= {"svg", "title", "style", "rect", "circle", "text"}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e]", drawing)


@pytest.mark.parametrize("address", [(), (GROUP,), (TASKS[0],)], ids=["events", "graph", "task"])
def test_no_text_controls_browse(address: tuple[str, ...], tmp_path: Path) -> None:
    """Neither as markup of textual nor as escapes."""
    recording = write_recording(tmp_path / "evil.jsonl")

    with Terminal("browse", "--from", recording, *address, columns=100) as run:
        screen = run.shows(lambda rows: "■ end" in rows[0] and any("[red]" in row for row in rows))
        run.type("q")
        run.status()

    written = OURS.sub("", run.written.decode())
    assert any(r"\x1b[31m" in row for row in screen)
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202e]", written)
