"""Task groups to export: simulated ones, and ones with untrusted labels."""

from __future__ import annotations

import functools

import orjson
from hypothesis import strategies as st

from builders import GROUP, TASK
from graphs import define_tasks
from plain_graph import build_graph
from tcsniff.simulator.simulation import plan_groups, simulate
from tcsniff.taskgraph.exports import dot, mermaid, profile
from tcsniff.taskgraph.exports import json as document
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.tracker import Tracker

START = 1_795_456_800.0  # 2026-11-23T18:00:00Z
ROOT = "https://tc.example"
FAULTS = ("failure", "claim-expired", "worker-shutdown", "malformed-payload", "rerun", "cancel")
FORMATS = {
    "json": document.export_json,
    "dot": dot.export_dot,
    "mermaid": mermaid.export_mermaid,
    "profile": profile.export_profile,
}


class Simulated:
    """A simulated group at a moment, and what was truly planned and sent.

    Attributes:
        graph: The graph that tcsniff built.
        now: The moment.
        planned: The tasks, by task ID.
        statuses: The last status of each that was sent, by task ID, as JSON.
    """

    def __init__(self, seed, tasks, until):
        tracker = Tracker()
        plan = next(plan_groups(seed=seed, tasks=tasks, groups=1))
        self.planned = {task.task_id: task for task in plan.tasks}
        self.statuses = {}
        self.now = START
        made = simulate(seed=seed, start=START, groups=1, tasks=tasks, faults=FAULTS)
        for when, one in made:
            if when > START + until:
                break
            self.now = when
            tracker.apply(one)
            payload = orjson.loads(one.body)
            if "status" in payload:
                self.statuses[payload["status"]["taskId"]] = payload["status"]
        self.graph = build_graph(plan.task_group_id, tracker, define_tasks(plan), is_whole=True)

    @property
    def arrows(self):
        """Each dependency and the task that waits for it."""
        return {(one, task) for task in self.planned for one in self.planned[task].dependencies}

    @property
    def runs(self):
        """All runs, each with its task."""
        return [(status, run) for status in self.statuses.values() for run in status["runs"]]


simulated = functools.cache(Simulated)


GROUPS = [(1, 40, 30), (2, 40, 700), (3, 60, 1500), (7, 60, 100_000)]


def node(label="a", task_id=TASK, dependencies=(), **details):
    given = {"kind": "build", "pool": "p/w", "requires": "all-completed", "state": "unscheduled"}
    return Node(task_id, label, dependencies=dependencies, **given | {"runs": ()} | details)


def graph(*nodes):
    return Graph(GROUP, "gecko-level-1", {one.task_id: one for one in nodes})


UNTRUSTED = [
    '"',
    "\\",
    'a\\"; b -> c //',
    "x\\",
    "\\N \\G \\l \\n \\E",
    "<b>html</b>",
    "<",
    "&amp; &lt; &#65; &",
    "a\x00b\nc\r\x1b[31m\x7f\x9b",
    "\u202eevil\u200b\ufffe\ud800",
    "style a:b#c; classDef d:e#f;",
    "%%{init: {'theme':'dark'}}%%",
    "#quot; #35; #",
    "`**bold**`",
    "1. list",
    "- list",
    "end",
    "]] }} )) |x| --> y",
    'click a href "javascript:alert(1)"',
    "日本語 ✔ é",
    " two  spaces ",
    "x" * 4096,
]


TEXT = st.text(max_size=30) | st.sampled_from(UNTRUSTED)


def build_untrusted_graph(labels):
    """Make a graph of tasks with such labels, each waiting for the one before, and kinds alike."""
    ids = [f"{TASK[:-2]}{a}{b}" for a in "abcdefgh" for b in "AQgw"]
    return graph(
        *(
            node(label, ids[place], tuple(ids[max(0, place - 1) : place]), kind=label)
            for place, label in enumerate(labels)
        )
    )
