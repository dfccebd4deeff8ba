"""Task graphs for other programs, read back by `dot` itself or by the rules of the format."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import GROUP, OTHER_TASK, TASK
from export_samples import (
    FORMATS,
    GROUPS,
    ROOT,
    START,
    TEXT,
    UNTRUSTED,
    build_untrusted_graph,
    graph,
    node,
    simulated,
)
from tcsniff.pulse.payloads import Run
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.exports import dot, mermaid, profile
from tcsniff.taskgraph.exports import json as document
from tcsniff.taskgraph.verdict import judge_group


def seconds(text):
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_exported_is_safe_for_a_terminal(name):
    """Whoever writes to a terminal instead of a file sees text, whatever labels hold."""
    text = FORMATS[name](build_untrusted_graph(UNTRUSTED), START, ROOT)

    assert [line for line in text.splitlines() if sanitize(line) != line] == []
    assert text.endswith("\n")
    assert text.isprintable() or set(text) >= {"\n"}


@pytest.mark.parametrize("name", FORMATS)
def test_a_group_without_tasks_has_a_document_too(name):
    """Of the right form."""
    text = FORMATS[name](graph(), START)

    assert GROUP in text


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("root", [None, "javascript:alert(1)", 'https://a.example/"><x', ""])
def test_without_a_root_url_nothing_leads_anywhere(name, root):
    """And what is no address of a deployment is none."""
    text = FORMATS[name](simulated(*GROUPS[1]).graph, START, root)

    assert "://" not in text
    assert "alert" not in text


# JSON.


@pytest.mark.parametrize("group", GROUPS)
def test_json_tells_what_was_planned_and_what_was_sent(group):
    """Definitions and runs, each in the words that they came in."""
    known = simulated(*group)

    told = json.loads(document.export_json(known.graph, known.now))

    assert {one["taskId"] for one in told["tasks"]} == known.planned.keys()
    for one in told["tasks"]:
        planned = known.planned[one["taskId"]]
        status = known.statuses.get(one["taskId"], {"state": "unheard", "runs": []})
        assert one["label"] == planned.label
        assert one["kind"] == planned.kind
        assert one["dependencies"] == list(planned.dependencies)
        assert one["requires"] == planned.requires
        assert one["pool"] == f"{planned.provisioner_id}/{planned.worker_type}"
        assert one["state"] == status["state"]
        assert [plain(run) for run in one["runs"]] == [
            {name: value for name, value in run.items() if name != "takenUntil"}
            for run in status["runs"]
        ]


def plain(run):
    return {name: value for name, value in run.items() if value is not None}


@pytest.mark.parametrize("group", GROUPS)
def test_json_sums_up(group):
    """Counts, and the exit status that they mean."""
    known = simulated(*group)

    told = json.loads(document.export_json(known.graph, known.now))

    states = Counter(status["state"] for status in known.statuses.values())
    unheard = len(known.planned) - len(known.statuses)
    assert told["states"] == dict(states) | ({"unheard": unheard} if unheard else {})
    expected = 10 if states["failed"] else 11 if states["exception"] else 12
    assert told["exitStatus"] == expected
    assert told["verdict"] == judge_group(known.graph, known.now).word
    assert told["criticalPath"][0]["taskId"] in known.planned
    assert {one["taskId"] for one in told["blocked"]} == {
        name for name, status in known.statuses.items() if status["state"] == "unscheduled"
    }


def test_json_has_each_task_on_a_line():
    """So that `grep` and `diff` work on it."""
    known = simulated(*GROUPS[1])

    lines = document.export_json(known.graph, known.now, ROOT).splitlines()

    tasks = [json.loads(line.rstrip(",")) for line in lines if line.startswith('{"taskId":')]
    pages = {one["taskId"]: one["url"] for one in tasks if "runs" in one}
    assert pages == {name: f"{ROOT}/tasks/{name}" for name in known.planned}


@given(st.lists(TEXT, max_size=30))
def test_json_changes_no_label(labels):
    """Whatever it holds."""
    told = json.loads(document.export_json(build_untrusted_graph(labels), START))

    assert [one["label"] for one in told["tasks"]] == labels


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
@pytest.mark.parametrize("name", FORMATS)
def test_times_at_the_ends_of_the_calendar_stop_nothing(name, when):
    """A message may hold them."""
    run = Run(0, "completed", "scheduled", "completed", "g", "w", when, when, when)

    assert FORMATS[name](graph(node(state="completed", runs=(run,))), START)


# Mermaid: the lines that we write, each as the grammar of flowcharts has it.

QUOTED = r'"(?P<text>(?:[^"`\\<>&#;%{}\[\]():|]|#\d+;|<br>)*)"'
LINES = {
    "head": r"flowchart LR",
    "comment": r"  %% [^{}]*",
    "open": rf"  subgraph k\d+\[{QUOTED}\]",
    "close": r"  end",
    "task": rf"    (?P<name>t\d+)\[{QUOTED}\]:::(?P<class>\w+)",
    "kind": rf"  (?P<name>k\d+)\[{QUOTED}\]:::(?P<class>\w+)",
    "stranger": rf"  (?P<name>s\d+)\(\[{QUOTED}\]\):::other",
    "arrow": r"  (?P<from>[ts]\d+) (?P<arrow>-->|-\.->|==>) (?P<to>t\d+)",
    "bundle": r"  (?P<from>k\d+) -->\|(?P<number>\d+)\| (?P<to>k\d+)",
    "class": r"  class t\d+(?:,t\d+)* critical",
    "click": r'  click (?P<name>\w+) href "https://tc\.example/tasks/(?P<id>[\w-]{22})" _blank',
    "style": r"  classDef \w+ (?:[\w-]+:[#\w. ]+,?)+",
}


def parsed(text):
    """Read a chart; every line must be one of ours, and none may be two of them."""
    found = {name: [] for name in LINES}
    for line in text.splitlines():
        fits = {name: re.fullmatch(form, line) for name, form in LINES.items()}
        [name] = [name for name, match in fits.items() if match]
        found[name].append(fits[name].groupdict())
    return found


def shown(text):
    """Decode what Mermaid shows of a label."""
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text)


@pytest.mark.parametrize("group", GROUPS[:3])
def test_mermaid_draws_the_tasks_and_who_waits_for_whom(group):
    """As planned, with the state in words and as a class, and a link each."""
    known = simulated(*group)

    chart = parsed(mermaid.export_mermaid(known.graph, known.now, ROOT))

    ids = {one["name"]: one["id"] for one in chart["click"]}
    arrows = {(ids[one["from"]], ids[one["to"]]): one["arrow"] for one in chart["arrow"]}
    assert set(arrows) == known.arrows
    assert {ids[one["name"]] for one in chart["task"]} == known.planned.keys()
    for one in chart["task"]:
        name = ids[one["name"]]
        state = known.statuses.get(name, {"state": "unheard"})["state"]
        label, story = shown(one["text"]).split("<br>")
        assert label[2:] == known.planned[name].label
        assert story.startswith(state)
        assert one["class"] == state
    assert "-.->" in arrows.values()
    assert [shown(one["text"]) for one in chart["open"]] == list(
        dict.fromkeys(known.graph.nodes[name].kind for name in known.graph.nodes)
    )


@given(st.lists(TEXT, max_size=20))
def test_mermaid_shows_any_label_as_it_is(labels):
    """Nothing in it is read as syntax, directive or entity."""
    made = build_untrusted_graph(labels)

    chart = parsed(mermaid.export_mermaid(made, START))

    texts = [shown(one["text"]) for one in chart["task"]]
    assert sorted(texts) == sorted(f"○ {sanitize(label)}<br>unscheduled" for label in labels)


@pytest.mark.parametrize(("tasks", "label"), [(600, "short"), (120, "long" * 200)])
def test_mermaid_is_given_no_more_than_it_draws(tasks, label):
    """At most 500 arrows and 50,000 characters: else a box for each kind, with its numbers."""
    ids = [f"task-{number}" for number in range(tasks)]
    first = node("first", "first", kind="decision", state="completed")
    others = [
        node(label, name, ("first", ids[0]), state="failed" if name == "task-7" else "pending")
        for name in ids
    ]

    chart = parsed(mermaid.export_mermaid(graph(first, *others), START, ROOT))

    assert chart["task"] == []
    assert [(shown(one["text"]), one["class"]) for one in chart["kind"]] == [
        ("decision 1<br>✔ 1", "completed"),
        (f"build {tasks}<br>◷ {tasks - 1}  ✖ 1", "failed"),
    ]
    assert chart["bundle"] == [{"from": "k0", "to": "k1", "number": str(tasks)}]


def test_mermaid_shows_what_is_of_another_group():
    """By its id."""
    chart = parsed(
        mermaid.export_mermaid(graph(node(dependencies=(OTHER_TASK, '"x'))), START, ROOT)
    )

    assert [shown(one["text"]) for one in chart["stranger"]] == [OTHER_TASK, '"x']
    assert len(chart["arrow"]) == 2
    assert [one["id"] for one in chart["click"]] == [TASK, OTHER_TASK]


# The Firefox Profiler. By hand, the profiler's own loader took these profiles, too.

COLOURS = {"grey", "green", "blue", "yellow", "red", "magenta"}
FORMS = {"string", "integer", "duration", "list", "url"}
DISPLAYS = {"marker-chart", "marker-table", "timeline-overview"}
TABLES = ("samples", "markers", "stackTable", "frameTable", "funcTable", "resourceTable")


def valid(text):
    """Read a profile; it must have what `src/types/profile.js` of version 48 demands."""
    read = json.loads(text)
    meta = read["meta"]
    assert meta["preprocessedProfileVersion"] == 48
    assert meta.keys() >= {"interval", "startTime", "processType", "product", "stackwalk"}
    assert isinstance(meta["version"], int)
    assert meta["categories"][0]["color"] == "grey"  # the default one, which there must be
    assert {one["color"] for one in meta["categories"]} <= COLOURS
    assert {tuple(one["subcategories"]) for one in meta["categories"]} == {("Other",)}
    fields = {one["name"]: valid_schema(one) for one in meta["markerSchema"]}
    assert sorted(meta["initialVisibleThreads"]) == list(range(len(read["threads"])))
    assert len({thread["tid"] for thread in read["threads"]}) == len(read["threads"]) > 0
    for thread in read["threads"]:
        valid_thread(thread, fields, len(meta["categories"]))
    return read


def valid_schema(schema):
    assert set(schema["display"]) <= DISPLAYS
    assert {one["format"] for one in schema["data"]} <= FORMS
    keys = {one["key"]: one["format"] for one in schema["data"]}
    for label in ("tooltipLabel", "tableLabel", "chartLabel"):
        assert set(re.findall(r"{marker\.data\.(\w+)}", schema[label])) <= keys.keys()
    assert schema["colorField"] in keys
    return keys


def valid_thread(thread, fields, categories):
    assert isinstance(thread["pid"], str)
    for name in (*TABLES, "nativeSymbols"):
        table = dict(thread[name])
        length = table.pop("length")
        columns = [column for column in table.values() if isinstance(column, list)]
        assert columns
        assert {len(column) for column in columns} == {length}
    markers = thread["markers"]
    assert set(markers["name"]) <= set(range(len(thread["stringArray"])))
    assert set(markers["category"]) <= set(range(categories))
    assert set(markers["phase"]) <= {1}
    for start, end in zip(markers["startTime"], markers["endTime"], strict=True):
        assert 0 <= start <= end
    kinds = {"string": str, "url": str, "integer": int, "list": list, "duration": (int, float)}
    for data in markers["data"]:
        form = fields[data["type"]]
        for name, value in data.items():
            assert name == "type" or isinstance(value, kinds[form[name]])
        assert data["colour"] in COLOURS


def markers_of(read, kind):
    """Give the markers of a type: track, start and end in seconds since the epoch, and data."""
    start = read["meta"]["startTime"] / 1000
    for thread in read["threads"]:
        columns = ("startTime", "endTime", "data")
        rows = zip(*(thread["markers"][column] for column in columns), strict=True)
        for begun, ended, data in rows:
            if data["type"] == kind:
                yield thread["name"], start + begun / 1000, start + ended / 1000, data


@pytest.mark.parametrize("group", GROUPS)
def test_a_profile_has_a_marker_for_every_run(group):
    """From its start to its end, or until now, on the track of its worker pool."""
    known = simulated(*group)

    read = valid(profile.export_profile(known.graph, known.now, ROOT))

    told = {
        (data["taskId"], data["run"], data["state"]): (track, round(begun, 2), round(ended, 2))
        for track, begun, ended, data in markers_of(read, "TaskRun")
    }
    expected = {}
    for status, run in known.runs:
        if run["state"] != "pending":
            begun = seconds(run.get("started") or run["resolved"])
            ended = seconds(run["resolved"]) if "resolved" in run else known.now
            place = (status["taskQueueId"], round(begun, 2), round(ended, 2))
            expected[status["taskId"], run["runId"], run["state"]] = place
    assert told == expected


@pytest.mark.parametrize("group", GROUPS)
def test_a_profile_has_the_waiting_before_each_run(group):
    """From when it was pending to when it was claimed, ended without, or until now."""
    known = simulated(*group)

    read = valid(profile.export_profile(known.graph, known.now))

    told = sorted(
        (data["taskId"], data["run"], round(begun, 2), round(ended, 2))
        for _, begun, ended, data in markers_of(read, "TaskPending")
    )
    assert told == sorted(
        (
            status["taskId"],
            run["runId"],
            round(seconds(run["scheduled"]), 2),
            round(seconds(run[end]) if (end := ending(run)) else known.now, 2),
        )
        for status, run in known.runs
    )


def ending(run):
    return next((name for name in ("started", "resolved") if name in run), None)


def test_a_profile_tells_of_a_run_what_taskclusters_own_does():
    """And what that leaves out: the worker, how long it was pending, its dependencies."""
    known = simulated(*GROUPS[3])

    read = valid(profile.export_profile(known.graph, known.now, ROOT))

    found = {(data["taskId"], data["run"]): data for *_, data in markers_of(read, "TaskRun")}
    assert len({data.get("reasonResolved") for data in found.values()}) > 3
    for status, run in known.runs:
        task = known.planned[status["taskId"]]
        data = found[task.task_id, run["runId"]]
        page = f"{ROOT}/tasks/{task.task_id}/runs/{run['runId']}"
        assert data["task"] == task.label
        assert data["kind"] == task.kind
        assert data["reasonCreated"] == run["reasonCreated"]
        assert data["reasonResolved"] == run["reasonResolved"]
        assert data.get("worker", "") == " ".join(
            run[name] for name in ("workerGroup", "workerId") if name in run
        )
        assert data.get("dependencies", []) == [
            known.planned[name].label for name in task.dependencies
        ]
        assert data["page"] == page
        log = f"{ROOT}/api/queue/v1/task/{task.task_id}/runs/{run['runId']}/"
        assert data.get("log", "").startswith(log) is ("started" in run)


def test_a_run_without_a_worker_has_an_end_and_no_log():
    """Canceled while it was pending; and one of which no time is told is not left out."""
    times = ("2026-11-23T18:00:00Z", None, "2026-11-23T18:00:30Z")
    runs = (
        Run(0, "exception", "scheduled", "canceled", None, None, *times),
        Run(1, "exception", "rerun", "canceled"),
    )

    read = valid(
        profile.export_profile(graph(node(state="exception", runs=runs)), START + 60, ROOT)
    )

    [pending] = markers_of(read, "TaskPending")
    first, second = markers_of(read, "TaskRun")
    assert [round(one - START) for one in pending[1:3]] == [0, 30]
    assert [round(one - START) for one in first[1:3]] == [30, 30]
    assert [round(one - START) for one in second[1:3]] == [60, 60]
    assert (first[3]["reasonResolved"], "log" in first[3]) == ("canceled", False)


def test_dot_tells_what_became_of_a_task():
    """Its state, why and in which run it ended, and how long that took."""
    times = ("2026-11-23T18:00:00Z", "2026-11-23T18:00:30Z", "2026-11-23T18:06:31Z")
    told = {
        node(
            state="pending", runs=(Run(0, "pending", scheduled=times[0]),)
        ): "◷ pending, 2 m 00 s",
        node(state="unheard"): "? unheard",
        node(state="paused", runs=(Run(0, "paused"),)): "· paused",
        node(state="failed", runs=(Run(0, "exception"), Run(1, "failed", None, "failed"))): (
            "✖ failed, run 1"
        ),
        node(
            state="exception", runs=(Run(0, "exception", None, "claim-expired", "g", "w", *times),)
        ): ("! exception, claim-expired, 6 m 01 s"),
    }

    for one, text in told.items():
        assert f'label="a\\n{text}"' in dot.export_dot(graph(one), START + 120)


def test_a_profile_begins_with_the_group_and_its_critical_path():
    """The first track, so that one sees at once what took the time."""
    known = simulated(*GROUPS[2])
    path = json.loads(document.export_json(known.graph, known.now))["criticalPath"]

    read = valid(profile.export_profile(known.graph, known.now, ROOT))

    assert read["threads"][0]["name"].startswith("task group ")
    [(track, *_, group)] = markers_of(read, "TaskGroup")
    steps = sorted(markers_of(read, "CriticalPath"), key=lambda step: step[1])
    assert track == read["threads"][0]["name"]
    assert group["tasks"] == len(known.planned)
    assert [data["taskId"] for *_, data in steps] == [step["taskId"] for step in path]
    assert [round(end - begin, 2) for _, begin, end, _ in steps] == [
        pytest.approx(step["length"], abs=0.01) for step in path
    ]


@given(st.lists(TEXT, max_size=20))
def test_a_profile_changes_no_label(labels):
    """Whatever it holds, and whatever worker pools and reasons hold."""
    made = build_untrusted_graph(labels)
    runs = (
        Run(0, "completed", "scheduled", "completed", None, None, *(["2026-11-23T18:00Z"] * 3)),
    )
    pools = [
        one._replace(pool=one.label, state="completed", runs=runs) for one in made.nodes.values()
    ]

    read = valid(profile.export_profile(graph(*pools), START))

    told = [data.get("task", "") for *_, data in markers_of(read, "TaskRun")]
    assert sorted(told) == sorted(labels)
    assert len(read["threads"]) == 1 + len({label or "no worker pool" for label in labels})
